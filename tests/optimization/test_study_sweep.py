"""``semiology sweep --tasks strokerehab_…``: the plan, the run, the tables by wording, and what is refused."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from semiology import cli
from semiology.cli import app
from semiology.data.strokerehab.simulate import Look, simulate_study


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A study of three subjects, of whom the last is for tuning, without Fugl-Meyer clips."""
    root = tmp_path_factory.mktemp("sweep") / "drawn"
    activities = ("drinking", "rtt exercise")
    simulate_study(
        root, controls=1, strokes=2, rounds=1, activities=activities, clips=False, look=Look((96, 64))
    )
    table = root / "subjects.csv"
    *head, last = table.read_text().splitlines()
    table.write_text("\n".join([*head, last.removesuffix("test") + "tune"]) + "\n")
    return root


@pytest.fixture
def study(drawn: Path, no_settings: None) -> Path:
    return drawn


def words(data: Path, out: Path, *more: str) -> list[str]:
    given = ["--model", "semiology_constant", "--model-args", "answer=FINAL_ANSWER: drinking"]
    return ["sweep", *given, "--data", str(data), "--out", str(out), *more]


def test_a_sweep_compares_the_wordings_of_test_subjects(
    study: Path, tmp_path: Path, command_here: Callable[..., Any]
) -> None:
    out = tmp_path / "out"
    given = words(study, out, "--tasks", "strokerehab_identification_*,strokerehab_ia2_3_30", "--yes")
    done = command_here(cli.main, "semiology", *given)
    assert done.returncode == 0, done.stderr[-2000:]
    lines = done.stdout.splitlines()
    # Two videos of two subjects, two wordings of each of two questions; the subject for tuning is not asked.
    assert lines[0] == "16 questions on 8 windows (drawn, split test)"[: len(lines[0])] or lines[
        0
    ].startswith("16 questions")
    assert any(line.startswith("strokerehab_ia2_3_30 is not asked: one wording") for line in lines)
    assert "The 2 test patients were opened once, now" in done.stdout
    (row, *others) = csv.DictReader(
        (out / "report/strokerehab/strokerehab_identification_1_wordings.csv").open()
    )
    assert [row["wording"], *(each["wording"] for each in others)] == [
        "reference", "short", "the commonest activity"
    ]  # fmt: skip
    assert float(row["accuracy [95 %]"]) == 0.5
    assert float(others[0]["accuracy minus reference [95 %]"]) == 0
    plan = json.loads((out / "sweep.json").read_text())
    assert plan["tasks"] == {
        "strokerehab_identification_1": ["reference", "short"],
        "strokerehab_identification_2": ["reference", "role"],
    }
    ledger = (study / "ledger.jsonl").read_text()
    assert '"command": "sweep"' in ledger
    (study / "ledger.jsonl").unlink()


@pytest.mark.parametrize(
    ("more", "told"),
    [
        (["--tasks", "strokerehab_identifcation_1"], "did you mean"),
        (["--tasks", "semiology_tonic"], "--features tonic"),
        (["--tasks", "strokerehab_counting", "--features", "tonic"], "--features belongs to sweeps over"),
        (["--tasks", "strokerehab_counting", "--prompts", "shrot"], "no question has such a wording"),
        (["--tasks", "strokerehab_ia4_3_30"], "one wording is there of each of its questions"),
        (["--tasks", "strokerehab_counting", "--split", "confirm"], "a study has the splits"),
    ],
)
def test_what_cannot_be_swept_is_told(more: list[str], told: str, study: Path, tmp_path: Path) -> None:
    found = CliRunner().invoke(app, words(study, tmp_path / "out", "--dry-run", "--no-probe", *more))
    assert isinstance(found.exception, ValueError | RuntimeError), found.output
    assert told in str(found.exception)


def test_the_split_for_tuning_can_be_swept_alone(study: Path, tmp_path: Path) -> None:
    more = ["--tasks", "strokerehab_counting", "--split", "tune", "--prompts", "short"]
    found = CliRunner().invoke(app, words(study, tmp_path / "out", "--dry-run", "--no-probe", *more))
    assert found.exit_code == 0, found.output
    assert "strokerehab_counting: 2 wordings (reference, short)" in found.stdout
    assert "about 1 video of 1 subject" in found.stdout
    assert not (tmp_path / "out").exists()
