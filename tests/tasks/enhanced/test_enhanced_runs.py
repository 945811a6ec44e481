"""Enhanced tasks in a run: checked before it starts, asked through lmms-eval, read by the report."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from honest_steps import Negative, Softer

from semiology.data.tables.reading import read_recording_set
from semiology.enhancements.enhance import enhance
from semiology.enhancements.pipeline.manifest import read_manifest
from semiology.harness import preflight
from semiology.tasks.generated import generated_folder

pytestmark = pytest.mark.usefixtures("one_task_index")


def run_of(*tasks: str) -> dict[str, Any]:
    return {"model": "qwen2_5_vl", "model_args": "", "tasks": list(tasks)}


def manager_of(group: str) -> SimpleNamespace:
    path = generated_folder() / f"{group}.yaml"
    return SimpleNamespace(task_index={group: {"type": "group", "yaml_path": str(path)}})


def without_feature(folder: Path, feature: str) -> None:
    table = folder / "annotations.csv"
    table.write_text("".join(line for line in table.open() if f",{feature}," not in line))


@pytest.mark.parametrize("task", ["pose_semiology_tonic", "pose_semiology"])
def test_a_missing_enhancement_stops_the_run_with_the_command(task: str, small_set: Path) -> None:
    with pytest.raises(ValueError, match=f"semiology enhance {small_set} --with pose"):
        preflight.prepare_run(run_of("semiology_clonic", task))


def test_a_run_with_everything_made_goes_on_unchanged(enhanced_set: Path) -> None:
    arguments = run_of("semiology_clonic", "pose_semiology_tonic", "denoise_semiology")
    preflight.prepare_run(arguments)
    assert arguments["tasks"] == ["semiology_clonic", "pose_semiology_tonic", "denoise_semiology"]


def test_recordings_left_out_are_told_with_count_and_sentence(
    small_set: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    enhance(small_set, [Softer(raises_for="A1")])
    told: list[str] = []
    monkeypatch.setattr(preflight, "_warn", told.append)
    preflight.prepare_run(run_of("denoise_semiology_ictal_vocalization"))
    assert any("leaves 1 of 2 recordings out" in message and "A1" in message for message in told)
    assert any("denoise: 1 × failed: a fault of the program (KeyError" in message for message in told)


def test_a_feature_that_nobody_annotated_leaves_its_group(enhanced_set: Path) -> None:
    without_feature(enhanced_set, "tonic")
    manager = manager_of("pose_semiology")
    preflight.prepare_run({**run_of("pose_semiology"), "task_manager": manager})
    group = Path(manager.task_index["pose_semiology"]["yaml_path"]).read_text()
    assert "pose_semiology_tonic" not in group
    assert "pose_semiology_clonic" in group


def test_a_group_of_which_nothing_is_left_is_not_asked(
    enhanced_set: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for feature in ("verbal_responsiveness", "ictal_vocalization"):
        without_feature(enhanced_set, feature)
    told: list[str] = []
    monkeypatch.setattr(preflight, "_warn", told.append)
    arguments = run_of("semiology_tonic", "denoise_semiology")
    preflight.prepare_run(arguments)
    assert arguments["tasks"] == ["semiology_tonic"]
    assert any("denoise_semiology_ictal_vocalization is not asked" in message for message in told)
    with pytest.raises(preflight.PreflightError, match="is not asked"):
        preflight.prepare_run(run_of("denoise_semiology"))


def test_a_model_that_only_hears_is_not_shown_skeletons(enhanced_set: Path) -> None:
    with pytest.raises(preflight.PreflightError, match="takes sound only"):
        preflight.prepare_run({**run_of("pose_semiology_tonic"), "model": "qwen2_audio"})
    preflight.prepare_run({**run_of("denoise_semiology"), "model": "qwen2_audio"})


def test_a_run_through_lmms_eval_is_read_by_the_report(small_set: Path, tmp_path: Path) -> None:
    """A model that says always the same, asked plainly and with skeletons; A2 has none."""
    from semiology.harness.options import RunOptions
    from semiology.harness.run import run
    from semiology.reports.read.feature_answers import read_results

    enhance(small_set, [Negative()])
    manifest = small_set / "enhanced.csv"
    file = read_manifest(small_set)["A2", "pose"].file
    manifest.write_text(manifest.read_text().replace(f"A2,pose,done,{file},", "A2,pose,failed,,"))
    options = RunOptions(
        model="semiology_constant",
        model_args="",
        data=small_set,
        out=tmp_path / "runs",
        tasks="semiology_tonic,pose_semiology",
    )
    folder = run(options)
    results = read_results([folder])
    counts = results.answers.groupby(["enhancement", "feature"]).size()
    assert counts["none", "tonic"] == 9
    assert counts["pose", "tonic"] == 6
    assert counts["pose"].size == 11
    assert any("1 whose enhancement failed" in text for text in results.caveats)
    (samples,) = folder.glob("*_samples_pose_semiology_tonic.jsonl")
    record = json.loads(samples.read_text().splitlines()[0])["semiology"]
    assert record["enhancement"] == "pose"
    assert record["enhancement_key"] == read_manifest(small_set)["A1", "pose"].key
    (written,) = folder.glob("*_results.json")
    whole = json.loads(written.read_text())
    assert whole["configs"]["pose_semiology_tonic"]["metadata"]["recordings_without_enhancement"] == {
        "A2": "failed"
    }
    assert "f1,none" in whole["results"]["pose_semiology"]
    assert read_recording_set(small_set).recording("A2").video.name == "A2.mp4"
