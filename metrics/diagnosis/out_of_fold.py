"""Each recording judged by a classifier that learned from other patients, and never from a protected one."""

from __future__ import annotations

from collections.abc import Collection, Hashable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from semiology.metrics.diagnosis.classifiers import Fitted, Settings, fit
from semiology.metrics.diagnosis.targets import ES_OR_NES, Target

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Cohort:
    """Whose recordings are judged, and whose may be learned from.

    Attributes:
        truth: class by recording, such as ``ES`` or ``NES``. patients: patient by recording.
        folds: fold by recording; those of one fold are judged by a classifier that saw none of it.
        learners: recordings that classifiers may learn from; None for all. The others (patients of a protected split)
            are only judged, by what learned from every learner of other folds.
        target: what is concluded; ES or NES by default.
    """

    truth: Mapping[str, str]
    patients: Mapping[str, Hashable]
    folds: Mapping[str, Hashable]
    learners: Collection[str] | None = None
    target: Target = ES_OR_NES

    def known(self, videos: Collection[str]) -> list[str]:
        """Return which of some recordings have a class and a fold, in their order."""
        return [v for v in videos if self.truth.get(v) in self.target.classes and v in self.folds]


@dataclass(frozen=True)
class Part:
    """What was learned for one fold: a fitted classifier, and the recordings that it judged."""

    fold: str
    fitted: Fitted
    videos: tuple[str, ...]


@dataclass(frozen=True)
class Diagnoses:
    """Classes of recordings by one kind of classifier, or by rules.

    Attributes:
        answers: class by recording. probability: of each class in the target's order, NaN where none can be given.
        parts: by fold; none for rules. notes: folds without a classifier and why, in sentences.
        reasons: rules that applied, by recording; empty for classifiers.
    """

    answers: Mapping[str, str]
    probability: Mapping[str, tuple[float, ...]]
    parts: tuple[Part, ...]
    notes: tuple[str, ...]
    reasons: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


def diagnose(
    vectors: pd.DataFrame, cohort: Cohort, classifier: str, *, settings: Settings = "published", seed: int = 0
) -> Diagnoses:
    """Judge each recording by a classifier that learned from the learners of all other folds.

    Args:
        vectors: a row per recording, a column per feature: 1, 0, a probability, or NaN.
        cohort: classes, patients, folds and learners of the recordings; those without class or fold are left out.
        classifier, settings, seed: of `semiology.metrics.diagnosis.classifiers.fit`.

    A recording whose fold leaves patients of one class, or no value at all, to learn from is not judged.

    Raises:
        ValueError: a patient is in two folds, or both a learner and not.
    """
    known = cohort.known(list(vectors.index))
    may_learn = np.array([cohort.learners is None or v in cohort.learners for v in known], dtype=bool)
    _refuse_split_patients(known, cohort, may_learn.tolist())
    table = vectors.loc[known]
    truths = np.array([cohort.truth[v] for v in known], dtype=np.str_)
    patients = np.array([str(cohort.patients[v]) for v in known], dtype=np.str_)
    of_fold = np.array([str(cohort.folds[v]) for v in known], dtype=np.str_)
    answers: dict[str, str] = {}
    classes = cohort.target.classes
    probability: dict[str, tuple[float, ...]] = {}
    parts, notes = [], []
    for fold in sorted(set(of_fold.tolist())):
        rest, tested = (of_fold != fold) & may_learn, of_fold == fold
        # A feature without any answer to learn from says nothing.
        informative = table.columns[table[rest].notna().any()]
        found = set(truths[rest].tolist())
        if len(found) < 2 or informative.empty:
            what = f"only {found.pop()}" if len(found) == 1 else "no recording" if not found else "no answer"
            notes.append(f"fold {fold}: the other patients leave {what} to learn from → not diagnosed")
            continue
        if unseen := [name for name in classes if name not in found]:
            notes.append(
                f"fold {fold}: no other patient has {' or '.join(unseen)} → never the answer in this fold"
            )
        fitted = fit(
            classifier, table.loc[rest, informative].to_numpy(), truths[rest], patients[rest].tolist(),
            [str(name) for name in informative], settings=settings, seed=seed,
        )  # fmt: skip
        if settings == "nested" and not fitted.chosen:
            notes.append(f"fold {fold}: patients of a class are too few for nested folds → default settings")
        rows = table.loc[tested, informative].to_numpy()
        videos = tuple(str(v) for v in table.index[tested])
        answers |= dict(zip(videos, map(str, fitted.model.predict(rows)), strict=True))
        probability |= dict(zip(videos, map(tuple, fitted.probability(rows, classes).tolist()), strict=True))
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
