"""``semiology report --by``: groupings from the tables of a set, and what is told of those that cannot be used."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest
from report_examples import rows_of, write_run
from s3_examples import all_tasks, write_s3_run
from typer.testing import CliRunner

from semiology.cli import app


@pytest.fixture(scope="module")
def asked(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A run about 80 recordings of 40 patients, and the tables of its set with columns of every kind."""
    root = tmp_path_factory.mktemp("subgroups")
    rows = [
        row
        for i, name in enumerate(("tonic", "clonic"))
        for row in rows_of(name, skill=0.8, seed=i, videos=80)
    ]
    write_run(root / "runs", rows, "lab/first")
    data = root / "set"
    data.mkdir()
    lines = ["video_id,patient_id,video,diagnosis,Sex,camera,note"]
    for number, video in enumerate(sorted({row["video_id"] for row in rows})):
        patient = int(video[1:4])
        sex = "f" if patient % 2 else "m"
        camera = "ceiling" if patient < 2 else "wall"
        diagnosis = ("es", "NES")[number % 2]
        lines.append(f"{video},{video[:4]},{video}.mp4,{diagnosis},{sex},{camera},seen on day {number}")
    (data / "recordings.csv").write_text("\n".join(lines) + "\n")
    truths = sorted({f"{row['video_id']},{row['feature']},{row['truth']}" for row in rows})
    (data / "annotations.csv").write_text("\n".join(["video_id,feature,present", *truths]) + "\n")
    (data / "dataset.yaml").write_text("name: example\nversion: 1\n")
    return root / "runs", data


def test_tables_page_and_sentences(asked: tuple[Path, Path], tmp_path: Path) -> None:
    runs, data = asked
    columns = ("diagnosis", "sex", "camera", "note", "clonic")
    options = [word for column in columns for word in ("--by", column)]
    result = CliRunner().invoke(
        app, ["report", str(runs), "--data", str(data), *options, "--out", str(tmp_path), "--json"]
    )
    assert result.exit_code == 0, result.output
    told = json.loads(result.stdout)["subgroups"]
    assert any("exploratory" in text.lower() for text in told["notes"])
    assert any(text.startswith("by note: 80 different values") for text in told["notes"])
    assert any("by camera, ceiling: 2 patients, fewer than 10: not scored" in text for text in told["notes"])
    scores = list(csv.DictReader((tmp_path / "tables" / "subgroups.csv").open()))
    assert {(row["by"], row["subgroup"]) for row in scores} == {
        ("diagnosis", "ES"), ("diagnosis", "NES"), ("sex", "f"), ("sex", "m"), ("camera", "wall"),
        ("clonic", "yes"), ("clonic", "no"),
    }  # fmt: skip
    assert not any(row["feature"] == "clonic" for row in scores if row["by"] == "clonic")
    differences = list(csv.DictReader((tmp_path / "tables" / "subgroup_differences.csv").open()))
    assert {row["by"] for row in differences} == {"diagnosis", "sex", "clonic"}
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert "Differences between subgroups (exploratory)" in page
    assert (tmp_path / "tables" / "subgroups.md").read_text().startswith("# Subgroups")


def test_an_unknown_column_ends_in_a_sentence_that_names_the_columns(asked: tuple[Path, Path]) -> None:
    runs, data = asked
    result = CliRunner().invoke(app, ["report", str(runs), "--data", str(data), "--by", "sexx"])
    assert isinstance(result.exception, ValueError)
    assert "did you mean 'sex'?" in str(result.exception)
    result = CliRunner().invoke(app, ["report", str(runs), "--by", "sex"])
    assert result.exit_code == 2


def test_control_video_gets_false_alarms_per_hour(tmp_path: Path) -> None:
    rows = [row | {"truth": "no"} for row in rows_of("tonic", skill=0.8, seed=9, videos=24)]
    write_run(tmp_path / "runs", rows, "lab/first")
    folder = tmp_path / "set"
    folder.mkdir()
    videos = sorted({row["video_id"] for row in rows})
    lines = [f"{video},{video[:4]},{video}.mp4,none" for video in videos]
    (folder / "recordings.csv").write_text("\n".join(["video_id,patient_id,video,diagnosis", *lines]) + "\n")
    (folder / "annotations.csv").write_text(
        "\n".join(["video_id,feature,present", *(f"{video},tonic,no" for video in videos)]) + "\n"
    )
    (folder / "dataset.yaml").write_text("name: controls\nversion: 1\n")
    out = tmp_path / "out"
    result = CliRunner().invoke(
        app, ["report", str(tmp_path / "runs"), "--data", str(folder), "--out", str(out), "--json"]
    )
    assert result.exit_code == 0, result.output
    (row,) = json.loads(result.stdout)["control_video"]["tables"][0]["rows"]
    said = {video: [r["answer"] for r in rows if r["video_id"] == video] for video in videos}
    # Two windows of 30 s that overlap by 5 s: one alarm where either is answered yes.
    alarms = sum("yes" in answers for answers in said.values())
    assert row["alarms"] == alarms > 0
    assert row["hours"] == pytest.approx(24 * 55 / 3600)
    assert row["false alarms per hour [95 %]"] == pytest.approx(alarms / row["hours"])
    assert "False alarms in control video" in (out / "report.html").read_text(encoding="utf-8")
    assert (out / "tables" / "control_video_alarms.csv").is_file()


def test_s3_tasks_are_told_by_subgroup(tmp_path: Path) -> None:
    """24 recordings of 12 patients with ES, and 8 of 4 with NES, too few to be scored; half are of the split test."""
    rows = [row for row in all_tasks(32) if row["task"] in ("s3_head_turning_side", "s3_sequence")]
    write_s3_run(tmp_path / "runs", rows, model="lab/first")
    folder = tmp_path / "set"
    folder.mkdir()
    lines = [
        f"v{i:03d},p{i // 2:03d},v{i:03d}.mp4,{'ES' if i < 24 else 'NES'},{'test' if i // 2 % 2 else ''}"
        for i in range(32)
    ]
    (folder / "recordings.csv").write_text(
        "\n".join(["video_id,patient_id,video,diagnosis,split", *lines]) + "\n"
    )
    (folder / "annotations.csv").write_text("video_id,feature,present\nv000,tonic,yes\n")
    (folder / "dataset.yaml").write_text("name: example\nversion: 1\n")
    command = ["report", str(tmp_path / "runs"), "--data", str(folder), "--by", "diagnosis", "--split", "all"]
    command += ["--out", str(tmp_path / "out"), "--json", "--resamples", "100"]
    result = CliRunner().invoke(app, command)
    assert result.exit_code == 0, result.output
    told = json.loads(result.stdout)["subgroups_of_s3_tasks"]
    assert "S3 tasks by diagnosis, NES: 4 patients, fewer than 10: not scored" in told["notes"]
    scores = list(csv.DictReader((tmp_path / "out" / "tables" / "s3_subgroups.csv").open()))
    assert {(row["subgroup"], row["task"]) for row in scores} == {
        ("ES", "s3_head_turning_side"), ("ES", "s3_sequence")
    }  # fmt: skip
    side = next(row for row in scores if row["task"] == "s3_head_turning_side")
    own = [row for row in rows if row["task"] == "s3_head_turning_side" and row["video_id"] < "v024"]
    recalls = [
        sum(r["answer"] == side for r in own if r["truth"] == side) / sum(r["truth"] == side for r in own)
        for side in ("left", "right")
    ]
    assert float(side["value [95 %]"]) == pytest.approx(sum(recalls) / 2)
    assert (side["recordings"], side["patients"]) == ("24", "12")
    assert "S3 tasks by subgroup (exploratory)" in (tmp_path / "out" / "report.html").read_text(
        encoding="utf-8"
    )
