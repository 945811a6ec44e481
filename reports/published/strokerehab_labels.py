"""Published figures that need no model: labels, clips, baselines, and activities named for whole videos."""

from __future__ import annotations

import numpy as np
import pandas as pd

from semiology.metrics.strokerehab.fugl_meyer import constant_scores, section_errors
from semiology.metrics.strokerehab.identification import (
    NONE,
    accuracy,
    class_scores,
    confusion,
    control_against_stroke,
    majority_accuracy,
)
from semiology.metrics.strokerehab.primitives import (
    SequenceScores,
    axes_of_primitive,
    primitives_of_axes,
    sequence_scores,
)
from semiology.metrics.strokerehab.window_labels import window_label
from semiology.render.text import counted
from semiology.reports.published.strokerehab_runs import Values, mean_values
from semiology.reports.published.strokerehab_tables import CLIPS, EXPECTED, PublishedFolder
from semiology.strokerehab import ACTIVITIES, PRIMITIVES, SECTIONS, Window

WINDOW_S = 8 / 15
"""Length of a baseline's window."""
TUNING_SUBJECTS = frozenset({"C00015", "C00020"})
"""Subjects on whom the prompts of the identification task were tuned."""
LIMITS_S = (*(float(limit) for limit in np.arange(0.05, 1.1, 0.05)), 1 / 30, 5.0)
"""Limits of the published table of durations, with the rounding errors of its program; 1/30 is printed as 0.03."""


def baseline_values(published: PublishedFolder, videos: list[str]) -> Values:
    """Return the two published baselines that are not random: transport everywhere, and the true window labels."""
    scores: dict[str, dict[str, SequenceScores]] = {"baseline/transport_only": {}, "baseline/omniscient": {}}
    for video in videos:
        runs = published.labels[video]
        truth = [run.primitive for run in runs]
        windows = _added_up(runs[-1].end_s)
        named = [(window, window_label(runs, window)) for window in windows]
        axes = [axes_of_primitive(label) for _, label in named if label]
        starts = [window.start_s for window, label in named if label]
        motion, grasp = [m for m, _ in axes], [g for _, g in axes]
        scores["baseline/transport_only"][video] = sequence_scores(["transport"], truth)
        scores["baseline/omniscient"][video] = sequence_scores(
            primitives_of_axes(starts, motion, grasp), truth
        )
    values: Values = {}
    for run, by_video in scores.items():
        values |= mean_values(run, by_video)
    return values


def _added_up(end_s: float) -> list[Window]:
    """Return the windows as the published program made them: each start is the last one plus the length.

    The rounding errors of the sum decide which of two labels comes first where both overlap equally.
    """
    windows, start = [], 0.0
    while start < end_s:
        windows.append(Window(start, min(start + WINDOW_S, end_s)))
        start += WINDOW_S
    return windows


def label_values(published: PublishedFolder, videos: list[str]) -> Values:
    """Return seconds by primitive and how many runs last at most a limit.

    Differences of floating-point seconds are compared without a tolerance, as published: a run of exactly the limit
    falls on either side.
    """
    runs = [run for video in videos for run in published.labels[video]]
    values: Values = {}
    for name in PRIMITIVES:
        seconds = sum(run.end_s - run.start_s for run in runs if run.primitive == name)
        values["labels", name, "seconds"] = seconds
    if not runs:
        return {}
    values["labels", "all", "minutes"] = sum(published.labels[video][-1].end_s for video in videos) / 60
    lengths = np.array([run.end_s - run.start_s for run in runs])
    for limit in LIMITS_S:
        count = int((lengths <= limit).sum())
        item = f"at_most_{limit:.2f}_s"
        values["labels", item, "count"] = float(count)
        values["labels", item, "percent"] = 100 * count / len(lengths)
    return values


def clip_values(published: PublishedFolder) -> Values:
    """Return number, median and 95th percentile of the lengths of the Fugl-Meyer clips by section."""
    table = published.tables[CLIPS]
    first = pd.to_numeric(table["first_item"], errors="coerce")
    seconds = pd.to_numeric(table["duration_s"], errors="coerce")
    values: Values = {}
    for section, items in SECTIONS.items():
        lengths = seconds[first.isin(items)].dropna().to_numpy()
        if len(lengths):
            values["clips", section, "clips"] = float(len(lengths))
            values["clips", section, "median_s"] = float(np.median(lengths))
            values["clips", section, "percentile_95_s"] = float(np.percentile(lengths, 95))
    return values


def constant_values(published: PublishedFolder) -> Values:
    """Return the errors of the answer 1 to every item by section."""
    truth = published.item_scores
    values: Values = {}
    if truth:
        for section, (mean, error, n) in section_errors(constant_scores(truth, 1), truth).items():
            values["baseline/constant_1", section, "mean_absolute_error"] = mean
            values["baseline/constant_1", section, "mean_absolute_error_sem"] = error
            values["baseline/constant_1", section, "n"] = float(n)
    return values


def identification_values(published: PublishedFolder) -> Values:
    """Return accuracies, class scores, confusion and tests between groups of every identification run."""
    videos = published.videos
    table = published.tables["predictions/identification"]
    known = table["video_id"].isin(videos.index)
    if not bool(known.all()):
        published.note(
            f"predictions/identification: {counted(int((~known).sum()), 'answer')} about unknown videos"
        )
    table = table[known]
    table = table.assign(
        truth=table["video_id"].map(videos["activity"]).str.strip().str.lower(),
        answer=table["first_answer"].str.strip().str.lower(),
        control=table["video_id"].map(videos["group"]) == "C",
    )
    table = table[~table["video_id"].map(videos["subject"]).isin(TUNING_SUBJECTS)]
    strange = ~table["truth"].isin(ACTIVITIES)
    if bool(strange.any()):
        published.note(
            f"videos: {counted(int(strange.sum()), 'answer')} about an activity that is none of the nine"
        )
        table = table[~strange]
    table = table.assign(answer=table["answer"].where(table["answer"].isin(ACTIVITIES), NONE))
    expected = published.tables[EXPECTED]
    with_none = set(expected.loc[expected["item"] == NONE, "run"])
    values: Values = {}
    if len(table):
        once = table.drop_duplicates("video_id")
        values["baseline/majority", "all", "accuracy"] = majority_accuracy(once["truth"].tolist())
    for run, rows in table.groupby("run"):
        truth, answer = rows["truth"].tolist(), rows["answer"].tolist()
        values[str(run), "all", "accuracy"] = accuracy(truth, answer)
        always = [NONE] if run in with_none else []
        for name, scores in class_scores(truth, answer, always=always).items():
            values |= {(str(run), name, metric): value for metric, value in scores.items()}
        for scope, part in (
            ("all", rows),
            ("control", rows[rows["control"]]),
            ("stroke", rows[~rows["control"]]),
        ):
            cells = confusion(part["truth"].tolist(), part["answer"].tolist())
            values |= {(str(run), scope, f"{true}->{given}"): float(n) for (true, given), n in cells.items()}
        for name, test in control_against_stroke(truth, answer, rows["control"].tolist()).items():
            values |= {
                (str(run), name, metric): float(value)
                for metric, value in zip(
                    ("n_control", "accuracy_control", "n_stroke", "accuracy_stroke", "p_raw", "p_holm"),
                    test,
                    strict=True,
                )
            }
    return values
