"""Runs of several versions of lmms-eval stand in one report, and it says so."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from semiology.reports.inputs import report_inputs


@pytest.mark.parametrize(("second", "told"), [("0.7.3", False), ("0.8.0", True)])
def test_runs_of_several_versions_are_told_apart(
    second: str, told: bool, write_run: Callable[..., Path], records: Callable[..., list[dict[str, Any]]]
) -> None:
    folders = []
    for name, version in (("a", "0.7.3"), ("b", second)):
        folder = write_run(records("tonic"), folder=name, model=f"org/{name}")
        record = {"packages": {"lmms-eval": version, "transformers": "5.23.0"}}
        (folder / "semiology_run.json").write_text(json.dumps(record))
        folders.append(folder)
    features = report_inputs(folders, None).features
    assert features is not None
    assert len(features.answers["model"].unique()) == 2
    assert any("lmms-eval 0.7.3, 0.8.0" in note for note in features.notes) == told
    assert not any("transformers" in note for note in features.notes)


def test_versions_are_told_of_runs_of_the_bare_command_which_leave_no_record_of_ours(
    write_run: Callable[..., Path], records: Callable[..., list[dict[str, Any]]]
) -> None:
    folder = write_run(records("tonic"), stamp="20260101_120000")
    write_run(records("clonic"), stamp="20260102_120000")
    for day, version in (("1", "0.7.3"), ("2", "0.8.0")):
        (file,) = folder.rglob(f"2026010{day}_*_results.json")
        content = json.loads(file.read_text())
        for task in content["configs"].values():
            task["metadata"] = {"packages": {"lmms-eval": version}}
        file.write_text(json.dumps(content))
    features = report_inputs([folder], None).features
    assert features is not None
    assert any("lmms-eval 0.7.3, 0.8.0" in note for note in features.notes)
