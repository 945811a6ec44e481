"""The S3 tasks case by case: means of the rows are the scores of the tables, and errors of order are traced."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from s3_examples import all_tasks, record, write_s3_run
from typer import Typer
from typer.testing import CliRunner

from semiology.reports.commands import report
from semiology.reports.read.feature_answers import COLUMNS, Results
from semiology.reports.read.s3_answers import S3Results, read_s3_results
from semiology.reports.summary.s3 import summarise_s3
from semiology.reports.summary.s3_cases import ERRORS, LIST, UNKNOWN, WHAT, WHEN, aligned, case_tables
from semiology.reports.write import CASES, KEEP_LOCAL


def read(folder: Path, rows: list[dict[str, Any]]) -> S3Results:
    results = read_s3_results([write_s3_run(folder, rows)])
    assert results is not None
    return results


def test_the_means_of_cases_are_the_scores_of_the_tables(tmp_path: Path) -> None:
    results = read(tmp_path, all_tasks())
    tables = case_tables(results)
    summary = summarise_s3(results, resamples=100)
    wholes = {run.task: {part.clip_form: part.scores.estimates for part in run.parts if not part.part}
              for run in summary.runs}  # fmt: skip
    assert set(tables) - {ERRORS} == set(wholes)
    compared = 0
    for task, rows in tables.items():
        if task == ERRORS:
            continue
        frame = pd.DataFrame(rows)
        assert len(frame) == len({(r["video_id"], r["feature"], r.get("clip_form")) for r in rows})
        for form, estimates in wholes[task].items():
            part = frame[frame["clip_form"] == form] if form else frame
            named = {"charged_error_s": "charged_mae", "right": "accuracy",
                     "within_2s": "hit_2s"} | {name: name for name in estimates if name != "bleu"}  # fmt: skip
            for column, name in named.items():
                if column in part.columns and name in estimates:
                    values = part[column].fillna(False) if column == "right" else part[column].dropna()
                    assert values.astype(float).mean() == pytest.approx(estimates[name].value), (task, column)
                    compared += 1
    assert compared > 40


def test_errors_of_order_are_traced_to_what_and_when(tmp_path: Path) -> None:
    truth, onsets = ["head_turning", "tonic", "clonic", "oral_automatisms"], [1.0, 5.0, 9.0, 12.0]
    told = ["clonic", "tonic", "blank_stare", "head_turning"]
    made = [record("s3_sequence", 0, told, truth, onsets_s=onsets)]
    for feature, start, said in (("tonic", 0.0, 6.0), ("clonic", 4.0, 1.0), ("head_turning", 0.0, 2.0)):
        made.append(
            record(
                "s3_onset_time",
                0,
                said,
                30.0,
                feature=feature,
                clip_form="centred",
                start_s=start,
                end_s=60.0,
            )
        )
    results = read(tmp_path, made)
    model = results.records[0]["model"]
    shared = {"model": model, "enhancement": "none", "prompt_id": "s3", "prompt_hash": "", "video_id": "v000",
              "patient_id": "p000", "segment": 0, "raw": "", "truth": "yes"}  # fmt: skip
    answers = [shared | {"feature": name, "answer": answer} for name, answer in
               (("oral_automatisms", "no"), ("blank_stare", "no"))]  # fmt: skip
    features = Results(pd.DataFrame(answers).reindex(columns=list(COLUMNS)), (), (), {})
    tables = case_tables(results, features)
    found = {(each["error"], each["features"]): each["from"] for each in tables[ERRORS]}
    assert found == {
        ("missing", "oral_automatisms"): WHAT,  # task 1 missed it too
        ("not there", "blank_stare"): LIST,  # task 1 rightly did not see it
        ("wrong order", "head_turning before tonic"): LIST,  # task 4: 2 s before 6 s, right
        ("wrong order", "head_turning before clonic"): LIST,
        ("wrong order", "tonic before clonic"): WHEN,  # task 4: clonic at 4 + 1 s, before tonic at 6 s
    }
    (row,) = tables["s3_sequence"]
    assert [row[f"errors from {name}"] for name in (WHAT, WHEN, LIST, UNKNOWN)] == [1, 1, 3, 0]
    alone = {each["from"] for each in case_tables(results)[ERRORS] if each["error"] != "wrong order"}
    assert alone == {UNKNOWN}


def test_an_alignment_says_each_step() -> None:
    assert aligned(["tonic", "clonic"], ["tonic", "clonic"]) == "=tonic =clonic"
    assert aligned([], ["tonic"]) == "-tonic"
    assert aligned(["dancing"], ["tonic"]) == "dancing>tonic"


def test_the_report_writes_cases_apart_and_says_that_they_stay(tmp_path: Path) -> None:
    run = write_s3_run(tmp_path / "run", all_tasks(6))
    app = Typer()
    app.command()(report)
    done = CliRunner().invoke(app, [str(run), "--out", str(tmp_path / "out"), "--resamples", "100"])
    assert done.exit_code == 0, done.output
    folder = tmp_path / "out" / CASES
    assert folder.stat().st_mode & 0o077 == 0
    assert "texts of experts" in (folder / KEEP_LOCAL).read_text()
    with (folder / "cases_s3_report.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 6
    first = rows[0]
    assert "head turns to the left" in first["expert_report"]
    penalties = float(first["rqi_hallucination"]) * float(first["rqi_off_topic"])
    penalties *= float(first["rqi_length"]) * float(first["rqi_hazard"])
    assert float(first["rqi"]) == pytest.approx(float(first["rqi_base"]) * penalties)
    page = (tmp_path / "out" / "report.html").read_text(encoding="utf-8")
    assert "The head turns to the left" not in page
    assert "=head_turning =tonic =clonic" in page  # the alignment of an order, case by case
