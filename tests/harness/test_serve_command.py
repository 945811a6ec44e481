"""The printed commands start servers on this machine that show whole windows."""

from __future__ import annotations

import json
import shlex

import pytest
from typer.testing import CliRunner

from semiology.backends.embedded.sees import CHECKPOINT
from semiology.cli import app


def printed(*words: str) -> tuple[list[str], str]:
    done = CliRunner().invoke(app, ["serve-command", *words])
    assert done.exit_code == 0, done.output
    return shlex.split(done.stdout), done.stderr


def value(command: list[str], flag: str) -> str:
    return command[command.index(flag) + 1]


@pytest.mark.parametrize("engine", ["vllm", "sglang", "llama.cpp"])
def test_every_server_listens_to_this_machine_only(engine: str) -> None:
    command, asked = printed(
        "models/Some-VL.gguf", "--engine", engine, "--port", "8123", "--name", "some", "--context", "4096"
    )
    assert value(command, "--host") == "127.0.0.1"
    assert value(command, "--port") == "8123"
    assert "some" in command
    assert "4096" in command
    assert (
        "--model semiology_openai --model-args model=some,base_url=http://127.0.0.1:8123/v1,fps=2 " in asked
    )


def test_vllm_shows_all_frames_at_their_times() -> None:
    command, _ = printed("Qwen/Qwen2.5-VL-7B-Instruct", "--fps", "4")
    assert command[:3] == ["vllm", "serve", "Qwen/Qwen2.5-VL-7B-Instruct"]
    assert json.loads(value(command, "--media-io-kwargs")) == {"video": {"num_frames": -1, "fps": 4}}
    assert {"--trust-request-mm-kwargs", "--enable-prefix-caching"} <= set(command)
    assert value(command, "--served-model-name") == "Qwen2.5-VL-7B-Instruct"


def test_the_embedded_model_is_served_with_the_sizes_that_it_knows() -> None:
    command, asked = printed("embedded")
    assert command[2] == str(CHECKPOINT)
    assert json.loads(value(command, "--mm-processor-kwargs")) == {"min_pixels": 30_000, "max_pixels": 38_000}
    assert value(command, "--dtype") == "float32"
    assert "min_pixels=30000,max_pixels=38000" in asked
