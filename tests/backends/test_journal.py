"""Nothing that was answered is lost, doubled or given to another question, whenever the writer dies."""

from __future__ import annotations

import gc
import json
import multiprocessing
import os
import signal
import stat
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from semiology.backends.journal import Answer, Journal, JournalError, answer_key

ANY_FOLDER = settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
EXTRAS = st.dictionaries(
    st.text(max_size=5),
    st.one_of(
        st.floats(allow_nan=False), st.integers(), st.text(max_size=5), st.lists(st.floats(allow_nan=False))
    ),
    max_size=3,
)
ANSWERS = st.lists(
    st.builds(
        Answer,
        st.text("0123456789abcdef", min_size=64, max_size=64),
        st.text(max_size=40) | st.just('Yes.\nBecause of "stiff" arms\u2028\x00'),
        EXTRAS,
    ),
    max_size=6,
    unique_by=lambda answer: answer.key,
)  # fmt: skip
FACTS: dict[str, Any] = {
    "prompt": "<|im_start|>user\n<video>Is the patient stiff?",
    "media": [("video", "0" * 64, 0.0, 30.0)],
    "sampling": {"fps": 2.0, "max_frames": 60, "enhancement": "none"},
    "generation": {"max_new_tokens": 16, "temperature": 0.0},
    "model": "content 12ab float32",
}


def answers(count: int, first: int = 0) -> list[Answer]:
    return [
        Answer(f"{number:064x}", f"Yes {number}", {"yes": -0.1 * number})
        for number in range(first, first + count)
    ]


def keys_on_disk(folder: Path) -> Counter[str]:
    lines = [
        line for path in folder.glob("*.jsonl") for line in path.read_text(encoding="ascii").splitlines()
    ]
    return Counter(json.loads(line)["key"] for line in lines)


def fresh(tmp_path: Path) -> Path:
    """Return a folder that does not exist yet; examples of one test must not share a journal."""
    number = sum(1 for _ in tmp_path.iterdir())
    return tmp_path / str(number)


@given(groups=st.lists(ANSWERS, max_size=4))
@ANY_FOLDER
def test_what_is_put_comes_back_after_reopening(tmp_path: Path, groups: list[list[Answer]]) -> None:
    folder = fresh(tmp_path)
    first: dict[str, Answer] = {}
    with Journal(folder) as journal:
        for group in groups:
            new = {answer.key for answer in group} - first.keys()
            assert journal.put_many(group) == len(new)
            for answer in group:
                first.setdefault(answer.key, answer)
        assert {key: journal.get(key) for key in first} == first
    with Journal(folder) as journal:
        assert len(journal) == len(first)
        assert {key: journal.get(key) for key in first} == first
        assert journal.get("f" * 63 + "x") is None
        assert journal.damaged == []
        assert journal.put_many(first.values()) == 0
    assert set(keys_on_disk(folder).values()) <= {1}


@given(data=st.data(), written=ANSWERS)
@ANY_FOLDER
def test_cut_at_any_byte_everything_before_the_cut_survives(
    tmp_path: Path, data: st.DataObject, written: list[Answer]
) -> None:
    folder = fresh(tmp_path)
    with Journal(folder) as journal:
        journal.put_many(written)
        path = journal.path
    whole = path.read_bytes()
    cut = data.draw(st.integers(0, len(whole)))
    path.write_bytes(whole[:cut])
    ends = [number + 1 for number, byte in enumerate(whole) if byte == ord("\n")]
    kept = sum(end - 1 <= cut for end in ends)  # a line that lacks nothing but its end is whole
    with Journal(folder) as journal:
        assert [journal.get(answer.key) for answer in written[:kept]] == written[:kept]
        assert len(journal) == kept
        assert journal.damaged == []
        assert journal.put_many(written) == len(written) - kept
    assert path.read_bytes() == whole
    assert keys_on_disk(folder) == Counter(answer.key for answer in written)


@given(data=st.data(), written=ANSWERS.filter(bool))
@ANY_FOLDER
def test_a_changed_byte_never_changes_an_answer(
    tmp_path: Path, data: st.DataObject, written: list[Answer]
) -> None:
    folder = fresh(tmp_path)
    with Journal(folder) as journal:
        journal.put_many(written)
        path = journal.path
    content = bytearray(path.read_bytes())
    place = data.draw(st.integers(0, len(content) - 1))
    content[place] = data.draw(st.integers(0, 255))
    path.write_bytes(content)
    with Journal(folder) as journal:
        found = {answer.key: journal.get(answer.key) for answer in written}
        assert all(found[answer.key] in (answer, None) for answer in written)
        lost = [answer for answer in written if found[answer.key] is None]
        assert len(lost) <= 2
        assert len(journal) == len(written) - len(lost)
        journal.put_many(lost)
        assert {answer.key: journal.get(answer.key) for answer in written} == {a.key: a for a in written}


def test_a_damaged_line_in_the_middle_is_named_and_skipped(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with Journal(tmp_path) as journal:
        journal.put_many(answers(4))
        path = journal.path
    lines = path.read_bytes().splitlines(keepends=True)
    lines[1] = lines[1].replace(b"Yes 1", b"No. 1")
    lines[2] = b"\x00" * 20 + b"\n"
    path.write_bytes(b"".join(lines))
    with Journal(tmp_path) as journal:
        assert [line.split(": ")[0] for line in journal.damaged] == [f"{path.name}:2", f"{path.name}:3"]
        assert "was changed after it was written" in journal.damaged[0]
        assert "no answer in JSON" in journal.damaged[1]
        assert f"{path.name}:2" in caplog.text
        assert [journal.get(answer.key) for answer in answers(4)] == [
            answers(4)[0],
            None,
            None,
            answers(4)[3],
        ]
        assert journal.summary().damaged_lines == 2


@pytest.mark.parametrize(
    "change",
    [
        {"prompt": FACTS["prompt"] + " "},
        {"media": [("video", "1" * 64, 0.0, 30.0)]},
        {"media": [("audio", "0" * 64, 0.0, 30.0)]},
        {"media": [("video", "0" * 64, 0.0, 30.5)]},
        {"media": [("video", "0" * 64, 0.0, None)]},
        {"media": FACTS["media"] * 2},
        {"media": []},
        {"sampling": {**FACTS["sampling"], "enhancement": "pose"}},
        {"generation": {**FACTS["generation"], "max_new_tokens": 17}},
        {"model": "content 12ab bfloat16"},
    ],
    ids=lambda change: next(iter(change)),
)
def test_whatever_the_answer_depends_on_changes_the_key(change: dict[str, Any]) -> None:
    assert answer_key(**{**FACTS, **change}) != answer_key(**FACTS)


def test_the_key_does_not_depend_on_the_order_of_settings_nor_on_the_process() -> None:
    turned = {
        **FACTS,
        "sampling": dict(reversed(FACTS["sampling"].items())),
        "media": [["video", "0" * 64, 0, 30]],
    }
    assert answer_key(**turned) == answer_key(**FACTS)
    assert answer_key(**FACTS) == "f3771805cfeb0611f34228393b81fec9e433c457c578bfc6e67dc918fa128260"


@pytest.mark.parametrize(
    ("setting", "error"), [(float("nan"), ValueError), (float("inf"), ValueError), (object(), TypeError)]
)
def test_settings_that_cannot_be_told_apart_are_refused(setting: object, error: type[Exception]) -> None:
    with pytest.raises(error):
        answer_key(**{**FACTS, "sampling": {"fps": setting}})


def test_an_empty_journal_is_a_journal(tmp_path: Path) -> None:
    with Journal(tmp_path) as journal:
        assert len(journal) == 0
        assert journal


def test_the_first_answer_to_a_question_is_kept(tmp_path: Path) -> None:
    key = "a" * 64
    with Journal(tmp_path) as journal:
        assert journal.put_many([Answer(key, "yes"), Answer(key, "no")]) == 1
        assert journal.put_many([Answer(key, "no")]) == 0
        assert journal.get(key) == Answer(key, "yes")


def test_stale_answers_are_ignored_and_counted(tmp_path: Path) -> None:
    with Journal(tmp_path) as journal:
        journal.put_many(answers(5))
        asked = [answer.key for answer in answers(4, first=3)]
        found = [journal.get(key) for key in asked]
        assert found == [*answers(2, first=3), None, None]
        summary = journal.summary(asked)
    assert (summary.answers, summary.stale, summary.files) == (5, 3, 1)
    assert summary.hits == 2
    assert summary.bytes == sum(path.stat().st_size for path in tmp_path.glob("*.jsonl"))
    assert summary.damaged_lines == 0


def test_files_are_for_their_owner_alone_and_hold_keys_and_answers_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SEMIOLOGY_CACHE", str(tmp_path / "cache"))
    with Journal() as journal:
        key = answer_key(**{**FACTS, "prompt": "Jane Doe"})
        journal.put_many([Answer(key, "yes")])
        assert journal.folder == (tmp_path / "cache" / "journal").resolve()
        assert stat.S_IMODE(journal.folder.stat().st_mode) == 0o700
        assert stat.S_IMODE(journal.path.stat().st_mode) == 0o600
        (line,) = journal.path.read_text().splitlines()
    assert json.loads(line).keys() == {"key", "answer", "extra", "check"}
    assert "Doe" not in line


def test_a_folder_that_cannot_be_made_is_told_in_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(
        JournalError, match=r"file/journal: the journal of answers cannot be written .*SEMIOLOGY_CACHE"
    ):
        Journal(tmp_path / "file" / "journal")


def test_a_full_disk_keeps_none_of_the_group_and_leaves_whole_lines(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, left = os.write, [300]

    def write(handle: int, data: Any) -> int:
        if left[0] <= 0:
            raise OSError(28, "No space left on device")
        written = real(handle, bytes(data)[: left[0]])
        left[0] -= written
        return written

    with Journal(tmp_path) as journal:
        journal.put_many(answers(1))
        with monkeypatch.context() as patch:
            patch.setattr(os, "write", write)
            with pytest.raises(JournalError, match=r"No space left on device.*run the same command again"):
                journal.put_many(answers(9, first=1))
        assert len(journal) == 1
        assert keys_on_disk(tmp_path) == Counter([answers(1)[0].key])
        assert journal.put_many(answers(10)) == 9
    with Journal(tmp_path) as journal:
        assert [journal.get(answer.key) for answer in answers(10)] == answers(10)


def test_a_closed_journal_takes_nothing_more(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    journal.put_many(answers(1))
    journal.close()
    journal.close()
    assert journal.get(answers(1)[0].key) == answers(1)[0]
    with pytest.raises(ValueError, match="closed"):
        journal.put_many(answers(2))


def _write_share(folder: str, rank: int, barrier: Any) -> None:
    gc.disable()  # no decoder of the forked process is to be closed here: that would wait for its threads
    with Journal(Path(folder)) as journal:
        barrier.wait()  # both are open at the same time
        for first in range(rank, 40, 2):
            journal.put_many(answers(1, first=first))
        barrier.wait()


def test_two_processes_write_files_of_their_own_and_a_later_one_reads_both(tmp_path: Path) -> None:
    context = multiprocessing.get_context("fork")
    barrier = context.Barrier(2)
    ranks = [context.Process(target=_write_share, args=(str(tmp_path), rank, barrier)) for rank in range(2)]
    for process in ranks:
        process.start()
    for process in ranks:
        process.join()
    assert [process.exitcode for process in ranks] == [0, 0]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["answers-000.jsonl", "answers-001.jsonl"]
    with Journal(tmp_path) as journal:
        assert [journal.get(answer.key) for answer in answers(40)] == answers(40)
        assert journal.put_many(answers(41)) == 1
    assert keys_on_disk(tmp_path) == Counter(answer.key for answer in answers(41))


def test_a_line_in_the_writing_by_another_process_is_no_damage(tmp_path: Path) -> None:
    with Journal(tmp_path) as other:
        other.put_many(answers(2))
        with other.path.open("ab") as stream:
            stream.write(b'{"key":"half')
        with Journal(tmp_path) as journal:
            assert journal.path != other.path
            assert (len(journal), journal.damaged) == (2, [])
            assert other.path.read_bytes().endswith(b"half")  # not ours to repair


def test_a_file_system_without_locks_gets_a_file_for_every_process(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import fcntl

    def refuse(*_: object) -> None:
        raise OSError(95, "Operation not supported")

    monkeypatch.setattr(fcntl, "flock", refuse)
    with Journal(tmp_path) as first, Journal(tmp_path) as second:
        assert first.path != second.path
        first.put_many(answers(2))
        second.put_many(answers(2, first=2))
    with Journal(tmp_path) as journal:
        assert len(journal) == 4


WRITER = """
import sys
from pathlib import Path
from semiology.backends.journal import Answer, Journal
with Journal(Path(sys.argv[1])) as journal:
    number = 0
    while True:
        group = [Answer(f"{number + i:064x}", f"Yes {number + i} " + "because " * 200) for i in range(5)]
        journal.put_many([answer for answer in group if journal.get(answer.key) is None])
        number += 5
        print(number, flush=True)
"""


@pytest.mark.parametrize("groups", [1, 7, 40])
def test_a_killed_writer_loses_nothing_that_it_reported_and_the_next_one_goes_on(
    tmp_path: Path, groups: int
) -> None:
    def run_and_kill(until: int) -> int:
        with subprocess.Popen(
            [sys.executable, "-c", WRITER, str(tmp_path)], stdout=subprocess.PIPE, text=True
        ) as writer:
            assert writer.stdout is not None
            reported = 0
            for line in writer.stdout:
                reported = int(line)
                if reported >= until:
                    writer.send_signal(signal.SIGKILL)
                    break
            rest = writer.stdout.read().split()
            reported = int(rest[-1]) if rest else reported
        assert writer.returncode == -signal.SIGKILL
        return reported

    first = run_and_kill(5 * groups)
    with Journal(tmp_path) as journal:
        kept = len(journal)
        assert kept >= first
        assert all(f"{number:064x}" in journal for number in range(kept))
        assert journal.damaged == []
    second = run_and_kill(kept + 5 * groups)
    assert second > kept
    with Journal(tmp_path) as journal:
        assert len(journal) >= second
        assert all(f"{number:064x}" in journal for number in range(second))
    counted = keys_on_disk(tmp_path)
    assert set(counted.values()) == {1}
    assert len(list(tmp_path.glob("*.jsonl"))) == 1
