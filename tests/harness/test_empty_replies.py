"""A model class that says nothing about a segment has failed; one empty reply among others is a reply."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from lmms_eval.api.instance import GenerationResult, Instance

from semiology.backends.journal import failure_of
from semiology.harness.empty_replies import empty_windows_marked

DOCUMENTS = [
    {"video": "a.mp4", "video_id": "a", "question": "?", "start_s": start, "end_s": start + 5.0}
    for start in (0.0, 0.0, 5.0, 5.0)
] + [{"something": "else"}]


class Lm:
    """A model class that gives prepared replies."""

    def __init__(self, replies: list[Any]) -> None:
        self.replies = replies
        self.task_dict = {"t": {"test": DOCUMENTS}}

    def generate_until(self, requests: Any) -> list[Any]:
        return [self.replies[request.args[-3]] for request in requests]


def requests() -> list[Instance]:
    metadata = {"task": "t", "doc_id": 0, "repeats": 1}
    return [
        Instance("generate_until", ("?", lambda _: [], {}, number, "t", "test"), 0, metadata=metadata)
        for number in range(len(DOCUMENTS))
    ]


def test_only_segments_without_any_word_are_marked() -> None:
    lm = Lm(["", "yes", "", "  ", ""])
    with empty_windows_marked(lm):
        first, second, third, fourth, other = lm.generate_until(requests())
    assert (first, second, other) == ("", "yes", "")
    assert "nothing for any question" in str(failure_of(third))
    assert fourth == third
    assert lm.generate_until(requests()) == ["", "yes", "", "  ", ""]


def test_the_form_of_a_reply_is_kept() -> None:
    lm = Lm([GenerationResult(text=""), GenerationResult(text=""), "no", "no", "x"])
    with empty_windows_marked(lm):
        first, second, *_ = lm.generate_until(requests())
    assert isinstance(first, GenerationResult)
    assert failure_of(first.text)
    assert failure_of(second.text)


def test_a_run_marks_them_and_does_not_keep_them(
    small_set: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Through ``semiology run``: status, count, and the same command asks again."""
    from semiology.backends.constant import ConstantAnswer
    from semiology.harness.options import RunOptions
    from semiology.harness.run import RunError, check_replies, failed_requests, run

    asked: list[int] = []

    def nothing(self: Any, requests: Any) -> list[Any]:
        asked.append(len(requests))
        return ["" for _ in requests]

    original = ConstantAnswer.generate_until
    monkeypatch.setattr(ConstantAnswer, "generate_until", nothing)
    options = RunOptions(
        data=small_set,
        model="semiology_constant",
        model_args="answer=yes",
        tasks="semiology_tonic",
        out=tmp_path / "runs",
    )
    folder = run(options)
    reasons, questions = failed_requests(folder)
    assert len(reasons) == questions == sum(asked) > 0
    with pytest.raises(RunError, match="the model class returned nothing"):
        check_replies(folder)
    monkeypatch.setattr(ConstantAnswer, "generate_until", original)
    assert failed_requests(run(options)) == ([], questions)


def test_two_wrappers_mark_a_reply_once() -> None:
    """The journal's own wrapper and the plug-in's may both be there; a marked reply stays as it is."""
    lm = Lm([""] * 5)
    with empty_windows_marked(lm), empty_windows_marked(lm):
        first, *_ = lm.generate_until(requests())
    assert str(first).count("LMMS_EVAL_REQUEST_FAILED") == 1
