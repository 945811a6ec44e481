"""A comparison as a table in the terminal, CSV, Markdown and JSON."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from semiology.data.cache import written_whole
from semiology.metrics.paired.comparison import PairedFeature, PairedScore
from semiology.metrics.paired.tables import END_POINTS, MEASURES
from semiology.render.table import csv_of, table_line
from semiology.render.text import counted, escaped, plain
from semiology.reports.compare.comparison import Comparison, Unpaired
from semiology.reports.compare.sentences import (
    NAMES,
    difference_text,
    feature_sentence,
    p_text,
    primary_sentences,
    verdict,
)
from semiology.reports.tables.features import POLICIES

if TYPE_CHECKING:
    from rich.console import Console

SHOWN_UNPAIRED = 5
MCNEMAR = "McNemar*"
MCNEMAR_REMARK = (
    "* McNemar's mid-p on accuracy ignores patients: on such cluster sizes it finds differences that are "
    "none in 11 to 20 % instead of 5 % of studies. Shown for comparison with other papers only."
)
FAMILY_REMARK = (
    "p: patient sign-flip test, two-sided. max-T, Holm: adjusted, so that the chance of any false claim "
    "among all features is 5 %; BH: the share of false ones. Features are exploratory; the macro means are "
    "the end points."
)


def header(measure: str) -> tuple[str, ...]:
    """Return the columns of the table of features for one measure."""
    name = NAMES[measure]
    return (
        "feature",
        "with sign (patients)",
        f"{name} A",
        f"{name} B",
        "B − A [95 %]",
        "p",
        "max-T",
        "Holm",
        "BH",
        MCNEMAR,
        "B is",
    )


def feature_cells(feature: PairedFeature, comparison: Comparison, measure: str) -> tuple[str, ...]:
    """Return one row under `header`."""
    score = feature.scores[measure]
    return (
        feature.feature,
        f"{feature.n_positive} of {feature.n} ({feature.n_positive_patients})",
        _three(score.first),
        _three(score.second),
        difference_text(score),
        *(p_text(p) for p in (score.p_value, score.p_max_t, score.p_holm, score.p_bh, feature.mcnemar_p)),
        verdict(score, comparison.result),
    )


def preamble(comparison: Comparison) -> list[str]:
    """Return what is compared, on which recordings, and what is left out."""
    result = comparison.result
    lines = [
        f"A: {comparison.first}",
        f"B: {comparison.second}",
        _both(comparison),
    ]
    for side, name in (("first", "A"), ("second", "B")):
        lines += _missing([item for item in comparison.unpaired if item.missing == side], name)
    if any(comparison.unusable):
        lines.append(
            f"Neither yes nor no: {counted(comparison.unusable[0], 'answer')} of A, "
            f"{comparison.unusable[1]:,} of B. " + POLICIES[comparison.options.policy]
        )
    if result.left_out:
        lines.append(f"Not in the macro means, all yes or all no: {', '.join(result.left_out)}.")
    return lines


def closing(comparison: Comparison) -> list[str]:
    """Return how the figures were made."""
    result = comparison.result
    drawn = (
        f"all {result.flips:,} signs of patients"
        if result.exact
        else f"{result.flips:,} random signs of patients"
    )
    lines = [
        FAMILY_REMARK,
        f"Test: {drawn} (smallest possible p {p_text(result.smallest_p)}).",
        f"Intervals: {result.resamples:,} resamples of patients. Seed {result.seed}.",
        f"Equivalent: the 90 % interval lies within ±{result.margin:g}, a margin to be fixed before looking.",
        MCNEMAR_REMARK,
    ]
    if result.smallest_p >= result.alpha:
        lines.append(
            f"With {counted(result.n_deciding, 'patient')} about whom the two differ no p-value can fall "
            f"below {result.alpha:g}: nothing can be shown on these recordings."
        )
    return lines


def print_comparison(comparison: Comparison, console: Console, measure: str = "f1") -> None:
    """Print caveats, what is compared, the end points, the features and one sentence for each."""
    from rich.table import Table
    from rich.text import Text

    for caveat in comparison.caveats:
        console.print(Text(f"Note: {plain(caveat)}", style="yellow"))
    for line in preamble(comparison):
        console.print(Text(plain(line)))
    for sentence in primary_sentences(comparison):
        console.print(Text(plain(sentence), style="bold"))
    columns = header(measure)
    shown = [
        i for i, name in enumerate(columns) if console.width >= 130 or name not in ("Holm", "BH", MCNEMAR)
    ]
    table = Table(
        title=Text("Features (exploratory)"), title_justify="left", header_style="bold", pad_edge=False
    )
    for i in shown:
        justify: Any = "left" if i in (0, len(columns) - 1) else "right"
        table.add_column(columns[i], justify=justify, no_wrap=console.width >= 110)
    for feature in comparison.result.features:
        cells = feature_cells(feature, comparison, measure)
        table.add_row(*(Text(cells[i]) for i in shown))
    console.print(table)
    for feature in comparison.result.features:
        console.print(Text(plain(feature_sentence(feature, comparison, measure))))
    for line in closing(comparison):
        console.print(Text(plain(line), style="dim"))
    for note in comparison.notes:
        console.print(Text(f"• {plain(note)}", style="yellow"))


def markdown(comparison: Comparison, measure: str = "f1") -> str:
    """Return the comparison as Markdown."""
    columns = header(measure)
    lines = ["# Comparison", ""]
    lines += [f"> **Note.** {escaped(text)}" for text in comparison.caveats] + [""] * bool(comparison.caveats)
    lines += [f"- {escaped(text)}" for text in preamble(comparison)]
    lines += ["", "## End points", "", *(f"- {escaped(text)}" for text in primary_sentences(comparison)), ""]
    lines += ["## Features (exploratory)", "", table_line(columns)]
    lines.append(table_line(["---"] + ["---:"] * (len(columns) - 2) + ["---"]))
    lines += [table_line(feature_cells(f, comparison, measure)) for f in comparison.result.features]
    lines += [
        "",
        *(f"- {escaped(feature_sentence(f, comparison, measure))}" for f in comparison.result.features),
    ]
    lines += ["", "## How", "", *(f"- {escaped(text)}" for text in closing(comparison)), ""]
    if comparison.notes:
        lines += ["## Files and rows", "", *(f"- {escaped(text)}" for text in comparison.notes), ""]
    return "\n".join(lines)


def rows(comparison: Comparison) -> list[dict[str, Any]]:
    """Return one flat row per measure of each end point and feature, for machines; undefined is None."""
    result = comparison.result
    made = []
    for measure, score in result.macro.items():
        head = {"level": "macro", "name": f"{len(result.macro_features)} features", "measure": measure}
        sizes = dict.fromkeys(_COUNTS) | {"n": score.difference.n, "n_patients": score.difference.n_patients}
        made.append({**head, **_score(score, comparison), **sizes})
    for feature in result.features:
        sizes = {name: _number(getattr(feature, name)) for name in _COUNTS}
        for measure in MEASURES:
            head = {"level": "feature", "name": feature.feature, "measure": measure}
            made.append({**head, **_score(feature.scores[measure], comparison), **sizes})
    return made


def content(comparison: Comparison, measure: str = "f1") -> dict[str, Any]:
    """Return everything but the answers themselves, fit for JSON."""
    options, result = comparison.options, comparison.result
    names = (comparison.first, comparison.second)
    return {
        "format": "semiology comparison 1",
        "first": comparison.first,
        "second": comparison.second,
        "difference": "second minus first",
        "recordings": {
            "both": comparison.n_recordings,
            "first": comparison.n_first,
            "second": comparison.n_second,
            "patients": result.n_patients,
            "patients_that_differ": result.n_deciding,
        },
        "unpaired": [
            {
                "video_id": item.video_id,
                "missing": item.missing,
                "whole": item.whole,
                "features": item.features,
            }
            for item in comparison.unpaired
        ],
        "unusable": dict(zip(("first", "second"), comparison.unusable, strict=True)),
        "dropped": comparison.n_dropped,
        "rows": rows(comparison),
        "sentences": {
            "end_points": primary_sentences(comparison),
            "features": {f.feature: feature_sentence(f, comparison, measure, names) for f in result.features},
        },
        "how": {
            "policy": options.policy,
            "flips": result.flips,
            "all_flips": result.exact,
            "smallest_p": result.smallest_p,
            "resamples": result.resamples,
            "seed": result.seed,
            "margin": result.margin,
            "alpha": result.alpha,
            "macro_features": result.macro_features,
            "left_out": result.left_out,
        },
        "caveats": comparison.caveats,
        "notes": comparison.notes,
    }


def write_comparison(comparison: Comparison, folder: Path, stem: str, measure: str = "f1") -> list[Path]:
    """Write STEM.csv, .md and .json, STEM_changed.csv (answers that differ) and STEM_unpaired.csv.

    Returns:
        The files written; a table without rows is not.
    """
    folder.mkdir(parents=True, exist_ok=True)
    pairs = comparison.pairs[comparison.pairs["first"] != comparison.pairs["second"]]
    pairs = pairs.sort_values(["feature", "video_id"], kind="stable")
    texts = {
        f"{stem}.md": markdown(comparison, measure),
        f"{stem}.json": json.dumps(
            content(comparison, measure), indent=2, ensure_ascii=False, allow_nan=False
        )
        + "\n",
    }
    tables = {
        f"{stem}.csv": rows(comparison),
        f"{stem}_changed.csv": [{str(k): v for k, v in row.items()} for row in pairs.to_dict("records")],
        f"{stem}_unpaired.csv": [_unpaired_row(item) for item in comparison.unpaired],
    }
    written = []
    for name, text in texts.items():
        with written_whole(folder / name) as part:
            part.write_text(text, encoding="utf-8")
        written.append(folder / name)
    for name, table in tables.items():
        if table:
            with written_whole(folder / name) as part:
                part.write_text(csv_of(list(_plain(table))), encoding="utf-8", newline="")
            written.append(folder / name)
    return sorted(written)


_COUNTS = (
    "n",
    "n_patients",
    "n_positive",
    "n_positive_patients",
    "n_changed",
    "n_deciding",
    "only_first",
    "only_second",
    "mcnemar_p",
    "always_yes_f1",
)


def _both(comparison: Comparison) -> str:
    result = comparison.result
    return (
        f"Both answered {counted(comparison.n_recordings, 'recording')} of "
        f"{counted(result.n_patients, 'patient')} (A {comparison.n_first}, B {comparison.n_second}); "
        f"they differ about {counted(result.n_deciding, 'patient')}."
    )


def _missing(items: Sequence[Unpaired], name: str) -> list[str]:
    lines = []
    for whole, what in ((True, "no answer on"), (False, "no answer on some features of")):
        found = [item.video_id for item in items if item.whole == whole]
        if found:
            more = f" and {len(found) - SHOWN_UNPAIRED} more" if len(found) > SHOWN_UNPAIRED else ""
            shown = ", ".join(found[:SHOWN_UNPAIRED])
            lines.append(
                f"{name} has {what} {counted(len(found), 'recording')} that the other has: {shown}{more}."
            )
    return lines


def _score(score: PairedScore, comparison: Comparison) -> dict[str, Any]:
    difference, same = score.difference, score.equivalence
    return {
        "first": _number(score.first),
        "second": _number(score.second),
        "difference": _number(difference.value),
        "low": _number(difference.low),
        "high": _number(difference.high),
        "reason": difference.reason or difference.caution,
        "p": _number(score.p_value),
        "p_max_t": _number(score.p_max_t),
        "p_holm": _number(score.p_holm),
        "p_bh": _number(score.p_bh),
        "verdict": verdict(score, comparison.result),
        "equivalence": same.verdict,
        "equivalence_low": _number(same.low),
        "equivalence_high": _number(same.high),
        "equivalence_p": _number(same.p_value),
        "role": "primary"
        if score.measure in END_POINTS and score is comparison.result.macro.get(score.measure)
        else "exploratory",
    }


def _unpaired_row(item: Unpaired) -> dict[str, Any]:
    return {
        "video_id": item.video_id,
        "missing": "A" if item.missing == "first" else "B",
        "whole": "yes" if item.whole else "no",
        "features": " ".join(item.features),
    }


def _plain(table: Iterable[Mapping[str, Any]]) -> Iterable[dict[str, Any]]:
    return ({key: "" if value is None else value for key, value in row.items()} for row in table)


def _number(value: float | int | None) -> float | int | None:
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return None
    return round(float(value), 6) if isinstance(value, float) else int(value)


def _three(value: float) -> str:
    return "–" if math.isnan(value) else f"{value:.3f}"
