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
from semiology.metrics.scores.classification import Policy, feature_table_scores
from semiology.metrics.scores.counts import NA, NO, UNPARSED, YES, PatientTables, patient_tables

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


def against_always_yes(tables: PatientTables, policy: Policy = "wrong") -> PairedTables:
    """Return the answers of a run beside those of answering yes to everything, which come first.

    With ``drop`` the recordings that the run left without a usable answer are left out of both sides.
    """
    second = scored_truths(tables.counts, tables.features)
    if policy == "drop":
        two = [i for i, name in enumerate(tables.features) if name not in THREE_CLASSES]
        second[..., UNPARSED] = 0
        second[:, two, :, NA] = 0
    first = np.zeros_like(second)
    first[..., YES] = second.sum(-1)
    total = second.sum((0, 3))
    right = np.diagonal(second[..., :3], axis1=-2, axis2=-1).sum(0)
    return PairedTables(
        tables.patients,
        tables.features,
        first,
        second,
        second[..., NO:].sum((-2, -1)),
        (total[:, YES] - right[:, YES]).astype(np.int64),
        right[:, NO:].sum(-1).astype(np.int64),
    )


def scored_truths(counts: Floats, features: Sequence[str]) -> Floats:
    """Return tables (..., F, 3, 4) without the rows of truth that are not scored: NA of yes/no features."""
    kept = counts.copy()
    kept[..., [i for i, name in enumerate(features) if name not in THREE_CLASSES], NA, :] = 0
    return kept


def part_of(tables: PairedTables, features: Sequence[str]) -> PairedTables:
    """Return the tables of some features, and of the patients with a scored recording of them."""
    at = [i for i, name in enumerate(tables.features) if name in set(features)]
    names = tuple(tables.features[i] for i in at)
    rows = np.flatnonzero(scored_truths(tables.first[:, at], names).sum((1, 2, 3)) > 0)
    pick = np.ix_(rows, np.array(at, dtype=np.int64))
    return PairedTables(
        tuple(tables.patients[i] for i in rows),
        names,
        tables.first[pick],
        tables.second[pick],
        tables.changed[pick],
        tables.only_first[at],
        tables.only_second[at],
    )


def measures_of(tables: Floats, features: Sequence[str]) -> dict[str, Floats]:
    """Return `MEASURES` of tables (..., F, 3, 4), each of shape (..., F).

    Answers that are neither yes nor no count as wrong; verbal_responsiveness is scored over its three
    classes, as everywhere else. NaN where the truth does not hold what a measure needs.
    """
    scores = feature_table_scores(tables, features)
    return {name: scores[name] for name in MEASURES}
