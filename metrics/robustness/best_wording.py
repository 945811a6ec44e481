"""What the best wording is worth on patients that did not choose it.

The best of K wordings, scored on the recordings it was chosen on, is too good: by about 7 points of accuracy
for K = 20 on 86 recordings. Here every patient is scored by the wording that the *other* patients chose.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from semiology.metrics.arrays import Floats
from semiology.metrics.robustness.answers import WordingAnswers
from semiology.metrics.robustness.measures import WORDING_SCORES
from semiology.metrics.scores.classification import Policy, table_scores
from semiology.metrics.statistics.intervals import (
    RESAMPLES,
    Estimate,
    bootstrap_estimate,
    patient_weights,
    resampled_tables,
)
from semiology.render.text import counted


@dataclass(frozen=True)
class BestOfK:
    """The cross-fitted value of choosing the best wording.

    Attributes:
        score: name of the score that chose. k: wordings tried; always print it beside the value.
        held_out: score of the chosen wordings on the patients that did not choose them, pooled over folds,
            with a patient-bootstrap interval (for the choices as made).
        apparent: score of the best wording on the patients that chose it: too high, for contrast only.
        optimism: apparent minus held out.
        reference: score of the reference wording on the same patients; NaN without one.
        chosen: the wording chosen for each fold; several names mean that the choice is not stable.
        blind_folds: names of the folds whose choosing patients left every score undefined (one class only),
            so that the reference (or else the first wording) was taken without a choice.
    """

    score: str
    k: int
    held_out: Estimate
    apparent: float
    optimism: float
    reference: float
    chosen: tuple[str, ...]
    blind_folds: tuple[str, ...] = ()


def best_of_k(
    answers: WordingAnswers,
    *,
    score: str = "f1",
    folds: npt.NDArray[Any] | int = 5,
    policy: Policy = "wrong",
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> BestOfK:
    """Choose the best wording on all patients but those of a fold, score it on the fold, pool the folds.

    Args:
        answers: wordings × recordings.
        score: one of `measures.WORDING_SCORES`.
        folds: each patient's fold, shape (P,) (such as the recording set's own), or how many folds to draw.
        policy: ``wrong`` or ``drop`` for answers that cannot be used.
        resamples, seed: of the bootstrap; the seed also draws the folds. Of equal scores the reference wins, and
            where it is not among them the first.

    Raises:
        ValueError: an unknown score, fewer than two folds, or folds for another number of patients.

    >>> from semiology.metrics.robustness.answers import wording_answers
    >>> import pandas as pd
    >>> rows = [
    ...     (wording, f"v{i}", f"p{i}", "yes" if i % 2 or (wording == "s3" and i % 4 == 0) else "no", truth)
    ...     for wording in ("s3", "minimal")
    ...     for i, truth in enumerate(["no", "yes"] * 20)
    ... ]
    >>> columns = ["prompt_id", "video_id", "patient_id", "answer", "truth"]
    >>> answers = wording_answers(pd.DataFrame(rows, columns=columns))
    >>> best = best_of_k(answers, resamples=200)
    >>> set(best.chosen), best.held_out.value, best.k
    ({'minimal'}, 1.0, 2)
    """
    if score not in WORDING_SCORES:
        raise ValueError(f"unknown score {score!r} → use one of {', '.join(WORDING_SCORES)}")
    fold = _fold_of_patient(answers, folds, seed)

    def score_of(tables: Floats) -> Floats:
        return table_scores(tables, policy, three_classes=answers.three_classes)[score]

    tables = answers.tables()
    pooled = np.zeros((len(fold), 3, 4))
    chosen, blind = [], []
    for name in np.unique(fold):
        inside = fold == name
        scores = score_of(tables[~inside].sum(0))
        choice = best_position(scores, answers.reference)
        if bool(np.isnan(scores).all()):
            blind.append(str(name))
        chosen.append(answers.wordings[choice])
        pooled[inside] = tables[inside, choice]
    weights = patient_weights(len(fold), resamples, np.random.default_rng(seed))
    drawn = score_of(resampled_tables(pooled, weights))
    value = float(score_of(pooled.sum(0)))
    held_out = bootstrap_estimate(value, drawn, n=len(answers.recordings), n_patients=len(fold))
    every = score_of(tables.sum(0))
    apparent = float(every[best_position(every, answers.reference)])
    reference = float("nan") if answers.reference is None else float(every[answers.reference])
    k = len(answers.wordings)
    return BestOfK(score, k, held_out, apparent, apparent - value, reference, tuple(chosen), tuple(blind))


def _fold_of_patient(answers: WordingAnswers, folds: npt.NDArray[Any] | int, seed: int) -> npt.NDArray[Any]:
    n_patients = len(answers.patients)
    if isinstance(folds, int):
        if not 2 <= folds <= n_patients:
            raise ValueError(
                f"{counted(n_patients, 'patient')} cannot be put into {counted(folds, 'fold')} → "
                f"use 2 to {n_patients}"
            )
        fold: npt.NDArray[Any] = np.empty(n_patients, dtype=np.int64)
        fold[np.random.default_rng(seed).permutation(n_patients)] = np.arange(n_patients) % folds
        return fold
    fold = np.asarray(folds)
    used = len(np.unique(fold))
    if len(fold) != n_patients or used < 2:
        raise ValueError(
            f"{answers.feature}: {len(fold)} fold entries for {n_patients} patients, {used} different folds "
            "→ give each patient one of two or more folds"
        )
    return fold


def best_position(scores: Floats, reference: int | None) -> int:
    """Return the position of the best of K scores, shape (K,): of equals the reference, else the first.

    A wording that is no better than the reference is no reason to leave it. If no score is defined the reference
    is returned, and the first wording where there is none.

    >>> best_position(np.array([0.5, 0.8, 0.8]), reference=2)
    2
    """
    known = np.where(np.isnan(scores), -np.inf, scores)
    if reference is not None and bool(np.isclose(known[reference], known.max())):
        return reference
    return int(np.argmax(known))
