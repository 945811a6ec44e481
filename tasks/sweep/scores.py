"""From the replies of a sweep to lmms-eval's result table: how good the wordings are, and how far they agree.

The record of each reply is that of `semiology.tasks.scores`, with family, polarity and answer format; the
full measures with all intervals come from the sample files (`semiology.metrics.robustness.scores`).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from semiology.tasks import scores as single

if TYPE_CHECKING:
    from semiology.metrics.robustness.scores import FeatureRobustness

WORDING_FIELDS = ("family", "polarity", "answer_format", "provenance")
COMPACT_FIELDS = (
    "prompt_id",
    "prompt_hash",
    "answer_format",
    "family",
    "polarity",
    "enhancement",
    *single.COMPACT_FIELDS,
)
MEASURES = (
    "wordings",
    "avg_p",
    "worst_at_5",
    "f1",
    "f1_low",
    "f1_high",
    "f1_reference",
    "balanced_accuracy",
    "yes_rate",
    "prevalence",
    "unparsed_rate",
    "alpha",
)


def process_results(document: Mapping[str, Any], results: Sequence[str | None]) -> dict[str, Any]:
    """Turn the reply to a row of the sweep's question table into its record, and the same in short for each measure."""
    record = single.process_results(document, results)["semiology"]
    record |= {name: document[name] for name in WORDING_FIELDS}
    compact = [record[name] for name in COMPACT_FIELDS]
    return {"semiology": record, **dict.fromkeys(MEASURES, compact)}


def feature_robustness(items: Sequence[Any]) -> FeatureRobustness | None:
    """Return all measures of one feature's sweep, computed once per content; None if nothing can be compared.

    ``items`` are lists in the order of `COMPACT_FIELDS`, one per question. A recording that was not asked about in the
    same number of segments under every wording, as at the end of a run with ``--limit``, is left out. Of several
    enhancements the unenhanced answers count, or else the first by name: the others are compared from the sample files.
    """
    return _robustness(tuple(sorted((tuple(item) for item in items), key=repr)))


@lru_cache(maxsize=32)
def _robustness(rows: tuple[tuple[Any, ...], ...]) -> FeatureRobustness | None:
    import pandas as pd

    from semiology.metrics.robustness.answers import IncompleteSweepError, wording_answers_of_segments
    from semiology.metrics.robustness.scores import robustness_of

    if not rows:
        return None
    frame = pd.DataFrame(list(rows), columns=list(COMPACT_FIELDS))
    names = sorted(frame["enhancement"].unique(), key=lambda name: (name != "none", name))
    try:
        answers = wording_answers_of_segments(frame[frame["enhancement"] == names[0]])
    except IncompleteSweepError:
        return None
    return robustness_of([answers]).features[0]


def _hook(name: str) -> Callable[[Sequence[Any]], single.Score]:
    """Make lmms-eval's aggregation hook for a measure."""
    estimate, part = single.estimate_of(name)

    def aggregate(items: Sequence[Any]) -> single.Score:
        found = feature_robustness(items)
        if found is None or estimate not in found.estimates:
            return single.UNDEFINED
        value = getattr(found.estimates[estimate], part)
        if value is None and part != "value":
            return single.NOT_ESTIMABLE
        return single.UNDEFINED if math.isnan(value) else float(value)

    return aggregate


def wordings(items: Sequence[Any]) -> single.Score:
    """Return how many wordings were compared: K, to be read beside every best or spread."""
    found = feature_robustness(items)
    return single.UNDEFINED if found is None else float(len(found.wordings))


# The task YAMLs name one function for each.
globals().update({name: _hook(name) for name in MEASURES if name != "wordings"})
