from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from semiology.reports.read.feature_answers import COLUMNS, ResultsError, read_results

WriteRun = Callable[..., Path]
Make = Callable[..., Any]


def noted(notes: tuple[str, ...], text: str) -> bool:
    return any(text in note for note in notes)


def only(folder: Path, pattern: str) -> Path:
    (found,) = folder.rglob(pattern)
    return found


def test_a_run_becomes_the_tidy_frame_named_after_its_checkpoint(records: Make, write_run: WriteRun) -> None:
    results = read_results([write_run(records("tonic") + records("clonic"))])
    assert tuple(results.answers.columns) == (*COLUMNS, "prompt")
    assert len(results.answers) == 240
    assert set(results.answers["model"]) == {"Qwen2.5-VL-7B"}
    assert results.notes == ()
    assert results.caveats == ()


def test_results_are_found_at_any_depth_and_by_naming_one_file(
    records: Make, write_run: WriteRun, tmp_path: Path
) -> None:
    folder = write_run(records("tonic") + records("clonic"), folder="a/b/c")
    whole = read_results([tmp_path]).answers
    by_file = read_results([only(folder, "*_results.json")]).answers
    one = read_results([only(folder, "*_tonic.jsonl")])
    assert whole.equals(by_file)
    assert set(one.answers["feature"]) == {"tonic"}
    assert one.notes == ()
    assert set(one.answers["model"]) == {"Qwen2.5-VL-7B"}


@pytest.mark.parametrize(
    ("change", "name"),
    [
        ({"model_name": "", "config": {"model": "x", "model_args": "device=cpu,pretrained=org/M2"}}, "M2"),
        ({"model_name": None, "config": {"model": "x", "model_args": {"pretrained": "/w/M3/"}}}, "M3"),
        ({"model_name": "", "config": {"model": "fake", "model_args": "fps=2"}}, "fake"),
        ({"model_name": "", "config": None, "model_source": "vllm"}, "vllm"),
    ],
)
def test_the_model_name_comes_from_the_results_file(
    records: Make, write_run: WriteRun, change: dict[str, object], name: str
) -> None:
    folder = write_run(records("tonic"))
    file = only(folder, "*_results.json")
    file.write_text(json.dumps(json.loads(file.read_text()) | change))
    assert set(read_results([folder]).answers["model"]) == {name}


def test_two_checkpoints_with_the_same_last_name_keep_their_full_names(
    records: Make, write_run: WriteRun
) -> None:
    one = write_run(records("tonic"), folder="one", model="a/checkpoint")
    two = write_run(records("tonic", seed=1), folder="two", model="b/checkpoint")
    # Different truths per recording do not matter for reading.
    assert set(read_results([one, two]).answers["model"]) == {"a/checkpoint", "b/checkpoint"}


def test_the_newest_run_of_a_question_counts_and_it_is_said(
    records: Make, sample: Make, write_run: WriteRun
) -> None:
    write_run(records("tonic", seed=1) + records("clonic"), stamp="20260101_120000")
    folder = write_run([sample("tonic", 0, 0, "yes", "no")], stamp="20260201_000000")
    results = read_results([folder])
    assert results.answers["feature"].value_counts().to_dict() == {"clonic": 120, "tonic": 1}
    assert noted(
        results.notes, "run 20260101_120000 was repeated later → its 120 answers on 1 feature are replaced"
    )


def test_another_wording_is_another_question_and_replaces_nothing(records: Make, write_run: WriteRun) -> None:
    write_run(records("tonic"), stamp="20260101_120000")
    folder = write_run(records("tonic", prompt_hash="cd" * 32), stamp="20260201_000000")
    results = read_results([folder])
    assert len(results.answers) == 240
    assert results.notes == ()


def test_why_replies_are_unparsed_and_in_which_language_they_came_is_told(
    sample: Make, write_run: WriteRun
) -> None:
    reasons = ["refused", "refused", "cut", "malformed"]
    rows = [
        sample("tonic", number, 0, "unparsed", "no", unparsed_because=reason)
        for number, reason in enumerate(reasons)
    ]
    rows.append(sample("tonic", 4, 0, "no", "no", answer_language="German"))
    (told, spoken) = read_results([write_run(rows)]).notes
    assert "of 5 replies 4 are unparsed: 2 saw no video" in told
    assert "1 were cut at the token limit" in told
    assert spoken.endswith("1 in German")


def test_a_cut_off_last_line_is_left_out_with_file_and_row(records: Make, write_run: WriteRun) -> None:
    folder = write_run(records("tonic"))
    file = only(folder, "*.jsonl")
    file.write_bytes(file.read_bytes()[:-40])
    results = read_results([folder])
    assert len(results.answers) == 119
    assert noted(results.notes, f"{file.name}:120: the last line is cut off")
    assert noted(results.notes, "119 of 120 samples → the run is incomplete")


def test_every_truncation_of_the_last_line_is_survived(records: Make, write_run: WriteRun) -> None:
    folder = write_run(records("tonic", videos=2))
    file = only(folder, "*.jsonl")
    whole = file.read_bytes()
    start = whole.rstrip(b"\n").rfind(b"\n") + 1
    for end in range(start + 1, len(whole) - 1, 7):
        file.write_bytes(whole[:end])
        assert len(read_results([folder]).answers) == 3


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("{not json}", "not readable as JSON"),
        ({"answer": "maybe"}, "answer is 'maybe'"),
        ({"truth": ""}, "truth is ''"),
        (json.dumps({"semiology": {"feature": "tonic"}}), "has no video_id"),
        ({"segment": -1}, "segment is not a number from 0"),
        (json.dumps({"doc_id": 3}), "1 rows without a semiology record"),
        (json.dumps([1]), "1 rows without a semiology record"),
        ("\udcff", "not readable as JSON"),
    ],
)
def test_a_row_that_cannot_be_used_is_named_and_left_out(
    records: Make, sample: Make, write_run: WriteRun, line: str | dict[str, Any], message: str
) -> None:
    if isinstance(line, dict):
        line = json.dumps({"semiology": sample("tonic", 900, 0, "no", "no") | line})
    folder = write_run(records("tonic"))
    file = only(folder, "*.jsonl")
    file.write_bytes(line.encode(errors="surrogateescape") + b"\n" + file.read_bytes())
    results = read_results([folder])
    assert len(results.answers) == 120
    assert noted(results.notes, message)


def test_an_incomplete_run_names_the_missing_tasks(records: Make, write_run: WriteRun) -> None:
    folder = write_run(records("tonic"), configs=["semiology_tonic", "semiology_clonic"])
    assert noted(read_results([folder]).notes, "no samples of semiology_clonic → the run is incomplete")


def test_foreign_files_are_ignored_by_name_and_never_crash(
    records: Make, write_run: WriteRun, tmp_path: Path
) -> None:
    folder = write_run(records("tonic"))
    (folder / "x_samples_mmmu.jsonl").write_text('{"doc_id": 1, "acc": 1}\n')
    (folder / "y_samples_empty.jsonl").write_text("")
    (folder / "z_results.json").write_text("[]")
    (folder / "w_results.json").write_bytes(b"\xff\xfe\x00broken")
    (folder / "video.mp4").write_bytes(b"0")
    other = tmp_path / "table.txt"
    other.write_text("x")
    results = read_results([folder, other])
    assert len(results.answers) == 120
    for text in (
        "x_samples_mmmu.jsonl: holds no semiology records",
        "y_samples_empty.jsonl: holds no usable sample",
        "z_results.json: not a JSON object",
        "w_results.json: not readable as JSON",
        "table.txt: neither a results nor a samples file",
    ):
        assert noted(results.notes, text), text


def test_samples_without_a_results_file_are_named_after_their_folder(
    records: Make, write_run: WriteRun
) -> None:
    results = read_results([write_run(records("tonic"), results=False)])
    assert set(results.answers["model"]) == {"Qwen__Qwen2.5-VL-7B"}
    assert noted(results.notes, "no readable results file")


def test_a_segment_logged_twice_counts_once(records: Make, write_run: WriteRun) -> None:
    folder = write_run(records("tonic"))
    file = only(folder, "*.jsonl")
    file.write_text(file.read_text() + file.read_text().splitlines()[0] + "\n")
    results = read_results([folder])
    assert len(results.answers) == 120
    assert noted(results.notes, "1 segments are logged twice")


def test_the_run_record_becomes_caveats(records: Make, write_run: WriteRun) -> None:
    record = {
        "data": "demo 1",
        "simulated": True,
        "embedded_model": True,
        "deaf": True,
        "limit": 5,
        "exclusions": {"v9": "zero length"},
    }
    caveats = " ".join(read_results([write_run(records("tonic"), record=record)]).caveats)
    for text in (
        "simulated",
        "embedded model",
        "without audio input",
        "first 5 questions",
        "1 recording could not be used",
    ):
        assert text in caveats
    assert "v9" not in caveats


def limited(folder: Path, stamp: str, limit: int | None) -> None:
    """Write a limit into the results file of a run, as lmms-eval does."""
    file = only(folder, f"{stamp}_results.json")
    content = json.loads(file.read_text())
    content["config"]["limit"] = limit
    file.write_text(json.dumps(content))


@pytest.mark.parametrize(("second", "told"), [("tonic", False), ("clonic", True)])
def test_a_run_cut_short_is_told_until_its_answers_are_replaced(
    second: str, told: bool, records: Make, write_run: WriteRun
) -> None:
    folder = write_run(records("tonic", videos=2), stamp="20260101_120000")
    limited(folder, "20260101_120000", 4)
    write_run(records(second), stamp="20260102_120000", record={"limit": None})
    limited(folder, "20260102_120000", None)
    assert ("first 4 questions" in " ".join(read_results([folder]).caveats)) == told


def test_the_embedded_models_are_named_not_located(records: Make, write_run: WriteRun) -> None:
    folder = write_run(records("tonic"), model="site-packages/semiology/backends/tiny/checkpoint")
    assert set(read_results([folder]).answers["model"]) == {"embedded"}


def test_runs_on_different_recording_sets_are_not_mixed(records: Make, write_run: WriteRun) -> None:
    one = write_run(records("tonic"), folder="one", record={"data": "emu"})
    two = write_run(records("tonic"), folder="two", model="m/other", record={"data": "demo"})
    with pytest.raises(ResultsError, match=r"different recording sets \(demo, emu\)"):
        read_results([one, two])


def test_nothing_to_read_is_an_error_that_says_what_to_do(
    records: Make, write_run: WriteRun, tmp_path: Path
) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    with pytest.raises(ResultsError, match="holds no lmms-eval results"):
        read_results([empty])
    with pytest.raises(ResultsError, match="no such file or folder"):
        read_results([tmp_path / "absent"])
    folder = write_run(records("tonic"), folder="bare")
    only(folder, "*.jsonl").unlink()
    with pytest.raises(ResultsError, match="--log_samples"):
        read_results([folder])
