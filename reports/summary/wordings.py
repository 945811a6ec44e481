"""How much the wording matters, for each model and feature that was asked in several: what a strip shows.

Only recordings that every wording was asked about are compared. The best wording is chosen on the recordings
it is shown on, so what it is worth is given by patients that did not choose it (`best_of_k`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from semiology.features import FEATURES
from semiology.metrics.robustness.answers import (
    IncompleteSweepError,
    WordingAnswers,
    wording_answers,
)
from semiology.metrics.robustness.best_wording import BestOfK, best_of_k
from semiology.metrics.robustness.scores import Robustness, robustness_of
from semiology.metrics.robustness.variance import wording_permutation_test
from semiology.metrics.scores.classification import Policy, table_scores
from semiology.metrics.statistics.intervals import Estimate
from semiology.reports.read.asked import NO_ENHANCEMENT

DESCRIBING = ("family", "polarity")
FOLDS = 5
MIN_PATIENTS_TO_CHOOSE = 10


@dataclass(frozen=True)
class WordingStrip:
    """One model and feature under K wordings.

    Attributes:
        model, feature: what was asked.
        wordings, families: names and families, length K.
        f1: F1 of each wording on the shared recordings, length K; NaN where undefined.
        reference, best, worst: positions in ``wordings``; None where there is none.
        chosen: what choosing the best of K is worth on patients that did not choose; None with fewer than
            `MIN_PATIENTS_TO_CHOOSE` patients.
        estimates: every measure of `semiology.metrics.robustness.scores`.
        always_yes: F1 of answering yes to all of the shared recordings.
        p_value, noise_spread: is any wording different, and the best-minus-worst accuracy that noise alone
            makes (permutation within patients).
        n, n_patients, n_left_out: recordings, patients, recordings that some wording was not asked about.
    """

    model: str
    feature: str
    wordings: tuple[str, ...]
    families: tuple[str, ...]
    f1: tuple[float, ...]
    reference: int | None
    best: int | None
    worst: int | None
    chosen: BestOfK | None
    estimates: Mapping[str, Estimate]
    always_yes: float
    p_value: float
    noise_spread: float
    n: int
    n_patients: int
    n_left_out: int


@dataclass(frozen=True)
class ModelWordings:
    """All strips of a model, its macro measures, and why features have no strip."""

    model: str
    strips: tuple[WordingStrip, ...]
    macro: Mapping[str, Estimate]
    notes: tuple[str, ...]


def wording_strips(
    answers: pd.DataFrame,
    recordings: pd.DataFrame,
    *,
    policy: Policy = "wrong",
    resamples: int = 2000,
    seed: int = 0,
) -> tuple[ModelWordings, ...]:
    """Return the strips of every model that was asked about some feature in several wordings.

    Args:
        answers: of `semiology.reports.read.feature_answers.Results`, for the families of the wordings.
        recordings: of `semiology.reports.summary.features.labelled_recordings`; enhanced ones are left out.
        policy: ``wrong`` or ``drop`` for answers that cannot be used.
        resamples, seed: of the bootstrap over patients.
    """
    described = answers[["feature", "prompt", "prompt_hash", *DESCRIBING]].dropna(subset=["prompt_hash"])
    described = described.rename(columns={"prompt": "prompt_id"})
    # Some samples of a text may lack its family; one label stands for one text.
    described = described.groupby(["feature", "prompt_id"], observed=True).first().reset_index()
    plain = recordings[recordings["enhancement"] == NO_ENHANCEMENT]
    plain = plain.merge(described, on=["feature", "prompt_id"])
    found = []
    for model, rows in plain.groupby("model", sort=True, observed=True):
        asked, notes = _several_wordings(rows)
        if asked:
            robustness = robustness_of(asked, policy=policy, resamples=resamples, seed=seed)
            strips = _strips(str(model), asked, robustness, policy, resamples, seed)
            found.append(ModelWordings(str(model), strips, robustness.macro, tuple(notes)))
    return tuple(found)


def _several_wordings(rows: pd.DataFrame) -> tuple[list[WordingAnswers], list[str]]:
    asked, notes = [], []
    for feature in FEATURES:
        part = rows[rows["feature"] == feature]
        if part["prompt_id"].nunique() < 2:
            continue
        # As at the end of a run that was stopped: not every wording saw the whole recording.
        unequal = part.groupby("video_id", observed=True)["n_segments"].transform("nunique") > 1
        cut = int(part.loc[unequal, "video_id"].nunique())
        if bool(unequal.all()):
            notes.append(f"{feature}: no recording was asked about in the same windows under every wording")
            continue
        try:
            found = wording_answers(part[~unequal])
            asked.append(replace(found, left_out=found.left_out + cut))
        except IncompleteSweepError as error:
            notes.append(str(error))
    return asked, notes


def _strips(
    model: str,
    asked: list[WordingAnswers],
    robustness: Robustness,
    policy: Policy,
    resamples: int,
    seed: int,
) -> tuple[WordingStrip, ...]:
    strips = []
    for answers, feature in zip(asked, robustness.features, strict=True):
        f1 = feature.per_wording["f1"]
        known = not bool(np.isnan(f1).all())
        tables = answers.tables().sum(0)
        always = table_scores(_all_yes(tables[0]), policy, three_classes=answers.three_classes)["f1"]
        p_value, noise = wording_permutation_test(answers.right, answers.patient, seed=seed)
        chosen = None
        if known and len(answers.patients) >= MIN_PATIENTS_TO_CHOOSE:
            chosen = best_of_k(answers, folds=FOLDS, policy=policy, resamples=resamples, seed=seed)
        strips.append(
            WordingStrip(
                model,
                answers.feature,
                answers.wordings,
                answers.families,
                tuple(float(value) for value in f1),
                answers.reference,
                int(np.nanargmax(f1)) if known else None,
                int(np.nanargmin(f1)) if known else None,
                chosen,
                feature.estimates,
                float(always),
                p_value,
                noise,
                feature.n,
                feature.n_patients,
                feature.n_left_out,
            )
        )
    return tuple(strips)


def _all_yes(table: np.ndarray) -> np.ndarray:
    """Return the counting table (3, 4) of the same recordings, all answered yes."""
    filled = np.zeros_like(table)
    filled[:, 0] = table.sum(1)
    return filled
