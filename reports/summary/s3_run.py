"""The scores of one model and wording on one S3 task."""

from __future__ import annotations

from dataclasses import dataclass

from semiology.metrics.coverage import AnswerCounts
from semiology.metrics.s3.part_scores import PartScores


@dataclass(frozen=True)
class S3Run:
    """Scores of one model and wording on one task.

    Attributes:
        model, prompt, enhancement, task, kind: what was asked.
        parts: the whole task (times: in each form of clip), then each feature where there are several.
        counts: recordings (with several features or forms of clips: questions about a recording) that any model
            of the report was asked about, and what this one did with them.
        n_recordings, n_patients: behind the answers.
        merged_by, read_by: who merged the texts of windows and who read the texts; empty where nothing was.
        remarks: what else a reader must know about these figures, in sentences.
    """

    model: str
    prompt: str
    enhancement: str
    task: str
    kind: str
    parts: tuple[PartScores, ...]
    counts: AnswerCounts
    n_recordings: int
    n_patients: int
    merged_by: str = ""
    read_by: str = ""
    remarks: tuple[str, ...] = ()
