"""A language model that writes wordings: weights, sampling and ``transformers serve``, from the command line.

The model is a small one, trained here on the grammar: it shows the road, not what a real one would propose.
With ``SEMIOLOGY_PROPOSER=NAME@http://127.0.0.1:8000/v1`` the command is tested with that model instead.
"""

from __future__ import annotations

import csv
import json
import os
import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from relay import Relay
from synthetic import SyntheticModel, examples, rules, truths
from typer.testing import CliRunner

from semiology.backends.journal import Journal
from semiology.optimization.proposers.guarded import ReflectionError
from semiology.optimization.proposers.language_model import (
    ReflectiveProposer,
    proposed_wording,
    reflection_model,
)
from semiology.optimization.search.asking import AnswerBook
from semiology.optimization.search.options import SearchOptions
from semiology.optimization.search.search import search_feature

sys.path.insert(0, str(Path(__file__).parents[2] / "benchmarks"))

from wording_language_model import LanguageModelServer, Recipe, train

pytestmark = pytest.mark.slow

VARIABLE = "SEMIOLOGY_PROPOSER"
SENT = {"model", "messages", "temperature", "max_tokens"}
own_model = pytest.mark.skipif(VARIABLE in os.environ, reason="needs a server that the test may end")


@dataclass(frozen=True)
class Writer:
    """A proposing model behind a relay; ``server`` is None if it is the user's."""

    name: str
    relay: Relay
    server: LanguageModelServer | None

    @property
    def proposer(self) -> str:
        return f"{self.name}@{self.relay.address}"


@pytest.fixture(scope="module")
def writer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Writer]:
    named, _, address = os.environ.get(VARIABLE, "").rpartition("@")
    if named:
        with Relay(address) as relay:
            yield Writer(named, relay, None)
        return
    for each in ("fastapi", "uvicorn"):
        pytest.importorskip(each, reason="`transformers serve` needs it: pip install '.[review]'")
    folder = tmp_path_factory.mktemp("writer")
    model = train(folder / "model", Recipe())
    with LanguageModelServer(folder / "server.log") as server, Relay(server.address) as relay:
        yield Writer(str(model), relay, server)


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Sixteen simulated patients with one short recording each."""
    from semiology.data.simulated import simulate

    folder = tmp_path_factory.mktemp("real_proposer") / "set"
    simulate(
        folder, patients=16, seed=3, recordings_per_patient=1, duration_s=(30.0, 30.1), size=(160, 120), fps=6
    )
    return folder


def command(writer: Writer, data: Path, folder: Path, status: int = 0) -> dict[str, Any]:
    """Run ``semiology optimize``, which ends with ``status``, and return its summary."""
    from semiology.cli import app

    words = ["optimize", "--model", "embedded", "--data", str(data), "--features", "tonic",
             "--budget", "90", "--minibatch", "6", "--siblings", "4", "--begin-with", "role",
             "--seeds", "none", "--max-characters", "130",  # so that longer proposals are refused
             "--proposer", writer.proposer, "--out", str(folder / "run"), "--json"]  # fmt: skip
    result = CliRunner().invoke(app, words, catch_exceptions=False, env={"SEMIOLOGY_CACHE": str(data / "c")})
    assert result.exit_code == status
    found: dict[str, Any] = json.loads(result.stdout[result.stdout.index("{") :])
    return found


def lineage(folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((folder / "run" / "tonic" / "lineage.json").read_text())
    return found


def test_the_command_searches_with_what_a_language_model_writes_and_asks_it_nothing_twice(
    writer: Writer, data: Path, tmp_path: Path
) -> None:
    writer.relay.requests.clear()
    writer.relay.replies.clear()
    summary = command(writer, data, tmp_path)
    record = lineage(tmp_path)
    written = {proposed_wording(reply) for reply in writer.relay.replies}
    assert record["proposed"] > 0
    assert record["proposed"] + sum(record["refused"].values()) >= len(writer.relay.replies) > 0
    assert record["trials"]
    assert {each["wording"] for each in record["trials"]} <= written
    assert {each["wording"] for each in record["candidates"][1:]} <= written
    assert {each["origin"] for each in record["candidates"][1:]} <= {"proposed"}
    assert summary["results"][0]["test"] is not None
    if writer.server is not None:  # nobody knows what a user's model writes
        assert record["refused"]
        assert any(each["accepted"] for each in record["trials"])
    asked = len(writer.relay.requests)
    assert command(writer, data, tmp_path)["results"] == summary["results"]
    assert len(writer.relay.requests) == asked


def test_nothing_but_text_without_ids_went_to_the_server(writer: Writer, data: Path, tmp_path: Path) -> None:
    writer.relay.requests.clear()
    command(writer, data, tmp_path)
    with (data / "recordings.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    ids = {row[column] for row in rows for column in ("video_id", "patient_id", "video")}
    assert writer.relay.requests
    for body in writer.relay.requests:
        request = json.loads(body)
        assert set(request) == SENT
        (message,) = request["messages"]
        assert set(message) == {"role", "content"}
        assert isinstance(message["content"], str)
        assert not [each for each in (*ids, str(data), "data:", "base64") if each in message["content"]]


@own_model
def test_a_server_that_is_killed_in_the_middle_leaves_a_clean_resume(
    writer: Writer, data: Path, tmp_path: Path
) -> None:
    relay, server = writer.relay, writer.server
    assert server is not None
    relay.requests.clear()
    relay.replies.clear()
    relay.before_each = lambda number: server.kill() if number == 1 else None
    try:
        broken = command(writer, data, tmp_path, status=1)
    finally:
        relay.before_each = lambda number: None
        server.start()
    (result,) = broken["results"]
    assert result["unfinished"]
    assert result["test"] is None
    assert "run the same command again to go on" in broken["notes"][-1]
    assert "gave no reply" in broken["notes"][-1]
    heard = list(relay.replies)
    assert len(heard) == 1
    before = [each["wording"] for each in lineage(tmp_path)["trials"]]
    assert set(before) <= {proposed_wording(heard[0])}
    relay.requests.clear()
    relay.replies.clear()
    (result,) = command(writer, data, tmp_path)["results"]
    assert not result["unfinished"]
    assert result["test"] is not None
    after = lineage(tmp_path)
    assert [each["wording"] for each in after["trials"]][: len(before)] == before
    written = {proposed_wording(reply) for reply in [*heard, *relay.replies]}
    assert {each["wording"] for each in after["trials"]} <= written
    kept = [line for file in (tmp_path / "run" / "answers").glob("*.jsonl") for line in file.open()]
    assert sum('"recordings_told"' in line for line in kept) == 1 + len(relay.replies)


def told(count: int) -> list[dict[str, Any]]:
    seen = "The arm stays stiff for some seconds and then falls back upon the blanket."
    record = {
        "Inputs": {"sign": "tonic"},
        "Verdict": "missed",
        "Definition": "Clinical definition: stiffness.",
    }
    return [{**record, "Feedback": f"Recording {number}: missed. {seen}"} for number in range(count)]


@own_model
def test_a_text_beyond_the_context_of_the_model_is_shortened(writer: Writer) -> None:
    complete = reflection_model(writer.proposer, remote_allowed=False, timeout_s=600)
    proposer = ReflectiveProposer(complete, 700)
    writer.relay.requests.clear()
    proposer.propose("Is the patient stiff?", told(64))
    assert proposer.shortened == 1
    lengths = [len(body) for body in writer.relay.requests]
    assert len(lengths) > 1
    assert lengths == sorted(lengths, reverse=True)
    with pytest.raises(ReflectionError, match="answered with error"):
        proposer.propose("Is the patient stiff? " * 800, told(2))
    assert writer.server is not None
    assert writer.server.answers()


@own_model
def test_a_reply_that_takes_too_long_is_told_and_the_server_answers_the_next(writer: Writer) -> None:
    hasty = reflection_model(writer.proposer, remote_allowed=False, timeout_s=0.001)
    with pytest.raises(ReflectionError, match=r"gave no reply within 0\.001 s"):
        hasty("Is the patient stiff?")
    patient = reflection_model(writer.proposer, remote_allowed=False, timeout_s=600)
    heard = len(writer.relay.replies)
    ReflectiveProposer(patient, 700).propose("Is the patient stiff?", told(4))
    assert len(writer.relay.replies) > heard


@own_model
def test_a_model_that_says_nothing_ends_the_search_in_a_sentence(writer: Writer, tmp_path: Path) -> None:
    """The same weights, bent to end at once: the server really generates, and what it sends is empty."""
    silent = shutil.copytree(writer.name, tmp_path / "silent")
    settings = json.loads((silent / "generation_config.json").read_text())
    settings["sequence_bias"] = [[[settings["eos_token_id"]], 1000.0]]
    (silent / "generation_config.json").write_text(json.dumps(settings))
    chosen = f"{silent}@{writer.relay.address}"
    complete = reflection_model(chosen, remote_allowed=False, timeout_s=600)
    train_part, development = examples(12, "a"), examples(12, "b")
    book = AnswerBook(SyntheticModel(truths(train_part, development)))
    options = SearchOptions(budget=400, begin_with="role", seeds=(), siblings=1)
    with Journal(tmp_path / "answers") as journal:
        proposer = ReflectiveProposer(complete, 700, journal, chosen)
        found = search_feature(train_part, development, book, proposer, rules(), options)
    assert set(found.lineage["refused"]) == {"it is empty"}
    assert found.chosen == found.begun_text
    assert not found.unfinished
    assert any("the proposer had nothing new to try" in note for note in found.notes)


@own_model
def test_a_model_that_the_server_does_not_have_is_a_sentence(writer: Writer, tmp_path: Path) -> None:
    complete = reflection_model(
        f"{tmp_path}/none@{writer.relay.address}", remote_allowed=False, timeout_s=600
    )
    with pytest.raises(ReflectionError, match="answered with error"):
        complete("Is the patient stiff?")
