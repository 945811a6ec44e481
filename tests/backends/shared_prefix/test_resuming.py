"""The hooks between engine, journal and progress: what is answered is not asked again, and only that."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from semiology.backends.checkpoint_stamp import checkpoint_stamp
from semiology.backends.journal import Journal
from semiology.backends.shared_prefix.loading import Checkpoint, family_of
from semiology.backends.shared_prefix.questions import Answer, Question, Settings, read_messages
from semiology.backends.shared_prefix.resuming import Resuming, resumed
from semiology.render.progress import RunProgress

SETUP = {"fps": 2.0, "score": False}


@pytest.fixture
def videos(tmp_path: Path) -> list[Path]:
    paths = [tmp_path / f"{number}.mp4" for number in range(2)]
    for path in paths:
        path.write_bytes(path.name.encode() * 10)
    return paths


def question(
    number: int, video: Path | np.ndarray, text: str = "Stiff?", start: float = 0.0, **settings: Any
) -> Question:
    def build() -> Sequence[dict[str, Any]]:
        kind = "video" if isinstance(video, Path) else "audio"
        url = str(video) if isinstance(video, Path) else video
        medium = {"type": kind, "url": url, "start_time": start, "end_time": start + 30}
        return [{"role": "user", "content": [medium, {"type": "text", "text": text}]}]

    made = Question(number, build, Settings(**settings))
    read_messages(made, None)
    made.text = f"<user>{text}"
    return made


def resuming(tmp_path: Path, journal: Journal, **changes: Any) -> Resuming:
    facts: dict[str, Any] = {"model": "content 1 float32", "setup": SETUP, "cache": tmp_path / "cache"}
    return Resuming(journal, **(facts | changes))


def run(hooks: Resuming, questions: list[Question], failing: Sequence[int] = ()) -> list[int]:
    """Play the engine: return the numbers of the questions that were asked."""
    hooks.plan(questions)
    asked = [item for item in questions if hooks.already(item) is None]
    for item in asked:
        failed = "out of memory" if item.number in failing else None
        answer = Answer("" if failed else f"yes {item.number}", 3, {"yes": -0.25}, failed)
        hooks.on_answers([(item, answer)])
    return [item.number for item in asked]


def test_a_second_run_asks_only_what_has_no_answer(tmp_path: Path, videos: list[Path]) -> None:
    questions = [question(n, videos[n % 2], f"Question {n}?") for n in range(6)]
    with Journal(tmp_path / "journal") as journal:
        assert run(resuming(tmp_path, journal), questions[:4], failing=[2]) == [0, 1, 2, 3]
    with Journal(tmp_path / "journal") as journal:
        hooks = resuming(tmp_path, journal)
        assert run(hooks, questions) == [2, 4, 5]
        assert hooks.already(questions[3]) == Answer("yes 3", 3, {"yes": -0.25})
        assert "6 answers, 0 of them to other questions" in hooks.summary()


@pytest.mark.parametrize(
    "change",
    ["wording", "window", "content", "length", "until", "model", "setup"],
)
def test_whatever_changes_the_answer_is_asked_again(tmp_path: Path, videos: list[Path], change: str) -> None:
    with Journal(tmp_path / "journal") as journal:
        run(resuming(tmp_path, journal), [question(0, videos[0])])
        assert run(resuming(tmp_path, journal), [question(0, videos[0])]) == []
        hooks, again = resuming(tmp_path, journal), question(0, videos[0])
        if change == "wording":
            again = question(0, videos[0], "Floppy?")
        elif change == "window":
            again = question(0, videos[0], start=25.0)
        elif change == "content":
            videos[0].write_bytes(b"another film")
        elif change == "length":
            again = question(0, videos[0], max_new_tokens=5)
        elif change == "until":
            again = question(0, videos[0], until=("\n",))
        elif change == "model":
            hooks = resuming(tmp_path, journal, model="content 2 float32")
        else:
            hooks = resuming(tmp_path, journal, setup={**SETUP, "fps": 1.0})
        assert run(hooks, [again]) == [0]


def test_a_moved_recording_is_recognised_and_sound_is_told_by_its_content(
    tmp_path: Path, videos: list[Path]
) -> None:
    sound = np.arange(100, dtype=np.float32)
    with Journal(tmp_path / "journal") as journal:
        run(resuming(tmp_path, journal), [question(0, videos[0]), question(1, sound)])
        moved = videos[0].rename(tmp_path / "moved.mp4")
        assert run(resuming(tmp_path, journal), [question(0, moved), question(1, sound.copy())]) == []
        assert run(resuming(tmp_path, journal), [question(0, sound + 1)]) == [0]


def test_sampled_answers_are_drawn_afresh(tmp_path: Path, videos: list[Path]) -> None:
    with Journal(tmp_path / "journal") as journal:
        for _ in range(2):
            assert run(resuming(tmp_path, journal), [question(0, videos[0], temperature=0.7)]) == [0]
        assert len(journal) == 0


def test_a_missing_file_is_left_to_the_engine(tmp_path: Path) -> None:
    with Journal(tmp_path / "journal") as journal:
        assert run(resuming(tmp_path, journal), [question(0, tmp_path / "none.mp4")]) == [0]
        assert len(journal) == 0


@pytest.fixture
def checkpoint(tmp_path: Path) -> Checkpoint:
    folder = tmp_path / "checkpoint"
    folder.mkdir()
    (folder / "model.safetensors").write_text("weights")
    model = SimpleNamespace(dtype="float32", device="cpu")
    return Checkpoint(model, None, family_of("qwen2_5_vl"), str(folder), "main")


@pytest.mark.parametrize("journal", ["auto", "here"])
def test_the_same_command_asks_nothing_again_and_another_model_everything(
    tmp_path: Path, videos: list[Path], checkpoint: Checkpoint, journal: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SEMIOLOGY_CACHE", str(tmp_path / "derived"))
    chosen = str(tmp_path / "here") if journal == "here" else journal
    questions = [question(n, videos[0], f"Question {n}?") for n in range(3)]

    def ask() -> list[int]:
        with resumed(
            chosen, lambda cache: checkpoint_stamp(checkpoint.name, cache), SETUP, questions=3
        ) as hooks:
            asked = run(hooks, questions)
            assert "3 answers" in hooks.summary() or "6 answers" in hooks.summary()
        return asked

    assert ask() == [0, 1, 2]
    assert ask() == []
    assert (tmp_path / "here").exists() == (journal == "here")
    assert (tmp_path / "derived" / "journal").exists() == (journal == "auto")
    (Path(checkpoint.name) / "model.safetensors").write_text("other weights")
    assert ask() == [0, 1, 2]


def test_without_a_journal_everything_is_asked_and_nothing_kept(
    tmp_path: Path, videos: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SEMIOLOGY_CACHE", str(tmp_path / "derived"))
    for _ in range(2):
        with resumed("none", lambda _: "never asked", SETUP, questions=1) as hooks:
            assert run(hooks, [question(0, videos[0])]) == [0]
            assert hooks.summary() == "no journal"
    assert list((tmp_path / "derived").iterdir()) == []


def test_progress_counts_questions_answers_from_the_journal_and_segments(
    tmp_path: Path, videos: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SEMIOLOGY_QUIET", raising=False)
    # Of two recordings, the first one's last question about a second window.
    starts = [0, 0, 30, 0, 0, 0]
    questions = [question(n, videos[n // 3], f"Question {n}?", start=starts[n]) for n in range(6)]
    with Journal(tmp_path / "journal") as journal:
        run(resuming(tmp_path, journal), questions[:2])
        with RunProgress(6, stream=io.StringIO()) as progress:
            hooks = resuming(tmp_path, journal, progress=progress)
            run(hooks, questions[:5])
            tally = replace(progress.tally)
    assert (tally.answered, tally.from_journal) == (5, 2)
    assert (tally.segments, tally.segments_done) == (3, 3)
