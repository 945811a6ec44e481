"""The sample of reports that people rate, by the protocol of arXiv 2605.21852, appendix D.2.

Patients are drawn at random, one recording of each; the reports of all models about it are rated beside the expert's,
models hidden and the order mixed.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from semiology.metrics.coverage import UNPARSED
from semiology.render.text import counted
from semiology.reports.read.lmms_eval_files import NoAnswersError
from semiology.reports.read.s3_answers import read_s3_results
from semiology.reports.review.ratings import Review
from semiology.reports.review.sheet import LONGEST, Case, ReviewError, Sample
from semiology.reports.review.subjects import REPORT
from semiology.reports.summary.s3 import frames_by_run

EXPERT_RATINGS = "expert_ratings.csv"
"""What `semiology agreement experts` reads."""


def draw_reports(runs: Sequence[Path], *, seed: int = 0, most: int | None = None) -> Sample:
    """Draw one recording of each patient, and the reports of all models about it.

    Args:
        runs: folders with answers to s3_report. seed: of the draws and of the order.
        most: at most so many patients (published: 20); None for all.

    Raises:
        ReviewError: a model wrote reports in several wordings, or there is none to rate.
        NoAnswersError: no run was asked for reports.
    """
    results = read_s3_results(runs)
    frames = (
        {}
        if results is None
        else {run.key: run.frame for run in frames_by_run(results) if run.kind == "report"}
    )
    if results is None or not frames:
        raise NoAnswersError("the runs hold no reports → semiology run --tasks s3_report")
    models = [model for _, model, _, _ in frames]
    twice = sorted({model for model in models if models.count(model) > 1})
    if twice:
        raise ReviewError(
            f"{twice[0]} wrote reports in several wordings or with several enhancements → give the runs of one"
        )
    rng = np.random.default_rng(seed)
    recordings: dict[str, set[str]] = {}
    for frame in frames.values():
        for patient, video in zip(frame["patient_id"], frame["video_id"], strict=True):
            recordings.setdefault(str(patient), set()).add(str(video))
    patients = sorted(recordings)
    if most is not None and most < len(patients):
        patients = [patients[i] for i in np.sort(rng.choice(len(patients), most, replace=False))]
    drawn = {str(rng.choice(sorted(recordings[patient]))) for patient in patients}
    notes: list[str] = []
    cases: list[Case] = []
    for (_, model, prompt, enhancement), frame in sorted(frames.items()):
        rows = frame[frame["video_id"].isin(drawn)]
        told = rows[rows["answer"] != UNPARSED]
        lacking = len(drawn) - len(told)
        if lacking:
            notes.append(
                f"{model}: {counted(lacking, 'report')} of {len(drawn)} missing or not understood → not rated"
            )
        for video, patient, text, expert in told[["video_id", "patient_id", "answer", "truth"]].itertuples(
            index=False, name=None
        ):
            digest = hashlib.sha256("\n".join((model, prompt, enhancement, video, text)).encode()).hexdigest()
            cases.append(
                Case(
                    item=f"r{digest[:12]}",
                    feature="report",
                    question=str(expert),
                    video_id=str(video),
                    start_s=0.0,
                    end_s=0.0,
                    answer="",
                    justification=f"{text[:LONGEST]} […]" if len(text) > LONGEST else text,
                    kind="report",
                    model=model,
                    enhancement=enhancement,
                    prompt_id=prompt,
                    patient_id=str(patient),
                )
            )
    if not cases:
        raise ReviewError("no report was understood → nothing can be rated")
    order = rng.permutation(len(cases))
    return Sample(tuple(cases[i] for i in order), tuple(notes), seed, tuple(results.caveats), REPORT)


def expert_ratings(review: Review) -> list[dict[str, object]]:
    """Return one row per rating: video_id, model, patient_id, rater and the rating as ``expert``."""
    cases = {case.item: case for case in review.cases}
    return [
        {
            **{name: getattr(cases[item], name) for name in ("video_id", "model", "patient_id")},
            "rater": rater,
            "expert": rating,
        }
        for rater, rated in sorted(review.ratings.items())
        for item, rating in sorted(rated.items())
    ]
