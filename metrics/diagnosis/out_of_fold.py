"""Each recording diagnosed by a classifier that learned from other patients, and never from a protected one."""

from __future__ import annotations

from collections.abc import Collection, Hashable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from semiology.metrics.diagnosis.classifiers import Fitted, Settings, fit
from semiology.metrics.s3.categorical import DIAGNOSES

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Cohort:
    """Whose recordings are diagnosed, and whose may be learned from.

    Attributes:
        diagnosis: ``ES`` or ``NES`` by recording. patients: patient by recording.
        folds: fold by recording; those of one fold are diagnosed by a classifier that saw none of it.
        learners: recordings that classifiers may learn from; None for all. The others (patients of a protected split)
            are only diagnosed, by what learned from every learner of other folds.
    """

    diagnosis: Mapping[str, str]
    patients: Mapping[str, Hashable]
    folds: Mapping[str, Hashable]
    learners: Collection[str] | None = None

    def known(self, videos: Collection[str]) -> list[str]:
        """Return which of some recordings have a diagnosis and a fold, in their order."""
        return [v for v in videos if self.diagnosis.get(v) in DIAGNOSES and v in self.folds]


@dataclass(frozen=True)
class Part:
    """What was learned for one fold: a fitted classifier, and the recordings that it diagnosed."""

    fold: str
    fitted: Fitted
    videos: tuple[str, ...]


@dataclass(frozen=True)
class Diagnoses:
    """Diagnoses of recordings by one kind of classifier.

    Attributes:
        answers: ``ES`` or ``NES`` by recording. probability: P(ES) by recording, NaN where it cannot be given.
        parts: by fold. notes: folds without a classifier and why, in sentences.
    """

    answers: Mapping[str, str]
    probability: Mapping[str, float]
    parts: tuple[Part, ...]
    notes: tuple[str, ...]


def diagnose(
    vectors: pd.DataFrame, cohort: Cohort, classifier: str, *, settings: Settings = "published", seed: int = 0
) -> Diagnoses:
    """Diagnose each recording by a classifier that learned from the learners of all other folds.

    Args:
        vectors: a row per recording, a column per feature: 1, 0, a probability, or NaN.
        cohort: diagnoses, patients, folds and learners of the recordings; those without diagnosis or fold are left out.
        classifier, settings, seed: of `semiology.metrics.diagnosis.classifiers.fit`.

    A recording whose fold leaves no patient of one diagnosis, or no value at all, to learn from has no diagnosis.

    Raises:
        ValueError: a patient is in two folds, or both a learner and not.
    """
    known = cohort.known(list(vectors.index))
    may_learn = np.array([cohort.learners is None or v in cohort.learners for v in known], dtype=bool)
    _refuse_split_patients(known, cohort, may_learn.tolist())
    table = vectors.loc[known]
    truths = np.array([cohort.diagnosis[v] for v in known], dtype=np.str_)
    patients = np.array([str(cohort.patients[v]) for v in known], dtype=np.str_)
    of_fold = np.array([str(cohort.folds[v]) for v in known], dtype=np.str_)
    answers: dict[str, str] = {}
    probability: dict[str, float] = {}
    parts, notes = [], []
    for fold in sorted(set(of_fold.tolist())):
        rest, tested = (of_fold != fold) & may_learn, of_fold == fold
        # A feature without any answer to learn from says nothing.
        informative = table.columns[table[rest].notna().any()]
        found = set(truths[rest].tolist())
        if len(found) < len(DIAGNOSES) or informative.empty:
            what = f"only {found.pop()}" if len(found) == 1 else "no recording" if not found else "no answer"
            notes.append(f"fold {fold}: the other patients leave {what} to learn from → not diagnosed")
            continue
        fitted = fit(
            classifier, table.loc[rest, informative].to_numpy(), truths[rest], patients[rest].tolist(),
            [str(name) for name in informative], settings=settings, seed=seed,
        )  # fmt: skip
        rows = table.loc[tested, informative].to_numpy()
        videos = tuple(str(v) for v in table.index[tested])
        answers |= dict(zip(videos, map(str, fitted.model.predict(rows)), strict=True))
        probability |= dict(zip(videos, fitted.probability(rows).tolist(), strict=True))
        parts.append(Part(fold, fitted, videos))
    return Diagnoses(answers, probability, tuple(parts), tuple(notes))


def _refuse_split_patients(known: list[str], cohort: Cohort, may_learn: list[bool]) -> None:
    folds: dict[Hashable, Hashable] = {}
    learns: dict[Hashable, bool] = {}
    for video, own in zip(known, may_learn, strict=True):
        patient, fold = cohort.patients[video], cohort.folds[video]
        if str(folds.setdefault(patient, fold)) != str(fold):
            raise ValueError(
                f"{video}: its patient is in folds {folds[patient]} and {fold} → all "
                "recordings of a patient belong in one fold"
            )
        if learns.setdefault(patient, own) != own:
            raise ValueError(
                f"{video}: its patient is both protected and learned from → put all recordings of a patient into "
                "one split"
            )
