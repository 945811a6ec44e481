"""A run that cannot work is stopped before a model is loaded, with a sentence that helps."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from semiology import preflight
from semiology.features import FEATURES

INDEX = {
    "semiology": {
        "type": "group",
        "yaml_path": str(Path(preflight.__file__).parent / "tasks" / "semiology.yaml"),
    },
    "mmmu_val": {"type": "task"},
    **{f"semiology_{feature}": {"type": "task"} for feature in FEATURES},
}


def test_other_peoples_tasks_are_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SEMIOLOGY_DATA", raising=False)
    monkeypatch.setattr(sys, "argv", ["lmms_eval", "--model", "qwen2_5_vl", "--tasks", "mmmu_val"])
    assert preflight.check_command_line(dict(INDEX), "qwen2_5_vl") == INDEX


@pytest.mark.parametrize("arguments", [["--tasks", "semiology_*"], ["--tasks=semiology"]])
def test_a_missing_recording_set_ends_the_run_with_status_2(
    arguments: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("SEMIOLOGY_DATA", raising=False)
    monkeypatch.setattr(sys, "argv", ["lmms_eval", "--model", "qwen2_5_vl", *arguments])
    with pytest.raises(SystemExit) as stopped:
        preflight.check_command_line(dict(INDEX), "qwen2_5_vl")
    assert stopped.value.code == 2
    assert "SEMIOLOGY_DATA" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("model", "model_args"),
    [
        ("openai", ""),
        ("openai", "base_url=http://10.0.0.7:8000/v1"),
        ("async_openai", "base_url=http://127.evil.example/v1"),
        ("litellm", "api_base=http://localhost.example.org"),
        ("gemini", "base_url=http://127.0.0.1:8000"),
    ],
)
def test_patient_video_is_not_sent_to_another_machine(
    model: str, model_args: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in (preflight.ALLOW_REMOTE_VARIABLE, *preflight.ADDRESS_VARIABLES):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(preflight.PreflightError, match="SEMIOLOGY_ALLOW_REMOTE"):
        preflight.check_address(model, model_args)


@pytest.mark.parametrize("address", ["http://127.0.0.1:8000/v1", "http://localhost:1/v1", "http://[::1]:9"])
def test_a_server_on_this_machine_is_allowed(address: str) -> None:
    preflight.check_address("openai", f"model_version=x,base_url={address}")


def test_a_remote_server_is_allowed_only_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(preflight.ALLOW_REMOTE_VARIABLE, "1")
    preflight.check_address("openai", "base_url=http://10.0.0.7:8000/v1")


def test_a_model_that_only_hears_is_not_asked_about_pictures() -> None:
    with pytest.raises(preflight.PreflightError, match="semiology_ictal_vocalization"):
        preflight.check_senses(("semiology_tonic",), "audio_flamingo_3")
    preflight.check_senses(("semiology_ictal_vocalization",), "audio_flamingo_3")


def test_features_that_nobody_annotated_leave_the_index_and_the_group(small_set: Path) -> None:
    table = small_set / "annotations.csv"
    table.write_text("".join(line for line in table.open() if ",tonic," not in line))
    index = preflight.check_run(dict(INDEX), ("semiology_tonic", "semiology_clonic"), "qwen2_5_vl", "")
    assert "semiology_tonic" not in index
    assert "semiology_clonic" in index
    group = Path(index["semiology"]["yaml_path"]).read_text()
    assert "semiology_tonic" not in group
    assert "semiology_clonic" in group


def test_asking_only_for_what_nobody_annotated_is_an_error(small_set: Path) -> None:
    table = small_set / "annotations.csv"
    table.write_text("".join(line for line in table.open() if ",tonic," not in line))
    with pytest.raises(preflight.PreflightError, match="semiology_tonic"):
        preflight.check_run(dict(INDEX), ("semiology_tonic",), "qwen2_5_vl", "")


def test_an_unreadable_video_is_left_out_and_told(small_set: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (small_set / "videos" / "B1.mp4").write_bytes(b"not a film")
    told: list[str] = []
    monkeypatch.setattr(preflight, "_warn", told.append)
    preflight.check_run(dict(INDEX), ("semiology_tonic",), "qwen2_5_vl", "")
    assert any("B1" in message for message in told)


@pytest.mark.parametrize(
    ("model", "model_args", "window"),
    [
        ("qwen3_vl", "", "qwen3"),
        ("vllm", "model=Qwen/Qwen3-VL-8B-Instruct", "qwen3"),
        ("qwen2_5_vl", "", "standard"),
    ],
)
def test_the_window_is_the_published_one_of_the_model(
    model: str, model_args: str, window: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SEMIOLOGY_WINDOW", "")
    monkeypatch.delenv("SEMIOLOGY_WINDOW")
    preflight.choose_window(model, model_args)
    assert os.environ["SEMIOLOGY_WINDOW"] == window
