"""What the second stage starts from: features of recordings by models and experts, and whom it may learn from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from semiology.data.protection.splits import PROTECTED
from semiology.features import FEATURES, VISUAL_FEATURES
from semiology.metrics.diagnosis.out_of_fold import Cohort
from semiology.metrics.s3.categorical import DIAGNOSES
from semiology.metrics.s3.two_stage import FOLDS, drawn_folds, feature_vectors
from semiology.metrics.scores.probability import recording_probabilities
from semiology.reports.protected import ScoredSet, scored_set
from semiology.reports.published.baselines import beside_features, features_alone
from semiology.reports.read.asked import NO_ENHANCEMENT, PREFIX, is_reference
from semiology.reports.read.feature_answers import Results, read_results
from semiology.reports.read.lmms_eval_files import ResultsError
from semiology.reports.summary.features import labelled_recordings

EXPERTS = "experts' annotations"
UNSPLIT = "no split"
"""Fold of a patient without a split in a set where others have one: diagnosed, never learned from."""


@dataclass(frozen=True)
class FirstStage:
    """The features of recordings from one source.

    Attributes:
        label: the model, with ``p(yes)`` where its probabilities stand for its answers; or `EXPERTS`.
        model: as in the run's record, for what must be said of it; empty for the experts.
        vectors: a row per recording, a column per feature (`semiology.metrics.s3.two_stage.feature_vectors`).
    """

    label: str
    model: str
    vectors: pd.DataFrame


@dataclass(frozen=True)
class DiagnosisInputs:
    """First stages, and the recordings they are about.

    Attributes:
        cohort: diagnoses, patients, folds, and who may be learned from.
        experts: the ceiling. models: every model that answered all visual features.
        shown: recordings whose diagnoses are scored. caveats, notes: of the results read.
    """

    cohort: Cohort
    experts: FirstStage
    models: tuple[FirstStage, ...]
    shown: frozenset[str]
    caveats: tuple[str, ...]
    notes: tuple[str, ...]


def of_runs(
    runs: list[Path], baselines: pd.DataFrame | None, data: Path, split: str | None, *, folds: int = FOLDS
) -> tuple[DiagnosisInputs, ScoredSet]:
    """Read runs about a recording set, which knows diagnoses, folds and splits; and the set, to enter the look at it.

    Classifiers learn from patients to develop on alone, whatever is scored.

    Raises:
        ResultsError: there is nothing to diagnose.
        ValueError: the set has faults, or nobody to learn from.
    """
    results = read_results(runs)
    if baselines is not None:
        results = beside_features(results, baselines)
    scored = scored_set(data, split)
    if not scored.developing:
        raise ResultsError(
            f"{data}: all patients are protected → put some into the splits train or dev to learn from"
        )
    answered = set(results.answers["video_id"])
    recordings = {each.video_id: each for each in (*scored.developing, *scored.handed_out.recordings)}
    known = {v: each for v, each in recordings.items() if each.diagnosis in DIAGNOSES and v in answered}
    if not known:
        raise ResultsError(
            f"{data}: no recording that was asked about has a diagnosis → fill the column diagnosis with ES or NES"
        )
    may_learn = frozenset(each.video_id for each in scored.developing) & frozenset(known)
    diagnosis = {v: str(each.diagnosis) for v, each in known.items()}
    patients = {v: each.patient_id for v, each in known.items()}
    parts = _folds({v: known[v].fold or "" for v in may_learn}, diagnosis, patients, folds)
    split_of = {v: known[v].split for v in known if v not in may_learn}
    parts |= {v: name if name in PROTECTED else UNSPLIT for v, name in split_of.items()}
    cohort = Cohort(diagnosis, patients, parts, may_learn)
    shown = frozenset(known) & scored.kept(answered)
    told = (*results.notes, *scored.notes(answered))
    return _inputs(results, cohort, shown, told), scored


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
    named: Mapping[str, str], diagnosis: Mapping[str, str], patients: Mapping[str, str], folds: int
) -> dict[str, str]:
    """Return the folds that recordings name, if all do and there are several; else drawn ones."""
    if named and all(named.values()) and len(set(named.values())) > 1:
        return dict(named)
    drawn = drawn_folds({v: diagnosis[v] for v in named}, patients, folds=folds)
    return {video: str(fold) for video, fold in drawn.items()}


def _inputs(
    results: Results, cohort: Cohort, shown: frozenset[str], told: tuple[str, ...]
) -> DiagnosisInputs:
    answers = results.answers
    # Published models were asked in the words of their own programs.
    usual = answers["prompt"].map(is_reference) | answers["model"].str.startswith(PREFIX)
    plain = answers[(answers["enhancement"] == NO_ENHANCEMENT) & usual]
    plain = plain[plain["video_id"].isin(cohort.diagnosis) & plain["feature"].isin(FEATURES)]
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
    return DiagnosisInputs(
        cohort, FirstStage(EXPERTS, "", experts), tuple(models), shown, results.caveats, tuple(notes)
    )
