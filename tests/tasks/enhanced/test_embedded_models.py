"""Skeletons and cleaned sound of simulated patients, asked of the embedded models beside the plain media."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from semiology.data.simulated import simulate
from semiology.enhancements.command_options import Choices
from semiology.enhancements.enhance import enhance
from semiology.enhancements.registry import build_steps
from semiology.harness.options import RunOptions
from semiology.harness.run import EMBEDDED, EMBEDDED_AUDIO, run

SIDES = ("prompt_id", "prompt_hash", "video_id", "segment", "start_s", "truth")


@pytest.fixture(scope="module")
def posed_set(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two simulated recordings with keypoints as OpenPose writes them."""
    folder = tmp_path_factory.mktemp("posed")
    settings = {"duration_s": (31.0, 33.0), "size": (160, 120), "fps": 15}
    simulate(folder, patients=2, seed=5, recordings_per_patient=1, pose=True, **settings)  # type: ignore[arg-type]
    return folder


def samples(folder: Path, task: str) -> list[dict[str, object]]:
    (path,) = folder.glob(f"*_samples_{task}.jsonl")
    return [json.loads(line)["semiology"] for line in path.read_text().splitlines()]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("enhancement", "feature", "model", "model_args"),
    [
        ("pose", "arm_flexion", EMBEDDED, "journal=none"),
        ("denoise", "ictal_vocalization", EMBEDDED_AUDIO, ""),
    ],
)
def test_an_enhanced_task_is_answered_beside_the_plain_one(
    enhancement: str,
    feature: str,
    model: str,
    model_args: str,
    posed_set: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("SEMIOLOGY_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("SEMIOLOGY_ENHANCED", str(tmp_path / "enhanced"))
    for name in ("SEMIOLOGY_DATA", "SEMIOLOGY_WINDOW", "SEMIOLOGY_PROMPT", "SEMIOLOGY_ONLY"):
        monkeypatch.setenv(name, "")
        monkeypatch.delenv(name)
    steps = build_steps((enhancement,), Choices())
    summary = enhance(posed_set, steps, out=tmp_path / "enhanced")
    assert (summary.steps[0].done, summary.complete) == (2, True)
    plain, enhanced = f"semiology_{feature}", f"{enhancement}_semiology_{feature}"
    options = RunOptions(
        model=model, model_args=model_args, data=posed_set, out=tmp_path / "out", tasks=f"{plain},{enhanced}"
    )
    folder = run(options)
    without, with_it = samples(folder, plain), samples(folder, enhanced)
    assert [[row[key] for key in SIDES] for row in with_it] == [
        [row[key] for key in SIDES] for row in without
    ]
    assert {row["enhancement"] for row in with_it} == {enhancement}
    assert {row["answer"] for row in with_it} <= {"yes", "no"}
    assert len({row["enhancement_key"] for row in with_it}) == 2
