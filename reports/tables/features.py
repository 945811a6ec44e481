"""The summary as text: cells and footnotes shared by the terminal and Markdown, and the writers of files."""

from __future__ import annotations

import csv
import io
import json
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from semiology.data.cache import write_whole
from semiology.metrics.scores.run_scores import FeatureScores, MacroScores
from semiology.metrics.statistics.intervals import Estimate
from semiology.reports.summary.features import RunSummary, Summary, headline, summary_rows

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

HEADER = (
    "feature",
    "F1 [95 %]",
    "always-yes",
    "precision",
    "recall",
    "accuracy",
    "specificity",
    "bal. acc.",
    "MCC",
    "prevalence",
    "unparsed",
    "recordings",
    "patients",
    "with feature",
)
# What a terminal of at least so many characters shows, widest first.
COLUMNS_BY_WIDTH: tuple[tuple[int, tuple[str, ...]], ...] = (
    (150, HEADER),
    (
        115,
        (
            "feature",
            "F1 [95 %]",
            "always-yes",
            "precision",
            "recall",
            "bal. acc.",
            "unparsed",
            "with feature",
        ),
    ),
    (95, ("feature", "F1 [95 %]", "always-yes", "bal. acc.", "unparsed", "with feature")),
    (0, ("feature", "F1 [95 %]", "always-yes", "unparsed")),
)
WIDE = COLUMNS_BY_WIDTH[0][0]
WIDEST_NAME = 28
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "|", "%")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]")
_SHOWN = ("precision", "recall", "accuracy", "specificity", "balanced_accuracy", "mcc")
POLICIES = {
    "wrong": "Recordings without a yes or no answer count as wrong.",
    "drop": "Recordings without a yes or no answer are left out of the scores.",
}


@dataclass
class Footnotes:
    """Numbered remarks; the same text gets the same number."""

    texts: list[str] = field(default_factory=list)

    def mark(self, text: str | None) -> str:
        """Return `` (n)`` for a remark, or an empty string for none."""
        if not text:
            return ""
        if text not in self.texts:
            self.texts.append(text)
        return f" ({self.texts.index(text) + 1})"


def plain(text: str) -> str:
    """Return text without control and direction characters, fit for a terminal or a table cell."""
    return _CONTROL.sub(" ", text)


def table_cells(run: RunSummary, footnotes: Footnotes) -> list[tuple[str, ...]]:
    """Return the cells of one run under `HEADER`: features first, then the groups."""
    rows = [_feature_cells(run, scores, footnotes) for scores in run.scores.features]
    return rows + [_macro_cells(run, macro, footnotes) for macro in run.scores.macros]


def title(run: RunSummary) -> str:
    """Return the line above a run's table."""
    return plain(f"{run.model} · wording {run.prompt} · enhancement {run.enhancement}")


def remarks(summary: Summary) -> list[str]:
    """Return what is true of every table: how answers are aggregated, scored and given intervals."""
    first = "(occur_during_sleep: the first segment)"
    drawn = f"{summary.resamples:,} patient resamples, seed {summary.seed}; method per row in summary.csv"
    return [
        f"A recording is positive if any of its segments is answered yes {first}.",
        POLICIES[summary.policy],
        "always-yes: F1 of answering yes to every recording. with feature: recordings that show it (patients).",
        f"Intervals are clustered by patient ({drawn}).",
    ]


def markdown(summary: Summary) -> str:
    """Return the whole summary as Markdown."""
    lines = ["# Scores per recording", ""]
    lines += [f"> **Note.** {escaped(caveat)}" for caveat in summary.caveats] + [""] * bool(summary.caveats)
    footnotes = Footnotes()
    for run in summary.runs:
        lines += [
            f"## {escaped(title(run))}",
            "",
            table_line(HEADER),
            table_line(["---"] + ["---:"] * (len(HEADER) - 1)),
        ]
        lines += [table_line(cells) for cells in table_cells(run, footnotes)] + [""]
    lines += [f"({i}) {escaped(text)}  " for i, text in enumerate(footnotes.texts, start=1)]
    lines += ["", *(f"- {escaped(text)}" for text in remarks(summary)), ""]
    if summary.notes:
        lines += ["## Files and rows", "", *(f"- {escaped(note)}" for note in summary.notes), ""]
    return "\n".join([*lines, *(f"{escaped(line)}  " for line in headline(summary).splitlines()), ""])


def csv_text(summary: Summary) -> str:
    """Return the machine table as CSV, cells that a spreadsheet would run as a formula made harmless."""
    return csv_of(summary_rows(summary))


def csv_of(rows: Sequence[Mapping[str, Any]], heading: str = "model") -> str:
    """Return rows as CSV, cells that a spreadsheet would run as a formula made harmless.

    Args:
        rows: cells by column; all rows have the columns of the first.
        heading: only column of a table without rows.
    """
    out = io.StringIO()
    writer = csv.DictWriter(out, list(rows[0]) if rows else [heading], lineterminator="\n")
    writer.writeheader()
    writer.writerows({key: neutral(value) for key, value in row.items()} for row in rows)
    return out.getvalue()


def json_text(summary: Summary) -> str:
    """Return the machine table, caveats and notes as JSON."""
    content = {
        "headline": headline(summary).splitlines(),
        "caveats": list(summary.caveats),
        "notes": list(summary.notes),
        "policy": summary.policy,
        "resamples": summary.resamples,
        "seed": summary.seed,
        "rows": summary_rows(summary),
    }
    return json.dumps(content, indent=2, ensure_ascii=False, allow_nan=False)


def write_files(summary: Summary, folder: Path) -> list[Path]:
    """Write summary.csv, summary.md and summary.json; return their paths."""
    contents: Mapping[str, str] = {
        "summary.csv": csv_text(summary),
        "summary.md": markdown(summary),
        "summary.json": json_text(summary) + "\n",
    }
    return write_texts(contents, folder)


def write_texts(contents: Mapping[str, str], folder: Path) -> list[Path]:
    """Write texts by file name into a folder; return their paths."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in contents.items():
        write_whole(folder / name, text)
    return [folder / name for name in contents]


def print_summary(summary: Summary, console: Console) -> None:
    """Print caveats, one table per run, footnotes, notes and the headline."""
    from rich.text import Text

    for caveat in summary.caveats:
        console.print(Text(f"Note: {plain(caveat)}", style="yellow"))
    footnotes = Footnotes()
    for run in summary.runs:
        console.print(_rich_table(run, table_cells(run, footnotes), console.width))
    if console.width < WIDE:
        console.print(Text("A wider terminal, and --out, show all columns.", style="dim"))
    for i, text in enumerate(footnotes.texts, start=1):
        console.print(Text(f"({i}) {plain(text)}", style="dim"))
    for text in remarks(summary):
        console.print(Text(text, style="dim"))
    for note in summary.notes:
        console.print(Text(f"• {plain(note)}", style="yellow"))
    console.print(Text(plain_lines(headline(summary)), style="bold"))


def _rich_table(run: RunSummary, rows: Sequence[tuple[str, ...]], width: int) -> Table:
    from rich.table import Table
    from rich.text import Text

    columns = next(columns for least, columns in COLUMNS_BY_WIDTH if width >= least)
    shown = [HEADER.index(column) for column in columns]
    table = Table(title=Text(title(run)), title_justify="left", header_style="bold", pad_edge=False)
    for i in shown:
        narrow = i == 0 and width < WIDE
        table.add_column(
            HEADER[i],
            justify="left" if i == 0 else "right",
            no_wrap=not narrow,
            max_width=WIDEST_NAME if narrow else None,
        )
    for number, row in enumerate(rows, start=1):
        style = "bold" if number > len(run.scores.features) else None
        cells = [Text(row[i]) for i in shown]
        table.add_row(*cells, style=style, end_section=number == len(run.scores.features))
    return table


def plain_lines(text: str) -> str:
    """Return `plain` of each line."""
    return "\n".join(plain(line) for line in text.splitlines())


def neutral(value: Any) -> Any:
    """Return a cell that no spreadsheet runs as a formula: such text gets a leading apostrophe."""
    if not isinstance(value, str):
        return value
    text = plain(value)
    return f"'{text}" if value.startswith(_FORMULA) or text.lstrip().startswith(_FORMULA) else text


def _feature_cells(run: RunSummary, scores: FeatureScores, footnotes: Footnotes) -> tuple[str, ...]:
    three = "mean over the three classes yes, no and na (always-yes and prevalence refer to yes)"
    mark = footnotes.mark(three if scores.three_classes else None)
    asked = max(run.n_recordings[scores.feature] - scores.n_na_truth - scores.n_without_truth, 1)
    excluded = scores.n_na_truth + scores.n_without_truth + scores.n_dropped
    noun = "recording" if excluded == 1 else "recordings"
    reason = f"{excluded} {noun} not scored ({_exclusions(scores)})" if excluded else None
    return (
        scores.feature + mark,
        with_limits(scores.estimates["f1"], footnotes),
        _two(scores.always_yes_f1),
        *(_two(scores.estimates[name].value) for name in _SHOWN),
        _two(scores.prevalence),
        f"{scores.n_unparsed} ({scores.n_unparsed / asked:.0%})",
        f"{scores.n}{footnotes.mark(reason)}",
        str(scores.n_patients),
        f"{scores.n_positive} ({scores.n_positive_patients})",
    )


def _exclusions(scores: FeatureScores) -> str:
    kinds = (
        (scores.n_na_truth, "annotated as not applicable"),
        (scores.n_without_truth, "not annotated"),
        (scores.n_dropped, "without a yes or no answer"),
    )
    return ", ".join(f"{count} {what}" for count, what in kinds if count)


def _macro_cells(run: RunSummary, macro: MacroScores, footnotes: Footnotes) -> tuple[str, ...]:
    left_out = f"without {', '.join(macro.left_out)}: no recording shows it" if macro.left_out else None
    return (
        f"macro {macro.group}, {_features(macro)}{footnotes.mark(left_out)}",
        with_limits(macro.estimates["f1"], footnotes),
        _two(macro.estimates["always_yes_f1"].value),
        *(_two(macro.estimates[name].value) for name in _SHOWN),
        _two(macro.estimates["prevalence"].value),
        f"{macro.estimates['unparsed_rate'].value:.0%}" if macro.features else "–",
        str(run.n_recordings[f"group:{macro.group}"]),
        str(run.n_patients[f"group:{macro.group}"]),
        "",
    )


def _features(macro: MacroScores) -> str:
    return f"{len(macro.features)} feature{'' if len(macro.features) == 1 else 's'}"


def with_limits(estimate: Estimate, footnotes: Footnotes) -> str:
    """Return a value with its interval, or why it has none as a footnote."""
    if math.isnan(estimate.value):
        return f"–{footnotes.mark(estimate.reason)}"
    if not estimate.estimable:
        return f"{estimate.value:.2f} not estimable{footnotes.mark(estimate.reason)}"
    remark = estimate.caution
    if estimate.undefined_share > 0.01:
        share = f"undefined in {estimate.undefined_share:.0%} of the resamples, which are left out"
        remark = f"{remark}; {share}" if remark else share
    return f"{estimate.value:.2f} [{estimate.low:.2f}, {estimate.high:.2f}]{footnotes.mark(remark)}"


def _two(value: float) -> str:
    return "–" if math.isnan(value) else f"{value:.2f}"


def escaped(text: str) -> str:
    """Return text in which Markdown sees no markup."""
    return re.sub(r"([\\`*_<>|\[\]#])", r"\\\1", plain(text))


def table_line(cells: Sequence[str]) -> str:
    """Return one line of a Markdown table."""
    return (
        f"| {' | '.join(cell.replace('|', '/') if cell.startswith('-') else _cell(cell) for cell in cells)} |"
    )


def _cell(text: str) -> str:
    return re.sub(r"([\\`*<>|])", r"\\\1", plain(text))
