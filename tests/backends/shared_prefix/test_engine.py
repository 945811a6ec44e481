"""The engine as a whole: what is shared by whom, in which order answers come back, and what is told."""

from __future__ import annotations

import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import checkpoint_of
from miniatures import questions
from scene import SAMPLING, WINDOW, asked, engine, messages, stock_answers, watched, write_film

from semiology.backends.shared_prefix.engine import SharedPrefixEngine
from semiology.backends.shared_prefix.frames import DecordReader
from semiology.backends.shared_prefix.loading import Checkpoint
from semiology.backends.shared_prefix.questions import Answer, Question, Settings, UnansweredError

WINDOWS = ((0.0, 6.0), (5.0, 11.0))


@pytest.fixture(scope="module")
def second_film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_film(tmp_path_factory.mktemp("second") / "second.mp4", seconds=12, fps=15, size=(64, 64))


def asked_in_any_order(films: Sequence[Path], texts: Sequence[str]) -> list[Question]:
    """Return every text about both windows of every film, shuffled."""
    combinations = [(film, window, text) for film in films for window in WINDOWS for text in texts]
    random.Random(4).shuffle(combinations)
    return [
        Question(
            number, lambda film=film, window=window, text=text: messages(film, text, window), Settings(6)
        )
        for number, (film, window, text) in enumerate(combinations)
    ]


def test_recordings_are_opened_once_whatever_the_order(
    qwen: Checkpoint, film: Path, second_film: Path
) -> None:
    asking, texts = engine(qwen), questions(5)
    everything = asked_in_any_order((film, second_film), texts)
    with watched(asking) as witness:
        answers = asking.answer(everything)
    assert (witness.opens, witness.reads, witness.vision_runs) == (2, 4, 4)
    assert asking.counts.prefix_prefills == 4
    assert witness.language_tokens == asking.counts.language_model_tokens
    alone = [engine(qwen, "none").answer([question])[0].text for question in everything]
    assert [answer.text for answer in answers] == alone


def test_what_cannot_be_shown_is_marked_and_the_rest_goes_on(
    qwen: Checkpoint, film: Path, tmp_path: Path
) -> None:
    damaged = tmp_path / "damaged.mp4"
    damaged.write_bytes(film.read_bytes()[:200])

    def unusable() -> Any:
        raise UnansweredError("no sound track")

    def unknown() -> Any:
        return [{"role": "user", "content": [{"type": "smell", "url": "x"}]}]

    texts = questions(3)
    builders = [
        lambda: messages(film, texts[0]),
        lambda: messages(tmp_path / "none.mp4", texts[0]),
        lambda: messages(damaged, texts[0]),
        lambda: messages(film, texts[1], (100.0, 130.0)),
        unusable,
        unknown,
        lambda: messages(film, texts[2]),
    ]
    asking = engine(qwen)
    answers = asking.answer([Question(n, build, Settings(6)) for n, build in enumerate(builders)])
    reasons = [answer.failure or "" for answer in answers]
    assert [bool(reason) for reason in reasons] == [False, True, True, True, True, True, False]
    for reason, word in zip(reasons[1:6], ("exist", "damaged.mp4", "frames", "sound", "smell"), strict=True):
        assert word in reason
    assert asking.counts.unanswered == 5
    assert asking.counts.prefix_prefills == 1
    assert [a.text for a in (answers[0], answers[6])] == [
        a.text for a in engine(qwen).answer(asked(film, [texts[0], texts[2]], 6))
    ]


class Damaged(DecordReader):
    """Cannot decode the second window."""

    def open(self, path: str) -> Any:
        manager = super().open(path)
        recording = manager.__enter__()
        plain = recording.windows

        def windows(wanted: Any) -> Any:
            for number, frames in enumerate(plain(wanted)):
                yield UnansweredError("frame 57 is damaged") if number == 1 else frames

        recording.windows = windows  # type: ignore[method-assign]

        class Manager:
            def __enter__(self) -> Any:
                return recording

            def __exit__(self, *error: Any) -> None:
                manager.__exit__(*error)

        return Manager()


def test_a_damaged_window_leaves_the_others_alone(qwen: Checkpoint, film: Path) -> None:
    asking = engine(qwen)
    asking.reader = Damaged()
    windows = [(0.0, 5.0), (4.0, 9.0), (8.0, 13.0)]
    both = [
        Question(number, lambda w=windows[number % 3], t=str(number): messages(film, t, w), Settings(4))
        for number in range(6)
    ]
    failures = [answer.failure for answer in asking.answer(both)]
    assert failures == [None, "frame 57 is damaged", None] * 2
    assert asking.counts.decodes == 2


def test_the_hooks_are_told_everything_and_what_is_known_is_not_asked(qwen: Checkpoint, film: Path) -> None:
    told: list[tuple[int, str]] = []
    planned: list[int] = []
    texts = questions(6)
    asking = engine(qwen, token_budget=1)
    answers = asking.answer(
        asked(film, texts),
        on_answers=lambda new: told.extend((question.number, answer.text) for question, answer in new),
        already=lambda question: Answer("known") if question.number == 2 else None,
        planned=lambda all_of_them: planned.extend(question.number for question in all_of_them),
    )
    assert planned == list(range(6))
    assert sorted(told) == [(n, answer.text) for n, answer in enumerate(answers) if n != 2]
    assert answers[2].text == "known"
    assert asking.counts.recalled == 1
    assert asking.counts.sharing == {"packed": 5}


def test_a_recording_whose_answers_are_all_known_is_not_opened(qwen: Checkpoint, tmp_path: Path) -> None:
    asking = engine(qwen)
    gone = asked(tmp_path / "gone.mp4", questions(2))
    answers = asking.answer(gone, already=lambda question: Answer(f"known {question.number}"))
    assert [answer.text for answer in answers] == ["known 0", "known 1"]
    assert asking.counts.opens == 0


def test_the_identity_of_a_question_holds_prompt_window_and_settings(qwen: Checkpoint, film: Path) -> None:
    seen: dict[str, Any] = {}

    def known(question: Question) -> Answer:
        seen[repr((question.text, question.media, question.settings))] = None
        return Answer("")

    engine(qwen).answer(asked(film, ["Tonic?"]), already=known)
    engine(qwen).answer(asked(film, ["Clonic?"]), already=known)
    engine(qwen).answer(asked(film, ["Tonic?"], new_tokens=3), already=known)
    engine(qwen).answer(asked(film, ["Tonic?"], window=(2.0, 9.0)), already=known)
    engine(qwen).answer(asked(film, ["Tonic?"]), already=known)
    assert len(seen) == 4
    assert "assistant" in next(iter(seen))
    assert str(WINDOW[0]) in next(iter(seen))


def test_identical_questions_are_asked_once(qwen: Checkpoint, film: Path) -> None:
    asking = engine(qwen)
    answers = asking.answer(asked(film, ["Tonic?", "Clonic?", "Tonic?", "Tonic?"]))
    assert answers[0] == answers[2] == answers[3]
    assert asking.counts.repeated == 2
    assert asking.counts.sharing == {"packed": 2}


def test_a_question_without_a_video_is_answered(qwen: Checkpoint) -> None:
    texts = ["Is it late?", "What is an aura?"]
    asking = engine(qwen)
    plain = [
        Question(n, lambda text=text: [{"role": "user", "content": text}], Settings(6))
        for n, text in enumerate(texts)
    ]
    answers = asking.answer(plain)
    for answer, text in zip(answers, texts, strict=True):
        prompt = qwen.processor.apply_chat_template(
            [{"role": "user", "content": text}], tokenize=False, add_generation_prompt=True
        )
        inputs = qwen.tokenizer(prompt, return_tensors="pt")
        out = qwen.model.generate(**inputs, do_sample=False, max_new_tokens=6)
        tail = out[0, inputs["input_ids"].shape[1] :]
        assert answer.text == qwen.tokenizer.decode(tail, skip_special_tokens=True)
    assert asking.counts.opens == asking.counts.vision_runs == 0


def with_sound(film: Path, text: str, sound: Any) -> list[dict[str, Any]]:
    (turn,) = messages(film, text)
    video, question = turn["content"]
    return [{"role": "user", "content": [video, {"type": "audio", "url": sound}, question]}]


@pytest.mark.parametrize("name", ["qwen2_5_omni", "qwen3_omni"])
def test_video_with_sound_is_a_prefix_of_its_own_that_shares_the_encoded_video(name: str, film: Path) -> None:
    checkpoint, texts = checkpoint_of(name), questions(5)
    rng = np.random.default_rng(0)
    sound, other = (rng.normal(0, 0.3, 16_000 * 3).astype(np.float32) for _ in range(2))
    deaf = asked(film, texts, 6)
    hearing = [
        Question(
            5 + n, lambda t=text, s=(sound if n < 3 else other): with_sound(film, t, s.copy()), Settings(6)
        )
        for n, text in enumerate(texts)
    ]
    asking = engine(checkpoint)
    answers = asking.answer([*deaf, *hearing])
    assert all(answer.failure is None for answer in answers)
    assert (asking.counts.decodes, asking.counts.vision_runs, asking.counts.prefix_prefills) == (1, 1, 3)
    alone = [engine(checkpoint, "none").answer([question])[0].text for question in hearing]
    assert [answer.text for answer in answers[5:]] == alone
    assert [answer.text for answer in answers[5:8]] != [answer.text for answer in answers[:3]]


def test_sound_for_a_model_that_hears_nothing_is_refused(qwen: Checkpoint, film: Path) -> None:
    sound = np.zeros(16_000, np.float32)
    question = Question(0, lambda: with_sound(film, "Tonic?", sound), Settings(6))
    (answer,) = engine(qwen).answer([question])
    assert "takes no sound" in str(answer.failure)


def test_several_videos_in_one_question(qwen: Checkpoint, film: Path, second_film: Path) -> None:
    def both(text: str) -> list[dict[str, Any]]:
        (one,), (two,) = messages(film, text), messages(second_film, text, (1.0, 5.0))
        return [{"role": "user", "content": [one["content"][0], two["content"][0], one["content"][1]]}]

    texts = questions(4)
    asking = engine(qwen)
    pairs = [Question(n, lambda text=text: both(text), Settings(6)) for n, text in enumerate(texts)]
    answers = asking.answer([*pairs, *(_numbered(question, 4) for question in asked(film, texts, 6))])
    assert (asking.counts.opens, asking.counts.decodes, asking.counts.prefix_prefills) == (2, 2, 2)
    alone = [engine(qwen, "none").answer([question])[0].text for question in pairs]
    assert [answer.text for answer in answers[:4]] == alone
    assert [answer.text for answer in answers[4:]] == [
        answer.text for answer in engine(qwen).answer(asked(film, texts, 6))
    ]


def _numbered(question: Question, offset: int) -> Question:
    question.number += offset
    return question


def unknown(checkpoint: Checkpoint) -> Checkpoint:
    """Return the same model as one of a family that no test has held against full prompts."""
    from dataclasses import replace

    return replace(checkpoint, family=replace(checkpoint.family, verified=False))


def test_an_unknown_architecture_is_compared_with_its_full_prompt_first(qwen: Checkpoint, film: Path) -> None:
    asking = engine(unknown(qwen))
    answers = asking.answer(asked(film, questions(6)))
    assert asking.sharing == "packed"
    assert [a.text for a in answers] == [a.text for a in engine(qwen).answer(asked(film, questions(6)))]


def test_an_unknown_architecture_that_disagrees_gets_the_next_way(
    qwen: Checkpoint, film: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    from semiology.backends.shared_prefix import lanes

    right = lanes.PackedLane.start
    monkeypatch.setattr(lanes.PackedLane, "start", lambda self, suffixes: right(self, suffixes).flip(-1))
    asking = engine(unknown(qwen))
    answers = asking.answer(asked(film, questions(6)))
    assert asking.sharing == "padded"
    assert "other logits" in caplog.text
    assert asking.counts.sharing == {"padded": 6}
    assert [answer.text for answer in answers] == stock_answers(qwen, film, questions(6))


def test_the_default_reader_and_options_are_enough(qwen: Checkpoint, film: Path) -> None:
    asking = SharedPrefixEngine(qwen, SAMPLING)
    (answer,) = asking.answer(asked(film, ["Tonic?"]))
    assert answer.failure is None
    assert asking.counts.as_dict()["sharing"] == {"packed": 1}
    assert "1 prefills" in asking.counts.summary()
