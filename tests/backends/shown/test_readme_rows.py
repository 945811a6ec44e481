"""Every row of the table of models, word for word but for the checkpoint, the device and the server's address."""

from __future__ import annotations

import importlib.util
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from miniatures import BUILDERS
from recording_server import ModelServer, serving

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[3]
ROWS = {
    row.group("model"): (row.group("class"), row.group("arguments"))
    for row in re.finditer(
        r"^\| (?P<model>[^|]+?) \| `(?P<class>\w+)` `(?P<arguments>[^`]+)`",
        (ROOT / "docs" / "models" / "models.md").read_text(),
        re.M,
    )
}
ARCHITECTURES = {
    "Qwen/Qwen2.5-VL-7B-Instruct": "qwen2_5_vl",
    "Qwen/Qwen3-VL-8B-Instruct": "qwen3_vl",
    "OpenGVLab/InternVL3_5-8B-HF": "internvl",
    "Qwen/Qwen2.5-Omni-7B": "qwen2_5_omni",
    "Qwen/Qwen3-Omni-30B-A3B-Instruct": "qwen3_omni",
}
DEVICE = {"semiology_hf": "device=cpu,dtype=float32", "qwen2_5_vl": "device=cpu,device_map=cpu"}
DEVICE["qwen3_vl"] = DEVICE["qwen2_5_vl"]


def miniature(name: str, folder: Path) -> Path:
    """Save a miniature checkpoint under the published name's last part, with room for a whole segment."""
    model, processor = BUILDERS[ARCHITECTURES[name]]()
    model.config.get_text_config().max_position_embeddings = 65536
    target = folder / name.rpartition("/")[2]
    model.save_pretrained(target)
    processor.save_pretrained(target)
    return target


def semiology(arguments: list[str], **environment: str) -> subprocess.CompletedProcess[str]:
    command = [str(Path(sys.executable).with_name("semiology")), "run", *arguments]
    return subprocess.run(
        command, capture_output=True, text=True, env={**os.environ, **environment}, timeout=900, check=False
    )


def answers(out: Path) -> list[str]:
    return [
        str(json.loads(line)["filtered_resps"])
        for path in out.rglob("*_samples_*.jsonl")
        for line in path.open(encoding="utf-8")
    ]


def test_the_table_is_read() -> None:
    assert len(ROWS) >= 10
    named = {
        value for _, arguments in ROWS.values() for value in re.findall(r"pretrained=([^,]+)", arguments)
    }
    assert set(ARCHITECTURES) <= named


@pytest.mark.parametrize(
    "row", [row for row, (_, given) in ROWS.items() if any(name in given for name in ARCHITECTURES)]
)
def test_a_row_with_a_checkpoint_runs(row: str, simulated_set: Path, tmp_path: Path) -> None:
    model, arguments = ROWS[row]
    if model == "vllm" and importlib.util.find_spec("vllm") is None:
        pytest.skip("vLLM is not installed beside the package; what the class hands it is compared elsewhere")
    name = next(name for name in ARCHITECTURES if name in arguments)
    typed = f"{arguments.replace(name, str(miniature(name, tmp_path)))},{DEVICE[model]}"
    ran = semiology(
        [
            "--model",
            model,
            "--model-args",
            typed,
            "--data",
            str(simulated_set),
            "--limit",
            "1",
            "--tasks",
            "semiology_tonic,semiology_ictal_vocalization",
            "--out",
            str(tmp_path / "runs"),
        ],
        SEMIOLOGY_CACHE=str(tmp_path / "cache"),
        SEMIOLOGY_SOUND="array" if "Omni" in name else "",
    )
    assert ran.returncode == 0, ran.stderr[-3000:]
    assert len(answers(tmp_path / "runs")) == 2
    assert "shows at most" not in ran.stderr
    assert "never compared" not in ran.stderr


@pytest.mark.parametrize("row", [row for row, (_, given) in ROWS.items() if "127.0.0.1:8000" in given])
def test_a_row_with_a_server_runs(row: str, simulated_set: Path, tmp_path: Path) -> None:
    model, arguments = ROWS[row]
    with serving(ModelServer()) as server:
        address = re.sub(r"^https?://|/v1/?$", "", server.address)
        ran = semiology(
            [
                "--model",
                model,
                "--model-args",
                arguments.replace("127.0.0.1:8000", address),
                "--data",
                str(simulated_set),
                "--limit",
                "1",
                "--tasks",
                "semiology_tonic",
                "--out",
                str(tmp_path / "runs"),
            ],
            SEMIOLOGY_CACHE=str(tmp_path / "cache"),
        )
    assert ran.returncode == 0, ran.stderr[-3000:]
    assert len(answers(tmp_path / "runs")) == 1
    assert len(server.asked) == 1


@pytest.mark.skipif(torch.cuda.is_available(), reason="with a CUDA device the row loads 8 billion weights")
def test_the_row_of_a_class_that_needs_cuda_says_so(simulated_set: Path, tmp_path: Path) -> None:
    (row,) = (row for row, (model, _) in ROWS.items() if model == "audio_flamingo_3")
    ran = semiology(
        [
            "--model",
            "audio_flamingo_3",
            "--model-args",
            ROWS[row][1],
            "--data",
            str(simulated_set),
            "--tasks",
            "semiology_ictal_vocalization",
            "--out",
            str(tmp_path / "runs"),
        ],
        SEMIOLOGY_CACHE=str(tmp_path / "cache"),
    )
    assert ran.returncode == 2
    assert "CUDA" in ran.stderr


@pytest.mark.parametrize("model", ["embedded", "embedded_audio"])
def test_the_embedded_rows_run(model: str, simulated_set: Path, tmp_path: Path) -> None:
    task = "semiology_tonic" if model == "embedded" else "semiology_ictal_vocalization"
    ran = semiology(
        [
            "--model",
            model,
            "--data",
            str(simulated_set),
            "--limit",
            "1",
            "--tasks",
            task,
            "--out",
            str(tmp_path / "runs"),
        ],
        SEMIOLOGY_CACHE=str(tmp_path / "cache"),
    )
    assert ran.returncode == 0, ran.stderr[-3000:]
