"""What stands below the figures of an S3 task: who merged and read the texts, which truth, which encoder."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from semiology.metrics.s3.sequence.truth import truth_counts
from semiology.metrics.s3.text.readers import TextReader
from semiology.reports.read.run_texts import MergedTexts
from semiology.reports.summary.s3_measures import TWO_STAGE_TASK
from semiology.reports.summary.s3_run import S3Run

if TYPE_CHECKING:
    import pandas as pd

EXTRACTIVE = "extractive"
BY_RULES = "offline rules"
TEXT_KINDS = ("justification", "report")
OF_TWO_STAGES = (
    "A random forest (scikit-learn's defaults) on this model's answers to the features; each recording was "
    "diagnosed by one that was fitted on the recordings and true diagnoses of other patients. The intervals "
    "take the forests as they are."
)


def with_remarks(
    run: S3Run, frame: pd.DataFrame, merged: MergedTexts, reader: TextReader, encoder: str | None
) -> S3Run:
    """Return the run with who merged and read its texts, and what a reader must know about its figures.

    Args:
        run: scores.
        frame: answers that were scored.
        merged: the merger of its texts, after its work.
        reader: the reader of its texts.
        encoder: name of the encoder behind BERTScore, or None.
    """
    if run.kind == "sequence":
        return replace(run, remarks=_of_truth(frame))
    if run.task == TWO_STAGE_TASK:
        return replace(run, remarks=(OF_TWO_STAGES,))
    if run.kind not in TEXT_KINDS:
        return run
    remarks = []
    merged_by = ""
    if merged.by_model or merged.extractive:
        merged_by = merged.model.label if merged.model is not None and merged.by_model else EXTRACTIVE
        remarks.append(_of_merging(merged))
    readings = run.parts[0].readings if run.parts else None
    read_by = ""
    if readings is not None and readings.judged + readings.by_rules:
        read_by = reader.judge if reader.judge is not None and readings.judged else BY_RULES
        remarks.append(_of_reading(reader, readings.judged, readings.by_rules))
    if encoder is not None:
        remarks.append(f"BERTScore: {encoder}, not rescaled.")
    return replace(run, merged_by=merged_by, read_by=read_by, remarks=tuple(remarks))


def _of_merging(merged: MergedTexts) -> str:
    both = merged.by_model + merged.extractive
    if merged.model is None or not merged.by_model:
        return f"{_texts(both)} of several windows merged extractively (each statement taken once)."
    rest = f"; {merged.extractive} extractively, which it did not merge" if merged.extractive else ""
    return f"{_texts(merged.by_model)} of several windows merged by {merged.model.label}{rest}."


def _of_reading(reader: TextReader, judged: int, by_rules: int) -> str:
    if reader.judge is None or not judged:
        return f"{_pairs(by_rules)} read by the offline rules, which are coarse."
    rest = f"; {by_rules} by the offline rules, because it did not read them" if by_rules else ""
    return f"{_pairs(judged)} read by {reader.judge}{rest}."


def _texts(count: int) -> str:
    return f"{count} text" if count == 1 else f"{count} texts"


def _pairs(count: int) -> str:
    return "1 text and its reference" if count == 1 else f"{count} texts and their references"


def _of_truth(frame: pd.DataFrame) -> tuple[str, ...]:
    counts = truth_counts(frame)
    if not counts.audiovisual and not counts.unknown:
        return ("Compared with the order of the visible features: no sound was heard.",)
    parts = [f"Sound was heard: {counts.audiovisual} recordings compared with the audiovisual order"]
    if counts.visual:
        parts.append(f"{counts.visual} without sound with the visual one")
    if counts.unknown:
        parts.append(
            f"{counts.unknown} with the visual one because an onset of a feature of sound is not annotated"
        )
    return ("; ".join(parts) + ".",)
