"""Robustness of features to wording: every measure with its patient-bootstrap interval, and macro means.

The same patients are drawn for all features in a resample, so macro means keep the correlation of features.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from semiology.metrics.arrays import Floats, mean_defined
from semiology.metrics.robustness.answers import WordingAnswers
from semiology.metrics.robustness.sums import WORST_AT, FeatureSums
from semiology.metrics.robustness.variance import VarianceShares, two_way_bootstrap, variance_shares
from semiology.metrics.scores.classification import Policy
from semiology.metrics.scores.counts import NO, YES
from semiology.metrics.statistics.intervals import (
    BOOTSTRAP,
    RESAMPLES,
    Estimate,
    bootstrap_estimate,
    few_showing,
    not_estimable,
    patient_weights,
    too_few,
)
from semiology.render.text import counted

HEADLINE = ("avg_p", *(f"worst_at_{m}" for m in WORST_AT))
BESIDE = ("balanced_accuracy", "yes_rate", "prevalence", "unparsed_rate", "alpha")
MACRO = (
    *HEADLINE, *BESIDE, "f1", "always_yes_f1", "flips", "pss", "ensemble_gain", "yes_bias", "js_distance",
    "auroc",
)  # fmt: skip
TWO_WAY = {
    "avg_p_two_way": "accuracy",
    "f1_two_way": "f1",
    "balanced_accuracy_two_way": "balanced_accuracy",
}
CHOSEN_HERE = "chosen on the recordings it is measured on: too high; see best_of_k for what it is worth"
_CHOSEN = ("_best", "_saturation", "_cps")


@dataclass(frozen=True)
class FeatureRobustness:
    """Robustness of one model's answers about one feature to K wordings.

    Attributes:
        feature: name. wordings: names, length K. families: of each.
        estimates: by name, each with an interval or a reason:
            `HEADLINE` and `BESIDE`; per score s of f1, accuracy, balanced_accuracy: s (mean over wordings),
            s_reference, s_best, s_worst, s_spread, s_spread_at_5, s_saturation, s_cps, s_drop (relative) and
            s_absolute_drop; pss (divided by its maximum), pss_raw, always_right, always_wrong, flips,
            balanced_worst_at_m, ensemble_accuracy, ensemble_gain, agreement (observed), fleiss_kappa,
            gwet_ac1, js_distance, auroc, consistent, yes_to_both, no_to_both, yes_bias, always_yes_f1 (as in
            `run_scores`: of three classes the mean over those found in the truth); and `TWO_WAY`.
        per_wording: scores of each wording by name of score (and auroc), shape (K,).
        f1_by_wording: F1 of each wording with its interval, length K.
        variance: where the variance of right and wrong lies.
        n, n_patients, n_positive_patients: recordings, patients, patients with the feature.
        n_left_out: recordings left out, as some wording was not asked about them or they carry no truth.
    """

    feature: str
    wordings: tuple[str, ...]
    families: tuple[str, ...]
    estimates: Mapping[str, Estimate]
    per_wording: Mapping[str, Floats]
    f1_by_wording: tuple[Estimate, ...]
    variance: VarianceShares
    n: int
    n_patients: int
    n_positive_patients: int
    n_left_out: int


@dataclass(frozen=True)
class Robustness:
    """Robustness of the features asked, and plain means over them (`MACRO`), the primary end point."""

    features: tuple[FeatureRobustness, ...]
    macro: Mapping[str, Estimate]


def robustness_of(
    answers: Sequence[WordingAnswers],
    *,
    policy: Policy = "wrong",
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> Robustness:
    """Compute all robustness measures of one model.

    Args:
        answers: one entry per feature.
        policy: ``wrong`` (primary) or ``drop`` (sensitivity analysis) for answers that cannot be used. With
            ``drop`` a recording is judged by the wordings that answered it.
        resamples, seed: of the bootstrap over patients (and, for `TWO_WAY`, over wordings too).

    Raises:
        ValueError: no feature is given.

    >>> from semiology.metrics.robustness.answers import wording_answers
    >>> import pandas as pd
    >>> rows = [
    ...     (wording, f"v{i}", f"p{i}", "yes" if i % 2 or (wording == "s3" and i % 4 == 0) else "no", truth)
    ...     for wording in ("s3", "minimal")
    ...     for i, truth in enumerate(["no", "yes"] * 20)
    ... ]
    >>> columns = ["prompt_id", "video_id", "patient_id", "answer", "truth"]
    >>> answers = wording_answers(pd.DataFrame(rows, columns=columns))
    >>> found = robustness_of([answers], resamples=200).features[0].estimates
    >>> round(found["accuracy"].value, 3), round(found["flips"].value, 3)
    (0.875, 0.25)
    """
    if not answers:
        raise ValueError("there are no answers to compare → give at least one feature")
    patients = sorted({name for each in answers for name in each.patients})
    weights = patient_weights(len(patients), resamples, np.random.default_rng(seed))
    once = np.ones((1, len(patients)))
    features, points, draws = [], [], []
    for each in answers:
        sums = FeatureSums(each, patients, policy)
        scores, point = sums.per_wording(once), sums.measures(once)
        drawn_scores, drawn = sums.per_wording(weights), sums.measures(weights)
        for name, score in TWO_WAY.items():
            point[name] = point[score]
            drawn[name] = two_way_bootstrap(drawn_scores[score], seed)
        features.append(_feature(each, sums, scores, point, drawn, drawn_scores["f1"]))
        points.append({name: point[name] for name in MACRO})
        draws.append({name: drawn[name] for name in MACRO})
    showing = {each.patients[place] for each in answers for place in each.patient[each.truth == YES].tolist()}
    macro = _macro(features, points, draws, len(patients), len(showing))
    return Robustness(tuple(features), macro)


def _feature(
    answers: WordingAnswers,
    sums: FeatureSums,
    scores: Mapping[str, Floats],
    point: Mapping[str, Floats],
    drawn: Mapping[str, Floats],
    drawn_f1: Floats,
) -> FeatureRobustness:
    """Return the robustness of a feature from scores (1, K), measures (1,) and (B,), and the F1 drawn (B, K)."""
    n, patients = len(answers.recordings), len(answers.patients)
    with_feature, without = (len(set(answers.patient[answers.truth == c].tolist())) for c in (YES, NO))
    estimates = {}
    for name, values in point.items():
        value = float(values[0])
        if np.isnan(value):
            estimates[name] = not_estimable(value, BOOTSTRAP, n, patients, _why_undefined(name, answers))
            continue
        balanced = name.startswith(("balanced", "auroc"))
        estimates[name] = bootstrap_estimate(
            value,
            drawn[name],
            n=n,
            n_patients=patients,
            caution=CHOSEN_HERE if name.endswith(_CHOSEN) else None,
            withheld=too_few(
                with_feature if balanced or name.startswith("f1") else None, without if balanced else None
            ),
        )
    # What withholds the interval of the mean withholds it of each wording: too few patients with the feature.
    few = too_few(with_feature, None) if math.isfinite(estimates["f1"].value) else None
    return FeatureRobustness(
        feature=answers.feature,
        wordings=answers.wordings,
        families=answers.families,
        estimates=estimates,
        per_wording={name: each[0] for name, each in scores.items()}
        | {"auroc": sums.discrimination.per_wording},
        f1_by_wording=tuple(
            bootstrap_estimate(float(value), drawn_f1[:, place], n=n, n_patients=patients, withheld=few)
            for place, value in enumerate(scores["f1"][0])
        ),
        variance=variance_shares(answers.right, answers.families, answers.patient),
        n=n,
        n_patients=patients,
        n_positive_patients=with_feature,
        n_left_out=answers.left_out,
    )


def _why_undefined(name: str, answers: WordingAnswers) -> str:
    k = len(answers.wordings)
    m = name.rpartition("_at_")[2]
    if m.isdigit() and int(m) > k:
        return f"only {counted(k, 'wording')} asked"
    if name in ("alpha", "fleiss_kappa", "gwet_ac1", "agreement", "pss", "pss_raw"):
        return (
            "fewer than two wordings gave answers" if k < 2 else "no two answers differ, or none can be used"
        )
    if name in ("consistent", "yes_to_both", "no_to_both", "yes_bias"):
        return "no feature was asked both positively and negatively, or no answer can be used"
    if name in ("js_distance", "auroc"):
        if answers.p_yes is None:
            return "the answers carry no probabilities"
        if name == "js_distance" and k < 2:
            return "only one wording was asked"
        return "probabilities are missing, or the truth holds one class only"
    if name.endswith("_drop"):
        return "the reference wording scores 0, or stands alone"
    if name.startswith(("f1", "balanced", "always_yes")):
        return (
            "the truth holds one class only"
            if (answers.truth == YES).any()
            else "no recording shows the feature"
        )
    return "no answer can be used"


def _macro(
    features: Sequence[FeatureRobustness],
    points: Sequence[Mapping[str, Floats]],
    draws: Sequence[Mapping[str, Floats]],
    n_patients: int,
    showing: int,
) -> dict[str, Estimate]:
    """Return plain means over the features in which a measure is defined, with joint patient intervals.

    As in `run_scores`, few patients who show any of the features (``showing``) give the means of
    scores that need them an interval with a caution, fewer than two none.
    """
    found = {}
    n = max(each.n for each in features)
    for name in MACRO:
        used = [i for i, each in enumerate(points) if not np.isnan(each[name][0])]
        if not used:
            reason = "undefined for every feature"
            found[name] = not_estimable(float("nan"), BOOTSTRAP, n, n_patients, reason)
            continue
        value = float(np.mean([points[i][name][0] for i in used]))
        drawn = mean_defined(np.stack([draws[i][name] for i in used], axis=-1))
        missing = [each.feature for i, each in enumerate(features) if i not in used]
        needs_feature = name.startswith(("f1", "balanced", "auroc"))
        cautions = [f"undefined for, and without, {', '.join(missing)}" if missing else None]
        cautions.append(few_showing(showing) if needs_feature else None)
        none = f"recordings with the features come from {counted(showing, 'patient')}"
        found[name] = bootstrap_estimate(
            value,
            drawn,
            n=n,
            n_patients=n_patients,
            caution="; ".join(filter(None, cautions)) or None,
            withheld=none if needs_feature and showing < 2 else None,
        )
    return found
