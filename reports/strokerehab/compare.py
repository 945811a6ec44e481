"""Two stroke-rehabilitation runs on the videos that both answered: differences paired by subject."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from semiology.metrics.statistics.bootstrap import mean_estimate
from semiology.metrics.statistics.intervals import Estimate
from semiology.metrics.statistics.sign_flip import FLIPS, draw_flips, flip_p_value
from semiology.metrics.strokerehab import run_scores
from semiology.metrics.strokerehab.fugl_meyer import impairment_scores
from semiology.render.table import Column, Document, Row, Table
from semiology.reports.strokerehab.reading import RehabResults, RehabRun
from semiology.reports.tables.estimates import number_of
from semiology.settings import rehab_nose_only

MEASURES = (
    "edit_score",
    "action_error_rate",
    "relative_counting_error",
    "relative_counting_error_without_idle",
)
Values = Mapping[str, Mapping[str, tuple[str, float]]]
"""By measure and video (or subject): the subject and the value."""


@dataclass(frozen=True)
class PairedMeasure:
    """One measure of two runs: means, their difference (second minus first) by subject, and the sign-flip p-value."""

    task: str
    first_label: str
    second_label: str
    measure: str
    first: float
    second: float
    difference: Estimate
    p: float


def compare_rehab(
    first: RehabResults, second: RehabResults, *, flips: int = FLIPS, resamples: int = 2000, seed: int = 0
) -> list[PairedMeasure]:
    """Return the comparison of every task that both hold, run by run in their order.

    Raises:
        ValueError: they share no task, or no video.
    """
    found = []
    for one in first.runs:
        other = _counterpart(one, second.runs)
        if other is not None:
            found += list(_compared(one, other, flips, resamples, seed))
    if not found:
        raise ValueError(
            "the two runs share no video of a stroke-rehabilitation task → compare runs of the same task"
        )
    return found


def _counterpart(one: RehabRun, runs: Sequence[RehabRun]) -> RehabRun | None:
    """Return the run of the same task that is most like another: in wording, then sampling, then pictures."""
    alike = [
        ((run.prompt_id == one.prompt_id, run.sampling == one.sampling, run.pictures == one.pictures), run)
        for run in runs
        if run.task == one.task
    ]
    return max(alike, key=lambda pair: pair[0])[1] if alike else None


def _compared(
    one: RehabRun, other: RehabRun, flips: int, resamples: int, seed: int
) -> Iterator[PairedMeasure]:
    values, others = values_of(one), values_of(other)
    for measure in values:
        shared = sorted(values[measure].keys() & others[measure].keys())
        if not shared:
            continue
        subjects = [values[measure][key][0] for key in shared]
        before = np.array([values[measure][key][1] for key in shared])
        after = np.array([others[measure][key][1] for key in shared])
        yield PairedMeasure(
            one.task, one.label, other.label, measure, float(before.mean()), float(after.mean()),
            mean_estimate(after - before, subjects, resamples=resamples, seed=seed),
            subject_p_value(after - before, subjects, flips, seed),
        )  # fmt: skip


def values_of(run: RehabRun) -> Values:
    """Return what is compared: of primitives the scores of each video, of activities whether each is right, of items
    each subject's accuracy and summed difference."""
    if run.part == "identification":
        scores = run_scores.score_identification(run.records, run.profile)
        right = {
            record["video_id"]: (record["subject"], float(true == answer))
            for record, true, answer in zip(run.records, scores.truth, scores.answer, strict=True)
        }
        return {"accuracy": right}
    if run.part == "impairment":
        items = run_scores.score_impairment(run.records, run.profile, nose_only=rehab_nose_only())
        found: dict[str, dict[str, tuple[str, float]]] = {"accuracy": {}, "apd": {}}
        for subject, rated in items.truth.items():
            if rated:
                own = impairment_scores({subject: items.answers.get(subject, {})}, {subject: rated})
                found["accuracy"][subject] = (subject, own.accuracy)
                found["apd"][subject] = (subject, own.apd)
        return found
    videos = run_scores.score_primitives(run.records, run.profile).videos
    return {
        name: {v.labelled.id: (v.labelled.subject, float(getattr(v.scores, name))) for v in videos}
        for name in MEASURES
    }


def subject_p_value(differences: np.ndarray, subjects: list[str], flips: int, seed: int) -> float:
    """Return the two-sided p-value of the sign-flip test: one sign for all videos of a subject."""
    sums: dict[str, float] = defaultdict(float)
    for subject, difference in zip(subjects, differences, strict=True):
        sums[subject] += float(difference)
    contributions = np.array(list(sums.values()))
    drawn = draw_flips(len(contributions), flips, seed)
    flipped = drawn.sums(contributions[:, None])
    return float(flip_p_value(np.array([contributions.sum()]), flipped, drawn)[0])


def comparison_document(found: list[PairedMeasure], caveats: tuple[str, ...] = ()) -> Document:
    """Return the comparison as a table; ``caveats`` say what limits its numbers, such as drawn films."""
    columns = (
        Column("task"), Column("measure", left=True), Column("A", ".3f"), Column("B", ".3f"),
        Column("B minus A [95 %]", ".3f"), Column("p", "p"),
    )  # fmt: skip
    rows = tuple(
        Row((each.task, each.measure, each.first, each.second, number_of(each.difference), each.p))
        for each in found
    )
    labels = dict.fromkeys(
        f"{each.task}: A is {each.first_label}, B is {each.second_label}." for each in found
    )
    remark = "Differences over videos that both answered; intervals and the sign-flip test are by subject."
    parts = (Table("", columns, rows),)
    return Document("Stroke rehabilitation, compared", parts, caveats, remarks=(*labels, remark))
