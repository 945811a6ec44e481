"""The tables of a sweep: for people in the terminal and in Markdown, for machines as flat rows, and its files."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from rich.console import Console

from semiology.data.cache import write_texts
from semiology.data.owned_folder import written_together
from semiology.metrics.robustness.scores import BESIDE, HEADLINE, MACRO
from semiology.metrics.robustness.sums import SPREAD_AT, WORST_AT
from semiology.metrics.robustness.variance import SHARES, VarianceShares
from semiology.metrics.scores.classification import Policy
from semiology.metrics.statistics.intervals import Estimate
from semiology.render.table import (
    Cell,
    Column,
    Document,
    Lines,
    Noted,
    Number,
    Row,
    Table,
    csv_of,
    markdown,
    print_document,
)
from semiology.render.text import counted, rounded
from semiology.reports.read.asked import REFERENCE
from semiology.reports.read.feature_answers import Results
from semiology.reports.read.lmms_eval_files import ResultsError
from semiology.reports.read.path_scrubbing import without_paths
from semiology.reports.summary.features import Summary, limit_cells
from semiology.reports.summary.sweep import (
    SweepSummary,
    SweptFeature,
    SweptModel,
    holds_sweep,
    margin_of,
    of_sweeps,
    summarise_sweeps,
)
from semiology.reports.tables.estimates import number_of

PRIMARY = (*HEADLINE, *BESIDE, "f1", "always_yes_f1")
"""Never one without the other: a model that always says yes is perfectly stable."""
_OF_SCORE = (
    "reference",
    "worst",
    "spread",
    f"spread_at_{SPREAD_AT}",
    "saturation",
    "cps",
    "drop",
    "absolute_drop",
)
SECONDARY = (
    *(f"f1_{name}" for name in _OF_SCORE),
    *(f"accuracy_{name}" for name in _OF_SCORE),
    *("pss", "pss_raw", "always_right", "always_wrong", "flips"),
    *(f"balanced_worst_at_{m}" for m in WORST_AT),
    *("ensemble_accuracy", "ensemble_gain", "agreement", "fleiss_kappa", "gwet_ac1"),
    *("consistent", "yes_to_both", "no_to_both", "yes_bias", "js_distance", "auroc"),
    *("avg_p_two_way", "f1_two_way", "balanced_accuracy_two_way"),
)  # fmt: skip

COLUMNS = (
    Column("feature"),
    Column("AvgP = Worst@1 [95 %]"),
    Column("Worst@5", rank=1),
    Column("Worst@10", rank=4),
    Column("bal. acc.", rank=2),
    Column("yes-rate / prevalence"),
    Column("unparsed", ".0%", rank=2),
    Column("alpha", rank=2),
    Column("mean F1", rank=4),
    Column("always-yes", rank=4),
    Column("wordings", rank=4),
    Column("recordings (patients)", layout="{} ({})", rank=3),
)
"""Ranks: stability is never shown alone."""
MORE_COLUMNS = (
    Column("feature"),
    Column("F1 reference"),
    Column("F1 best, on other patients", layout="{}, of {}"),
    *(
        Column(name)
        for name in ("F1 worst", f"F1 spread at {SPREAD_AT}", "F1 Sat", "F1 CPS", "F1 drop", "PSS/max")
    ),
    Column("always right / wrong / flips", layout="{} / {} / {}"),
    *(
        Column(name)
        for name in ("majority gain", "yes-bias", "JS distance", "AUROC", "AvgP, wordings drawn too")
    ),
    Column("any difference: p (noise spread)", ("p", ".2f"), "{} ({})"),
)
SHARE_COLUMNS = (
    Column("feature"),
    *(
        Column(name, ".0%")
        for name in (
            "family", "wording in family", "patient", "recording in patient", "family by recording",
            "wording by recording", "answer format",
        )
    ),
)  # fmt: skip
WORDING_COLUMNS = (
    *(
        Column(name)
        for name in ("wording", "family", "provenance", "hash", "n", "F1 [95 %]", "accuracy", "yes-rate")
    ),
    Column("unparsed", ".0%"),
    Column("farthest rate minus reference [90 %]", "+.2f"),
    Column("equivalent?"),
)
NOT_ASKED = "the reference wording was not asked"

MachineRow = dict[str, Any]


def parted_sweep(
    features: Summary, results: Results, paths: Sequence[Path], *, policy: Policy, resamples: int, seed: int
) -> tuple[Summary, SweepSummary | None]:
    """Return the summary as people shall see it, and the sweeps of it; None if there is none.

    Args:
        features: scores of every model, wording and enhancement.
        results: the answers behind them. paths: the runs, as given.
        policy, resamples, seed: as for the summary.

    Of the wordings of a sweep the summary keeps the reference alone; the others are in the robustness tables.
    A sweep of which nothing can be compared stays as it is, with a note.

    Raises:
        ResultsError: the folders hold sweeps with different margins, or a damaged record.
    """
    if not holds_sweep(results.answers):
        return features, None
    margin = margin_of(paths)
    try:
        sweep = summarise_sweeps(results, margin=margin, policy=policy, resamples=resamples, seed=seed)
    except ResultsError as error:
        return replace(features, notes=(*features.notes, without_paths(str(error)))), None
    answers = results.answers
    single = answers[~of_sweeps(answers)]
    alone = set(zip(single["model"], single["enhancement"], single["prompt_id"], strict=True))
    swept = {(model.model, model.enhancement) for model in sweep.models}
    runs = tuple(
        run
        for run in features.runs
        if (run.model, run.enhancement) not in swept
        or run.prompt == REFERENCE
        or (run.model, run.enhancement, run.prompt) in alone
    )
    # What both would say is said once, above the first table.
    left = replace(sweep, caveats=(), notes=tuple(note for note in sweep.notes if note not in features.notes))
    return replace(features, runs=runs), left if runs else sweep


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
    with written_together(folder):
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
    parts: list[Table | Lines] = []
    for model in summary.models:
        parts += [
            _headline_table(model),
            Table("More measures", MORE_COLUMNS, tuple(map(_more_row, model.features)), level=3),
            Table(
                "What decides right and wrong: shares of the variance",
                SHARE_COLUMNS,
                tuple(map(_share_row, model.features)),
                level=3,
            ),
        ]
    parts.append(Lines(("Wordings",), level=2))
    for model in summary.models:
        for each in model.features:
            title = f"{_title(model)} · {each.robustness.feature}"
            parts.append(Table(title, WORDING_COLUMNS, _wording_table_rows(each), level=3))
    return markdown(_document(summary, parts))


def print_sweep(summary: SweepSummary, console: Console) -> None:
    """Print caveats, the headline table of each model, footnotes and notes."""
    print_document(_document(summary, [_headline_table(model) for model in summary.models]), console)


def _document(summary: SweepSummary, parts: Sequence[Table | Lines]) -> Document:
    remarks = tuple(sweep_remarks(summary))
    return Document("Robustness to wording", tuple(parts), summary.caveats, remarks, summary.notes)


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
        (
            f"Equivalent: recall and specificity each lie within ±{points} points of the reference, by two one-sided "
            "tests adjusted (Holm) for all wordings of all features; shown is the farther of the two rates."
        ),
        f"That margin {fixed}. Undecided is not equivalent.",
        "AvgP, wordings drawn too: its interval also draws the wordings, for what might have been written.",
        f"Intervals are clustered by patient ({summary.resamples:,} patient resamples, seed {summary.seed}).",
    ]


def _title(model: SweptModel) -> str:
    return model.model + ("" if model.enhancement == "none" else f" · enhancement {model.enhancement}")


def _headline_table(model: SweptModel) -> Table:
    """Return the table of the features and then of their mean."""
    rows: list[Row] = []
    for found in (each.robustness for each in model.features):
        counts = (len(found.wordings), (found.n, found.n_patients))
        rows.append(
            Row(
                (*_headline(found.feature, found.estimates), *counts),
                ends=len(rows) + 1 == len(model.features),
            )
        )
    mean = f"mean of {counted(len(model.features), 'feature')}"
    rows.append(Row((*_headline(mean, model.macro), "", ""), style="bold"))
    return Table(_title(model), COLUMNS, tuple(rows))


def _headline(name: str, estimates: Mapping[str, Estimate]) -> tuple[Cell, ...]:
    return (
        name,
        *(number_of(estimates[key]) for key in ("avg_p", "worst_at_5", "worst_at_10", "balanced_accuracy")),
        (_value(estimates, "yes_rate"), _value(estimates, "prevalence")),
        _value(estimates, "unparsed_rate"),
        number_of(estimates["alpha"]),
        number_of(estimates["f1"]),
        _value(estimates, "always_yes_f1"),
    )


def _more_row(each: SweptFeature) -> Row:
    found = each.robustness.estimates

    def limits(*keys: str) -> list[Number]:
        return [number_of(found.get(key), NOT_ASKED) for key in keys]

    best: Cell = Number(None, note=each.no_best)
    if each.best is not None:
        best = (number_of(each.best.held_out), len(each.answers.wordings))
    return Row(
        (
            each.robustness.feature,
            *limits("f1_reference"),
            best,
            *limits("f1_worst", f"f1_spread_at_{SPREAD_AT}"),
            *(_value(found, key) for key in ("f1_saturation", "f1_cps", "f1_drop", "pss")),
            tuple(_value(found, key) for key in ("always_right", "always_wrong", "flips")),
            *limits("ensemble_gain", "yes_bias", "js_distance", "auroc", "avg_p_two_way"),
            (each.p_value, each.noise_spread),
        )
    )


def _share_row(each: SweptFeature) -> Row:
    shares = [_share(each.robustness.variance, name) for name in SHARES]
    return Row((each.robustness.feature, *shares, _share(each.by_format, "family")))


def _wording_table_rows(each: SweptFeature) -> tuple[Row, ...]:
    """Return the rows under `WORDING_COLUMNS`, the reference first."""
    answers, found = each.answers, each.robustness
    rows = []
    for i in each.order:
        test = each.equivalence[i]
        difference: Cell = ""
        if test is not None:
            known = not math.isnan(test.low)
            difference = Number(test.difference, test.low, test.high) if known else test.difference
        rows.append(
            Row(
                (
                    answers.wordings[i] + (" (reference)" if i == answers.reference else ""),
                    answers.families[i] + (" (negated)" if answers.polarities[i] == "negative" else ""),
                    _told(answers.provenances, i) or "",
                    (_told(answers.hashes, i) or "")[:8],
                    found.n,
                    number_of(found.f1_by_wording[i]),
                    *(
                        float(found.per_wording[name][i])
                        for name in ("accuracy", "yes_rate", "unparsed_rate")
                    ),
                    difference,
                    "" if test is None else Noted(test.verdict, test.reason or test.rate),
                )
            )
        )
    return tuple(rows)


def _value(estimates: Mapping[str, Estimate], name: str) -> float | None:
    return estimates[name].value if name in estimates else None


def robustness_rows(summary: SweepSummary) -> list[MachineRow]:
    """Return the headline table: one row per model and feature, then the means over features."""
    rows = []
    for model in summary.models:
        for each in model.features:
            found = each.robustness
            counts = {
                "wordings": len(found.wordings),
                "recordings": found.n,
                "patients": found.n_patients,
                "patients_with_sign": found.n_positive_patients,
                "left_out": found.n_left_out,
            }
            head = _head(model, "feature", found.feature)
            rows.append(head | counts | _estimates(found.estimates, PRIMARY))
        blank = dict.fromkeys(rows[-1])
        rows.append(blank | _head(model, "macro", "mean") | _estimates(model.macro, PRIMARY))
    return rows


def more_rows(summary: SweepSummary) -> list[MachineRow]:
    """Return the secondary table, with the best wording as chosen on other patients and variance shares."""
    rows = []
    for model in summary.models:
        for each in model.features:
            rows.append(
                _head(model, "feature", each.robustness.feature)
                | {"wordings": len(each.answers.wordings)}
                | _best(each)
                | _estimates(each.robustness.estimates, SECONDARY)
                | {
                    "p_any_wording_differs": rounded(each.p_value),
                    "accuracy_noise_spread": rounded(each.noise_spread),
                }
                | {f"share_{name}": rounded(_share(each.robustness.variance, name)) for name in SHARES}
                | {"share_answer_format": rounded(_share(each.by_format, "family"))}
            )
        blank = dict.fromkeys(rows[-1])
        known = {name: model.macro[name] for name in SECONDARY if name in MACRO}
        rows.append(blank | _head(model, "macro", "mean") | _estimates(known, tuple(known)))
    return rows


def wording_rows(summary: SweepSummary) -> list[MachineRow]:
    """Return one row per model, feature and wording: id, hash, provenance, family, n, scores, equivalence."""
    return [
        _wording_row(model, each, place)
        for model in summary.models
        for each in model.features
        for place in each.order
    ]


def family_rows(summary: SweepSummary) -> list[MachineRow]:
    """Return one row per model, feature and family (then answer format) of wordings: accuracy and share."""
    return [
        _head(model, kind, each.robustness.feature)
        | {
            "family": family.family,
            "wordings": family.wordings,
            "accuracy": rounded(family.accuracy),
            "share_of_variance": rounded(family.share),
        }
        for model in summary.models
        for each in model.features
        for kind, found in (("family", each.robustness.variance), ("answer_format", each.by_format))
        if found is not None
        for family in found.families
    ]


def _head(model: SweptModel, level: str, name: str) -> MachineRow:
    return {"model": model.model, "enhancement": model.enhancement, "level": level, "name": name}


def _estimates(estimates: Mapping[str, Estimate], names: Sequence[str]) -> MachineRow:
    row: MachineRow = {}
    for name in names:
        row |= _cells(name, estimates.get(name))
    return row


def _cells(name: str, found: Estimate | None) -> MachineRow:
    remark = NOT_ASKED if found is None else found.reason or found.caution
    return limit_cells(name, found) | {f"{name}_remark": remark}


def _best(each: SweptFeature) -> MachineRow:
    best = each.best
    return {
        **_cells("best_on_other_patients_f1", best.held_out if best else None),
        "best_on_other_patients_f1_remark": each.no_best if best is None else best.held_out.reason,
        "best_chosen_among": len(each.answers.wordings),
        "best_chosen": None if best is None else " ".join(best.chosen),
        "best_optimism": None if best is None else rounded(best.optimism),
    }


def _share(found: VarianceShares | None, name: str) -> float:
    return math.nan if found is None else found.shares.get(name, math.nan)


def _wording_row(model: SweptModel, each: SweptFeature, place: int) -> MachineRow:
    answers, found, test = each.answers, each.robustness, each.equivalence[place]
    accuracy = each.accuracy[place]
    scores = {name: rounded(values[place]) for name, values in found.per_wording.items()}
    return (
        {"model": model.model, "enhancement": model.enhancement, "feature": found.feature}
        | {
            "prompt_id": answers.wordings[place],
            "prompt_hash": _told(answers.hashes, place),
            "provenance": _told(answers.provenances, place),
            "family": answers.families[place],
            "polarity": answers.polarities[place],
            "answer_format": _told(answers.formats, place),
            "reference": place == answers.reference,
            "n": found.n,
            "n_patients": found.n_patients,
        }
        | _cells("f1", found.f1_by_wording[place])
        | {name: scores[name] for name in ("accuracy", "balanced_accuracy", "yes_rate", "prevalence")}
        | {"unparsed_rate": scores["unparsed_rate"], "auroc": scores.get("auroc")}
        | {
            "accuracy_minus_reference": accuracy and rounded(accuracy.difference),
            "accuracy_minus_reference_low_90": accuracy and rounded(accuracy.low),
            "accuracy_minus_reference_high_90": accuracy and rounded(accuracy.high),
            "equivalence_rate": test and test.rate,
            "equivalence_rate_minus_reference": test and rounded(test.difference),
            "equivalence_rate_minus_reference_low_90": test and rounded(test.low),
            "equivalence_rate_minus_reference_high_90": test and rounded(test.high),
            "equivalence_p": test and rounded(test.p_value),
            "equivalence_p_adjusted": test and rounded(test.p_adjusted),
            "equivalence": test and test.verdict,
            "equivalence_remark": test and test.reason,
        }
    )


def _told(values: Sequence[str], place: int) -> str | None:
    return values[place] if values else None
