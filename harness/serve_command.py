"""``semiology serve-command``: how to start a server that ``semiology_openai`` can show whole windows."""

from __future__ import annotations

import json
import shlex
from enum import Enum
from pathlib import Path
from typing import Annotated

import typer

from semiology.render.help import examples

SERVE_COMMAND_EPILOG = examples(
    "semiology serve-command Qwen/Qwen2.5-VL-7B-Instruct",
    "semiology serve-command checkpoints/qwen --engine sglang --port 30000",
    "semiology serve-command embedded --context 8192",
)
MOST_IMAGES = 256
"""Pictures per request where windows are sent as pictures; vLLM keeps no memory ready for them."""


class Engine(str, Enum):
    """Servers whose flags are known."""

    VLLM = "vllm"
    SGLANG = "sglang"
    LLAMA_CPP = "llama.cpp"


def serve_command(
    model: Annotated[
        str, typer.Argument(help="Checkpoint: folder or hub name; 'embedded' for the one in this package.")
    ],
    engine: Annotated[Engine, typer.Option(help="What serves it.")] = Engine.VLLM,
    name: Annotated[
        str, typer.Option(help="Name under which it is served; by default the checkpoint's.")
    ] = "",
    port: Annotated[int, typer.Option(help="Port on this machine.", min=1, max=65535)] = 8000,
    fps: Annotated[float, typer.Option(help="Frames per second that will be shown.", min=0.01)] = 2.0,
    context: Annotated[
        int | None, typer.Option(help="Context in tokens; by default the checkpoint's.", min=256)
    ] = None,
) -> None:
    """Print the command that starts a server for semiology_openai, and the one that asks it."""
    from semiology.backends.embedded import sees

    arguments = {"base_url": f"http://127.0.0.1:{port}/v1", "fps": f"{fps:g}"}
    pixels = {}
    if model == "embedded":
        pixels = {"min_pixels": sees.MIN_PIXELS, "max_pixels": sees.MAX_PIXELS}
        arguments |= {key: str(value) for key, value in pixels.items()}
    checkpoint = str(sees.CHECKPOINT) if model == "embedded" else model
    known_as = name or (model if model == "embedded" else Path(model).name)
    command = COMMANDS[engine](checkpoint, known_as, port, fps, context, pixels)
    if model == "embedded" and engine is Engine.VLLM:
        command += ["--dtype", "float32"]
    given = ",".join(f"{key}={value}" for key, value in arguments.items())
    typer.echo(shlex.join(command))
    typer.echo(
        f"semiology run --model semiology_openai --model-args model={known_as},{given} --data DIR --out runs",
        err=True,
    )


def vllm_command(
    checkpoint: str, name: str, port: int, fps: float, context: int | None, pixels: dict[str, int]
) -> list[str]:
    """Return vLLM's command.

    ``--media-io-kwargs`` lets it show all frames of a window (32 else), ``--trust-request-mm-kwargs`` lets each
    request tell the times of its frames: a server of this machine has no other clients.
    """
    command = [
        "vllm",
        "serve",
        checkpoint,
        "--host",
        "127.0.0.1",
        "--port",
        str(port),
        "--served-model-name",
        name,
    ]
    command += ["--enable-prefix-caching", "--enable-prompt-tokens-details", "--trust-request-mm-kwargs"]
    command += ["--limit-mm-per-prompt", json.dumps({"video": 1, "image": MOST_IMAGES})]
    command += ["--media-io-kwargs", json.dumps({"video": {"num_frames": -1, "fps": fps}})]
    command += ["--max-model-len", str(context)] if context else []
    return command + (["--mm-processor-kwargs", json.dumps(pixels)] if pixels else [])


def sglang_command(
    checkpoint: str, name: str, port: int, fps: float, context: int | None, pixels: dict[str, int]
) -> list[str]:
    """Return SGLang's command; windows are sent to it as pictures."""
    del fps, pixels
    command = ["python", "-m", "sglang.launch_server", "--model-path", checkpoint, "--host", "127.0.0.1"]
    command += ["--port", str(port), "--served-model-name", name, "--enable-cache-report", "--enable-metrics"]
    return command + (["--context-length", str(context)] if context else [])


def llama_cpp_command(
    checkpoint: str, name: str, port: int, fps: float, context: int | None, pixels: dict[str, int]
) -> list[str]:
    """Return llama.cpp's command; windows are sent to it as pictures. The projector lies beside the model."""
    del fps, pixels
    projector = str(Path(checkpoint).with_name("mmproj-" + Path(checkpoint).name))
    command = ["llama-server", "--model", checkpoint, "--mmproj", projector, "--host", "127.0.0.1"]
    return [*command, "--port", str(port), "--alias", name, "--ctx-size", str(context or 0)]


COMMANDS = {
    Engine.VLLM: vllm_command,
    Engine.SGLANG: sglang_command,
    Engine.LLAMA_CPP: llama_cpp_command,
}
