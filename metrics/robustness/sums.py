"""Sums over patients from which every robustness measure of a feature follows.

A patient resample is a vector of weights, so the sums of 2,000 resamples are one matrix product; every
measure is then arithmetic on a handful of sums and on the scores of the wordings.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from semiology.metrics.agreement import wording_agreement
from semiology.metrics.robustness import measures as robustness
from semiology.metrics.robustness import polarity
from semiology.metrics.robustness.answers import WordingAnswers, with_patients
from semiology.metrics.robustness.auroc import Discrimination
from semiology.metrics.robustness.wording_scores import (
    RATES,
    WORDING_SCORES,
    patient_wording_tables,
    wording_scores,
)
from semiology.metrics.scores.classification import Policy, ratio
from semiology.metrics.scores.counts import NO, YES, Floats

WORST_AT = (1, 5, 10)
SPREAD_AT = 5


class FeatureSums:
    """Sums over each patient's recordings of everything that the measures of one feature need."""

    def __init__(self, answers: WordingAnswers, patients: Sequence[str], policy: Policy) -> None:
        """Sum over each patient's recordings; ``patients`` fixes the order of the weights (P)."""
        self.answers, self.policy = answers, policy
        patient = with_patients(answers, patients)
        self.tables = patient_wording_tables(answers, patient, len(patients))
        self.discrimination = Discrimination(answers, patient, len(patients))
        parts = _recording_parts(answers, policy)
        columns = [np.asarray(part, dtype=np.float64).reshape(len(patient), -1) for part in parts.values()]
        ends = np.cumsum([column.shape[1] for column in columns])
        self.places = dict(zip(parts, np.split(np.arange(ends[-1]), ends[:-1]), strict=True))
        self.sums = np.zeros((len(patients), int(ends[-1])))
        np.add.at(self.sums, patient, np.concatenate(columns, axis=1))
        self._last: tuple[Floats, dict[str, Floats]] | None = None

    def per_wording(self, weights: Floats) -> dict[str, Floats]:
        """Return the scores of each wording for patient weights (B, P), each (B, K)."""
        if self._last is None or self._last[0] is not weights:
            drawn = (weights @ self.tables.reshape(len(self.tables), -1)).reshape(
                len(weights), *self.tables.shape[1:]
            )
            scores = wording_scores(drawn, self.policy, three_classes=self.answers.three_classes)
            self._last = (weights, scores)
        return self._last[1]

    def measures(self, weights: Floats) -> dict[str, Floats]:
        """Return every measure for patient weights (B, P), each (B,)."""
        summed = weights @ self.sums
        total = {
            name: summed[:, place] if name in ("values", "shares") else summed[:, place[0]]
            for name, place in self.places.items()
        }
        scores = self.per_wording(weights)
        found = _score_measures(scores, self.answers.reference)
        found |= {name: robustness.mean_over_wordings(scores[name]) for name in RATES}
        found["avg_p"] = found["accuracy"]
        found["auroc"] = self.discrimination.mean(weights)
        # 2 p / (1 + p) at prevalence p: the F1 of yes to everything, undefined where nobody shows the feature.
        shown = np.where(found["prevalence"] > 0, found["prevalence"], np.nan)
        found["always_yes_f1"] = 2 * shown / (1 + shown)
        for name in [name for name in total if f"{name}:n" in total and name[0] != "_"]:
            found[name] = ratio(total[name], total[f"{name}:n"])
        found["pss"] = ratio(total["pss_raw"], total["pss_maximum"])
        for m in WORST_AT:
            halves = [
                ratio(total[f"_worst_{m}_{c}"], total[f"_worst_{m}_{c}:n"]) for c in _classes(self.answers)
            ]
            found[f"balanced_worst_at_{m}"] = sum(halves[1:], halves[0]) / len(halves)
        found["ensemble_gain"] = found["ensemble_accuracy"] - found["avg_p"]
        found["alpha"] = wording_agreement.krippendorff_alpha(total)
        found["agreement"] = wording_agreement.observed_agreement(total)
        found["fleiss_kappa"] = wording_agreement.fleiss_kappa(total)
        found["gwet_ac1"] = wording_agreement.gwet_ac1(total)
        found["yes_bias"] = polarity.yes_bias(found["yes_to_both"], found["no_to_both"])
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
    pairs = polarity.polarity_pairs(answers.polarities)
    outcomes = polarity.polarity_outcomes(answers.answers, pairs)
    means |= dict(zip(polarity.POLARITY_MEASURES[:3], outcomes[:3], strict=True))
    js = (
        wording_agreement.mean_jensen_shannon(answers.p_yes)
        if answers.p_yes is not None
        else np.full(len(k), np.nan)
    )
    means["js_distance"] = js
    parts = wording_agreement.agreement_sums(
        wording_agreement.rating_counts(answers.answers, usable, classes)
    )
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
        found[name] = robustness.mean_over_wordings(each)
        found[f"{name}_best"] = robustness.best(each)
        found[f"{name}_worst"] = robustness.worst(each)
        found[f"{name}_spread"] = found[f"{name}_best"] - found[f"{name}_worst"]
        found[f"{name}_spread_at_{SPREAD_AT}"] = robustness.spread_at(each, SPREAD_AT)
        found[f"{name}_saturation"] = 1 - (found[f"{name}_best"] - found[name])
        found[f"{name}_cps"] = found[f"{name}_saturation"] * found[f"{name}_best"]
        if reference is not None:
            found[f"{name}_reference"] = each[:, reference]
            found[f"{name}_drop"] = robustness.performance_drop(each, reference)
            found[f"{name}_absolute_drop"] = robustness.absolute_drop(each, reference)
    return found
