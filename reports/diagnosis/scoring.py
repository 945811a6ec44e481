"""Every first stage with every classifier: scores out of fold, beside the ceiling and always ES."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from semiology.metrics.diagnosis.classifiers import CLASSIFIERS, Settings
from semiology.metrics.diagnosis.decisions import DecisionPoint, decision_curve, f1_difference
from semiology.metrics.diagnosis.importances import FEW_POSITIVES, Importance, importances
from semiology.metrics.diagnosis.out_of_fold import Cohort, Diagnoses, diagnose
from semiology.metrics.s3.categorical import DIAGNOSES, DIAGNOSIS, score_classes
from semiology.metrics.scores.discrimination import ProbabilityScores, probability_scores
from semiology.metrics.statistics.bootstrap import TaskScores
from semiology.metrics.statistics.intervals import Estimate
from semiology.render.text import counted
from semiology.reports.diagnosis.inputs import DiagnosisInputs, FirstStage

CROSS_VALIDATION = "out of fold"
ALWAYS_ES = "always ES"


@dataclass(frozen=True)
class ScoredStage:
    """One first stage with one classifier, on one part of the recordings.

    Attributes:
        stage: label of the first stage. model: its model; empty for the experts. classifier: name.
        scope: `CROSS_VALIDATION`, or the protected split that was diagnosed by what learned from all others.
        scores: of the diagnoses, patients drawn. by_fold: F1 of each fold; NaN where a fold holds one diagnosis.
        always_by_fold: that of always answering ES.
        above_always, below_ceiling: F1 minus that of always ES; minus that of the same classifier on the experts'
            annotations of the same recordings (None: this is the ceiling).
        ceiling: F1 of that ceiling.
        sure: what P(ES) is worth; None where a classifier gives none.
        curve: net benefit by P(ES).
    """

    stage: str
    model: str
    classifier: str
    scope: str
    scores: TaskScores
    by_fold: Mapping[str, float]
    always_by_fold: Mapping[str, float]
    above_always: Estimate
    below_ceiling: Estimate | None
    ceiling: float
    sure: ProbabilityScores | None
    curve: tuple[DecisionPoint, ...]

    @property
    def fold_mean(self) -> float:
        """Mean F1 of the folds that have one, as S3 Table 32."""
        return float(np.mean([v for v in self.by_fold.values() if not np.isnan(v)] or [np.nan]))

    @property
    def fold_variance(self) -> float:
        """Variance of the same (divided by their number)."""
        return float(np.var([v for v in self.by_fold.values() if not np.isnan(v)] or [np.nan]))


@dataclass(frozen=True)
class ScoredDiagnoses:
    """All rows, what each classifier looked at by first stage and name, and what must be told."""

    rows: tuple[ScoredStage, ...]
    importances: Mapping[tuple[str, str], tuple[Importance, ...]]
    caveats: tuple[str, ...]
    notes: tuple[str, ...]


def score_diagnoses(
    inputs: DiagnosisInputs,
    classifiers: Sequence[str],
    *,
    settings: Settings = "nested",
    resamples: int = 2000,
    seed: int = 0,
    on_fit: Callable[[str], None] = lambda told: None,
) -> ScoredDiagnoses:
    """Let every classifier learn from every first stage, and score what it says of patients it did not learn from.

    Args:
        inputs: first stages and recordings. classifiers: names of `CLASSIFIERS`.
        settings, seed: of `semiology.metrics.diagnosis.classifiers.fit`. resamples: of patients, for intervals.
        on_fit: told what is fitted, with its number and the number of all.
    """
    stages = (inputs.experts, *inputs.models)
    rows: list[ScoredStage] = []
    looked: dict[tuple[str, str], tuple[Importance, ...]] = {}
    notes = list(inputs.notes)
    ceilings: dict[str, Diagnoses] = {}
    for number, (name, stage) in enumerate((name, stage) for name in classifiers for stage in stages):
        on_fit(f"{number + 1} of {len(classifiers) * len(stages)}: {CLASSIFIERS[name].label}, {stage.label}")
        found = _of_shown(
            diagnose(stage.vectors, inputs.cohort, name, settings=settings, seed=seed), inputs.shown
        )
        notes += [f"{stage.label}, {CLASSIFIERS[name].label}: {note}" for note in found.notes]
        ceilings.setdefault(name, found)  # the experts come first
        looked[stage.label, name] = importances(stage.vectors, found, inputs.cohort, seed=seed)
        rows += _scored(stage, name, found, ceilings[name], inputs.cohort, resamples, seed)
    notes += _few_positives(looked, stages)
    one_class = dict.fromkeys(
        f"fold {fold}: holds one diagnosis only → it has no F1, and is left out of mean and variance"
        for row in rows
        for fold, value in row.by_fold.items()
        if np.isnan(value)
    )
    return ScoredDiagnoses(tuple(rows), looked, inputs.caveats, tuple(dict.fromkeys([*notes, *one_class])))


def _of_shown(found: Diagnoses, shown: frozenset[str]) -> Diagnoses:
    """Keep the diagnoses that are scored."""
    parts = tuple(replace(part, videos=tuple(v for v in part.videos if v in shown)) for part in found.parts)
    return replace(
        found,
        answers={v: answer for v, answer in found.answers.items() if v in shown},
        probability={v: p for v, p in found.probability.items() if v in shown},
        parts=tuple(part for part in parts if part.videos),
    )


def _scored(
    stage: FirstStage,
    name: str,
    found: Diagnoses,
    ceiling: Diagnoses,
    cohort: Cohort,
    resamples: int,
    seed: int,
) -> list[ScoredStage]:
    """Return a row for the recordings diagnosed out of fold, and one for each protected split."""
    scope_of = {
        v: CROSS_VALIDATION if cohort.learners is None or v in cohort.learners else str(cohort.folds[v])
        for v in found.answers
    }
    rows = []
    for scope in dict.fromkeys(sorted(scope_of.values(), key=lambda each: (each != CROSS_VALIDATION, each))):
        # Only what the ceiling diagnosed too, so that all columns are about the same recordings.
        answers = {v: a for v, a in found.answers.items() if scope_of[v] == scope and v in ceiling.answers}
        if not answers:
            continue
        best = {v: ceiling.answers[v] for v in answers}
        always = dict.fromkeys(answers, DIAGNOSES[0])
        truth = np.array([cohort.diagnosis[v] == DIAGNOSES[0] for v in answers], dtype=bool)
        p = np.array([found.probability[v] for v in answers])
        patients = [str(cohort.patients[v]) for v in answers]
        sure = None if np.isnan(p).any() else probability_scores(truth, p, patients)
        rows.append(
            ScoredStage(
                stage.label, stage.model, name, scope,
                score_classes(_frame(answers, cohort), DIAGNOSIS, resamples=resamples, seed=seed),
                _f1_by_fold(answers, cohort),
                _f1_by_fold(always, cohort),
                f1_difference(answers, always, cohort),
                None if found is ceiling else f1_difference(answers, best, cohort),
                _f1(best, cohort),
                sure,
                () if sure is None else decision_curve(truth, p),
            )
        )  # fmt: skip
    return rows


def _frame(answers: Mapping[str, str], cohort: Cohort) -> pd.DataFrame:
    rows = [(v, str(cohort.patients[v]), cohort.diagnosis[v], answer) for v, answer in answers.items()]
    return pd.DataFrame(rows, columns=["video_id", "patient_id", "truth", "answer"])


def _f1(answers: Mapping[str, str], cohort: Cohort) -> float:
    """Return F1 of ES; NaN where the recordings hold one diagnosis only."""
    if len({cohort.diagnosis[v] for v in answers}) < len(DIAGNOSES):
        return float("nan")
    marks = [(answers[v] == DIAGNOSES[0]) + (cohort.diagnosis[v] == DIAGNOSES[0]) for v in answers]
    return 2 * sum(each == 2 for each in marks) / sum(marks)


def _f1_by_fold(answers: Mapping[str, str], cohort: Cohort) -> dict[str, float]:
    folds = sorted({str(cohort.folds[v]) for v in answers}, key=lambda name: (len(name), name))
    return {
        fold: _f1({v: a for v, a in answers.items() if str(cohort.folds[v]) == fold}, cohort)
        for fold in folds
    }


def _few_positives(
    looked: Mapping[tuple[str, str], tuple[Importance, ...]], stages: Sequence[FirstStage]
) -> list[str]:
    notes = []
    for stage in stages:
        found = next((own for (label, _), own in looked.items() if label == stage.label), ())
        few = [f"{one.feature} ({one.positives})" for one in found if one.positives < FEW_POSITIVES]
        if few:
            notes.append(
                f"{stage.label}: {counted(len(few), 'feature')} with fewer than {FEW_POSITIVES} recordings that show "
                f"it, whose importance is that of those few: {', '.join(few)}"
            )
    return notes
