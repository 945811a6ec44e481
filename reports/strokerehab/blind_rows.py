"""The rows of answers that look at nothing, which stand in every table of scores: what a score must beat."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from semiology.metrics.strokerehab import run_scores
from semiology.metrics.strokerehab.baselines import (
    LabelledVideo,
    constant,
    dose_errors,
    mean_dose,
    mean_rate,
    omniscient,
    other_subjects_mean,
    other_subjects_mode,
    transition_scores,
)
from semiology.metrics.strokerehab.fugl_meyer import Scores, constant_scores
from semiology.metrics.strokerehab.primitives import mean_and_error, sequence_scores, share_within
from semiology.metrics.strokerehab.run_scores import PrimitiveRun
from semiology.metrics.strokerehab.window_labels import AXES, Mixed
from semiology.render.table import Cell, Row
from semiology.strokerehab import PRIMITIVES, SEVERITIES

BELOW_BLIND = (
    "Transitions: fitted on the other subjects, given the true length; 100 seeded draws ± their spread.",
    "True labels of windows: an upper bound of two yes/no questions, not blind.",
)


def blind_rows(videos: Sequence[LabelledVideo]) -> Iterator[tuple[str, tuple[Cell, ...]]]:
    """Yield the rows of answers without vision: ES, AER, RCE, RCE without idle, share within 25 %, three blanks."""
    rest: tuple[Cell, ...] = (None, None, None)
    for name, words in (
        ("transport everywhere", constant(videos)),
        ("true labels of windows", omniscient(videos)),
    ):
        scores = [sequence_scores(words[v.id], [run.primitive for run in v.runs]) for v in videos]
        errors = [score.relative_counting_error for score in scores]
        yield name, (
            _mean([score.edit_score for score in scores]), _mean([score.action_error_rate for score in scores]),
            _mean(errors), _mean([score.relative_counting_error_without_idle for score in scores]),
            share_within(errors), *rest,
        )  # fmt: skip
    for name, two_axes in (("transitions, two axes", True), ("transitions, direct", False)):
        chain = transition_scores(videos, two_axes=two_axes)
        if chain is not None:
            yield name, (
                f"{chain.edit_score:.1f} ± {chain.edit_score_sd:.1f}",
                f"{chain.action_error_rate:.2f} ± {chain.action_error_rate_sd:.2f}",
                f"{chain.relative_counting_error:.2f} ± {chain.relative_counting_error_sd:.2f}",
                None, None, *rest,
            )  # fmt: skip
    for name, doses in (
        ("mean dose of other subjects", mean_dose(videos)),
        ("mean rate of others", mean_rate(videos)),
    ):
        errors = list(dose_errors(videos, doses).values())
        without = list(dose_errors(videos, doses, idle=False).values())
        yield name, (None, None, _mean(errors), _mean(without), share_within(errors), *rest)


def blind_items(truth: Mapping[str, Mapping[int, int]]) -> dict[str, Mapping[str, Scores]]:
    """Return the item scores of constants and of other subjects, by what they are called."""
    return {
        **{f"{score} for every item": constant_scores(truth, score) for score in (2, 1, 0)},
        "commonest score of other subjects": other_subjects_mode(truth),
        "mean score of other subjects": other_subjects_mean(truth),
    }


def counted_blind(videos: Sequence[LabelledVideo]) -> dict[str, dict[str, Mapping[str, float]]]:
    """Return counts of primitives by video and by name of an answer that looks at nothing."""
    return {
        "transport everywhere": {video.id: {"transport": 1.0} for video in videos},
        "mean dose of other subjects": {name: dose for name, dose in mean_dose(videos).items() if dose},
        "mean rate of other subjects": {name: dose for name, dose in mean_rate(videos).items() if dose},
    }


def severity_rows(run: PrimitiveRun) -> Iterator[Row]:
    """Yield rows of RCE by severity: mean, standard error, share within 25 %, videos."""
    level_of = {video.labelled.id: video.severity for video in run.videos}
    for name, doses in counted_blind(run.labelled).items():
        errors = dose_errors(run.labelled, doses)
        cells: list[Cell] = []
        for level in SEVERITIES:
            own = [error for video, error in errors.items() if level_of[video] == level]
            cells.append((*mean_and_error(own), share_within(own), float(len(own))) if own else None)
        yield Row((name, *cells), baseline=True)


def dose_rows(videos: Sequence[LabelledVideo]) -> Iterator[Row]:
    """Yield rows of mean counts and of the mean absolute error of the count of each primitive."""
    for name, doses in counted_blind(videos).items():
        known = [(doses[video.id], video.counts) for video in videos if video.id in doses]
        errors = [_mean([abs(mine.get(p, 0.0) - true[p]) for mine, true in known]) for p in PRIMITIVES]
        means = (
            _mean([sum(mine.values()) for mine, _ in known]),
            _mean([float(t.total()) for _, t in known]),
        )
        yield Row((name, *means, _mean(errors), *errors), baseline=True)


def axis_row(run: PrimitiveRun, places: Sequence[tuple[str, Mixed]]) -> Row:
    """Return the row of always answering yes: F1 of both axes at each place, and the share of time that is right."""
    always = PrimitiveRun(
        tuple(replace(v, axes={axis: [True] * len(v.windows) for axis in AXES}) for v in run.videos), ()
    )
    return axis_cells("yes everywhere", always, places, baseline=True)


def axis_cells(
    name: str, run: PrimitiveRun, places: Sequence[tuple[str, Mixed]], *, baseline: bool = False
) -> Row:
    """Return a row of F1 of both axes at each place, and of the share of time that is right."""
    totals = run_scores.axis_totals(run)
    cells: list[Cell] = []
    for axis in AXES:
        found = [totals.get((axis, *place)) for place in places]
        cells += [counts.f1 if counts else None for counts in found]
        cells.append(run_scores.axis_time_accuracy(run, axis))
    return Row((name, *cells), baseline=baseline)


def sampling_rows(
    videos: Sequence[LabelledVideo], rates: Sequence[str], frames_of: Sequence[str]
) -> Iterator[Row]:
    """Yield rows of the edit score by frames a second and frames of a window."""
    truth = {video.id: [run.primitive for run in video.runs] for video in videos}

    def score(words: Mapping[str, Sequence[str]]) -> float:
        return _mean([sequence_scores(words[name], runs).edit_score for name, runs in truth.items()])

    always = score(constant(videos))
    yield Row(("transport everywhere", *[always] * len(frames_of)), baseline=True)
    for rate in rates:
        lengths = [_length(rate, frames) for frames in frames_of]
        cells = [score(omniscient(videos, length)) if length else None for length in lengths]
        yield Row((f"true labels of windows, {rate}", *cells), baseline=True)


def _length(rate: str, frames: str) -> float | None:
    """Return the length of a window in s; None where frames a second or frames are no numbers."""
    try:
        return float(frames.partition("_")[0]) / float(rate)
    except (ValueError, ZeroDivisionError):
        return None


def commonest(truth: Sequence[str]) -> str:
    """Return the commonest activity, of equal ones the first by name; empty without any."""
    return max(sorted(set(truth)), key=list(truth).count) if truth else ""


def _mean(values: Sequence[float]) -> float:
    return math.fsum(values) / len(values) if values else math.nan
