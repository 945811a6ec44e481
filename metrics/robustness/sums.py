"""Sums over patients from which every robustness measure of a feature follows.

A patient resample is a vector of weights, so the sums of 2,000 resamples are one matrix product; every
measure is then arithmetic on a handful of sums and on the scores of the wordings.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial

import numpy as np

from semiology.metrics.agreement import coefficients
from semiology.metrics.arrays import Codes, Floats, mean_defined, ratio
from semiology.metrics.robustness import measures as robustness
from semiology.metrics.robustness.answers import WordingAnswers
from semiology.metrics.robustness.measures import WORDING_SCORES
from semiology.metrics.scores.classification import Policy, table_scores
from semiology.metrics.scores.counts import NO, YES
from semiology.metrics.statistics.bootstrap import PatientSums
from semiology.metrics.statistics.intervals import resampled_tables

RATES = ("yes_rate", "unparsed_rate", "prevalence", "always_yes_f1")
WORST_AT = (1, 5, 10)
SPREAD_AT = 5
SENSITIVITY: Mapping[str, Callable[[Floats], Floats]] = {
    "": mean_defined,
    "_best": robustness.best,
    "_worst": robustness.worst,
    "_spread": robustness.spread,
    f"_spread_at_{SPREAD_AT}": partial(robustness.spread_at, m=SPREAD_AT),
    "_saturation": robustness.saturation,
    "_cps": robustness.combined_performance,
}
"""What the scores of the wordings say about sensitivity, by what it adds to the name of the score."""


class Discrimination:
    """AUROC of P(yes): does the model rank recordings with the feature above those without, wherever yes begins?

    It is counted in pairs of a recording with and one without the feature, summed over their patients. A resample with
    weights w then has the AUROC w C w / w T w for concordant pairs C and all pairs T, both (P, P): a bootstrap needs
    one matrix product, not one ranking for each resample. ``per_wording`` is the AUROC of each wording on the data,
    shape (K,); NaN without probabilities or with one class only.
    """

    def __init__(self, answers: WordingAnswers, patient: Codes, n_patients: int) -> None:
        """Count the pairs; recordings whose P(yes) is unknown under some wording are left out of all."""
        k = len(answers.wordings)
        self.per_wording: Floats = np.full(k, np.nan)
        self._concordant: Floats = np.zeros((n_patients, n_patients))
        self._pairs: Floats = np.zeros((n_patients, n_patients))
        if answers.p_yes is None:
            return
        known = ~np.isnan(answers.p_yes).any(0)
        positive, negative = (np.flatnonzero(known & (answers.truth == c)) for c in (YES, NO))
        if not len(positive) or not len(negative):
            return
        member = np.eye(n_patients)
        rows, columns = member[patient[positive]].T, member[patient[negative]]
        self._pairs = np.outer(rows.sum(1), columns.sum(0))
        for place, p in enumerate(answers.p_yes):
            over = p[positive][:, None] - p[negative]
            wins = (over > 0) + 0.5 * (over == 0)
            self.per_wording[place] = wins.mean()
            self._concordant += rows @ wins @ columns / k

    def mean(self, weights: Floats) -> Floats:
        """Return the mean AUROC over wordings for patient weights (B, P), shape (B,).

        0.5 is chance, ties count half (Hanley and McNeil, Radiology 143 (1982) 29-36). NaN in a resample
        without a pair.
        """
        won = np.einsum("bp,bp->b", weights @ self._concordant, weights)
        return ratio(won, np.einsum("bp,bp->b", weights @ self._pairs, weights))


class FeatureSums:
    """Sums over each patient's recordings of everything that the measures of one feature need."""

    def __init__(self, answers: WordingAnswers, patients: Sequence[str], policy: Policy) -> None:
        """Sum over each patient's recordings; ``patients`` fixes the order of the weights (P)."""
        self.answers, self.policy = answers, policy
        place = {name: i for i, name in enumerate(patients)}
        patient = np.array([place[name] for name in answers.patients], dtype=np.int64)[answers.patient]
        self.tables = answers.tables(patient, len(patients))
        self.discrimination = Discrimination(answers, patient, len(patients))
        self.sums = PatientSums(_recording_parts(answers, policy), patient, len(patients))
        self._last: tuple[Floats, dict[str, Floats]] | None = None

    def per_wording(self, weights: Floats) -> dict[str, Floats]:
        """Return the scores of each wording for patient weights (B, P), each (B, K)."""
        if self._last is None or self._last[0] is not weights:
            drawn = resampled_tables(self.tables, weights)
            scores = table_scores(drawn, self.policy, three_classes=self.answers.three_classes)
            self._last = (weights, {name: scores[name] for name in (*WORDING_SCORES, *RATES)})
        return self._last[1]

    def measures(self, weights: Floats) -> dict[str, Floats]:
        """Return every measure for patient weights (B, P), each (B,)."""
        total = self.sums.drawn(weights)
        scores = self.per_wording(weights)
        found = _score_measures(scores, self.answers.reference)
        found |= {name: mean_defined(scores[name]) for name in RATES}
        found["avg_p"] = found["accuracy"]
        found["auroc"] = self.discrimination.mean(weights)
        for name in [name for name in total if f"{name}:n" in total and name[0] != "_"]:
            found[name] = ratio(total[name], total[f"{name}:n"])
        found["pss"] = ratio(total["pss_raw"], total["pss_maximum"])
        for m in WORST_AT:
            halves = [
                ratio(total[f"_worst_{m}_{c}"], total[f"_worst_{m}_{c}:n"]) for c in _classes(self.answers)
            ]
            found[f"balanced_worst_at_{m}"] = sum(halves[1:], halves[0]) / len(halves)
        found["ensemble_gain"] = found["ensemble_accuracy"] - found["avg_p"]
        found["alpha"] = coefficients.alpha_of_sums(total)
        found["agreement"] = coefficients.observed_agreement(total)
        found["fleiss_kappa"] = coefficients.fleiss_of_sums(total)
        found["gwet_ac1"] = coefficients.ac1_of_sums(total)
        found["yes_bias"] = found["yes_to_both"] - found["no_to_both"]
        return found


def _classes(answers: WordingAnswers) -> tuple[int, ...]:
    """Return the classes found in the truth; balanced Worst@m is undefined for yes/no with one class only."""
    return tuple(sorted(set(answers.truth.tolist()))) if answers.three_classes else (YES, NO)


def _recording_parts(answers: WordingAnswers, policy: Policy) -> dict[str, Floats]:
    """Return per-recording parts by name; ``x`` with ``x:n`` are numerator and denominator of a mean."""
    usable, counted = answers.usable, answers.counted(policy)
    right = answers.right
    k = (right & counted).sum(0).astype(np.float64)
    of = counted.sum(0).astype(np.float64)
    classes = 3 if answers.three_classes else 2
    means: dict[str, Floats] = {}
    for m in WORST_AT:
        means[f"worst_at_{m}"] = robustness.worst_at(k, of, m)
        for c in _classes(answers):
            means[f"_worst_{m}_{c}"] = np.where(answers.truth == c, means[f"worst_at_{m}"], np.nan)
    names = ("always_right", "always_wrong", "flips")
    means |= dict(zip(names, robustness.flips(k, of), strict=True))
    means["pss_raw"] = robustness.prompt_sensitivity(k, of)
    credit = robustness.majority_credit(answers.answers, answers.truth, usable, classes)
    means["ensemble_accuracy"] = np.where(of > 0, credit, np.nan)
    pairs = robustness.polarity_pairs(answers.polarities)
    outcomes = robustness.polarity_outcomes(answers.answers, pairs)
    means |= dict(zip(robustness.POLARITY_MEASURES[:3], outcomes[:3], strict=True))
    means["js_distance"] = np.full(len(k), np.nan)
    if answers.p_yes is not None:
        means["js_distance"] = coefficients.mean_jensen_shannon(answers.p_yes)
    parts = coefficients.agreement_sums(coefficients.rating_counts(answers.answers, usable, classes))
    parts["pss_maximum"] = np.nan_to_num(robustness.prompt_sensitivity_maximum(of))
    for name, values in means.items():
        parts[name] = np.nan_to_num(values)
        parts[f"{name}:n"] = (~np.isnan(values)).astype(np.float64)
    return parts


def _score_measures(scores: Mapping[str, Floats], reference: int | None) -> dict[str, Floats]:
    """Return what the scores of the wordings, each (B, K), say about sensitivity, each (B,)."""
    found: dict[str, Floats] = {}
    for name in WORDING_SCORES:
        each = scores[name]
        found |= {f"{name}{suffix}": measure(each) for suffix, measure in SENSITIVITY.items()}
        if reference is not None:
            found[f"{name}_reference"] = each[:, reference]
            found[f"{name}_drop"] = robustness.performance_drop(each, reference)
            found[f"{name}_absolute_drop"] = robustness.absolute_drop(each, reference)
    return found
