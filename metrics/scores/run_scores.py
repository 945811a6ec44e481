"""All scores of one run (one model, prompt and enhancement) from its recording answers.

Intervals leave out each patient with all features at once, so macro means keep the correlation between features, and
are the same every time. Whether a score is above that of always answering yes is decided by the patient sign-flip
test, as in a comparison with those answers (`metrics.paired`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from semiology.metrics.arrays import Floats, mean_defined
from semiology.metrics.paired.comparison import ALPHA, PairedComparison, PairedScore, compare_tables
from semiology.metrics.paired.tables import END_POINTS, against_always_yes, part_of, scored_truths
from semiology.metrics.paired.verdict import Verdict, verdict
from semiology.metrics.scores.aggregation import THREE_CLASSES
from semiology.metrics.scores.classification import Policy, binary_counts, class_counts, feature_table_scores
from semiology.metrics.scores.counts import NA, UNPARSED, YES, PatientTables, patient_tables
from semiology.metrics.statistics.intervals import (
    Estimate,
    effective_patients,
    f1_estimate,
    few_showing,
    not_estimable,
    proportion_estimate,
    too_few,
    uneven,
)
from semiology.metrics.statistics.jackknife import Scale, jackknife_estimate

if TYPE_CHECKING:
    import pandas as pd

NEED_POSITIVES = frozenset(
    {"precision", "recall", "f1", "balanced_accuracy", "mcc", "kappa", "f1_minus_always_yes"}
)
NEED_NEGATIVES = frozenset({"specificity", "balanced_accuracy", "mcc", "kappa"})
SCALES: Mapping[str, Scale] = {"mcc": "correlation", "kappa": "correlation", "f1_minus_always_yes": "plain"}
"""On which scale the interval of a score is built; of all others on that of a share."""
JACKKNIFED = ("balanced_accuracy", "mcc", "kappa", "f1_minus_always_yes")
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
        against_always_yes: what the test says of F1 and balanced accuracy beside those of always answering yes,
            among all features of the run; p_always_yes: its p-values, adjusted for them.
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
    against_always_yes: Mapping[str, Verdict]
    p_always_yes: Mapping[str, float]

    @property
    def clears_chance(self) -> bool | None:
        """Whether F1 is above that of always-yes by the test; None if nothing can be tested."""
        return clears(self.against_always_yes["f1"])


@dataclass(frozen=True)
class MacroScores:
    """Plain means over features, with the interval of leaving out each patient with all of them.

    Attributes:
        group: name of the group of features.
        features: those averaged. left_out: those without a single positive recording, whose F1 is undefined.
        estimates: `MACRO_SCORES` and `MACRO_BASELINES` by name.
        against_always_yes, p_always_yes: as of a feature; the family is the two end points of the group.
    """

    group: str
    features: tuple[str, ...]
    left_out: tuple[str, ...]
    estimates: Mapping[str, Estimate]
    against_always_yes: Mapping[str, Verdict]
    p_always_yes: Mapping[str, float]

    @property
    def clears_chance(self) -> bool | None:
        """Whether macro F1 is above macro always-yes by the test; None if nothing can be tested."""
        return clears(self.against_always_yes["f1"])


@dataclass(frozen=True)
class RunScores:
    """Scores of the features asked, in the order given, and of the groups that have any of them."""

    features: tuple[FeatureScores, ...]
    macros: tuple[MacroScores, ...]


def clears(found: Verdict) -> bool | None:
    """Return whether a score is above chance; None where nothing can be tested."""
    return None if found in ("too few", "undefined") else found == "higher"


def score_run(
    recordings: pd.DataFrame,
    features: Sequence[str] | None = None,
    groups: Mapping[str, Sequence[str]] | None = None,
    *,
    policy: Policy = "wrong",
    seed: int = 0,
) -> RunScores:
    """Score the recording answers of one run; equal for any order of the rows.

    Args:
        recordings: columns patient_id, feature, answer, truth; one row per recording and feature.
        features: order of the features (default: sorted); those absent from the frame are skipped.
        groups: features of each macro mean (default: one group ``all``).
        policy: ``wrong`` or ``drop`` for answers that are neither yes nor no.
        seed: of the sign-flip test against always-yes, where patients are too many for all signs.

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
    return score_tables(patient_tables(recordings, names), groups, policy=policy, seed=seed)


def score_tables(
    tables: PatientTables,
    groups: Mapping[str, Sequence[str]] | None = None,
    *,
    policy: Policy = "wrong",
    seed: int = 0,
) -> RunScores:
    """Score counting tables of patients; as `score_run`, which makes them."""
    names, total = tables.features, tables.counts.sum(0)
    # Of a table without one patient, (P, F); the patients without any recording of a feature are left out later.
    left_out = feature_table_scores(total - tables.counts, names, policy)
    point = feature_table_scores(total[None], names, policy)
    tested = _Tested(tables, policy, seed)
    scored = tuple(_score_feature(tables, i, point, left_out, policy, tested) for i in range(len(names)))
    wanted = {"all": names} if groups is None else groups
    macros = (
        _macro_estimate(group, members, tables, point, left_out, policy, tested, scored)
        for group, members in wanted.items()
    )
    return RunScores(scored, tuple(macro for macro in macros if macro.features or macro.left_out))


class _Tested:
    """A run's answers beside always-yes: the comparison of any group of its features, each made once."""

    def __init__(self, tables: PatientTables, policy: Policy, seed: int) -> None:
        self._tables, self._seed = against_always_yes(tables, policy), seed
        self._found: dict[tuple[str, ...], PairedComparison | None] = {}

    def group(self, members: Sequence[str]) -> PairedComparison | None:
        """Return the comparison on these features; None without a recording to score."""
        part = part_of(self._tables, members)
        if part.features not in self._found:
            made = compare_tables(part, seed=self._seed) if part.patients else None
            self._found[part.features] = made
        return self._found[part.features]

    def feature(self, name: str) -> Mapping[str, PairedScore]:
        """Return the scores of a feature beside always-yes, among all features of the run."""
        every = self.group(self._tables.features)
        return {} if every is None else next((f.scores for f in every.features if f.feature == name), {})


def _claims(scores: Mapping[str, PairedScore]) -> tuple[dict[str, Verdict], dict[str, float]]:
    """Return verdicts and adjusted p-values by end point."""
    told: dict[str, Verdict] = {
        m: verdict(scores[m], ALPHA) if m in scores else "undefined" for m in END_POINTS
    }
    return told, {m: scores[m].p_max_t if m in scores else float("nan") for m in END_POINTS}


def _score_feature(
    tables: PatientTables,
    i: int,
    point: dict[str, Floats],
    left_out: dict[str, Floats],
    policy: Policy,
    tested: _Tested,
) -> FeatureScores:
    name, counts = tables.features[i], tables.counts[:, i]
    three = name in THREE_CLASSES
    truths = 3 if three else 2
    asked = counts[:, :truths]
    scored = asked if policy == "wrong" else asked[..., :truths]
    total, whole, positive = asked.sum((1, 2)), scored.sum((1, 2)), scored[:, YES].sum(1)
    negative = whole - positive
    n, patients = int(whole.sum()), int((whole > 0).sum())
    value = {key: float(values[0, i]) for key, values in point.items()}
    few = _few(positive, negative)
    estimates = _feature_estimates(counts, asked, scored, policy, three, few)
    for key in (*JACKKNIFED, *(("f1", "precision", "recall", "specificity") if three else ())):
        kinds = [
            kind
            for kind, needing in ((positive, NEED_POSITIVES), (negative, NEED_NEGATIVES))
            if key in needing
        ]
        estimates[key] = jackknife_estimate(
            value[key],
            left_out[key][whole > 0, i],
            effective=min(effective_patients(kind) for kind in (kinds or [whole])),
            n=n,
            n_patients=patients,
            scale=SCALES.get(key, "share"),
            withheld=few(key),
        )
    if not three and not few("balanced_accuracy") and value["balanced_accuracy"] == 1:
        estimates["balanced_accuracy"] = _mean_of(
            [estimates["recall"], estimates["specificity"]], n, patients
        )
    told, p_values = _claims(tested.feature(name))
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
        n_positive_patients=int((positive > 0).sum()),
        n_unparsed=int(asked[..., UNPARSED].sum()),
        n_na=int(asked[..., NA].sum()),
        n_na_truth=0 if three else int(counts[:, NA].sum()),
        n_without_truth=int(tables.without_truth[i]),
        n_dropped=int(total.sum()) - n,
        three_classes=three,
        against_always_yes=told,
        p_always_yes=p_values,
    )


def _few(positive: Floats, negative: Floats) -> Callable[[str], str | None]:
    """Return what says why a score has no interval, from the recordings of each patient with and without a feature."""
    kinds = ((positive, NEED_POSITIVES, "with"), (negative, NEED_NEGATIVES, "without"))

    def why(score: str) -> str | None:
        numbers = [int((kind > 0).sum()) if score in needing else None for kind, needing, _ in kinds]
        reasons = [too_few(*numbers)] + [
            uneven(effective_patients(kind), f"recordings {which} the feature")
            for kind, needing, which in kinds
            if score in needing
        ]
        return next(filter(None, reasons), None)

    return why


def _feature_estimates(
    counts: Floats,
    asked: Floats,
    scored: Floats,
    policy: Policy,
    three: bool,
    few: Callable[[str], str | None],
) -> dict[str, Estimate]:
    """Return the estimates that are ratios of sums over patients: rates, accuracy and, F1 and its kin."""
    total, whole = asked.sum((1, 2)), scored.sum((1, 2))
    ratios = {
        "yes_rate": (scored[..., YES].sum(1), whole),
        "unparsed_rate": (asked[..., UNPARSED].sum(1), total),
        "na_rate": (asked[..., NA].sum(1), total),
    }
    found: dict[str, Estimate] = {}
    if three:
        ratios["accuracy"] = (class_counts(counts, policy).tp.sum(1), whole)
    else:
        c = binary_counts(counts, policy)
        ratios["accuracy"] = (c.tp + c.tn, whole)
        ratios["precision"] = (c.tp, c.tp + c.fp)
        ratios["recall"] = (c.tp, c.tp + c.fn)
        ratios["specificity"] = (c.tn, c.tn + c.fp)
        n, patients = int(whole.sum()), int((whole > 0).sum())
        found["f1"] = f1_estimate(c.tp, c.fp, c.fn, n=n, n_patients=patients, withheld=few("f1"))
    for key, (part, of) in ratios.items():
        made, why = proportion_estimate(part, of), few(key)
        found[key] = not_estimable(made.value, made.method, made.n, made.n_patients, why) if why else made
    return found


def _mean_of(parts: Sequence[Estimate], n: int, patients: int) -> Estimate:
    """Return the mean of estimates with the mean of their limits: too wide, and all there is where nothing varies."""
    lows, highs = ([getattr(each, end) for each in parts] for end in ("low", "high"))
    value = float(np.mean([each.value for each in parts]))
    if None in lows or None in highs:
        why = next(each.reason for each in parts if each.low is None)
        return not_estimable(value, parts[0].method, n, patients, why or "not estimable")
    return Estimate(value, float(np.mean(lows)), float(np.mean(highs)), parts[0].method, n, patients)


def _macro_estimate(
    group: str,
    members: Sequence[str],
    tables: PatientTables,
    point: dict[str, Floats],
    left_out: dict[str, Floats],
    policy: Policy,
    tested: _Tested,
    scored: Sequence[FeatureScores],
) -> MacroScores:
    """Return the means over the features of a group with joint intervals.

    ``point`` has the scores by name on the data, (1, F), ``left_out`` those without each patient, (P, F). Members that
    are not in ``tables`` are skipped, and a feature that no recording shows is left out; one that was never answered
    yes has precision 0 here, as its F1 is 0 too. Without a patient the mean is over the features still defined.
    Fewer than 10 patients with a feature give an interval with a caution, since macro means are read at a glance; but
    a group of one feature is that feature, and has its rules.
    """
    asked = [i for i, name in enumerate(tables.features) if name in set(members)]
    used = [i for i in asked if not np.isnan(point["f1"][0, i])]
    names = tuple(tables.features[i] for i in used)
    showing = tables.counts[:, used, YES].sum((1, 2))
    sizes = scored_truths(tables.counts[:, used], names).sum((1, 2, 3))
    positives, n, patients = int((showing > 0).sum()), int(sizes.sum()), int((sizes > 0).sum())
    few = f"recordings with the features come from {positives} patients" if positives < 2 else None

    def means(key: str, scores: dict[str, Floats]) -> Floats:
        values = scores[key][:, used]
        if key == "precision":
            # Leaving such features out would reward a model for never saying yes.
            values = np.where(np.isnan(values) & ~np.isnan(scores["f1"][:, used]), 0.0, values)
        return mean_defined(values)

    estimates = {
        key: jackknife_estimate(
            float(means(key, point)[0]),
            means(key, left_out)[sizes > 0],
            effective=effective_patients(sizes),
            n=n,
            n_patients=patients,
            scale=SCALES.get(key, "share"),
            caution=few_showing(positives),
            withheld=few,
        )
        for key in (*MACRO_SCORES, *MACRO_BASELINES)
    }
    if len(used) == 1:
        estimates |= {key: own for key, own in scored[used[0]].estimates.items() if key in estimates}
    elif few is None and estimates["f1"].value == 1 and not estimates["f1"].estimable:
        each = [binary_counts(tables.counts[:, i], policy) for i in used]
        own_f1 = [f1_estimate(c.tp, c.fp, c.fn, n=n, n_patients=patients) for c in each]
        # A feature with three answers may be perfect without a "yes": then it has no F1 of the "yes" of its own.
        own_f1 = [one for one in own_f1 if not np.isnan(one.value)]
        if own_f1:
            estimates["f1"] = replace(_mean_of(own_f1, n, patients), caution=few_showing(positives))
    compared = tested.group(members)
    told, p_values = _claims({} if compared is None else compared.macro)
    left = tuple(tables.features[i] for i in asked if i not in used)
    return MacroScores(group, names, left, estimates, told, p_values)
