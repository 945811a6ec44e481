"""The words of the stroke-rehabilitation suite, each declared once: primitives, activities, items, severities.

Sources: arXiv 2511.17727; Kaku et al., StrokeRehab, NeurIPS 2022; Fugl-Meyer Assessment of Upper Extremity (Gothenburg
protocol).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

PRIMITIVES = ("idle", "reach", "reposition", "transport", "stabilize")
MOTION = frozenset({"reach", "reposition", "transport"})
"""Primitives in which the hand moves an object, or toward or away from one."""
GRASP = frozenset({"transport", "stabilize"})
"""Primitives in which the hand holds an object."""
ACTIVITIES = (
    "brushing",
    "combing",
    "deodorant",
    "drinking",
    "face wash",
    "feeding",
    "glasses",
    "rtt exercise",
    "shelf exercise",
)
EXERCISES = ("rtt exercise", "shelf exercise")
"""The two with regular motion, which have a counting task of their own."""
SECTIONS: Mapping[str, tuple[int, ...]] = {
    "Arm (FS)": tuple(range(3, 9)),
    "Arm (ES)": tuple(range(9, 12)),
    "Arm (MCS)": tuple(range(12, 15)),
    "Arm (MOS)": tuple(range(15, 18)),
    "Wrist": tuple(range(19, 24)),
    "Hand": tuple(range(24, 31)),
    "Coord./Speed": tuple(range(31, 34)),
}
"""Flexor and extensor synergy, mixed synergies, out of synergy, wrist, hand, coordination and speed."""
ITEMS = tuple(item for items in SECTIONS.values() for item in items)
"""The 30 Fugl-Meyer items that are asked: reflexes (1, 2) cannot be seen, 18 follows from 15 to 17."""
CONTROL = "control"
SEVERITIES = (CONTROL, "mild", "moderate", "severe")
SEVERE_UP_TO, MODERATE_UP_TO = 25, 52
"""Highest Fugl-Meyer totals of severe and moderate impairment; cut-offs of this project, the study states none."""


class Run(NamedTuple):
    """One stretch of one primitive, in seconds from the start of the video."""

    primitive: str
    start_s: float
    end_s: float


class Window(NamedTuple):
    """The time that one question is about, in seconds from the start of the video."""

    start_s: float
    end_s: float


def severity(total: float) -> str:
    """Return ``severe``, ``moderate`` or ``mild`` for a Fugl-Meyer total of 0 to 66.

    >>> severity(25), severity(26), severity(53)
    ('severe', 'moderate', 'mild')
    """
    return "severe" if total <= SEVERE_UP_TO else "moderate" if total <= MODERATE_UP_TO else "mild"


def serialised_runs(runs: Sequence[Run]) -> str:
    """Return runs as text, the last label again at its end; empty for none.

    >>> serialised_runs([Run("idle", 0.0, 1.267), Run("reach", 1.267, 2.0)])
    'idle@0.000;reach@1.267;reach@2.000'
    """
    if not runs:
        return ""
    parts = [f"{run.primitive}@{run.start_s:.3f}" for run in runs]
    return ";".join([*parts, f"{runs[-1].primitive}@{runs[-1].end_s:.3f}"])


def parsed_runs(text: str) -> tuple[Run, ...]:
    """Return the runs of `serialised_runs`; () for an empty text."""
    marks = [part.rpartition("@") for part in text.split(";") if part]
    return tuple(
        Run(primitive, float(start), float(marks[place + 1][2]))
        for place, (primitive, _, start) in enumerate(marks[:-1])
    )
