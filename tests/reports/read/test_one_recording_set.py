"""Answers about different recording sets are never taken together: ids are equal, recordings are not."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from s3_examples import all_tasks, write_s3_run

from semiology.data.simulated import write as writing
from semiology.data.tables.reading import read_recording_set
from semiology.reports.inputs import report_inputs
from semiology.reports.read.feature_answers import read_results
from semiology.reports.read.lmms_eval_files import ResultsError
from semiology.reports.read.s3_answers import read_s3_results

WriteRun = Callable[..., Path]
Make = Callable[..., Any]
SMALL: dict[str, Any] = {"duration_s": (30.0, 32.0), "size": (128, 96), "fps": 10, "progress": False}
OTHERS = r"different recording sets \(emu 1, emu 2\)"


@pytest.fixture
def name_of(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., str]:
    """Name and version of a simulated set, as runs record them; only its tables are made."""
    monkeypatch.setattr(writing, "_make", lambda *_: None)

    def named(folder: str, **settings: Any) -> str:
        writing.simulate(tmp_path / folder, **SMALL | {"patients": 2, "seed": 5} | settings)
        found = read_recording_set(tmp_path / folder, require_media=False)
        return f"{found.name} {found.version}"

    return named


def state_set(folder: Path, name: str, stamp: str = "20260101_120000") -> None:
    """Write into a results file which set its tasks were about."""
    (file,) = folder.rglob(f"{stamp}_results.json")
    content = json.loads(file.read_text())
    for config in content["configs"].values():
        config["metadata"] = {"recording_set": name}
    file.write_text(json.dumps(content))


def test_a_simulated_set_says_its_seed_and_whatever_else_makes_other_recordings(
    name_of: Callable[..., str],
) -> None:
    first = name_of("first")
    assert first == f"simulated-ward {writing.GENERATOR}-seed5-30to32s-128x96-10fps"
    others = [
        name_of("seed", seed=6),
        name_of("longer", duration_s=(30.0, 40.0)),
        name_of("larger", size=(160, 120)),
        name_of("slower", fps=5),
    ]
    assert len({first, *others}) == 5
    # The recordings that both have are the same.
    assert name_of("more", patients=3, recordings_per_patient=3) == first
    assert name_of("split", patients=3, test_share=0.34) == first
    usual = writing.Settings(patients=2, seed=7)
    assert usual.version == f"{writing.GENERATOR}-seed7"


def test_runs_on_two_simulated_sets_are_refused_and_old_ones_read(
    name_of: Callable[..., str], records: Make, write_run: WriteRun
) -> None:
    names = [name_of("one"), name_of("two", seed=6), "simulated-ward 1.1"]
    runs = []
    for i, name in enumerate(names):
        runs.append(write_run(records("tonic"), folder=f"run{i}", model=f"lab/m{i}"))
        state_set(runs[-1], name)
        assert read_results([runs[-1]]).records[f"m{i}"]["data"] == name
    for pair in (runs[:2], runs[1:]):
        with pytest.raises(ResultsError, match=r"different recording sets \(simulated-ward 1\..*seed"):
            read_results(pair)


def test_runs_of_one_model_into_one_folder_are_told_apart(
    records: Make, sample: Make, write_run: WriteRun
) -> None:
    """Their run record is that of the last of them, and must not speak for the first."""
    folder = write_run(records("tonic") + records("clonic"))
    state_set(folder, "emu 1")
    later = "20260201_000000"
    write_run([sample("tonic", 0, 0, "yes", "no")], stamp=later, record={"data": "emu 2"})
    state_set(folder, "emu 2", later)
    with pytest.raises(ResultsError, match=OTHERS):
        read_results([folder])
    first = next(folder.rglob("20260101_120000_results.json"))
    assert read_results([first]).records["Qwen2.5-VL-7B"]["data"] == "emu 1"
    # A run that was repeated as a whole on another set is replaced, and nothing is mixed.
    write_run(records("tonic") + records("clonic"), stamp=later, record={"data": "emu 2"})
    state_set(folder, "emu 2", later)
    assert read_results([folder]).records["Qwen2.5-VL-7B"]["data"] == "emu 2"


def test_s3_runs_of_one_model_are_told_apart_too(tmp_path: Path) -> None:
    rows = [row for row in all_tasks() if row["task"] in ("s3_diagnosis", "s3_sequence")]
    write_s3_run(tmp_path, rows, metadata={"recording_set": "emu 1"})
    again = {"stamp": "20260201_120000", "metadata": {"recording_set": "emu 2"}}
    write_s3_run(tmp_path, rows[:1], **again)
    with pytest.raises(ResultsError, match=OTHERS):
        read_s3_results([tmp_path])
    write_s3_run(tmp_path, rows, **again)
    found = read_s3_results([tmp_path])
    assert found is not None
    assert not any("_order" in row for row in found.records)


def test_features_of_one_set_and_tasks_of_another_make_no_report(
    tmp_path: Path, records: Make, write_run: WriteRun
) -> None:
    features = write_run(records("tonic"), folder="features")
    rows = [row for row in all_tasks() if row["task"] == "s3_diagnosis"]
    tasks = write_s3_run(tmp_path / "tasks", rows, metadata={"recording_set": "emu 2"})
    assert report_inputs([features, tasks], None).s3 is not None  # where nothing is known, nothing is refused
    state_set(features, "emu 1")
    with pytest.raises(ResultsError, match=OTHERS):
        report_inputs([features, tasks], None)
    assert report_inputs([features, tasks], None, only="features").s3 is None


def test_one_request_without_a_reply_is_one(records: Make, write_run: WriteRun) -> None:
    rows = records("tonic")
    rows[0]["raw"] = "[LMMS_EVAL_REQUEST_FAILED after 3 tries"
    notes = read_results([write_run(rows)]).notes
    assert any("1 request of semiology_tonic got no reply → counted as unparsed" in note for note in notes)
