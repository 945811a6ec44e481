"""The S3 tasks 2 to 7: the kind of answer that each asks for, where its truth stands, and its measures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from semiology.features import FIRST_SEGMENT_ONLY, TIMED_FEATURES
from semiology.metrics.s3.recording_answers import AnswerKind

GROUP = "s3"


@dataclass(frozen=True)
class S3Task:
    """One task: its name in lmms-eval, its kind of answer, and what a recording set must hold, and where."""

    name: str
    answer: AnswerKind
    needs: str


_TIMES = "annotations.csv: `onset_s` of features with present = yes"
TASKS: dict[str, S3Task] = {
    task.name: task
    for task in (
        S3Task("s3_justification", "justification", "annotations.csv: a row per feature and video"),
        S3Task(
            "s3_head_turning_side",
            "side",
            "laterality.csv: `head_turning_side`, `head_turning_start_s`, `head_turning_end_s`; "
            "or annotations.csv: `side`, `onset_s`, `offset_s` of head_turning",
        ),
        S3Task(
            "s3_arm_movement_side",
            "side",
            "laterality.csv: `arm_movement_side`, `arm_movement_start_s`, `arm_movement_end_s`",
        ),
        S3Task("s3_onset_region", "region", f"laterality.csv: `onset_region`; and {_TIMES}"),
        S3Task("s3_onset_time", "time", _TIMES),
        S3Task("s3_seizure_start", "time", _TIMES),
        S3Task("s3_seizure_end", "time", _TIMES.replace("`onset_s`", "`onset_s` and `offset_s`")),
        S3Task(
            "s3_sequence",
            "sequence",
            f"annotations.csv: rows on all {len(TIMED_FEATURES)} visual features with times (all but "
            f"{', '.join(FIRST_SEGMENT_ONLY)}), and `onset_s` wherever present = yes",
        ),
        S3Task("s3_report", "report", "reports.csv: `report`"),
        S3Task("s3_diagnosis", "diagnosis", "recordings.csv: `diagnosis`"),
        S3Task(
            "s3_diagnosis_with_report",
            "diagnosis",
            "recordings.csv: `diagnosis`; and reports.csv: `report`",
        ),
    )
}


MEASURES: Mapping[AnswerKind, Mapping[str, bool | None]] = {
    "justification": {
        "f1": True, "always_yes_f1": None, "interpretation": True, "interpretation_low": None,
        "interpretation_high": None, "always_no_interpretation": None, "interpretation_where_present": True,
        "rouge_l": True, "bleu": True, "references": None, "merged_by_model": None, "unparsed_rate": False,
    },
    "side": {
        "accuracy": True, "accuracy_low": None, "accuracy_high": None, "macro_f1": True, "right_f1": True,
        "always_right_f1": None, "always_right_accuracy": None, "always_left_accuracy": None,
        "unparsed_rate": False,
    },
    "region": {
        "accuracy": True, "accuracy_low": None, "accuracy_high": None, "macro_f1": True,
        "balanced_accuracy": True, "best_constant_accuracy": None, "unparsed_rate": False,
    },
    "time": {
        name: better
        for form in ("centred", "random", "whole")
        for name, better in {
            f"mae_{form}": False, f"mae_{form}_low": None, f"mae_{form}_high": None,
            f"charged_mae_{form}": False, f"hit_5s_{form}": True, f"always_middle_mae_{form}": None,
        }.items()
    } | {"unparsed_rate": False},
    "sequence": {
        "lcs_f1": True, "lcs_f1_low": None, "lcs_f1_high": None, "relation_f1": True, "edit_distance": False,
        "lcs_ratio": True, "position_share": None, "sign_f1": True, "typical_lcs_f1": None,
        "typical_edit_distance": None, "unparsed_rate": False,
    },
    "report": {
        "rqi": True, "rqi_low": None, "rqi_high": None, "other_rqi": None, "empty_rqi": None,
        "stated_findings": True, "other_stated_findings": None, "rouge_l": True, "bleu": True,
        "merged_by_model": None, "unparsed_rate": False,
    },
    "diagnosis": {
        "f1": True, "f1_low": None, "f1_high": None, "always_ES_f1": None, "accuracy": True,
        "balanced_accuracy": True, "mcc": True, "unparsed_rate": False,
    },
}  # fmt: skip
"""The measures in lmms-eval's table for each kind of answer, and whether more is better.

None: a limit, a baseline or a published oddity.

``merged_by_model`` is 1 where the language model of ``SEMIOLOGY_MERGE_MODEL`` merged the texts of the
segments behind the other measures, and 0 where each statement was taken once (also because it did not reply).
"""


def asked_tasks(names: Sequence[str]) -> tuple[str, ...]:
    """Return the S3 tasks among those selected; the group stands for all of them."""
    return tuple(TASKS) if GROUP in names else tuple(task for task in TASKS if task in names)
