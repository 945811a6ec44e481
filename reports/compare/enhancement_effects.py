"""What an enhancement changes: F1 with and without it, paired on the same recordings and patients.

Each model and feature is compared in the same wording, on the recordings that were asked about both ways, by
the function behind ``semiology compare --base … --enhanced …``: effect, interval, test and verdict are the
same figures there and here.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from semiology.features import FEATURES, FEATURES_BY_GROUP, Group
from semiology.metrics.paired.comparison import PairedComparison, PairedScore
from semiology.metrics.scores.classification import Policy
from semiology.metrics.statistics.intervals import BOOTSTRAP, RESAMPLES, Estimate, not_estimable
from semiology.reports.compare.comparison import Comparison, Options, compare_conditions
from semiology.reports.compare.sentences import Verdict, verdict
from semiology.reports.compare.sides import ANSWER_COLUMNS, Condition
from semiology.reports.summary.run_labels import NO_ENHANCEMENT

if TYPE_CHECKING:
    import pandas as pd

MEASURE = "f1"
_NAN = float("nan")


@dataclass(frozen=True)
class EnhancementEffect:
    """One model, enhancement and feature, or the mean over several features.

    Attributes:
        model, prompt, enhancement: what was asked.
        name: the feature, or ``mean`` of a group.
        group: signal group of the features, as in the papers.
        plain, enhanced: F1 without and with it, on the same recordings.
        difference: enhanced minus plain, with its interval over patients.
        p_value: of the patient sign-flip test, adjusted by max-T over the features of the enhancement (for a
            mean, over the two end points of the comparison). NaN where nothing can be tested.
        verdict: what that test and the margin of equivalence say.
        n, n_patients, n_features: recordings asked about both ways, their patients, features averaged.
    """

    model: str
    prompt: str
    enhancement: str
    name: str
    group: Group
    plain: float
    enhanced: float
    difference: Estimate
    p_value: float
    verdict: Verdict
    n: int
    n_patients: int
    n_features: int = 1


def enhancement_effects(
    recordings: pd.DataFrame, *, policy: Policy = "wrong", resamples: int = RESAMPLES, seed: int = 0
) -> tuple[EnhancementEffect, ...]:
    """Return the effect of every enhancement that was asked beside the plain question.

    Args:
        recordings: answers to recordings, columns model, enhancement, prompt_id, video_id, patient_id,
            feature, answer, truth.
        policy: ``wrong`` or ``drop`` for answers that are neither yes nor no (``drop``: of either side).
        resamples, seed: of the bootstrap over patients; the seed also of the test.

    Features come first, in the order of the papers' groups, then the mean of each group of several features.

    Raises:
        ValueError: a recording has another truth or patient in the enhanced run than in the plain one.
    """
    found: list[EnhancementEffect] = []
    for (model, prompt), rows in recordings.groupby(["model", "prompt_id"], sort=True, observed=True):
        sides = {
            str(name): Condition(str(model), str(prompt), str(name), side[list(ANSWER_COLUMNS)])
            for name, side in rows.groupby("enhancement", sort=True, observed=True)
        }
        plain = sides.pop(NO_ENHANCEMENT, None)
        if plain is None:
            continue
        for enhanced in sides.values():
            shared = _comparable(plain, enhanced, policy)
            features = tuple(name for name in FEATURES if name in shared)
            if features:
                options = Options(features=features, policy=policy, resamples=resamples, seed=seed)
                found += _effects(plain, enhanced, options)
    return tuple(found)


def _comparable(plain: Condition, enhanced: Condition, policy: Policy) -> set[str]:
    """Return the features with a recording that both sides answered and that has a truth to score."""
    keys = ["video_id", "feature"]
    rows = plain.answers.merge(enhanced.answers[[*keys, "answer"]], on=keys, suffixes=("", "_enhanced"))
    rows = rows[rows["truth"].isin(["yes", "no"])]
    if policy == "drop":
        rows = rows[rows["answer"].isin(["yes", "no"]) & rows["answer_enhanced"].isin(["yes", "no"])]
    return set(rows["feature"])


def _effects(plain: Condition, enhanced: Condition, options: Options) -> Iterable[EnhancementEffect]:
    whole = compare_conditions(plain, enhanced, options)
    for group, members in FEATURES_BY_GROUP.items():
        mine = [each for each in whole.result.features if each.feature in members]
        for each in mine:
            sizes = (each.n, each.n_patients)
            yield _effect(enhanced, each.feature, group, each.scores[MEASURE], whole.result, sizes)
        if len(mine) > 1:
            names = tuple(each.feature for each in mine)
            of_group = whole
            if len(mine) < len(whole.result.features):
                of_group = _of_features(plain, enhanced, options, names)
            yield _mean(enhanced, group, of_group.result, max(each.n for each in mine))


def _of_features(
    plain: Condition, enhanced: Condition, options: Options, features: Sequence[str]
) -> Comparison:
    return compare_conditions(plain, enhanced, replace(options, features=features))


def _mean(enhanced: Condition, group: Group, result: PairedComparison, n: int) -> EnhancementEffect:
    """Return the mean over the features of a group, the primary end point of their comparison."""
    patients, count = result.n_patients, len(result.macro_features)
    if result.macro:
        score = result.macro[MEASURE]
        return _effect(enhanced, "mean", group, score, result, (n, patients), count)
    reason = "no feature has recordings with and without the feature"
    empty = not_estimable(_NAN, BOOTSTRAP, n, patients, reason)
    key = (enhanced.model, enhanced.prompt, enhanced.enhancement)
    return EnhancementEffect(
        *key, "mean", group, _NAN, _NAN, empty, _NAN, "undefined", n, patients, n_features=0
    )


def _effect(
    enhanced: Condition,
    name: str,
    group: Group,
    score: PairedScore,
    result: PairedComparison,
    sizes: tuple[int, int],
    n_features: int = 1,
) -> EnhancementEffect:
    return EnhancementEffect(
        enhanced.model,
        enhanced.prompt,
        enhanced.enhancement,
        name,
        group,
        score.first,
        score.second,
        score.difference,
        score.p_max_t,
        verdict(score, result),
        *sizes,
        n_features,
    )


def effects_by_enhancement(
    effects: Sequence[EnhancementEffect],
) -> Mapping[tuple[str, str, str], list[EnhancementEffect]]:
    """Return effects by (model, prompt, enhancement), in their order."""
    found: dict[tuple[str, str, str], list[EnhancementEffect]] = {}
    for each in effects:
        found.setdefault((each.model, each.prompt, each.enhancement), []).append(each)
    return found
