"""Two conditions that recorded P(yes) on the same recordings: does one rank them better?

AUROC needs no threshold, so neither side gains by saying yes more often. A patient's contribution to the difference is,
as everywhere (`contributions`), what leaving the patient out changes, plus the patient's share of the difference: the
mean of its shares of the recordings with and without the feature. Signs of contributions are drawn by patient.
Interval: patient jackknife. `benchmarks/error_rates/paired_tests_error.py` measures the rate of false positives.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from semiology.metrics.arrays import Bools, Codes, Floats
from semiology.metrics.coverage import require_columns
from semiology.metrics.paired.comparison import ALPHA, MARGIN, PairedScore, p_values, paired_score
from semiology.metrics.scores.discrimination import auroc_without_each, few_to_rank
from semiology.metrics.statistics.bootstrap import patient_codes
from semiology.metrics.statistics.intervals import effective_patients, few_showing
from semiology.metrics.statistics.sign_flip import FLIPS, draw_flips, tail_freedom

if TYPE_CHECKING:
    import pandas as pd

MEASURE = "auroc"
RANKED_COLUMNS: tuple[str, ...] = ("video_id", "patient_id", "feature", "truth", "first", "second")
"""Here ``first`` and ``second`` are P(yes)."""


@dataclass(frozen=True)
class PairedRanking:
    """AUROC of two conditions on one feature.

    Attributes:
        feature: name. score: both AUROC, their difference, interval and tests.
        n, n_patients: recordings with P(yes) of both sides and a truth of yes or no, and their patients.
        n_positive, n_positive_patients: those that show the feature.
    """

    feature: str
    score: PairedScore
    n: int
    n_patients: int
    n_positive: int
    n_positive_patients: int


@dataclass(frozen=True)
class RankedComparison:
    """AUROC of two conditions, all of it exploratory.

    Attributes:
        macro: mean over the features that show both classes (None without any). features: each of them.
        n_unknown: recordings and features left out as a side has no P(yes) there.
    """

    macro: PairedScore | None
    features: tuple[PairedRanking, ...]
    n_unknown: int


@dataclass(frozen=True)
class _Ranked:
    """One feature: AUROC of each side, without each patient (P,), recordings of each patient by class (P,)."""

    name: str
    sides: tuple[float, float]
    left_out: Floats
    positive: Floats
    negative: Floats
    changed: Floats

    @property
    def value(self) -> float:
        return self.sides[1] - self.sides[0]

    @property
    def sizes(self) -> Floats:
        return self.positive + self.negative

    @property
    def effective(self) -> float:
        return min(effective_patients(self.positive), effective_patients(self.negative))

    def contributions(self, target: float) -> Floats:
        """Return what each patient contributes to a difference, shape (P,): to its own, or to that of a mean."""
        share = (self.positive / self.positive.sum() + self.negative / self.negative.sum()) / 2
        return np.asarray(np.nan_to_num(self.value - self.left_out) + share * target)


def compare_ranking(
    pairs: pd.DataFrame,
    features: Sequence[str],
    *,
    flips: int = FLIPS,
    seed: int = 0,
    margin: float = MARGIN,
    alpha: float = ALPHA,
) -> RankedComparison | None:
    """Compare the AUROC of two conditions; None where no recording has P(yes) of both.

    Args:
        pairs: columns `RANKED_COLUMNS`, one row per recording and feature; NaN where P(yes) is not known.
        features: order of the features; those that show one class only are left out.
        flips, seed, margin, alpha: as in `comparison.compare_pairs`.

    Raises:
        ValueError: a column is missing.

    >>> import pandas as pd
    >>> rows = [(f"v{i}", f"p{i}", "tonic", "yes" if i % 2 else "no", 0.5, i % 2 * 0.5 + i % 7 / 10) for i in range(60)]
    >>> found = compare_ranking(pd.DataFrame(rows, columns=list(RANKED_COLUMNS)), ["tonic"])
    >>> round(found.macro.first, 2), round(found.macro.second, 2), found.macro.p_value < 0.001
    (0.5, 0.96, True)
    """
    require_columns(pairs, RANKED_COLUMNS, of="pairs")
    asked = pairs[pairs["feature"].isin(list(features)) & pairs["truth"].isin(["yes", "no"])]
    known = asked.dropna(subset=["first", "second"])
    if known.empty:
        return None
    codes, count = patient_codes(known["patient_id"].tolist())
    ranked = [
        each for name in features
        if (each := _ranked(name, known, (known["feature"] == name).to_numpy(dtype=bool), codes, count)) is not None
    ]  # fmt: skip
    if not ranked:
        return RankedComparison(None, (), len(asked) - len(known))
    signs, options = draw_flips(count, flips, seed), {"margin": margin, "alpha": alpha}
    few = [few_to_rank(each.positive, each.negative) for each in ranked]
    own = np.stack([each.contributions(each.value) for each in ranked], axis=1)
    deciding = np.array([int((each.changed > 0).sum()) for each in ranked])
    family = np.array([each is None for each in few])
    values = np.array([each.value for each in ranked])
    p = p_values(values, signs.sums(own), signs, deciding, family, tail_freedom(own))
    made = []
    for i, each in enumerate(ranked):
        here = each.sizes > 0
        score = paired_score(
            MEASURE, each.sides, each.value, each.left_out[here], [row[i] for row in p], options,
            effective=each.effective, n_discordant=int(each.changed.sum()), n=int(each.sizes.sum()),
            n_patients=int(here.sum()), withheld=few[i], one_more=True,
        )  # fmt: skip
        positive = int(each.positive.sum()), int((each.positive > 0).sum())
        made.append(PairedRanking(each.name, score, int(each.sizes.sum()), int(here.sum()), *positive))
    target = float(values.mean())
    whole = np.stack([each.contributions(target) for each in ranked], axis=1).mean(1)[:, None]
    either = np.stack([each.changed for each in ranked]).sum(0)
    p = p_values(np.array([target]), signs.sums(whole), signs, np.array([int((either > 0).sum())]))
    sizes = np.stack([each.sizes for each in ranked]).sum(0)
    alone = few[0] if len(ranked) == 1 else None
    showing = int((np.stack([each.positive for each in ranked]).sum(0) > 0).sum())
    macro = paired_score(
        MEASURE, tuple(float(np.mean([each.sides[side] for each in ranked])) for side in (0, 1)), target,
        np.stack([each.left_out for each in ranked]).mean(0), [row[0] for row in p], options,
        effective=effective_patients(sizes), n_discordant=int(either.sum()), n=int(sizes.sum()), n_patients=count,
        caution=few_showing(showing), withheld=alone,
    )  # fmt: skip
    return RankedComparison(macro, tuple(made), len(asked) - len(known))


def _ranked(name: str, known: pd.DataFrame, at: Bools, codes: Codes, count: int) -> _Ranked | None:
    """Return one feature; None where its truth holds one class only."""
    rows, own = known[at], codes[at]
    truth = (rows["truth"] == "yes").to_numpy(dtype=bool)
    if truth.all() or not truth.any():
        return None
    first, second = (rows[side].to_numpy(dtype=np.float64) for side in ("first", "second"))
    a, b = (auroc_without_each(truth, score, own, count) for score in (first, second))
    positive, negative, changed = (
        np.bincount(own[part], minlength=count).astype(np.float64)
        for part in (truth, ~truth, first != second)
    )
    return _Ranked(name, (a[0], b[0]), b[1] - a[1], positive, negative, changed)
