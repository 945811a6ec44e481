"""What the second stage starts from: features of recordings by models and experts, and whom it may learn from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import pandas as pd

from semiology.data.protection.splits import PROTECTED
from semiology.data.recording_set import Recording
from semiology.data.tables.csv_tables import read_table
from semiology.data.tables.reading import CONCLUSIONS, RECORDINGS
from semiology.features import FEATURES, VISUAL_FEATURES
from semiology.metrics.diagnosis.out_of_fold import Cohort
from semiology.metrics.diagnosis.targets import ES_OR_NES, Target
from semiology.metrics.s3.categorical import DIAGNOSES
from semiology.metrics.s3.two_stage import FOLDS, drawn_folds, feature_vectors
from semiology.metrics.scores.probability import recording_probabilities
from semiology.render.text import counted
from semiology.reports.diagnosis.sides import (
    ASKED,
    further_sides,
    sides_of_experts,
    sides_of_models,
    with_sides,
)
from semiology.reports.protected import ScoredSet, scored_set
from semiology.reports.published.baselines import beside_features, features_alone
from semiology.reports.read.asked import NO_ENHANCEMENT, PREFIX, is_reference
from semiology.reports.read.feature_answers import Results, read_results
from semiology.reports.read.lmms_eval_files import NoAnswersError, ResultsError
from semiology.reports.read.s3_answers import S3Results, read_s3_results
from semiology.reports.summary.features import labelled_recordings
from semiology.reports.summary.subgroups import column_values, refused_values

EXPERTS = "experts' annotations"
UNSPLIT = "no split"
"""Fold of a patient without a split in a set where others have one: diagnosed, never learned from."""
Sides = tuple[pd.DataFrame, Mapping[str, pd.DataFrame]]
"""Sides of experts, and of models by name."""


@dataclass(frozen=True)
class FirstStage:
    """The features of recordings from one source.

    Attributes:
        label: the model, with ``p(yes)`` where its probabilities stand for its answers; or `EXPERTS`.
        model: as in the run's record, for what must be said of it; empty for the experts.
        vectors: a row per recording, a column per feature (`semiology.metrics.s3.two_stage.feature_vectors`), and
            for other targets than the diagnosis one per side that models are asked about.
        further: columns of further sides, which rules alone look at; None for models.
    """

    label: str
    model: str
    vectors: pd.DataFrame
    further: pd.DataFrame | None = None


@dataclass(frozen=True)
class DiagnosisInputs:
    """First stages, and the recordings they are about.

    Attributes:
        cohort: target, its classes, patients, folds, and who may be learned from.
        experts: the ceiling. models: every model that answered all visual features.
        shown: recordings that are scored. caveats, notes: of the results read.
    """

    cohort: Cohort
    experts: FirstStage
    models: tuple[FirstStage, ...]
    shown: frozenset[str]
    caveats: tuple[str, ...]
    notes: tuple[str, ...]


def of_runs(
    runs: list[Path],
    baselines: pd.DataFrame | None,
    data: Path,
    split: str | None,
    *,
    folds: int = FOLDS,
    column: str = ES_OR_NES.column,
) -> tuple[DiagnosisInputs, ScoredSet]:
    """Read runs about a recording set, which knows classes, folds and splits; and the set, to enter the look at it.

    Classifiers learn from patients to develop on alone, whatever is scored. ``column`` names the target.

    Raises:
        ResultsError: there is nothing to diagnose.
        ValueError: the set has faults, or nobody to learn from.
    """
    results = read_results(runs)
    if baselines is not None:
        results = beside_features(results, baselines)
    other = column != ES_OR_NES.column
    scored = scored_set(data, split, with_sides=other)
    if not scored.developing:
        raise ResultsError(
            f"{data}: all patients are protected → put some into the splits train or dev to learn from"
        )
    answered = set(results.answers["video_id"])
    recordings = {each.video_id: each for each in (*scored.developing, *scored.handed_out.recordings)}
    asked = {v: each for v, each in recordings.items() if v in answered}
    learners = frozenset(each.video_id for each in scored.developing) & frozenset(asked)
    target, truth, left_out = _classes(data, asked, learners, column)
    may_learn = learners & frozenset(truth)
    patients = {v: asked[v].patient_id for v in truth}
    parts = _folds({v: asked[v].fold or "" for v in may_learn}, truth, patients, folds, target.classes)
    split_of = {v: asked[v].split for v in truth if v not in may_learn}
    parts |= {v: name if name in PROTECTED else UNSPLIT for v, name in split_of.items()}
    cohort = Cohort(truth, patients, parts, may_learn, target)
    shown = frozenset(truth) & scored.kept(answered)
    told = (*results.notes, *scored.notes(answered), *left_out)
    sides = None
    if other:
        sides = (sides_of_experts(scored), sides_of_models(_side_answers(runs)))
    return _inputs(results, cohort, shown, told, sides), scored


def _side_answers(runs: list[Path]) -> S3Results | None:
    try:
        return read_s3_results(runs)
    except NoAnswersError:
        return None


def _classes(
    data: Path, asked: Mapping[str, Recording], learners: frozenset[str], column: str
) -> tuple[Target, dict[str, str], list[str]]:
    """Return the target, the class of each recording that has one, and in sentences what was left out.

    Cells that differ in case alone are one class. A class that fewer than two patients to learn from have is left out.

    Raises:
        ResultsError: fewer than two classes are left. ValueError: there is no such column.
    """
    values = column_values(read_table(data / RECORDINGS), asked.values(), column, "--target")
    if column == ES_OR_NES.column:
        truth = {video: value for video, value in values.items() if value in DIAGNOSES}
        if not truth:
            raise ResultsError(
                f"{data}: no recording that was asked about has a diagnosis → fill the column diagnosis with ES or NES"
            )
        return ES_OR_NES, truth, []
    truth = values
    if refused := refused_values(f"--target {column}", truth):
        fix = (
            f"fill it for the recordings to learn from, or name another ({', '.join(CONCLUSIONS)})"
            if not truth
            else "name a column with two to eight classes"
        )
        raise ResultsError(
            refused if len(set(truth.values())) > 1 else f"{refused.partition(' → ')[0]} → {fix}"
        )
    told = []
    owners = {
        name: {asked[v].patient_id for v in learners if truth.get(v) == name} for name in set(truth.values())
    }
    for name in sorted(owners):
        if len(owners[name]) < 2:
            lost = [v for v, value in truth.items() if value == name]
            told.append(
                f"{column} {name!r}: {counted(len(owners[name]), 'patient')} to learn from, fewer than two → its "
                f"{counted(len(lost), 'recording')} left out"
            )
            truth = {v: value for v, value in truth.items() if value != name}
    without = len(asked) - len(values)
    if without:
        told.append(f"{counted(without, 'recording')} without a value in the column {column} left out")
    classes = tuple(sorted(set(truth.values())))
    if len(classes) < 2:
        raise ResultsError(
            f"--target {column}: fewer than two classes have two patients each to learn from. {' '.join(told)}"
        )
    return Target(column, classes), truth, told


def of_publication(baselines: pd.DataFrame, *, folds: int = FOLDS) -> DiagnosisInputs:
    """Take published answers by themselves, with the diagnoses and folds published with them.

    Raises:
        ResultsError: they hold no diagnosis, or no answers on features.
        ValueError: a diagnosis has fewer than two patients.
    """
    results = features_alone(baselines)
    asked = baselines[(baselines["task"] == "s3_diagnosis") & baselines["truth"].isin(DIAGNOSES)]
    about = asked.drop_duplicates("video_id").set_index("video_id")
    if results is None or about.empty:
        raise ResultsError(
            "the published answers hold no diagnoses with answers on features → import those of s3"
        )
    diagnosis = {str(v): str(name) for v, name in about["truth"].items()}
    patients = {str(v): str(name) for v, name in about["patient_id"].items()}
    named = {str(v): str(name) for v, name in about["fold"].items()} if "fold" in about else {}
    parts = _folds({v: named.get(v, "") for v in diagnosis}, diagnosis, patients, folds)
    cohort = Cohort(diagnosis, patients, parts)
    return _inputs(results, cohort, frozenset(diagnosis), results.notes)


def _folds(
    named: Mapping[str, str],
    truth: Mapping[str, str],
    patients: Mapping[str, str],
    folds: int,
    classes: tuple[str, ...] = DIAGNOSES,
) -> dict[str, str]:
    """Return the folds that recordings name, if all do and there are several; else drawn ones."""
    if named and all(named.values()) and len(set(named.values())) > 1:
        return dict(named)
    drawn = drawn_folds({v: truth[v] for v in named}, patients, folds=folds, classes=classes)
    return {video: str(fold) for video, fold in drawn.items()}


def _inputs(
    results: Results, cohort: Cohort, shown: frozenset[str], told: tuple[str, ...], sides: Sides | None = None
) -> DiagnosisInputs:
    answers = results.answers
    # Published models were asked in the words of their own programs.
    usual = answers["prompt"].map(is_reference) | answers["model"].str.startswith(PREFIX)
    plain = answers[(answers["enhancement"] == NO_ENHANCEMENT) & usual]
    plain = plain[plain["video_id"].isin(cohort.truth) & plain["feature"].isin(FEATURES)]
    recordings = labelled_recordings(plain)
    models, notes = [], list(told)
    for model, own in recordings.groupby("model", sort=True):
        missing = [name for name in VISUAL_FEATURES if name not in set(own["feature"])]
        if missing:
            notes.append(f"{model}: was not asked {', '.join(missing)} → no second stage")
            continue
        once = own.drop_duplicates(["video_id", "feature"])
        models.append(FirstStage(str(model), str(model), feature_vectors(once)))
        segments = plain[plain["model"] == model]
        segments = segments[segments["prompt"] == once["prompt_id"].iloc[0]]
        if segments["p_yes"].notna().any():
            sure = recording_probabilities(segments, ["feature", "video_id"])
            vectors = sure.pivot(index="video_id", columns="feature", values="p_yes").sort_index()
            models.append(FirstStage(f"{model}, p(yes)", str(model), vectors))
    truths = recordings.drop_duplicates(["video_id", "feature"]).drop(columns="answer")
    experts = feature_vectors(truths.rename(columns={"truth": "answer"}))
    if not models:
        raise ResultsError(" ".join([*notes[-3:], "no model answered all visual features → ask them"]))
    first = FirstStage(EXPERTS, "", experts)
    if sides is not None:
        first, models = _sided(first, models, sides, notes)
    return DiagnosisInputs(cohort, first, tuple(models), shown, results.caveats, tuple(notes))


def _sided(
    experts: FirstStage, models: list[FirstStage], sides: Sides, notes: list[str]
) -> tuple[FirstStage, list[FirstStage]]:
    """Return first stages with sides; note the models that were not asked about any."""
    of_experts, of_models = sides
    for model in dict.fromkeys(each.model for each in models if each.model not in of_models):
        notes.append(
            f"{model}: was not asked the sides of S3 task 3 → signs alone, which do not tell left from right; ask "
            f"{' and '.join(ASKED)}"
        )
    for model, given in of_models.items():
        if any(each.model == model for each in models) and not given.notna().to_numpy().any():
            notes.append(f"{model}: no answer of S3 task 3 was left or right → signs alone")
    further = further_sides(of_experts, experts.vectors.index)
    first = replace(experts, vectors=with_sides(experts.vectors, of_experts), further=further)
    return first, [
        replace(each, vectors=with_sides(each.vectors, of_models.get(each.model))) for each in models
    ]
