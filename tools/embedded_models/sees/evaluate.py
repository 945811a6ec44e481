"""How well the model answers about patients it has never met: recording-level F1 against always-yes.

Also what harmless behaviour costs: false alarms where a patient yawns, talks, scratches or looks aside.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import torch
from sklearn.metrics import f1_score
from torch import Tensor

from semiology.data.simulated.script.behaviours import RESEMBLES
from semiology.features import VISUAL_FEATURES
from semiology.metrics.scores.run_scores import score_run
from semiology.metrics.statistics.intervals import Estimate
from semiology.tools.embedded_models.material import patient_scripts
from semiology.tools.embedded_models.packing import stack
from semiology.tools.embedded_models.sees import packing
from semiology.tools.embedded_models.sees.answering import Questioner
from semiology.tools.embedded_models.sees.clip_pool import Pool, sliding_windows
from semiology.tools.embedded_models.sees.questions import Question

FIRST_WINDOW_ONLY = "occur_during_sleep"
SEEN_S = 1.0
"""A window holds a behaviour if it shows at least this much of it, in seconds."""


def recording_answers(pool: Pool, window_answers: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Combine windows into recordings by any-yes; sleep is read off the first window only.

    Args:
        window_answers: (N, 18) booleans.

    Returns:
        truth and answers, both (recordings, 18).
    """
    counted = window_answers.copy()
    counted[pool.indices > 0, VISUAL_FEATURES.index(FIRST_WINDOW_ONLY)] = False
    names, first, inverse = np.unique(pool.recordings, return_index=True, return_inverse=True)
    answers = np.zeros((len(names), window_answers.shape[1]), dtype=bool)
    np.logical_or.at(answers, inverse, counted)
    return pool.truths[first], answers


@torch.no_grad()
def answer_margins(
    questioner: Questioner, pool: Pool, tokens: Sequence[Tensor], questions: Sequence[Question]
) -> np.ndarray:
    """Return (N, 18) logit of "present" minus logit of "absent" where the reply decides.

    ``questions`` has one question per feature.
    """
    margins = np.zeros((len(pool), len(questions)))
    blocks = [questioner.block(question, True) for question in questions]
    starts = np.cumsum([0, *[len(b.answer) for b in blocks[:-1]]])
    place = torch.from_numpy(starts + np.array([b.decision for b in blocks]))
    yes, no = torch.tensor([b.yes_no for b in blocks]).T
    every = torch.arange(len(blocks))
    for index, visual in enumerate(tokens):
        prefix = questioner.prefix(int(pool.counts[index]) // 2, pool.grid)
        batch = stack([packing.pack(prefix, blocks)], questioner.pad)
        logits, _ = packing.answer_logits(questioner.model, prefix, batch, visual[None].float())
        decided = logits[place]
        margins[index] = (decided[every, yes] - decided[every, no]).numpy()
    return margins


def best_thresholds(pool: Pool, margins: np.ndarray, pull: float = 4.0) -> np.ndarray:
    """Return per feature the margin above which yes gives the best recording-level F1.

    The search is smoothed: the median of all thresholds whose F1 is within 0.02 of the best is taken, and
    features with few positives are pulled towards 0 by ``pull`` imaginary recordings.
    """
    found = np.zeros(margins.shape[1])
    for column in range(margins.shape[1]):
        grid = np.quantile(margins[:, column], np.linspace(0.02, 0.98, 97))
        scores = []
        for threshold in grid:
            truth, said = recording_answers(pool, margins > threshold)
            scores.append(f1_score(truth[:, column], said[:, column], zero_division=0.0))
        near = grid[np.array(scores) >= max(scores) - 0.02]
        positives = int(recording_answers(pool, margins > 0)[0][:, column].sum())
        found[column] = np.median(near) * positives / (positives + pull)
    return found


def report(pool: Pool, margins: np.ndarray, name: str) -> dict[str, Any]:
    """Return a JSON-ready report of one evaluation, scored by ``semiology.metrics``.

    A feature whose positives come from too few patients has no ``f1_interval``; precision and F1 are 0 where
    no recording was answered yes.
    """
    truth, answers = recording_answers(pool, margins > 0)
    first = np.unique(pool.recordings, return_index=True)[1]
    rows = pd.DataFrame(
        {
            "patient_id": np.repeat([f"P{number}" for number in pool.patients[first]], truth.shape[1]),
            "feature": np.tile(VISUAL_FEATURES, len(truth)),
            "answer": np.where(answers, "yes", "no").ravel(),
            "truth": np.where(truth, "yes", "no").ravel(),
        }
    )
    run = score_run(rows, VISUAL_FEATURES)
    features = [
        {
            "feature": one.feature,
            "recordings": one.n,
            "positive": one.n_positive,
            "prevalence": one.prevalence,
            "always_yes_f1": float(np.nan_to_num(one.always_yes_f1)),
            **{key: float(np.nan_to_num(one.estimates[key].value)) for key in ("precision", "recall", "f1")},
            "f1_interval": _interval(one.estimates["f1"]),
        }
        for one in run.features
    ]
    macro = run.macros[0].estimates
    return {
        "name": name,
        "recordings": len(truth),
        "patients": len(np.unique(pool.patients)),
        "windows": len(pool),
        "macro_f1": macro["f1"].value,
        "macro_f1_interval": _interval(macro["f1"]),
        "macro_always_yes_f1": macro["always_yes_f1"].value,
        "features_above_always_yes": sum(one["f1"] > one["always_yes_f1"] for one in features),
        "features": features,
    }


def _interval(estimate: Estimate) -> tuple[float, float] | None:
    return None if estimate.low is None or estimate.high is None else (estimate.low, estimate.high)


def table(result: dict[str, Any]) -> str:
    """Return a report as a Markdown table; intervals are 95 %, by patient bootstrap."""
    lines = [
        "| feature | positive | always-yes F1 | precision | recall | F1 | 95 % |",
        "| --- | --- | --- | --- | --- | --- | --- |",
    ]
    for s in result["features"]:
        reach = "not estimable" if s["f1_interval"] is None else "{:.2f}-{:.2f}".format(*s["f1_interval"])
        measures = " | ".join(f"{s[key]:.2f}" for key in ("always_yes_f1", "precision", "recall", "f1"))
        lines.append(f"| {s['feature']} | {s['positive']}/{s['recordings']} | {measures} | {reach} |")
    whole = result["macro_f1_interval"]
    reach = "not estimable" if whole is None else "{:.2f}-{:.2f}".format(*whole)
    measures = f"{result['macro_always_yes_f1']:.2f} | | | {result['macro_f1']:.2f}"
    return "\n".join([*lines, f"| macro | | {measures} | {reach} |"])


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


def hard_negatives(pool: Pool, answers: np.ndarray, behaviour: np.ndarray) -> list[dict[str, Any]]:
    """Return what harmless behaviour costs each feature that it resembles.

    Args:
        answers: (windows, 18) the model's yes answers.

    Returns:
        For each ``feature``: ``windows`` without it that hold such behaviour, and ``others``; ``false_alarms`` and
        ``other_false_alarms``, the share of either answered yes; recording-level ``f1``, and ``f1_without``: the
        same if every one of ``windows`` had been answered no.

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
            {
                "feature": feature,
                "windows": int(trap.sum()),
                "others": int(rest.sum()),
                "false_alarms": float(answers[trap, column].mean()) if trap.any() else 0.0,
                "other_false_alarms": float(answers[rest, column].mean()) if rest.any() else 0.0,
                "f1": f1_score(truth[:, column], said[:, column], zero_division=0.0),
                "f1_without": f1_score(truth[:, column], spared[:, column], zero_division=0.0),
            }
        )
    return costs
