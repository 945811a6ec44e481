"""All scores of one run (one model, prompt and enhancement) from its recording answers.

The same patients are drawn for all features in a resample, so macro means keep the correlation
between features.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from semiology.metrics.arrays import Floats, mean_defined
from semiology.metrics.scores.aggregation import THREE_CLASSES
from semiology.metrics.scores.classification import Policy, binary_counts, class_counts, feature_table_scores
from semiology.metrics.scores.counts import NA, UNPARSED, YES, PatientTables, patient_tables
from semiology.metrics.statistics.intervals import (
    RESAMPLES,
    Estimate,
    bootstrap_estimate,
    few_showing,
    not_estimable,
    patient_weights,
    proportion_estimate,
    resampled_tables,
    too_few,
)
from semiology.metrics.statistics.sign_flip import smallest_p

if TYPE_CHECKING:
    import pandas as pd

CLAIM_LEVEL = 0.05
"""Level of the test that would have to be possible before a difference is claimed."""
NEED_POSITIVES = frozenset(
    {"precision", "recall", "f1", "balanced_accuracy", "mcc", "kappa", "f1_minus_always_yes"}
)
NEED_NEGATIVES = frozenset({"specificity", "balanced_accuracy", "mcc", "kappa"})
BOOTSTRAPPED = ("f1", "balanced_accuracy", "mcc", "kappa", "f1_minus_always_yes")
MACRO_SCORES = ("precision", "recall", "f1", "accuracy", "specificity", "balanced_accuracy", "mcc")
MACRO_BASELINES = ("always_yes_f1", "f1_minus_always_yes", "prevalence", "yes_rate", "unparsed_rate")


@dataclass(frozen=True)
class FeatureScores:
    """Scores of one feature.

    Attributes:
        feature: name.
        estimates: by name: precision, recall, f1, accuracy, specificity, balanced_accuracy, mcc, kappa,
            yes_rate, unparsed_rate, na_rate, f1_minus_always_yes, each with an interval or a reason.
        always_yes_f1, always_no_f1, random_f1, prevalence: baselines on the recordings scored.
        n: recordings scored. n_patients: their patients.
        n_positive, n_positive_patients: those whose truth is yes.
        n_unparsed, n_na: recordings answered so. n_na_truth: left out, as their truth is ``na`` (yes/no
            features).
        n_without_truth: left out, as nobody annotated them. n_dropped: left out by the policy ``drop``.
        three_classes: whether scores are means over yes, no and na.
    """

    feature: str
    estimates: Mapping[str, Estimate]
    always_yes_f1: float
    always_no_f1: float
    random_f1: float
    prevalence: float
    n: int
    n_patients: int
    n_positive: int
    n_positive_patients: int
    n_unparsed: int
    n_na: int
    n_na_truth: int
    n_without_truth: int
    n_dropped: int
    three_classes: bool

    @property
    def clears_chance(self) -> bool | None:
        """Whether F1 is above that of always-yes beyond the interval; None if nothing can be claimed."""
        return _clears(self.estimates["f1_minus_always_yes"])


@dataclass(frozen=True)
class MacroScores:
    """Plain means over features, with joint patient-bootstrap intervals.

    Attributes:
        group: name of the group of features.
        features: those averaged. left_out: those without a single positive recording, whose F1 is undefined.
        estimates: `MACRO_SCORES` and `MACRO_BASELINES` by name.
    """

    group: str
    features: tuple[str, ...]
    left_out: tuple[str, ...]
    estimates: Mapping[str, Estimate]

    @property
    def clears_chance(self) -> bool | None:
        """Whether macro F1 is above macro always-yes beyond the interval; None if nothing can be claimed."""
        return _clears(self.estimates["f1_minus_always_yes"])


@dataclass(frozen=True)
class RunScores:
    """Scores of the features asked, in the order given, and of the groups that have any of them."""

    features: tuple[FeatureScores, ...]
    macros: tuple[MacroScores, ...]


def _clears(difference: Estimate) -> bool | None:
    """Return whether a difference is above nothing; None without an interval, or with fewer patients than a test of
    its level needs to decide (six for 5 %)."""
    if difference.low is None or smallest_p(difference.n_patients) >= CLAIM_LEVEL:
        return None
    return difference.low > 0


def score_run(
    recordings: pd.DataFrame,
    features: Sequence[str] | None = None,
    groups: Mapping[str, Sequence[str]] | None = None,
    *,
    policy: Policy = "wrong",
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> RunScores:
    """Score the recording answers of one run; equal for any order of the rows.

    Args:
        recordings: columns patient_id, feature, answer, truth; one row per recording and feature.
        features: order of the features (default: sorted); those absent from the frame are skipped.
        groups: features of each macro mean (default: one group ``all``).
        policy: ``wrong`` or ``drop`` for answers that are neither yes nor no.
        resamples: bootstrap draws of patients.
        seed: of the draws.

    Raises:
        ValueError: a column or patient id is missing, or a value is outside its vocabulary.

    >>> import pandas as pd
    >>> rows = [(f"p{i}", "tonic", "yes" if i % 4 else "no", "yes" if i % 2 else "no") for i in range(40)]
    >>> run = score_run(pd.DataFrame(rows, columns=["patient_id", "feature", "answer", "truth"]))
    >>> f1 = run.features[0].estimates["f1"]
    >>> round(f1.value, 2), f1.n_patients, f1.low < f1.value < f1.high
    (0.8, 40, True)
    """
    found = set(recordings["feature"])
    names = sorted(found) if features is None else [name for name in features if name in found]
    tables = patient_tables(recordings, names)
    weights = patient_weights(len(tables.patients), resamples, np.random.default_rng(seed))
    drawn = feature_table_scores(resampled_tables(tables.counts, weights), names, policy)
    point = feature_table_scores(tables.counts.sum(0)[None], names, policy)
    scored = tuple(_score_feature(tables, i, point, drawn, policy) for i in range(len(names)))
    wanted = {"all": names} if groups is None else groups
    macros = (macro_estimate(group, members, tables, point, drawn) for group, members in wanted.items())
    return RunScores(scored, tuple(macro for macro in macros if macro.features or macro.left_out))


def _score_feature(
    tables: PatientTables, i: int, point: dict[str, Floats], drawn: dict[str, Floats], policy: Policy
) -> FeatureScores:
    name, counts = tables.features[i], tables.counts[:, i]
    three = name in THREE_CLASSES
    truths = 3 if three else 2
    asked = counts[:, :truths]
    scored = asked[..., : 4 if policy == "wrong" else truths]
    total, whole, positive = asked.sum((-2, -1)), scored.sum((-2, -1)), scored[:, YES].sum(-1)
    n, patients = int(whole.sum()), int((whole > 0).sum())
    positives, negatives = int((positive > 0).sum()), int((scored[:, 1:].sum((-2, -1)) > 0).sum())

    proportions = {
        "yes_rate": (scored[..., YES].sum(-1), whole),
        "unparsed_rate": (asked[..., UNPARSED].sum(-1), total),
        "na_rate": (asked[..., NA].sum(-1), total),
    }
    if three:
        proportions["accuracy"] = (class_counts(counts, policy).tp.sum(-1), whole)
    else:
        c = binary_counts(counts, policy)
        proportions["accuracy"] = (c.tp + c.tn, whole)
        proportions["precision"] = (c.tp, c.tp + c.fp)
        proportions["recall"] = (c.tp, c.tp + c.fn)
        proportions["specificity"] = (c.tn, c.tn + c.fp)
    estimates = {key: proportion_estimate(part, of) for key, (part, of) in proportions.items()}
    value = {key: float(values[0, i]) for key, values in point.items()}
    for key in (*BOOTSTRAPPED, *(("precision", "recall", "specificity") if three else ())):
        estimates[key] = bootstrap_estimate(value[key], drawn[key][:, i], n=n, n_patients=patients)
    for key, found in estimates.items():
        few = too_few(
            positives if key in NEED_POSITIVES else None, negatives if key in NEED_NEGATIVES else None
        )
        if few:
            estimates[key] = not_estimable(found.value, found.method, found.n, found.n_patients, few)
    return FeatureScores(
        feature=name,
        estimates=estimates,
        always_yes_f1=value["always_yes_f1"],
        always_no_f1=value["always_no_f1"],
        random_f1=value["random_f1"],
        prevalence=value["prevalence"],
        n=n,
        n_patients=patients,
        n_positive=int(positive.sum()),
        n_positive_patients=positives,
        n_unparsed=int(asked[..., UNPARSED].sum()),
        n_na=int(asked[..., NA].sum()),
        n_na_truth=0 if three else int(counts[:, NA].sum()),
        n_without_truth=int(tables.without_truth[i]),
        n_dropped=int(total.sum()) - n,
        three_classes=three,
    )


def macro_estimate(
    group: str,
    members: Sequence[str],
    tables: PatientTables,
    point: dict[str, Floats],
    drawn: dict[str, Floats],
) -> MacroScores:
    """Return the means over the features of a group with joint patient-bootstrap intervals.

    ``point`` has the scores by name on the data, (1, F), ``drawn`` on the resamples, (B, F). Members that are not
    in ``tables`` are skipped, and a feature that no recording shows is left out; one that was never answered yes
    has precision 0 here, as its F1 is 0 too. In a resample the mean is over the features still defined.
    Fewer than 10 patients with a feature give an interval with a caution, since macro means are read at a glance.
    """
    asked = [i for i, name in enumerate(tables.features) if name in set(members)]
    used = [i for i in asked if not np.isnan(point["f1"][0, i])]
    names = tuple(tables.features[i] for i in used)
    positives = int((tables.counts[:, used, YES].sum((1, 2)) > 0).sum())
    truths = tables.counts[:, used, :2]
    n, patients = int(truths.sum()), int((truths.sum((1, 2, 3)) > 0).sum())
    few = f"recordings with the features come from {positives} patients" if positives < 2 else None

    def means(key: str, scores: dict[str, Floats]) -> Floats:
        values = scores[key][:, used]
        if key == "precision":
            # Leaving such features out would reward a model for never saying yes.
            values = np.where(np.isnan(values) & ~np.isnan(scores["f1"][:, used]), 0.0, values)
        return mean_defined(values)

    estimates = {
        key: bootstrap_estimate(
            float(means(key, point)[0]),
            means(key, drawn),
            n=n,
            n_patients=patients,
            caution=few_showing(positives),
            withheld=few,
        )
        for key in (*MACRO_SCORES, *MACRO_BASELINES)
    }
    return MacroScores(group, names, tuple(tables.features[i] for i in asked if i not in used), estimates)
