"""``semiology enhance`` as a user types it."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest
from honest_steps import Negative, Softer
from typer.testing import CliRunner

from semiology.cli import app
from semiology.enhancements.command_options import Choices, limit_db
from semiology.enhancements.pipeline.manifest import read_manifest
from semiology.enhancements.registry import EnhancementError, build_steps
from semiology.enhancements.sound.denoise import Denoise
from semiology.enhancements.speech.transcribe import Transcribe

RUNNER = CliRunner()


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SEMIOLOGY_CACHE", str(tmp_path / "cache"))


@pytest.fixture
def small_steps(monkeypatch: pytest.MonkeyPatch) -> list[Choices]:
    """Lets the command drive `honest_steps`; returns the choices that it understood."""
    given: list[Choices] = []

    def build(names: tuple[str, ...], choices: Choices) -> list[object]:
        given.append(choices)
        return [{"pose": Negative(), "denoise": Softer(raises_for="P002_V01")}[name] for name in names]

    monkeypatch.setattr("semiology.enhancements.commands.build_steps", build)
    return given


@pytest.mark.usefixtures("small_steps")
def test_the_short_form_makes_shows_and_clears(simulated_set: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    done = RUNNER.invoke(app, ["enhance", str(simulated_set), "--with", "pose", "--out", str(out)])
    assert done.exit_code == 0, done.output
    assert "semiology run --tasks pose_semiology" in done.output
    assert f"SEMIOLOGY_ENHANCED={out}" in done.output
    assert {row.status for row in read_manifest(out).values()} == {"done"}
    used = RUNNER.invoke(app, ["enhance", "cache", "--folder", str(out)])
    assert "2 files" in used.output
    cleared = RUNNER.invoke(app, ["enhance", "cache", "--folder", str(out), "--clear", "--with", "pose"])
    assert "freed" in cleared.output
    assert not list(out.rglob("*.mp4"))


@pytest.mark.usefixtures("small_steps")
def test_a_failure_is_exit_status_1_and_json_says_which(simulated_set: Path, tmp_path: Path) -> None:
    arguments = ["enhance", str(simulated_set), "--with", "denoise", "--json", "--out", str(tmp_path)]
    done = RUNNER.invoke(app, arguments)
    assert done.exit_code == 1
    (told,) = json.loads(done.output)["enhancements"]
    assert (told["done"], told["failed"]) == (1, 1)
    assert told["sentences"][0]["status"] == "failed"


def test_choices_reach_the_steps(simulated_set: Path, tmp_path: Path, small_steps: list[Choices]) -> None:
    arguments = ["enhance", str(simulated_set), "--with", "pose", "--bed", "0.1,0.2,0.5,0.6"]
    arguments += ["--pose-size", "640x480", "--recording", "P001_V01", "--out", str(tmp_path)]
    assert RUNNER.invoke(app, arguments).exit_code == 0
    assert small_steps == [Choices(pose_size=(640, 480), bed=(0.1, 0.2, 0.5, 0.6))]


def test_choices_about_sound_reach_the_steps(
    simulated_set: Path, tmp_path: Path, small_steps: list[Choices]
) -> None:
    typed = ["--attenuation-limit", "none", "--whisper", "large-v3", "--whisper-download"]
    typed += ["--whisper-compute-type", "int8"]
    arguments = ["enhance", "preview", str(simulated_set), "--with", "pose", *typed]
    done = RUNNER.invoke(app, [*arguments, "--out", str(tmp_path / "look.png"), "--stills", "1"])
    assert done.exit_code == 0, done.output
    (choices,) = small_steps
    assert choices == Choices(
        attenuation_limit_db=math.inf, whisper="large-v3", whisper_download=True, whisper_compute_type="int8"
    )
    denoise, transcript = build_steps(["denoise", "transcript"], choices)
    assert denoise == Denoise(attenuation_limit_db=None)
    assert transcript == Transcribe(model="large-v3", compute_type="int8", download=True, device="cpu")


def test_a_default_that_is_typed_is_the_default() -> None:
    (plain,) = build_steps(["denoise"], Choices())
    (typed,) = build_steps(["denoise"], Choices(attenuation_limit_db=limit_db("18")))
    assert json.dumps(typed.parameters()) == json.dumps(plain.parameters())


@pytest.mark.parametrize(
    "arguments",
    [
        ["--with", "pose", "--bed", "0.1,x"],
        ["--with", "denoise", "--attenuation-limit", "0"],
        ["--with", "denoise", "--attenuation-limit", "much"],
        ["--with", "denoise", "--attenuation-limit", "nan"],
        ["--with", "transcript", "--whisper-compute-type", "int3"],
        ["--with", "pose", "--pose-size", "640"],
        ["--keypoints", "magic"],
        [],
    ],
)
def test_what_is_not_understood_is_exit_status_2(arguments: list[str], simulated_set: Path) -> None:
    assert RUNNER.invoke(app, ["enhance", str(simulated_set), *arguments]).exit_code == 2


def test_contradictory_choices_are_told() -> None:
    with pytest.raises(EnhancementError, match="--keypoints live"):
        build_steps(["pose"], Choices(pose_mode="balanced"))
    with pytest.raises(EnhancementError, match="--pose-size"):
        build_steps(["crop"], Choices(keypoints="live", pose_size=(640, 480)))
    with pytest.raises(EnhancementError, match="--attenuation-limit"):
        build_steps(
            ["denoise"], Choices(denoiser="segan", segan_checkpoint=Path("x"), attenuation_limit_db=6)
        )
    with pytest.raises(EnhancementError, match="--whisper-download fetches"):
        build_steps(["transcript"], Choices(whisper_download=True))
    with pytest.raises(EnhancementError, match="checkpoint"):
        build_steps(["denoise"], Choices(denoiser="segan"))


def test_the_steps_of_the_package_can_travel_and_be_told_apart() -> None:
    import pickle

    names = ("pose", "crop", "denoise", "transcript")
    steps = build_steps(names, Choices())
    assert tuple(step.name for step in steps) == names
    assert [step.suffix for step in steps] == [".mp4", ".mp4", ".wav", ".json"]
    assert [pickle.loads(pickle.dumps(step)).parameters() for step in steps] == [
        step.parameters() for step in steps
    ]
    assert all(json.dumps(step.parameters()) and step.version for step in steps)
