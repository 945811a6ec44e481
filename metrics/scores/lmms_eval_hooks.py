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
from semiology.metrics.scores.run_scores import FeatureScores, MacroScores, RunScores, score_run

Items = Sequence[Mapping[str, Any]]

_FIELDS = ("video_id", "patient_id", "feature", "segment", "answer", "truth")


def score_of(items: Items, name: str, part: str = "value") -> float:
    """Return one score over recordings: of the feature, or the mean over features if the items hold several.

    Args:
        items: samples.
        name: of an estimate or a baseline of `FeatureScores`, such as ``f1`` or ``always_yes_f1``.
        part: ``value``, or ``low`` or ``high``, the limits of the 95 % interval of an estimate.

    Raises:
        ValueError: there are no samples, a field is missing or a value is outside its vocabulary.
    """
    run = run_scores(items)
    if not run.features:
        raise ValueError("there are no samples to score")
    scored: FeatureScores | MacroScores = run.features[0] if len(run.features) == 1 else run.macros[0]
    found = scored.estimates.get(name)
    value = getattr(scored, name) if found is None else getattr(found, part)
    return float("nan") if value is None else float(value)


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
