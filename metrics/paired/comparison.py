"""Two conditions compared on the same recordings: effect, interval, tests and equivalence.

The primary end points are the macro means over features (balanced accuracy, F1). Results of single features
are exploratory: on 90 recordings hardly any can be shown. Differences are second minus first throughout.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from semiology.metrics.arrays import Codes, Floats, mean_defined
from semiology.metrics.paired.contributions import contributions
from semiology.metrics.paired.tables import END_POINTS, MEASURES, PairedTables, measures_of, paired_tables
from semiology.metrics.scores.aggregation import THREE_CLASSES
from semiology.metrics.scores.classification import feature_table_scores
from semiology.metrics.scores.counts import YES
from semiology.metrics.statistics.equivalence import Equivalence, score_equivalence
from semiology.metrics.statistics.intervals import (
    RESAMPLES,
    Estimate,
    bootstrap_estimate,
    few_showing,
    patient_weights,
    resampled_tables,
    too_few,
)
from semiology.metrics.statistics.mcnemar import mcnemar_mid_p
from semiology.metrics.statistics.sign_flip import (
    FLIPS,
    Flips,
    draw_flips,
    flip_p_value,
    max_t_p_value,
    smallest_p,
)

if TYPE_CHECKING:
    import pandas as pd

MARGIN = 0.05
ALPHA = 0.05


@dataclass(frozen=True)
class PairedScore:
    """One score of two conditions.

    Attributes:
        measure: ``balanced_accuracy``, ``f1`` or (of single features) ``accuracy``.
        first, second: the scores. difference: second minus first, with its 95 % patient-bootstrap interval.
        p_value: of the patient sign-flip test, two-sided.
        p_max_t, p_holm, p_bh: the same, adjusted for the family tested together: all features, or the two
            primary end points. Max-T and Holm keep the chance of any false claim, BH the share of false ones.
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
        macro_features: features of which both measures are defined. left_out: the others, asked yet without
            both yes and no in the truth.
        features: exploratory results, in the order given.
        n_patients: patients with a recording scored. n_deciding: those about whom the conditions differ.
        flips, exact, smallest_p: draws of the sign-flip test, whether they are all there are, and the
            smallest p-value that they can give.
        resamples, seed, margin, alpha: of the bootstrap, of both, of the equivalence tests, and of all tests.
    """

    macro: Mapping[str, PairedScore]
    macro_features: tuple[str, ...]
    left_out: tuple[str, ...]
    features: tuple[PairedFeature, ...]
    n_patients: int
    n_deciding: int
    flips: int
    exact: bool
    smallest_p: float
    resamples: int
    seed: int
    margin: float
    alpha: float


@dataclass(frozen=True)
class _Drawn:
    """Scores by measure: of both conditions on the data (F,), and differences resampled (B, F)."""

    first: Mapping[str, Floats]
    second: Mapping[str, Floats]
    resampled: Mapping[str, Floats]


def compare_pairs(
    pairs: pd.DataFrame,
    features: Sequence[str],
    *,
    flips: int = FLIPS,
    resamples: int = RESAMPLES,
    seed: int = 0,
    margin: float = MARGIN,
    alpha: float = ALPHA,
) -> PairedComparison:
    """Compare two conditions on the recordings that both answered.

    Args:
        pairs: columns `paired_tables.PAIR_COLUMNS`, one row per recording and feature.
        features: order of the features; those that no row is about are skipped.
        flips: draws of the sign-flip test (all possibilities are enumerated where they are fewer).
        resamples, seed: draws of the patient bootstrap; the seed is that of the flips too.
        margin, alpha: largest difference that counts as none, fixed before looking; level of the tests.

    Raises:
        ValueError: there is nothing to compare, or a column, value or option is not usable.

    >>> import pandas as pd
    >>> rows = [
    ...     (f"v{i}", f"p{i}", "tonic", "yes" if i % 2 else "no", "yes", "yes" if i % 2 or i % 3 == 0 else "no")
    ...     for i in range(40)
    ... ]
    >>> pairs = pd.DataFrame(rows, columns=["video_id", "patient_id", "feature", "truth", "first", "second"])
    >>> f1 = compare_pairs(pairs, ["tonic"], resamples=200).macro["f1"]
    >>> round(f1.difference.value, 3), f1.p_value < 0.05
    (0.184, True)
    """
    found = set(pairs["feature"])
    tables = paired_tables(pairs, [name for name in features if name in found])
    if not tables.features or not tables.first[:, :, :2].sum():
        raise ValueError("no recording with a truth was answered by both → there is nothing to compare")
    signs = draw_flips(len(tables.patients), flips, seed)
    drawn = _draw(tables, resamples, seed)
    deciding = int((tables.changed.sum(1) > 0).sum())
    used = np.flatnonzero(~np.isnan(drawn.first["f1"]) & ~np.isnan(drawn.first["balanced_accuracy"]))
    options = {"margin": margin, "alpha": alpha}
    macro = _macro_scores(tables, drawn, used, signs, options) if len(used) else {}
    return PairedComparison(
        macro=macro,
        macro_features=tuple(tables.features[i] for i in used),
        left_out=tuple(name for i, name in enumerate(tables.features) if i not in set(used.tolist())),
        features=_features(tables, drawn, signs, options),
        n_patients=int((_scored(tables.first, tables.features).sum(axis=(1, 2, 3)) > 0).sum()),
        n_deciding=deciding,
        flips=len(signs.signs),
        exact=signs.exact,
        smallest_p=float(max(smallest_p(deciding), signs.p_value(np.zeros(1))[0])),
        resamples=resamples,
        seed=seed,
        **options,
    )


def adjusted(p_values: Floats, method: Literal["holm", "fdr_bh"]) -> Floats:
    """Return p-values adjusted for their number; NaN stays NaN and counts for nothing.

    Benjamini and Hochberg's are SciPy's. Holm is computed here, though statsmodels has both: its function
    collects garbage at every call, which takes longer than the whole comparison.
    """
    from scipy.stats import false_discovery_control

    result: Floats = np.full(p_values.shape, np.nan)
    known = ~np.isnan(p_values)
    values = p_values[known]
    if len(values) and method == "fdr_bh":
        result[known] = false_discovery_control(values, method="bh")
    elif len(values):
        order = np.argsort(values, kind="stable")
        steps = np.maximum.accumulate(values[order] * np.arange(len(values), 0, -1))
        result[np.flatnonzero(known)[order]] = np.minimum(steps, 1.0)
    return result


def _draw(tables: PairedTables, resamples: int, seed: int) -> _Drawn:
    names = tables.features
    weights = patient_weights(len(tables.patients), resamples, np.random.default_rng(seed))
    first, second = (measures_of(each.sum(0), names) for each in (tables.first, tables.second))
    a, b = (measures_of(resampled_tables(each, weights), names) for each in (tables.first, tables.second))
    return _Drawn(first, second, {name: b[name] - a[name] for name in MEASURES})


def _macro_scores(
    tables: PairedTables, drawn: _Drawn, used: np.ndarray, signs: Flips, options: dict[str, float]
) -> dict[str, PairedScore]:
    """Return the primary end points; the two of them are one family."""
    seen = np.array([float((drawn.second[m] - drawn.first[m])[used].mean()) for m in END_POINTS])
    flipped = []
    for measure, value in zip(END_POINTS, seen, strict=True):
        # The macro difference under each draw; features may differ among themselves.
        targets = np.full(len(tables.features), np.nan)
        targets[used] = value
        flipped.append(signs.signs @ contributions(tables, measure, targets)[:, used].mean(1))
    deciding = np.full(len(seen), int((tables.changed[:, used].sum(1) > 0).sum()))
    p = _p_values(seen, np.stack(flipped, axis=1), signs, deciding)
    scored = _scored(tables.first[:, used], [tables.features[i] for i in used])
    scores = {}
    for i, measure in enumerate(END_POINTS):
        scores[measure] = _paired_score(
            measure,
            [side[measure][used].mean() for side in (drawn.first, drawn.second)],
            float(seen[i]),
            mean_defined(drawn.resampled[measure][:, used]),
            [row[i] for row in p],
            options,
            n_discordant=int(tables.changed[:, used].sum()),
            n=int(scored.sum()),
            n_patients=int((scored.sum(axis=(1, 2, 3)) > 0).sum()),
            caution=few_showing(int((scored[:, :, YES].sum(axis=(1, 2)) > 0).sum())),
        )
    return scores


def _paired_score(
    measure: str,
    sides: Sequence[float],
    value: float,
    resampled: Floats,
    p_values: Sequence[float],
    options: dict[str, float],
    *,
    n_discordant: int,
    n: int,
    n_patients: int,
    caution: str | None = None,
    withheld: str | None = None,
) -> PairedScore:
    difference = bootstrap_estimate(
        value, resampled, n=n, n_patients=n_patients, caution=caution, withheld=withheld
    )
    # Without an interval there is no claim of equivalence either.
    drawn = resampled if withheld is None else np.full(len(resampled), np.nan)
    verdict = score_equivalence(
        value, drawn, n=n, n_patients=n_patients, n_discordant=n_discordant, **options
    )
    first, second = map(float, sides)
    plain, max_t, holm, bh = map(float, p_values)
    return PairedScore(measure, first, second, difference, plain, max_t, holm, bh, verdict)


def _features(
    tables: PairedTables, drawn: _Drawn, signs: Flips, options: dict[str, float]
) -> tuple[PairedFeature, ...]:
    seen = {m: drawn.second[m] - drawn.first[m] for m in MEASURES}
    deciding = (tables.changed > 0).sum(0)
    p = {
        m: _p_values(seen[m], signs.signs @ contributions(tables, m, seen[m]), signs, deciding)
        for m in MEASURES
    }
    always_yes = feature_table_scores(tables.first.sum(0), tables.features)["always_yes_f1"]
    made = []
    for i, name in enumerate(tables.features):
        scored = _scored(tables.first[:, i : i + 1], [name])[:, 0]
        positive = scored[:, YES].sum(-1)
        negatives = int((scored[:, 1:].sum(axis=(1, 2)) > 0).sum())
        n, patients = int(scored.sum()), int((scored.sum(axis=(1, 2)) > 0).sum())
        changed = tables.changed[:, i]
        positives = int((positive > 0).sum())
        scores = {
            measure: _paired_score(
                measure,
                [side[measure][i] for side in (drawn.first, drawn.second)],
                float(seen[measure][i]),
                drawn.resampled[measure][:, i],
                [row[i] for row in p[measure]],
                options,
                n_discordant=int(changed.sum()),
                n=n,
                n_patients=patients,
                withheld=too_few(positives, negatives),
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
                n_positive_patients=positives,
                n_changed=int(changed.sum()),
                n_deciding=int(deciding[i]),
                only_first=only[0],
                only_second=only[1],
                mcnemar_p=mcnemar_mid_p(*only),
            )
        )
    return tuple(made)


def _p_values(seen: Floats, flipped: Floats, signs: Flips, deciding: Codes) -> tuple[Floats, ...]:
    """Return p-values plain, by max-T, by Holm and by Benjamini-Hochberg, each of shape (F,)."""
    least = smallest_p(deciding)
    plain = np.maximum(flip_p_value(seen, flipped, signs), least)
    max_t = np.maximum(max_t_p_value(seen, flipped, signs), least)
    return plain, max_t, adjusted(plain, "holm"), adjusted(plain, "fdr_bh")


def _scored(tables: Floats, features: Sequence[str]) -> Floats:
    """Return tables (P, F, 3, 4) without the rows of truth that are not scored."""
    kept = tables.copy()
    for i, name in enumerate(features):
        if name not in THREE_CLASSES:
            kept[:, i, 2] = 0
    return kept
