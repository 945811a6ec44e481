"""A comparison as a table in the terminal, CSV, Markdown and JSON."""

from __future__ import annotations

import math
from dataclasses import asdict
from pathlib import Path
from typing import Any

from rich.console import Console

from semiology.data.cache import write_texts
from semiology.metrics.paired.comparison import PairedScore
from semiology.metrics.paired.repeat_noise import RepeatNoise
from semiology.metrics.paired.tables import END_POINTS, MEASURES
from semiology.metrics.paired.verdict import verdict
from semiology.render.table import (
    Column,
    Document,
    Footnotes,
    Lines,
    Row,
    Table,
    csv_of,
    markdown_table,
    print_document,
)
from semiology.render.text import counted, escaped, json_text
from semiology.reports.compare.comparison import Comparison
from semiology.reports.compare.sentences import (
    NAMES,
    count_sentences,
    difference_text,
    feature_sentence,
    p_text,
    primary_sentences,
    ranking_sentence,
    repeat_sentences,
)
from semiology.reports.tables.features import POLICIES

SHOWN_UNPAIRED = 5
MCNEMAR_REMARK = (
    "* McNemar's mid-p on accuracy ignores patients: on such cluster sizes it finds differences that are "
    "none in 11 to 20 % instead of 5 % of studies. Shown for comparison with other papers only."
)
FAMILY_REMARK = (
    "p: patient sign-flip test, two-sided. max-T, Holm: adjusted, so that the chance of any false claim "
    "among all features tested is 5 %; BH: the share of false ones. Features that too few patients show or lack "
    "are not tested. Features are exploratory; the macro means are the end points."
)


def feature_table(comparison: Comparison, measure: str) -> Table:
    """Return the features, exploratory, compared by one measure."""
    name = NAMES[measure]
    columns = (
        Column("feature"),
        Column("with feature (patients)", layout="{} of {} ({})"),
        Column(f"{name} A", ".3f"),
        Column(f"{name} B", ".3f"),
        Column("B − A [95 %]"),
        Column("p", "p"),
        Column("max-T", "p"),
        *(Column(title, "p", rank=1) for title in ("Holm", "BH", "McNemar*")),
        Column("B is", left=True),
    )
    rows = []
    for feature in comparison.result.features:
        score = feature.scores[measure]
        counts = (feature.n_positive, feature.n, feature.n_positive_patients)
        ps = (score.p_value, score.p_max_t, score.p_holm, score.p_bh, feature.mcnemar_p)
        told = (difference_text(score), *ps, verdict(score, comparison.result.alpha))
        rows.append(Row((feature.feature, counts, score.first, score.second, *told)))
    return Table("Features (exploratory)", columns, tuple(rows))


def ranking_table(comparison: Comparison) -> Table | None:
    """Return AUROC of P(yes) by feature, exploratory; None where it is not compared."""
    if comparison.ranking is None or not comparison.ranking.features:
        return None
    columns = (
        Column("feature"),
        Column("with feature (patients)", layout="{} of {} ({})"),
        Column("AUROC A", ".3f"),
        Column("AUROC B", ".3f"),
        Column("B − A [95 %]"),
        Column("p", "p"),
        Column("max-T", "p"),
        *(Column(title, "p", rank=1) for title in ("Holm", "BH")),
        Column("B is", left=True),
    )
    rows = []
    for each in comparison.ranking.features:
        score = each.score
        counts = (each.n_positive, each.n, each.n_positive_patients)
        ps = (score.p_value, score.p_max_t, score.p_holm, score.p_bh)
        told = (difference_text(score), *ps, verdict(score, comparison.result.alpha))
        rows.append(Row((each.feature, counts, score.first, score.second, *told)))
    return Table("AUROC of P(yes) (exploratory)", columns, tuple(rows))


def preamble(comparison: Comparison) -> list[str]:
    """Return what is compared, on which recordings, and what is left out."""
    result = comparison.result
    lines = [f"A: {comparison.first}", f"B: {comparison.second}"]
    lines.append(
        f"Both answered {counted(comparison.n_recordings, 'recording')} of "
        f"{counted(result.n_patients, 'patient')} (A {comparison.n_first}, B {comparison.n_second}); "
        f"they differ about {counted(result.n_deciding, 'patient')}."
    )
    lines += comparison.asked
    for side, name in (("first", "A"), ("second", "B")):
        for whole, what in ((True, "no answer on"), (False, "no answer on some features of")):
            found = [u.video_id for u in comparison.unpaired if u.missing == side and u.whole == whole]
            if found:
                more = f" and {len(found) - SHOWN_UNPAIRED} more" if len(found) > SHOWN_UNPAIRED else ""
                lines.append(
                    f"{name} has {what} {counted(len(found), 'recording')} that the other has: "
                    f"{', '.join(found[:SHOWN_UNPAIRED])}{more}."
                )
    if any(comparison.unusable):
        lines.append(
            f"Neither yes nor no: {counted(comparison.unusable[0], 'answer')} of A, "
            f"{comparison.unusable[1]:,} of B. " + POLICIES[comparison.options.policy]
        )
    if result.left_out:
        lines.append(
            f"All yes or all no, so not in the macro mean of balanced accuracy (nor, if all no, of F1): "
            f"{', '.join(result.left_out)}."
        )
    return lines


def closing(comparison: Comparison) -> list[str]:
    """Return how the numbers were made."""
    result = comparison.result
    drawn = (
        f"all {result.flips:,} signs of patients"
        if result.exact
        else f"{result.flips:,} random signs of patients"
    )
    lines = [
        FAMILY_REMARK,
        f"Test: {drawn} (smallest possible p {p_text(result.smallest_p)}).",
        f"Intervals: each patient left out in turn (jackknife). Seed of the test {result.seed}.",
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
    result = comparison.result
    ranking = ranking_table(comparison)
    parts: tuple[Table | Lines, ...] = (
        Lines(tuple(preamble(comparison))),
        Lines(tuple(primary_sentences(comparison)), style="bold"),
        Lines(tuple(count_sentences(comparison))),
        feature_table(comparison, measure),
        Lines(tuple(feature_sentence(feature, comparison, measure) for feature in result.features)),
        *([ranking] if ranking else []),
        Lines((ranking_sentence(comparison),)),
        *([Lines(tuple(repeat_sentences(comparison, measure)))] if comparison.repeats else []),
    )
    told = Document("", parts, comparison.caveats, tuple(closing(comparison)), comparison.notes)
    print_document(told, console)


def markdown(comparison: Comparison, measure: str = "f1") -> str:
    """Return the comparison as Markdown."""
    lines = ["# Comparison", ""]
    lines += [f"> **Note.** {escaped(text)}" for text in comparison.caveats] + [""] * bool(comparison.caveats)
    lines += [f"- {escaped(text)}" for text in preamble(comparison)]
    lines += ["", "## End points", "", *(f"- {escaped(text)}" for text in primary_sentences(comparison)), ""]
    lines += ["## Features (exploratory)", ""]
    lines += [*(f"- {escaped(text)}" for text in count_sentences(comparison)), ""]
    lines += markdown_table(feature_table(comparison, measure), Footnotes())
    lines += [f"- {escaped(feature_sentence(f, comparison, measure))}" for f in comparison.result.features]
    ranking = ranking_table(comparison)
    lines += ["", "## AUROC of P(yes) (exploratory)", ""]
    lines += markdown_table(ranking, Footnotes()) if ranking else []
    lines += [f"- {escaped(ranking_sentence(comparison))}"]
    if comparison.repeats:
        told = repeat_sentences(comparison, measure)
        lines += ["", "## Repeats", "", *(f"- {escaped(text)}" for text in told)]
    lines += ["", "## How", "", *(f"- {escaped(text)}" for text in closing(comparison)), ""]
    if comparison.notes:
        lines += ["## Files and rows", "", *(f"- {escaped(text)}" for text in comparison.notes), ""]
    return "\n".join(lines)


def rows(comparison: Comparison) -> list[dict[str, Any]]:
    """Return one flat row per measure of each end point and feature, for machines; undefined is None."""
    result = comparison.result
    made = []
    for measure, score in result.macro.items():
        head = {
            "level": "macro",
            "name": counted(len(result.macro_features[measure]), "feature"),
            "measure": measure,
        }
        sizes = dict.fromkeys(_COUNTS) | {"n": score.difference.n, "n_patients": score.difference.n_patients}
        made.append({**head, **_score(score, comparison), **sizes})
    for feature in result.features:
        sizes = {name: _number(getattr(feature, name)) for name in _COUNTS}
        for measure in MEASURES:
            head = {"level": "feature", "name": feature.feature, "measure": measure}
            made.append({**head, **_score(feature.scores[measure], comparison), **sizes})
    made += _ranking_rows(comparison)
    return made if comparison.repeats is None else [row | _repeats(row, comparison.repeats) for row in made]


def _repeats(row: dict[str, Any], noise: RepeatNoise) -> dict[str, Any]:
    """Return what repeats say of a row: the spread that they alone make, and the part of the difference it explains."""
    found = noise.row(str(row["measure"]), str(row["name"]))
    names = ("repeat_spread", "repeat_part", "within_repeat_noise")
    if found is None:
        return dict.fromkeys(names)
    return dict(zip(names, (found.spread, _number(found.part), found.within), strict=True))


def _ranking_rows(comparison: Comparison) -> list[dict[str, Any]]:
    ranking = comparison.ranking
    if ranking is None or ranking.macro is None:
        return []
    n, patients = ranking.macro.difference.n, ranking.macro.difference.n_patients
    macro = dict.fromkeys(_COUNTS) | {"n": n, "n_patients": patients}
    head = {"level": "macro", "name": counted(len(ranking.features), "feature"), "measure": "auroc"}
    made = [{**head, **_score(ranking.macro, comparison), **macro}]
    for each in ranking.features:
        counts = ("n", "n_patients", "n_positive", "n_positive_patients")
        sizes = dict.fromkeys(_COUNTS) | {name: getattr(each, name) for name in counts}
        head = {"level": "feature", "name": each.feature, "measure": "auroc"}
        made.append({**head, **_score(each.score, comparison), **sizes})
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
        "asked": list(comparison.asked),
        "unpaired": [asdict(item) for item in comparison.unpaired],
        "unusable": dict(zip(("first", "second"), comparison.unusable, strict=True)),
        "dropped": comparison.n_dropped,
        "rows": rows(comparison),
        "feature_counts": {
            measure: {name: _number(value) for name, value in asdict(found).items()}
            for measure, found in result.counts.items()
        },
        "sentences": {
            "end_points": primary_sentences(comparison),
            "feature_counts": count_sentences(comparison),
            "auroc": ranking_sentence(comparison),
            "features": {f.feature: feature_sentence(f, comparison, measure, names) for f in result.features},
            "repeats": repeat_sentences(comparison, measure),
        },
        "how": {
            "policy": options.policy,
            "flips": result.flips,
            "all_flips": result.exact,
            **{name: getattr(result, name) for name in ("smallest_p", "seed", "margin")},
            **{name: getattr(result, name) for name in ("alpha", "macro_features", "left_out")},
            "intervals": "patient jackknife",
        },
        "caveats": comparison.caveats,
        "notes": comparison.notes,
    }


def write_comparison(comparison: Comparison, folder: Path, stem: str, measure: str = "f1") -> list[Path]:
    """Write STEM.csv, .md and .json, STEM_changed.csv (answers that differ) and STEM_unpaired.csv.

    Returns:
        The files written; a table without rows is not.
    """
    pairs = comparison.pairs[comparison.pairs["first"] != comparison.pairs["second"]]
    pairs = pairs.sort_values(["feature", "video_id"], kind="stable")
    unpaired = [
        asdict(item)
        | {
            "missing": "A" if item.missing == "first" else "B",
            "whole": "yes" if item.whole else "no",
            "features": " ".join(item.features),
        }
        for item in comparison.unpaired
    ]
    tables = {
        f"{stem}.csv": rows(comparison),
        f"{stem}_changed.csv": [{str(k): v for k, v in row.items()} for row in pairs.to_dict("records")],
        f"{stem}_unpaired.csv": unpaired,
    }
    told = json_text(content(comparison, measure))
    texts = {f"{stem}.md": markdown(comparison, measure), f"{stem}.json": told + "\n"}
    texts |= {name: csv_of(table) for name, table in tables.items() if table}
    return sorted(write_texts(texts, folder))


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


def _score(score: PairedScore, comparison: Comparison) -> dict[str, Any]:
    difference, same = score.difference, score.equivalence
    return {
        **{name: _number(getattr(score, name)) for name in ("first", "second")},
        "difference": _number(difference.value),
        "low": _number(difference.low),
        "high": _number(difference.high),
        "reason": difference.reason or difference.caution,
        "p": _number(score.p_value),
        **{name: _number(getattr(score, name)) for name in ("p_max_t", "p_holm", "p_bh")},
        "verdict": verdict(score, comparison.result.alpha),
        "equivalence": same.verdict,
        "equivalence_low": _number(same.low),
        "equivalence_high": _number(same.high),
        "equivalence_p": _number(same.p_value),
        "role": "primary"
        if score.measure in END_POINTS and score is comparison.result.macro.get(score.measure)
        else "exploratory",
    }


def _number(value: float | int | None) -> float | int | None:
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return None
    return float(value) if isinstance(value, float) else int(value)
