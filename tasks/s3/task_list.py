"""The S3 tasks 2 to 7 by name: the kind of answer that each asks for, and the table that its truth is in."""

from __future__ import annotations

from dataclasses import dataclass

from semiology.metrics.s3.recording_answers import AnswerKind

GROUP = "s3"


@dataclass(frozen=True)
class S3Task:
    """One task.

    Attributes:
        name: Name in lmms-eval.
        answer: Kind of answer.
        needs: What a recording set must hold, and where, for the task to be asked.
    """

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
            "annotations.csv: rows on all 17 visual features with times (all but occur_during_sleep), and "
            "`onset_s` wherever present = yes",
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
