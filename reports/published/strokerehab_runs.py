"""The answers of one published run on primitives, read and scored as the study did, video by video."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd

from semiology.metrics.strokerehab.primitives import (
    SequenceScores,
    axes_of_primitive,
    mean_and_error,
    primitives_of_axes,
    sequence_scores,
)
from semiology.metrics.strokerehab.replies import read_primitives, read_yes_no
from semiology.metrics.strokerehab.window_labels import (
    AXES,
    Axis,
    AxisCounts,
    Mixed,
    axis_comparison,
    confusion_pairs,
    window_confusion,
)
from semiology.render.text import counted
from semiology.reports.published.strokerehab_tables import PublishedFolder
from semiology.strokerehab import PRIMITIVES, Window

FORMATS = ("two_axes", "one_word", "word_list", "primitive")
PER_VIDEO = ("edit_score", "action_error_rate", "mae_avg", "count_pred", "count_truth")
Values = dict[tuple[str, str, str], float]
"""Figures by run, item and metric."""


@dataclass(frozen=True)
class VideoAnswers:
    """The answers of a run on one video, in time order.

    Attributes:
        windows: the windows that were asked about; None for one whose times nobody knows.
        primitives: what each window was read as: none, one or several primitives.
        axes: motion and grasp of each window; None for formats that answer with words.
    """

    windows: tuple[Window | None, ...]
    primitives: tuple[tuple[str, ...], ...]
    axes: tuple[tuple[bool, bool], ...] | None


def answers_of_format(published: PublishedFolder, form: str) -> dict[str, dict[str, VideoAnswers]]:
    """Return the answers of every run of a format, by run and video.

    Videos whose windows have no known times are left out where the rule needs times; they are told.
    """
    table = published.tables[f"predictions/{form}"]
    numbers = pd.to_numeric(table["window"], errors="coerce")
    if bool(numbers.isna().any()):
        published.note(f"predictions/{form}: {int(numbers.isna().sum())} rows without a window are left out")
    table = table.assign(window=numbers)[numbers.notna()].astype({"window": int})
    table = table.sort_values(["run", "video_id", "window"], kind="stable")
    found: dict[str, dict[str, VideoAnswers]] = {}
    timeless: dict[str, int] = {}
    for (run, video), rows in table.groupby(["run", "video_id"], sort=False):
        answers = _video_answers(published, form, str(run), str(video), rows)
        if answers is None:
            timeless[str(run)] = timeless.get(str(run), 0) + 1
        else:
            found.setdefault(str(run), {})[str(video)] = answers
    for run, number in timeless.items():
        published.note(f"{run}: {counted(number, 'video')} left out: nobody knows when the windows begin")
    return found


def _video_answers(
    published: PublishedFolder, form: str, run: str, video: str, rows: pd.DataFrame
) -> VideoAnswers | None:
    windows = published.windows_of(run, video, rows["window"].tolist())
    if form == "two_axes":
        if None in windows:
            return None
        motion, grasp = (
            [bool(read_yes_no(reply, "paper")) for reply in rows[axis].tolist()]
            for axis in ("motion", "grasp")
        )
        words = primitives_of_axes([w.start_s for w in windows if w], motion, grasp)
        return VideoAnswers(windows, tuple((word,) for word in words), tuple(zip(motion, grasp, strict=True)))
    if form == "primitive":
        words = [str(word).strip().lower() for word in rows["primitive"].tolist()]
        axes = tuple(axes_of_primitive(word) for word in words)
        return VideoAnswers(windows, tuple((word,) for word in words), axes)
    return VideoAnswers(
        windows, tuple(tuple(read_primitives(reply)) for reply in rows["answer"].tolist()), None
    )


def scores_of_run(
    published: PublishedFolder, run: str, answers: Mapping[str, VideoAnswers]
) -> dict[str, SequenceScores]:
    """Return the scores of a run by video; videos without labels are left out and told."""
    labels = published.labels
    unlabelled = sum(video not in labels for video in answers)
    if unlabelled:
        published.note(f"{run}: {counted(unlabelled, 'video')} without labels, not scored")
    return {
        video: sequence_scores(
            [word for window in given.primitives for word in window],
            [label.primitive for label in labels[video]],
        )
        for video, given in answers.items()
        if video in labels
    }


def mean_values(run: str, scores: Mapping[str, SequenceScores]) -> Values:
    """Return the means over videos and their standard errors, under the names of printed tables and of logs."""
    rows = list(scores.values())
    columns = {
        "edit_score": [row.edit_score for row in rows],
        "action_error_rate": [row.action_error_rate for row in rows],
        "relative_counting_error": [row.relative_counting_error for row in rows],
        "mae_avg": [row.mae_avg for row in rows],
        "count_pred": [float(row.count_answer) for row in rows],
        "count_truth": [float(row.count_truth) for row in rows],
        **{f"mae_{name}": [float(row.count_errors[name]) for row in rows] for name in PRIMITIVES},
    }
    values: Values = {}
    for metric, numbers in columns.items():
        mean, error = mean_and_error(numbers)
        values[run, "all", metric] = mean
        values[run, "all", f"{metric}_sem"] = values[run, "all", f"{metric}_stderr"] = error
    return values


def video_values(run: str, scores: Mapping[str, SequenceScores]) -> Values:
    """Return the values of single videos that the logs store; the item is the video."""
    values: Values = {}
    for video, row in scores.items():
        numbers = (row.edit_score, row.action_error_rate, row.mae_avg, row.count_answer, row.count_truth)
        for metric, number in zip(PER_VIDEO, numbers, strict=True):
            values[run, video, metric] = float(number)
    return values


def axis_values(published: PublishedFolder, run: str, answers: Mapping[str, VideoAnswers]) -> Values:
    """Return F1 and counts of both axes, at the window's middle and over the window."""
    totals: dict[tuple[Axis, str, Mixed], AxisCounts] = {}
    for video, given in answers.items():
        labels = published.labels.get(video)
        if labels is None or given.axes is None:
            continue
        timed = [(window, axes) for window, axes in zip(given.windows, given.axes, strict=True) if window]
        said = {axis: [axes[place] for _, axes in timed] for place, axis in enumerate(AXES)}
        for key, counts in axis_comparison(labels, [window for window, _ in timed], said).items():
            totals[key] = totals[key] + counts if key in totals else counts
    values: Values = {}
    for (axis, where, mixed), counts in totals.items():
        item = f"{axis}_{where}"
        for name, number in (("f1", counts.f1), ("tp", counts.tp), ("fp", counts.fp), ("fn", counts.fn)):
            values[run, item, f"{mixed}_{name}"] = float(number)
        if mixed == "masked":
            values[run, item, "windows_judged"] = float(counts.judged)
    return values


def confusion_values(published: PublishedFolder, run: str, answers: Mapping[str, VideoAnswers]) -> Values:
    """Return windows and recall of each primitive; windows that begin after the labels' end are dropped."""
    pairs: list[tuple[str, str]] = []
    videos = 0
    for video, given in answers.items():
        labels = published.labels.get(video)
        if labels is None:
            continue
        videos += 1
        shown = [
            (window, words[0])
            for window, words in zip(given.windows, given.primitives, strict=True)
            if window and words
        ]
        pairs += confusion_pairs(labels, [window for window, _ in shown], [word for _, word in shown])
    if not pairs:
        return {}
    values: Values = {(run, "all", "videos"): float(videos), (run, "all", "windows"): float(len(pairs))}
    for name, row in window_confusion(pairs).items():
        total = row.total()
        values[run, name, "windows_of_class"] = float(total)
        values[run, name, "recall_percent"] = 100 * row[name] / total if total else float("nan")
    return values
