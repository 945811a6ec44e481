"""Recording-level scores as aggregation hooks: a list of per-segment dicts in, one float out.

An evaluation loop calls one hook per score with the same items; the answers are aggregated and resampled once
and the result is kept by content. NaN means "undefined" or, for the limits, "not estimable".

Each item is a dict with video_id, patient_id, feature, segment, answer and truth.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

from semiology.metrics.scores.aggregation import recording_answers
from semiology.metrics.scores.run_scores import FeatureScores, RunScores, score_run

Items = Sequence[Mapping[str, Any]]

_FIELDS = ("video_id", "patient_id", "feature", "segment", "answer", "truth")


def recording_precision(items: Items) -> float:
    """Return the precision over recordings."""
    return _value(items, "precision")


def recording_recall(items: Items) -> float:
    """Return the recall over recordings."""
    return _value(items, "recall")


def recording_f1(items: Items) -> float:
    """Return the F1 over recordings; the mean over features if the items hold several."""
    return _value(items, "f1")


def recording_accuracy(items: Items) -> float:
    """Return the accuracy over recordings."""
    return _value(items, "accuracy")


def recording_specificity(items: Items) -> float:
    """Return the specificity over recordings."""
    return _value(items, "specificity")


def recording_balanced_accuracy(items: Items) -> float:
    """Return the balanced accuracy over recordings."""
    return _value(items, "balanced_accuracy")


def recording_mcc(items: Items) -> float:
    """Return Matthews' correlation over recordings."""
    return _value(items, "mcc")


def always_yes_f1(items: Items) -> float:
    """Return the F1 of answering yes to every recording."""
    run = run_scores(items)
    if len(run.features) == 1:
        return run.features[0].always_yes_f1
    return run.macros[0].estimates["always_yes_f1"].value


def prevalence(items: Items) -> float:
    """Return the share of recordings that show the feature."""
    run = run_scores(items)
    if len(run.features) == 1:
        return run.features[0].prevalence
    return run.macros[0].estimates["prevalence"].value


def unparsed_rate(items: Items) -> float:
    """Return the share of recordings without a usable answer."""
    return _value(items, "unparsed_rate")


def f1_low(items: Items) -> float:
    """Return the lower limit of the 95 % interval of F1, NaN if not estimable."""
    low = _estimates(items)["f1"].low
    return float("nan") if low is None else low


def f1_high(items: Items) -> float:
    """Return the upper limit of the 95 % interval of F1, NaN if not estimable."""
    high = _estimates(items)["f1"].high
    return float("nan") if high is None else high


def feature_scores(items: Items) -> FeatureScores:
    """Return all scores of items that hold one feature.

    Raises:
        ValueError: the items hold several features, or none.
    """
    scored = run_scores(items).features
    if len(scored) != 1:
        raise ValueError(f"expected answers on one feature, got {len(scored)}")
    return scored[0]


def run_scores(items: Items) -> RunScores:
    """Return all scores of the items, computed once per content.

    Raises:
        ValueError: a field is missing or a value is outside its vocabulary; the message names it.
    """
    rows = []
    for item in items:
        missing = [name for name in _FIELDS if name not in item]
        if missing:
            raise ValueError(f"a sample has no field {missing[0]!r} → was it written by a semiology task?")
        rows.append(tuple(item[name] for name in _FIELDS))
    # Sorted, so that ranks of a parallel run finishing in another order share one result.
    return _run_scores(tuple(sorted(rows, key=repr)))


@lru_cache(maxsize=64)
def _run_scores(rows: tuple[tuple[Any, ...], ...]) -> RunScores:
    import pandas as pd

    if not rows:
        return RunScores((), ())
    return score_run(recording_answers(pd.DataFrame(list(rows), columns=list(_FIELDS))))


def _estimates(items: Items) -> Mapping[str, Any]:
    run = run_scores(items)
    if not run.features:
        raise ValueError("there are no samples to score")
    return run.features[0].estimates if len(run.features) == 1 else run.macros[0].estimates


def _value(items: Items, key: str) -> float:
    return float(_estimates(items)[key].value)
