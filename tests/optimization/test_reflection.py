"""The language model that writes wordings, through a real OpenAI-compatible server on loopback."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from synthetic import SyntheticModel, examples, rules, truths

from semiology.backends.journal import Journal
from semiology.optimization.proposers.guarded import ReflectionError
from semiology.optimization.proposers.language_model import (
    ReflectiveProposer,
    proposed_wording,
    reflection_model,
)
from semiology.optimization.search.asking import AnswerBook
from semiology.optimization.search.options import SearchError, SearchOptions
from semiology.optimization.search.search import search_feature

TRAIN, DEVELOPMENT = examples(30, "a"), examples(30, "b")
REPLIES = [
    "Here it is: <wording>Look at the trunk. Is the patient stiff and rigid for a few seconds?</wording>",
    "<wording>If unsure, answer no. Is the patient stiff?</wording>",
    "```\nIs the patient's body rigid?\n```",
    "I cannot help.\nReally.\nNo.",
]


class Server(BaseHTTPRequestHandler):
    """An OpenAI-compatible server that gives its replies in turn; it hangs where a reply is None."""

    asked: list[dict[str, Any]] = []  # noqa: RUF012 - one server a test
    context = 10**9
    replies: list[str | None] = []  # noqa: RUF012
    instead: str | None = None

    def do_POST(self) -> None:
        self.asked.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
        if self.instead is not None:
            self.send(200, self.instead)
            return
        if len(self.asked[-1]["messages"][0]["content"]) > self.context:
            self.answer(400, {"error": {"message": "longer than the maximum context length"}})
            return
        reply = self.replies[(len(self.asked) - 1) % len(self.replies)]
        if reply is None:
            time.sleep(3)
            return
        message = {"role": "assistant", "content": reply}
        choice = {"index": 0, "finish_reason": "stop", "message": message}
        completion = {"id": "1", "object": "chat.completion", "created": 0, "model": "m", "choices": [choice]}
        self.answer(200, completion)

    def answer(self, status: int, content: dict[str, Any]) -> None:
        self.send(status, json.dumps(content))

    def send(self, status: int, text: str) -> None:
        body = text.encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *arguments: Any) -> None:
        """Keep the test's output clean."""


@pytest.fixture
def address() -> Iterator[str]:
    Server.asked, Server.replies, Server.context, Server.instead = [], list(REPLIES), 10**9, None
    server = ThreadingHTTPServer(("127.0.0.1", 0), Server)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    yield f"writer@http://127.0.0.1:{server.server_port}/v1"
    server.shutdown()
    server.server_close()


def searched(address: str, folder: Path, timeout_s: float = 20.0) -> Any:
    complete = reflection_model(address, remote_allowed=False, timeout_s=timeout_s)
    with Journal(folder) as journal:
        proposer = ReflectiveProposer(complete, 700, journal, address)
        book = AnswerBook(SyntheticModel(truths(TRAIN, DEVELOPMENT)))
        options = SearchOptions(budget=150, begin_with="role", seeds=(), siblings=2)
        return search_feature(TRAIN, DEVELOPMENT, book, proposer, rules(), options)


def test_a_search_with_a_language_model_finds_its_wording_and_hears_the_same_when_repeated(
    address: str, tmp_path: Path
) -> None:
    found = searched(address, tmp_path)
    assert found.chosen == "Look at the trunk. Is the patient stiff and rigid for a few seconds?"
    assert found.lineage["refused"]["it hints at the answer or speaks of answers"] >= 1
    asked = len(Server.asked)
    (told,) = (note for note in found.notes if "could not be tried" in note)
    assert told.startswith(f"tonic: {asked - found.lineage['proposed']} replies of the proposing model ")
    assert told.endswith("lineage.json counts every reason")
    again = searched(address, tmp_path)
    assert len(Server.asked) == asked
    assert again.notes == found.notes
    assert again.lineage["candidates"] == found.lineage["candidates"]


def test_what_is_sent_is_text_without_ids_with_what_went_wrong(address: str, tmp_path: Path) -> None:
    searched(address, tmp_path)
    for request in Server.asked:
        (message,) = request["messages"]
        assert isinstance(message["content"], str)
        for each in (*TRAIN, *DEVELOPMENT):
            assert each.video_id not in message["content"]
            assert each.patient_id not in message["content"]
    first = Server.asked[0]["messages"][0]["content"]
    assert "falsely called" in first or "missed" in first
    assert "The annotator wrote: stiffened at once" in first
    assert "Clinical definition: The tonic phase" in first


def test_a_server_that_hangs_ends_the_search_in_a_sentence_and_the_next_run_goes_on(
    address: str, tmp_path: Path
) -> None:
    Server.replies = [REPLIES[0], *[None] * 30]
    found = searched(address, tmp_path, timeout_s=0.5)
    assert "gave no reply within 0.5 s" in found.notes[-1]
    assert "run the same command again" in found.notes[-1]
    Server.replies = [REPLIES[2]]
    again = searched(address, tmp_path)
    assert [each["wording"] for each in again.lineage["candidates"]][:2] == [
        each["wording"] for each in found.lineage["candidates"]
    ][:2]
    assert not any("stopped early: the proposing" in note for note in again.notes)


def test_a_repeated_search_goes_the_same_way_past_replies_that_never_came(
    address: str, tmp_path: Path
) -> None:
    Server.replies = [REPLIES[0], None, None, REPLIES[2], None, REPLIES[1]]
    found = searched(address, tmp_path, timeout_s=0.5)
    assert not found.unfinished
    asked = len(Server.asked)
    again = searched(address, tmp_path)
    assert len(Server.asked) == asked
    assert again.notes == found.notes
    assert again.lineage["candidates"] == found.lineage["candidates"]
    assert again.lineage["refused"] == found.lineage["refused"]


@pytest.mark.parametrize(
    ("reply", "wording"),
    [
        ("<wording> Is it\n stiff? </wording>", "Is it stiff?"),
        ("<wording>Old?</wording> better: <wording>New?</wording>", "New?"),
        ("```text\nIs it stiff?\n```", "Is it stiff?"),
        ('"Is it stiff?"', "Is it stiff?"),
        ("", ""),
        ("I think\nthat\none should\nlook.", ""),
    ],
)
def test_the_wording_is_found_in_a_reply(reply: str, wording: str) -> None:
    assert proposed_wording(reply) == wording


def test_addresses_elsewhere_need_a_word_of_the_user() -> None:
    for address in ("writer@http://10.0.0.8:8000/v1", "writer@https://api.example.org/v1"):
        with pytest.raises(SearchError, match="--allow-remote-proposer"):
            reflection_model(address, remote_allowed=False, timeout_s=1)
        assert callable(reflection_model(address, remote_allowed=True, timeout_s=1))
    with pytest.raises(SearchError, match="NAME@http"):
        reflection_model("writer", remote_allowed=True, timeout_s=1)


def test_a_server_that_is_gone_is_told() -> None:
    complete = reflection_model("writer@http://127.0.0.1:9/v1", remote_allowed=False, timeout_s=1)
    with pytest.raises(ReflectionError, match=r"writer at http://127.0.0.1:9/v1 gave no reply"):
        complete("x")


@pytest.mark.parametrize(
    "body",
    ["not JSON", "[]", "{}", '{"choices": null, "error": "overloaded"}', '{"choices": [{"message": null}]}',
     '{"choices": {"first": 1}}', '{"choices": [{"message": {"content": [{"text": "parts"}]}}]}'],
)  # fmt: skip
def test_what_is_no_chat_completion_is_told(address: str, body: str) -> None:
    Server.instead = body
    complete = reflection_model(address, remote_allowed=False, timeout_s=20)
    with pytest.raises(ReflectionError, match="did not answer as an OpenAI-compatible server does"):
        complete("Is the patient stiff?")


class Elsewhere(BaseHTTPRequestHandler):
    """A server that sends who asks it on to another address."""

    target = ""

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(307)
        self.send_header("Location", self.target)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *arguments: Any) -> None:
        """Keep the test's output clean."""


def test_no_server_can_send_the_text_on_to_another_address(address: str) -> None:
    Elsewhere.target = address.partition("@")[2] + "/chat/completions"
    server = ThreadingHTTPServer(("127.0.0.1", 0), Elsewhere)
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    chosen = f"writer@http://127.0.0.1:{server.server_port}/v1"
    try:
        with pytest.raises(ReflectionError, match="answered with error 307"):
            reflection_model(chosen, remote_allowed=False, timeout_s=20)("Is the patient stiff?")
    finally:
        server.shutdown()
        server.server_close()
    assert Server.asked == []


def test_ids_that_an_annotator_or_a_model_wrote_are_not_sent() -> None:
    proposer = ReflectiveProposer(lambda task: task, 700, ids=("P001", "P001_V01", "mueller"))
    said = "The annotator wrote: p001_v01 (Mueller) stiffens; P001-b does not; P0012 is a word of its own."
    record = {"Inputs": {"sign": "tonic"}, "Feedback": said, "Verdict": "missed"}
    sent = proposer.task("Is the patient stiff?", [record])
    assert "wrote: [id] ([id]) stiffens; [id]-b does not; P0012 is a word" in sent


def records(count: int) -> list[dict[str, Any]]:
    told = {"Inputs": {"sign": "tonic"}, "Verdict": "missed", "Definition": "Stiffness."}
    return [{**told, "Feedback": f"Recording {number}: missed. " + "x" * 200} for number in range(count)]


def test_a_text_that_the_server_refuses_is_sent_again_with_fewer_recordings(
    address: str, tmp_path: Path
) -> None:
    complete = reflection_model(address, remote_allowed=False, timeout_s=20)
    Server.context = len(ReflectiveProposer(complete, 700).task("Is the patient stiff?", records(3)))
    said = []
    for _ in range(2):
        with Journal(tmp_path) as journal:
            proposer = ReflectiveProposer(complete, 700, journal, address)
            said.append(proposer.propose("Is the patient stiff?", records(8)))
        assert proposer.shortened == 1
    texts = [each["messages"][0]["content"] for each in Server.asked]
    assert [text.count("Recording ") for text in texts] == [8, 4, 2]
    assert said[0] == said[1] != ""


def test_a_model_whose_context_holds_nothing_is_told_with_what_its_server_said(address: str) -> None:
    Server.context = 10
    complete = reflection_model(address, remote_allowed=False, timeout_s=20)
    with pytest.raises(ReflectionError, match=r"answered with error 400 .*context length"):
        ReflectiveProposer(complete, 700).propose("Is the patient stiff?", records(8))
    assert len(Server.asked) == 4
