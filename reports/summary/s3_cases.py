"""S3 tasks 2 to 7 case by case: a row per recording, the answer beside the truth with everything it was scored by.

The tables hold texts of experts and of models: they are for the machine that the recordings are on.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import combinations
from typing import TYPE_CHECKING, Any

import numpy as np
from rapidfuzz.distance import Levenshtein

from semiology.metrics.coverage import UNPARSED, is_missing
from semiology.metrics.s3.onset_time import CLIP_S, TOLERANCES_S, absolute_errors, charged_errors
from semiology.metrics.s3.sequence.measures import first_mentions
from semiology.metrics.s3.sequence.scores import as_perceived, sequence_scores
from semiology.metrics.s3.text.report_scores import STATED
from semiology.metrics.s3.text.scores import TextTools, interpretation_scores
from semiology.metrics.s3.text.seizure_rqi import seizure_rqi, stated_findings_score
from semiology.metrics.scores.aggregation import recording_answers
from semiology.render.text import rounded
from semiology.reports.read.asked import NO_ENHANCEMENT
from semiology.reports.read.feature_answers import Results
from semiology.reports.read.s3_answers import S3Results
from semiology.reports.summary.s3 import frames_by_run

if TYPE_CHECKING:
    import pandas as pd

    from semiology.metrics.s3.text.bertscore import BertSimilarity

Row = dict[str, Any]
ERRORS = "s3_sequence_errors"
"""Name of the table of errors of order, beside those of tasks."""
WHAT, WHEN, LIST, UNKNOWN = "what (task 1)", "when (task 4)", "the list alone", "not known"
"""To what an error of an order is traced."""


def case_tables(
    results: S3Results, features: Results | None = None, similarity: BertSimilarity | None = None
) -> dict[str, list[Row]]:
    """Return the rows of each task, and of the errors of order, by the task's name.

    Args:
        results: answers to the S3 tasks.
        features: answers to the features (task 1), to which errors of task 5 are traced.
        similarity: gives BERTScore; without it there is no such column.
    """
    tables: dict[str, list[Row]] = {}
    seen, times = _task_1(features), _task_4(results)
    for (task, model, prompt, enhancement), kind, frame, _ in frames_by_run(results):
        tools = TextTools(results.texts.reader_of(model), similarity)
        frame = as_perceived(frame) if kind == "sequence" else frame
        details = _details(kind, frame, tools)
        head = {"model": model, "prompt": prompt, "enhancement": enhancement}
        for row, detail in zip(frame.to_dict("records"), details, strict=True):
            case = head | {str(name): row[name] for name in ("video_id", "patient_id", "feature")}
            if kind == "sequence":
                key = (model, enhancement, str(row["video_id"]))
                errors = list(_errors(row, seen.get(key, {}), times.get(key, {})))
                detail |= {f"errors from {name}": sum(e["from"] == name for e in errors) for name in _ORIGINS}
                tables.setdefault(ERRORS, []).extend(case | error for error in errors)
            windows = {name: int(row[name]) for name in ("segments", "unparsed_segments")}
            tables.setdefault(task, []).append(_rounded(case | detail | windows))
    return tables


_ORIGINS = (WHAT, WHEN, LIST, UNKNOWN)


def report_values(
    texts: Sequence[str], references: Sequence[str], shown: Sequence[Any], tools: TextTools
) -> list[Row]:
    """Return for each report Seizure-RQI with its parts and penalties, stated findings and overlap of words.

    Columns: rqi and ``rqi_<part>`` (`semiology.metrics.s3.text.seizure_rqi.ReportQuality`), stated_findings and its
    parts, bleu (0 to 100), rouge1 and rouge_l (0 to 1), bertscore where ``tools`` gives it.
    """
    from semiology.metrics.s3.text.bleu_rouge import bleu, rouge

    overlap = rouge(texts, references)
    columns: dict[str, Any] = {"bleu": bleu(texts, references), **overlap._asdict()}
    if tools.similarity is not None:
        columns["bertscore"] = tools.similarity(texts, references)
    rows = []
    pairs = tools.reader.read_reports(texts, references)
    for number, (pair, known) in enumerate(zip(pairs, shown, strict=True)):
        quality = vars(seizure_rqi(pair.report, pair.reference, known))
        stated = stated_findings_score(pair.report, pair.reference)
        rows.append(
            {
                "rqi": quality.pop("value"),
                **{f"rqi_{name}": float(value) for name, value in quality.items()},
                **{
                    "stated_findings" if name == "value" else f"stated_findings_{name}": stated[name]
                    for name in STATED
                },
                **{name: float(values[number]) for name, values in columns.items()},
                "read_by": tools.reader.judge if pair.judged else "offline rules",
            }
        )
    return rows


def aligned(answer: Sequence[str], truth: Sequence[str]) -> str:
    """Return how an answered order becomes the true one, by the edit script that edit distance counts.

    ``=`` a feature in its place, ``+`` answered and not there, ``-`` missing, ``a>b`` answered a where b is true.

    >>> aligned(["clonic", "dancing"], ["head_turning", "clonic"])
    '-head_turning =clonic +dancing'
    """
    steps = []
    for step in Levenshtein.opcodes(answer, truth):
        told, true = answer[step.src_start : step.src_end], truth[step.dest_start : step.dest_end]
        if step.tag == "equal":
            steps += [f"={name}" for name in true]
        elif step.tag == "replace":
            steps += [f"{one}>{other}" for one, other in zip(told, true, strict=True)]
        else:
            steps += [f"+{name}" for name in told] + [f"-{name}" for name in true]
    return " ".join(steps)


def _details(kind: str, frame: pd.DataFrame, tools: TextTools) -> list[Row]:
    return _DETAILS.get(kind, _classes)(frame, tools)


def _classes(frame: pd.DataFrame, tools: TextTools) -> list[Row]:
    del tools
    return [
        {"truth": truth, "answer": answer, "right": None if answer == UNPARSED else answer == truth}
        for truth, answer in zip(frame["truth"], frame["answer"], strict=True)
    ]


def _times(frame: pd.DataFrame, tools: TextTools) -> list[Row]:
    del tools
    truths = [float(truth) for truth in frame["truth"]]
    given = [None if answer == UNPARSED else float(answer) for answer in frame["answer"]]
    forms = frame["clip_form"].tolist()
    lengths = [
        float(length) if form == "whole" and not is_missing(length) else CLIP_S
        for form, length in zip(forms, frame["clip_s"], strict=True)
    ]
    errors, charged = absolute_errors(truths, given), charged_errors(truths, given, np.array(lengths))
    return [
        {
            "clip_form": form,
            "truth_s": truth,
            "answer_s": told,
            "late_by_s": None if told is None else told - truth,
            "charged_error_s": float(cost),
            **{f"within_{limit:g}s": bool(error <= limit) for limit in TOLERANCES_S},
        }
        for form, truth, told, error, cost in zip(forms, truths, given, errors, charged, strict=True)
    ]


def _sequences(frame: pd.DataFrame, tools: TextTools) -> list[Row]:
    del tools
    rows = []
    for truth, answer, onsets in zip(frame["truth"], frame["answer"], frame["onsets"], strict=True):
        told = [] if isinstance(answer, str) else list(answer)
        scores = sequence_scores(told, list(truth), onsets)
        rows.append(
            {
                "truth": ", ".join(truth),
                "answer": UNPARSED if isinstance(answer, str) else ", ".join(told),
                "aligned": aligned(told, list(truth)),
                **{name: value for name, value in scores.items() if name != "relation_random_order_f1"},
            }
        )
    return rows


def _reports(frame: pd.DataFrame, tools: TextTools) -> list[Row]:
    texts = ["" if text == UNPARSED else str(text) for text in frame["answer"]]
    references = [str(text) for text in frame["truth"]]
    values = report_values(texts, references, frame["shown"].tolist(), tools)
    return [
        {"expert_report": reference, "report": text, "unparsed": not text, **value}
        for reference, text, value in zip(references, texts, values, strict=True)
    ]


def _justifications(frame: pd.DataFrame, tools: TextTools) -> list[Row]:
    from semiology.metrics.s3.text.bleu_rouge import rouge

    said = [text if isinstance(text, str) else "" for text in frame["justification"]]
    experts = [text if isinstance(text, str) else "" for text in frame["reference"]]
    scores, explained, _ = interpretation_scores(frame.assign(reference=experts), said, tools.reader)
    overlap = rouge(said, experts)
    return [
        {
            "truth": truth,
            "answer": answer,
            "expert_justification": expert,
            "justification": text,
            # Without an expert's text there is nothing to compare with.
            **{name: float(values[i]) if expert else None for name, values in
               (("interpretation", scores), ("explained", explained), ("rouge1", overlap.rouge1),
                ("rouge_l", overlap.rouge_l))},
        }
        for i, (truth, answer, expert, text) in enumerate(
            zip(frame["truth"], frame["answer"], experts, said, strict=True)
        )
    ]  # fmt: skip


_DETAILS: Mapping[str, Callable[[pd.DataFrame, TextTools], list[Row]]] = {
    "time": _times,
    "sequence": _sequences,
    "report": _reports,
    "justification": _justifications,
}


def _errors(row: Mapping[Any, Any], seen: Mapping[str, str], times: Mapping[str, float]) -> Iterator[Row]:
    """Yield what is wrong with an order: a feature missing or too many, a pair in the wrong order.

    A feature is traced to "what" where the model's answer of task 1 has the same fault, a pair to "when" where its
    onsets of task 4 do; to the list alone where that answer is right.
    """
    if isinstance(row["answer"], str):
        return
    told, true = first_mentions(row["answer"]), row["onsets"]
    for feature in [name for name in true if name not in told]:
        yield _error("missing", feature, seen.get(feature), faulty="no", right="yes")
    for feature in [name for name in told if name not in true]:
        yield _error("not there", feature, seen.get(feature), faulty="yes", right="no")
    for first, second in combinations(
        [name for name in sorted(true, key=true.__getitem__) if name in told], 2
    ):
        if true[first] < true[second] and told[first] > told[second]:
            known = first in times and second in times
            said = f"{first} {times[first]:.1f} s, {second} {times[second]:.1f} s" if known else None
            origin = UNKNOWN if not known else LIST if times[first] < times[second] else WHEN
            yield {
                "error": "wrong order",
                "features": f"{first} before {second}",
                "other_answer": said,
                "from": origin,
            }


def _error(error: str, feature: str, answer: str | None, *, faulty: str, right: str) -> Row:
    origin = WHAT if answer == faulty else LIST if answer == right else UNKNOWN
    return {"error": error, "features": feature, "other_answer": answer, "from": origin}


def _task_1(features: Results | None) -> dict[tuple[str, str, str], dict[str, str]]:
    """Return the answers to features by model, enhancement and recording; of several wordings the first by name."""
    found: dict[tuple[str, str, str], dict[str, str]] = {}
    if features is None:
        return found
    answers = recording_answers(features.answers).sort_values("prompt_id", kind="stable")
    names = ["model", "enhancement", "video_id", "feature", "answer"]
    for model, enhancement, video, feature, answer in answers[names].itertuples(index=False, name=None):
        found.setdefault((model, enhancement or NO_ENHANCEMENT, video), {}).setdefault(feature, answer)
    return found


def _task_4(results: S3Results) -> dict[tuple[str, str, str], dict[str, float]]:
    """Return the onsets answered, in seconds of the recording, by model, enhancement and recording."""
    found: dict[tuple[str, str, str], dict[str, float]] = {}
    for record in results.records:
        start = record.get("start_s")
        if record["task"] == "s3_onset_time" and record["answer"] is not None and start is not None:
            key = (record["model"], record["enhancement"], record["video_id"])
            found.setdefault(key, {}).setdefault(record["feature"], float(start) + float(record["answer"]))
    return found


def _rounded(row: Row) -> Row:
    return {name: rounded(value) if isinstance(value, float) else value for name, value in row.items()}
