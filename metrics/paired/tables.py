"""Two conditions on the same recordings: counting tables per patient, one for each condition.

A condition is a model, a wording or an enhancement. Everything that compares two of them starts from these
tables, so that test, interval and table can never be about different recordings.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from semiology.metrics.arrays import Bools, Codes, Floats
from semiology.metrics.coverage import require_columns
from semiology.metrics.scores.aggregation import THREE_CLASSES
from semiology.metrics.scores.classification import feature_table_scores
from semiology.metrics.scores.counts import patient_tables

if TYPE_CHECKING:
    import pandas as pd

END_POINTS: tuple[str, ...] = ("balanced_accuracy", "f1")
"""The scores whose macro means are the primary end points."""
MEASURES: tuple[str, ...] = (*END_POINTS, "accuracy")
"""The scores that are compared feature by feature; accuracy is what McNemar's test is about."""
PAIR_COLUMNS: tuple[str, ...] = ("video_id", "patient_id", "feature", "truth", "first", "second")


@dataclass(frozen=True)
class PairedTables:
    """Answers of two conditions about the same recordings, counted.

    Attributes:
        patients: ids, sorted, length P. features: names, length F.
        first, second: tables of truth against answer of each condition, shape (P, F, 3, 4).
        changed: recordings that the two answer differently, shape (P, F).
        only_first, only_second: recordings that only this condition answers rightly, shape (F,).
    """

    patients: tuple[str, ...]
    features: tuple[str, ...]
    first: Floats
    second: Floats
    changed: Floats
    only_first: Codes
    only_second: Codes


def paired_tables(pairs: pd.DataFrame, features: Sequence[str]) -> PairedTables:
    """Count the answers of two conditions, ``first`` and ``second`` (yes, no, na, unparsed).

    ``pairs`` has one row per recording and feature, columns `PAIR_COLUMNS`. Rows of features that are not given are
    left out; those of yes/no features whose truth is ``na`` count for nothing.

    Raises:
        ValueError: a column is missing, a recording stands twice, or a value is outside its vocabulary.
    """
    import pandas as pd

    require_columns(pairs, PAIR_COLUMNS, of="pairs")
    twice = pairs[pairs.duplicated(["video_id", "feature"])]
    if len(twice):
        row = twice.iloc[0]
        raise ValueError(
            f"{row['feature']}: recording {row['video_id']} stands twice → keep one answer of each condition"
        )
    first = patient_tables(pairs.rename(columns={"first": "answer"}), features)
    second = patient_tables(pairs.rename(columns={"second": "answer"}), features)
    three = pairs["feature"].isin(THREE_CLASSES)
    scored = pairs[pairs["truth"].isin(["yes", "no"]) | (three & (pairs["truth"] == "na"))]
    scored = scored[scored["feature"].isin(first.features)]
    right = [(scored[name] == scored["truth"]).to_numpy(dtype=bool) for name in ("first", "second")]
    differs = scored[scored["first"] != scored["second"]]
    changed = pd.crosstab(differs["patient_id"].astype(str), differs["feature"])

    def count(rows: Bools) -> Codes:
        found = scored.loc[rows, "feature"].value_counts().reindex(list(first.features), fill_value=0)
        return np.asarray(found, dtype=np.int64)

    return PairedTables(
        first.patients,
        first.features,
        first.counts,
        second.counts,
        changed.reindex(index=list(first.patients), columns=list(first.features), fill_value=0).to_numpy(
            float
        ),
        count(right[0] & ~right[1]),
        count(right[1] & ~right[0]),
    )


def measures_of(tables: Floats, features: Sequence[str]) -> dict[str, Floats]:
    """Return `MEASURES` of tables (..., F, 3, 4), each of shape (..., F).

    Answers that are neither yes nor no count as wrong; verbal_responsiveness is scored over its three
    classes, as everywhere else. NaN where the truth does not hold what a measure needs.
    """
    scores = feature_table_scores(tables, features)
    return {name: scores[name] for name in MEASURES}
