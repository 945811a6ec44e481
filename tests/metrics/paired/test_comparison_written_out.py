"""A whole comparison of random answers: every figure from the rows, without each patient and with all their signs."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import fields
from typing import Any

import numpy as np
import pandas as pd
import pytest
from statsmodels.stats.multitest import multipletests

from semiology.metrics.paired.comparison import PairedComparison, PairedScore, compare_pairs
from semiology.metrics.paired.contributions import contributions
from semiology.metrics.paired.feature_counts import paired_feature_count
from semiology.metrics.paired.tables import paired_tables, part_of
from semiology.metrics.statistics.equivalence import score_equivalence
from semiology.metrics.statistics.jackknife import jackknife_estimate
from semiology.metrics.statistics.mcnemar import mcnemar_mid_p
from semiology.metrics.statistics.sign_flip import draw_flips, max_t_p_value, tail_freedom

NAN = math.nan
THREE = "verbal_responsiveness"
ENDS = ("balanced_accuracy", "f1")
EVERY = (*ENDS, "accuracy")


def answers(
    seed: int, patients: int, features: Sequence[str], most: int = 4, alike: float = 0.3, asked: float = 0.93
) -> pd.DataFrame:
    """Rows in which some patients were asked about some features, one shows only yes, and one has no truth to score."""
    rng = np.random.default_rng(seed)
    rows = []
    for feature, patient in itertools.product(features, range(patients)):
        rare = 0.15 if feature == "head_turning" else 0.5
        for video in range(int(rng.integers(1, most + 1)) if rng.random() < asked else 0):
            truth = str(rng.choice(["yes", "no", "na"], p=[0.9 * rare, 0.9 * (1 - rare), 0.1]))
            truth = "no" if feature == "figure4" and truth == "yes" else truth
            truth = "na" if patient == 2 and feature != THREE else truth
            truth = "yes" if feature == "close_eyes" else truth
            if patient == 3 and "figure4" in features and feature != "figure4":
                continue  # one patient counts for no mean
            said = [
                truth if rng.random() < skill else str(rng.choice(["yes", "no", "na", "unparsed"]))
                for skill in (0.4, 0.6)
            ]
            said[1] = said[0] if rng.random() < alike else said[1]
            rows.append((f"p{patient}v{video}", f"p{patient:02d}", feature, truth, *said))
    return pd.DataFrame(rows, columns=["video_id", "patient_id", "feature", "truth", "first", "second"])


def score(rows: pd.DataFrame, side: str, measure: str) -> float:
    """Return the measure of the rows of one feature; what is neither yes nor no is wrong, of three classes none."""
    three = set(rows["feature"]) == {THREE}
    pairs = list(zip(rows["truth"], rows[side], strict=True))
    classes = [c for c in ("yes", "no", "na")[: 3 if three else 2] if any(t == c for t, _ in pairs)]
    if measure == "accuracy":
        return float(np.mean([t == a for t, a in pairs])) if pairs else NAN
    if measure == "balanced_accuracy":
        if len(classes) < (1 if three else 2):
            return NAN
        return float(np.mean([np.mean([a == c for t, a in pairs if t == c]) for c in classes]))
    found = []
    for c in classes if three else ["yes"]:
        hits = sum(t == a == c for t, a in pairs)
        missed = sum(t == c != a for t, a in pairs)
        false = sum(t != c and (a == c if three else a != t) for t, a in pairs)
        found.append(2 * hits / (2 * hits + missed + false) if hits + missed else NAN)
    return float(np.mean(found)) if found else NAN


def kish(sizes: Sequence[float]) -> float:
    return sum(sizes) ** 2 / sum(size**2 for size in sizes) if any(sizes) else 0.0


def close(found: Any, expected: Any) -> None:
    for field in fields(expected):
        a, b = getattr(found, field.name), getattr(expected, field.name)
        assert a == (pytest.approx(b, nan_ok=True) if isinstance(b, float) else b), field.name


class Rows:
    """The rows that are scored, and their patients."""

    def __init__(self, pairs: pd.DataFrame, features: Sequence[str]) -> None:
        scored = pairs[(pairs["truth"] != "na") | (pairs["feature"] == THREE)]
        self.features = [f for f in features if f in set(pairs["feature"])]
        self.rows = scored[scored["feature"].isin(self.features)]
        self.patients = sorted(set(self.rows["patient_id"]))
        self.signs = np.array(list(itertools.product((1, -1), repeat=len(self.patients))))

    def of(self, feature: str, without: str | None = None) -> pd.DataFrame:
        rows = self.rows[self.rows["feature"] == feature]
        return rows if without is None else rows[rows["patient_id"] != without]

    def difference(self, feature: str, measure: str, without: str | None = None) -> float:
        rows = self.of(feature, without)
        return score(rows, "second", measure) - score(rows, "first", measure)

    def sizes(self, rows: pd.DataFrame) -> list[int]:
        return [int((rows["patient_id"] == patient).sum()) for patient in self.patients]

    def deciding(self, rows: pd.DataFrame) -> int:
        return rows[rows["first"] != rows["second"]]["patient_id"].nunique()

    def plain_p(self, seen: float, own: np.ndarray, deciding: int) -> float:
        if math.isnan(seen):
            return NAN
        every = len(self.signs)
        as_large = (np.abs(self.signs @ own) >= abs(seen) - 1e-9).sum()
        return max(as_large / every, min(2, every) / every, min(1.0, 2.0 ** (1 - deciding)))

    def withheld(self, feature: str, measure: str) -> str | None:
        rows = self.of(feature)
        kinds = [("with", rows[rows["truth"] == "yes"]), ("without", rows[rows["truth"] != "yes"])]
        kinds = kinds[: {"f1": 1, "balanced_accuracy": 2, "accuracy": 0}[measure]]
        for which, kind in kinds:
            n = kind["patient_id"].nunique()
            if n < 10:
                return f"recordings {which} the feature come from {n} patient{'' if n == 1 else 's'}, fewer than 10"
        for which, kind in kinds:
            if kish(self.sizes(kind)) < 5:
                return (
                    f"recordings {which} the feature weigh like {kish(self.sizes(kind)):.1f} patients of equal "
                    "size, fewer than 5"
                )
        return None


def adjusted(p: Sequence[float], method: str) -> list[float]:
    result = np.full(len(p), NAN)
    known = ~np.isnan(p)
    if known.any():
        result[known] = multipletests(np.asarray(p)[known], method=method)[1]
    return result.tolist()


def check_score(
    found: PairedScore, sides: Sequence[float], left_out: list[float], p: Sequence[float], **options: Any
) -> None:
    value, discordant, one_more = sides[1] - sides[0], options.pop("discordant"), options.pop("one_more")
    assert (found.first, found.second) == pytest.approx(tuple(sides), nan_ok=True)
    close(found.difference, jackknife_estimate(value, np.array(left_out), **options))
    caution = options.pop("caution", None)
    assert caution is None or found.difference.caution == caution or not found.difference.estimable
    expected = score_equivalence(
        value,
        np.array(left_out),
        margin=0.07,
        alpha=0.1,
        n_discordant=discordant,
        one_more=one_more,
        **options,
    )
    close(found.equivalence, expected)
    assert [found.p_value, found.p_max_t, found.p_holm, found.p_bh] == pytest.approx(list(p), nan_ok=True)


def check_features(found: PairedComparison, rows: Rows, tables: Any, signs: Any) -> None:
    for measure in EVERY:
        seen = [rows.difference(f, measure) for f in rows.features]
        own = contributions(tables, measure, np.array(seen))
        deciding = [rows.deciding(rows.of(f)) for f in rows.features]
        plain = [rows.plain_p(s, own[:, i], deciding[i]) for i, s in enumerate(seen)]
        few = [rows.withheld(f, measure) for f in rows.features]
        tested = np.array([s if w is None else NAN for s, w in zip(seen, few, strict=True)])
        least = [min(1.0, 2.0 ** (1 - d)) for d in deciding]
        max_t = np.maximum(max_t_p_value(tested, signs.sums(own), signs, tail_freedom(own)), least)
        family = [p if not math.isnan(t) else NAN for p, t in zip(plain, tested, strict=True)]
        every = [plain, max_t.tolist(), adjusted(family, "holm"), adjusted(family, "fdr_bh")]
        for i, feature in enumerate(rows.features):
            mine = rows.of(feature)
            asked = [patient for patient, n in zip(rows.patients, rows.sizes(mine), strict=True) if n]
            kinds = [mine[mine["truth"] == "yes"], mine[mine["truth"] != "yes"]]
            needed = kinds[: {"f1": 1, "balanced_accuracy": 2}.get(measure, 0)] or [mine]
            check_score(
                found.features[i].scores[measure],
                [score(mine, side, measure) for side in ("first", "second")],
                [rows.difference(feature, measure, patient) for patient in asked],
                [column[i] for column in every],
                effective=min(kish(rows.sizes(kind)) for kind in needed),
                discordant=int((mine["first"] != mine["second"]).sum()),
                n=len(mine), n_patients=len(asked), withheld=few[i], one_more=True,
            )  # fmt: skip


def check_macro(found: PairedComparison, rows: Rows, tables: Any, signs: Any) -> None:
    used = {m: [f for f in rows.features if not math.isnan(score(rows.of(f), "first", m))] for m in ENDS}
    assert found.macro_features == {m: tuple(names) for m, names in used.items()}
    both = set(used["f1"]) & set(used["balanced_accuracy"])
    assert found.left_out == tuple(f for f in rows.features if f not in both)
    if not all(used.values()):
        assert found.macro == {}
        return
    seen, plain, flipped, least = [], [], [], []
    for m in ENDS:
        at = [rows.features.index(f) for f in used[m]]
        seen.append(float(np.mean([rows.difference(f, m) for f in used[m]])))
        targets = np.array([seen[-1] if i in at else NAN for i in range(len(rows.features))])
        own = contributions(tables, m, targets)[:, at].mean(1)
        mine = rows.rows[rows.rows["feature"].isin(used[m])]
        plain.append(rows.plain_p(seen[-1], own, rows.deciding(mine)))
        flipped.append(signs.sums(own[:, None])[:, 0])
        least.append(min(1.0, 2.0 ** (1 - rows.deciding(mine))))
    max_t = np.maximum(max_t_p_value(np.array(seen), np.stack(flipped, axis=1), signs), least)
    every = [plain, max_t.tolist(), adjusted(plain, "holm"), adjusted(plain, "fdr_bh")]
    for k, m in enumerate(ENDS):
        mine = rows.rows[rows.rows["feature"].isin(used[m])]
        asked = [patient for patient, n in zip(rows.patients, rows.sizes(mine), strict=True) if n]
        few = rows.withheld(used[m][0], m) if len(used[m]) == 1 else None
        left = []
        for patient in asked:
            known = [rows.difference(f, m, patient) for f in used[m]]
            left.append(float(np.nanmean(known)) if not np.isnan(known).all() else NAN)
        showing = mine[mine["truth"] == "yes"]["patient_id"].nunique()
        check_score(
            found.macro[m],
            [np.mean([score(rows.of(f), side, m) for f in used[m]]) for side in ("first", "second")],
            left,
            [NAN if few else column[k] for column in every],
            effective=kish(rows.sizes(mine)),
            discordant=int((mine["first"] != mine["second"]).sum()),
            n=len(mine), n_patients=len(asked), withheld=few, one_more=False,
            caution=f"patients who show any of the features: only {showing}" if showing < 10 else None,
        )  # fmt: skip


@pytest.mark.parametrize(
    ("seed", "patients", "features", "more"),
    [
        (0, 13, ("tonic", "clonic", THREE, "figure4"), {}),
        (1, 13, ("clonic", "tonic", "head_turning"), {"most": 9, "asked": 1.0}),
        (2, 12, ("tonic",), {"most": 9, "asked": 1.0}),
        (3, 9, ("tonic", "figure4", THREE), {}),
        (4, 6, ("head_turning", "tonic"), {}),
        (5, 12, ("figure4",), {}),
        (6, 2, ("tonic", "clonic"), {}),
        (7, 12, (THREE, "figure4"), {}),
        (10, 7, ("close_eyes",), {}),
        # Three or fewer patients are answered differently.
        (8, 12, ("tonic", "clonic", THREE), {"alike": 0.95}),
        (9, 12, ("tonic", "clonic"), {"alike": 0.92, "most": 7}),
    ],
)
def test_every_figure_of_a_comparison(
    seed: int, patients: int, features: tuple[str, ...], more: dict[str, Any]
) -> None:
    pairs = answers(seed, patients, features, **more)
    found = compare_pairs(pairs, [*features, "eye_blinking"], margin=0.07, alpha=0.1)
    rows = Rows(pairs, features)
    tables = part_of(paired_tables(pairs, features), features)
    assert tables.patients == tuple(rows.patients)
    signs = draw_flips(len(rows.patients), 10_000, 0)
    deciding = rows.deciding(rows.rows)
    assert (found.n_patients, found.n_deciding) == (len(rows.patients), deciding)
    assert (found.flips, found.exact, found.seed) == (len(rows.signs), True, 0)
    assert (found.margin, found.alpha) == (0.07, 0.1)
    least = min(2, len(rows.signs)) / len(rows.signs)
    assert found.smallest_p == max(least, min(1.0, 2.0 ** (1 - deciding)))
    assert [each.feature for each in found.features] == list(rows.features)
    for each in found.features:
        mine = rows.of(each.feature)
        yes, changed = mine[mine["truth"] == "yes"], mine[mine["first"] != mine["second"]]
        only = [int((changed[side] == changed["truth"]).sum()) for side in ("first", "second")]
        assert (each.n, each.n_patients) == (len(mine), mine["patient_id"].nunique())
        assert (each.n_positive, each.n_positive_patients) == (len(yes), yes["patient_id"].nunique())
        assert (each.n_changed, each.n_deciding) == (len(changed), changed["patient_id"].nunique())
        assert [each.only_first, each.only_second] == only
        assert each.mcnemar_p == mcnemar_mid_p(*only)
        always = score(mine.assign(first="yes"), "first", "f1")
        assert each.always_yes_f1 == pytest.approx(always, nan_ok=True)
    check_features(found, rows, tables, signs)
    check_macro(found, rows, tables, signs)
    for m in ENDS:
        seen = np.array([rows.difference(f, m) for f in rows.features])
        assert repr(found.counts[m]) == repr(paired_feature_count(tables, m, seen, signs))
