"""Misspelt names end a command at once, with the nearest name, before torch is imported."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from semiology.harness.class_source import OWN_CLASSES, arguments_of, known_classes
from semiology.harness.preflight import PreflightError
from semiology.harness.typos import check_model, check_window


def test_the_classes_are_those_of_lmms_eval() -> None:
    """The names that are read from the source are those that the registry tells once torch is imported."""
    from lmms_eval.models import MODEL_REGISTRY_V2

    classes, more = known_classes()
    assert set(classes) == set(MODEL_REGISTRY_V2.list_model_names())
    assert not more
    for name, path in OWN_CLASSES.items():
        assert MODEL_REGISTRY_V2.resolve(name).class_path == path
    for name in ("qwen2_5_vl", "qwen3_vl", "internvl_hf", "qwen2_5_omni", "vllm", "openai"):
        assert MODEL_REGISTRY_V2.resolve(name).class_path == classes[name]


def test_arguments_are_those_of_the_class() -> None:
    import inspect

    from semiology.backends.semiology_hf import SemiologyHF

    told = arguments_of(OWN_CLASSES["semiology_hf"])
    assert told is not None
    assert set(told.names) == set(inspect.signature(SemiologyHF.__init__).parameters) - {"self"}
    assert not told.open
    handed_on = arguments_of(known_classes()[0]["vllm"])
    assert handed_on is not None
    assert handed_on.open


@pytest.mark.parametrize(
    ("model", "arguments", "nearest"),
    [
        ("qwen25_vl", "", "qwen2_5_vl"),
        ("embeded", "", "embedded"),
        ("qwen2_5_vl", "pretraned=Qwen/Qwen2.5-VL-3B-Instruct", "pretrained"),
        ("vllm", "modle=Qwen/Qwen2.5-VL-3B-Instruct", "model"),
        ("internvl_hf", "num_frame=60", "num_frames"),
        ("semiology_openai", "base_ur=http://127.0.0.1:8000/v1", "base_url"),
    ],
)
def test_the_nearest_name_is_told(model: str, arguments: str, nearest: str) -> None:
    with pytest.raises(PreflightError, match=f"did you mean '{nearest}'"):
        check_model(model, arguments)


@pytest.mark.parametrize(
    ("model", "arguments"),
    [
        (
            "vllm",
            "model=Qwen/Qwen2.5-VL-7B-Instruct,fps=2,max_frame_num=60,max_model_len=9000,enforce_eager=True",
        ),
        ("qwen3_omni", "pretrained=Qwen/Qwen3-Omni-30B-A3B-Instruct,max_num_frames=120"),
        (
            "openai",
            "model_version=NAME,base_url=http://127.0.0.1:8000/v1,api_key=none,video_fps=2,timeout=600",
        ),
        ("semiology_openai", "model=/models/served/elsewhere,base_url=http://127.0.0.1:8000/v1"),
        ("semiology_jsonl", "command='python a.py, b'"),
        ("audio_flamingo_3", "pretrained=nvidia/audio-flamingo-3-hf"),
    ],
)
def test_what_a_class_takes_passes(model: str, arguments: str) -> None:
    check_model(model, arguments)


def test_a_checkpoint_that_is_not_there_is_told(tmp_path: Path) -> None:
    (tmp_path / "weights").mkdir()
    check_model("semiology_hf", f"pretrained={tmp_path / 'weights'}")
    with pytest.raises(PreflightError, match="holds no 'wieghts'; did you mean 'weights'"):
        check_model("semiology_hf", f"pretrained={tmp_path / 'wieghts' / 'a'}")


def test_a_window_that_is_not_known_is_told() -> None:
    check_window(None)
    check_window("qwen3")
    with pytest.raises(PreflightError, match="did you mean 'standard'"):
        check_window("standart")


@pytest.mark.parametrize(
    "options",
    [
        ["--model", "embeded"],
        ["--model", "embedded", "--tasks", "semiology_tonik"],
        ["--model", "embedded", "--window", "standart"],
        ["--model", "semiology_hf", "--model-args", "pretrained=/no/such/folder"],
        ["--model", "semiology_hf", "--model-args", "pretraned=x/y"],
    ],
)
def test_torch_is_not_imported_first(options: list[str], tmp_path: Path) -> None:
    program = (
        "import sys; from semiology.cli import app\n"
        "try: app(sys.argv[1:], standalone_mode=False)\n"
        "except ValueError as error: print(error, 'torch' in sys.modules, 'lmms_eval.models' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, "run", *options, "--data", str(tmp_path), "--out", str(tmp_path / "out")],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert done.stdout.strip().endswith("False False"), done.stdout + done.stderr
