"""What the bare ``lmms_eval`` prints of our feature tasks: a line each, the mean, and where the rest is to be had.

lmms-eval itself prints every measure of every task below one another, 260 lines for the twenty features, the mean only
where a group was named, and one progress bar a task once all answers are there. The files that it writes are as ever.
"""

from __future__ import annotations

import io
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

from rich.console import Console

from semiology.features import AUDIO_FEATURES, VISUAL_FEATURES, label_of
from semiology.render.table import Column, Document, Row, Table, print_document
from semiology.tasks.scores import macro
from semiology.tasks.task_list import NO_ENHANCEMENT, TASKS, FeatureTask

SHOWN = {
    "f1": Column("F1"),
    "always_yes_f1": Column("always-yes"),
    "balanced_accuracy": Column("balanced accuracy"),
    "unparsed_rate": Column("unparsed", ".0%"),
}
"""The measures of a feature that are printed."""
MEANS = {"visual": frozenset(VISUAL_FEATURES), "sound": frozenset(AUDIO_FEATURES)}
_WIDTH = 100


def few_measures(original: Callable[..., str]) -> Callable[..., str]:
    """Return lmms-eval's ``make_table`` with our feature tasks as one table of a few measures; others as before."""

    def make_table(result_dict: Mapping[str, Any], column: str = "results", *given: Any, **named: Any) -> str:
        found = result_dict[column]
        ours = {task: found[task] for task in found if column == "results" and task in TASKS}
        if not ours:
            return original(result_dict, column, *given, **named)
        others = {task: values for task, values in found.items() if task not in ours}
        parts = [original({**result_dict, column: others}, column, *given, **named)] if others else []
        return "\n\n".join([feature_table(ours), *parts, closing_line(sys.argv)])

    return make_table


def feature_table(results: Mapping[str, Mapping[str, Any]]) -> str:
    """Return the table of feature tasks as text.

    Args:
        results: lmms-eval's, ``{task: {"f1,none": value, …}}``, of tasks in `semiology.tasks.task_list.TASKS`.

    A mean is over the features for which the measure is defined, as in lmms-eval's own row of a group; its interval is
    a matter for `semiology report`.
    """
    values = {
        TASKS[task]: [_number(measures.get(f"{name},none")) for name in SHOWN]
        for task, measures in results.items()
    }
    rows = [Row((_name(task), *cells)) for task, cells in values.items()]
    for enhancement in dict.fromkeys(task.enhancement for task in values if not task.sweep):
        for group, members in MEANS.items():
            of_group = [
                cells
                for task, cells in values.items()
                if not task.sweep and task.enhancement == enhancement and task.feature in members
            ]
            if len(of_group) > 1:
                what = "" if enhancement == NO_ENHANCEMENT else f", {enhancement}"
                defined = sum(cells[0] is not None for cells in of_group)
                of = f"{defined} of {len(of_group)}" if defined < len(of_group) else f"{defined}"
                rows.append(Row((f"mean of {of} {group} features{what}", *_means(of_group))))
    document = Document("", (Table("", (Column("feature"), *SHOWN.values()), tuple(rows)),))
    text = io.StringIO()
    print_document(document, Console(file=text, width=_WIDTH))
    return text.getvalue().strip("\n")


def closing_line(arguments: Sequence[str]) -> str:
    """Return which command makes tables with intervals and the page of the result files, by lmms-eval's arguments."""
    told = dict(zip(arguments, [*arguments[1:], ""], strict=True))
    told |= {name: value for name, mark, value in (each.partition("=") for each in arguments) if mark}
    folder = told.get("--output_path")
    more = "Intervals, all measures and a page:"
    if folder is None or "--log_samples" not in told:
        return f"{more} run with --output_path FOLDER --log_samples, then semiology report FOLDER"
    return f"{more} semiology report {folder}"


@contextmanager
def no_bar_for_scoring() -> Iterator[None]:
    """Hide the progress bar that lmms-eval draws for each task once all answers are there."""
    from lmms_eval import evaluator

    bar = evaluator.tqdm

    def quiet(*arguments: Any, **named: Any) -> Any:
        if named.get("desc") == "Postprocessing":
            named["disable"] = True
        return bar(*arguments, **named)

    with patch.object(evaluator, "tqdm", quiet):
        yield


def _name(task: FeatureTask) -> str:
    if task.sweep:
        return f"{label_of(task.feature)}, all wordings"
    return label_of(task.feature) + ("" if task.enhancement == NO_ENHANCEMENT else f", {task.enhancement}")


def _number(value: Any) -> float | None:
    """Return a measure; lmms-eval holds a word where it is undefined."""
    return float(value) if isinstance(value, int | float) else None


def _means(cells: Sequence[Sequence[float | None]]) -> list[float | None]:
    return [
        _number(macro([value for value in column if value is not None], (), weight_by_size=False))
        for column in zip(*cells, strict=True)
    ]
