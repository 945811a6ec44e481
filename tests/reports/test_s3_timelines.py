"""Tasks 4 and 5 on the time of the recording: what is drawn where, and what the table says."""

from __future__ import annotations

import csv
import re
from pathlib import Path
from typing import Any

import pytest
from s3_examples import all_tasks, record, write_s3_run
from typer import Typer
from typer.testing import CliRunner

from semiology.reports.commands import report
from semiology.reports.page.timelines import HEAD, LEFT, MOST_TIME_LINES, ROW, WIDTH, time_line_figures
from semiology.reports.read.s3_answers import S3Results, read_s3_results
from semiology.reports.summary.s3_timelines import Listed, Told, time_line_rows, time_lines
from semiology.reports.write import CASES


def read(tmp_path: Path, made: list[dict[str, Any]]) -> S3Results:
    found = read_s3_results([write_s3_run(tmp_path / "run", made)])
    assert found is not None
    return found


def answers() -> list[dict[str, Any]]:
    """A tonic phase at 20 s, told as 30 s; clonic at 40 s, not understood; two windows that list them."""
    clip = {"clip_form": "random", "start_s": 10.0, "end_s": 70.0}
    known = {"onsets_s": [20.0, 40.0]}
    return [
        record("s3_onset_time", 0, 20.0, 10.0, feature="tonic", **clip),
        record("s3_onset_time", 0, None, 30.0, feature="clonic", **clip),
        record("s3_seizure_start", 0, 5.0, 2.0, feature="start", **(clip | {"start_s": 0.0})),
        record("s3_sequence", 0, ["clonic", "tonic", "clonic"], ["tonic", "clonic"], segment=0, start_s=0.0,
               end_s=30.0, **known),
        record("s3_sequence", 0, ["blank_stare"], ["tonic", "clonic"], segment=1, start_s=25.0, end_s=55.0, **known),
    ]  # fmt: skip


def test_times_are_those_of_the_recording_and_windows_keep_their_order(tmp_path: Path) -> None:
    results = read(tmp_path, answers())
    (line,) = time_lines(results, {"tonic": {"v000": [20.0, 33.5]}}, {"v000": 100.0})
    assert list(line.features) == ["seizure start", "tonic", "clonic", "blank_stare"]
    tonic, clonic = line.features["tonic"], line.features["clonic"]
    assert (tonic.onset_s, tonic.offset_s, clonic.onset_s, clonic.offset_s) == (20, 33.5, 40, None)
    assert tonic.told == [Told(30.0, "random", 10.0, 70.0)]
    assert clonic.told[0].time_s is None
    assert tonic.listed == [Listed(0.0, 30.0, 2)]
    assert clonic.listed == [Listed(0.0, 30.0, 1)]  # named twice: its first place counts
    assert line.features["blank_stare"].onset_s is None
    assert line.length_s == 100
    (alone,) = time_lines(results)
    assert alone.features["tonic"].offset_s is None
    assert alone.length_s == 70  # the last time known
    rows = {row["feature"]: row for row in time_line_rows([line])}
    assert (rows["tonic"]["answer_s"], rows["tonic"]["late_by_s"]) == (30, 10)
    assert (rows["clonic"]["answer_s"], rows["clonic"]["late_by_s"]) == (None, None)
    assert rows["seizure start"]["late_by_s"] == 3
    assert rows["tonic"]["listed_in_windows"] == "0-30 s: 2"


def test_a_drawing_puts_time_from_left_to_right(tmp_path: Path) -> None:
    (line,) = time_lines(read(tmp_path, answers()), {"tonic": {"v000": [20.0, 33.5]}}, {"v000": 100.0})
    drawn = time_line_figures([line], {"v000": "P001_V01"})
    (figure,) = drawn["figures"]
    assert (figure["recording"], drawn["left_out"]) == ("P001_V01", 0)
    assert figure["height"] == HEAD + 4 * ROW + 4
    assert [tick["text"] for tick in figure["ticks"]] == [f"{s} s" for s in range(0, 101, 20)]
    start, tonic, clonic, stare = figure["rows"]
    span = WIDTH - LEFT - 8
    assert start["told"][0]["x"] == pytest.approx(LEFT + 0.05 * span, abs=0.1)
    assert tonic["expert"] == {
        "x": pytest.approx(LEFT + 0.2 * span, abs=0.1),
        "width": pytest.approx(0.135 * span, abs=0.2),
    }
    assert tonic["told"][0]["x"] == pytest.approx(LEFT + 0.3 * span, abs=0.1)
    assert (clonic["unread"], clonic["told"][0]["x"], clonic["expert"]["width"]) == (1, None, 3)
    assert stare["expert"] is None
    assert stare["listed"][0]["width"] == pytest.approx(0.3 * span, abs=0.2)
    many = time_line_figures([line] * (MOST_TIME_LINES + 2), {"v000": "a"})
    assert (len(many["figures"]), many["left_out"]) == (MOST_TIME_LINES, 2)


def test_report_draws_every_recording_and_writes_the_table(tmp_path: Path) -> None:
    run = write_s3_run(tmp_path / "run", all_tasks(6))
    app = Typer()
    app.command()(report)
    done = CliRunner().invoke(app, [str(run), "--out", str(tmp_path / "out"), "--resamples", "100"])
    assert done.exit_code == 0, done.output
    with (tmp_path / "out" / CASES / "cases_s3_timelines.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert len({row["video_id"] for row in rows}) == 6
    page = (tmp_path / "out" / "report.html").read_text(encoding="utf-8")
    figures = re.findall(r'<figure class="when".*?</figure>', page, re.DOTALL)
    assert len(figures) == 6
    assert all(each.count('class="seen"') == 5 for each in figures)  # start, end and three features
    assert "style=" not in figures[0]  # the page's policy lets no style attribute act
