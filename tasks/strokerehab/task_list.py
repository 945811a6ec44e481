"""The stroke-rehabilitation tasks: what each asks of which videos, how it samples them, and its measures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from semiology.data.strokerehab.sampling import Sampling
from semiology.strokerehab import ITEMS

Part = Literal["identification", "primitives", "counting", "impairment"]
GROUP = "strokerehab"
COORDINATION = (31, 32, 33)
"""Items that are asked window by window."""


@dataclass(frozen=True)
class RehabTask:
    """One task.

    Attributes:
        name: in lmms-eval.
        part: of the suite; decides videos and scores.
        questions: ids in the prompt library; for Fugl-Meyer items ``questions`` (the tree) or ``reasoning``.
        sampling: as published.
        items: Fugl-Meyer items asked.
    """

    name: str
    part: Part
    questions: tuple[str, ...]
    sampling: Sampling
    items: tuple[int, ...] = ()

    @property
    def questions_of(self) -> str:
        """The file of the prompt library."""
        return "primitives" if self.part == "counting" else self.part


_UNIFORM, _DENSE, _FAST = Sampling(8), Sampling(8, 15), Sampling(8, 30)
_SHORT = tuple(item for item in ITEMS if item not in COORDINATION)
TASKS: Mapping[str, RehabTask] = {
    task.name: task
    for task in (
        RehabTask("strokerehab_identification_1", "identification", ("procedural",), _UNIFORM),
        RehabTask("strokerehab_identification_2", "identification", ("visible",), _UNIFORM),
        RehabTask("strokerehab_primitives_1", "primitives", ("list",), _DENSE),
        RehabTask("strokerehab_primitives_2", "primitives", ("single",), _DENSE),
        RehabTask("strokerehab_primitives_3", "primitives", ("motion", "grasp"), _DENSE),
        RehabTask("strokerehab_counting", "counting", ("motion", "grasp"), _DENSE),
        RehabTask("strokerehab_ia2_3_30", "impairment", ("questions",), _UNIFORM, _SHORT),
        RehabTask("strokerehab_ia2_31_33", "impairment", ("questions",), _FAST, COORDINATION),
        RehabTask("strokerehab_ia4_3_30", "impairment", ("reasoning",), _UNIFORM, _SHORT),
        RehabTask("strokerehab_ia4_31_33", "impairment", ("reasoning",), _FAST, COORDINATION),
    )
}
NEEDS: Mapping[Part, str] = {
    "identification": "films in videos/<subject>/",
    "primitives": "films in videos/<subject>/ with a label file of the same name in labels/<subject>/",
    "counting": "films of RTT or shelf exercises with label files, on camera 1 or listed in best_views.csv",
    "impairment": "clips in fm_clips/<subject>/, fm_scores.csv, and side_scored in subjects.csv",
}
_SEQUENCES: Mapping[str, bool | None] = {
    "edit_score": True, "edit_score_low": None, "edit_score_high": None,
    "action_error_rate": False, "action_error_rate_low": None, "action_error_rate_high": None,
    "relative_counting_error": False, "relative_counting_error_low": None, "relative_counting_error_high": None,
    "relative_counting_error_without_idle": False, "within_25_percent": True, "motion_f1": True, "grasp_f1": True,
    "transport_only_edit_score": None, "transport_only_relative_counting_error": None,
    "mean_dose_relative_counting_error": None, "mean_rate_relative_counting_error": None,
    "invalid_rate": False, "several_rate": False, "videos": None, "videos_left_out": None,
}  # fmt: skip
MEASURES: Mapping[Part, Mapping[str, bool | None]] = {
    "identification": {
        "accuracy": True, "accuracy_low": None, "accuracy_high": None, "macro_f1": True, "majority_accuracy": None,
        "uniform_accuracy": None, "invalid_rate": False, "videos": None,
    },
    "primitives": _SEQUENCES,
    "counting": _SEQUENCES,
    "impairment": {
        "accuracy": True, "accuracy_low": None, "accuracy_high": None, "macro_accuracy": True,
        "apd": False, "apd_low": None, "apd_high": None, "mtsd": False, "kappa": True, "spearman": True,
        "constant_1_accuracy": None, "constant_1_apd": None, "constant_2_accuracy": None, "constant_2_apd": None,
        "other_subjects_accuracy": None, "other_subjects_apd": None, "missing": False, "invalid_rate": False,
        "subjects": None, "subjects_left_out": None,
    },
}  # fmt: skip
"""The measures in lmms-eval's table, and whether more is better; None: a limit, a baseline or a count."""


def asked_tasks(names: Sequence[str]) -> tuple[str, ...]:
    """Return the tasks of this suite among those selected; the group stands for all of them."""
    return tuple(TASKS) if GROUP in names else tuple(task for task in TASKS if task in names)
