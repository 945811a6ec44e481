"""Documented commands, answers, cache hits and a kill on a real vLLM; runs where an environment with it is named."""

from __future__ import annotations

import inspect
import json
import os
import subprocess
import sys
import textwrap
import threading
import time
from pathlib import Path
from typing import Any

import pytest
from asking import Asked, requests_for
from random_weights import usual_heads
from transformers.models.qwen2_5_vl import modeling_qwen2_5_vl
from vllm_server import Engine, printed

from semiology.backends.embedded.sees import CHECKPOINT, MAX_PIXELS, MIN_PIXELS, SHARED_PREFIX_ARGS
from semiology.backends.journal import failure_of
from semiology.backends.semiology_hf import SemiologyHF
from semiology.backends.semiology_openai import SemiologyOpenAI
from semiology.backends.served.cache_hits import counted
from semiology.features import FEATURES
from semiology.prompts.library import load_library, render
from semiology.settings import ENGINES

pytestmark = [
    pytest.mark.engines,
    pytest.mark.slow,
    pytest.mark.skipif(
        ENGINES.folder() is None,
        reason="no environment with vLLM is named (SEMIOLOGY_ENGINES; `make engines`)",
    ),
]
BEHIND_SPACE = "current_pos += max(grid_thw[1], grid_thw[2]) // spatial_merge_size"
BEHIND_MAXIMUM = "current_pos = int(vision_position_ids.max()) + 1"


def questions() -> list[str]:
    """Return the reference wording of every feature."""
    library = load_library()
    return [render(library.feature(feature).prompts[0]) for feature in FEATURES]


def asked(recordings: Path) -> list[Asked]:
    """Return all questions about two windows of each recording, task by task."""
    films = sorted(recordings.rglob("*.mp4"))
    windows = ((0.0, 30.0), (1.0, 31.0))
    return [Asked(film, text, window) for text in questions() for film in films for window in windows]


def served(engine: Engine, **arguments: Any) -> SemiologyOpenAI:
    given = {"fps": 2, "min_pixels": MIN_PIXELS, "max_pixels": MAX_PIXELS, "journal": "none"}
    return SemiologyOpenAI(engine.address, **(given | arguments))


def in_process(checkpoint: Path = CHECKPOINT, score: str = "logprob") -> SemiologyHF:
    return SemiologyHF(str(checkpoint), journal="none", score=score, **SHARED_PREFIX_ARGS)


def at_the_reference_positions(monkeypatch: pytest.MonkeyPatch) -> bool:
    """Let text after a video begin behind its largest position, and not behind its width, where transformers does.

    So do the code that came with the Qwen models, and vLLM. Return whether there was something to change.
    """
    source = inspect.getsource(modeling_qwen2_5_vl.Qwen2_5_VLModel.get_rope_index)
    if BEHIND_SPACE not in source:
        return False
    names = dict(vars(modeling_qwen2_5_vl))
    exec(textwrap.dedent(source.replace(BEHIND_SPACE, BEHIND_MAXIMUM)), names)
    monkeypatch.setattr(modeling_qwen2_5_vl.Qwen2_5_VLModel, "get_rope_index", names["get_rope_index"])
    return True


def scores(model: Any, documents: list[Asked]) -> list[tuple[float, float]]:
    """Return the log-probabilities of yes and no."""
    results = model.generate_until(requests_for(model, documents))
    told = [result.token_counts.to_dict()["first_token_logprobs"] for result in results]
    return [(each["yes"], each["no"]) for each in told]


def largest(one: list[tuple[float, float]], other: list[tuple[float, float]]) -> float:
    return max(
        abs(a - b)
        for first, second in zip(one, other, strict=True)
        for a, b in zip(first, second, strict=True)
    )


def hits(engine: Engine) -> tuple[float, float]:
    import httpx

    found = counted(httpx.get(engine.address.removesuffix("v1") + "metrics", trust_env=False).text)
    assert found is not None
    return found


def test_questions_hit_the_cache_and_log_probabilities_are_those_of_the_reference_positions(
    embedded: Engine, simulated_set: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    documents = asked(simulated_set)
    before = hits(embedded)
    model = served(embedded, score="logprob")
    ours = scores(model, documents)
    after = hits(embedded)
    windows = len(documents) // len(FEATURES)
    assert (model.counts.decodes, model.counts.encodes, model.counts.named) == (
        windows,
        windows,
        windows * 19,
    )
    assert (after[0] - before[0]) / (after[1] - before[1]) >= 0.75
    assert model.engine.form is not None
    assert (model.engine.form.video, model.engine.form.timed, model.engine.form.kept) == (True, True, True)
    plain = scores(in_process(), documents)
    if not at_the_reference_positions(monkeypatch):
        assert largest(ours, plain) < 0.01
        return
    assert largest(ours, scores(in_process(), documents)) < 0.01 < 0.1 < largest(ours, plain)


def whole_characters(results: list[Any]) -> list[str]:
    """Return texts without the signs for half characters, which a server leaves out."""
    return [result.text.replace("\N{REPLACEMENT CHARACTER}", "") for result in results]


def test_a_checkpoint_with_the_head_sizes_of_published_models_is_served_and_writes_the_same(
    simulated_set: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Random weights: every question is answered out of its window's cache; what is answered means nothing."""
    folder = usual_heads(tmp_path / "usual")
    engine = Engine([*printed(str(folder), 8733)[0], "--dtype", "float32"], tmp_path)
    documents = asked(simulated_set)
    try:
        engine.start()
        before = hits(engine)
        model = served(engine)
        results = model.generate_until(requests_for(model, documents))
        after = hits(engine)
    finally:
        engine.kill()
    windows = len(documents) // len(FEATURES)
    assert (model.counts.decodes, model.counts.encodes, model.counts.unanswered) == (windows, windows, 0)
    assert not any(failure_of(result.text) for result in results)
    assert (after[0] - before[0]) / (after[1] - before[1]) >= 0.75
    at_the_reference_positions(monkeypatch)
    local = in_process(folder, score="none")
    assert whole_characters(results) == whole_characters(local.generate_until(requests_for(local, documents)))


def test_the_printed_commands_run_word_for_word(
    embedded: Engine, simulated_set: Path, tmp_path: Path
) -> None:
    serve, run = printed("embedded", 8731)
    assert embedded.words == serve
    assert run[:2] == ["semiology", "run"]
    run[run.index("DIR")], run[run.index("runs")] = str(simulated_set), str(tmp_path / "runs")
    program = "import sys; sys.argv[0] = 'semiology'; from semiology.cli import main; main()"
    done = subprocess.run(
        [sys.executable, "-c", program, *run[1:]], capture_output=True, text=True, env=os.environ
    )
    assert done.returncode == 0, done.stderr[-3000:]
    lines = [line for path in (tmp_path / "runs").rglob("*_samples_*.jsonl") for line in path.open()]
    answered = [json.loads(line)["semiology"]["answer"] for line in lines]
    assert len(answered) >= 40
    assert sum(each in ("yes", "no", "na") for each in answered) / len(answered) > 0.9


def test_pictures_are_shown_where_vllm_would_drop_frames(simulated_set: Path, tmp_path: Path) -> None:
    """As people start vLLM: without the flags for media it shows 32 frames of a video and accepts no times."""
    words = ["vllm", "serve", str(CHECKPOINT), "--host", "127.0.0.1", "--port", "8732", "--dtype", "float32"]
    engine = Engine(words, tmp_path)
    try:
        engine.start()
        model = served(engine)
        film = next(iter(sorted(simulated_set.rglob("*.mp4"))))
        results = model.generate_until(
            requests_for(model, [Asked(film, text, (0.0, 30.0)) for text in questions()[:3]])
        )
    finally:
        engine.kill()
    assert model.engine.form is not None
    assert not model.engine.form.video
    assert "shows 32" in model.engine.form.told
    assert all(result.text and not result.text.startswith("[") for result in results)


def test_a_server_that_is_killed_and_started_again_costs_no_answer(
    embedded: Engine, simulated_set: Path
) -> None:
    documents = asked(simulated_set)
    model = served(embedded, patience=600, num_concurrent=2, max_retries=1)

    def kill_in_the_middle() -> None:
        while model.counts.requests < 30:
            time.sleep(0.01)
        embedded.kill()
        time.sleep(2)
        embedded.start()

    killer = threading.Thread(target=kill_in_the_middle)
    killer.start()
    results = model.generate_until(requests_for(model, documents))
    killer.join()
    assert model.counts.unanswered == 0
    assert len(results) == len(documents)
    assert all(result.text and not result.text.startswith("[") for result in results)
