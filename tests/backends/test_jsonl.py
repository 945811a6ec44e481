"""The JSONL process protocol: lines, the server's batches and timeouts, and a driven command."""

from __future__ import annotations

import contextlib
import io
import json
import sys
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from semiology.backends.jsonl.process import JsonlProcess
from semiology.backends.jsonl.protocol import (
    ProtocolError,
    Request,
    answer_line,
    error_line,
    read_answer,
    read_request,
)
from semiology.harness.serve_jsonl.server import JsonlServer, utf8_lines

LINE = '{"id": "%s", "video": "a.mp4", "prompt": "Is it?"%s}'


def test_a_request_survives_its_line() -> None:
    request = Request("7", "a.mp4", 'Is it "so"\u2028?\n', 1.5, 30.0, 12, 3.0)
    assert request.line().count("\n") == 1
    assert read_request(request.line()) == request
    assert read_request('{"id": 3, "video_path": "a.mp4", "question": "Is it?"}') == Request(
        "3", "a.mp4", "Is it?"
    )


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("what", "no JSON"),
        ("[1]", "no JSON object"),
        ('{"id": "1", "prompt": "Is it?"}', "'video' is missing"),
        ('{"id": "1", "video": "a.mp4", "prompt": " "}', "'prompt' is missing"),
        (LINE % ("1", ', "start_s": 5, "end_s": 5'), "ends at 5 s"),
        (LINE % ("1", ', "start_s": "x"'), "'start_s' must be a number"),
        (LINE % ("1", ', "start_s": NaN'), "'start_s' must be a number"),
        (LINE % ("1", ', "start_s": ' + "9" * 400), "'start_s' must be a number"),  # too large for a float
        (LINE % ("1", ', "timeout_s": 0'), "above 0"),
        ("x" * 1_000_001, "1000001 characters"),
    ],
)
def test_a_line_that_is_no_request_is_told(line: str, message: str) -> None:
    with pytest.raises(ProtocolError, match=message):
        read_request(line)


@given(st.text())
def test_any_text_is_a_request_or_an_error_and_an_answer_or_none(line: str) -> None:
    with contextlib.suppress(ProtocolError):
        assert isinstance(read_request(line), Request)
    found = read_answer(line)
    assert found is None or len(found) == 3


def test_answers_and_errors_survive_their_lines() -> None:
    assert read_answer(answer_line("1", "Yes\nno", 0.5)) == ("1", "Yes\nno", None)
    assert read_answer(error_line("1", "timeout", "late")) == ("1", None, "timeout: late")
    assert read_answer("warming up") is None


def served(
    answer_batch: Any, lines: Sequence[str] | Iterator[str], **options: Any
) -> tuple[dict[str, Any], JsonlServer]:
    out = io.StringIO()
    server = JsonlServer(answer_batch, out, **options)
    server.serve(lines)
    return {str(each.get("id")): each for each in map(json.loads, out.getvalue().splitlines())}, server


def test_every_request_is_answered_once_and_bad_lines_are_errors() -> None:
    found, _ = served(
        lambda batch: [f"to {each.id}" for each in batch], [LINE % ("1", ""), "", "what", LINE % ("2", "")]
    )
    assert found["1"]["text"] == "to 1"
    assert found["2"]["text"] == "to 2"
    assert found["None"]["error"]["kind"] == "bad_request"


def test_what_is_queued_is_answered_in_one_batch() -> None:
    first, queued = threading.Event(), threading.Event()

    def lines() -> Iterator[str]:
        yield LINE % ("0", "")
        first.wait(30)  # the model has the first request
        yield from (LINE % (number, "") for number in range(1, 6))
        queued.set()

    def answer_batch(batch: Sequence[Request]) -> list[str]:
        first.set()
        queued.wait(30)
        return ["Yes"] * len(batch)

    found, server = served(answer_batch, lines())
    assert len(found) == 6
    assert server.batches == [1, 5]


def test_a_model_that_fails_or_hangs_costs_only_its_own_requests() -> None:
    release = threading.Event()

    def answer_batch(batch: Sequence[Request]) -> list[str | Exception]:
        if batch[0].id == "slow":
            release.wait(30)
            return ["too late"]
        if batch[0].id == "bad":
            raise RuntimeError("out of memory")
        return ["Yes"] * len(batch)

    def lines() -> Iterator[str]:
        yield LINE % ("bad", "")
        yield LINE % ("slow", ', "timeout_s": 0.2')
        threading.Timer(1.0, release.set).start()
        yield LINE % ("good", "")

    found, _ = served(answer_batch, lines(), max_batch=1)
    assert found["bad"]["error"] == {"kind": "model_failed", "message": "out of memory"}
    assert found["slow"]["error"]["kind"] == "timeout"
    assert found["good"]["text"] == "Yes"


def test_bytes_that_are_no_utf8_cost_no_other_request_its_answer() -> None:
    lines = [b'{"id": "1", "video": "\xff.mp4", "prompt": "Is it?"}\n', (LINE % ("2", "")).encode() + b"\n"]
    found, _ = served(lambda batch: [each.video for each in batch], utf8_lines(io.BytesIO(b"".join(lines))))
    assert found["1"]["text"] == "\ufffd.mp4"
    assert found["2"]["text"] == "a.mp4"


def test_a_client_that_listens_no_more_ends_the_server_quietly() -> None:
    class Closed(io.StringIO):
        def write(self, text: str, /) -> int:
            raise BrokenPipeError

    release = threading.Event()

    def answer_batch(batch: Sequence[Request]) -> list[str]:
        release.wait(30)
        return ["too late"] * len(batch)

    server = JsonlServer(answer_batch, Closed(), timeout_s=0.2)
    try:
        server.serve([LINE % ("1", ""), LINE % ("2", "")])  # both run out of time
    finally:
        release.set()
    assert server.batches


BACKEND = """
import json, os, sys, time
mode, mark = sys.argv[1], sys.argv[2]
starts = open(mark, "a+"); starts.write("x"); starts.flush(); starts.seek(0); count = len(starts.read())
print("loading the model", flush=True)
for number, line in enumerate(sys.stdin):
    request = json.loads(line)
    if mode == "dies" and number == 2 and count == 1: os._exit(3)
    if mode == "always dies": os._exit(3)
    if mode == "hangs" and request["prompt"].startswith("slow"): time.sleep(60)
    if mode == "errors" and number == 1:
        error = {"kind": "x", "message": "no"}
        print(json.dumps({"id": request["id"], "error": error}), flush=True); continue
    print(json.dumps({"id": request["id"], "text": "to " + request["prompt"]}), flush=True)
"""


@pytest.fixture
def backend(tmp_path: Path) -> Any:
    script = tmp_path / "backend.py"
    script.write_text(BACKEND)
    made = []

    def make(mode: str, timeout_s: float = 30.0, in_flight: int = 4, restarts: int = 2) -> JsonlProcess:
        words = [sys.executable, str(script), mode, str(tmp_path / "starts")]
        made.append(JsonlProcess(words, timeout_s, in_flight, restarts))
        return made[-1]

    yield make
    for each in made:
        each.stop()


def asked(*prompts: str) -> list[Request]:
    return [Request(str(number), "a.mp4", prompt) for number, prompt in enumerate(prompts)]


def test_a_command_is_started_once_and_answers_everything(backend: Any) -> None:
    process = backend("plain")
    assert process.ask(asked(*"abcdefgh")) == {str(i): f"to {name}" for i, name in enumerate("abcdefgh")}
    assert process.ask(asked("z"))["0"] == "to z"
    assert process.starts == 1
    assert process.noise == 1


def test_a_command_that_dies_is_started_again_and_loses_nothing(backend: Any) -> None:
    process = backend("dies")
    assert list(process.ask(asked(*"abcdef")).values()) == [f"to {name}" for name in "abcdef"]
    assert process.starts == 2


def test_a_command_that_always_dies_is_given_up_with_a_reason(backend: Any) -> None:
    answers = backend("always dies").ask(asked("a", "b"))
    assert all("ended with status 3, and was started 3 times" in str(answer) for answer in answers.values())


def test_errors_of_single_requests_are_kept_apart(backend: Any) -> None:
    answers = backend("errors", in_flight=1).ask(asked("a", "b", "c"))
    assert answers["0"] == "to a"
    assert str(answers["1"]) == "x: no"
    assert answers["2"] == "to c"


def test_a_request_that_hangs_fails_alone(backend: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("semiology.backends.jsonl.process.GRACE_S", 0.0)
    process = backend("hangs", timeout_s=3.0)
    answers = process.ask(asked("a", "slow", "c"))
    assert answers["0"] == "to a"
    assert isinstance(answers["1"], TimeoutError)
    assert answers["2"] == "to c"
    assert process.starts == 2


def test_lmms_eval_asks_the_command_through_its_own_model_class(tmp_path: Path) -> None:
    from lmms_eval.api.instance import Instance

    from semiology.backends.jsonl.model import SemiologyJsonl

    (tmp_path / "backend.py").write_text(BACKEND)
    words = [sys.executable, str(tmp_path / "backend.py"), "errors", str(tmp_path / "starts")]
    (tmp_path / "command.json").write_text(json.dumps(words))
    model = SemiologyJsonl(command=f"@{tmp_path / 'command.json'}", timeout=30, in_flight=1)
    model.task_dict["t"] = {"test": ["one", "two"]}

    def messages(document: str) -> list[dict[str, Any]]:
        video = {"type": "video", "url": "a.mp4", "start_time": 0.0, "end_time": 30.0}
        return [{"role": "user", "content": [video, {"type": "text", "text": document}]}]

    asked = [
        Instance(
            "generate_until", ("", messages, {}, number, "t", "test"), 0,
            metadata={"task": "t", "doc_id": number, "repeats": 1},
        )
        for number in range(2)
    ]  # fmt: skip
    first, second = model.generate_until(asked)
    model.process.stop()
    assert first.text == "to one"
    assert second.text == "[LMMS_EVAL_REQUEST_FAILED: x: no]"


@pytest.mark.parametrize("command", ["", "@nowhere.json", "'open"])
def test_a_command_that_is_none_is_told(command: str) -> None:
    from semiology.backends.jsonl.model import command_words

    with pytest.raises(ValueError, match=r"command=|No closing quotation"):
        command_words(command)


@pytest.mark.parametrize("given", [{"timeout": "soon"}, {"in_flight": "many"}, {"restarts": "x"}])
def test_numbers_that_are_none_are_told(given: dict[str, str]) -> None:
    from semiology.backends.jsonl.model import SemiologyJsonl

    (name,) = given
    with pytest.raises(ValueError, match=f"{name}={given[name]} is no number → give one"):
        SemiologyJsonl(command="cat", **given)  # type: ignore[arg-type]


def test_a_command_that_cannot_be_started_is_a_sentence() -> None:
    with pytest.raises(
        OSError, match=r"nowhere/model cannot be started \(No such file or directory\) → give"
    ):
        JsonlProcess(["nowhere/model"], 5.0, 4, 0).ask(asked("Is it?"))
