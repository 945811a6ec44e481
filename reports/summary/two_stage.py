"""ES or NES from the answers to the features, beside the answers to the S3 tasks: "2-stages" of S3 Table 2.

For every model that was asked all visual features and whose recordings have a diagnosis. No model is run.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import replace
from typing import Any

import pandas as pd

from semiology.features import VISUAL_FEATURES
from semiology.metrics.s3.categorical import DIAGNOSES
from semiology.reports.read.asked import NO_ENHANCEMENT, PREFIX, REFERENCE, is_reference
from semiology.reports.read.feature_answers import Results
from semiology.reports.read.s3_answers import S3Results
from semiology.reports.summary.features import labelled_recordings
from semiology.reports.summary.s3_measures import TWO_STAGE_TASK


def with_two_stages(
    features: Results,
    s3: S3Results,
    folds: Mapping[str, str] | None = None,
    learners: frozenset[str] | None = None,
) -> S3Results:
    """Return the S3 answers with those of a classifier on the answers to the features.

    Args:
        features: answers on the features, for the vectors.
        s3: answers to the S3 tasks; the diagnoses and patients of recordings are taken from those to task 7.
        folds: fold by recording. By default those that the records of task 7 name; where any recording has
            none, folds are drawn.
        learners: recordings of development patients, which alone a classifier learns from; all others are diagnosed by
            one that learned from all of these. None: all learn, in turn.
    """
    asked = _asked_about(s3)
    if not asked:
        return s3
    recordings = labelled_recordings(features.answers)
    plain = recordings[recordings["enhancement"] == NO_ENHANCEMENT]
    # Published models were asked in the words of their own programs.
    usual = plain["prompt_id"].map(is_reference) | plain["model"].str.startswith(PREFIX)
    plain = plain[usual & plain["video_id"].isin(asked)]
    found: list[Mapping[str, Any]] = []
    notes: list[str] = []
    for model, answers in plain.groupby("model"):
        if not set(VISUAL_FEATURES) <= set(answers["feature"]):
            continue
        try:
            made = _records(
                str(model), answers.drop_duplicates(["video_id", "feature"]), asked, folds, learners
            )
        except ValueError as error:
            notes.append(f"two stages: {error}")
            continue
        found += made
        if not made:
            notes.append(
                f"two stages: none for {model}, since no fold leaves it answers of yes or no and patients of "
                "both diagnoses to learn from"
            )
    return replace(s3, records=(*s3.records, *found), notes=(*s3.notes, *dict.fromkeys(notes)))


def _asked_about(s3: S3Results) -> dict[str, Mapping[str, Any]]:
    """Return a record of task 7 for each recording with a diagnosis, one that names a fold before others."""
    asked: dict[str, Mapping[str, Any]] = {}
    for record in s3.records:
        if record["kind"] == "diagnosis" and record["truth"] in DIAGNOSES:
            known = asked.setdefault(record["video_id"], record)
            if record.get("fold") and not known.get("fold"):
                asked[record["video_id"]] = record
    return asked


def _records(
    model: str,
    answers: pd.DataFrame,
    asked: Mapping[str, Mapping[str, Any]],
    folds: Mapping[str, str] | None,
    learners: frozenset[str] | None,
) -> list[dict[str, Any]]:
    """Return the record of each recording that a model answered, as a task would have written it."""
    from semiology.metrics.s3.two_stage import HELD_OUT, feature_vectors, two_stage_diagnoses

    diagnosis = {video: str(record["truth"]) for video, record in asked.items()}
    patients: dict[str, Hashable] = {video: record["patient_id"] for video, record in asked.items()}
    mine = {video: each for video, each in asked.items() if learners is None or video in learners}
    parts = _folds(mine, {video: diagnosis[video] for video in mine}, patients, folds)
    parts = {video: parts.get(video, HELD_OUT) for video in asked}
    found = two_stage_diagnoses(feature_vectors(answers), diagnosis, patients, parts)
    return [
        {
            "task": TWO_STAGE_TASK,
            "kind": "diagnosis",
            "feature": "diagnosis",
            "model": model,
            "prompt_id": REFERENCE,
            "enhancement": NO_ENHANCEMENT,
            "video_id": video,
            "patient_id": patients[video],
            "truth": diagnosis[video],
            "answer": answer,
            "segment": 0,
            "clip_form": None,
            "heard": False,
        }
        for video, answer in found.items()
    ]


def _folds(
    asked: Mapping[str, Mapping[str, Any]],
    diagnosis: Mapping[str, str],
    patients: Mapping[str, Hashable],
    given: Mapping[str, str] | None,
) -> Mapping[str, Hashable]:
    """Return a fold for each recording: those given or named, or else drawn ones."""
    from semiology.metrics.s3.two_stage import drawn_folds

    named = {video: str(record["fold"]) for video, record in asked.items() if record.get("fold")}
    known = {**named, **{video: fold for video, fold in (given or {}).items() if video in asked}}
    if all(video in known for video in asked) and len(set(known.values())) > 1:
        return dict(known)
    return dict(drawn_folds(diagnosis, patients))
