"""What is concluded from the features of a recording, ES or NES or the classes of another column, and how it is scored.

ES or NES is scored by F1 of ES, as S3 does. Of other targets every class counts alike: balanced accuracy, in which
the most frequent class, and every other guess that looks at nothing, has one over the number of classes. (Macro F1 has
no such floor: guesses drawn at random lie above the most frequent class.)
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass

import numpy as np

from semiology.metrics.arrays import Floats
from semiology.metrics.s3.categorical import DIAGNOSIS, Question
from semiology.metrics.scores.classification import (
    class_table_scores,
    kappa_of_tables,
    positive_class_scores,
)
from semiology.metrics.scores.counts import class_table
from semiology.metrics.statistics.intervals import Estimate, effective_patients
from semiology.metrics.statistics.jackknife import jackknife_estimate


@dataclass(frozen=True)
class Target:
    """What is concluded.

    Attributes:
        column: of recordings.csv. classes: its values, in the order of tables.
        positive: the class that F1 is about; None where all classes count alike.
    """

    column: str
    classes: tuple[str, ...]
    positive: str | None = None

    @property
    def question(self) -> Question:
        """The classes, as `semiology.metrics.s3.categorical.score_classes` takes them."""
        return Question(self.classes, self.positive)

    @property
    def measure(self) -> str:
        """The score that decides: ``f1`` of the positive class, else ``balanced_accuracy``."""
        return "f1" if self.positive else "balanced_accuracy"

    @property
    def scored(self) -> tuple[str, ...]:
        """The classes that have curves and bins of their own: the positive one, else all."""
        return (self.positive,) if self.positive else self.classes


ES_OR_NES = Target("diagnosis", DIAGNOSIS.classes, DIAGNOSIS.positive)


def score_of(
    answers: Mapping[str, str], truth: Mapping[str, str], target: Target, measure: str = ""
) -> float:
    """Return a score of answers by recording; NaN where fewer than two classes are true.

    Args:
        answers, truth: class by recording; an answer may also be ``unparsed``. measure: by default the target's.
    """
    true = [truth[v] for v in answers]
    if len(set(true)) < 2:
        return float("nan")
    table = class_table(true, list(answers.values()), target.classes).astype(np.float64)
    return float(_scores(table, target, measure or target.measure))


def score_difference(
    first: Mapping[str, str],
    second: Mapping[str, str],
    truth: Mapping[str, str],
    patients: Mapping[str, Hashable],
    target: Target,
) -> Estimate:
    """Return the score of the first answers minus that of the second on the same recordings, by patient.

    The interval leaves out each patient in turn from both.

    Args:
        first, second, truth: class by recording. patients: patient by recording. target: its measure is compared.

    Raises:
        ValueError: the two answer different recordings.
    """
    if set(first) != set(second):
        raise ValueError("the two answer different recordings → compare them on those that both answered")
    names, tables = patient_tables(first, truth, patients, target)
    _, others = patient_tables(second, truth, patients, target)
    whole, other = tables.sum(0), others.sum(0)

    def difference(one: Floats, two: Floats) -> Floats:
        return _scores(one, target, target.measure) - _scores(two, target, target.measure)

    return jackknife_estimate(
        float(difference(whole, other)),
        difference(whole - tables, other - others),
        effective=effective_patients(tables.sum((1, 2))),
        n=len(first),
        n_patients=len(names),
        undefined="fewer than two classes are true",
    )


def kappa_estimate(
    answers: Mapping[str, str], truth: Mapping[str, str], patients: Mapping[str, Hashable], target: Target
) -> Estimate:
    """Return Cohen's kappa of answers and truth, with the interval of leaving out each patient."""
    names, tables = patient_tables(answers, truth, patients, target)
    whole = tables.sum(0)
    return jackknife_estimate(
        float(kappa_of_tables(whole)),
        kappa_of_tables(whole - tables),
        effective=effective_patients(tables.sum((1, 2))),
        n=len(answers),
        n_patients=len(names),
        undefined="truth and answers are one class",
    )


def patient_tables(
    answers: Mapping[str, str], truth: Mapping[str, str], patients: Mapping[str, Hashable], target: Target
) -> tuple[list[str], Floats]:
    """Return patients, and their counting tables: truth by answer, shape (P, k, k + 1), the last column unparsed."""
    of: dict[str, list[str]] = {}
    for video in answers:
        of.setdefault(str(patients[video]), []).append(video)
    tables = [
        class_table([truth[v] for v in own], [answers[v] for v in own], target.classes)
        for _, own in sorted(of.items())
    ]
    shape = (-1, len(target.classes), len(target.classes) + 1)
    return sorted(of), np.array(tables, dtype=np.float64).reshape(shape)


def _scores(tables: Floats, target: Target, measure: str) -> Floats:
    found = class_table_scores(tables)
    if target.positive:
        found = found | positive_class_scores(tables, target.classes.index(target.positive))
    return np.asarray(found[measure])
