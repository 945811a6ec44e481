"""An engine that is killed goes on where it was, and reads the next recording while it asks about one."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from semiology.backends.journal import Journal
from semiology.backends.shared_prefix.engine import SharedPrefixEngine
from semiology.backends.shared_prefix.frames import StreamedReader
from semiology.backends.shared_prefix.loading import Checkpoint
from semiology.backends.shared_prefix.questions import Answer, Question
from semiology.backends.shared_prefix.resuming import Resuming

FOLDER = Path(__file__).parent
QUESTIONS = 12
WINDOWS = ((0.0, 6.0), (5.0, 11.0))


def asked_about(films: Sequence[Path]) -> list[Question]:
    from scene import Settings, messages, questions

    texts = questions(QUESTIONS)
    built = [
        lambda film=film, text=text, window=window: messages(film, text, window)
        for text in texts
        for film in films
        for window in WINDOWS
    ]  # prompt by prompt through all recordings, as lmms-eval sends them
    return [Question(number, build, Settings(6)) for number, build in enumerate(built)]


def engine_of(checkpoint: Checkpoint) -> SharedPrefixEngine:
    from scene import SAMPLING, Options

    return SharedPrefixEngine(checkpoint, SAMPLING, Options(token_budget=40), StreamedReader())


def hooks_of(folder: Path, journal: Journal) -> Resuming:
    return Resuming(journal, model="miniature", setup={}, cache=folder / "cache")


def answer_until_killed(folder: str) -> None:
    """The part that runs in the process to be killed: says after every group that it is on the disk."""
    from conftest import checkpoint_of

    with Journal(Path(folder) / "journal") as journal:
        hooks = hooks_of(Path(folder), journal)

        def on_answers(answered: list[tuple[Question, Answer]]) -> None:
            hooks.on_answers(answered)
            print(len(journal), flush=True)

        films = sorted(Path(folder).glob("*.mp4"))
        engine_of(checkpoint_of("qwen2_5_vl")).answer(asked_about(films), on_answers, hooks.already)


@pytest.fixture
def films(film: Path, tmp_path: Path) -> list[Path]:
    return [Path(shutil.copy(film, tmp_path / name)) for name in ("a.mp4", "b.mp4")]


def test_a_killed_run_goes_on_without_asking_again(
    qwen: Checkpoint, films: list[Path], tmp_path: Path
) -> None:
    films[1].write_bytes(films[1].read_bytes() + b"\0" * 8)  # another content, the same pictures
    questions = asked_about(films)
    expected = engine_of(qwen).answer(questions)
    code = f"import sys; sys.path.insert(0, {str(FOLDER)!r}); import test_stop_and_resume as t; "
    command = [sys.executable, "-c", code + f"t.answer_until_killed({str(tmp_path)!r})"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as run:
        assert run.stdout is not None
        lines = iter(run.stdout)
        kept = next(int(line) for line in lines if int(line) > len(questions) // 3)
        run.send_signal(signal.SIGKILL)
        kept = max([kept, *(int(line) for line in lines)])
    assert run.returncode == -signal.SIGKILL
    with Journal(tmp_path / "journal") as journal:
        answered = len(journal)
        assert kept <= answered < len(questions)
        hooks, engine = hooks_of(tmp_path, journal), engine_of(qwen)
        assert engine.answer(questions, hooks.on_answers, hooks.already, hooks.plan) == expected
        assert engine.counts.recalled == answered
        assert len(journal) == len(questions)
        again = engine_of(qwen)
        assert again.answer(questions, hooks.on_answers, hooks.already) == expected
    assert again.counts.recalled == len(questions)
    assert (again.counts.opens, again.counts.decodes, again.counts.language_model_tokens) == (0, 0, 0)
    lines_of = [json.loads(line) for path in (tmp_path / "journal").glob("*.jsonl") for line in path.open()]
    assert set(Counter(line["key"] for line in lines_of).values()) == {1}


class Watched(StreamedReader):
    """Notes when a recording is opened, asked for its windows, and closed."""

    def __init__(self, events: list[str]) -> None:
        super().__init__()
        self.events = events

    @contextmanager
    def open(self, path: str) -> Iterator[Any]:
        name = Path(path).name
        with super().open(path) as recording:
            plain = recording.windows

            def windows(wanted: Sequence[Sequence[int]]) -> Any:
                self.events.append(f"read {name}")
                return plain(wanted)

            recording.windows = windows  # type: ignore[method-assign]
            yield recording
        self.events.append(f"close {name}")


def test_the_next_recording_is_read_while_the_model_answers(
    qwen: Checkpoint, films: list[Path], tmp_path: Path
) -> None:
    third = Path(shutil.copy(films[0], tmp_path / "c.mp4"))
    events: list[str] = []
    engine = engine_of(qwen)
    engine.reader = Watched(events)

    def on_answers(answered: list[tuple[Question, Answer]]) -> None:
        video = answered[0][0].video
        assert video is not None
        events.append(f"answer {Path(video.source).name}")

    engine.answer(asked_about([*films, third]), on_answers)
    order = list(dict.fromkeys(events))
    assert order == [
        "read a.mp4", "read b.mp4", "answer a.mp4", "close a.mp4",
        "read c.mp4", "answer b.mp4", "close b.mp4", "answer c.mp4", "close c.mp4",
    ]  # fmt: skip
    assert (engine.counts.opens, engine.counts.decodes, engine.counts.unanswered) == (3, 6, 0)


def test_a_journal_that_cannot_be_written_stops_the_run_and_all_reading(
    qwen: Checkpoint, films: list[Path]
) -> None:
    events: list[str] = []
    engine = engine_of(qwen)
    engine.reader = Watched(events)

    def full(_: object) -> None:
        raise OSError("no space left on the disk")

    with pytest.raises(OSError, match="no space left"):
        engine.answer(asked_about(films), full)
    assert events == ["read a.mp4", "read b.mp4"]
    assert not [thread for thread in threading.enumerate() if thread.name == "prefetch"]
