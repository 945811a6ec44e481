"""What a report starts from: answers on features and S3 tasks, of runs, of published models, or of both."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

import pandas as pd

from semiology.data.protection.trained_on import read_manifest, refuse_trained
from semiology.data.recording_set import Recording
from semiology.reports.protected import ScoredSet, unrecorded_looks
from semiology.reports.published.baselines import beside_features, beside_s3, features_alone, s3_alone
from semiology.reports.read.feature_answers import Results, check_one_recording_set, read_results
from semiology.reports.read.lmms_eval_files import NoAnswersError, ResultsError
from semiology.reports.read.run_provenance import mixed_versions, run_provenances
from semiology.reports.read.s3_answers import S3Results, read_s3_results
from semiology.reports.summary.probabilities import Choice
from semiology.reports.summary.two_stage import with_two_stages


@dataclass(frozen=True)
class ReportInputs:
    """Answers on features and on S3 tasks; None where there are none.

    ``choice`` says on whom thresholds are chosen, and on whom they are scored.
    """

    features: Results | None
    s3: S3Results | None
    choice: Choice = field(default_factory=Choice)


def report_inputs(
    runs: Sequence[Path],
    baselines: pd.DataFrame | None,
    only: Literal["features", "s3"] | None = None,
    scored: ScoredSet | None = None,
    trained_on: Path | None = None,
) -> ReportInputs:
    """Read runs, and put published answers beside them; without runs these stand alone.

    Where there are answers on features and to task 7, those of two stages are added, also to S3 tasks alone.

    Args:
        runs: folders and files of lmms-eval.
        baselines: of `semiology.reports.published.baselines.read_baselines`, or None.
        only: leave out the other part.
        scored: the recording set: whose answers may be scored, and its folds for the classifier of the two stages.

        trained_on: manifest of a model's training data.

    Raises:
        TrainedOnError: an answer of the runs is about a patient whom that model was trained on.
        ResultsError: there is nothing to report, or the runs are about different recording sets.
        ValueError: answers contradict each other.
    """
    if not runs:
        if baselines is None:
            raise ResultsError("nothing to report → name the folder of a run, or --baselines")
        features = features_alone(baselines)
        s3 = s3_alone(baselines) if only != "features" else None
        if s3 is None and (features is None or only == "s3"):
            raise ResultsError(f"--baselines: holds no answers of --only {only} → leave --only out")
        return _only(_scored(features, s3, scored), only)
    features, s3, unusable = None, None, None
    if only != "features":
        try:
            s3 = read_s3_results(runs)
        except NoAnswersError as error:  # some were asked and cannot be used
            unusable = error
    try:  # with --only s3 too: the two stages of task 7 are made of the answers on features
        features = read_results(runs)
    except NoAnswersError as error:
        if s3 is None:
            raise (unusable or error) from None
    facts = [*(features.records.values() if features else ()), *(s3.records_of_runs.values() if s3 else ())]
    check_one_recording_set(each.get("data") for each in facts)
    if only == "s3" and s3 is None:
        raise unusable or NoAnswersError("the runs hold no answer to an S3 task → leave --only out")
    if features and unusable:
        features = replace(features, notes=(*features.notes, str(unusable)))
    if trained_on is not None:
        _refuse_trained(trained_on, features, s3)
    versions = mixed_versions(run_provenances(runs))
    features = replace(features, notes=(*features.notes, *versions)) if features else None
    s3 = replace(s3, notes=(*s3.notes, *versions)) if s3 else None
    if baselines is not None:
        features = beside_features(features, baselines) if features else None
        s3 = beside_s3(s3, baselines) if s3 else None
    return _only(_scored(features, s3, scored), only)


def _only(inputs: ReportInputs, only: Literal["features", "s3"] | None) -> ReportInputs:
    """Return the inputs without the answers on features where only S3 tasks are reported."""
    return replace(inputs, features=None) if only == "s3" else inputs


def _refuse_trained(trained_on: Path, features: Results | None, s3: S3Results | None) -> None:
    manifest = read_manifest(trained_on)
    patients = set(features.answers["patient_id"]) if features else set()
    patients |= {str(record["patient_id"]) for record in s3.records} if s3 else set()
    refuse_trained(manifest.path, manifest.patients_of(patients), "a report on these runs")


def _scored(features: Results | None, s3: S3Results | None, scored: ScoredSet | None) -> ReportInputs:
    """Leave out answers that may not be scored, enter the look at the others, and add those of two stages."""
    if scored is None:
        return _whole(features, s3)
    videos = set(features.answers["video_id"]) if features else set()
    videos |= {str(record["video_id"]) for record in s3.records} if s3 else set()
    kept = scored.kept(videos)
    if not kept:
        raise ResultsError(
            f"no answer is about a recording of --split {scored.handed_out.purpose} → leave --split out, or name "
            "another"
        )
    told = scored.notes(videos)
    seen = []
    whole = features
    if features is not None:
        features = replace(features, answers=features.answers[features.answers["video_id"].isin(kept)])
        columns = ["model", "prompt_id", "enhancement", "video_id", "feature", "segment", "answer"]
        seen.append(features.answers[columns])
    records = tuple(record for record in s3.records if record["video_id"] in kept) if s3 else ()
    if s3 is not None:
        columns = ["model", "task", "feature", "video_id", "segment", "answer"]
        seen.append(pd.DataFrame([{name: record.get(name) for name in columns} for record in records]))
    rows = pd.concat(seen)
    told += scored.enter("report", rows, {"models": sorted(map(str, rows["model"].unique()))})
    choice = Choice(choosing=_ids(scored.developing), tested=scored.tested)
    if whole is not None and features is not None:
        left_out = whole.answers[whole.answers["video_id"].isin(choice.choosing - kept)]
        choice = replace(choice, answers=left_out if len(left_out) else None)
        features = replace(features, notes=(*features.notes, *told)) if len(features.answers) else None
    if s3 is not None:
        if whole is not None:  # who may be learned from without being scored is gone after it
            open_to = kept | choice.choosing
            s3 = replace(s3, records=tuple(each for each in s3.records if each["video_id"] in open_to))
            learned = replace(whole, answers=whole.answers[whole.answers["video_id"].isin(open_to)])
            s3 = with_two_stages(learned, s3, scored.folds, scored.learners)
            records = tuple(record for record in s3.records if record["video_id"] in kept)
        s3 = replace(s3, records=records, notes=(*s3.notes, *told)) if records else None
    return ReportInputs(features, s3, choice)


def _ids(recordings: Iterable[Recording]) -> frozenset[str]:
    return frozenset(each.video_id for each in recordings)


def _whole(features: Results | None, s3: S3Results | None) -> ReportInputs:
    told = unrecorded_looks({**(s3.records_of_runs if s3 else {}), **(features.records if features else {})})
    features = replace(features, notes=(*features.notes, *told)) if features else None
    s3 = replace(s3, notes=(*s3.notes, *told)) if s3 else None
    if features is not None and s3 is not None:
        s3 = with_two_stages(features, s3)
    return ReportInputs(features, s3)
