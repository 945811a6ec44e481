"""A whole comparison of P(yes): every figure from the rows, with scikit-learn, without each patient, and all signs."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import fields
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score
from statsmodels.stats.multitest import multipletests

from semiology.metrics.paired.ranking import RANKED_COLUMNS, compare_ranking
from semiology.metrics.statistics.equivalence import score_equivalence
from semiology.metrics.statistics.jackknife import jackknife_estimate
from semiology.metrics.statistics.sign_flip import draw_flips, max_t_p_value, tail_freedom

NAN = math.nan


def ranked(seed: int, patients: int, features: Sequence[str], alike: float = 0.3) -> pd.DataFrame:
    """Rows with ties and unknown P(yes), patients who show or lack a feature alone, and a truth that is not scored."""
    rng = np.random.default_rng(seed)
    rows = []
    for feature, patient in itertools.product(features, range(patients)):
        own = rng.normal(size=2)
        for video in range(int(rng.integers(1, 5)) if rng.random() < 0.9 else 0):
            shown = bool(rng.random() < (0.5 if patient else 0.0))
            p = np.round(1 / (1 + np.exp(-(own + rng.normal(size=2) + [0.4 * shown, 1.5 * shown]))), 1)
            p[1] = p[0] if rng.random() < alike else p[1]
            truth = "no" if feature == "figure4" or not shown else "yes"
            truth = "na" if rng.random() < 0.05 else truth
            first = NAN if rng.random() < 0.05 else p[0]
            rows.append((f"p{patient}v{video}", f"p{patient:02d}", feature, truth, first, p[1]))
    return pd.DataFrame(rows, columns=list(RANKED_COLUMNS))


def kish(sizes: Sequence[float]) -> float:
    return sum(sizes) ** 2 / sum(size**2 for size in sizes)


def auroc(rows: pd.DataFrame, side: str) -> float:
    return float(roc_auc_score(rows["truth"] == "yes", rows[side])) if rows["truth"].nunique() == 2 else NAN


def difference(rows: pd.DataFrame) -> float:
    return auroc(rows, "second") - auroc(rows, "first")


def close(found: Any, expected: Any) -> None:
    for field in fields(expected):
        a, b = getattr(found, field.name), getattr(expected, field.name)
        assert a == (pytest.approx(b, nan_ok=True) if isinstance(b, float) else b), field.name


def check(
    score: Any,
    sides: Sequence[float],
    left: list[float],
    p: list[float],
    discordant: int,
    one_more: bool,
    **options: Any,
) -> None:
    assert score.measure == "auroc"
    assert (score.first, score.second) == pytest.approx(tuple(sides))
    value, without = sides[1] - sides[0], np.array(left)
    close(score.difference, jackknife_estimate(value, without, **options))
    options.pop("caution", None)
    expected = score_equivalence(
        value, without, margin=0.08, alpha=0.1, n_discordant=discordant, one_more=one_more, **options
    )
    close(score.equivalence, expected)
    assert [score.p_value, score.p_max_t, score.p_holm, score.p_bh] == pytest.approx(p, nan_ok=True)


def too_few(rows: pd.DataFrame) -> str | None:
    """Return why one feature is not ranked: too few patients of a class, or one who holds most of it."""
    kinds = [
        (which, rows[rows["truth"] == word]["patient_id"])
        for which, word in (("with", "yes"), ("without", "no"))
    ]
    for which, owners in kinds:
        n = owners.nunique()
        if n < 10:
            return (
                f"recordings {which} the feature come from {n} patient{'' if n == 1 else 's'}, fewer than 10"
            )
    for which, owners in kinds:
        size = kish(owners.value_counts().tolist())
        if size < 5:
            return (
                f"recordings {which} the feature weigh like {size:.1f} patients of equal size, fewer than 5"
            )
    return None


class Ranked:
    """The rows of each feature that shows both classes, and their differences with and without each patient."""

    def __init__(self, rows: pd.DataFrame, features: Sequence[str]) -> None:
        self.names = sorted(set(rows["patient_id"]))
        self.every = np.array(list(itertools.product((1, -1), repeat=len(self.names))))
        self.signs = draw_flips(len(self.names), 10_000, 0)
        parts = {f: rows[rows["feature"] == f] for f in features}
        self.of = {f: own for f, own in parts.items() if own["truth"].nunique() == 2}
        self.seen = {f: difference(own) for f, own in self.of.items()}
        self.left = {
            f: [difference(own[own["patient_id"] != name]) for name in self.names]
            for f, own in self.of.items()
        }
        self.few = {f: too_few(own) for f, own in self.of.items()}
        self.changed = {f: own[own["first"] != own["second"]] for f, own in self.of.items()}

    def contributions(self, f: str, target: float) -> np.ndarray:
        """Return what leaving each patient out changes, plus the mean of its shares of both classes of the target."""
        kinds = [own["patient_id"] for _, own in self.of[f].groupby("truth")]
        shares = np.array([np.mean([(kind == name).mean() for kind in kinds]) for name in self.names])
        gone = [0.0 if math.isnan(value) else self.seen[f] - value for value in self.left[f]]
        return np.array(gone) + shares * target

    def plain(self, value: float, own: np.ndarray, deciding: int) -> float:
        share = (np.abs(self.every @ own) >= abs(value) - 1e-9).mean()
        return max(share, min(2, len(self.every)) / len(self.every), min(1.0, 2.0 ** (1 - deciding)))

    def p_values(self) -> list[list[float]]:
        """Return plain, max-T, Holm and BH of each feature."""
        deciding = [self.changed[f]["patient_id"].nunique() for f in self.of]
        own = np.stack([self.contributions(f, self.seen[f]) for f in self.of], axis=1)
        plain = np.array([self.plain(self.seen[f], own[:, i], deciding[i]) for i, f in enumerate(self.of)])
        tested = np.array([self.seen[f] if self.few[f] is None else NAN for f in self.of])
        max_t = max_t_p_value(tested, self.signs.sums(own), self.signs, tail_freedom(own))
        max_t = np.maximum(max_t, [min(1.0, 2.0 ** (1 - d)) for d in deciding])
        known = ~np.isnan(tested)
        holm, bh = np.full((2, len(self.of)), NAN)
        if known.any():
            holm[known] = multipletests(plain[known], method="holm")[1]
            bh[known] = multipletests(plain[known], method="fdr_bh")[1]
        return [plain.tolist(), max_t.tolist(), holm.tolist(), bh.tolist()]


@pytest.mark.parametrize(
    ("seed", "patients", "features", "alike"),
    [
        (0, 13, ("tonic", "figure4", "clonic"), 0.3),
        (1, 12, ("tonic",), 0.3),
        (2, 13, ("clonic", "tonic", "head_turning"), 0.3),
        (3, 5, ("tonic", "clonic"), 0.3),
        (4, 6, ("tonic",), 0.3),
        # Few patients have other probabilities.
        (5, 12, ("tonic", "clonic"), 0.96),
    ],
)
def test_every_figure_of_a_comparison(
    seed: int, patients: int, features: tuple[str, ...], alike: float
) -> None:
    pairs = ranked(seed, patients, features, alike)
    found = compare_ranking(pairs, [*features, "eye_blinking"], margin=0.08, alpha=0.1)
    assert found is not None
    asked = pairs[pairs["truth"] != "na"]
    rows = asked[asked["first"].notna()]
    assert found.n_unknown == len(asked) - len(rows)
    own = Ranked(rows, features)
    assert [each.feature for each in found.features] == list(own.of)
    p = own.p_values()
    for i, (f, each) in enumerate(zip(own.of, found.features, strict=True)):
        mine = own.of[f]
        positive = mine[mine["truth"] == "yes"]
        there = [name in set(mine["patient_id"]) for name in own.names]
        assert (each.n, each.n_patients) == (len(mine), sum(there))
        assert (each.n_positive, each.n_positive_patients) == (
            len(positive),
            positive["patient_id"].nunique(),
        )
        check(
            each.score,
            [auroc(mine, "first"), auroc(mine, "second")],
            [value for value, kept in zip(own.left[f], there, strict=True) if kept],
            [column[i] for column in p],
            len(own.changed[f]),
            True,
            effective=min(
                kish(kind["patient_id"].value_counts().tolist()) for _, kind in mine.groupby("truth")
            ),
            n=len(mine),
            n_patients=sum(there),
            withheld=own.few[f],
        )
    assert found.macro is not None
    target = float(np.mean(list(own.seen.values())))
    used, either = pd.concat(list(own.of.values())), pd.concat(list(own.changed.values()))
    whole = np.mean([own.contributions(f, target) for f in own.of], axis=0)
    showing = used[used["truth"] == "yes"]["patient_id"].nunique()
    check(
        found.macro,
        [float(np.mean([auroc(mine, side) for mine in own.of.values()])) for side in ("first", "second")],
        [float(np.mean([own.left[f][k] for f in own.of])) for k in range(len(own.names))],
        [own.plain(target, whole, either["patient_id"].nunique())] * 4,
        len(either),
        False,
        effective=kish(used["patient_id"].value_counts().tolist()),
        n=len(used),
        n_patients=len(own.names),
        caution=f"patients who show any of the features: only {showing}" if showing < 10 else None,
        withheld=next(iter(own.few.values())) if len(own.of) == 1 else None,
    )


def test_features_of_one_class_leave_nothing_to_rank_but_the_rows_without_p_yes_are_counted() -> None:
    rows = ranked(3, 6, ["figure4"])
    rows = rows.assign(first=rows["first"].where(rows.index % 4 > 0))
    found = compare_ranking(rows, ["figure4"], flips=100)
    assert found is not None
    asked = rows[rows["truth"] != "na"]
    assert (found.macro, found.features) == (None, ())
    assert found.n_unknown == asked[["first", "second"]].isna().any(axis=1).sum() > 0
