"""Tables of how much of a score is the wording: each wording, its difference from the reference, the best on others."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from statsmodels.stats.multitest import multipletests

from semiology.metrics.statistics.bootstrap import mean_estimate
from semiology.metrics.statistics.intervals import Estimate
from semiology.metrics.strokerehab import run_scores
from semiology.metrics.strokerehab.fugl_meyer import constant_scores, impairment_scores
from semiology.metrics.strokerehab.identification import macro_f1, majority_accuracy
from semiology.metrics.strokerehab.run_scores import IdentificationRun, ImpairmentRun, PrimitiveRun
from semiology.metrics.strokerehab.window_labels import AXES, AxisCounts, middle_labels
from semiology.metrics.strokerehab.wordings import axis_f1_estimate, best_on_others, macro_f1_estimate
from semiology.prompts.strokerehab_library import load_rehab_library
from semiology.render.table import Cell, Column, Row, Table
from semiology.render.text import counted
from semiology.reports.strokerehab.blind_rows import commonest
from semiology.reports.strokerehab.compare import subject_p_value, values_of
from semiology.reports.strokerehab.reading import REFERENCE, RehabRun
from semiology.reports.tables.estimates import number_of

Scored = IdentificationRun | PrimitiveRun | ImpairmentRun
FLIPS = 10_000


@dataclass(frozen=True)
class Deciding:
    """The measure by which wordings of a part of the suite are compared: its name, heading, and direction."""

    measure: str
    title: str
    less: bool = False


DECIDING: Mapping[str, Deciding] = {
    "identification": Deciding("accuracy", "accuracy"),
    "primitives": Deciding("edit_score", "ES"),
    "counting": Deciding("relative_counting_error", "RCE", less=True),
    "impairment": Deciding("apd", "APD", less=True),
}


def wording_tables(task: str, runs: Sequence[tuple[RehabRun, Scored]]) -> Iterator[Table]:
    """Yield a table for every model that answered a task in several wordings, else nothing."""
    groups: dict[tuple[str, str, str], list[tuple[RehabRun, Scored]]] = {}
    for run, score in runs:
        groups.setdefault((run.model, run.sampling, run.pictures), []).append((run, score))
    for own in groups.values():
        own.sort(key=lambda pair: pair[0].prompt_id != REFERENCE)
        if len({run.prompt_id for run, _ in own}) > 1 and own[0][0].prompt_id == REFERENCE:
            yield _wording_table(task, own)


def _wording_table(task: str, runs: Sequence[tuple[RehabRun, Scored]]) -> Table:
    part = runs[0][0].part
    deciding = DECIDING[part]
    found = [values_of(run)[deciding.measure] for run, _ in runs]
    shared = sorted(set.intersection(*(set(each) for each in found)))
    values = [{key: each[key][1] for key in shared} for each in found]
    subjects = {key: found[0][key][0] for key in shared}
    differences = [
        np.array([mine[key] - values[0][key] for key in shared]) if shared else np.zeros(0)
        for mine in values[1:]
    ]
    owners = [subjects[key] for key in shared]
    p_values = [subject_p_value(each, owners, FLIPS, 0) if shared else math.nan for each in differences]
    holm = multipletests(p_values, method="holm")[1] if shared else p_values
    columns, blind = _measures(runs)
    rows = []
    for place, (run, _) in enumerate(runs):
        cells: tuple[Cell, ...] = (run.prompt_id, _family(run), *columns[place].values())
        beside: tuple[Cell, ...] = (None, None)
        if place:
            beside = (number_of(mean_estimate(differences[place - 1], owners)), float(holm[place - 1]))
        rows.append(Row((*cells, *beside)))
    rows += [
        Row((name, "", *(scores.get(key) for key in columns[0]), None, None), baseline=True)
        for name, scores in blind.items()
    ]
    heads = (
        Column("wording"), Column("family", left=True), *(Column(name, ".3f") for name in columns[0]),
        Column(f"{deciding.title} minus reference [95 %]", "+.3f"), Column("p, Holm", "p"),
    )  # fmt: skip
    first = runs[0][0]
    label = " · ".join(filter(None, (first.model, first.sampling)))
    return Table(
        f"{task}: {label}, wordings", heads, tuple(rows),
        below=_below(deciding, values, subjects, [run.prompt_id for run, _ in runs]), stem=f"{task}_wordings",
    )  # fmt: skip


def _below(
    deciding: Deciding,
    values: Sequence[Mapping[str, float]],
    subjects: Mapping[str, str],
    names: Sequence[str],
) -> tuple[str, ...]:
    """Return in sentences how far wordings lie apart, and what the best is worth on subjects that did not choose it."""
    means = [float(np.mean(list(each.values()))) for each in values if each]
    people = counted(len(set(subjects.values())), "subject")
    if not means:
        return ("No video was answered in every wording.",)
    spread = (
        f"{deciding.title} on {counted(len(subjects), 'video')} of {people}: {max(means) - min(means):.3f} between the "
        "best and the worst wording."
    )
    value, chosen = best_on_others(values, subjects, less=deciding.less)
    if math.isnan(value):
        return (spread, "One subject: no wording can be chosen on others.")
    best = min(means) if deciding.less else max(means)
    told = ", ".join(f"{names[place]} {times} times" for place, times in chosen.most_common())
    worth = (
        f"The best of {len(means)} has {best:.3f} on the subjects that chose it, which is too good; chosen on the "
        f"other subjects and scored on each, {value:.3f} (chosen: {told})."
    )
    return (
        spread,
        worth,
        "Differences: sign-flip test by subject, adjusted over the wordings of this table.",
    )


def _measures(
    runs: Sequence[tuple[RehabRun, Scored]],
) -> tuple[list[dict[str, Cell]], dict[str, dict[str, Cell]]]:
    """Return the measures of each wording by heading, and those of answers that look at nothing by name."""
    columns: list[dict[str, Cell]] = []
    blind: dict[str, dict[str, Cell]] = {}
    for _, score in runs:
        if isinstance(score, IdentificationRun):
            found = run_scores.identification_measures(score)
            columns.append(
                {"videos": len(score.truth), "accuracy [95 %]": _cell(found["accuracy"]),
                 "macro F1 [95 %]": number_of(macro_f1_estimate(score))}
            )  # fmt: skip
        elif isinstance(score, ImpairmentRun):
            found = run_scores.impairment_measures(score)
            columns.append(
                {"subjects": len(score.truth), "accuracy [95 %]": _cell(found["accuracy"]),
                 "APD [95 %]": _cell(found["apd"])}
            )  # fmt: skip
        else:
            found = run_scores.primitive_measures(score)
            mine: dict[str, Cell] = {
                "videos": len(score.videos),
                "ES [95 %]": _cell(found["edit_score"]),
                "RCE [95 %]": _cell(found["relative_counting_error"]),
            }
            for axis in AXES:
                estimate = axis_f1_estimate(score, axis)
                mine |= {f"{axis} F1 [95 %]": number_of(estimate)} if estimate else {}
            columns.append(mine)
    first = runs[0][1]
    if isinstance(first, IdentificationRun):
        truth = first.truth
        blind["the commonest activity"] = {
            "accuracy [95 %]": majority_accuracy(truth),
            "macro F1 [95 %]": macro_f1(truth, [commonest(truth)] * len(truth)),
        }
    elif isinstance(first, ImpairmentRun):
        for given in (2, 1):
            always = impairment_scores(constant_scores(first.truth, given), first.truth)
            blind[f"{given} for every item"] = {
                "accuracy [95 %]": always.accuracy,
                "APD [95 %]": always.apd,
            }
    else:
        found = run_scores.primitive_measures(first)
        blind["transport everywhere"] = {
            "ES [95 %]": _cell(found["transport_only_edit_score"]),
            "RCE [95 %]": _cell(found["transport_only_relative_counting_error"]),
            **{f"{axis} F1 [95 %]": always_yes_f1(first)[axis] for axis in AXES},
        }
    return columns, blind


def always_yes_f1(run: PrimitiveRun) -> dict[str, float]:
    """Return the F1 of each axis that always answering yes gives at the middle of the run's windows."""
    labels = [label for v in run.videos for label in middle_labels(v.labelled.runs, v.windows)]
    return {
        axis: AxisCounts(
            tp=(yes := sum(label in AXES[axis] for label in labels)), fp=len(labels) - yes, fn=0, tn=0
        ).f1
        for axis in AXES
    }


def _family(run: RehabRun) -> str:
    """Return the family of a run's wording, as the library has it now; empty where it has none."""
    asked = {str(record["question_id"]) for record in run.records}
    for name, question in load_rehab_library().by_name().items():
        if name.partition("/")[2] in asked:
            for prompt in question.prompts:
                if prompt.id == run.prompt_id:
                    return prompt.family
    return ""


def _cell(value: Estimate | float) -> Cell:
    return number_of(value) if isinstance(value, Estimate) else value
