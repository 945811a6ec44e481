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
from semiology.metrics.robustness.answers import IncompleteSweepError, WordingAnswers, wording_answers
from semiology.metrics.robustness.best_wording import BestOfK, best_of_k, best_position
from semiology.metrics.robustness.scores import FeatureRobustness, robustness_of
from semiology.metrics.robustness.variance import wording_permutation_test
from semiology.metrics.scores.classification import Policy, table_scores
from semiology.metrics.statistics.intervals import Estimate
from semiology.reports.read.asked import NO_ENHANCEMENT
from semiology.reports.summary.sweep import FOLDS, MIN_PATIENTS_TO_CHOOSE

DESCRIBING = ("family", "polarity")


@dataclass(frozen=True)
class WordingStrip:
    """One feature of one model under K wordings.

    Attributes:
        answers: wordings × recordings that every wording was asked about. robustness: every measure of them.
        chosen: what choosing the best of K is worth on patients that did not choose; None with fewer than
            `MIN_PATIENTS_TO_CHOOSE` patients.
        always_yes: F1 of answering yes to all of these recordings.
        p_value, noise_spread: is any wording different, and the best-minus-worst accuracy that noise alone
            makes (permutation within patients).
    """

    answers: WordingAnswers
    robustness: FeatureRobustness
    chosen: BestOfK | None
    always_yes: float
    p_value: float
    noise_spread: float

    @property
    def f1(self) -> list[float]:
        """F1 of each wording, length K; NaN where undefined."""
        return [float(value) for value in self.robustness.per_wording["f1"]]

    @property
    def best(self) -> int | None:
        """Position of the wording of the highest F1, the reference among equals; None where none has one."""
        scores = np.asarray(self.f1)
        return None if np.isnan(scores).all() else best_position(scores, self.answers.reference)

    @property
    def worst(self) -> int | None:
        """Position of the wording of the lowest F1; None where none has one."""
        return None if np.isnan(self.f1).all() else int(np.nanargmin(self.f1))


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
            strips = tuple(
                _strip(answers, feature, policy, resamples, seed)
                for answers, feature in zip(asked, robustness.features, strict=True)
            )
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


def _strip(
    answers: WordingAnswers, robustness: FeatureRobustness, policy: Policy, resamples: int, seed: int
) -> WordingStrip:
    table = answers.tables().sum(0)[0]
    all_yes = np.zeros_like(table)
    all_yes[:, 0] = table.sum(1)
    always = table_scores(all_yes, policy, three_classes=answers.three_classes)["f1"]
    p_value, noise = wording_permutation_test(answers.right, answers.patient, seed=seed)
    strip = WordingStrip(answers, robustness, None, float(always), p_value, noise)
    if strip.best is None or len(answers.patients) < MIN_PATIENTS_TO_CHOOSE:
        return strip
    chosen = best_of_k(answers, folds=FOLDS, policy=policy, resamples=resamples, seed=seed)
    return replace(strip, chosen=chosen)
