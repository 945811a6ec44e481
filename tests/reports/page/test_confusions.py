"""Counts of answers: each recording is counted once, and NA is an answer where it is one."""

from __future__ import annotations

import csv
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from report_examples import rows_of, write_run
from typer import Typer
from typer.testing import CliRunner

from semiology.metrics.agreement.coefficients import krippendorff_alpha
from semiology.reports.page.confusions import agreement_rows, confusion_rows
from semiology.reports.page.content import with_run
from semiology.reports.read.feature_answers import read_results
from semiology.reports.summary.features import labelled_recordings, summarise
from semiology.reports.summary.run_labels import shown_runs

THREE = "verbal_responsiveness"
OUTCOMES = {
    ("yes", "yes"): "true positive",
    ("yes", "no"): "missed",
    ("no", "yes"): "false alarm",
    ("no", "no"): "true negative",
    ("yes", "na"): "na",
    ("no", "na"): "na",
    ("na", "na"): "rightly na",
    ("na", "yes"): "na missed",
    ("na", "no"): "na missed",
}


def answered(feature: str, shift: int) -> list[dict[str, Any]]:
    """One window of 48 recordings, in which each truth meets each answer."""
    rows = [row for row in rows_of(feature, skill=1.0, seed=0) if row["segment"] == 0]
    for i, row in enumerate(rows):
        row["truth"] = ("yes", "no", "na")[i % 3]
        row["answer"] = ("yes", "no", "na", "unparsed")[(i // 3 + shift) % 4]
    return rows


def read(root: Path) -> tuple[Any, Any]:
    results = read_results([root])
    runs = shown_runs(summarise(results).runs, {})
    return with_run(labelled_recordings(results.answers), runs, "prompt_id"), runs


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for shift, model in enumerate(("one", "two")):
        write_run(tmp_path / "runs", [*answered(THREE, shift), *answered("tonic", shift)], f"lab/{model}")
    return tmp_path / "runs"


def test_every_recording_is_counted_once(root: Path) -> None:
    recordings, runs = read(root)
    for row in confusion_rows(recordings, runs):
        mine = recordings[
            (recordings["feature"] == row["feature"]) & (recordings["model"] == row["run"].label)
        ]
        expected: Counter[str] = Counter()
        for truth, answer in zip(mine["truth"], mine["answer"], strict=True):
            if truth == "na" and row["feature"] != THREE:
                expected["not scored"] += 1
            else:
                expected[OUTCOMES.get((truth, answer), "unparsed")] += 1
        counts = {name: n for name, n in row.items() if name not in ("run", "feature") and n is not None}
        assert counts == {**dict.fromkeys(counts, 0), **expected}
        assert sum(counts.values()) == len(mine) == 48
        assert (row["rightly na"] is None) == (row["feature"] != THREE)
        assert row["not scored"] == (0 if row["feature"] == THREE else 16)


def test_na_takes_part_in_agreement_only_where_it_is_an_answer(root: Path) -> None:
    recordings, runs = read(root)
    found = {row["feature"]: row for row in agreement_rows(recordings, runs)}
    for feature, answers in ((THREE, ("yes", "no", "na")), ("tonic", ("yes", "no"))):
        part = recordings[(recordings["feature"] == feature) & recordings["answer"].isin(answers)]
        ratings = [list(group) for _, group in part.groupby("video_id")["answer"] if len(group) > 1]
        assert found[feature]["recordings"] == len(ratings) > 0
        assert found[feature]["alpha"] == pytest.approx(krippendorff_alpha(ratings), abs=1e-4)


def test_the_page_counts_na_only_where_such_a_feature_was_asked(root: Path, tmp_path: Path) -> None:
    from semiology.reports.commands import report

    app = Typer()
    app.command()(report)
    write_run(tmp_path / "plain", answered("tonic", 0), "lab/m")
    for folder, told in ((root, True), (tmp_path / "plain", False)):
        out = tmp_path / f"out_{folder.name}"
        done = CliRunner().invoke(app, [str(folder), "--out", str(out), "--resamples", "100"])
        assert done.exit_code == 0, done.output
        assert ("rightly NA" in (out / "report.html").read_text(encoding="utf-8")) == told
        with (out / "tables" / "counts.csv").open(encoding="utf-8", newline="") as lines:
            rows = {row["feature"]: row for row in csv.DictReader(lines)}
        assert rows["tonic"]["rightly na"] == ""
        assert not told or int(rows[THREE]["rightly na"]) == 4


def test_a_low_bar_is_said_beside_the_claim(tmp_path: Path) -> None:
    from semiology.reports.commands import report

    app = Typer()
    app.command()(report)
    for name in (THREE, "ictal_vocalization"):
        write_run(tmp_path / name, rows_of(name, skill=0.99, seed=1), "lab/m")
        out = tmp_path / f"out_{name}"
        assert CliRunner().invoke(app, [str(tmp_path / name), "--out", str(out)]).exit_code == 0
        page = (out / "report.html").read_text(encoding="utf-8")
        assert "above always-yes</span>" in page
        assert ("a low bar in verbal responsiveness" in page) == (name == THREE)
