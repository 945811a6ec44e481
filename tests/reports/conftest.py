from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parent))  # lets tests import `s3_examples`

WriteRun = Callable[..., Path]

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """Headless Chromium for the tests of one file; the test skips where there is none.

    Playwright keeps an event loop running while it lasts, in which no other file could run its own.
    """
    sync_api = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed")
    if CHROMIUM is None:
        pytest.skip("no Chromium on this machine: apt-get install chromium")
    with sync_api.sync_playwright() as playwright:
        made = playwright.chromium.launch(executable_path=CHROMIUM, args=list(FLAGS))
        yield made
        made.close()


def make_sample(
    feature: str, video: int, segment: int, answer: str, truth: str, **more: Any
) -> dict[str, Any]:
    """A semiology record as the tasks write it; two recordings per patient."""
    record = {
        "feature": feature,
        "enhancement": "none",
        "prompt_id": "s3",
        "prompt_hash": "ab" * 32,
        "video_id": f"v{video:03d}",
        "patient_id": f"p{video // 2:03d}",
        "segment": segment,
        "start_s": segment * 25.0,
        "end_s": segment * 25.0 + 30,
        "truth": truth,
        "answer": answer,
        "raw": answer,
        "justification": None,
    }
    return record | more


def make_records(
    feature: str, videos: int = 60, seed: int = 0, skill: float = 0.8, **more: Any
) -> list[dict[str, Any]]:
    rng = np.random.default_rng(seed)
    made = []
    for video in range(videos):
        truth = "yes" if rng.random() < 0.4 else "no"
        for segment in range(2):
            answer = truth if rng.random() < skill else str(rng.choice(["yes", "no", "unparsed"]))
            made.append(make_sample(feature, video, segment, answer, truth, **more))
    return made


@pytest.fixture
def write_run(tmp_path: Path) -> WriteRun:
    """Writer of a result folder in the form of lmms-eval 0.7.3; returns the folder."""

    def write(
        rows: Sequence[dict[str, Any]],
        *,
        folder: str = "run",
        model: str = "Qwen/Qwen2.5-VL-7B",
        stamp: str = "20260101_120000",
        configs: Sequence[str] | None = None,
        record: dict[str, Any] | None = None,
        results: bool = True,
    ) -> Path:
        root = tmp_path / folder
        inner = root / model.replace("/", "__")
        inner.mkdir(parents=True, exist_ok=True)
        tasks = sorted({f"semiology_{row['feature']}" for row in rows})
        for task in tasks:
            mine = [row for row in rows if f"semiology_{row['feature']}" == task]
            lines = [
                json.dumps(
                    {"doc_id": i, "target": row["truth"], "filtered_resps": row["raw"], "semiology": row}
                )
                for i, row in enumerate(mine)
            ]
            (inner / f"{stamp}_samples_{task}.jsonl").write_text("\n".join(lines) + "\n")
        if results:
            content = {
                "results": {task: {"f1,none": 0.5} for task in tasks},
                "configs": {task: {"task": task} for task in (configs if configs is not None else tasks)},
                "n-samples": {
                    task: {"effective": sum(f"semiology_{row['feature']}" == task for row in rows)}
                    for task in tasks
                },
                "config": {"model": "qwen2_5_vl", "model_args": f"pretrained={model},device=cpu"},
                "model_name": model,
            }
            (inner / f"{stamp}_results.json").write_text(json.dumps(content))
        if record is not None:
            (root / "semiology_run.json").write_text(json.dumps(record))
        return root

    return write


@pytest.fixture
def sample() -> Callable[..., dict[str, Any]]:
    return make_sample


@pytest.fixture
def records() -> Callable[..., list[dict[str, Any]]]:
    return make_records
