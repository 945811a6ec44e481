"""Every score of an S3 task, whole and by feature, from one row per recording: published rules and sound ones.

Scores whose name begins with ``published_``, or whose docstring says so, follow the published rule to the letter;
the others charge what was not understood and give every class its weight.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from semiology.metrics.arrays import mean_defined
from semiology.metrics.coverage import UNPARSED, AnswerCounts, is_missing
from semiology.metrics.published_rules import published_class_estimates
from semiology.metrics.s3.categorical import DIAGNOSIS, REGION, SIDE, Question, score_classes
from semiology.metrics.s3.onset_time import (
    CLIP_S,
    TOLERANCES_S,
    absolute_errors,
    charged_errors,
    hits_within,
    score_onset_times,
)
from semiology.metrics.s3.part_scores import Drawing, PartScores
from semiology.metrics.s3.recording_answers import AnswerKind
from semiology.metrics.s3.sequence.scores import as_perceived, score_sequences
from semiology.metrics.s3.text.scores import OFFLINE, TextTools, score_justification_texts, score_report_texts
from semiology.metrics.statistics.bootstrap import TaskScores, mean_estimate
from semiology.metrics.statistics.intervals import RESAMPLES

if TYPE_CHECKING:
    import pandas as pd

NAN = float("nan")
WHOLE = "whole"
"""Form of a question about onset on a whole recording (`semiology.data.windows.clips`)."""


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

    >>> import pandas as pd
    >>> rows = [(f"v{i}", f"p{i}", "ES" if i % 3 else "NES", "ES") for i in range(30)]
    >>> frame = pd.DataFrame(rows, columns=["video_id", "patient_id", "truth", "answer"])
    >>> whole = score_task("diagnosis", frame, resamples=200)[0].scores
    >>> round(whole.estimates["published_f1"].value, 2), round(whole.estimates["balanced_accuracy"].value, 2)
    (0.8, 0.5)
    """
    if not len(frame):
        return []
    drawing = {"resamples": resamples, "seed": seed}
    if kind in _TEXT_SCORERS:
        return _TEXT_SCORERS[kind](frame, drawing, tools)
    return _SCORERS[kind](frame, drawing)


def _classes(question: Question, frame: pd.DataFrame, drawing: Drawing) -> list[PartScores]:
    sound = score_classes(frame, question, **drawing)
    published = published_class_estimates(frame, question, **drawing)
    estimates = {f"published_{name}": value for name, value in published.items()}
    distinct = {truth for truth in frame["truth"] if not is_missing(truth)}
    baselines = {**sound.baselines, "constant_balanced_accuracy": 1 / len(distinct) if distinct else NAN}
    if question.positive is not None:
        baselines[f"always_{question.positive}_recall"] = 1.0 if question.positive in distinct else NAN
    return [PartScores("", "", TaskScores({**estimates, **sound.estimates}, baselines, sound.counts))]


def _time(frame: pd.DataFrame, drawing: Drawing) -> list[PartScores]:
    seconds = [NAN if is_missing(v) or v == UNPARSED else float(v) for v in frame["answer"]]
    given = [not is_missing(value) for value in frame["answer"]]
    rows = frame.assign(target_s=frame["truth"].astype(float), answer_s=seconds, answered=given)
    wholes, parts = [], []
    for form, of_form in rows.groupby("clip_form", sort=True):
        # A whole recording has a length of its own; clips are published as of one length.
        lengths = of_form["clip_s"].astype(float) if form == WHOLE and "clip_s" in of_form else CLIP_S
        shown = of_form.assign(clip_s=lengths)
        scored = {
            str(feature): score_onset_times(part, **drawing)
            for feature, part in shown.groupby("feature", sort=True)
        }
        if len(scored) == 1:
            wholes.append(PartScores("", str(form), next(iter(scored.values()))))
            continue
        wholes.append(PartScores("", str(form), _mean_over_features(shown, list(scored.values()), drawing)))
        parts += [PartScores(feature, str(form), scores) for feature, scores in scored.items()]
    return wholes + parts


def _mean_over_features(rows: pd.DataFrame, scored: Sequence[TaskScores], drawing: Drawing) -> TaskScores:
    """Return plain means over features.

    In the interval every error weighs as its feature's share of the mean, so that it belongs to that mean.
    """
    replied = rows[rows["answered"]]
    target, answer = replied["target_s"].tolist(), replied["answer_s"].tolist()
    lengths = replied["clip_s"].to_numpy(dtype=float)
    values = {"mae": absolute_errors(target, answer), "charged_mae": charged_errors(target, answer, lengths)}
    values |= {f"hit_{tolerance:g}s": hits_within(target, answer, tolerance) for tolerance in TOLERANCES_S}
    features, patients = replied["feature"].to_numpy(dtype=str), replied["patient_id"].tolist()
    estimates = {}
    for name, column in values.items():
        counted = ~np.isnan(column)
        known, codes = np.unique(features[counted], return_inverse=True)
        weights = np.full(len(column), np.nan)
        weights[counted] = counted.sum() / (np.bincount(codes, minlength=len(known))[codes] * len(known))
        estimates[name] = mean_estimate(column * weights, patients, **drawing)
    baselines = {
        name: float(mean_defined([scores.baselines[name] for scores in scored]))
        for name in scored[0].baselines
    }
    names = ("asked", "answered", "unparsed", "missing")
    counts = AnswerCounts(*(sum(getattr(scores.counts, name) for scores in scored) for name in names))
    return TaskScores(estimates, baselines, counts)


_SCORERS: Mapping[AnswerKind, Callable[[Any, Drawing], list[PartScores]]] = {
    "side": partial(_classes, SIDE),
    "region": partial(_classes, REGION),
    "time": _time,
    "sequence": lambda frame, drawing: [PartScores("", "", score_sequences(as_perceived(frame), **drawing))],
    "diagnosis": partial(_classes, DIAGNOSIS),
}
_TEXT_SCORERS: Mapping[AnswerKind, Callable[[Any, Drawing, TextTools], list[PartScores]]] = {
    "justification": score_justification_texts,
    "report": score_report_texts,
}
