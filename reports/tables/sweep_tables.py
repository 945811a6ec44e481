"""The tables of a sweep for people, in the terminal and in Markdown, and the writer of all its files."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from semiology.metrics.robustness.sums import SPREAD_AT
from semiology.metrics.robustness.variance import SHARES
from semiology.metrics.statistics.intervals import Estimate, not_estimable
from semiology.render.table import Footnotes, csv_of, table_line
from semiology.render.text import escaped, plain
from semiology.reports.summary.sweep import SweepSummary, SweptFeature, SweptModel
from semiology.reports.tables.estimates import with_limits
from semiology.reports.tables.files import write_texts
from semiology.reports.tables.sweep_rows import family_rows, more_rows, robustness_rows, wording_rows

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

Line = tuple[str, ...]
HEADER: Line = (
    "feature", "AvgP = Worst@1 [95 %]", "Worst@5", "Worst@10", "bal. acc.", "yes-rate / prevalence",
    "unparsed", "alpha", "mean F1", "always-yes", "wordings", "recordings (patients)",
)  # fmt: skip
PIPED_WIDTH = 400
"""Of a console whose output is no terminal: a file has no edge at which a figure would be cut."""
_BESIDE = tuple(name for name in HEADER if name not in ("Worst@10", "wordings", "mean F1", "always-yes"))
FORMS: tuple[tuple[Line, bool], ...] = (
    (HEADER, False),
    (_BESIDE, False),
    (_BESIDE, True),
    (tuple(name for name in _BESIDE if name not in ("Worst@5", "recordings (patients)")), True),
    (("feature", "AvgP = Worst@1 [95 %]", "Worst@5", "yes-rate / prevalence"), False),
    (("feature", "AvgP = Worst@1 [95 %]", "yes-rate / prevalence"), True),
)
"""Columns of the table in a terminal, and whether intervals stand on a line of their own: the first form that
fits is shown, so that no figure is cut; stability never alone."""
MORE_HEADER: Line = (
    "feature", "F1 reference", "F1 best, on other patients", "F1 worst", f"F1 spread at {SPREAD_AT}",
    "F1 Sat", "F1 CPS", "F1 drop", "PSS/max", "always right / wrong / flips", "majority gain", "yes-bias",
    "JS distance", "AUROC", "AvgP, wordings drawn too", "any difference: p (noise spread)",
)  # fmt: skip
SHARE_HEADER: Line = (
    "feature", "family", "wording in family", "patient", "recording in patient", "family by recording",
    "wording by recording", "answer format",
)  # fmt: skip
WORDING_HEADER: Line = (
    "wording", "family", "provenance", "hash", "n", "F1 [95 %]", "accuracy", "yes-rate", "unparsed",
    "accuracy minus reference [90 %]", "equivalent?",
)  # fmt: skip


def write_sweep_files(summary: SweepSummary, folder: Path) -> list[Path]:
    """Write robustness.csv, robustness_more.csv, wordings.csv, families.csv and robustness.md.

    Returns:
        Their paths.
    """
    contents = {
        "robustness.md": sweep_markdown(summary),
        "robustness.csv": csv_of(robustness_rows(summary)),
        "robustness_more.csv": csv_of(more_rows(summary)),
        "wordings.csv": csv_of(wording_rows(summary)),
        "families.csv": csv_of(family_rows(summary)),
    }
    return write_texts(contents, folder)


def sweep_content(summary: SweepSummary) -> dict[str, Any]:
    """Return all tables, caveats and notes, ready for JSON."""
    return {
        "margin": summary.margin,
        "margin_fixed_before_the_run": summary.margin_fixed,
        "caveats": list(summary.caveats),
        "notes": list(summary.notes),
        "robustness": robustness_rows(summary),
        "more": more_rows(summary),
        "wordings": wording_rows(summary),
        "families": family_rows(summary),
    }


def sweep_markdown(summary: SweepSummary) -> str:
    """Return all tables as Markdown."""
    lines = ["# Robustness to wording", ""]
    lines += [f"> **Note.** {escaped(text)}" for text in summary.caveats] + [""] * bool(summary.caveats)
    notes = Footnotes()
    for model in summary.models:
        lines += [f"## {escaped(_title(model))}", ""]
        lines += _table(HEADER, headline_lines(model, notes))
        lines += ["### More measures", "", *_table(MORE_HEADER, more_lines(model, notes))]
        lines += ["### What decides right and wrong: shares of the variance", ""]
        lines += _table(SHARE_HEADER, [_share_line(each) for each in model.features])
    lines += ["## Wordings", ""]
    for model in summary.models:
        for each in model.features:
            lines += [f"### {escaped(f'{_title(model)} · {each.robustness.feature}')}", ""]
            lines += _table(WORDING_HEADER, wording_lines(each, notes))
    lines += [f"({i}) {escaped(text)}  " for i, text in enumerate(notes.texts, start=1)]
    lines += ["", *(f"- {escaped(text)}" for text in sweep_remarks(summary)), ""]
    if summary.notes:
        lines += ["## Notes", "", *(f"- {escaped(text)}" for text in summary.notes), ""]
    return "\n".join(lines)


def print_sweep(summary: SweepSummary, console: Console) -> None:
    """Print caveats, the headline table of each model, footnotes and notes."""
    from rich.text import Text

    for text in summary.caveats:
        console.print(Text(f"Note: {plain(text)}", style="yellow"))
    notes = Footnotes()
    lines = [headline_lines(model, notes) for model in summary.models]
    columns, stacked = _form(lines, console)
    for model, mine in zip(summary.models, lines, strict=True):
        table = _terminal_table(mine, columns, stacked=stacked)
        table.title = Text(_title(model))
        console.print(table)
    if columns != HEADER:
        console.print(Text("A wider terminal, and the files of the report, show all columns.", style="dim"))
    for i, text in enumerate(notes.texts, start=1):
        console.print(Text(f"({i}) {plain(text)}", style="dim"))
    for text in sweep_remarks(summary):
        console.print(Text(text, style="dim"))
    for text in summary.notes:
        console.print(Text(f"• {plain(text)}", style="yellow"))


def _form(models: Sequence[Sequence[Line]], console: Console) -> tuple[Line, bool]:
    """Return the first of `FORMS` in which the tables of all models fit the console; else the narrowest."""
    from rich.measure import Measurement

    for columns, stacked in FORMS:
        tables = [_terminal_table(lines, columns, stacked=stacked) for lines in models]
        # Measured without an edge: within one, a table is never wider than it.
        free = console.options.update(width=PIPED_WIDTH)
        if all(Measurement.get(console, free, table).maximum <= console.width for table in tables):
            return columns, stacked
    return FORMS[-1]


def _terminal_table(lines: Sequence[Line], columns: Line, *, stacked: bool) -> Table:
    from rich.table import Table
    from rich.text import Text

    table = Table(title_justify="left", header_style="bold", pad_edge=False)
    for name in columns:
        title = name.replace(" [", "\n[").replace(" (", "\n(").replace(" / ", " /\n")
        table.add_column(title, justify="left" if name == HEADER[0] else "right", overflow="fold")
    for number, line in enumerate(lines, start=1):
        cells = [line[HEADER.index(name)] for name in columns]
        if stacked:
            cells = [cell.replace(" [", "\n[").replace(" not est", "\nnot est") for cell in cells]
        style = "bold" if number == len(lines) else None
        table.add_row(*map(Text, cells), style=style, end_section=number == len(lines) - 1)
    return table


def sweep_remarks(summary: SweepSummary) -> list[str]:
    """Return what is true of every table of a sweep."""
    unusable = "is wrong" if summary.policy == "wrong" else "is left out"
    fixed = "is the default: no plan fixed it before the run"
    if summary.margin_fixed:
        fixed = "was fixed by the plan, before the run"
    points = f"{summary.margin * 100:g}"
    return [
        "AvgP: mean accuracy over wordings. Worst@m: the chance that m random wordings are all right.",
        "Neither says anything without the columns beside it: a model that always says yes never flips.",
        f"An answer that cannot be used {unusable}. always-yes: F1 of answering yes to every recording.",
        "F1 best, on other patients: chosen on four fifths of the patients, scored on the rest, five times.",
        "F1 Sat and CPS rest on a best that is chosen on the recordings it is measured on: too high.",
        f"Equivalent: the 90 % interval of the difference of accuracy lies within ±{points} points.",
        f"That margin {fixed}. Undecided is not equivalent.",
        "AvgP, wordings drawn too: its interval also draws the wordings, for what might have been written.",
        f"Intervals are clustered by patient ({summary.resamples:,} patient resamples, seed {summary.seed}).",
    ]


def headline_lines(model: SweptModel, notes: Footnotes) -> list[Line]:
    """Return the cells under `HEADER`: features, then their mean."""
    lines = [
        (
            *_headline(found.feature, found.estimates, notes),
            str(len(found.wordings)),
            f"{found.n} ({found.n_patients})",
        )
        for found in (each.robustness for each in model.features)
    ]
    count = len(model.features)
    name = f"mean of {count} feature{'' if count == 1 else 's'}"
    return [*lines, (*_headline(name, model.macro, notes), "", "")]


def more_lines(model: SweptModel, notes: Footnotes) -> list[Line]:
    """Return the cells under `MORE_HEADER`, one line for each feature."""
    return [_more_line(each, notes) for each in model.features]


def wording_lines(each: SweptFeature, notes: Footnotes) -> list[Line]:
    """Return the cells under `WORDING_HEADER`, the reference first."""
    answers, found = each.answers, each.robustness
    lines = []
    for i in each.order:
        score = _of({name: values[i] for name, values in found.per_wording.items()})
        test = each.equivalence[i]
        mark = " (reference)" if i == answers.reference else ""
        negative = " (negated)" if answers.polarities[i] == "negative" else ""
        difference, verdict = "", ""
        if test is not None:
            limits = f" [{test.low:+.2f}, {test.high:+.2f}]" if test.low == test.low else ""
            difference = f"{test.difference:+.2f}{limits}"
            verdict = test.verdict + notes.mark(test.reason)
        lines.append(
            (
                answers.wordings[i] + mark,
                answers.families[i] + negative,
                answers.provenances[i] if answers.provenances else "",
                answers.hashes[i][:8] if answers.hashes else "",
                str(found.n),
                with_limits(found.f1_by_wording[i], notes),
                *(score(name, ".2f") for name in ("accuracy", "yes_rate")),
                score("unparsed_rate", ".0%"),
                difference,
                verdict,
            )
        )
    return lines


def _headline(name: str, estimates: Any, notes: Footnotes) -> Line:
    shown = _of({key: each.value for key, each in estimates.items()})

    def limits(key: str) -> str:
        return with_limits(estimates[key], notes)

    return (
        name,
        *(limits(key) for key in ("avg_p", "worst_at_5", "worst_at_10", "balanced_accuracy")),
        f"{shown('yes_rate', '.2f')} / {shown('prevalence', '.2f')}",
        shown("unparsed_rate", ".0%"),
        limits("alpha"),
        limits("f1"),
        shown("always_yes_f1", ".2f"),
    )


def _more_line(each: SweptFeature, notes: Footnotes) -> Line:
    found, k = each.robustness.estimates, len(each.answers.wordings)
    shown = _of({key: estimate.value for key, estimate in found.items()})

    def limits(key: str) -> str:
        return with_limits(_known(found.get(key)), notes)

    best = f"–{notes.mark(each.no_best)}"
    if each.best is not None:
        best = f"{with_limits(each.best.held_out, notes)}, of {k}"
    return (
        each.robustness.feature,
        limits("f1_reference"),
        best,
        *(limits(key) for key in ("f1_worst", f"f1_spread_at_{SPREAD_AT}")),
        *(shown(key, ".2f") for key in ("f1_saturation", "f1_cps", "f1_drop", "pss")),
        " / ".join(shown(key, ".2f") for key in ("always_right", "always_wrong", "flips")),
        *(limits(key) for key in ("ensemble_gain", "yes_bias", "js_distance", "auroc", "avg_p_two_way")),
        f"{'<0.001' if each.p_value < 0.001 else format(each.p_value, '.3f')} ({each.noise_spread:.2f})",
    )


def _known(estimate: Estimate | None) -> Estimate:
    if estimate is None:
        return not_estimable(float("nan"), "", 0, 0, "the reference wording was not asked")
    return estimate


def _share_line(each: SweptFeature) -> Line:
    shares = each.robustness.variance.shares
    shown = [f"{shares[name]:.0%}" if shares else "–" for name in SHARES]
    form = each.by_format.shares.get("family") if each.by_format is not None else None
    return (each.robustness.feature, *shown, "–" if form is None else f"{form:.0%}")


def _of(values: dict[str, float]) -> Callable[[str, str], str]:
    """Return a function that shows a value by name, a dash where it is undefined."""

    def shown(name: str, form: str) -> str:
        value = values.get(name, float("nan"))
        return "–" if value != value else format(value, form)

    return shown


def _title(model: SweptModel) -> str:
    enhanced = "" if model.enhancement == "none" else f" · enhancement {model.enhancement}"
    return plain(f"{model.model}{enhanced}")


def _table(header: Line, lines: Sequence[Line]) -> list[str]:
    rule = ["---"] + ["---:"] * (len(header) - 1)
    return [table_line(header), table_line(rule), *map(table_line, lines), ""]
