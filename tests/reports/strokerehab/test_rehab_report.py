"""Reports and comparisons of stroke-rehabilitation runs, from result files as lmms-eval writes them."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from semiology.cli import app
from semiology.render.table import Table
from semiology.reports.strokerehab.blind import blind_document
from semiology.reports.strokerehab.compare import compare_rehab
from semiology.reports.strokerehab.reading import read_rehab_results
from semiology.reports.strokerehab.tables import rehab_document, whole_assessments
from semiology.strokerehab import Run, serialised_runs

Reply = Callable[[Mapping[str, Any]], str]
LABELS = {
    "a": ["idle", "reach", "transport", "reposition"],
    "b": ["idle", "reach", "transport", "stabilize", "reposition"],
    "c": ["idle", "transport", "idle"],
}
SEVERITY = {"a": "control", "b": "mild", "c": "severe"}
MOTION, GRASP = {"reach", "reposition", "transport"}, {"transport", "stabilize"}


def primitive_rows(prompt: str = "reference") -> list[dict[str, Any]]:
    rows = []
    for subject, labels in LABELS.items():
        runs = [Run(word, float(place), float(place + 1)) for place, word in enumerate(labels)]
        for window, word in enumerate(labels):
            for question in ("motion", "grasp"):
                first = window == 0 and question == "motion"
                rows.append(
                    base(subject, f"{subject}_feeding1_1", "strokerehab_primitives_3", "primitives")
                    | {
                        "question_id": question, "kind": "yes_no", "prompt_id": prompt, "window": window,
                        "windows": len(labels), "questions": 2, "start_s": float(window), "end_s": window + 1.0,
                        "truth_runs": serialised_runs(runs) if first else "", "word": word,
                    }
                )  # fmt: skip
    return rows


def item_rows() -> list[dict[str, Any]]:
    rated = {"a": {3: 2, 13: 2}, "b": {3: 1, 13: 2}, "c": {3: 0, 13: 1}}
    rows = []
    for subject, scores in rated.items():
        for item, kinds in ((3, ["rating"]), (13, ["gate", "closing"])):
            for order, kind in enumerate(kinds):
                rows.append(
                    base(subject, f"{subject}_FM{item}_A_F", "strokerehab_ia2_3_30", "impairment")
                    | {
                        "question_id": f"{item}_{order}", "kind": kind, "item": item, "laterality": "A", "order": order,
                        "questions": len(kinds), "truth": str(scores[item]),
                        "rated": ";".join(f"{i}:{s}" for i, s in scores.items()) if item == 3 else "",
                    }
                )  # fmt: skip
    return rows


def activity_rows() -> list[dict[str, Any]]:
    truth = {"a": "feeding", "b": "feeding", "c": "combing"}
    return [
        base(subject, f"{subject}_x1_1", "strokerehab_identification_1", "identification")
        | {"question_id": "procedural", "kind": "activity", "truth": activity}
        for subject, activity in truth.items()
    ]


def base(subject: str, video: str, task: str, part: str) -> dict[str, Any]:
    return {
        "task": task, "part": part, "prompt_id": "reference", "prompt_hash": "0", "video_id": video, "subject": subject,
        "group": "C" if subject == "a" else "S", "severity": SEVERITY[subject], "activity": "feeding", "hand": "LEFT",
        "window": 0, "windows": 1, "questions": 1, "subject_questions": 0,
        "start_s": 0.0, "end_s": 1.0, "frames": 8, "fps": 30.0, "item": 0,
        "laterality": "", "order": 0, "rated": "", "truth": "", "truth_runs": "", "profile": "fixed",
    }  # fmt: skip


def write_run(
    folder: Path,
    rows: list[dict[str, Any]],
    reply: Reply,
    model: str = "m",
    sampling: str = "15_8",
    stamp: str = "1",
) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    stamp = f"2026110{stamp}_120000"
    tasks = dict.fromkeys(row["task"] for row in rows)
    configs = {task: {"metadata": {"sampling": sampling, "data": "drawn"}} for task in tasks}
    record = {"model_name": model, "config": {"model": model}, "configs": configs, "results": {}}
    (folder / f"{stamp}_results.json").write_text(json.dumps(record))
    for task in tasks:
        lines = [
            json.dumps({"doc_id": place, "strokerehab": {**row, "raw": reply(row)}})
            for place, row in enumerate(row for row in rows if row["task"] == task)
        ]
        (folder / f"{stamp}_samples_{task}.jsonl").write_text("\n".join(lines) + "\n")
    return folder


def oracle(row: Mapping[str, Any]) -> str:
    if row["part"] == "primitives":
        return "yes" if row["word"] in (MOTION if row["question_id"] == "motion" else GRASP) else "no"
    if row["part"] == "identification":
        return f"FINAL_ANSWER: {row['truth']}"
    return row["truth"] if row["kind"] == "rating" else "yes"


def constant(row: Mapping[str, Any]) -> str:
    return {"primitives": "yes", "identification": "FINAL_ANSWER: feeding", "impairment": "2"}[row["part"]]


ALL = [*primitive_rows(), *item_rows(), *activity_rows()]


def cells(path: Path) -> dict[str, dict[str, str]]:
    with path.open(newline="") as file:
        rows = list(csv.DictReader(file))
    return {next(iter(row.values())): row for row in rows}


def test_report_writes_every_table_with_its_blind_rows(tmp_path: Path) -> None:
    run = write_run(tmp_path / "run", ALL, oracle)
    result = CliRunner().invoke(
        app, ["report", str(run), "--out", str(tmp_path / "out")], catch_exceptions=False
    )
    assert result.exit_code == 0
    folder = tmp_path / "out" / "strokerehab"
    table = cells(folder / "strokerehab_primitives_3_primitives.csv")
    assert {"transport everywhere", "mean dose of other subjects", "transitions, direct"} <= set(table)
    (model,) = [name for name in table if name.startswith("m ")]
    assert float(table[model]["motion F1"]) == 1
    axes = cells(folder / "strokerehab_primitives_3_axes.csv")
    assert float(axes[model]["grasp time right"]) == 1
    windows = cells(folder / "strokerehab_primitives_3_windows.csv")
    assert float(windows["transport"]["transport"]) == 1
    doses = cells(folder / "strokerehab_primitives_3_doses.csv")
    assert float(doses[model]["runs labelled"]) == 4  # 4, 5 and 3 runs
    items = cells(folder / "strokerehab_ia2_3_30_items.csv")
    assert float(items["2 for every item"]["macro accuracy"]) == pytest.approx(1 / 3)
    activities = cells(folder / "strokerehab_identification_1_activities.csv")
    assert "the commonest activity" in activities
    assert {path.suffix for path in folder.iterdir()} == {
        ".csv", ".md", ".json", ".svg", ".png", ".html",
    }  # fmt: skip
    page = (folder / "report.html").read_text()
    assert "transport everywhere" in page
    assert "no clinical assessment" in page
    assert not re.findall(r'(?:src|href)="(?!#|data:)', page)  # it loads nothing
    assert any("doses" in path.name for path in folder.iterdir())
    content = json.loads((folder / "strokerehab.json").read_text())
    assert {"no clinical assessment" in remark for remark in content["remarks"]} == {True, False}
    printed = CliRunner().invoke(app, ["report", str(run), "--json"], catch_exceptions=False)
    assert len(json.loads(printed.stdout)["tables"]) == len(content["tables"])


def test_wordings_and_samplings_are_rows_of_their_own(tmp_path: Path) -> None:
    rows = [*primitive_rows(), *(row | {"truth_runs": ""} for row in primitive_rows("short"))]
    run = write_run(
        tmp_path / "run", rows, lambda row: oracle(row) if row["prompt_id"] == "reference" else "yes"
    )
    write_run(tmp_path / "run" / "other", primitive_rows(), constant, sampling="30_4")
    results = read_rehab_results([run])
    assert results is not None
    assert [run.label for run in results.runs] == ["m · 15_8", "m · wording short · 15_8", "m · 30_4"]
    document = rehab_document(results)
    titles = [part.title for part in document.parts if hasattr(part, "title")]
    assert "strokerehab_primitives_3: edit score by sampling" in titles


def test_a_run_with_windows_missing_is_told_and_not_scored(tmp_path: Path) -> None:
    run = write_run(tmp_path / "run", primitive_rows()[:5], oracle)
    results = read_rehab_results([run])
    assert results is not None
    told = " ".join(rehab_document(results).remarks)
    assert "1 video not scored" in told
    assert "SEMIOLOGY_REHAB_PARTIAL" in told


def test_damaged_rows_cost_themselves_only(tmp_path: Path) -> None:
    run = write_run(tmp_path / "run", primitive_rows(), oracle)
    path = next(run.glob("*_samples_*"))
    lines = path.read_text().splitlines()
    broken = json.loads(lines[-1])
    broken["strokerehab"].pop("windows")
    path.write_text("\n".join([*lines[:-1], json.dumps(broken), "{"]))
    results = read_rehab_results([run])
    assert results is not None
    assert len(results.runs[0].records) == len(lines) - 1
    assert any("has no windows" in note for note in results.notes)


def test_runs_are_compared_by_subject(tmp_path: Path) -> None:
    first, second = write_run(tmp_path / "one", ALL, constant), write_run(tmp_path / "two", ALL, oracle)
    one, other = read_rehab_results([first]), read_rehab_results([second])
    assert one is not None
    assert other is not None
    found = {(each.task, each.measure): each for each in compare_rehab(one, other)}
    activity = found["strokerehab_identification_1", "accuracy"]
    assert (activity.first, activity.second) == (pytest.approx(2 / 3), 1)
    assert activity.difference.value == pytest.approx(1 / 3)
    # Three subjects: no draw of signs can be rarer than 1 in 4.
    assert found["strokerehab_primitives_3", "edit_score"].p == pytest.approx(0.25)
    words = ["compare", str(first), str(second), "--out", str(tmp_path / "out")]
    result = CliRunner().invoke(app, words, catch_exceptions=False)
    assert result.exit_code == 0
    assert (tmp_path / "out" / "strokerehab_comparison.csv").exists()
    assert "Simulated" not in result.output
    for record in second.rglob("*_results.json"):
        content = json.loads(record.read_text())
        for config in content["configs"].values():
            config.setdefault("metadata", {})["simulated"] = True
        record.write_text(json.dumps(content))
    drawn = CliRunner().invoke(app, words, catch_exceptions=False)
    assert "imulated" in drawn.output
    nothing = read_rehab_results([write_run(tmp_path / "three", activity_rows(), oracle)])
    assert nothing is not None
    only_items = read_rehab_results([write_run(tmp_path / "four", item_rows(), oracle)])
    assert only_items is not None
    with pytest.raises(ValueError, match="share no video"):
        compare_rehab(nothing, only_items)


def test_both_tasks_of_a_form_make_one_assessment(tmp_path: Path) -> None:
    timed = [
        base(subject, f"{subject}_FM31_33_A_F", "strokerehab_ia2_31_33", "impairment")
        | {
            "question_id": "31_1",
            "kind": "rating",
            "item": 31,
            "laterality": "A",
            "truth": "1",
            "rated": "31:1",
        }
        for subject in LABELS
    ]
    run = write_run(tmp_path / "run", [*item_rows(), *timed], oracle)
    results = read_rehab_results([run])
    assert results is not None
    (whole,) = whole_assessments(results.runs)
    assert whole.task == "strokerehab_ia2"
    titles = {part.title: part for part in rehab_document(results).parts if isinstance(part, Table)}
    both = titles["strokerehab_ia2: Fugl-Meyer items"].rows[0].cells
    # Item 3 is rated as it is, 13 by its tree always 2: one of three is 1; 31 is right.
    assert both[1].value == pytest.approx(8 / 9)  # type: ignore[union-attr]
    alone = read_rehab_results([write_run(tmp_path / "alone", item_rows(), oracle)])
    assert alone is not None
    assert whole_assessments(alone.runs) == []


def test_replies_of_an_earlier_run_can_be_read_as_published(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = write_run(tmp_path / "run", primitive_rows(), lambda row: "I do not know")
    ours = read_rehab_results([run])
    monkeypatch.setenv("SEMIOLOGY_REHAB_PROFILE", "paper")
    published = read_rehab_results([run])
    assert ours is not None
    assert published is not None
    assert (ours.runs[0].profile, published.runs[0].profile) == ("fixed", "paper")
    assert "paper reading" in published.runs[0].label


def test_labels_alone_give_the_blind_rows(tmp_path: Path) -> None:
    folder = tmp_path / "labels"
    for subject, labels in LABELS.items():
        path = folder / "labels" / f"S{ord(subject)}" / f"S{ord(subject)}_feeding1_1.csv"
        path.parent.mkdir(parents=True)
        rows = [f"{place},r_{word}" for place, word in enumerate([*labels, labels[-1]])]
        path.write_text("\n".join(["Time_s,MarkerNames", *rows]) + "\n")
    result = CliRunner().invoke(app, ["baselines", "strokerehab", str(folder)], catch_exceptions=False)
    assert result.exit_code == 0
    assert "Primitives, 3 videos of 3 subjects" in result.stdout
    assert "transitions, direct" in result.stdout
    assert "labels only: 3 videos" in CliRunner().invoke(app, ["data", "check", str(folder)]).stdout
    with pytest.raises(ValueError, match="neither labels nor item scores"):
        blind_document(tmp_path / "labels" / "labels")


def test_item_scores_alone_give_the_constants(tmp_path: Path) -> None:
    (tmp_path / "subjects.csv").write_text("subject,group,side_scored\nS1,S,L\nS2,S,R\n")
    (tmp_path / "fm_scores.csv").write_text(
        "subject,item,side,score\nS1,3,L,2\nS1,3,R,0\nS1,18,L,2\nS2,3,R,1\n"
    )
    (table,) = [part for part in blind_document(tmp_path).parts if isinstance(part, Table)]
    rows = {row.cells[0]: row.cells[1:] for row in table.rows}
    assert rows["2 for every item"][0] == 0.5  # item 18 is not asked, and the other side does not count
    assert rows["commonest score of other subjects"][0] == 0


def test_answers_without_vision_stand_in_every_table_of_scores(tmp_path: Path) -> None:
    run = write_run(tmp_path / "one", ALL, oracle)
    write_run(tmp_path / "two", primitive_rows(), oracle, sampling="15_4", stamp="2")
    results = read_rehab_results([run, tmp_path / "two"])
    assert results is not None
    tables = {part.title: part for part in rehab_document(results).parts if isinstance(part, Table)}
    counts = ("answered", "windows")  # what was taken for what: shares of answers, no scores
    scores = {title: table for title, table in tables.items() if not title.endswith(counts)}
    assert len(scores) >= 9
    for title, table in scores.items():
        assert any(row.baseline for row in table.rows), title
    items = {row.cells[0]: row.cells for row in tables["strokerehab_ia2_3_30: Fugl-Meyer items"].rows}
    assert "2 for every item" in items
    axes = {
        row.cells[0]: row.cells for row in tables["strokerehab_primitives_3: F1 of motion and grasp"].rows
    }
    # 7 of 12 windows move: always yes has F1 2 x 7 / (12 + 7).
    assert axes["yes everywhere"][1] == pytest.approx(14 / 19)


def test_the_main_page_carries_the_section_and_links_the_rest(tmp_path: Path) -> None:
    run, out = write_run(tmp_path / "run", ALL, constant), tmp_path / "report"
    done = CliRunner().invoke(app, ["report", str(run), "--out", str(out)], catch_exceptions=False)
    assert done.exit_code == 0
    page = (out / "report.html").read_text()
    assert "<h1>Stroke rehabilitation report</h1>" in page
    assert '<a href="strokerehab/report.html">' in page
    assert (out / "strokerehab" / "report.html").exists()
    for title in ("strokerehab_primitives_3: primitives", "strokerehab_ia2_3_30: Fugl-Meyer items"):
        assert f"<h3>{title}</h3>" in page
    assert "<em>2 for every item</em>" in page
    assert "<em>transport everywhere</em>" in page
    # Nothing else was run, and that is said.
    assert re.findall(r'<section id="(\w+)"', page) == ["rehab", "methods", "absent"]
