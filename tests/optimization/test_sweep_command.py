"""``semiology sweep``: the plan, the run, the tables, the same command again, and what is refused."""

from __future__ import annotations

import csv
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from semiology import cli
from semiology.cli import app

PROGRAM = str(Path(sys.executable).with_name("semiology"))


def words(data: Path, out: Path, *more: str) -> list[str]:
    given = ["--model", "semiology_constant", "--model-args", "answer=yes", "--features", "tonic"]
    return ["sweep", *given, "--data", str(data), "--out", str(out), "--prompts", "s3,minimal,negated", *more]


@pytest.fixture
def environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    for name in ("DATA", "WINDOW", "SWEEP_PROMPTS", "SWEEP_FORMATS", "SWEEP_ENHANCEMENTS"):
        monkeypatch.setenv(f"SEMIOLOGY_{name}", "")  # so that what a command sets is taken back
        monkeypatch.delenv(f"SEMIOLOGY_{name}")
    monkeypatch.setenv("SEMIOLOGY_CACHE", str(tmp_path / "cache"))
    return dict(os.environ)


def test_a_sweep_ends_with_tables_and_keeps_every_answer(
    simulated_set: Path, tmp_path: Path, environment: dict[str, str], command_here: Callable[..., Any]
) -> None:
    out, journal = tmp_path / "out", tmp_path / "cache/sweep_journal/answers-000.jsonl"
    done = command_here(cli.main, "semiology", *words(simulated_set, out, "--yes"))
    assert done.returncode == 0, done.stderr[-2000:]
    lines = done.stdout.splitlines()
    # two recordings of two windows under three wordings
    assert lines[0].startswith("12 questions on 1 feature about 4 windows of 2 recordings")
    assert any(line.startswith("3 segments with 9 questions took") for line in lines)
    assert "simulated" in done.stdout
    assert len(journal.read_text().splitlines()) == 12
    rows = list(csv.DictReader((out / "report/wordings.csv").open()))
    assert [row["prompt_id"] for row in rows] == ["s3", "minimal", "negated"]
    # always yes: to the negated wording that means absent
    assert [float(row["yes_rate"]) for row in rows] == [1, 1, 0]
    assert [row["provenance"] for row in rows] == ["epileptologist", "authored", "authored"]
    (tonic, _) = csv.DictReader((out / "report/robustness.csv").open())
    assert float(tonic["yes_rate"]) == pytest.approx(2 / 3, abs=1e-5)
    plan = json.loads((out / "sweep.json").read_text())
    assert (plan["margin"], plan["requests"]) == (0.05, 12)


@pytest.mark.slow
def test_a_killed_sweep_of_the_embedded_model_goes_on_and_asks_nothing_twice(
    simulated_set: Path, tmp_path: Path, environment: dict[str, str]
) -> None:
    data = [
        "--data",
        str(simulated_set),
        "--out",
        str(tmp_path / "out"),
        "--yes",
        "--features",
        "tonic,clonic",
    ]
    command = [PROGRAM, "sweep", "--model", "embedded", "--model-args", "score=logprob", *data]
    journal = tmp_path / "cache/journal"

    def lines() -> list[str]:
        return [line for file in journal.glob("*.jsonl") for line in file.read_text().splitlines()]

    with subprocess.Popen(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=environment
    ) as run:
        while run.poll() is None and not lines():
            time.sleep(0.05)
        run.kill()
    before = len(lines())
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    assert done.returncode == 0, done.stderr[-2000:]
    requests = json.loads((tmp_path / "out/sweep.json").read_text())["requests"]
    keys = [json.loads(line)["key"] for line in lines()]
    assert 0 < before < requests == len(keys) == len(set(keys))
    more = next(csv.DictReader((tmp_path / "out/report/robustness_more.csv").open()))
    assert 0 <= float(more["js_distance"]) <= 1
    assert 0 <= float(more["auroc"]) <= 1


def test_a_plan_alone_loads_and_writes_nothing(
    simulated_set: Path, tmp_path: Path, environment: dict[str, str]
) -> None:
    found = CliRunner().invoke(app, words(simulated_set, tmp_path / "out", "--dry-run", "--no-probe"))
    assert found.exit_code == 0, found.output
    assert "shared work: 3.0 questions for each reading of a window" in found.output
    assert "plan " in found.output
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("more", "told"),
    [
        (["--prompts", "minimall"], "did you mean 'minimal'"),
        (["--features", "tonik"], "did you mean 'tonic'"),
        (["--answer-formats", "xml"], "unknown answer format 'xml'"),
        (["--enhancements", "sharpen"], "unknown enhancement 'sharpen'"),
        (["--enhancements", "crop"], "crop is not meant for it"),
        (["--enhancements", "none,pose"], "semiology enhance"),
        (["--margin", "5"], "the margin must lie between 0 and 1"),
    ],
)
def test_what_cannot_be_asked_is_told_before_a_model_is_loaded(
    more: list[str], told: str, simulated_set: Path, tmp_path: Path, environment: dict[str, str]
) -> None:
    found = CliRunner().invoke(app, words(simulated_set, tmp_path / "out", "--dry-run", "--no-probe", *more))
    assert isinstance(found.exception, ValueError), found.output
    assert told in str(found.exception)


def test_a_folder_takes_one_plan(simulated_set: Path, tmp_path: Path, environment: dict[str, str]) -> None:
    from semiology.optimization.sweep.options import SweepOptions
    from semiology.optimization.sweep.plan import plan_summary
    from semiology.optimization.sweep.run import SweepError, claim_folder, plan_sweep

    def plan(margin: float, prompts: tuple[str, ...] = ("s3", "minimal")) -> object:
        options = SweepOptions(
            "embedded", "", simulated_set, tmp_path, features=("tonic",), prompts=prompts, margin=margin
        )
        made = plan_sweep(options)
        claim_folder(tmp_path / "out", plan_summary(made))
        (tmp_path / "file").touch()
        with pytest.raises(SweepError, match=r"file: cannot be written \(File exists\) → give another"):
            claim_folder(tmp_path / "file", plan_summary(made))
        return made

    plan(0.05)
    plan(0.05)  # the same again
    with pytest.raises(SweepError, match=r"different: margin\) → give another --out"):
        plan(0.1)
    with pytest.raises(SweepError, match=r"different: features\)"):
        plan(0.05, ("s3",))
    (tmp_path / "out/sweep.json").write_text("{")
    with pytest.raises(SweepError, match="cannot be read → give another --out"):
        plan(0.05)
