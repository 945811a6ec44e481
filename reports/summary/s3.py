"""The S3 tables: every measure of every task and model, with intervals, baselines and counts of answers."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from operator import attrgetter
from typing import TYPE_CHECKING, Any, NamedTuple

import pandas as pd

from semiology.metrics.coverage import AnswerCounts
from semiology.metrics.s3.part_scores import PartScores
from semiology.metrics.s3.recording_answers import AnswerKind, recording_answers
from semiology.metrics.s3.scores import score_task
from semiology.metrics.s3.sequence.scores import truth_counts
from semiology.metrics.s3.text.readers import TextReader
from semiology.metrics.s3.text.scores import TextTools
from semiology.metrics.statistics.intervals import RESAMPLES, Estimate
from semiology.render.text import counted, rounded
from semiology.reports.read.asked import Texts, different_questions
from semiology.reports.read.path_scrubbing import without_paths
from semiology.reports.read.run_texts import MergedTexts
from semiology.reports.read.s3_answers import S3Results
from semiology.reports.summary.s3_measures import BASELINES, MEASURES, TASK_TITLES, TWO_STAGE_TASK, Measure

if TYPE_CHECKING:
    from semiology.metrics.s3.text.bertscore import BertSimilarity

RunKey = tuple[str, str, str, str]
"""Task, model, wording and enhancement."""
QUESTION = ["video_id", "feature", "clip_form"]
EXTRACTIVE = "extractive"
BY_RULES = "offline rules"
TEXT_KINDS = ("justification", "report")
OF_TWO_STAGES = (
    "A random forest (scikit-learn's defaults) on this model's answers to the features; each recording was "
    "diagnosed by one that was fitted on the recordings and true diagnoses of other patients. The intervals "
    "take the forests as they are."
)


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
        remarks: what else a reader must know about these measures, in sentences.
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


def _with_remarks(
    run: S3Run, frame: pd.DataFrame, merged: MergedTexts, reader: TextReader, encoder: str | None
) -> S3Run:
    """Return the run with who merged and read its texts, and what a reader must know about its measures."""
    if run.kind == "sequence":
        return replace(run, remarks=_of_truth(frame))
    if run.task == TWO_STAGE_TASK:
        return replace(run, remarks=(OF_TWO_STAGES,))
    if run.kind not in TEXT_KINDS:
        return run
    remarks = []
    merged_by = read_by = ""
    texts = "{} of several windows merged {}.".format
    if merged.model is not None and merged.by_model:
        merged_by = merged.model.label
        rest = f"; {merged.extractive} extractively, which it did not merge" if merged.extractive else ""
        remarks.append(texts(counted(merged.by_model, "text"), f"by {merged_by}{rest}"))
    elif merged.by_model + merged.extractive:
        merged_by = EXTRACTIVE
        told = counted(merged.by_model + merged.extractive, "text")
        remarks.append(texts(told, "extractively (each statement taken once)"))
    readings = run.parts[0].readings if run.parts else None
    pairs = ("text and its reference", "texts and their references")
    if readings is not None and reader.judge is not None and readings.judged:
        read_by = reader.judge
        more = f"; {readings.by_rules} by the offline rules, because it did not read them"
        rest = more if readings.by_rules else ""
        remarks.append(f"{counted(readings.judged, *pairs)} read by {read_by}{rest}.")
    elif readings is not None and readings.judged + readings.by_rules:
        read_by = BY_RULES
        remarks.append(f"{counted(readings.by_rules, *pairs)} read by the offline rules, which are coarse.")
    if encoder is not None:
        remarks.append(f"BERTScore: {encoder}, not rescaled.")
    return replace(run, merged_by=merged_by, read_by=read_by, remarks=tuple(remarks))


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


@dataclass(frozen=True)
class S3Summary:
    """All runs by task, with what a reader must know before and after the numbers."""

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
        similarity: gives BERTScore; without it that measure says that no encoder was given.

    Raises:
        ValueError: the answers contradict each other (two truths for one question), or a value is unknown.
    """
    of_runs = {run.key: run for run in frames_by_run(results)}
    frames = {key: run.frame for key, run in of_runs.items()}
    order = list(TASK_TITLES)
    runs = []
    notes = [without_paths(note) for note in results.notes]
    for task in sorted(
        {key[0] for key in frames},
        key=lambda task: (order.index(task) if task in order else len(order), task),
    ):
        asked = _questions({key: frame for key, frame in frames.items() if key[0] == task})
        for key in sorted(key for key in frames if key[0] == task):
            kind = of_runs[key].kind
            frame = _with_missing(frames[key], asked)
            reader = results.texts.reader_of(key[1])
            tools = TextTools(reader, similarity)
            parts = tuple(score_task(kind, frame, resamples=resamples, seed=seed, tools=tools))
            wholes = [part.scores.counts for part in parts if not part.part]
            counts = AnswerCounts(
                *(sum(map(attrgetter(field.name), wholes)) for field in fields(AnswerCounts))
            )
            known = frame[frame["answer"].notna()]
            sizes = known["video_id"].nunique(), known["patient_id"].nunique()
            _, model, prompt, enhancement = key
            run = S3Run(model, prompt, enhancement, task, kind, parts, counts, *sizes)
            encoder = similarity.name if similarity is not None else None
            runs.append(_with_remarks(run, frame, of_runs[key].merger, reader, encoder))
        if task in results.not_asked:
            count = counted(results.not_asked[task], "usable recording has", "usable recordings have")
            notes.append(f"{task}: {count} nothing to compare an answer with → not asked")
    limits = (*results.caveats, *different_questions(_asked_of_models(list(frames)), "S3 task"))
    return S3Summary(tuple(runs), limits, tuple(notes), resamples, seed)


class RunFrame(NamedTuple):
    """A run: task, model, wording, enhancement; its kind of answer; one row per recording; who merged its texts."""

    key: RunKey
    kind: AnswerKind
    frame: pd.DataFrame
    merger: MergedTexts


def frames_by_run(results: S3Results) -> Iterator[RunFrame]:
    """Yield the runs with their answers to recordings; the merger has counted what it merged."""
    by_run: dict[RunKey, list[Mapping[str, Any]]] = defaultdict(list)
    for record in results.records:
        by_run[record["task"], record["model"], record["prompt_id"], record["enhancement"]].append(record)
    for key, rows in by_run.items():
        merger = results.texts.merger_of(key[1])
        frame = recording_answers(rows[0]["kind"], rows, merger)
        frame = frame.assign(clip_form=[form or "" for form in frame["clip_form"]])
        yield RunFrame(key, rows[0]["kind"], frame, merger)


def _asked_of_models(runs: Sequence[RunKey]) -> dict[str, tuple[str, Texts]]:
    """Return the wordings of each model by task; runs are named by task, model, wording and enhancement."""
    wordings: dict[str, dict[str, frozenset[str]]] = {}
    for task, model, prompt, _ in sorted(runs):
        texts = wordings.setdefault(model, {})
        texts[task] = texts.get(task, frozenset()) | {prompt}
    return {
        model: (" and ".join(sorted(frozenset().union(*texts.values()))), texts)
        for model, texts in wordings.items()
    }


def s3_rows(summary: S3Summary) -> list[dict[str, Any]]:
    """Return the table for machines: one flat dict per measure, all with the same keys.

    Rows of rule ``baseline`` hold every further trivial baseline. Undefined values and limits that are
    not estimable are None; ``reason`` says why.
    """
    return [row for run in summary.runs for part in run.parts for row in _part_rows(run, part)]


def shown_measures(run: S3Run, part: PartScores) -> list[tuple[Measure, Estimate]]:
    """Return the measures of a part that exist, in the order of the tables."""
    estimates = part.scores.estimates
    return [(each, estimates[each.name]) for each in MEASURES[run.kind] if each.name in estimates]


def baseline_of(measure: Measure, part: PartScores) -> tuple[float | None, str]:
    """Return the floor of a measure: the best that an answer without looking scores on the same recordings.

    Its title stands beside it; None and "" if unknown.
    """
    name, value = _floor(measure, part)
    if value is None or not name:
        return value, "chance" if value is not None else ""
    return value, next(title for beginning, title in BASELINES.items() if name.startswith(beginning))


def _floor(measure: Measure, part: PartScores) -> tuple[str, float | None]:
    """Return the name of the best baseline of a measure and its value; no name for chance."""
    if measure.chance is not None:
        return "", measure.chance
    names = [name for name in (measure.baseline, *measure.others) if name is not None]
    known = {name: part.scores.baselines[name] for name in names if name in part.scores.baselines}
    defined = {name: value for name, value in known.items() if value == value}
    if not defined:
        return next(iter(known.items()), ("", None))
    best = min if measure.less_is_better else max
    return best(defined.items(), key=lambda item: item[1])


def _questions(frames: Mapping[RunKey, pd.DataFrame]) -> pd.DataFrame:
    """Return every question that any run of a task was asked, with its truth.

    Raises:
        ValueError: two runs have different truths for a question.
    """
    rows = pd.concat(frames.values(), ignore_index=True)
    truths = rows.assign(_truth=rows["truth"].map(repr)).drop_duplicates([*QUESTION, "_truth"])
    contrary = truths[truths.duplicated(QUESTION)]
    if len(contrary):
        first = contrary.iloc[0]
        task = next(iter(frames))[0]
        raise ValueError(
            f"{task}: {first['video_id']}, {first['feature']} has two truths → were the annotations changed "
            "between runs? Report them separately"
        )
    return rows.drop_duplicates(QUESTION)


def _with_missing(frame: pd.DataFrame, asked: pd.DataFrame) -> pd.DataFrame:
    """Add the questions that only other runs were asked, without an answer."""
    known = set(frame[QUESTION].itertuples(index=False, name=None))
    absent = [tuple(key) not in known for key in asked[QUESTION].itertuples(index=False, name=None)]
    if not any(absent):
        return frame
    rows = asked[absent].copy()
    rows["answer"] = pd.Series([None] * len(rows), index=rows.index, dtype=object)
    rows[["segments", "unparsed_segments"]] = 0
    return pd.concat([frame.astype({"answer": object}), rows], ignore_index=True)


def _part_rows(run: S3Run, part: PartScores) -> list[dict[str, Any]]:
    counts = part.scores.counts
    head = {name: getattr(run, name) for name in ("task", "model", "prompt", "enhancement")}
    head |= {"sign": part.part, "clip_form": part.clip_form}
    tail = {
        **{name: getattr(counts, name) for name in ("asked", "answered", "unparsed", "missing", "partial")},
        "merged_by": run.merged_by,
        "read_by": run.read_by,
        "texts_judged": part.readings.judged if part.readings else None,
        "texts_by_rules": part.readings.by_rules if part.readings else None,
    }
    rows = [
        {
            **head,
            "figure": measure.name,
            "rule": measure.rule,
            "less_is_better": measure.less_is_better,
            **{name: rounded(getattr(estimate, name)) for name in ("value", "low", "high")},
            "method": estimate.method,
            "reason": estimate.reason or estimate.caution,
            "baseline": "chance"
            if measure.chance is not None
            else _floor(measure, part)[0] or measure.baseline,
            "baseline_value": rounded(_floor(measure, part)[1]),
            "n": estimate.n,
            "n_patients": estimate.n_patients,
            **tail,
        }
        for measure, estimate in shown_measures(run, part)
    ]
    empty: dict[str, Any] = dict.fromkeys(rows[0] if rows else ())
    for name, value in part.scores.baselines.items() if rows else ():
        rows.append({**empty, **head, "figure": name, "rule": "baseline", "value": rounded(value), **tail})
    return rows
