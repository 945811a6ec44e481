"""A run that cannot work is stopped before a model is loaded, with a sentence that helps."""

from __future__ import annotations

import os
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from semiology.features import FEATURES
from semiology.harness import preflight
from semiology.tasks.generated import generated_folder


def run_of(tasks: list[str], model: str = "qwen2_5_vl", model_args: str = "") -> dict[str, Any]:
    return {"model": model, "model_args": model_args, "tasks": list(tasks)}


def test_other_peoples_tasks_are_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SEMIOLOGY_DATA", raising=False)
    arguments = run_of(["mmmu_val"], model="gemini")
    preflight.prepare_run(arguments)
    assert arguments == run_of(["mmmu_val"], model="gemini")


@pytest.mark.parametrize("task", ["semiology_tonic", "semiology"])
def test_a_missing_recording_set_is_told(task: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SEMIOLOGY_DATA", raising=False)
    with pytest.raises(ValueError, match="SEMIOLOGY_DATA"):
        preflight.prepare_run(run_of([task]))


def test_a_model_that_only_hears_is_not_asked_about_pictures() -> None:
    with pytest.raises(preflight.PreflightError, match="semiology_ictal_vocalization"):
        preflight.check_senses(("tonic",), "audio_flamingo_3")
    preflight.check_senses(("ictal_vocalization",), "audio_flamingo_3")


def without_feature(folder: Path, feature: str) -> None:
    table = folder / "annotations.csv"
    table.write_text("".join(line for line in table.open() if f",{feature}," not in line))


def test_a_feature_that_nobody_annotated_is_not_asked(small_set: Path) -> None:
    without_feature(small_set, "tonic")
    arguments = run_of(["semiology_tonic", "semiology_clonic"])
    preflight.prepare_run(arguments)
    assert arguments["tasks"] == ["semiology_clonic"]


def test_what_a_bare_run_writes_is_for_its_owner_alone(small_set: Path, tmp_path: Path) -> None:
    before = os.umask(0o022)
    try:
        preflight.prepare_run(run_of(["semiology_clonic"]))
        (tmp_path / "results").mkdir()
        (tmp_path / "results" / "samples.jsonl").write_text("{}")
    finally:
        os.umask(before)
    assert (tmp_path / "results").stat().st_mode & 0o777 == 0o700
    assert (tmp_path / "results" / "samples.jsonl").stat().st_mode & 0o777 == 0o600


def test_the_group_is_asked_without_a_feature_that_nobody_annotated(small_set: Path) -> None:
    without_feature(small_set, "tonic")
    manager = SimpleNamespace(
        task_index={"semiology": {"type": "group", "yaml_path": str(generated_folder() / "semiology.yaml")}}
    )
    preflight.prepare_run({**run_of(["semiology"]), "task_manager": manager})
    group = Path(manager.task_index["semiology"]["yaml_path"]).read_text()
    assert "semiology_tonic" not in group
    assert "semiology_clonic" in group


def test_asking_only_for_what_nobody_annotated_is_an_error(small_set: Path) -> None:
    without_feature(small_set, "tonic")
    with pytest.raises(preflight.PreflightError, match="tonic"):
        preflight.prepare_run(run_of(["semiology_tonic"]))


def test_an_unreadable_video_is_left_out_and_told(small_set: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (small_set / "videos" / "B1.mp4").write_bytes(b"not a film")
    told: list[str] = []
    monkeypatch.setattr(preflight, "_warn", told.append)
    preflight.prepare_run(run_of(["semiology_tonic"]))
    assert any("B1" in message for message in told)


def test_a_wording_that_some_features_lack_is_told_with_the_tasks_that_have_it(
    small_set: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SEMIOLOGY_PROMPT", "s3_context")
    with pytest.raises(ValueError, match=r"clonic.*--tasks .*semiology_tonic"):
        preflight.prepare_run(run_of(["semiology_tonic", "semiology_clonic"]))
    preflight.prepare_run(run_of(["semiology_tonic"]))


def test_the_embc_wording_exists_for_every_feature(small_set: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SEMIOLOGY_PROMPT", "embc")
    preflight.prepare_run(run_of([f"semiology_{feature}" for feature in FEATURES]))


@pytest.mark.parametrize(
    ("model", "model_args", "window"),
    [
        ("qwen3_vl", "", "qwen3"),
        ("vllm", "model=Qwen/Qwen3-VL-8B-Instruct", "qwen3"),
        ("qwen2_5_vl", "", "standard"),
    ],
)
def test_the_window_is_the_published_one_of_the_model(
    model: str, model_args: str, window: str, small_set: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SEMIOLOGY_WINDOW", "")
    monkeypatch.delenv("SEMIOLOGY_WINDOW")
    preflight.prepare_run({**run_of(["semiology_tonic"]), "model": model, "model_args": model_args})
    assert os.environ["SEMIOLOGY_WINDOW"] == window
