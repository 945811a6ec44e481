"""A run that cannot work is stopped before a model is loaded, with a sentence that helps."""

from __future__ import annotations

import os
import re
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from semiology import preflight
from semiology.features import FEATURES
from semiology.lmms_eval_plugin import task_folder


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


def test_every_class_of_lmms_eval_that_talks_to_a_server_is_known() -> None:
    import lmms_eval.models
    from lmms_eval.models import MODEL_REGISTRY_V2

    network = re.compile(r"OpenAI\(|requests\.post|genai\.|anthropic\.|nim_base_url|litellm\.|dashscope\.")
    folder = Path(lmms_eval.models.__file__).parent
    talking = {path.stem for path in folder.glob("*/*.py") if network.search(path.read_text())}
    names = set()
    for name in MODEL_REGISTRY_V2.list_model_names():
        manifest = MODEL_REGISTRY_V2.get_manifest(name)
        paths = (manifest.chat_class_path, manifest.simple_class_path)
        if any(path and path.rsplit(".", 2)[-2] in talking for path in paths):
            names.add(name)
    assert len(names) >= 10
    assert names <= preflight.SERVER_MODELS | preflight.CLOUD_MODELS


@pytest.mark.parametrize(
    ("model", "model_args"),
    [
        ("openai", ""),
        ("openai", "base_url=http://10.0.0.7:8000/v1"),
        ("async_openai", "base_url=http://127.evil.example/v1"),
        ("litellm", "api_base=http://localhost.example.org"),
        ("gemini", "base_url=http://127.0.0.1:8000"),
        ("openai", "base_url=http://127.0.0.1:9/v1,base_url=http://192.0.2.1:9/v1"),
        ("openai", "base_url=http://192.0.2.1:9/v1,base_url=http://127.0.0.1:9/v1"),
        ("srt_api", "host=192.0.2.1"),
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


def test_the_group_is_asked_without_a_feature_that_nobody_annotated(small_set: Path) -> None:
    without_feature(small_set, "tonic")
    manager = SimpleNamespace(
        task_index={"semiology": {"type": "group", "yaml_path": str(task_folder() / "semiology.yaml")}}
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
    model: str, model_args: str, window: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SEMIOLOGY_WINDOW", "")
    monkeypatch.delenv("SEMIOLOGY_WINDOW")
    preflight.choose_window(model, model_args)
    assert os.environ["SEMIOLOGY_WINDOW"] == window
