"""Scores of a run by subgroup of recordings, and whether they differ from subgroup to subgroup.

Subgroups are looked at after the fact and are many, so all of it is **exploratory**: a small p-value asks for a study
that names the subgroup beforehand. What is compared is balanced accuracy, since F1 and precision move with how common
a feature is, which subgroups differ in even where a model does not. Always yes has a balanced accuracy of 0.5 in every
subgroup, so that the difference is also that of the gains over always yes.

The test draws the signs of patients' contributions (`metrics.paired.contributions.between_groups`), adjusted over all
features and subgroups by step-down max-T. A patient may have recordings in several subgroups, as with ES and NES.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from semiology.metrics.arrays import Bools, Floats
from semiology.metrics.paired.comparison import p_values
from semiology.metrics.paired.contributions import between_groups
from semiology.metrics.scores.aggregation import THREE_CLASSES
from semiology.metrics.scores.classification import Policy, feature_table_scores
from semiology.metrics.scores.counts import PatientTables, patient_tables
from semiology.metrics.scores.run_scores import FeatureScores, RunScores, score_tables
from semiology.metrics.statistics.intervals import MIN_POSITIVE_PATIENTS, Estimate, effective_patients
from semiology.metrics.statistics.jackknife import jackknife_estimate
from semiology.metrics.statistics.sign_flip import FLIPS, draw_flips, tail_freedom
from semiology.render.text import counted

if TYPE_CHECKING:
    import pandas as pd

MEASURE = "balanced_accuracy"
MACRO = "mean over features"
OTHERS = "others"


@dataclass(frozen=True)
class Subgroup:
    """The recordings with one value; ``scores`` is None, and ``reason`` says why, where patients are too few."""

    name: str
    n_recordings: int
    n_patients: int
    scores: RunScores | None = None
    reason: str | None = None


@dataclass(frozen=True)
class Interaction:
    """Balanced accuracy in one subgroup minus that in another, or in all others.

    Attributes:
        feature: name, or `MACRO` (of the features that can be tested). first, second: subgroups (`OTHERS`).
        values: scores in both. difference: first minus second, with the interval of leaving out each patient.
        p_plain, p_adjusted: of the sign-flip test; adjusted by max-T over all features and subgroups (the mean over
            features: over the subgroups). NaN where it cannot be tested. reason: why not.
    """

    feature: str
    first: str
    second: str
    values: tuple[float, float]
    difference: Estimate
    p_plain: float
    p_adjusted: float
    reason: str | None = None


@dataclass(frozen=True)
class SubgroupScores:
    """All subgroups of one run, those too small among them; ``n_without``: recordings without a value."""

    subgroups: tuple[Subgroup, ...]
    interactions: tuple[Interaction, ...]
    n_without: int


@dataclass(frozen=True)
class _Side:
    """A subgroup's tables over the patients of all, (P, F, 3, 4), and its scores."""

    counts: Floats
    scores: Mapping[str, FeatureScores]


def score_subgroups(
    recordings: pd.DataFrame,
    values: Mapping[str, str],
    features: Sequence[str],
    *,
    policy: Policy = "wrong",
    seed: int = 0,
    flips: int = FLIPS,
) -> SubgroupScores:
    """Score the recording answers of one run by subgroup.

    Args:
        recordings: columns video_id, patient_id, feature, answer, truth; one row per recording and feature.
        values: the subgroup of each recording; recordings without one are left out and counted.
        features: order of the features; those absent from the frame are skipped.
        policy: ``wrong`` or ``drop`` for answers that are neither yes nor no.
        seed, flips: of the sign-flip test.

    Subgroups of fewer than 10 patients are named and not scored. A feature is tested between subgroups where its
    balanced accuracy has an interval in both: 10 patients with and without the feature in each.
    """
    names = [name for name in features if name in set(recordings["feature"])]
    label = recordings["video_id"].map(values)
    rows = recordings[label.notna()].assign(subgroup=label[label.notna()])
    every = patient_tables(rows, names)
    found: list[Subgroup] = []
    sides: dict[str, Floats] = {}
    for name, own in rows.groupby("subgroup", sort=True):
        n, patients = own["video_id"].nunique(), own["patient_id"].nunique()
        if patients < MIN_POSITIVE_PATIENTS:
            why = f"{counted(patients, 'patient')}, fewer than {MIN_POSITIVE_PATIENTS}: not scored"
            found.append(Subgroup(str(name), n, patients, reason=why))
            continue
        tables = patient_tables(own, names)
        counts = np.zeros_like(every.counts)
        counts[np.searchsorted(every.patients, tables.patients)] = tables.counts
        sides[str(name)] = counts
        found.append(Subgroup(str(name), n, patients, score_tables(tables, policy=policy, seed=seed)))
    without = int(recordings.loc[label.isna(), "video_id"].nunique())
    tested = _interactions(every, sides, found, policy, seed, flips) if len(sides) > 1 else ()
    return SubgroupScores(tuple(found), tested, without)


def _interactions(
    every: PatientTables,
    sides: Mapping[str, Floats],
    found: Sequence[Subgroup],
    policy: Policy,
    seed: int,
    flips: int,
) -> tuple[Interaction, ...]:
    """Return all contrasts: of two subgroups the one, of more each with all others that are scored."""
    scored = {each.name: each.scores for each in found if each.scores is not None}
    pairs: list[tuple[str, str, _Side, _Side]] = []
    known = {
        name: _Side(sides[name], {s.feature: s for s in scores.features}) for name, scores in scored.items()
    }
    if len(known) == 2:
        one, two = known
        pairs.append((one, two, known[one], known[two]))
    else:
        for name, side in known.items():
            rest = np.sum([each for other, each in sides.items() if other != name], axis=0)
            tables = PatientTables(every.patients, every.features, rest, every.without_truth)
            others = {s.feature: s for s in score_tables(tables, policy=policy, seed=seed).features}
            pairs.append((name, OTHERS, side, _Side(rest, others)))
    made = [_contrast(every.features, one, two, policy) for _, _, one, two in pairs]
    signs = draw_flips(len(every.patients), flips, seed)

    def p_of(parts: Sequence[tuple[Floats, Floats, Bools]]) -> tuple[Floats, Floats]:
        seen, own, family = (np.concatenate([part[i] for part in parts], axis=-1) for i in range(3))
        # What is not tested has no contribution.
        deciding, seen = (own != 0).sum(0), np.where(family, seen, np.nan)
        plain, max_t, *_ = p_values(seen, signs.sums(own), signs, deciding, family, tail_freedom(own))
        return plain.reshape(len(parts), -1), max_t.reshape(len(parts), -1)

    plain, adjusted = p_of([(each.seen, each.own, each.family) for each in made])
    plain_macro, adjusted_macro = p_of([each.macro() for each in made])
    result = []
    for at, (one, two, *_) in enumerate(pairs):
        each = made[at]
        result += [
            each.interaction(i, one, two, plain[at, i], adjusted[at, i]) for i in range(len(every.features))
        ]
        if each.family.any():
            result.append(each.interaction(None, one, two, plain_macro[at, 0], adjusted_macro[at, 0]))
    return tuple(result)


@dataclass(frozen=True)
class _Contrast:
    """Two sides: scores (2, F), differences (F,), without each patient and contributions (P, F), who is tested."""

    features: Sequence[str]
    values: Floats
    seen: Floats
    left_out: Floats
    own: Floats
    family: Bools
    reasons: Sequence[str | None]
    sizes: Floats

    def macro(self) -> tuple[Floats, Floats, Bools]:
        """Return difference (1,), contributions (P, 1) and whether there is any of the mean over tested features."""
        if not self.family.any():
            return np.array([np.nan]), np.zeros((len(self.own), 1)), np.array([False])
        target = float(self.seen[self.family].mean())
        return np.array([target]), self.own[:, self.family].mean(1, keepdims=True), np.array([True])

    def interaction(
        self, at: int | None, first: str, second: str, plain: float, adjusted: float
    ) -> Interaction:
        """Return what is told of a feature, or (None) of the mean over those tested."""
        use = self.family if at is None else np.arange(len(self.features)) == at
        sizes = self.sizes[:, :, use].sum(2)
        reason = None if at is None else self.reasons[at]
        difference = jackknife_estimate(
            float(self.seen[use].mean()),
            self.left_out[:, use].mean(1)[sizes.sum(0) > 0],
            effective=min(effective_patients(each) for each in sizes),
            n=int(sizes.sum()),
            n_patients=int((sizes.sum(0) > 0).sum()),
            undefined="a subgroup holds one class only",
            withheld=reason,
        )
        name = MACRO if at is None else self.features[at]
        values = (float(self.values[0, use].mean()), float(self.values[1, use].mean()))
        return Interaction(name, first, second, values, difference, float(plain), float(adjusted), reason)


def _contrast(features: Sequence[str], first: _Side, second: _Side, policy: Policy) -> _Contrast:
    totals = [side.counts.sum(0) for side in (first, second)]
    point = [feature_table_scores(total, features, policy)[MEASURE] for total in totals]
    left = [
        feature_table_scores(total - side.counts, features, policy)[MEASURE]
        for total, side in zip(totals, (first, second), strict=True)
    ]
    seen = point[0] - point[1]
    own = np.zeros((len(first.counts), len(features)))
    sizes = np.zeros((2, *own.shape))
    reasons: list[str | None] = []
    for i, name in enumerate(features):
        three = name in THREE_CLASSES
        truths = 3 if three else 2
        asked = [side.counts[:, i, :truths] for side in (first, second)]
        parts = asked if policy == "wrong" else [each[..., :truths] for each in asked]
        sizes[:, :, i] = [part.sum((1, 2)) for part in parts]
        scores = [side.scores[name].estimates[MEASURE] for side in (first, second)]
        classes = [part.sum((0, 2)) > 0 for part in parts]
        other = (
            None
            if bool((classes[0] == classes[1]).all())
            else "the subgroups hold other classes of the truth"
        )
        reasons.append(next((each.reason for each in scores if not each.estimable), other))
        if reasons[i] is None:
            own[:, i] = between_groups(parts[0], parts[1], three, float(seen[i]))
    family = np.array([why is None for why in reasons])
    return _Contrast(features, np.array(point), seen, left[0] - left[1], own, family, reasons, sizes)
