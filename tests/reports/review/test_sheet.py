"""The sample follows the protocol, hides what raters must not see, and survives spreadsheets."""

from __future__ import annotations

import csv
import json
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from openpyxl import load_workbook
from typer.testing import CliRunner

from semiology.cli import app
from semiology.reports.read.feature_answers import Results
from semiology.reports.review.sheet import (
    Sample,
    draw_sample,
    question_text,
    read_sample,
    write_review,
)

FEATURES = ["tonic", "oral_automatisms"]


def test_all_true_positives_and_as_many_true_negatives(results: Callable[..., Results]) -> None:
    found = results()
    sample = draw_sample(found, FEATURES, seed=3)
    rows = found.answers
    for model in ("alpha", "beta"):
        for feature in FEATURES:
            own = rows[(rows["model"] == model) & (rows["feature"] == feature)]
            said_yes = own.groupby("video_id")["answer"].agg(lambda words: "yes" in set(words))
            shows = own.groupby("video_id")["truth"].first() == "yes"
            positives = set(said_yes[said_yes & shows].index)
            cases = [c for c in sample.cases if (c.model, c.feature) == (model, feature)]
            kinds = Counter(c.kind for c in cases)
            assert {c.video_id for c in cases if c.kind == "true positive"} == positives
            assert kinds["true negative"] == kinds["true positive"] == len(positives)
            negatives = {c.video_id for c in cases if c.kind == "true negative"}
            assert len(negatives) == len(positives)
            assert not negatives & set(said_yes[said_yes].index)
            assert not negatives & set(shows[shows].index)
    for case in sample.cases:
        expected = f"{case.model} {case.feature} {case.video_id} {int(case.start_s // 25)} {case.answer} "
        assert case.justification.startswith(expected)
    assert len({case.item for case in sample.cases}) == len(sample.cases)


def test_the_seed_decides_and_rows_in_another_order_do_not(results: Callable[..., Results]) -> None:
    found = results()
    shuffled = replace(found, answers=found.answers.sample(frac=1, random_state=2))
    assert draw_sample(found, FEATURES, seed=3) == draw_sample(shuffled, FEATURES, seed=3)
    assert draw_sample(found, FEATURES, seed=3) != draw_sample(found, FEATURES, seed=4)
    models = [case.model for case in draw_sample(found, FEATURES, seed=3).cases]
    assert models != sorted(models)


def test_too_few_negatives_and_missing_justifications_are_told(results: Callable[..., Results]) -> None:
    found = results()
    rows = found.answers
    rows.loc[(rows["model"] == "beta") & (rows["truth"] == "no"), "justification"] = None
    sample = draw_sample(found, FEATURES, seed=0)
    assert any("only 0 true negatives" in note for note in sample.notes)
    assert any("carry no justification" in note for note in sample.notes)
    few = draw_sample(found, FEATURES, seed=0, most=3)
    counted = Counter((c.model, c.feature, c.kind) for c in few.cases)
    assert max(counted.values()) == 3
    with pytest.raises(ValueError, match="no correct answer has a justification"):
        draw_sample(replace(found, answers=rows.assign(justification=None)), FEATURES)


def test_raters_see_neither_model_nor_patient(review_folder: tuple[Path, Sample]) -> None:
    folder, sample = review_folder
    with (folder / "ratings.csv").open(encoding="utf-8-sig", newline="") as stream:
        sheet = list(csv.DictReader(stream))
    assert len(sheet) == len(sample.cases)
    assert "model" not in sheet[0]
    assert "patient_id" not in sheet[0]
    assert [row["item"] for row in sheet] == [case.item for case in sample.cases]
    with (folder / "key.csv").open(encoding="utf-8-sig", newline="") as stream:
        key = {row["item"]: row for row in csv.DictReader(stream)}
    assert all(key[case.item]["model"] == case.model for case in sample.cases)
    assert (folder.stat().st_mode & 0o077) == 0


def test_the_same_review_may_be_written_again_but_not_another(
    review_folder: tuple[Path, Sample], results: Callable[..., Results]
) -> None:
    folder, sample = review_folder
    sheet = folder / "ratings.csv"
    sheet.write_text(sheet.read_text(encoding="utf-8-sig") + "\n", encoding="utf-8")
    before = sheet.read_bytes()
    write_review(sample, folder)
    assert sheet.read_bytes() == before
    with pytest.raises(ValueError, match="holds another review"):
        write_review(draw_sample(results(), FEATURES, seed=9), folder)
    assert read_sample(folder).cases == sample.cases


def test_a_sheet_runs_no_formula(tmp_path: Path, results: Callable[..., Results]) -> None:
    found = results()
    found.answers["justification"] = "=HYPERLINK(1)\x07 عربي"
    sample = draw_sample(found, FEATURES)
    folder = tmp_path / "review"
    write_review(sample, folder, form="xlsx")
    sheet = load_workbook(folder / "ratings.xlsx").active
    assert sheet is not None
    cell = sheet.cell(2, 8)
    assert cell.data_type == "s"
    assert str(cell.value).startswith("'=HYPERLINK(1)  عربي")


def test_questions_are_the_words_of_the_library() -> None:
    assert question_text("tonic", "s3").endswith("?")
    assert question_text("tonic", "no_such") == "tonic (wording no_such)"


def test_justifications_of_task_2_are_drawn_through_the_command(tmp_path: Path) -> None:
    folder = tmp_path / "runs" / "model"
    folder.mkdir(parents=True)
    lines = []
    for i in range(20):
        truth = "yes" if i % 2 else "no"
        record = {
            "task": "s3_justification",
            "kind": "justification",
            "feature": "tonic",
            "video_id": f"v{i:03d}",
            "patient_id": f"p{i // 2:03d}",
            "segment": 0,
            "start_s": 0.0,
            "end_s": 30.0,
            "truth": truth,
            "answer": truth if i > 3 else "no",
            "justification": f"reason {i}",
            "reference": "",
            "enhancement": "none",
            "prompt_id": "s3",
            "clip_form": None,
        }
        lines.append(json.dumps({"doc_id": i, "target": truth, "s3": record}))
    (folder / "20260101_120000_samples_s3_justification.jsonl").write_text("\n".join(lines) + "\n")
    out = tmp_path / "review"
    told = CliRunner().invoke(app, ["review", "export", str(tmp_path / "runs"), "--out", str(out)])
    assert told.exit_code == 0, told.output
    assert "16 items: 8 true positives, 8 negatives" in told.output
    cases = read_sample(out).cases
    assert {case.justification for case in cases} <= {f"reason {i}" for i in range(20)}
    assert cases[0].question == question_text("tonic", "s3")


def test_an_item_is_no_number_to_a_spreadsheet(results: Callable[..., Results]) -> None:
    items = [case.item for case in draw_sample(results(), ["tonic"]).cases]
    assert items
    assert all(item.isalnum() and item[0] == "r" for item in items)


def test_caveats_stay_with_the_review(tmp_path: Path, results: Callable[..., Results]) -> None:
    caveat = "The recordings are simulated: the numbers say nothing about patients."
    made = replace(results(), caveats=(caveat,))
    sample = draw_sample(made, ["tonic"])
    write_review(sample, tmp_path / "review")
    assert read_sample(tmp_path / "review").caveats == (caveat,)
