"""Other versions of transformers: another name of the cache, or a seam that is gone, costs speed and never answers."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from miniatures import questions
from scene import asked, engine, stock_answers, stock_inputs

from semiology.backends.shared_prefix import prefill
from semiology.backends.shared_prefix.loading import Checkpoint

ROOT = Path(__file__).resolve().parents[3]
NEWEST = "5.24.0"
"""The newest release that pyproject.toml allows; it calls ``cache`` what was ``past_key_values``."""


@pytest.fixture
def without_decoding_methods(qwen: Checkpoint, monkeypatch: pytest.MonkeyPatch) -> None:
    """A ``generate`` that ignores the caller's decoding method."""
    original = qwen.model.generate

    def generate(custom_generate: Any = None, **arguments: Any) -> Any:
        if custom_generate is not None:
            arguments |= {"max_new_tokens": 1}
        return original(**arguments)

    monkeypatch.setattr(qwen.model, "generate", generate)


def test_without_a_known_cache_only_the_encoded_media_are_shared(
    qwen: Checkpoint, film: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    texts = questions(5)
    stock = stock_answers(qwen, film, texts)
    monkeypatch.setattr(prefill, "Cache", type("NoCache", (), {}))
    asking = engine(qwen)
    assert [answer.text for answer in asking.answer(asked(film, texts))] == stock
    assert asking.counts.sharing == {"vision": 5}
    assert asking.counts.vision_runs == 1
    assert f"transformers {prefill.transformers.__version__} prepares no key-value cache" in caplog.text


def test_a_cache_that_stays_empty_is_noticed(
    qwen: Checkpoint, film: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """A model that swallows a name that it does not know would answer without having seen the video."""
    texts = questions(4)
    stock = stock_answers(qwen, film, texts)
    original = prefill.last_logits

    def swallowing(model: Any, inputs: Any, places: Any) -> Any:
        left = {name: value for name, value in inputs.items() if not isinstance(value, prefill.Cache)}
        return original(model, left, places)

    monkeypatch.setattr(prefill, "last_logits", swallowing)
    asking = engine(qwen)
    assert [answer.text for answer in asking.answer(asked(film, texts))] == stock
    assert asking.counts.sharing == {"vision": 4}
    assert "left 0 of" in caplog.text


@pytest.mark.usefixtures("without_decoding_methods")
def test_without_the_seam_every_question_gets_its_full_prompt(
    qwen: Checkpoint, film: Path, caplog: pytest.LogCaptureFixture
) -> None:
    texts = questions(4)
    asking = engine(qwen)
    answers = asking.answer(asked(film, texts))
    assert asking.counts.sharing == {"none": 4}
    assert asking.counts.vision_runs == 4 + 2  # twice `generate` was asked in vain
    assert [answer.text for answer in answers] == stock_answers(qwen, film, texts)
    assert "does not call the decoding method" in caplog.text


def test_the_cache_is_found_by_what_it_is(qwen: Checkpoint, film: Path) -> None:
    inputs = stock_inputs(qwen, film, "Is there movement?")
    prepared = prefill.prepare(qwen.model, inputs, {"max_new_tokens": 4})
    renamed = {
        "states" if name == prepared.cache_name else name: value for name, value in prepared.arguments.items()
    }
    other = prefill.Prepared(renamed, prepared.processors, prepared.generation_config, prepared.stopping)
    assert other.cache_name == "states"
    assert prepared.cache_name in ("past_key_values", "cache")
    torch.testing.assert_close(other.arguments["position_ids"], prepared.arguments["position_ids"])


@pytest.mark.slow
def test_the_newest_release_gives_the_answers_of_its_own_generate(tmp_path: Path) -> None:
    install = [sys.executable, "-m", "pip", "install", "-q", "--no-deps", "--target", str(tmp_path)]
    fetched = subprocess.run([*install, f"transformers=={NEWEST}"], capture_output=True, text=True)
    if fetched.returncode:
        pytest.skip(f"transformers {NEWEST} could not be fetched: {fetched.stderr.strip()[-200:]}")
    paths = os.pathsep.join(filter(None, (os.environ.get("PYTHONPATH"), str(tmp_path))))
    environment = {**os.environ, "PYTHONPATH": paths}
    version = [sys.executable, "-c", "import transformers; print(transformers.__version__)"]
    seen = subprocess.run(version, env=environment, capture_output=True, text=True, check=True)
    assert seen.stdout.strip() == NEWEST
    here = Path(__file__).parent
    tests = [str(here / f"test_{name}.py") for name in ("equality", "memory", "scores", "semiology_hf")]
    ran = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *tests, __file__],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
    )
    assert ran.returncode == 0, ran.stdout[-4000:]
    assert " passed" in ran.stdout
