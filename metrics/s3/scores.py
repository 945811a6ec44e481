"""Every score of an S3 task, whole and by feature, from one row per recording: published rules and sound ones.

The figures whose name begins with ``published_`` and those that their docstrings call published follow the
published rule to the letter; the others charge what was not understood and give every class its weight.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from semiology.features import REGIONS
from semiology.metrics.coverage import UNPARSED, AnswerCounts, is_missing
from semiology.metrics.published_classes import published_class_estimates
from semiology.metrics.s3.diagnosis import DIAGNOSES, score_diagnosis
from semiology.metrics.s3.laterality import SIDES, score_sides
from semiology.metrics.s3.onset_region import score_onset_regions
from semiology.metrics.s3.onset_time import TOLERANCES_S, absolute_errors, charged_errors, score_onset_times
from semiology.metrics.s3.part_scores import Drawing, PartScores
from semiology.metrics.s3.recording_answers import AnswerKind
from semiology.metrics.s3.sequence.scores import score_sequences
from semiology.metrics.s3.sequence.truth import as_perceived
from semiology.metrics.s3.text.scores import OFFLINE, TextTools, score_justification_texts, score_report_texts
from semiology.metrics.statistics.bootstrap import TaskScores, mean_estimate
from semiology.metrics.statistics.intervals import RESAMPLES

if TYPE_CHECKING:
    import pandas as pd

NAN = float("nan")


def score_task(
    kind: AnswerKind,
    frame: pd.DataFrame,
    *,
    resamples: int = RESAMPLES,
    seed: int = 0,
    tools: TextTools = OFFLINE,
) -> list[PartScores]:
    """Return the scores of one model on one task: the whole first, then by feature where there are several.

    Args:
        kind: kind of answer.
        frame: rows of `semiology.metrics.s3.recording_answers.recording_answers`; an answer of None is
            missing.
        resamples, seed: of the draws of patients.
        tools: with what the texts of tasks 2 and 6 are compared; by default the offline rules, no BERTScore.

    No rows give no scores.

    Raises:
        ValueError: a recording is there twice, or a value is outside its vocabulary.
    """
    if not len(frame):
        return []
    drawing = {"resamples": resamples, "seed": seed}
    if kind in _TEXT_SCORERS:
        return _TEXT_SCORERS[kind](frame, drawing, tools)
    return _SCORERS[kind](frame, drawing)


def _classes(
    score: Callable[..., TaskScores], classes: Sequence[str], positive: str | None
) -> Callable[[Any, Drawing], list[PartScores]]:
    def scored(frame: pd.DataFrame, drawing: Drawing) -> list[PartScores]:
        sound = score(frame, **drawing)
        published = published_class_estimates(frame, classes, positive=positive, **drawing)
        estimates = {f"published_{name}": value for name, value in published.items()}
        distinct = {truth for truth in frame["truth"] if not is_missing(truth)}
        chance = 1 / len(distinct) if distinct else NAN
        baselines = {**sound.baselines, "constant_balanced_accuracy": chance}
        if positive is not None:
            baselines[f"always_{positive}_recall"] = 1.0 if positive in distinct else NAN
        return [PartScores("", "", TaskScores({**estimates, **sound.estimates}, baselines, sound.counts))]

    return scored


def _sequence(frame: pd.DataFrame, drawing: Drawing) -> list[PartScores]:
    return [PartScores("", "", score_sequences(as_perceived(frame), **drawing))]


def _time(frame: pd.DataFrame, drawing: Drawing) -> list[PartScores]:
    seconds = [NAN if is_missing(v) or v == UNPARSED else float(v) for v in frame["answer"]]
    given = [not is_missing(value) for value in frame["answer"]]
    rows = frame.assign(target_s=frame["truth"].astype(float), answer_s=seconds, answered=given)
    wholes, parts = [], []
    for form, of_form in rows.groupby("clip_form", sort=True):
        scored = {
            str(sign): score_onset_times(part, **drawing)
            for sign, part in of_form.groupby("feature", sort=True)
        }
        if len(scored) == 1:
            wholes.append(PartScores("", str(form), next(iter(scored.values()))))
            continue
        wholes.append(PartScores("", str(form), _mean_over_signs(of_form, list(scored.values()), drawing)))
        parts += [PartScores(sign, str(form), scores) for sign, scores in scored.items()]
    return wholes + parts


def _mean_over_signs(rows: pd.DataFrame, scored: Sequence[TaskScores], drawing: Drawing) -> TaskScores:
    """Return plain means over features.

    In the interval every error weighs as its feature's share of the mean, so that it belongs to that figure.
    """
    replied = rows[rows["answered"]]
    target, answer = replied["target_s"].tolist(), replied["answer_s"].tolist()
    errors = absolute_errors(target, answer)
    values = {"mae": errors, "charged_mae": charged_errors(target, answer)}
    for tolerance in TOLERANCES_S:
        values[f"hit_{tolerance:g}s"] = np.where(np.isnan(errors), 0.0, (errors <= tolerance).astype(float))
    signs, patients = replied["feature"].to_numpy(dtype=object), replied["patient_id"].tolist()
    estimates = {
        name: mean_estimate(column * _weights(signs, ~np.isnan(column)), patients, **drawing)
        for name, column in values.items()
    }
    names = scored[0].baselines
    baselines = {name: _mean([scores.baselines[name] for scores in scored]) for name in names}
    return TaskScores(estimates, baselines, _total([scores.counts for scores in scored]))


def _weights(signs: Any, counted: Any) -> Any:
    """Return weights that make a mean over answers the mean over features; only counted answers have one."""
    known, codes = np.unique(signs[counted].astype(str), return_inverse=True)
    sizes = np.bincount(codes, minlength=len(known)) if len(known) else np.zeros(0)
    weights = np.full(len(signs), np.nan)
    weights[counted] = counted.sum() / (sizes[codes] * len(known)) if len(known) else NAN
    return weights


def _total(counts: Sequence[AnswerCounts]) -> AnswerCounts:
    names = ("asked", "answered", "unparsed", "missing")
    return AnswerCounts(*(sum(getattr(one, name) for one in counts) for name in names))


def _mean(values: Sequence[float]) -> float:
    defined = [value for value in values if not np.isnan(value)]
    return float(np.mean(defined)) if defined else NAN


_SCORERS: Mapping[AnswerKind, Callable[[Any, Drawing], list[PartScores]]] = {
    "side": _classes(score_sides, SIDES, "right"),
    "region": _classes(score_onset_regions, REGIONS, None),
    "time": _time,
    "sequence": _sequence,
    "diagnosis": _classes(score_diagnosis, DIAGNOSES, "ES"),
}
_TEXT_SCORERS: Mapping[AnswerKind, Callable[[Any, Drawing, TextTools], list[PartScores]]] = {
    "justification": score_justification_texts,
    "report": score_report_texts,
}
