"""Reports rated by the protocol of S3 D.2: who is drawn, what raters see, and that `agreement experts` reads it."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest
from s3_examples import REPORT as TEXT
from s3_examples import record, write_s3_run
from test_server import BASE, TOKEN, TestClient
from typer.testing import CliRunner

from semiology.cli import app as command_line
from semiology.reports.review.ratings import read_review
from semiology.reports.review.reports import EXPERT_RATINGS, draw_reports
from semiology.reports.review.server import review_app
from semiology.reports.review.sheet import ReviewError, read_sample, write_review
from semiology.reports.review.store import STORE, Rating, RatingStore
from semiology.reports.review.subjects import REPORT

SAID = ("Nothing is seen.", TEXT, "The head turns to the left.")


def write_runs(root: Path, models: int = 3, videos: int = 16) -> Path:
    for number in range(models):
        rows = [
            record("s3_report", video, None if video == number else f"{SAID[(video + number) % 3]} ", TEXT,
                   shown=["head_turning", "tonic", "clonic"])
            for video in range(videos)
        ]  # fmt: skip
        write_s3_run(root, rows, model=f"lab/model-{number}", stamp=f"20260101_12000{number}")
    return root


def test_one_recording_of_each_patient_with_the_reports_of_all_models(tmp_path: Path) -> None:
    sample = draw_reports([write_runs(tmp_path / "runs")], seed=4, most=5)
    assert sample.subject is REPORT
    by_patient = {case.patient_id: set() for case in sample.cases}
    for case in sample.cases:
        by_patient[case.patient_id].add(case.video_id)
    assert len(by_patient) == 5
    assert {len(videos) for videos in by_patient.values()} == {1}
    missing = sum("not rated" in note for note in sample.notes)
    assert len(sample.cases) == 15 - missing
    assert sample == draw_reports([tmp_path / "runs"], seed=4, most=5)
    assert sample.cases != draw_reports([tmp_path / "runs"], seed=5, most=5).cases


def test_two_wordings_of_one_model_are_refused(tmp_path: Path) -> None:
    rows = [record("s3_report", video, TEXT, TEXT, shown=[], prompt_id=prompt)
            for video in range(2) for prompt in ("s3", "short")]  # fmt: skip
    with pytest.raises(ReviewError, match="several wordings"):
        draw_reports([write_s3_run(tmp_path, rows)])


def test_raters_see_both_reports_and_the_rubric_and_no_model(tmp_path: Path) -> None:
    sample = draw_reports([write_runs(tmp_path / "runs")], most=3)
    written = write_review(sample, tmp_path / "review")
    assert read_sample(tmp_path / "review").subject is REPORT
    with written[-1].open(encoding="utf-8-sig") as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0]) == ["item", "video_id", "expert_report", "report", "rating", "comment"]
    assert {row["expert_report"] for row in rows} == {TEXT}
    store = RatingStore(tmp_path / "review" / STORE)
    with TestClient(
        review_app(sample.cases, store, "AB", TOKEN, {}, sample.subject), base_url=BASE
    ) as client:
        told = client.get(f"/{TOKEN}/api/review").json()
    store.close()
    assert told["scale"]["5"].startswith("Excellent: The MLLM-generated report accurately captures all")
    assert told["labels"]["answer"] == ""
    assert "model-" not in json.dumps(told["cases"])


def test_agreement_experts_reads_what_review_import_writes(tmp_path: Path) -> None:
    runs, folder, out = write_runs(tmp_path / "runs"), tmp_path / "review", tmp_path / "rated"
    typed = CliRunner()
    drawn = typed.invoke(
        command_line, ["review", "export", str(runs), "--protocol", "reports", "--out", str(folder)]
    )
    assert drawn.exit_code == 0, drawn.output
    assert "3 models, 8 patients" in drawn.output
    store = RatingStore(folder / STORE)
    for case in read_sample(folder).cases:  # raters who value what is true
        good = 5 if case.justification.strip() == TEXT else 3 if "head" in case.justification else 1
        store.save(Rating("AB", case.item, good))
        store.save(Rating("CD", case.item, max(1, good - 1)))
    store.close()
    done = typed.invoke(command_line, ["review", "import", str(folder), "--out", str(out)])
    assert done.exit_code == 0, done.output
    assert "Ratings of reports" in (out / "review.md").read_text(encoding="utf-8")
    assert "at least 3" in done.output
    assert "Only correct answers" not in done.output
    review = read_review(folder)
    with (out / EXPERT_RATINGS).open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 2 * len(review.cases)
    assert set(rows[0]) == {"video_id", "model", "patient_id", "rater", "expert"}
    words = ["agreement", "experts", str(out / EXPERT_RATINGS), str(runs), "--json", "--resamples", "100"]
    ranked = typed.invoke(command_line, words)
    assert ranked.exit_code == 0, ranked.output
    found = {(row["metric"], row["measure"]): row for row in json.loads(ranked.output)}
    assert found["stated_findings", "spearman"]["value"] > 0.9
    assert found["rqi", "pearson"]["reports"] == len(review.cases)
