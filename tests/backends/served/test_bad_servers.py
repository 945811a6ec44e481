"""Servers that are down, slow, restarting or refuse: a sentence, a marked request, and the rest goes on."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest
from asking import Asked, model_of, replies, requests_for
from loguru import logger
from recording_server import ModelServer, completion, question_of, refused, serving

from semiology.backends.journal import FAILED
from semiology.backends.semiology_openai import SemiologyOpenAI
from semiology.backends.served import server as server_module
from semiology.privacy.remote_models import RemoteError
from semiology.tasks.answers.parse import parse_answer

BAD, GOOD = "Is this one answered?", "And is the other?"


@contextmanager
def bad_for(status: int, said: Any, times: int = 10**6, **more: Any) -> Iterator[ModelServer]:
    """Serve, and give this answer to one question, so many times."""
    left = [times]

    def answering(number: int, body: Any) -> tuple[int, Any] | None:
        if question_of(body) == BAD and left[0] > 0:
            left[0] -= 1
            return status, said
        return None

    with serving(ModelServer(answering=answering, **more)) as server:
        yield server


def both(films: list[Path]) -> list[Asked]:
    return [Asked(films[0], BAD), Asked(films[0], GOOD)]


@pytest.mark.parametrize(
    ("status", "said", "why", "fix"),
    [
        (*refused(400, "This model's maximum context length is 4096 tokens. However, you sent 9000."),
         "context of the served model is too small", "--max-model-len"),
        (*refused(400, "The decoder prompt (length 11000) is longer than the maximum model length of 4096."),
         "context of the served model is too small", "max_pixels="),
        (*refused(500, "the request exceeds the available context size (4096 tokens), try increasing it"),
         "context of the served model is too small", "--ctx-size"),
        (*refused(400, "At most 1 image(s) may be provided in one prompt."), "At most 1 image", "status 400"),
        (*refused(413, "Request Entity Too Large"), "status 413", "fewer or smaller pictures"),
        (*refused(401, "Unauthorized"), "status 401", "OPENAI_API_KEY"),
        (*refused(404, "The model `m` does not exist."), "does not exist", "model="),
        (*refused(429, "Rate limit reached"), "status 429", "num_concurrent="),
        (*refused(500, "EngineCore encountered an issue"), "EngineCore", "log"),
        (500, "<html>Internal Server Error</html>", "status 500", "log"),
        (200, "<html>Welcome</html>", "holds no choice", "log"),
        (200, completion() | {"choices": []}, "no choice", "log"),
        (200, {"unexpected": True}, "no choice", "log"),
        (200, completion(None), "no text", "log"),
        (200, completion(None, reasoning_content="The arm is stiff: yes"), "reasoning only", "log"),
        (200, completion("", reasoning="yes"), "reasoning only", "log"),
        (200, completion("", "content_filter"), "content filter", ""),
        (302, {}, "status 302", "redirects are not followed"),
        (0, "", "does not answer any more", "start it"),
    ],
)  # fmt: skip
def test_a_refused_question_is_marked_with_reason_and_fix_and_the_rest_goes_on(
    films: list[Path], status: int, said: Any, why: str, fix: str
) -> None:
    with bad_for(status, said) as server:
        model = model_of(server)
        bad, good = replies(model, both(films))
    assert bad.startswith(FAILED)
    assert why in bad
    assert fix in bad
    assert "\n" not in bad
    assert parse_answer(bad) == "unparsed"
    assert good == "yes"
    assert model.counts.unanswered == 1


@pytest.mark.parametrize("status", [408, 429, 500, 503])
def test_what_may_pass_is_tried_again(films: list[Path], status: int) -> None:
    with bad_for(*refused(status, "busy"), times=1) as server:
        assert replies(model_of(server, max_retries=1), both(films)) == ["yes", "yes"]
    assert [question_of(body) for body in server.asked].count(BAD) == 2


def test_a_slow_answer_is_given_up_after_the_time_out(films: list[Path]) -> None:
    def slow(number: int, body: Any) -> None:
        if question_of(body) == BAD:
            time.sleep(3)

    with serving(ModelServer(answering=slow)) as server:
        bad, good = replies(model_of(server, timeout=0.8), both(films))
    assert bad.startswith(FAILED)
    assert "0.8 s" in bad
    assert "timeout=" in bad
    assert good == "yes"


def test_a_reply_cut_at_the_token_limit_counts_as_long_as_the_limit(films: list[Path]) -> None:
    with bad_for(200, completion("The patient", "length", tokens=9)) as server:
        model = model_of(server)
        cut, whole = model.generate_until(requests_for(model, both(films)))
    assert (cut.text, cut.token_counts.output_tokens) == ("The patient", 16)
    assert whole.token_counts.output_tokens == 2


def test_reasoning_that_used_up_the_tokens_is_an_open_block_and_no_answer(films: list[Path]) -> None:
    said = completion(None, "length", tokens=16, reasoning_content="So it is</think> yes. Answer: yes")
    with bad_for(200, said) as server:
        model = model_of(server)
        cut, _ = model.generate_until(requests_for(model, both(films)))
    assert cut.text.startswith("<think>")
    assert "</think>" not in cut.text
    assert cut.token_counts.output_tokens == 16
    assert parse_answer(cut.text) == "unparsed"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def test_no_server_is_a_sentence_before_anything_is_decoded() -> None:
    with pytest.raises(ValueError, match=r"no server answers at http://127.0.0.1:\d+/v1 → start one"):
        SemiologyOpenAI(f"http://127.0.0.1:{free_port()}/v1")


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        ({"model": "other"}, "serves a, b → give model="),
        ({}, "serves a, b → give model="),
        ({"model": "a", "media": "film"}, "media=film: give auto or video or images"),
        ({"model": "a", "score": "loglik"}, "score=loglik"),
        ({"model": "a", "num_concurrent": 0}, "num_concurrent=0"),
        ({"model": "a", "pretrained": "/nowhere/at/all"}, "pretrained=/nowhere/at/all cannot be read"),
    ],
)
def test_unusable_arguments_are_told(arguments: dict[str, Any], why: str) -> None:
    with serving(ModelServer(models=("a", "b"))) as server, pytest.raises(ValueError, match=why):
        SemiologyOpenAI(server.address, **arguments)


def test_a_server_that_restarts_in_the_middle_is_waited_for(
    films: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server_module, "LOOK_AGAIN_S", 0.05)
    port, again = free_port(), threading.Event()
    documents = [Asked(films[0], f"Is it {number}?") for number in range(8)]
    running = ExitStack()

    def dying(number: int, body: Any) -> tuple[int, Any] | None:
        if number == 4 and not again.is_set():
            again.set()
            threading.Thread(target=restart).start()
        return (0, "") if again.is_set() else None

    after = ModelServer()

    def restart() -> None:
        running.close()
        time.sleep(0.4)
        running.enter_context(serving(after, port))

    server = ModelServer(answering=dying)
    running.enter_context(serving(server, port))
    heard: list[str] = []
    sink = logger.add(lambda message: heard.append(str(message)), level="WARNING")
    try:
        found = replies(model_of(server, patience=20, num_concurrent=2), documents)
    finally:
        logger.remove(sink)
        running.close()
    assert found == ["yes" if len(each.text) % 2 else "no" for each in documents]
    assert len(after.asked) >= 5
    assert any("waiting for it" in line for line in heard)


def test_a_server_that_stays_away_ends_no_run_and_the_same_command_asks_only_the_rest(
    films: list[Path], tmp_path: Path
) -> None:
    port = free_port()
    documents = [Asked(film, f"Is it {number}?") for number in range(6) for film in films]
    dead = threading.Event()

    def dying(number: int, body: Any) -> tuple[int, Any] | None:
        if number > 4:
            dead.set()
        return (0, "") if dead.is_set() else None

    journal = str(tmp_path / "journal")
    began = time.monotonic()
    with serving(ModelServer(answering=dying), port) as server:
        first = replies(model_of(server, num_concurrent=1, journal=journal), documents)
    assert time.monotonic() - began < 20
    failed = [number for number, text in enumerate(first) if text.startswith(FAILED)]
    assert len(failed) == 8
    with serving(ModelServer(), port) as server:
        model = model_of(server, journal=journal)
        second = replies(model, documents)
    assert second == ["yes" if len(each.text) % 2 else "no" for each in documents]
    asked = sorted((documents[number].text) for number in failed)
    assert sorted(question_of(body) for body in server.asked) == asked
    assert model.counts.recalled == 4


def test_addresses_elsewhere_are_refused_and_proxies_ignored(
    films: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{free_port()}")
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
    with serving(ModelServer()) as server:
        assert replies(model_of(server), [Asked(films[0], GOOD)]) == ["yes"]
    for address in ("http://192.0.2.1:8000/v1", "http://models.example/v1"):
        with pytest.raises(RemoteError, match="semiology_openai would send the frames"):
            SemiologyOpenAI(address)
    with pytest.raises(ValueError, match="needs base_url="):
        SemiologyOpenAI()


def test_the_address_may_come_from_the_variable_that_the_guard_looks_at(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with serving(ModelServer()) as server:
        monkeypatch.setenv("OPENAI_BASE_URL", server.address)
        assert str(SemiologyOpenAI().client.base_url).rstrip("/") == server.address
        monkeypatch.setenv("OPENAI_BASE_URL", "http://192.0.2.1/v1")
        with pytest.raises(RemoteError):
            SemiologyOpenAI()


def test_a_film_that_cannot_be_read_costs_only_its_questions(films: list[Path], tmp_path: Path) -> None:
    broken = tmp_path / "broken.mp4"
    broken.write_bytes(b"no film")
    with serving(ModelServer()) as server:
        bad, good = replies(model_of(server), [Asked(broken, BAD), Asked(films[0], GOOD)])
    assert bad.startswith(FAILED)
    assert "broken.mp4" in bad
    assert good == "yes"


def test_beams_are_refused(films: list[Path]) -> None:
    with serving(ModelServer()) as server:
        (bad,) = replies(model_of(server), [Asked(films[0], BAD)], num_beams=4)
    assert "num_beams" in bad
    assert not server.asked
