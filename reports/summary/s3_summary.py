"""The S3 tables: every figure of every task and model, with intervals, baselines and counts of answers."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from semiology.metrics.coverage import AnswerCounts
from semiology.metrics.s3.part_scores import PartScores
from semiology.metrics.s3.recording_answers import recording_answers
from semiology.metrics.s3.scores import score_task
from semiology.metrics.s3.text.scores import TextTools
from semiology.metrics.statistics.intervals import RESAMPLES, Estimate
from semiology.reports.read.path_scrubbing import without_paths
from semiology.reports.read.run_texts import MergedTexts
from semiology.reports.read.s3_answers import S3Results
from semiology.reports.summary.s3_measures import FIGURES, TASK_TITLES, Figure
from semiology.reports.summary.s3_remarks import with_remarks
from semiology.reports.summary.s3_run import S3Run as S3Run

if TYPE_CHECKING:
    import pandas as pd

    from semiology.metrics.s3.text.bertscore import BertSimilarity

QUESTION = ("video_id", "feature", "clip_form")


@dataclass(frozen=True)
class S3Summary:
    """All runs by task, with what a reader must know before and after the figures."""

    runs: tuple[S3Run, ...]
    caveats: tuple[str, ...]
    notes: tuple[str, ...]
    resamples: int
    seed: int


def summarise_s3(
    results: S3Results,
    *,
    resamples: int = RESAMPLES,
    seed: int = 0,
    similarity: BertSimilarity | None = None,
) -> S3Summary:
    """Score all answers.

    A question that one model was asked and another was not is missing for the other: counted, not scored.

    Args:
        results: answers of one or several runs.
        resamples, seed: of the patient bootstrap.
        similarity: gives BERTScore; without it that figure says that no encoder was given.

    Raises:
        ValueError: the answers contradict each other (two truths for one question), or a value is unknown.
    """
    by_run: dict[tuple[str, ...], list[Mapping[str, Any]]] = defaultdict(list)
    for record in results.records:
        by_run[record["task"], record["model"], record["prompt_id"], record["enhancement"]].append(record)
    mergers = {key: results.texts.merger_of(key[1]) for key in by_run}
    frames = {key: _merged(rows, mergers[key]) for key, rows in by_run.items()}
    runs = []
    notes = [without_paths(note) for note in results.notes]
    for task in sorted({key[0] for key in frames}, key=_place):
        asked = _questions({key: frame for key, frame in frames.items() if key[0] == task})
        for key in sorted(key for key in frames if key[0] == task):
            kind = by_run[key][0]["kind"]
            frame = _with_missing(frames[key], asked)
            reader = results.texts.reader_of(key[1])
            tools = TextTools(reader, similarity)
            parts = tuple(score_task(kind, frame, resamples=resamples, seed=seed, tools=tools))
            run = _run(key, kind, frame, parts)
            encoder = similarity.name if similarity is not None else None
            runs.append(with_remarks(run, frame, mergers[key], reader, encoder))
        if task in results.not_asked:
            count = results.not_asked[task]
            noun = "recording has" if count == 1 else "recordings have"
            notes.append(f"{task}: {count} usable {noun} nothing to compare an answer with → not asked")
    return S3Summary(tuple(runs), results.caveats, tuple(notes), resamples, seed)


def s3_rows(summary: S3Summary) -> list[dict[str, Any]]:
    """Return the table for machines: one flat dict per figure, all with the same keys.

    Rows of rule ``baseline`` hold every further answer without skill. Undefined values and limits that are
    not estimable are None; ``reason`` says why.
    """
    return [row for run in summary.runs for part in run.parts for row in _part_rows(run, part)]


def shown_figures(run: S3Run, part: PartScores) -> list[tuple[Figure, Estimate]]:
    """Return the figures of a part that exist, in the order of the tables."""
    estimates = part.scores.estimates
    return [(figure, estimates[figure.name]) for figure in FIGURES[run.kind] if figure.name in estimates]


def baseline_value(figure: Figure, part: PartScores) -> float | None:
    """Return what an answer without skill scores on the same recordings, or None if nothing is known."""
    if figure.chance is not None:
        return figure.chance
    return None if figure.baseline is None else part.scores.baselines.get(figure.baseline)


def _merged(records: Sequence[Mapping[str, Any]], merge: MergedTexts) -> pd.DataFrame:
    frame = recording_answers(records[0]["kind"], records, merge)
    return frame.assign(clip_form=[form or "" for form in frame["clip_form"]])


def _place(task: str) -> tuple[int, str]:
    order = list(TASK_TITLES)
    return (order.index(task) if task in order else len(order)), task


def _questions(frames: Mapping[tuple[str, ...], pd.DataFrame]) -> pd.DataFrame:
    """Return every question that any run of a task was asked, with its truth.

    Raises:
        ValueError: two runs have different truths for a question.
    """
    import pandas as pd

    rows = pd.concat(frames.values(), ignore_index=True)
    truths = rows.assign(_truth=rows["truth"].map(repr)).drop_duplicates([*QUESTION, "_truth"])
    contrary = truths[truths.duplicated(list(QUESTION))]
    if len(contrary):
        first = contrary.iloc[0]
        task = next(iter(frames))[0]
        raise ValueError(
            f"{task}: {first['video_id']}, {first['feature']} has two truths → were the annotations changed "
            "between runs? Report them separately"
        )
    return rows.drop_duplicates(list(QUESTION))


def _with_missing(frame: pd.DataFrame, asked: pd.DataFrame) -> pd.DataFrame:
    """Add the questions that only other runs were asked, without an answer."""
    import pandas as pd

    known = set(frame[list(QUESTION)].itertuples(index=False, name=None))
    absent = [tuple(key) not in known for key in asked[list(QUESTION)].itertuples(index=False, name=None)]
    if not any(absent):
        return frame
    rows = asked[absent].copy()
    rows["answer"] = pd.Series([None] * len(rows), index=rows.index, dtype=object)
    rows[["segments", "unparsed_segments"]] = 0
    return pd.concat([frame.astype({"answer": object}), rows], ignore_index=True)


def _run(key: tuple[str, ...], kind: str, frame: pd.DataFrame, parts: tuple[PartScores, ...]) -> S3Run:
    wholes = [part.scores.counts for part in parts if not part.part]
    names = ("asked", "answered", "unparsed", "missing")
    counts = AnswerCounts(*(sum(getattr(one, name) for one in wholes) for name in names))
    answered = frame[frame["answer"].notna()]
    task, model, prompt, enhancement = key
    return S3Run(
        model,
        prompt,
        enhancement,
        task,
        kind,
        parts,
        counts,
        answered["video_id"].nunique(),
        answered["patient_id"].nunique(),
    )


def _part_rows(run: S3Run, part: PartScores) -> list[dict[str, Any]]:
    counts = part.scores.counts
    head = {
        "task": run.task,
        "model": run.model,
        "prompt": run.prompt,
        "enhancement": run.enhancement,
        "sign": part.part,
        "clip_form": part.clip_form,
    }
    tail = {
        "asked": counts.asked,
        "answered": counts.answered,
        "unparsed": counts.unparsed,
        "missing": counts.missing,
        "partial": counts.partial,
        "merged_by": run.merged_by,
        "read_by": run.read_by,
        "texts_judged": part.readings.judged if part.readings else None,
        "texts_by_rules": part.readings.by_rules if part.readings else None,
    }
    rows = []
    for figure, estimate in shown_figures(run, part):
        rows.append(
            {
                **head,
                "figure": figure.name,
                "rule": figure.rule,
                "less_is_better": figure.less_is_better,
                "value": _number(estimate.value),
                "low": _number(estimate.low),
                "high": _number(estimate.high),
                "method": estimate.method,
                "reason": estimate.reason or estimate.caution,
                "baseline": "chance" if figure.chance is not None else figure.baseline,
                "baseline_value": _number(baseline_value(figure, part)),
                "n": estimate.n,
                "n_patients": estimate.n_patients,
                **tail,
            }
        )
    empty: dict[str, Any] = dict.fromkeys(rows[0] if rows else ())
    for name, value in part.scores.baselines.items() if rows else ():
        figures = {"figure": name, "rule": "baseline", "value": _number(value)}
        rows.append({**empty, **head, **figures, **tail})
    return rows


def _number(value: float | None) -> float | None:
    return None if value is None or math.isnan(value) else round(value, 6)


def partial_runs(runs: Sequence[S3Run]) -> list[S3Run]:
    """Return the runs that left out questions which others were asked."""
    return [run for run in runs if run.counts.partial]
