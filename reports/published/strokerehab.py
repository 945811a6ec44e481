"""``semiology reproduce strokerehab``: every published figure beside the same figure computed again.

One row per printed figure, per mean that the study's logs store, and per value of a single video in these logs; then
the figures of runs that are printed nowhere.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from semiology.reports.published.reproduction import (
    COLUMNS,
    DIFFERS,
    EQUAL,
    NEW,
    NO_INPUT,
    SLIP,
    Reproduction,
)
from semiology.reports.published.strokerehab_labels import (
    baseline_values,
    clip_values,
    constant_values,
    identification_values,
    label_values,
)
from semiology.reports.published.strokerehab_runs import (
    FORMATS,
    PER_VIDEO,
    Values,
    answers_of_format,
    axis_values,
    confusion_values,
    mean_values,
    scores_of_run,
    video_values,
)
from semiology.reports.published.strokerehab_tables import (
    EXPECTED,
    RUNS,
    STORED,
    STORED_PER_VIDEO,
    PublishedFolder,
    read_folders,
)

PRINTED, LOGS, VIDEO_LOGS = "printed", "logs", "logs, per video"
"""Where a published figure stands."""
CELL_COLUMNS = (*COLUMNS, "run", "printed", "where")
STORED_TOLERANCE = 1e-9
_NOISE = 1e-9
_NAMED_SLIPS = {
    ("list/15_15", "relative_counting_error"),
    ("list/15_15", "relative_counting_error_sem"),
}
_SLIP_REASON = "taken over 100 records, 50 of another run that its log holds first"
_NO_ANSWERS = {
    "counting": "the answers of the counting runs were not published",
    "counting_by_severity": "the answers of the counting runs were not published",
    "impairment": "the answers about Fugl-Meyer items were not published",
    "impairment_by_section": "the answers about Fugl-Meyer items were not published",
    "left_or_right_hand": "labels of 15 of the 20 videos were not published",
    "baselines": "one random draw without a seed",
}
_TASKS = {
    "identification": "identification",
    "control": "identification",
    "counting": "counting",
    "impairment": "impairment",
    "clip": "impairment",
    "left": "primitives",
}
"""Task of a published table by the beginning of its name; the rest is about primitives."""
_PLAIN_METRICS = ("edit_score", "action_error_rate", "relative_counting_error", "accuracy")
"""Shown, with their standard errors, for runs that are printed nowhere."""


@dataclass(frozen=True)
class Computed:
    """What a folder yields.

    Attributes:
        values: figures by run, item and metric.
        per_video: values of single videos; the item is the video.
        runs: every run that has answers, in order of appearance.
    """

    values: Values
    per_video: Values
    runs: tuple[str, ...]


def reproduce_strokerehab(
    folders: Sequence[Path], *, on_task: Callable[[str], None] | None = None
) -> Reproduction:
    """Compute every published figure of the stroke-rehabilitation study again.

    Args:
        folders: in the layout of the normalised answers, whichever runs they hold; read together.
        on_task: called with the name of each part before it is computed.
    """
    tell = on_task or (lambda _: None)
    tell("the tables")
    published = read_folders(folders)
    computed = compute(published, tell)
    model = dict(zip(published.tables[RUNS]["run"], published.tables[RUNS]["model"], strict=True))
    rows = [*_printed(published, computed), *_stored(published, computed)]
    shown = {row["run"] for row in rows if row["source"] == PRINTED}
    rows += _unpublished(computed, shown)
    for row in rows:
        row |= {"scope": "", "model": model.get(row["run"], row["run"])}
    cells = pd.DataFrame(rows, columns=list(CELL_COLUMNS))
    return Reproduction(cells, None, tuple(published.notes))


def compute(published: PublishedFolder, tell: Callable[[str], None]) -> Computed:
    """Return every figure that the answers and labels of a folder yield."""
    values: Values = {}
    per_video: Values = {}
    runs: list[str] = []
    labelled: dict[str, None] = {}
    asked = published.tables[EXPECTED]
    by_axis = set(asked.loc[asked["table"].isin(["axis_f1", "window_confusion"]), "run"])
    for form in FORMATS:
        tell(f"answers as {form.replace('_', ' ')}")
        for run, answers in answers_of_format(published, form).items():
            runs.append(run)
            scores = scores_of_run(published, run, answers)
            values |= mean_values(run, scores)
            per_video |= video_values(run, scores)
            if form != "word_list":
                labelled |= dict.fromkeys(scores)
            if form == "primitive" or run in by_axis:
                values |= axis_values(published, run, answers) | confusion_values(published, run, answers)
    tell("labels and baselines")
    # The lists of words were asked about other videos than everything else.
    others = set(published.tables["predictions/word_list"]["video_id"])
    videos = sorted(labelled) or sorted(set(published.labels) - others)
    values |= baseline_values(published, videos) | label_values(published, videos)
    values |= clip_values(published) | constant_values(published)
    tell("activities")
    values |= identification_values(published)
    runs += sorted(set(published.tables["predictions/identification"]["run"]))
    return Computed(values, per_video, tuple(runs))


def _printed(published: PublishedFolder, computed: Computed) -> Iterator[dict[str, Any]]:
    for cell in published.tables[EXPECTED].to_dict("records"):
        run, metric, printed = str(cell["run"]), str(cell["metric"]), str(cell["printed"]).strip()
        again = computed.values.get((run, str(cell["item"]), metric), math.nan)
        status, reason = EQUAL, ""
        if math.isnan(again):
            status = NO_INPUT
            reason = (
                _NO_ANSWERS.get(str(cell["table"]), "") or "these folders hold no answers to compute it from"
            )
        elif not equal_as_printed(printed, again):
            named = (run, metric) in _NAMED_SLIPS
            status, reason = (SLIP, _SLIP_REASON) if named else (DIFFERS, "")
        yield {
            "source": PRINTED,
            "table": cell["table"],
            "task": next(
                (task for start, task in _TASKS.items() if cell["table"].startswith(start)), "primitives"
            ),
            "run": run,
            "item": cell["item"],
            "metric": metric,
            "published": as_number(printed),
            "recomputed": again,
            "equal": status == EQUAL,
            "status": status,
            "reason": reason,
            "printed": printed,
            "where": cell["source"],
        }


def _stored(published: PublishedFolder, computed: Computed) -> Iterator[dict[str, Any]]:
    """Yield the means that the logs store, then the values of single videos."""
    for cell in published.tables[STORED].to_dict("records"):
        yield _stored_row(LOGS, cell["run"], "all", cell["metric"], cell["value"], computed.values)
    for cell in published.tables[STORED_PER_VIDEO].to_dict("records"):
        for metric in PER_VIDEO:
            video = str(cell["video_id"])
            yield _stored_row(VIDEO_LOGS, cell["run"], video, metric, cell[metric], computed.per_video)


def _stored_row(source: str, run: str, item: str, metric: str, text: str, values: Values) -> dict[str, Any]:
    again, stored = values.get((run, item, metric), math.nan), as_number(text)
    equal = abs(again - stored) <= STORED_TOLERANCE * max(1.0, abs(stored))
    absent = math.isnan(again) or math.isnan(stored)
    status = NO_INPUT if absent else EQUAL if equal else DIFFERS
    reason = "these folders hold no answers or labels to compute it from" if status == NO_INPUT else ""
    return {
        "source": source, "table": "", "task": "primitives", "run": run, "item": item, "metric": metric,
        "published": stored, "recomputed": again, "equal": status == EQUAL, "status": status, "reason": reason,
        "printed": text, "where": "",
    }  # fmt: skip


def _unpublished(computed: Computed, shown: set[str]) -> Iterator[dict[str, Any]]:
    """Yield the main figures of runs that no printed table holds."""
    for (run, item, metric), value in computed.values.items():
        plain = metric.removesuffix("_sem")
        if run in shown or run not in computed.runs or item != "all" or plain not in _PLAIN_METRICS:
            continue
        if not math.isnan(value):
            task = "identification" if plain == "accuracy" else "primitives"
            yield {
                "source": "", "table": "", "task": task, "run": run, "item": item, "metric": metric,
                "published": math.nan, "recomputed": value, "equal": False, "status": NEW, "reason": "",
                "printed": "", "where": "",
            }  # fmt: skip


def as_number(text: str) -> float:
    """Return the number in a printed figure: its limit for ``<0.001``; NaN for none."""
    try:
        return float(text.strip().lstrip("<>"))
    except ValueError:
        return math.nan


def equal_as_printed(printed: str, value: float) -> bool:
    """Return whether a value gives a printed figure: equal to half a unit of its last digit, or below ``<0.001``.

    >>> equal_as_printed("34.20", 34.1979), equal_as_printed("<0.001", 0.0004), equal_as_printed("0.5", 0.61)
    (True, True, False)
    """
    number = as_number(printed)
    if math.isnan(number):
        return False
    if printed.startswith("<"):
        return value < number
    _, _, decimals = printed.partition(".")
    return abs(value - number) <= 0.5 * 10.0 ** -len(decimals) + _NOISE
