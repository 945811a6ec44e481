"""Every first stage with every classifier, and with rules: scores out of fold, beside ceiling and constant answer."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from semiology.features import FEATURES
from semiology.metrics.diagnosis.classifiers import CLASSIFIERS, Settings
from semiology.metrics.diagnosis.decisions import DecisionPoint, decision_curve
from semiology.metrics.diagnosis.importances import FEW_POSITIVES, Importance, importances
from semiology.metrics.diagnosis.out_of_fold import Cohort, Diagnoses, diagnose
from semiology.metrics.diagnosis.rules import UNDECIDED, Rule, conclude
from semiology.metrics.diagnosis.targets import Target, kappa_estimate, score_difference, score_of
from semiology.metrics.s3.categorical import score_classes
from semiology.metrics.scores.discrimination import ProbabilityScores, probability_scores
from semiology.metrics.statistics.bootstrap import TaskScores, mean_estimate
from semiology.metrics.statistics.intervals import Estimate
from semiology.render.text import counted
from semiology.reports.diagnosis.inputs import DiagnosisInputs, FirstStage

CROSS_VALIDATION = "out of fold"
RULES = "rules"
LABELS: Mapping[str, str] = {n: each.label for n, each in CLASSIFIERS.items()} | {RULES: "Literature rules"}
"""What stands in tables for the name of a classifier, and for rules."""


@dataclass(frozen=True)
class ScoredStage:
    """One first stage with one classifier, on one part of the recordings.

    Attributes:
        stage: label of the first stage. model: its model; empty for the experts. classifier: name, or `RULES`.
        scope: `CROSS_VALIDATION`, or the protected split that was judged by what learned from all others.
        scores: of the answers, patients drawn. kappa: of answers and truth.
        by_fold: the target's measure in each fold; NaN where a fold holds one class.
        constant_by_fold: that of ``constant``.
        constant: ES, or the most frequent class. constant_scores: what always answering it scores, by name.
        above_constant, below_ceiling: the measure minus that of the constant; minus that of the same classifier on the
            experts' annotations of the same recordings (None: this is the ceiling).
        ceiling: the measure of that ceiling.
        sure: what the probability of each class is worth; empty where a classifier gives none.
        brier: mean squared distance of all probabilities from the truth, summed over classes; None without them.
        curve: net benefit by P(ES), where there is a positive class.
        answers, probability, reasons: by recording, as in `Diagnoses`. truth: by recording.
    """

    stage: str
    model: str
    classifier: str
    scope: str
    scores: TaskScores
    kappa: Estimate
    by_fold: Mapping[str, float]
    constant_by_fold: Mapping[str, float]
    constant: str
    constant_scores: Mapping[str, float]
    above_constant: Estimate
    below_ceiling: Estimate | None
    ceiling: float
    sure: Mapping[str, ProbabilityScores]
    brier: Estimate | None
    curve: tuple[DecisionPoint, ...]
    answers: Mapping[str, str]
    probability: Mapping[str, tuple[float, ...]]
    reasons: Mapping[str, tuple[str, ...]]
    truth: Mapping[str, str]

    @property
    def undecided(self) -> int:
        """How many recordings rules say nothing about."""
        return sum(answer == UNDECIDED for answer in self.answers.values())

    @property
    def fold_mean(self) -> float:
        """Mean of the folds that have a score, as S3 Table 32."""
        return float(np.mean([v for v in self.by_fold.values() if not np.isnan(v)] or [np.nan]))

    @property
    def fold_variance(self) -> float:
        """Variance of the same (divided by their number)."""
        return float(np.var([v for v in self.by_fold.values() if not np.isnan(v)] or [np.nan]))


@dataclass(frozen=True)
class ScoredDiagnoses:
    """All rows, what each classifier looked at by first stage and name, and what must be told."""

    target: Target
    rows: tuple[ScoredStage, ...]
    importances: Mapping[tuple[str, str], tuple[Importance, ...]]
    caveats: tuple[str, ...]
    notes: tuple[str, ...]


def score_diagnoses(
    inputs: DiagnosisInputs,
    classifiers: Sequence[str],
    *,
    rules: Sequence[Rule] = (),
    settings: Settings = "nested",
    resamples: int = 2000,
    seed: int = 0,
    on_fit: Callable[[str], None] = lambda told: None,
) -> ScoredDiagnoses:
    """Let every classifier learn from every first stage, and score what it says of patients it did not learn from.

    Args:
        inputs: first stages and recordings. classifiers: names of `CLASSIFIERS`, and `RULES`.
        rules: about the target.
        settings, seed: of `semiology.metrics.diagnosis.classifiers.fit`. resamples: of patients, for intervals.
        on_fit: told what is fitted, with its number and the number of all.
    """
    stages = (inputs.experts, *inputs.models)
    rows: list[ScoredStage] = []
    looked: dict[tuple[str, str], tuple[Importance, ...]] = {}
    notes = list(inputs.notes)
    ceilings: dict[str, Diagnoses] = {}
    cohort = inputs.cohort
    for number, (name, stage) in enumerate((name, stage) for name in classifiers for stage in stages):
        on_fit(f"{number + 1} of {len(classifiers) * len(stages)}: {LABELS[name]}, {stage.label}")
        if name == RULES:
            found = _by_rules(stage, rules, cohort, inputs.shown)
        else:
            made = diagnose(stage.vectors, cohort, name, settings=settings, seed=seed)
            found = _of_shown(made, inputs.shown)
            looked[stage.label, name] = importances(stage.vectors, found, cohort, seed=seed)
        notes += [f"{stage.label}, {LABELS[name]}: {note}" for note in found.notes]
        ceilings.setdefault(name, found)  # the experts come first
        rows += _scored(stage, name, found, ceilings[name], cohort, resamples, seed)
    notes += _few_positives(looked, stages)
    notes += [
        f"{row.stage}, {LABELS[RULES]}, {row.scope}: {row.undecided} of {counted(len(row.answers), 'recording')} "
        "undecided, since no rule applies or rules cancel out → counted as wrong"
        for row in rows
        if row.undecided
    ]
    what = "diagnosis only → it has no F1" if cohort.target.positive else "class only → it has no score"
    one_class = dict.fromkeys(
        f"fold {fold}: holds one {what}, and is left out of mean and variance"
        for row in rows
        for fold, value in row.by_fold.items()
        if np.isnan(value)
    )
    told = tuple(dict.fromkeys([*notes, *one_class]))
    return ScoredDiagnoses(cohort.target, tuple(rows), looked, inputs.caveats, told)


def _by_rules(stage: FirstStage, rules: Sequence[Rule], cohort: Cohort, shown: frozenset[str]) -> Diagnoses:
    known = [video for video in cohort.known(list(stage.vectors.index)) if video in shown]
    table = stage.vectors if stage.further is None else pd.concat([stage.vectors, stage.further], axis=1)
    return conclude(table, rules, cohort.target.classes, known)


def _of_shown(found: Diagnoses, shown: frozenset[str]) -> Diagnoses:
    """Keep the recordings that are scored."""
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
    """Return a row for the recordings judged out of fold, and one for each protected split."""
    target = cohort.target
    scope_of = {
        v: CROSS_VALIDATION if cohort.learners is None or v in cohort.learners else str(cohort.folds[v])
        for v in found.answers
    }
    constant = target.positive or _most_frequent(cohort)
    rows = []
    for scope in dict.fromkeys(sorted(scope_of.values(), key=lambda each: (each != CROSS_VALIDATION, each))):
        # Only what the ceiling judged too, so that all columns are about the same recordings.
        answers = {v: a for v, a in found.answers.items() if scope_of[v] == scope and v in ceiling.answers}
        if not answers:
            continue
        best = {v: ceiling.answers[v] for v in answers}
        always = dict.fromkeys(answers, constant)
        truth = {v: cohort.truth[v] for v in answers}
        sure, brier = _probabilities(found, truth, cohort, resamples, seed)
        curve: tuple[DecisionPoint, ...] = ()
        if target.positive in sure:
            p = np.array([found.probability[v][target.classes.index(target.positive)] for v in answers])
            curve = decision_curve(np.array([truth[v] == target.positive for v in answers], dtype=bool), p)
        rows.append(
            ScoredStage(
                stage.label, stage.model, name, scope,
                score_classes(_frame(answers, cohort), target.question, resamples=resamples, seed=seed),
                kappa_estimate(answers, truth, cohort.patients, target),
                _by_fold(answers, cohort),
                _by_fold(always, cohort),
                constant,
                {m: score_of(always, truth, target, m) for m in (target.measure, "accuracy", "macro_f1")},
                score_difference(answers, always, truth, cohort.patients, target),
                None if found is ceiling else score_difference(answers, best, truth, cohort.patients, target),
                score_of(best, truth, target),
                sure, brier, curve, answers,
                {v: found.probability[v] for v in answers},
                {v: found.reasons.get(v, ()) for v in answers},
                truth,
            )
        )  # fmt: skip
    return rows


def _most_frequent(cohort: Cohort) -> str:
    """Return the class that most recordings to learn from have; of equals the first by name."""
    learned = [c for v, c in cohort.truth.items() if cohort.learners is None or v in cohort.learners]
    return max(cohort.target.classes, key=learned.count)


def _probabilities(
    found: Diagnoses, truth: Mapping[str, str], cohort: Cohort, resamples: int, seed: int
) -> tuple[dict[str, ProbabilityScores], Estimate | None]:
    """Return what the probability of each class is worth, and the Brier score of all; nothing if one is missing."""
    target, videos = cohort.target, list(truth)
    p = np.array([found.probability[v] for v in videos])
    if np.isnan(p).any():
        return {}, None
    patients = [str(cohort.patients[v]) for v in videos]
    hits = np.array([[truth[v] == name for name in target.classes] for v in videos], dtype=bool)
    by_class = {
        name: probability_scores(hits[:, at], np.clip(p[:, at], 0, 1), patients)
        for at, name in enumerate(target.classes)
        if name in target.scored
    }
    if target.positive:
        return by_class, by_class[target.positive].brier
    distances = ((p - hits) ** 2).sum(1)
    return by_class, mean_estimate(distances.tolist(), patients, resamples=resamples, seed=seed)


def _frame(answers: Mapping[str, str], cohort: Cohort) -> pd.DataFrame:
    rows = [(v, str(cohort.patients[v]), cohort.truth[v], answer) for v, answer in answers.items()]
    return pd.DataFrame(rows, columns=["video_id", "patient_id", "truth", "answer"])


def _by_fold(answers: Mapping[str, str], cohort: Cohort) -> dict[str, float]:
    folds = sorted({str(cohort.folds[v]) for v in answers}, key=lambda name: (len(name), name))
    return {
        fold: score_of(
            {v: a for v, a in answers.items() if str(cohort.folds[v]) == fold}, cohort.truth, cohort.target
        )
        for fold in folds
    }


def _few_positives(
    looked: Mapping[tuple[str, str], tuple[Importance, ...]], stages: Sequence[FirstStage]
) -> list[str]:
    notes = []
    for stage in stages:
        found = next((own for (label, _), own in looked.items() if label == stage.label), ())
        few = [
            f"{one.feature} ({one.positives})"
            for one in found
            if one.positives < FEW_POSITIVES and one.feature in FEATURES
        ]
        if few:
            notes.append(
                f"{stage.label}: {counted(len(few), 'feature')} with fewer than {FEW_POSITIVES} recordings that show "
                f"it, whose importance is that of those few: {', '.join(few)}"
            )
    return notes
