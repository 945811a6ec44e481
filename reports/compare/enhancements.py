"""What an enhancement changes: the same model and wording with and without it, on the same recordings.

``semiology compare --base … --enhanced …`` compares by `compare_enhancements`, a report by
`enhancement_effects`; both by the same function, so that effect, interval, test and verdict are the same.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import pandas as pd

from semiology.features import FEATURES, FEATURES_BY_GROUP, Group
from semiology.metrics.paired.comparison import PairedComparison, PairedScore
from semiology.metrics.paired.verdict import Verdict, verdict
from semiology.metrics.scores.classification import Policy
from semiology.metrics.statistics.intervals import Estimate, not_estimable
from semiology.metrics.statistics.jackknife import JACKKNIFE
from semiology.reports.compare.comparison import Comparison, Options, compare_conditions
from semiology.reports.compare.sides import ANSWER_COLUMNS, Condition, Side, SideError, refuse_other_set
from semiology.reports.read.asked import NO_ENHANCEMENT

MEASURE = "f1"
_NAN = float("nan")


def compare_enhancements(base: Side, enhanced: Side, options: Options) -> list[Comparison]:
    """Compare every enhanced condition with the plain one of the same model and wording.

    Args:
        base: holds the plain conditions; enhanced ones in it are ignored.
        enhanced: holds the enhanced conditions; plain ones in it are ignored.
        options: how to compare. Each enhancement is a comparison of its own, over the features it is for.

    A recording that an enhancement failed on has no enhanced answer: it is left out of both sides, and
    listed among the unpaired.

    Raises:
        SideError: a side holds no such condition, or an enhanced one has no plain counterpart.
        ValueError: as `compare_conditions`.
    """
    facts = (base.facts, enhanced.facts)
    notes = tuple(dict.fromkeys((*base.notes, *enhanced.notes)))
    made = []
    for counterpart, condition in enhanced_pairs(base, enhanced, any_set=options.any_set):
        shared = set(condition.answers["feature"]) & set(counterpart.answers["feature"])
        chosen = replace(options, features=tuple(f for f in options.features if f in shared))
        if chosen.features:
            made.append(compare_conditions(counterpart, condition, chosen, facts=facts, notes=notes))
    if not made:
        raise SideError(
            "no enhanced feature was asked without the enhancement too → run the plain tasks as well"
        )
    return made


def enhanced_pairs(base: Side, enhanced: Side, *, any_set: bool = False) -> list[tuple[Condition, Condition]]:
    """Return every enhanced condition after the plain one of the same model and wording.

    Args:
        base, enhanced: as in `compare_enhancements`. any_set: whether they may be about sets of different names.

    Raises:
        SideError: a side holds no such condition, or an enhanced one has no plain counterpart.
    """
    if base.constant or enhanced.constant:
        raise SideError("an enhancement is compared with a run → constant answers can only be A or B")
    refuse_other_set(base, enhanced, any_set=any_set)
    plain = {(c.model, c.prompt): c for c in base.conditions if c.enhancement in ("", NO_ENHANCEMENT)}
    turned = [c for c in enhanced.conditions if c.enhancement not in ("", NO_ENHANCEMENT)]
    if not plain:
        raise SideError(
            f"{base.text}: holds no answers without an enhancement → give the plain run as --base"
        )
    if not turned:
        raise SideError(
            f"{enhanced.text}: holds no answers with an enhancement → run a task such as pose_semiology_tonic"
        )
    pairs = []
    for condition in turned:
        counterpart = plain.get((condition.model, condition.prompt))
        if counterpart is None:
            there = "; ".join(f"{model} with wording {prompt}" for model, prompt in plain)
            raise SideError(
                f"{base.text}: has no plain answers of {condition.model} with wording {condition.prompt}, "
                f"only of {there} → compare one model and wording with and without the enhancement"
            )
        pairs.append((counterpart, condition))
    return pairs


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
    recordings: pd.DataFrame, *, policy: Policy = "wrong", seed: int = 0
) -> tuple[EnhancementEffect, ...]:
    """Return the effect of every enhancement that was asked beside the plain question.

    Args:
        recordings: answers to recordings, columns model, enhancement, prompt_id, video_id, patient_id,
            feature, answer, truth.
        policy: ``wrong`` or ``drop`` for answers that are neither yes nor no (``drop``: of either side).
        seed: of the sign-flip test.

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
                options = Options(features=features, policy=policy, seed=seed)
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


def _effects(plain: Condition, enhanced: Condition, options: Options) -> Iterator[EnhancementEffect]:
    whole = compare_conditions(plain, enhanced, options).result
    for group, members in FEATURES_BY_GROUP.items():
        mine = [each for each in whole.features if each.feature in members]
        found: list[tuple[str, PairedScore | None, PairedComparison, int, int, int]] = [
            (each.feature, each.scores[MEASURE], whole, each.n, each.n_patients, 1) for each in mine
        ]
        if len(mine) > 1:  # the mean over a group is the primary end point of its comparison
            result = whole
            if len(mine) < len(whole.features):
                names = tuple(each.feature for each in mine)
                result = compare_conditions(plain, enhanced, replace(options, features=names)).result
            n, count = max(each.n for each in mine), len(result.macro_features[MEASURE])
            found.append(("mean", result.macro.get(MEASURE), result, n, result.n_patients, count))
        for name, score, result, n, patients, count in found:
            told: Verdict = "undefined"
            first = second = p_value = _NAN
            reason = "no feature has recordings with and without the feature"
            difference = not_estimable(_NAN, JACKKNIFE, n, patients, reason)
            if score is not None:
                told, difference = verdict(score, result.alpha), score.difference
                first, second, p_value = score.first, score.second, score.p_max_t
            asked = (enhanced.model, enhanced.prompt, enhanced.enhancement)
            yield EnhancementEffect(
                *asked, name, group, first, second, difference, p_value, told, n, patients, count
            )


def effects_by_enhancement(
    effects: Sequence[EnhancementEffect],
) -> Mapping[tuple[str, str, str], list[EnhancementEffect]]:
    """Return effects by (model, prompt, enhancement), in their order."""
    found: dict[tuple[str, str, str], list[EnhancementEffect]] = {}
    for each in effects:
        found.setdefault((each.model, each.prompt, each.enhancement), []).append(each)
    return found
