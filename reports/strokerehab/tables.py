"""The tables of stroke-rehabilitation runs, each with what answers without vision score on the same videos."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from semiology.metrics.statistics.intervals import Estimate
from semiology.metrics.strokerehab import run_scores
from semiology.metrics.strokerehab.fugl_meyer import (
    Scores,
    impairment_scores,
    section_errors,
)
from semiology.metrics.strokerehab.identification import NONE, confusion, control_against_stroke, macro_f1
from semiology.metrics.strokerehab.primitives import mean_and_error, share_within
from semiology.metrics.strokerehab.run_scores import IdentificationRun, ImpairmentRun, PrimitiveRun
from semiology.metrics.strokerehab.window_labels import AXES, Mixed
from semiology.render.table import Cell, Column, Document, Row, Table
from semiology.render.text import counted
from semiology.reports.strokerehab.blind_rows import (
    BELOW_BLIND,
    axis_cells,
    axis_row,
    blind_items,
    blind_rows,
    commonest,
    dose_rows,
    sampling_rows,
    severity_rows,
)
from semiology.reports.strokerehab.reading import RehabResults, RehabRun
from semiology.reports.strokerehab.wordings import wording_tables
from semiology.reports.tables.estimates import number_of
from semiology.settings import rehab_nose_only
from semiology.strokerehab import ACTIVITIES, PRIMITIVES, SEVERITIES

REMARKS = (
    "Intervals are 95 % and by subject. Rows set apart look at nothing: they are what a score must beat.",
    "ES: edit score; AER: action error rate; RCE: relative counting error, idle counted as published.",
    "APD: mean over subjects of the summed item differences; MTSD: of the difference of the sums.",
    "An item without an answer costs 2 points in APD; in MTSD it counts as 0 and costs 2 more, as published.",
    "Force held against a push and passive range can hardly be seen in a video.",
    "Items are meant to be judged against the other arm. A model's score is no clinical assessment.",
)
ITEM_MEASURES = ("accuracy", "macro_accuracy", "apd", "mtsd", "kappa", "spearman", "r2", "missing")


@dataclass(frozen=True)
class ScoredRuns:
    """Runs of one task with their scores."""

    task: str
    runs: tuple[tuple[RehabRun, IdentificationRun | PrimitiveRun | ImpairmentRun], ...]


def scored(results: RehabResults, *, partial: bool = False) -> list[ScoredRuns]:
    """Return the runs of every task with their scores.

    Args:
        results: as read.
        partial: score videos of which windows are missing too.
    """
    found = []
    every = (*results.runs, *whole_assessments(results.runs))
    for task in dict.fromkeys(run.task for run in every):
        runs = []
        for run in every:
            if run.task != task:
                continue
            score: IdentificationRun | PrimitiveRun | ImpairmentRun
            if run.part == "identification":
                score = run_scores.score_identification(run.records, run.profile)
            elif run.part == "impairment":
                score = run_scores.score_impairment(
                    run.records, run.profile, nose_only=rehab_nose_only(), partial=partial
                )
            else:
                score = run_scores.score_primitives(run.records, run.profile, partial=partial)
            runs.append((run, score))
        found.append(ScoredRuns(task, tuple(runs)))
    return found


def whole_assessments(runs: Sequence[RehabRun]) -> list[RehabRun]:
    """Return runs over all 30 items, where a model answered both tasks of a form (3 to 30, and 31 to 33)."""
    found = []
    for form in ("strokerehab_ia2", "strokerehab_ia4"):
        parts: dict[tuple[str, str, str], dict[str, RehabRun]] = {}
        for run in runs:
            if run.task in (f"{form}_3_30", f"{form}_31_33"):
                parts.setdefault((run.model, run.prompt_id, run.pictures), {})[run.task] = run
        for both in parts.values():
            if len(both) == 2:
                first, second = both.values()
                records = (*first.records, *second.records)
                found.append(replace(first, task=form, sampling="", records=records))
    return found


def rehab_document(results: RehabResults, *, partial: bool = False) -> Document:
    """Return every table that the runs allow."""
    tables: list[Table] = []
    notes = list(results.notes)
    for task in scored(results, partial=partial):
        tables += [*_tables_of(task), *wording_tables(task.task, task.runs)]
        for run, score in task.runs:
            if isinstance(score, ImpairmentRun) and score.touched:
                touched = counted(score.touched, "window")
                notes.append(
                    f"{run.label}, {run.task}: {score.touched_again} of {touched} with a touch (item 33) follow one "
                    "with a touch of the same place: a touch over their border, or a hand that stays, counts twice, as "
                    "published → the wording `contact` counts beginnings of contact"
                )
            if not isinstance(score, IdentificationRun) and score.left_out:
                what = "video" if isinstance(score, PrimitiveRun) else "subject"
                notes.append(
                    f"{run.label}, {run.task}: {counted(len(score.left_out), what)} not scored, because windows are "
                    "missing (as after --limit) → run it whole, or set SEMIOLOGY_REHAB_PARTIAL=1"
                )
    if rehab_nose_only() and any(run.part == "impairment" for run in results.runs):
        notes.append("Item 33 is timed by touches of the nose alone (SEMIOLOGY_REHAB_TIMING).")
    return Document(
        "Stroke rehabilitation",
        tuple(tables),
        caveats=results.caveats,
        remarks=(*REMARKS, *dict.fromkeys(notes)),
    )


def _tables_of(task: ScoredRuns) -> Iterator[Table]:
    first = task.runs[0][1]
    if isinstance(first, IdentificationRun):
        pairs = [(run, score) for run, score in task.runs if isinstance(score, IdentificationRun)]
        yield identification_table(task.task, pairs)
        yield identification_severity_table(task.task, pairs)
        for run, score in pairs:
            yield confusion_table(task.task, run, score)
            yield group_table(task.task, run, score)
    elif isinstance(first, ImpairmentRun):
        graded = [
            (run, score) for run, score in task.runs if isinstance(score, ImpairmentRun) and score.truth
        ]
        if not graded:
            return
        yield impairment_table(task.task, graded)
        yield section_table(task.task, graded)
    else:
        counted_runs = [(run, score) for run, score in task.runs if isinstance(score, PrimitiveRun)]
        yield primitives_table(task.task, counted_runs)
        if any(video.severity for _, score in counted_runs for video in score.videos):
            yield severity_table(task.task, counted_runs)
        yield dose_table(task.task, counted_runs)
        if any(score.axes for _, runs in counted_runs for score in runs.videos):
            yield axis_table(task.task, counted_runs)
        for run, dosed in counted_runs:
            if any(video.window_words for video in dosed.videos):
                yield window_table(task.task, run, dosed)
        if len({run.sampling for run, _ in counted_runs}) > 1:
            yield sampling_grid(task.task, counted_runs)


def identification_table(task: str, runs: Sequence[tuple[RehabRun, IdentificationRun]]) -> Table:
    """Return accuracy and macro F1, controls against stroke, and the two blind answers."""
    columns = (
        Column("model"), Column("videos", ".0f"), Column("accuracy [95 %]", ".3f", better="more"),
        Column("macro F1", ".3f", better="more"), Column("controls", ".3f", rank=1), Column("stroke", ".3f", rank=1),
        Column("p", "p", rank=2), Column("names none", ".1%", rank=1),
    )  # fmt: skip
    rows = []
    for run, score in runs:
        found = run_scores.identification_measures(score)
        test = control_against_stroke(score.truth, score.answer, score.control).get("overall")
        groups: tuple[Cell, ...] = (
            (test.accuracy_control, test.accuracy_stroke, test.p) if test else (None,) * 3
        )
        rows.append(
            Row((run.label, _plain(found["videos"]), _cell(found["accuracy"]), _plain(found["macro_f1"]), *groups,
                 _plain(found["invalid_rate"])))
        )  # fmt: skip
    measures, truth = run_scores.identification_measures(runs[0][1]), runs[0][1].truth
    blind: list[tuple[str, Cell]] = [
        ("the commonest activity", _plain(measures["majority_accuracy"])),
        ("a guess", 1 / 9),
    ]
    scores = {"the commonest activity": macro_f1(truth, [commonest(truth)] * len(truth))} if truth else {}
    rows += [Row((name, None, value, scores.get(name), *(None,) * 4), baseline=True) for name, value in blind]
    return Table(f"{task}: activities", columns, tuple(rows), stem=f"{task}_activities")


def confusion_table(task: str, run: RehabRun, score: IdentificationRun) -> Table:
    """Return how often each activity was taken for each, with a column for none of the nine."""
    cells = confusion(score.truth, score.answer)
    columns = (Column("true"), *(Column(name) for name in (*ACTIVITIES, NONE)))
    rows = tuple(
        Row((true, *(cells[true, given] for given in (*ACTIVITIES, NONE))))
        for true in ACTIVITIES
        if any(cells[true, given] for given in (*ACTIVITIES, NONE))
    )
    return Table(f"{task}: {run.label}, answered", columns, rows, stem=f"{task}_confusion")


def identification_severity_table(task: str, runs: Sequence[tuple[RehabRun, IdentificationRun]]) -> Table:
    """Return the accuracy by severity."""
    columns = (Column("model"), *(Column(name, (".3f", ".0f"), "{} of {} videos") for name in SEVERITIES))

    def row(name: str, score: IdentificationRun, answers: Sequence[str], *, baseline: bool = False) -> Row:
        cells: list[Cell] = []
        for level in SEVERITIES:
            right = [
                float(true == answer)
                for true, answer, known in zip(score.truth, answers, score.severity, strict=True)
                if known == level
            ]
            cells.append((_mean(right), float(len(right))) if right else None)
        return Row((name, *cells), baseline=baseline)

    rows = [row(run.label, score, score.answer) for run, score in runs]
    most = max((score for _, score in runs), key=lambda score: len(score.truth))
    always = [commonest(most.truth)] * len(most.truth)
    rows.append(row("the commonest activity", most, always, baseline=True))
    return Table(f"{task}: accuracy by severity", columns, tuple(rows), stem=f"{task}_severity")


def group_table(task: str, run: RehabRun, score: IdentificationRun) -> Table:
    """Return controls against stroke by activity, with p-values adjusted over activities."""
    columns = (
        Column("activity"),
        Column("controls", (".3f", ".0f"), "{} of {}"),
        Column("stroke", (".3f", ".0f"), "{} of {}"),
        Column("p", "p"),
        Column("p, Holm", "p"),
    )
    rows = tuple(
        Row((name, (test.accuracy_control, float(test.n_control)), (test.accuracy_stroke, float(test.n_stroke)),
             test.p, test.p_holm))
        for name, test in control_against_stroke(score.truth, score.answer, score.control).items()
    )  # fmt: skip
    most = commonest(score.truth)
    always = control_against_stroke(score.truth, [most] * len(score.truth), score.control).get("overall")
    if always is not None:
        shown = (
            (always.accuracy_control, float(always.n_control)),
            (always.accuracy_stroke, float(always.n_stroke)),
        )
        rows += (Row((f"overall, answering {most} always", *shown, always.p, None), baseline=True),)
    below = ("Fisher's exact test where a cell is under 5, else chi-square without correction.",)
    return Table(
        f"{task}: {run.label}, controls and stroke", columns, rows, below=below, stem=f"{task}_groups"
    )


def primitives_table(task: str, runs: Sequence[tuple[RehabRun, PrimitiveRun]]) -> Table:
    """Return edit score, errors and axis F1 of every run, and of all answers without vision."""
    names = (
        "edit_score",
        "action_error_rate",
        "relative_counting_error",
        "relative_counting_error_without_idle",
    )
    columns = (
        Column("model"), Column("videos", ".0f"), Column("ES [95 %]", ".1f", better="more"),
        Column("AER [95 %]", better="less"), Column("RCE [95 %]", better="less"), Column("RCE without idle", rank=1),
        Column("within 25 %", ".0%", rank=1), Column("motion F1", rank=2), Column("grasp F1", rank=2),
        Column("unread", ".1%", rank=2),
    )  # fmt: skip
    rows = []
    for run, score in runs:
        found = run_scores.primitive_measures(score)
        rows.append(
            Row((run.label, float(len(score.videos)), *(_cell(found[name]) for name in names),
                 _cell(found["within_25_percent"]), _plain(found["motion_f1"]), _plain(found["grasp_f1"]),
                 _plain(found["invalid_rate"])))
        )  # fmt: skip
    videos = max((score.labelled for _, score in runs), key=len)
    rows += [Row((name, float(len(videos)), *cells), baseline=True) for name, cells in blind_rows(videos)]
    return Table(f"{task}: primitives", columns, tuple(rows), below=BELOW_BLIND, stem=f"{task}_primitives")


def dose_table(task: str, runs: Sequence[tuple[RehabRun, PrimitiveRun]]) -> Table:
    """Return mean counts answered and labelled, and the mean absolute error of the count of each primitive."""
    columns = (
        Column("model"),
        Column("runs answered", ".1f"),
        Column("runs labelled", ".1f"),
        Column("MAE, mean", better="less"),
        *(Column(name, group="MAE") for name in PRIMITIVES),
    )
    rows = []
    for run, score in runs:
        means = [_mean(score.column(name)) for name in ("count_answer", "count_truth", "mae_avg")]
        errors = [video.scores.count_errors for video in score.videos]
        by_primitive = [_mean([float(each[name]) for each in errors]) for name in PRIMITIVES]
        rows.append(Row((run.label, *means, *by_primitive)))
    rows += dose_rows(max((score.labelled for _, score in runs), key=len))
    return Table(f"{task}: doses", columns, tuple(rows), stem=f"{task}_doses")


def axis_table(task: str, runs: Sequence[tuple[RehabRun, PrimitiveRun]]) -> Table:
    """Return F1 of both axes at the window's middle and over the window, and the share of time that is right."""
    places: tuple[tuple[str, Mixed], ...] = (
        ("middle", "masked"), ("window", "masked"), ("window", "optimistic"), ("window", "pessimistic"),
    )  # fmt: skip
    names = ("middle", "window, mixed left out", "mixed as answered", "mixed as its opposite", "time right")
    columns = (Column("model"), *(Column(name, ".3f", group=axis) for axis in AXES for name in names))
    rows = [axis_cells(run.label, score, places) for run, score in runs]
    rows.append(axis_row(max((score for _, score in runs), key=lambda score: len(score.videos)), places))
    return Table(f"{task}: F1 of motion and grasp", columns, tuple(rows), stem=f"{task}_axes")


def window_table(task: str, run: RehabRun, score: PrimitiveRun) -> Table:
    """Return how often each labelled primitive was answered as each, window by window."""
    answered = (*PRIMITIVES, "")
    columns = (
        Column("labelled"), Column("windows"), *(Column(name or "none", ".0%") for name in answered),
    )  # fmt: skip
    rows = []
    for name, counts in run_scores.primitive_confusion(score).items():
        total = counts.total()
        rows.append(Row((name, total, *(counts[each] / total if total else None for each in answered))))
    return Table(f"{task}: {run.label}, windows", columns, tuple(rows), stem=f"{task}_windows")


def severity_table(task: str, runs: Sequence[tuple[RehabRun, PrimitiveRun]]) -> Table:
    """Return the relative counting error by severity: mean, standard error and share within 25 %."""
    columns = (
        Column("model"),
        *(
            Column(name, (".2f", ".2f", ".0%", ".0f"), "{} ± {}; {} within 25 %; {} videos")
            for name in SEVERITIES
        ),
    )
    rows = []
    for run, score in runs:
        cells: list[Cell] = []
        for level in SEVERITIES:
            errors = [v.scores.relative_counting_error for v in score.videos if v.severity == level]
            cells.append(
                (*mean_and_error(errors), share_within(errors), float(len(errors))) if errors else None
            )
        rows.append(Row((run.label, *cells)))
    rows += severity_rows(max((score for _, score in runs), key=lambda score: len(score.videos)))
    return Table(f"{task}: RCE by severity", columns, tuple(rows), stem=f"{task}_severity")


def sampling_grid(task: str, runs: Sequence[tuple[RehabRun, PrimitiveRun]]) -> Table:
    """Return the edit score by frames a second (rows) and frames of a window (columns)."""
    cells: dict[tuple[str, str, str], float] = {}
    for run, score in runs:
        rate, _, frames = run.sampling.partition("_")
        cells[f"{run.model} · {run.prompt_id}", rate, frames] = _mean(score.column("edit_score"))
    frames_of = sorted({frames for _, _, frames in cells}, key=_number)
    heads = sorted({(model, rate) for model, rate, _ in cells}, key=lambda head: (head[0], _number(head[1])))
    columns = (Column("model, frames a second"), *(Column(f"{frames} frames", ".1f") for frames in frames_of))
    rows = tuple(
        Row((f"{model}, {rate}", *(cells.get((model, rate, frames)) for frames in frames_of)))
        for model, rate in heads
    )
    videos = max((score.labelled for _, score in runs), key=len)
    rows += tuple(sampling_rows(videos, sorted({rate for _, rate in heads}, key=_number), frames_of))
    return Table(f"{task}: edit score by sampling", columns, rows, stem=f"{task}_sampling")


def impairment_table(task: str, runs: Sequence[tuple[RehabRun, ImpairmentRun]]) -> Table:
    """Return the scores of item ratings, of constants, and of other subjects' scores."""
    columns = (
        Column("model"),
        Column("accuracy [95 %]", ".3f", better="more"),
        Column("macro accuracy", ".3f", better="more"),
        Column("APD [95 %]", better="less"),
        Column("MTSD [95 %]", better="less"),
        Column("kappa", better="more"),
        Column("Spearman", rank=1),
        Column("R2", rank=1),
        Column("missing", ".0f", rank=1),
    )
    rows = []
    for run, score in runs:
        found = run_scores.impairment_measures(score)
        shown = (found[name] for name in ITEM_MEASURES)
        rows.append(Row((run.label, *(_cell(value) for value in shown))))
    truth = max((score.truth for _, score in runs), key=lambda rated: sum(map(len, rated.values())))
    for name, answers in blind_items(truth).items():
        blind = impairment_scores(answers, truth)
        rows.append(
            Row((name, *(float(getattr(blind, measure)) for measure in ITEM_MEASURES)), baseline=True)
        )
    return Table(f"{task}: Fugl-Meyer items", columns, tuple(rows), stem=f"{task}_items")


def section_table(task: str, runs: Sequence[tuple[RehabRun, ImpairmentRun]]) -> Table:
    """Return the mean absolute error by section; a missing item counts 2."""
    truth = max((score.truth for _, score in runs), key=lambda rated: sum(map(len, rated.values())))
    named: dict[str, tuple[Mapping[str, Scores], Mapping[str, Mapping[int, int]], bool]] = {
        run.label: (score.answers, score.truth, False) for run, score in runs
    }
    named |= {name: (answers, truth, True) for name, answers in blind_items(truth).items()}
    errors = {name: section_errors(answers, rated) for name, (answers, rated, _) in named.items()}
    shown = [section for section, (_, _, n) in next(iter(errors.values())).items() if n]
    columns = (Column("model"), *(Column(section, layout="{} ± {}") for section in shown))
    rows = tuple(
        Row((name, *(errors[name][section][:2] for section in shown)), baseline=named[name][2])
        for name in named
    )
    return Table(f"{task}: mean absolute error by section", columns, rows, stem=f"{task}_sections")


def _cell(value: Estimate | float) -> Cell:
    return number_of(value) if isinstance(value, Estimate) else value


def _plain(value: Estimate | float) -> float:
    return value.value if isinstance(value, Estimate) else value


def _mean(values: Sequence[float]) -> float:
    return math.fsum(values) / len(values) if values else math.nan


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return -1.0
