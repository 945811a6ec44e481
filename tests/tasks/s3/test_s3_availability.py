"""A run of S3 tasks that cannot work is stopped, or cut down and told, before a model is loaded."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from s3_example_set import write_annotations

from semiology.backends.text.served import chosen_text_model
from semiology.data.problems import SettingsError
from semiology.harness import preflight
from semiology.tasks import TASK_FOLDER
from semiology.tasks.s3.task_list import TASKS


def run_of(tasks: list[str], model: str = "qwen2_5_vl") -> dict[str, Any]:
    return {"model": model, "model_args": "", "tasks": list(tasks)}


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    messages: list[str] = []
    monkeypatch.setattr(preflight, "_warn", messages.append)
    return messages


def test_a_complete_set_is_asked_everything_without_a_remark(s3_set: Path, told: list[str]) -> None:
    arguments = run_of(list(TASKS))
    preflight.prepare_run(arguments)
    assert arguments["tasks"] == list(TASKS)
    assert told == []


def test_a_task_without_its_truth_is_left_out_and_told_with_table_and_column(
    s3_set: Path, told: list[str]
) -> None:
    (s3_set / "reports.csv").unlink()
    arguments = run_of(["s3_report", "s3_diagnosis", "s3_diagnosis_with_report"])
    preflight.prepare_run(arguments)
    assert arguments["tasks"] == ["s3_diagnosis"]
    assert len(told) == 2
    assert all("reports.csv: `report`" in message for message in told)


def test_the_group_is_asked_without_a_task_that_has_no_truth(s3_set: Path, told: list[str]) -> None:
    (s3_set / "laterality.csv").unlink()
    index = {"s3": {"type": "group", "yaml_path": str(TASK_FOLDER / "s3" / "s3.yaml")}}
    manager = SimpleNamespace(task_index=index)
    preflight.prepare_run({**run_of(["s3"]), "task_manager": manager})
    group = Path(manager.task_index["s3"]["yaml_path"]).read_text()
    assert "s3_head_turning_side" not in group
    assert "s3_onset_region" not in group
    assert "s3_sequence" in group
    assert len(told) == 3


def test_asking_only_for_what_has_no_truth_is_an_error(s3_set: Path) -> None:
    (s3_set / "laterality.csv").unlink()
    with pytest.raises(preflight.PreflightError, match=r"s3_onset_region.*laterality.csv: `onset_region`"):
        preflight.prepare_run(run_of(["s3_onset_region"]))


def test_a_fault_in_the_laterality_table_ends_the_run_with_file_row_and_mend(s3_set: Path) -> None:
    table = s3_set / "laterality.csv"
    table.write_text(table.read_text().replace("eyes", "eyebrow"))
    with pytest.raises(ValueError, match=r"laterality.csv:3: onset_region: 'eyebrow'.*→ write head or"):
        preflight.prepare_run(run_of(["s3_onset_region"]))


def test_justifications_without_the_experts_words_are_asked_and_told(s3_set: Path, told: list[str]) -> None:
    write_annotations(s3_set, {})
    preflight.prepare_run(run_of(["s3_justification"]))
    assert "`justification`" in told[0]


def test_a_model_that_only_hears_is_not_asked(s3_set: Path) -> None:
    with pytest.raises(preflight.PreflightError, match="takes sound only"):
        preflight.prepare_run(run_of(["s3_report"], model="audio_flamingo_3"))


def test_features_and_s3_tasks_can_be_asked_in_one_run(s3_set: Path, told: list[str]) -> None:
    (s3_set / "reports.csv").unlink()
    arguments = run_of(["semiology_tonic", "s3_report"])
    preflight.prepare_run(arguments)
    assert arguments["tasks"] == ["semiology_tonic"]


@pytest.mark.parametrize(
    ("chosen", "told"),
    [
        ("x", "give model@address"),
        ("x@http://192.0.2.1:9/v1", "SEMIOLOGY_ALLOW_REMOTE"),
        ("x@http://127.0.0.1.example.org/v1", "SEMIOLOGY_ALLOW_REMOTE"),
    ],
)
def test_a_merging_model_elsewhere_is_refused(
    chosen: str, told: str, s3_set: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SEMIOLOGY_MERGE_MODEL", chosen)
    monkeypatch.delenv("SEMIOLOGY_ALLOW_REMOTE", raising=False)
    with pytest.raises(SettingsError, match=told):
        preflight.prepare_run(run_of(["s3_report"]))


def test_without_a_merging_model_none_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SEMIOLOGY_MERGE_MODEL", raising=False)
    assert chosen_text_model() is None
