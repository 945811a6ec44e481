"""semiology power as typed: what it refuses, and what one feature costs the others."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from semiology.cli import app

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
