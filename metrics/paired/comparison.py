"""Two conditions compared on the same recordings: effect, interval, tests and equivalence.

The primary end points are the macro means over features (balanced accuracy, F1). Results of single features
are exploratory: on 90 recordings hardly any can be shown. Differences are second minus first throughout.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from semiology.metrics.arrays import Bools, Codes, Floats, mean_defined
from semiology.metrics.paired.contributions import contributions
from semiology.metrics.paired.feature_counts import FeatureCount, paired_feature_count
from semiology.metrics.paired.tables import (
    END_POINTS,
    MEASURES,
    PairedTables,
    measures_of,
    paired_tables,
    part_of,
    scored_truths,
)
from semiology.metrics.scores.classification import feature_table_scores
from semiology.metrics.scores.counts import YES
from semiology.metrics.statistics.adjust import adjusted
from semiology.metrics.statistics.equivalence import Equivalence, score_equivalence
from semiology.metrics.statistics.intervals import (
    Estimate,
    effective_patients,
    few_showing,
    too_few,
    uneven,
)
from semiology.metrics.statistics.jackknife import jackknife_estimate
from semiology.metrics.statistics.mcnemar import mcnemar_mid_p
from semiology.metrics.statistics.sign_flip import (
    FLIPS,
    Flips,
    draw_flips,
    flip_p_value,
    max_t_p_value,
    smallest_p,
    tail_freedom,
)

if TYPE_CHECKING:
    import pandas as pd

MARGIN = 0.05
ALPHA = 0.05
NEEDS: Mapping[str, tuple[bool, bool]] = {
    "f1": (True, False),
    "balanced_accuracy": (True, True),
    "accuracy": (False, False),
}
"""Whether a measure needs enough patients with the feature, and without it."""


@dataclass(frozen=True)
class PairedScore:
    """One score of two conditions.

    Attributes:
        measure: ``balanced_accuracy``, ``f1`` or (of single features) ``accuracy``.
        first, second: the scores. difference: second minus first, with the 95 % interval of the patient jackknife.
        p_value: of the patient sign-flip test, two-sided.
        p_max_t, p_holm, p_bh: the same, adjusted for the family tested together: all features that enough patients
            show and lack, or the two primary end points. Max-T and Holm keep the chance of any false claim, BH the
            share of false ones. NaN where the score is not in the family.
        equivalence: two one-sided tests with the margin stated.
    """

    measure: str
    first: float
    second: float
    difference: Estimate
    p_value: float
    p_max_t: float
    p_holm: float
    p_bh: float
    equivalence: Equivalence


@dataclass(frozen=True)
class PairedFeature:
    """Two conditions on one feature.

    Attributes:
        feature: name.
        scores: by measure.
        always_yes_f1: F1 of always answering yes to the same recordings.
        n, n_patients: recordings with a truth to score, and their patients.
        n_positive, n_positive_patients: those whose truth is yes.
        n_changed: recordings answered differently. n_deciding: patients with any such recording.
        only_first, only_second: recordings that only one condition answers rightly.
        mcnemar_p: mid-p of a test that ignores patients; for comparison with other papers only.
    """

    feature: str
    scores: Mapping[str, PairedScore]
    always_yes_f1: float
    n: int
    n_patients: int
    n_positive: int
    n_positive_patients: int
    n_changed: int
    n_deciding: int
    only_first: int
    only_second: int
    mcnemar_p: float


@dataclass(frozen=True)
class PairedComparison:
    """Two conditions on the same recordings.

    Attributes:
        macro: primary end points by measure: plain means over ``macro_features``.
        macro_features: features of which each measure is defined. left_out: those asked that lack yes or no in
            the truth, and so are missing from the mean of one measure or both.
        features: exploratory results, in the order given.
        n_patients: patients with a recording scored. n_deciding: those about whom the conditions differ.
        flips, exact, smallest_p: draws of the sign-flip test, whether they are all there are, and the
            smallest p-value that they can give.
        seed, margin, alpha: of the signs, of the equivalence tests, and of all tests.
        counts: in how many features the second is better, by measure of `END_POINTS`; exploratory.
    """

    macro: Mapping[str, PairedScore]
    macro_features: Mapping[str, tuple[str, ...]]
    left_out: tuple[str, ...]
    features: tuple[PairedFeature, ...]
    n_patients: int
    n_deciding: int
    flips: int
    exact: bool
    smallest_p: float
    seed: int
    margin: float
    alpha: float
    counts: Mapping[str, FeatureCount] = field(default_factory=dict)


@dataclass(frozen=True)
class _Sides:
    """Scores by measure: of both conditions on the data (F,), and differences without each patient (P, F)."""

    first: Mapping[str, Floats]
    second: Mapping[str, Floats]
    left_out: Mapping[str, Floats]


def compare_pairs(
    pairs: pd.DataFrame,
    features: Sequence[str],
    *,
    flips: int = FLIPS,
    seed: int = 0,
    margin: float = MARGIN,
    alpha: float = ALPHA,
) -> PairedComparison:
    """Compare two conditions on the recordings that both answered.

    Args:
        pairs: columns `paired_tables.PAIR_COLUMNS`, one row per recording and feature.
        features: order of the features; those that no row is about are skipped.
        flips, seed: draws of the sign-flip test (all possibilities are enumerated where they are fewer).
        margin, alpha: largest difference that counts as none, fixed before looking; level of the tests.

    Raises:
        ValueError: there is nothing to compare, or a column, value or option is not usable.

    >>> import pandas as pd
    >>> rows = [
    ...     (f"v{i}", f"p{i}", "tonic", "yes" if i % 2 else "no", "yes", "yes" if i % 2 or i % 3 == 0 else "no")
    ...     for i in range(40)
    ... ]
    >>> pairs = pd.DataFrame(rows, columns=["video_id", "patient_id", "feature", "truth", "first", "second"])
    >>> f1 = compare_pairs(pairs, ["tonic"]).macro["f1"]
    >>> round(f1.difference.value, 3), f1.p_value < 0.05
    (0.184, True)
    """
    found = set(pairs["feature"])
    tables = paired_tables(pairs, [name for name in features if name in found])
    return compare_tables(tables, flips=flips, seed=seed, margin=margin, alpha=alpha)


def compare_tables(
    tables: PairedTables,
    *,
    flips: int = FLIPS,
    seed: int = 0,
    margin: float = MARGIN,
    alpha: float = ALPHA,
) -> PairedComparison:
    """Compare two conditions by their counting tables; as `compare_pairs`, which makes them."""
    tables = part_of(tables, tables.features)
    if not tables.features or not tables.patients:
        raise ValueError("no recording with a truth was answered by both → there is nothing to compare")
    signs = draw_flips(len(tables.patients), flips, seed)
    sides = _sides(tables)
    deciding = int((tables.changed.sum(1) > 0).sum())
    used = {m: np.flatnonzero(~np.isnan(sides.first[m])) for m in END_POINTS}
    options = {"margin": margin, "alpha": alpha}
    macro = _macro_scores(tables, sides, used, signs, options) if all(map(len, used.values())) else {}
    both = set.intersection(*(set(at.tolist()) for at in used.values()))
    return PairedComparison(
        macro=macro,
        macro_features={m: tuple(tables.features[i] for i in at) for m, at in used.items()},
        left_out=tuple(name for i, name in enumerate(tables.features) if i not in both),
        features=_features(tables, sides, signs, options),
        n_patients=len(tables.patients),
        n_deciding=deciding,
        flips=len(signs),
        exact=signs.exact,
        smallest_p=float(max(smallest_p(deciding), signs.p_value(np.zeros(1))[0])),
        seed=seed,
        counts={
            m: paired_feature_count(tables, m, sides.second[m] - sides.first[m], signs) for m in END_POINTS
        },
        **options,
    )


def _sides(tables: PairedTables) -> _Sides:
    names = tables.features
    first, second = (measures_of(each.sum(0), names) for each in (tables.first, tables.second))
    a, b = (measures_of(each.sum(0) - each, names) for each in (tables.first, tables.second))
    return _Sides(first, second, {name: b[name] - a[name] for name in MEASURES})


def _macro_scores(
    tables: PairedTables,
    sides: _Sides,
    used: Mapping[str, Codes],
    signs: Flips,
    options: dict[str, float],
) -> dict[str, PairedScore]:
    """Return the primary end points; the two of them are one family."""
    seen = np.array([float((sides.second[m] - sides.first[m])[used[m]].mean()) for m in END_POINTS])
    flipped, deciding = [], []
    for measure, value in zip(END_POINTS, seen, strict=True):
        # The macro difference under each draw; features may differ among themselves.
        targets = np.full(len(tables.features), np.nan)
        targets[used[measure]] = value
        own = contributions(tables, measure, targets)[:, used[measure]].mean(1)
        flipped.append(signs.sums(own[:, None])[:, 0])
        deciding.append(int((tables.changed[:, used[measure]].sum(1) > 0).sum()))
    p = p_values(seen, np.stack(flipped, axis=1), signs, np.array(deciding))
    scores = {}
    for i, measure in enumerate(END_POINTS):
        at = used[measure]
        scored = scored_truths(tables.first[:, at], [tables.features[j] for j in at])
        sizes = scored.sum(axis=(1, 2, 3))
        # A mean over one feature is that feature, and needs as many patients.
        few = _withheld(scored[:, 0], measure) if len(at) == 1 else None
        scores[measure] = paired_score(
            measure,
            [side[measure][at].mean() for side in (sides.first, sides.second)],
            float(seen[i]),
            mean_defined(sides.left_out[measure][np.ix_(np.flatnonzero(sizes > 0), at)]),
            [row[i] if few is None else float("nan") for row in p],
            options,
            effective=effective_patients(sizes),
            n_discordant=int(tables.changed[:, at].sum()),
            n=int(scored.sum()),
            n_patients=int((sizes > 0).sum()),
            caution=few_showing(int((scored[:, :, YES].sum(axis=(1, 2)) > 0).sum())),
            withheld=few,
        )
    return scores


def paired_score(
    measure: str,
    sides: Sequence[float],
    value: float,
    left_out: Floats,
    p_values: Sequence[float],
    options: dict[str, float],
    *,
    effective: float,
    n_discordant: int,
    n: int,
    n_patients: int,
    caution: str | None = None,
    withheld: str | None = None,
    one_more: bool = False,
) -> PairedScore:
    """Return a score of two conditions with interval and equivalence.

    Args:
        measure, sides, value: its name, the scores of both, and second minus first.
        left_out: the difference without each patient, shape (P,). effective: patients that they weigh like.
        p_values: plain, max-T, Holm, BH. options: ``margin`` and ``alpha``.
        n_discordant, n, n_patients: recordings about which the two differ; recordings and patients.
        caution, withheld: as in `jackknife_estimate`. one_more: as in `score_equivalence`.
    """
    difference = jackknife_estimate(
        value, left_out, effective=effective, n=n, n_patients=n_patients, caution=caution, withheld=withheld
    )
    # Without an interval there is no claim of equivalence either.
    verdict = score_equivalence(
        value,
        left_out,
        effective=effective,
        n=n,
        n_patients=n_patients,
        n_discordant=n_discordant,
        one_more=one_more,
        withheld=withheld,
        margin=options["margin"],
        alpha=options["alpha"],
    )
    first, second = map(float, sides)
    plain, max_t, holm, bh = map(float, p_values)
    return PairedScore(measure, first, second, difference, plain, max_t, holm, bh, verdict)


def _withheld(scored: Floats, measure: str) -> str | None:
    """Return why a measure of one feature, from tables (P, 3, 4), has no interval and leaves the family."""
    positive, negative = NEEDS[measure]
    with_feature, without = scored[:, YES].sum(-1), scored[:, 1:].sum(axis=(1, 2))
    few = too_few(
        int((with_feature > 0).sum()) if positive else None, int((without > 0).sum()) if negative else None
    )
    if few is None and positive:
        few = uneven(effective_patients(with_feature), "recordings with the feature")
    if few is None and negative:
        few = uneven(effective_patients(without), "recordings without the feature")
    return few


def _effective(scored: Floats, measure: str) -> float:
    """Return the effective patients of the scarcer kind of recordings that a measure rests on."""
    kinds = [scored[:, YES].sum(-1), scored[:, 1:].sum(axis=(1, 2))]
    needed = [effective_patients(kind) for kind, needs in zip(kinds, NEEDS[measure], strict=True) if needs]
    return min(needed, default=effective_patients(scored.sum(axis=(1, 2))))


def _features(
    tables: PairedTables, sides: _Sides, signs: Flips, options: dict[str, float]
) -> tuple[PairedFeature, ...]:
    scored = scored_truths(tables.first, tables.features)
    tested = {m: family_p_values(tables, m, sides.second[m] - sides.first[m], signs) for m in MEASURES}
    few, p = {m: found[0] for m, found in tested.items()}, {m: found[1] for m, found in tested.items()}
    deciding = (tables.changed > 0).sum(0)
    always_yes = feature_table_scores(tables.first.sum(0), tables.features)["always_yes_f1"]
    made = []
    for i, name in enumerate(tables.features):
        own_tables = scored[:, i]
        positive = own_tables[:, YES].sum(-1)
        sizes = own_tables.sum(axis=(1, 2))
        n, patients = int(sizes.sum()), int((sizes > 0).sum())
        changed = tables.changed[:, i]
        scores = {
            measure: paired_score(
                measure,
                [side[measure][i] for side in (sides.first, sides.second)],
                float((sides.second[measure] - sides.first[measure])[i]),
                sides.left_out[measure][sizes > 0, i],
                [row[i] for row in p[measure]],
                options,
                effective=_effective(own_tables, measure),
                n_discordant=int(changed.sum()),
                n=n,
                n_patients=patients,
                withheld=few[measure][i],
                one_more=True,
            )
            for measure in MEASURES
        }
        only = int(tables.only_first[i]), int(tables.only_second[i])
        made.append(
            PairedFeature(
                feature=name,
                scores=scores,
                always_yes_f1=float(always_yes[i]),
                n=n,
                n_patients=patients,
                n_positive=int(positive.sum()),
                n_positive_patients=int((positive > 0).sum()),
                n_changed=int(changed.sum()),
                n_deciding=int(deciding[i]),
                only_first=only[0],
                only_second=only[1],
                mcnemar_p=mcnemar_mid_p(*only),
            )
        )
    return tuple(made)


def family_p_values(
    tables: PairedTables, measure: str, seen: Floats, signs: Flips
) -> tuple[list[str | None], tuple[Floats, ...]]:
    """Return why each feature is outside the family of a measure (None: it is in), and the p-values of all.

    ``seen`` are the differences, shape (F,). The p-values are plain, by max-T, by Holm and by Benjamini-Hochberg, each
    of shape (F,); those of features outside the family are plain only.
    """
    scored = scored_truths(tables.first, tables.features)
    few = [_withheld(scored[:, i], measure) for i in range(len(tables.features))]
    own = contributions(tables, measure, seen)
    family = np.array([each is None for each in few])
    deciding = (tables.changed > 0).sum(0)
    return few, p_values(seen, signs.sums(own), signs, deciding, family, tail_freedom(own))


def p_values(
    seen: Floats,
    flipped: Floats,
    signs: Flips,
    deciding: Codes,
    family: Bools | None = None,
    freedom: Floats | None = None,
) -> tuple[Floats, ...]:
    """Return p-values plain, by max-T, by Holm and by Benjamini-Hochberg, each of shape (F,).

    What is not in the ``family`` has its plain p-value and no adjusted one, and costs the others nothing.
    """
    least = smallest_p(deciding)
    plain = np.maximum(flip_p_value(seen, flipped, signs), least)
    tested = seen if family is None else np.where(family, seen, np.nan)
    max_t = np.maximum(max_t_p_value(tested, flipped, signs, freedom), least)
    own = np.where(np.isnan(tested), np.nan, plain)
    return plain, max_t, adjusted(own, "holm"), adjusted(own, "fdr_bh")
