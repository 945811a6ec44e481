"""One run has one label, whichever command prints it; labels of wordings are computed at reading."""

from __future__ import annotations

import csv
import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from typer.testing import CliRunner

from semiology.cli import app
from semiology.reports.read.asked import Asked, with_wording_labels
from semiology.reports.read.feature_answers import read_results
from semiology.reports.review.sheet import draw_sample
from semiology.reports.summary.sweep import summarise_sweeps

WriteRun = Callable[..., Path]
Records = Callable[..., list[dict[str, Any]]]
OWN, JSON = "m · wording embc", "m · wording embc+yes_no_json"


@pytest.fixture
def swept(write_run: WriteRun, records: Records) -> Path:
    """Two wordings; one of them in its own format, whose text no library knows any more, and as JSON."""
    rows: list[dict[str, Any]] = []
    for prompt, form in (("s3", "own"), ("embc", "own"), ("embc", "yes_no_json")):
        told = {"prompt_id": prompt, "answer_format": form, "justification": "It is seen."}
        told["prompt_hash"] = hashlib.sha256(f"{prompt} {form}".encode()).hexdigest()
        told |= {"family": "definition", "polarity": "positive", "provenance": "authored"}
        rows += [row | told for row in records("tonic")]
    return write_run(rows, model="m")


def test_every_command_prints_the_same_label_for_a_format_recorded_as_own(
    swept: Path, tmp_path: Path
) -> None:
    def run(*arguments: object) -> str:
        told = CliRunner().invoke(app, [str(each) for each in arguments], env={"COLUMNS": "250"})
        assert told.exit_code == 0, told.output + str(told.exception)
        return told.output

    run("report", swept, "--out", tmp_path / "report", "--resamples", 100)
    with (tmp_path / "report" / "tables" / "heatmap.csv").open(encoding="utf-8") as lines:
        assert {row["run"] for row in csv.DictReader(lines)} == {"m", OWN, JSON}
    page = (tmp_path / "report" / "report.html").read_text(encoding="utf-8")
    assert OWN in page
    assert JSON in page
    compared = json.loads(
        run("compare", f"{swept}::prompt=embc", f"{swept}::prompt=embc+yes_no_json", "--json")
    )
    assert (compared["first"], compared["second"]) == (OWN, JSON)
    run("leaderboard", "export", swept, "--out", tmp_path / "board.json", "--resamples", 100)
    entries = json.loads((tmp_path / "board.json").read_text(encoding="utf-8"))["entries"]
    made = {
        Asked(e["model"]["name"], e["protocol"]["wording"], e["protocol"]["enhancement"]).label
        for e in entries
    }
    assert made == {"m", OWN, JSON}
    (model,) = summarise_sweeps(read_results([swept]), resamples=100).models
    assert {Asked("m", name).label for name in model.features[0].answers.wordings} == made
    notes = draw_sample(read_results([swept]), ["tonic"]).notes
    assert not any("own" in note for note in notes)


def test_a_label_tells_texts_apart_and_no_more_than_that() -> None:
    def labels(*texts: tuple[str, str, str | None]) -> list[str]:
        frame = pd.DataFrame(texts, columns=["prompt_id", "prompt_hash", "answer_format"])
        return with_wording_labels(frame.assign(feature="tonic"))["prompt"].tolist()

    assert labels(("a", "11" * 32, "yes_no")) == ["a"]
    assert labels(("a", "11" * 32, "own"), ("a", "22" * 32, "yes_no")) == ["a", "a+yes_no"]
    assert labels(("a", "11" * 32, "own"), ("a", "22" * 32, "own")) == ["a@11111111", "a@22222222"]
    assert labels(("a", "11" * 32, None), ("b", "22" * 32, None)) == ["a", "b"]
    assert Asked("m", "s3", "none").label == "m"
    assert Asked("m", "embc", "pose").label == "m · wording embc · pose"
