"""Questions about a window meet: one after the other in a process, and in one process of a run."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from semiology.features import FEATURES
from semiology.harness.scheduling import deal, is_ours, recordings_dealt, window_order, windows_together
from semiology.tasks import documents


def tables(features: tuple[str, ...] = FEATURES) -> dict[str, list[dict[str, Any]]]:
    """The question tables of the small set, where not every recording is annotated for every feature."""
    paths = {name: Path(documents.questions(name)["data_files"]["test"]) for name in features}
    return {name: [json.loads(line) for line in path.open()] for name, path in paths.items()}


@pytest.fixture
def uneven_set(small_set: Path) -> Path:
    """A set of which tasks list different recordings."""
    table = small_set / "annotations.csv"
    left_out = ("A1,tonic,", "A2,clonic,", "B1,figure4,")
    table.write_text("".join(line for line in table.open() if not line.startswith(left_out)))
    return small_set


def model(module: str, **attributes: Any) -> Any:
    """An object whose class says that it comes from a module of lmms-eval."""
    made = type("Model", (SimpleNamespace,), {"__module__": module, "generate_until": _echo})
    return made(seen=[], **attributes)


def _echo(self: Any, requests: list[Any]) -> list[str]:
    self.seen = [request.args[3:5] for request in requests]
    return [f"{request.args[4]} {request.args[3]}" for request in requests]


def requests_of(rows: dict[str, list[dict[str, Any]]]) -> list[Any]:
    """Requests as lmms-eval hands them over: task after task."""
    return [
        SimpleNamespace(args=(row["question"], None, {}, number, task, "test"))
        for task, table in rows.items()
        for number, row in enumerate(table)
    ]


def windows_seen(lm: Any, rows: dict[str, list[dict[str, Any]]]) -> list[tuple[str, float]]:
    return [(rows[task][number]["video"], rows[task][number]["start_s"]) for number, task in lm.seen]


@pytest.mark.parametrize("module", ["lmms_eval.models.chat.vllm", "lmms_eval.models.chat.openai"])
def test_a_server_is_asked_window_by_window_and_answers_come_back_in_place(
    module: str, uneven_set: Path
) -> None:
    rows = tables()
    lm = model(module, prefix_aware_queue=True)
    lm.task_dict = {task: {"test": table} for task, table in rows.items()}
    requests = requests_of(rows)
    with windows_together(lm):
        assert lm.prefix_aware_queue is False  # it would sort by the question's first characters
        replies = lm.generate_until(requests)
    assert replies == [f"{request.args[4]} {request.args[3]}" for request in requests]
    seen = windows_seen(lm, rows)
    changes = 1 + sum(before != after for before, after in pairwise(seen))
    assert changes == len(set(seen)) == 9  # each window once, in one stretch
    assert (lm.prefix_aware_queue, "generate_until" in vars(lm)) == (True, False)


@pytest.mark.parametrize("module", ["lmms_eval.models.chat.huggingface", "semiology.backends.semiology_hf"])
def test_classes_without_a_prefix_cache_keep_their_order(module: str, small_set: Path) -> None:
    rows = tables(("tonic", "clonic"))
    lm = model(module)
    lm.task_dict = {task: {"test": table} for task, table in rows.items()}
    with windows_together(lm):
        lm.generate_until(requests_of(rows))
    assert lm.seen == [request.args[3:5] for request in requests_of(rows)]


def test_a_model_that_loses_a_reply_is_an_error(small_set: Path) -> None:
    rows = tables(("tonic",))
    lm = model("lmms_eval.models.chat.vllm")
    lm.task_dict = {"tonic": {"test": rows["tonic"]}}
    type(lm).generate_until = lambda self, requests: ["yes"]
    with windows_together(lm), pytest.raises(ValueError, match="zip"):
        lm.generate_until(requests_of(rows))


def test_documents_of_other_tasks_come_last_in_their_order() -> None:
    row = {"video": "a.mp4", "video_id": "a", "question": "?", "start_s": 25.0, "end_s": 55.0}
    earlier = {**row, "start_s": 0.0, "end_s": 30.0}
    assert window_order([None, row, None, earlier]) == [3, 1, 0, 2]
    assert is_ours(row)
    assert not is_ours({"question": "?"})
    assert not is_ours(3)


def dealt_rows(
    rows: dict[str, list[dict[str, Any]]], processes: int, **limits: int
) -> list[dict[str, list[int]]]:
    """The numbers of the documents that lmms-eval gives each process, by task."""
    from lmms_eval import evaluator, utils

    everything = [row for table in rows.values() for row in table]
    with recordings_dealt(everything, processes):
        assert evaluator.create_iterator is utils.create_iterator
        return [
            {
                task: [
                    number for number, _ in utils.create_iterator(enumerate(table), rank, processes, **limits)
                ]
                for task, table in rows.items()
            }
            for rank in range(processes)
        ]


def test_all_questions_about_a_recording_meet_in_one_process(uneven_set: Path) -> None:
    rows = tables()
    assert len({len(table) for table in rows.values()}) > 1  # else row by row would do
    processes_of = defaultdict(set)
    for rank, shares in enumerate(dealt_rows(rows, 2)):
        for task, numbers in shares.items():
            for number in numbers:
                processes_of[rows[task][number]["video"]].add(rank)
    assert all(len(ranks) == 1 for ranks in processes_of.values())
    assert set.union(*processes_of.values()) == {0, 1}


@pytest.mark.parametrize("processes", [2, 3, 5])
def test_every_document_is_asked_by_exactly_one_process(processes: int, uneven_set: Path) -> None:
    rows = tables(("tonic", "clonic", "ictal_vocalization"))
    shares = dealt_rows(rows, processes)
    for task, table in rows.items():
        assert sorted(number for share in shares for number in share[task]) == list(range(len(table)))


def test_a_limit_chooses_the_same_documents_as_without_dealing(small_set: Path) -> None:
    rows = tables(("tonic",))
    shares = dealt_rows(rows, 2, limit=4, offset=2)
    assert sorted(number for share in shares for number in share["tonic"]) == [2, 3, 4, 5]


def test_documents_of_other_tasks_are_dealt_as_ever(small_set: Path) -> None:
    from lmms_eval import utils

    original = utils.create_iterator
    with recordings_dealt(tables(("tonic",))["tonic"], 2):
        foreign: Iterator[Any] = utils.create_iterator(enumerate([{"q": 1}, {"q": 2}, {"q": 3}]), 1, 2)
        assert [number for number, _ in foreign] == [1]
        assert list(utils.create_iterator(range(5), 1, 2)) == [1, 3]
        assert list(utils.create_iterator(iter(()), 0, 2)) == []
    assert utils.create_iterator is original
    with recordings_dealt([], 1):
        assert utils.create_iterator is original


def test_long_recordings_are_spread() -> None:
    def row(video: str, window: int) -> dict[str, Any]:
        return {"video": video, "start_s": 25.0 * window, "end_s": 25.0 * window + 30}

    rows = [row(video, window) for video, count in (("a", 2), ("b", 6), ("c", 4)) for window in range(count)]
    assert deal(rows + rows, 2) == {"b": 0, "c": 1, "a": 1}


def test_all_tasks_list_windows_in_one_order(uneven_set: Path) -> None:
    rows = tables()
    longest = max(rows.values(), key=len)
    windows = [(row["video"], row["start_s"]) for row in longest]
    for table in rows.values():
        places = [windows.index((row["video"], row["start_s"])) for row in table]
        assert places == sorted(places)


def test_the_question_comes_after_the_media_in_every_form_of_a_message(small_set: Path) -> None:
    from lmms_eval.protocol import ChatMessages

    from semiology.tasks.messages import doc_to_messages

    row = tables(("tonic",))["tonic"][0]
    chat = ChatMessages(messages=doc_to_messages(row))
    (plain,) = chat.to_hf_messages({"fps": 1})
    assert [part["type"] for part in plain["content"]] == ["video", "text"]
    (frames,) = chat.to_openai_messages({"nframes": 4})
    assert [part["type"] for part in frames["content"]] == ["image_url"] * 4 + ["text"]
    (timed,) = chat.to_qwen3_vl_openai_messages({"nframes": 4})
    assert [part["type"] for part in timed["content"]] == ["text", "image_url"] * 4 + ["text"]
    for turn in (frames, timed):
        assert turn["content"][-1]["text"] == row["question"]


@pytest.mark.slow
def test_two_processes_open_each_recording_once(uneven_set: Path, tmp_path: Path) -> None:
    from semiology.backends.embedded.sees import CHECKPOINT, MAX_PIXELS, MIN_PIXELS

    settings = f"pretrained={CHECKPOINT},device=cpu,fps=2,min_pixels={MIN_PIXELS},max_pixels={MAX_PIXELS}"
    command = [sys.executable, "-m", "torch.distributed.run", "--nproc_per_node", "2", "-m", "lmms_eval"]
    command += ["--model", "semiology_hf", "--model_args", f"{settings},journal=none"]
    # both tasks have questions for both processes; one without any would be padded with another's recording
    command += ["--tasks", "semiology_tonic,semiology_clonic"]
    command += ["--log_samples", "--output_path", str(tmp_path / "out")]
    environment = {**os.environ, "ACCELERATE_USE_CPU": "1", "SEMIOLOGY_ONLY": "1", "OMP_NUM_THREADS": "1"}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    asked = {
        task: [
            json.loads(line)["doc_id"] for path in tmp_path.rglob(f"*_{task}.jsonl") for line in path.open()
        ]
        for task in ("semiology_tonic", "semiology_clonic")
    }
    rows = tables(("tonic", "clonic"))
    for task, numbers in asked.items():
        assert sorted(numbers) == list(range(len(rows[task.removeprefix("semiology_")])))
    opens = [int(number) for number in re.findall(r"(\d+) opens", done.stdout + done.stderr)]
    assert len(opens) == 2
    assert sum(opens) == len({row["video"] for table in rows.values() for row in table})
