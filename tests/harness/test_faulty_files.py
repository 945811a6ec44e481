"""A file that cannot be read costs the questions about it, whatever the model class does with its error."""

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from semiology.backends.journal import failure_of
from semiology.data.media.probe import MediaError
from semiology.harness import console_script
from semiology.harness.faulty_files import Unanswered, ask_around_faults, faults_kept_apart


@dataclass(frozen=True)
class Request:
    """A question of the chat protocol, as far as asking looks at it."""

    args: tuple[Any, ...]


def messages(document: Mapping[str, Any]) -> list[str]:
    if document["video"] == "broken.mp4":
        raise MediaError("videos/broken.mp4 is damaged near 3.00 s")
    return [document["video"]]


def requests_of(videos: Sequence[str]) -> tuple[list[Request], list[dict[str, str]]]:
    documents = [{"video": name} for name in videos]
    return [
        Request((name, messages, {"max_new_tokens": 5}, n, "t", "test")) for n, name in enumerate(videos)
    ], documents


def test_questions_about_other_files_are_answered() -> None:
    asked: list[int] = []

    def ask(requests: list[Request]) -> list[str]:
        asked.append(len(requests))
        for request in requests:
            request.args[1]({"video": request.args[0]})
        return [request.args[0] for request in requests]

    requests, documents = requests_of(["a.mp4", "broken.mp4", "b.mp4", "broken.mp4", "c.mp4"])
    replies = ask_around_faults(ask, requests, documents)
    assert [replies[n] for n in (0, 2, 4)] == ["a.mp4", "b.mp4", "c.mp4"]
    assert {failure_of(replies[n]) for n in (1, 3)} == {"videos/broken.mp4 is damaged near 3.00 s"}
    assert asked == [5, 3]


def test_a_film_that_the_model_class_itself_cannot_read_is_found_by_asking_less_at_once() -> None:
    def ask(requests: list[Request]) -> list[str]:
        for request in requests:
            if request.args[0] == "odd.mp4":
                try:
                    raise MediaError("videos/odd.mp4: its frames cannot be read")
                except MediaError as error:
                    raise AttributeError("no read_video") from error
        return ["yes" for _ in requests]

    requests, documents = requests_of(["a.mp4", "b.mp4", "odd.mp4", "c.mp4", "d.mp4", "e.mp4"])
    replies = ask_around_faults(ask, requests, documents)
    assert [failure_of(reply) is not None for reply in replies] == [False, False, True, False, False, False]


def test_an_error_of_another_kind_is_raised() -> None:
    def ask(requests: list[Request]) -> list[str]:
        raise RuntimeError("out of memory")

    with pytest.raises(RuntimeError, match="out of memory"):
        ask_around_faults(ask, *requests_of(["a.mp4", "b.mp4"]))


def test_a_bare_run_of_lmms_eval_goes_on_too(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    requests, documents = requests_of(["a.mp4", "broken.mp4", "b.mp4"])
    for document in documents:
        document |= {"video_id": document["video"], "question": "Is there …?"}

    def generate_until(asked: list[Request]) -> list[str]:
        return ["".join(request.args[1](documents[request.args[3]])) for request in asked]

    lm = SimpleNamespace(generate_until=generate_until, task_dict={"t": {"test": documents}})
    monkeypatch.setattr(Unanswered, "count", 0)
    with faults_kept_apart(lm):
        replies = lm.generate_until(requests)
    assert [replies[0], replies[2]] == ["a.mp4", "b.mp4"]
    assert failure_of(replies[1]) == "videos/broken.mp4 is damaged near 3.00 s"
    assert "1 of 3 requests got no reply and count as unparsed" in caplog.text
    assert lm.generate_until is generate_until
    assert Unanswered.count == 1


MODULE = """
import atexit, os, sys
from types import SimpleNamespace
from semiology.harness.faulty_files import failed_reply, faults_kept_apart
atexit.register(print, "closed")
lm = SimpleNamespace(generate_until=lambda asked: [failed_reply("damaged")] if "bad" in sys.argv else ["yes"])
document = {"video_id": "a", "question": "Is there?"}
lm.task_dict = {"t": {"test": [document]}}
request = SimpleNamespace(args=("p", {}, 0, "t", "test"))
with faults_kept_apart(lm):
    lm.generate_until([request])
if "error" in sys.argv:
    raise RuntimeError("mine")
"""


@pytest.mark.parametrize(
    ("words", "world", "status"), [("", "1", 0), ("bad", "1", 3), ("bad error", "1", 1), ("bad", "2", 0)]
)
def test_lmms_eval_as_a_module_ends_with_the_same_status(
    tmp_path: Path, words: str, world: str, status: int
) -> None:
    """Not under a launcher, which would kill the other processes for it; and an error keeps its own status."""
    (tmp_path / "lmms_eval").mkdir()
    (tmp_path / "lmms_eval" / "__init__.py").touch()
    (tmp_path / "lmms_eval" / "__main__.py").write_text(MODULE)
    places = os.pathsep.join([str(tmp_path), *filter(None, sys.path)])
    ended = subprocess.run(
        [sys.executable, "-m", "lmms_eval", *words.split()],
        env={**os.environ, "PYTHONPATH": places, "WORLD_SIZE": world}, cwd=tmp_path, capture_output=True, text=True,
    )  # fmt: skip
    assert ended.returncode == status, ended.stderr
    assert ended.stdout == "closed\n"


@pytest.mark.parametrize(("unanswered", "status"), [(0, None), (2, 3)])
def test_the_status_of_a_bare_run_tells_of_requests_without_a_reply(
    unanswered: int, status: int | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Unanswered, "count", 0)
    monkeypatch.setattr(sys, "argv", ["lmms_eval", "version"])

    def dispatch() -> None:
        Unanswered.count += unanswered

    monkeypatch.setattr("lmms_eval.cli.dispatch.main", dispatch)
    try:
        console_script.main()
        ended = None
    except SystemExit as error:
        ended = error.code
    assert ended == status
