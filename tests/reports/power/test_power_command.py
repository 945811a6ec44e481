"""semiology power as typed: what it refuses, and what one feature costs the others."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner, Result

from semiology.cli import app
from semiology.reports.published.answers import COLUMNS

QUICK = ("--studies", "50", "--delta", "0.3")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A recording set of 16 patients: tonic varies, clonic has no recording with the feature."""
    made = tmp_path / "set"
    made.mkdir()
    videos = [(f"v{i:02d}", f"p{i // 2:02d}") for i in range(32)]
    with (made / "recordings.csv").open("w", newline="", encoding="utf-8") as stream:
        csv.writer(stream).writerows([("video_id", "patient_id"), *videos])
    rows = [(video, "tonic", "yes" if i % 3 else "no") for i, (video, _) in enumerate(videos)]
    rows += [(video, "clonic", "no") for video, _ in videos]
    with (made / "annotations.csv").open("w", newline="", encoding="utf-8") as stream:
        csv.writer(stream).writerows([("video_id", "feature", "present"), *rows])
    return made


def typed(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["power", *arguments])


def test_a_feature_that_cannot_be_planned_does_not_cost_the_others(folder: Path, tmp_path: Path) -> None:
    told = typed(str(folder), *QUICK, "--out", str(tmp_path / "plan.json"))
    assert told.exit_code == 0, told.output
    assert "not planned: clonic: no recording with the feature" in told.output
    (plan,) = json.loads((tmp_path / "plan.json").read_text(encoding="utf-8"))
    assert plan["feature"] == "tonic"
    needed = next(at for at in plan["result"]["tried"] if at["power"] >= 0.8)["n_patients"]
    assert plan["result"]["needed"] <= needed
    assert "of this set with all their recordings (32; 21 with the feature" in " ".join(told.output.split())


def test_few_patients_with_the_sign_make_a_guess_of_the_answer(folder: Path) -> None:
    rows = (folder / "annotations.csv").read_text(encoding="utf-8").replace(",clonic,no", ",clonic,yes", 3)
    (folder / "annotations.csv").write_text(rows, encoding="utf-8")
    told = typed(str(folder), "--feature", "clonic", *QUICK)
    assert told.exit_code == 0, told.output
    assert "no more than a guess" in " ".join(told.output.split()).partition("are needed")[0]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--feature", "clonic"), "no recording with the feature"),
        (("--feature", "verbal_responsiveness"), "has three answers"),
        (("--feature", "tonik"), "unknown feature or group 'tonik'; did you mean 'tonic'?"),
        (("--feature", "tonic", "--delta", "0"), "a difference of 0 cannot be planned for"),
        (("--feature", "tonic", "--delta", "-0.1"), "use one above 0"),
        (("--feature", "tonic", "--delta", "0.9"), "use less than"),
        (("--feature", "tonic", "--alpha", "0"), "the level must lie between 0 and 1"),
        (("--feature", "tonic", "--power", "1.5"), "use one above"),
        (("--feature", "tonic", "--correlation", "2"), "below 1"),
    ],
)
def test_what_cannot_be_planned_is_said_before_anything_is_simulated(
    folder: Path, arguments: tuple[str, ...], message: str
) -> None:
    refused = typed(str(folder), *arguments)
    assert isinstance(refused.exception, ValueError)
    assert message in str(refused.exception)


def test_a_discordance_that_the_rates_do_not_allow_is_said(folder: Path) -> None:
    rates = ("--sensitivity", "0.5", "--specificity", "0.5", "--discordance")
    fits = typed(str(folder), "--feature", "tonic", *QUICK, *rates, "0.5")
    told = typed(str(folder), "--feature", "tonic", *QUICK, *rates, "0.9")
    assert "do not allow" not in " ".join(fits.output.split())
    assert "(as given: 90%, which these rates do not allow)" in " ".join(told.output.split())


def test_a_folder_that_is_neither_set_nor_run_is_named(tmp_path: Path) -> None:
    refused = typed(str(tmp_path))
    assert "holds neither recordings.csv nor answers" in str(refused.exception)


def test_a_constant_is_no_pilot(folder: Path) -> None:
    refused = typed("always-yes", "--feature", "tonic")
    assert "constant answers cannot be used here" in str(refused.exception)


def test_the_promise_of_a_pilot_has_a_range_and_rates_without_a_pilot_have_none(
    folder: Path, tmp_path: Path
) -> None:
    told = typed(str(folder), *QUICK, "--feature", "tonic")
    assert "No pilot stands behind these rates" in " ".join(told.output.split())
    rng = np.random.default_rng(0)
    truths = rng.random(90) < 0.5
    rows = []
    for i, truth in enumerate(truths):
        place = {"video_id": f"v{i:02d}", "patient_id": f"p{i // 3:02d}", "truth": "yes" if truth else "no"}
        for model, skill in (("a", 0.6), ("b", 0.8)):
            answer = "yes" if truth == (rng.random() < skill) else "no"
            rows.append({**dict.fromkeys(COLUMNS, ""), **place, "model": model, "answer": answer})
    table = pd.DataFrame(rows)[list(COLUMNS)].assign(
        task="feature", feature="tonic", enhancement="none", prompt_id="s3"
    )
    table.to_csv(tmp_path / "answers.csv", index=False)
    sides = (f"{tmp_path / 'answers.csv'}::a", "--second", f"{tmp_path / 'answers.csv'}::b")
    plans = {}
    for redraws in (8, 0):
        out = tmp_path / f"{redraws}.json"
        told = typed(*sides, *QUICK, "--feature", "tonic", "--redraws", str(redraws), "--out", str(out))
        assert told.exit_code == 0, told.output
        (plans[redraws],) = json.loads(out.read_text(encoding="utf-8"))
    reach = plans[8]["reach"]
    assert 0 <= reach["low"] <= reach["high"] <= 1
    assert reach["redraws"] + reach["impossible"] == 8
    assert reach["n_patients"] == plans[8]["result"]["needed"]
    assert "pilots redrawn by patient" in plans[8]["assumptions"][-1]
    assert plans[0]["reach"] is None
    assert plans[0]["result"] == plans[8]["result"]
    assert "was not looked at" in plans[0]["assumptions"][-1]
