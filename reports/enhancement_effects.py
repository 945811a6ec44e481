"""What an enhancement changes: F1 with and without it, paired on the same recordings and patients.

Each model and feature is compared in the same wording, on the recordings that were asked about both ways.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from semiology.features import FEATURES, FEATURES_BY_GROUP, Group
from semiology.metrics.aggregation import THREE_CLASSES
from semiology.metrics.classification import Policy, table_scores
from semiology.metrics.confusion import YES, Floats, patient_tables
from semiology.metrics.intervals import (
    BOOTSTRAP,
    MIN_POSITIVE_PATIENTS,
    RESAMPLES,
    Estimate,
    bootstrap_estimate,
    not_estimable,
    patient_weights,
    resampled_tables,
)
from semiology.reports.run_labels import NO_ENHANCEMENT

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class EnhancementEffect:
    """One model, enhancement and feature, or the mean over several features.

    Attributes:
        model, prompt, enhancement: what was asked.
        name: the feature, or ``mean`` of a group.
        group: signal group of the features, as in the papers.
        plain, enhanced: F1 without and with it, on the same recordings.
        difference: enhanced minus plain, with its interval over patients.
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
        policy: ``wrong`` or ``drop`` for answers that are neither yes nor no.
        resamples, seed: of the bootstrap over patients.

    Features come first, in the order of the papers' groups, then the mean of each group of several features.
    """
    found: list[EnhancementEffect] = []
    for (model, prompt), rows in recordings.groupby(["model", "prompt_id"], sort=True, observed=True):
        plain = rows[rows["enhancement"] == NO_ENHANCEMENT]
        for name in sorted(set(rows["enhancement"]) - {NO_ENHANCEMENT}):
            enhanced = rows[rows["enhancement"] == name]
            for group, members in FEATURES_BY_GROUP.items():
                key = (str(model), str(prompt), str(name))
                found += _group(key, group, members, plain, enhanced, (policy, resamples, seed))
    return tuple(found)


def _group(
    key: tuple[str, str, str],
    group: Group,
    members: Sequence[str],
    plain: pd.DataFrame,
    enhanced: pd.DataFrame,
    drawing: tuple[Policy, int, int],
) -> list[EnhancementEffect]:
    both = set(plain["feature"]) & set(enhanced["feature"])
    names = [name for name in FEATURES if name in members and name in both]
    pairs = ["video_id", "feature"]
    shared = plain[plain["feature"].isin(names)][pairs].merge(enhanced[pairs], on=pairs)
    names = [name for name in names if name in set(shared["feature"])]
    if not names:
        return []
    policy, resamples, seed = drawing
    tables = [patient_tables(side.merge(shared, on=pairs), names) for side in (plain, enhanced)]
    weights = patient_weights(len(tables[0].patients), resamples, np.random.default_rng(seed))
    point = [_f1(each.counts.sum(0)[None], names, policy) for each in tables]
    drawn = [_f1(resampled_tables(each.counts, weights), names, policy) for each in tables]
    effects = []
    for i, name in enumerate(names):
        counts = tables[0].counts[:, i]
        n, patients = int(counts.sum()), int((counts.sum((1, 2)) > 0).sum())
        positive = int((counts[:, YES].sum(-1) > 0).sum())
        value, resampled = point[1][0, i] - point[0][0, i], drawn[1][:, i] - drawn[0][:, i]
        difference = _difference(float(value), resampled, n, patients, positive)
        sides = (float(point[0][0, i]), float(point[1][0, i]))
        effects.append(EnhancementEffect(*key, name, group, *sides, difference, n, patients))
    if len(names) > 1:
        effects.append(_mean(key, group, effects, point, drawn))
    return effects


def _mean(
    key: tuple[str, str, str],
    group: Group,
    effects: Sequence[EnhancementEffect],
    point: Sequence[Floats],
    drawn: Sequence[Floats],
) -> EnhancementEffect:
    """Return the mean over the features of a group that are defined both ways."""
    used = [i for i in range(len(effects)) if not np.isnan(point[0][0, i] + point[1][0, i])]
    n, patients = max(e.n for e in effects), max(e.n_patients for e in effects)
    if not used:
        empty = not_estimable(float("nan"), BOOTSTRAP, n, patients, "no recording shows any of the signs")
        return EnhancementEffect(*key, "mean", group, *(float("nan"),) * 2, empty, n, patients, 0)
    sides = [float(each[0, used].mean()) for each in point]
    with np.errstate(invalid="ignore"):
        resampled = np.nanmean(
            np.where(np.isnan(drawn[1] - drawn[0]), np.nan, drawn[1] - drawn[0])[:, used], 1
        )
    difference = bootstrap_estimate(sides[1] - sides[0], resampled, n=n, n_patients=patients)
    return EnhancementEffect(*key, "mean", group, sides[0], sides[1], difference, n, patients, len(used))


def _difference(value: float, resampled: Floats, n: int, patients: int, positive: int) -> Estimate:
    if not np.isnan(value) and positive < MIN_POSITIVE_PATIENTS:
        few = f"{positive} patient{'' if positive == 1 else 's'}, fewer than {MIN_POSITIVE_PATIENTS}"
        return not_estimable(value, BOOTSTRAP, n, patients, f"recordings with the sign come from {few}")
    return bootstrap_estimate(value, resampled, n=n, n_patients=patients)


def _f1(tables: Floats, names: Sequence[str], policy: Policy) -> Floats:
    """Return F1 of tables (B, F, 3, 4), shape (B, F)."""
    values = np.array(table_scores(tables, policy)["f1"])
    for i, name in enumerate(names):
        if name in THREE_CLASSES:
            values[:, i] = table_scores(tables[:, i], policy, three_classes=True)["f1"]
    return values


def effects_by_enhancement(
    effects: Sequence[EnhancementEffect],
) -> Mapping[tuple[str, str, str], list[EnhancementEffect]]:
    """Return effects by (model, prompt, enhancement), in their order."""
    found: dict[tuple[str, str, str], list[EnhancementEffect]] = {}
    for each in effects:
        found.setdefault((each.model, each.prompt, each.enhancement), []).append(each)
    return found
