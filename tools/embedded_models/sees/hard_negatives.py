"""What harmless behaviour costs: false alarms where a patient yawns, talks, scratches or looks aside."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from semiology.data.simulated.script.behaviours import RESEMBLES
from semiology.features import VISUAL_FEATURES
from semiology.tools.embedded_models.patients import patient_scripts
from semiology.tools.embedded_models.sees.clip_pool import Pool, sliding_windows
from semiology.tools.embedded_models.sees.evaluate import f1_score, recording_answers

SEEN_S = 1.0
"""A window holds a behaviour if it shows at least this much of it, in seconds."""


@dataclass(frozen=True)
class HardNegatives:
    """Measures of one feature that harmless behaviour resembles.

    Attributes:
        feature: its name.
        windows: windows without the feature that hold such behaviour; ``others``: those that do not.
        false_alarms: share of ``windows`` answered yes; ``other_false_alarms`` likewise.
        f1: at recording level, as measured.
        f1_without: the same if every one of ``windows`` had been answered no.
    """

    feature: str
    windows: int
    others: int
    false_alarms: float
    other_false_alarms: float
    f1: float
    f1_without: float


def behaviour_windows(split: str, patients: int, recordings: int) -> np.ndarray:
    """Return (windows, 18): does harmless behaviour that resembles the feature occur in the window?

    The windows are those of a pool of whole recordings of patients ``range(patients)``, in its order.
    """
    rows = []
    for patient in range(patients):
        for script in patient_scripts(split, patient, recordings):
            for window in sliding_windows(script.duration_s):
                row = np.zeros(len(VISUAL_FEATURES), dtype=bool)
                for event in script.of(*RESEMBLES):
                    shown = min(event.offset_s, window.end_s) - max(event.onset_s, window.start_s)
                    row[VISUAL_FEATURES.index(RESEMBLES[event.feature])] |= shown >= SEEN_S
                rows.append(row)
    return np.array(rows)


def hard_negatives(pool: Pool, answers: np.ndarray, behaviour: np.ndarray) -> list[HardNegatives]:
    """Return what harmless behaviour costs each feature that it resembles.

    Args:
        pool: a pool of whole recordings.
        answers: (windows, 18) the model's yes answers.
        behaviour: from :func:`behaviour_windows`.

    Raises:
        ValueError: the arrays do not belong to the pool.
    """
    if not len(pool) == len(answers) == len(behaviour):
        raise ValueError(
            f"{len(pool)} windows, {len(answers)} answers and {len(behaviour)} rows of behaviour do not match"
        )
    traps = behaviour & ~pool.window_labels
    plain = ~behaviour & ~pool.window_labels
    truth, said = recording_answers(pool, answers)
    _, spared = recording_answers(pool, answers & ~traps)
    costs = []
    for feature in sorted(set(RESEMBLES.values())):
        column = VISUAL_FEATURES.index(feature)
        trap, rest = traps[:, column], plain[:, column]
        costs.append(
            HardNegatives(
                feature=feature,
                windows=int(trap.sum()),
                others=int(rest.sum()),
                false_alarms=float(answers[trap, column].mean()) if trap.any() else 0.0,
                other_false_alarms=float(answers[rest, column].mean()) if rest.any() else 0.0,
                f1=f1_score(truth[:, column], said[:, column]),
                f1_without=f1_score(truth[:, column], spared[:, column]),
            )
        )
    return costs
