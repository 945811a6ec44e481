"""``semiology run`` writes everything it promises, and says so when something is missing."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from semiology import cli
from semiology.harness.preflight import PreflightError
from semiology.harness.run import (
    RunError,
    _result_folder,
    check_names,
    check_replies,
    failed_requests,
    resolve_model,
)

COMMAND = [str(Path(sys.executable).with_name("semiology")), "run", "--model", "semiology_constant"]


def test_a_run_writes_results_its_record_and_the_first_table(
    simulated_set: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As a process of its own, as users start it; the tests below spare themselves its start."""
    monkeypatch.setenv("SEMIOLOGY_CACHE", str(tmp_path / "cache"))
    out = tmp_path / "runs"
    arguments = [
        "--data",
        str(simulated_set),
        "--out",
        str(out),
        "--tasks",
        "semiology_tonic,semiology_clonic",
    ]
    done = subprocess.run([*COMMAND, *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    record = json.loads((out / "semiology_run.json").read_text())
    assert record["exclusions"] == []
    assert record["window"] == "standard"
    assert len(list(out.glob("*_samples_semiology_*.jsonl"))) == 2
    assert "simulated" in (out / "report" / "summary.md").read_text()
    assert (out / "report" / "summary.csv").exists()
    assert done.stdout.splitlines()[-1].startswith("macro F1 (visual")


@pytest.mark.parametrize(
    ("model", "task"), [("embedded", "semiology_tonic"), ("embedded_audio", "semiology_ictal_vocalization")]
)
def test_the_embedded_models_answer_through_lmms_eval(
    model: str, task: str, simulated_set: Path, tmp_path: Path, command_here: Callable[..., Any]
) -> None:
    words = ["run", "--model", model, "--tasks", task, "--out", str(tmp_path), "--data", str(simulated_set)]
    done = command_here(cli.main, "semiology", *words)
    assert done.returncode == 0, done.stderr[-2000:]
    (samples,) = tmp_path.rglob("*_samples_*.jsonl")
    records = [json.loads(line)["semiology"] for line in samples.open()]
    assert len(records) == 4  # two recordings of two windows
    assert {record["answer"] for record in records} <= {"yes", "no"}
    report = next(tmp_path.rglob("summary.md")).read_text()
    assert "simulated" in report
    assert "small embedded model" in report


def test_a_recording_set_with_faults_is_refused_before_the_model(
    simulated_set: Path, tmp_path: Path, command_here: Callable[..., Any]
) -> None:
    broken = tmp_path / "broken"
    broken.mkdir()
    for name in ("recordings.csv", "annotations.csv", "dataset.yaml"):
        (broken / name).write_text((simulated_set / name).read_text())
    words = ["run", "--model", "semiology_constant", "--data", str(broken), "--out", str(tmp_path / "runs")]
    done = command_here(cli.main, "semiology", *words)
    assert done.returncode == 2
    assert "recordings.csv:2" in done.stderr
    assert not (tmp_path / "runs").exists()


def test_a_run_that_a_launcher_starts_several_times_is_refused(
    simulated_set: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command_here: Callable[..., Any]
) -> None:
    monkeypatch.setenv("WORLD_SIZE", "2")
    words = [
        "run",
        "--model",
        "semiology_constant",
        "--data",
        str(simulated_set),
        "--out",
        str(tmp_path / "runs"),
    ]
    done = command_here(cli.main, "semiology", *words)
    assert done.returncode == 2
    assert "torchrun" in done.stderr
    assert not (tmp_path / "runs").exists()


def test_missing_result_files_are_an_error(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="no results file"):
        _result_folder(tmp_path, {"semiology_tonic"}, {})
    (tmp_path / "20260101_000000_results.json").write_text("{}")
    with pytest.raises(RunError, match="semiology_tonic"):
        _result_folder(tmp_path, {"semiology_tonic"}, {})


def test_embedded_stands_for_the_checkpoint_in_the_package() -> None:
    model, arguments = resolve_model("embedded", "batch_size=1")
    assert model == "semiology_hf"
    assert "device=cpu,dtype=float32" in arguments
    assert arguments.endswith(",batch_size=1")
    assert resolve_model("qwen3_vl", "a=b") == ("qwen3_vl", "a=b")
    model, arguments = resolve_model("embedded_audio", "")
    assert model == "semiology_qwen2_audio"
    assert "embedded/checkpoints/hears" in arguments


@pytest.mark.parametrize("wrong", ["pretrained", "a=1,b", "a=1,", "=1"])
def test_arguments_that_are_none_are_told(wrong: str) -> None:
    with pytest.raises(RunError, match="is not of the form key=value → separate"):
        resolve_model("qwen3_vl", wrong)
    for right in ("", "a=", "a=b=c", 'a={"b": 1, "c": 2}', "command='x a, b'"):
        assert resolve_model("qwen3_vl", right) == ("qwen3_vl", right)


def test_requests_without_a_reply_are_counted(tmp_path: Path) -> None:
    (tmp_path / "1_results.json").write_text("{}")
    failed = "[LMMS_EVAL_REQUEST_FAILED: the context is too small]"
    replies = ["Yes.", failed, failed, "[LMMS_EVAL_REQUEST_FAILED after 5 retries] refused"]
    lines = [json.dumps({"filtered_resps": [reply]}) for reply in replies]
    (tmp_path / "1_samples_semiology_tonic.jsonl").write_text("\n".join(lines) + "\n")
    reasons, asked = failed_requests(tmp_path)
    assert (len(reasons), asked) == (3, 4)
    with pytest.raises(
        RunError, match=r"3 of 4 requests got no reply[^\n]*\n2 times: the context is too small\n1 times: .*"
    ):
        check_replies(tmp_path)


@pytest.mark.parametrize(
    ("model", "tasks", "nearest"),
    [("qwen25_vl", "semiology_tonic", "qwen2_5_vl"), ("qwen2_5_vl", "semiology_tonik", "semiology_tonic")],
)
def test_a_misspelt_name_is_told_with_the_nearest(model: str, tasks: str, nearest: str) -> None:
    with pytest.raises(PreflightError, match=f"did you mean '{nearest}'"):
        check_names(model, tasks)
