"""The S3 tables of a report: every task, every figure, what was not answered, and several models."""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console
from s3_examples import KINDS, all_tasks, record, write_s3_run
from typer import Typer
from typer.testing import CliRunner, Result

from semiology.metrics.s3.recording_answers import recording_answers
from semiology.metrics.s3.scores import score_task
from semiology.render.table import csv_of
from semiology.reports.commands import report
from semiology.reports.read.lmms_eval_files import ResultsError
from semiology.reports.read.s3_answers import read_s3_results
from semiology.reports.summary.s3 import S3Summary, s3_rows, summarise_s3
from semiology.reports.summary.s3_measures import MEASURES, TASK_TITLES, Measure
from semiology.reports.tables.s3 import print_s3_summary, s3_markdown

WriteRun = Callable[..., Path]
Make = Callable[..., Any]


def summary_of(*folders: Path) -> S3Summary:
    results = read_s3_results(list(folders))
    assert results is not None
    return summarise_s3(results, resamples=200)


def value(rows: Sequence[dict[str, Any]], figure: str, **where: str) -> Any:
    (row,) = [
        row
        for row in rows
        if row["figure"] == figure and all(row[name] == wanted for name, wanted in where.items())
    ]
    return row["value"]


def typed(*words: object) -> Result:
    app = Typer()
    app.command()(report)
    return CliRunner().invoke(app, [str(word) for word in words], catch_exceptions=False)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> S3Summary:
    return summary_of(write_s3_run(tmp_path_factory.mktemp("whole"), all_tasks()))


def test_there_is_a_table_for_each_task_with_every_figure_of_its_kind(whole: S3Summary) -> None:
    rows = s3_rows(whole)
    assert list(dict.fromkeys(row["task"] for row in rows)) == list(TASK_TITLES) == list(KINDS)
    assert len({tuple(row) for row in rows}) == 1
    for task, kind in KINDS.items():
        shown = {row["figure"] for row in rows if row["task"] == task and row["rule"] != "baseline"}
        assert shown == {figure.name for figure in MEASURES[kind]}, task


def test_no_estimate_of_the_metrics_is_left_out_of_the_tables() -> None:
    rows = all_tasks(6)
    for task, kind in KINDS.items():
        frame = recording_answers(kind, [row for row in rows if row["task"] == task])  # type: ignore[arg-type]
        known = {figure.name for figure in MEASURES[kind]}
        for part in score_task(kind, frame, resamples=100):  # type: ignore[arg-type]
            assert set(part.scores.estimates) <= known, task


def test_every_named_baseline_exists(whole: S3Summary) -> None:
    for run in whole.runs:
        for figure in MEASURES[run.kind]:
            assert figure.baseline is None or figure.baseline in run.parts[0].scores.baselines, figure


def test_figures_stand_beside_their_baselines_and_have_patient_intervals(whole: S3Summary) -> None:
    rows = [row for row in s3_rows(whole) if row["task"] == "s3_diagnosis"]
    (f1,) = [row for row in rows if row["figure"] == "published_f1"]
    # Always ES by the published rule: 16 of 24 are ES and unread answers do not count.
    assert f1["value"] == pytest.approx(f1["baseline_value"], abs=0.03)
    assert value(rows, "f1") < f1["value"]
    assert value(rows, "balanced_accuracy") < 0.5
    sides = [row for row in s3_rows(whole) if row["task"] == "s3_head_turning_side"]
    (accuracy,) = [row for row in sides if row["figure"] == "accuracy"]
    assert accuracy["low"] < accuracy["value"] < accuracy["high"]
    assert accuracy["n_patients"] == 12


def test_times_are_given_for_both_forms_of_clips_and_each_sign(whole: S3Summary) -> None:
    rows = [row for row in s3_rows(whole) if row["task"] == "s3_onset_time"]
    assert {(row["sign"], row["clip_form"]) for row in rows} == {
        (sign, form) for sign in ("", "tonic", "clonic") for form in ("centred", "random")
    }
    # 10 of 20 answers that were read are right, the others 12 s where 30 s is: an error of 18 s.
    assert value(rows, "mae", sign="", clip_form="centred") == pytest.approx(9, abs=1)
    assert value(rows, "middle_mae", sign="", clip_form="centred") == 0
    assert value(rows, "charged_mae", sign="", clip_form="centred") > 12


def test_unparsed_answers_are_counted(whole: S3Summary) -> None:
    (run,) = [run for run in whole.runs if run.task == "s3_head_turning_side"]
    assert (run.counts.asked, run.counts.answered, run.counts.unparsed, run.counts.missing) == (24, 20, 4, 0)
    assert (run.n_recordings, run.n_patients) == (24, 12)


def test_a_model_that_answered_only_part_is_marked_and_not_charged(tmp_path: Path) -> None:
    rows = [row for row in all_tasks() if row["task"] in ("s3_diagnosis", "s3_report", "s3_seizure_start")]
    some = [row for row in rows if int(row["video_id"][1:]) < 20]
    both = summary_of(
        write_s3_run(tmp_path / "a", rows), write_s3_run(tmp_path / "b", some, model="x/Partial")
    )
    alone = summary_of(write_s3_run(tmp_path / "c", some, model="x/Partial"))
    for run in both.runs:
        forms = 2 if run.task == "s3_seizure_start" else 1
        missing = 4 * forms if run.model == "Partial" else 0
        assert run.counts.missing == missing
        assert run.counts.partial is (run.model == "Partial")
    seen = [row for row in s3_rows(both) if row["model"] == "Partial" and row["rule"] != "baseline"]
    same = [row for row in s3_rows(alone) if row["rule"] != "baseline"]
    assert [row["value"] for row in seen] == [row["value"] for row in same]
    assert "PARTIAL: 24 recordings (20 recordings of 10 patients answered)" in s3_markdown(both)


def test_text_for_people_and_machines_holds_no_nan(whole: S3Summary) -> None:
    console = Console(file=io.StringIO(), width=160)
    print_s3_summary(whole, console)
    printed = console.file.getvalue()  # type: ignore[attr-defined]
    for task, title in TASK_TITLES.items():
        assert f"{task} · {title}" in printed
    for text in (printed, s3_markdown(whole), csv_of(s3_rows(whole), "task")):
        assert "nan" not in text.lower()
    read = list(csv.DictReader(io.StringIO(csv_of(s3_rows(whole), "task"))))
    assert len(read) == len(s3_rows(whole))
    assert "no encoder was given" in printed


def test_the_newest_run_of_a_task_counts_and_it_is_said(tmp_path: Path) -> None:
    rows = [row for row in all_tasks() if row["task"] == "s3_diagnosis"]
    write_s3_run(tmp_path, rows)
    again = [row | {"answer": row["truth"]} for row in rows]
    summary = summary_of(write_s3_run(tmp_path, again, stamp="20260201_120000"))
    assert value(s3_rows(summary), "accuracy") == 1
    assert any("was repeated later → its 24 answers to s3_diagnosis" in note for note in summary.notes)


def test_rows_that_cannot_be_used_are_left_out_and_named(tmp_path: Path) -> None:
    rows = [record("s3_seizure_start", 0, 30.0, 30.0, clip_form="centred", feature="start")]
    folder = write_s3_run(tmp_path, rows)
    (file,) = folder.rglob("*.jsonl")
    broken = (
        rows[0] | {"answer": ["a"], "video_id": "v1"},
        rows[0] | {"kind": "dance", "video_id": "v2"},
        rows[0] | {"segment": "x", "video_id": "v3"},
        {name: cell for name, cell in rows[0].items() if name != "truth"},
        {name: cell for name, cell in rows[0].items() if name != "clip_form"},
    )
    with file.open("a") as stream:
        stream.writelines(json.dumps({"s3": row}) + "\n" for row in broken)
        stream.write('{"s3": {"task"')
    results = read_s3_results([folder])
    assert results is not None
    assert len(results.records) == 1
    faults = ("which no time is", "kind is 'dance'", "segment", "no truth", "no clip_form", "cut off")
    for row, text in enumerate(faults, start=2):
        assert any(f".jsonl:{row}: " in note and text in note for note in results.notes), text


def test_a_window_logged_twice_counts_once(tmp_path: Path) -> None:
    row = record("s3_diagnosis", 0, "ES", "ES")
    results = read_s3_results([write_s3_run(tmp_path, [row, row | {"answer": "NES"}])])
    assert results is not None
    assert [one["answer"] for one in results.records] == ["ES"]
    assert any("logged twice" in note for note in results.notes)


def test_contradicting_truths_are_refused(tmp_path: Path) -> None:
    write_s3_run(tmp_path / "a", [record("s3_diagnosis", 0, "ES", "ES")])
    write_s3_run(tmp_path / "b", [record("s3_diagnosis", 0, "ES", "NES")], model="x/Other")
    with pytest.raises(ValueError, match=r"s3_diagnosis: v000, diagnosis has two truths"):
        summary_of(tmp_path)


def test_what_was_not_asked_is_said(tmp_path: Path) -> None:
    rows = [row for row in all_tasks(4) if row["task"] == "s3_diagnosis"]
    described = {"recordings_without_truth": ["v7", "v8"], "simulated": True, "recording_set": "ward 1"}
    folder = write_s3_run(tmp_path, rows, metadata=described)
    summary = summary_of(folder)
    assert any(note.startswith("s3_diagnosis: 2 usable recordings have nothing") for note in summary.notes)
    assert any("simulated" in caveat for caveat in summary.caveats)


def test_a_folder_without_s3_answers_gives_none(records: Make, write_run: WriteRun) -> None:
    assert read_s3_results([write_run(records("tonic"))]) is None


def test_report_shows_features_and_s3_tasks_of_a_mixed_folder(
    records: Make, write_run: WriteRun, tmp_path: Path
) -> None:
    folder = write_run(records("tonic"))
    write_s3_run(
        folder, [row for row in all_tasks() if row["task"] == "s3_sequence"], stamp="20260101_130000"
    )
    out = tmp_path / "out"
    done = typed(folder, "--out", out, "--resamples", 200)
    assert done.exit_code == 0, done.output
    assert "s3_sequence · task 5" in done.output
    assert "macro F1 (visual, 1 feature)" in done.output
    names = {f"{stem}.{end}" for stem in ("summary", "s3_summary") for end in ("csv", "md", "json")}
    assert names <= {path.name for path in out.iterdir()}
    content = json.loads(typed(folder, "--json", "--resamples", 200).output)
    assert {"rows", "s3"} <= set(content)
    assert content["s3"]["rows"][0]["task"] == "s3_sequence"


def test_report_on_s3_tasks_alone_needs_no_feature(tmp_path: Path) -> None:
    folder = write_s3_run(tmp_path, [row for row in all_tasks() if row["task"] == "s3_onset_region"])
    done = typed(folder, "--resamples", 200)
    assert done.exit_code == 0, done.output
    assert "s3_onset_region" in done.output
    assert "holds no semiology records" not in done.output


def test_a_folder_with_neither_is_an_error(tmp_path: Path) -> None:
    folder = write_s3_run(tmp_path, [record("s3_diagnosis", 0, "ES", "ES") | {"kind": "dance"}])
    with pytest.raises(ResultsError, match=r"no usable answer to an S3 task.*kind is 'dance'"):
        typed(folder)


def test_features_are_reported_beside_unusable_s3_answers_and_it_is_said(
    records: Make, write_run: WriteRun
) -> None:
    folder = write_run(records("tonic"))
    write_s3_run(folder, [record("s3_diagnosis", 0, "ES", "ES") | {"kind": "dance"}], stamp="20260101_130000")
    done = typed(folder, "--resamples", 200)
    assert "macro F1 (visual, 1 feature)" in done.output
    assert "no usable answer to an S3 task" in done.output


def test_a_figure_without_skill_is_chance_or_a_baseline_and_never_both() -> None:
    figures: list[Measure] = [figure for kind in MEASURES.values() for figure in kind]
    assert not [figure for figure in figures if figure.chance is not None and figure.baseline is not None]
    assert all(math.isfinite(figure.chance) for figure in figures if figure.chance is not None)
