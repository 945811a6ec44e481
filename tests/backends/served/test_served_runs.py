"""Scores, journal, a kill in the middle, what the server's caches tell, and whole runs through lmms-eval."""

from __future__ import annotations

import json
import math
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from asking import Asked, model_of, replies, requests_for
from loguru import logger
from recording_server import ModelServer, completion, question_of, serving

from semiology.backends.embedded.sees import CHECKPOINT
from semiology.backends.journal import FAILED
from semiology.backends.served.cache_hits import CacheHits, counted
from semiology.backends.served.frame_rules import rules_for
from semiology.backends.shared_prefix.resuming import Resuming

VLLM_PAGE = (
    "# HELP vllm:prefix_cache_hits_total ...\n"
    'vllm:prefix_cache_queries_total{{engine="0",model_name="m"}} {asked}\n'
    'vllm:prefix_cache_hits_total{{engine="0",model_name="m"}} {found}\n'
)


def test_scores_are_those_of_the_first_token_in_all_forms_and_bounded_where_not_told(
    films: list[Path],
) -> None:
    with serving(ModelServer()) as server:
        model = model_of(server, score="logprob")
        (result,) = model.generate_until(requests_for(model, [Asked(films[0], "Stiff?")]))
    (body,) = server.asked
    assert (body["max_tokens"], body["logprobs"], body["top_logprobs"]) == (1, True, 20)
    told = result.token_counts.to_dict()["first_token_logprobs"]
    assert result.text == "yes"
    assert told["yes"] == pytest.approx(math.log(math.exp(-0.5) + math.exp(-1.5)))
    assert told["no"] == -2.0
    left = 1 - sum(math.exp(each) for each in (-0.5, -1.5, -2.0, -6.0))
    assert told["NA"] == pytest.approx(min(-6.0, math.log(left)))


@pytest.mark.parametrize("content", [None, [], "thinks"])
def test_a_reply_without_scores_is_marked(films: list[Path], content: Any) -> None:
    said = completion()
    if content is not None:
        first = {"token": "<think>", "logprob": -0.1, "top_logprobs": [{"token": "<think>", "logprob": -0.1}]}
        said["choices"][0]["logprobs"] = {"content": [first] if content else []}
    with serving(ModelServer(answering=lambda number, body: (200, said))) as server:
        (found,) = replies(model_of(server, score="logprob"), [Asked(films[0], "Stiff?")])
    assert found.startswith(FAILED)
    assert ("<think>" in found) == bool(content)
    assert "score=logprob" in found


def test_what_was_answered_before_a_stop_is_not_asked_again(
    films: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    documents = [Asked(film, f"Is it {number}?") for number in range(5) for film in films]
    journal = str(tmp_path / "journal")
    kept: list[str] = []
    keep = Resuming.on_answers

    def stop_after_three(self: Resuming, answered: Any) -> None:
        if len(kept) >= 3:
            raise KeyboardInterrupt
        keep(self, answered)
        kept.extend(question.tag.args[0] + question.media[0].source for question, _ in answered)

    with monkeypatch.context() as patch:
        patch.setattr(Resuming, "on_answers", stop_after_three)
        with serving(ModelServer(takes_s=0.02)) as server, pytest.raises(KeyboardInterrupt):
            replies(model_of(server, journal=journal, num_concurrent=1), documents)
    with serving(ModelServer()) as server:
        model = model_of(server, journal=journal)
        found = replies(model, documents)
    assert found == ["yes" if len(each.text) % 2 else "no" for each in documents]
    assert model.counts.recalled == len(kept) >= 3
    assert len(server.asked) == len(documents) - len(kept)


@pytest.mark.parametrize(
    "change",
    [{"fps": 2}, {"score": "logprob"}, {"media": "images"}, {"system_prompt": "Look."}, {"encoding": "jpeg"}],
)
def test_answers_to_other_pictures_or_prompts_are_not_reused(
    films: list[Path], tmp_path: Path, change: dict[str, Any]
) -> None:
    journal = str(tmp_path / "journal")
    with serving(ModelServer()) as server:
        replies(model_of(server, journal=journal), [Asked(films[0], "Stiff?")])
        replies(model_of(server, journal=journal), [Asked(films[0], "Stiff?")])
        assert len(server.asked) == 1
        replies(model_of(server, journal=journal, **change), [Asked(films[0], "Stiff?")])
        assert len(server.asked) == 2


def test_another_served_checkpoint_is_another_model(films: list[Path], tmp_path: Path) -> None:
    journal = str(tmp_path / "journal")
    for number, root in enumerate(("org/qwen2.5-vl-a", "org/qwen2.5-vl-b", "org/qwen2.5-vl-a")):
        with serving(ModelServer(root=root)) as server:
            replies(model_of(server, journal=journal), [Asked(films[0], "Stiff?")])
        assert len(server.asked) == (number < 2)


def test_a_server_that_names_no_checkpoint_is_known_by_what_it_tells_of_the_weights(
    films: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As llama.cpp's, asked from a folder that holds some checkpoint's files."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "config.json").write_text('{"model_type": "qwen3_vl"}')
    assert rules_for("", "", "m", resize=True).family.name == ""
    for number, size in enumerate((96576768, 540000000, 96576768)):
        meta = {"ftype": "Q4_1", "n_params": 134515008, "size": size, "n_ctx": 100 + number}
        with serving(ModelServer(engine="llamacpp", root="", meta=meta)) as server:
            model = model_of(server, journal=str(tmp_path / "journal"))
            assert replies(model, [Asked(films[0], "Stiff?")]) == ["no"]
        assert len(server.asked) == (number < 2)


def run_command(address: str, data: Path, out: Path, *more: str) -> list[str]:
    arguments = f"base_url={address},fps=2,num_concurrent=2,max_retries=0,patience=0"
    return [
        sys.executable, "-c", "import sys; sys.argv[0] = 'semiology'; from semiology.cli import main; main()",
        "run", "--model", "semiology_openai", "--model-args", arguments, "--data", str(data), "--out", str(out),
        "--tasks", "semiology_tonic,semiology_clonic,semiology_close_eyes", *more,
    ]  # fmt: skip


@pytest.mark.slow
def test_a_killed_run_goes_on_with_the_same_command(simulated_set: Path, tmp_path: Path) -> None:
    reached = 0

    def answering(number: int, body: Any) -> None:
        nonlocal reached
        reached = max(reached, number)
        time.sleep(0.3)

    with serving(ModelServer(answering=answering)) as server:
        command = run_command(server.address, simulated_set, tmp_path / "out")
        first = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        while reached < 5 and first.poll() is None:
            time.sleep(0.02)
        os.kill(first.pid, signal.SIGKILL)
        first.wait()
        before = len(server.asked)
        assert before < 12
        again = subprocess.run(command, capture_output=True, text=True)
        assert again.returncode == 0, again.stderr
        asked = [(question_of(body), json.dumps(body.get("media_io_kwargs"))) for body in server.asked]
    total = sum(len(path.read_text().splitlines()) for path in (tmp_path / "out").rglob("*_samples_*.jsonl"))
    # At most those under way when it was killed were asked twice.
    assert total <= len(asked) <= total + 2
    assert len(asked) - before < total


@pytest.mark.slow
def test_a_run_through_the_command_shows_hits_and_scores_and_marks_what_failed(
    simulated_set: Path, tmp_path: Path
) -> None:
    failing = iter([True])

    def answering(number: int, body: Any) -> tuple[int, Any] | None:
        server.metrics = VLLM_PAGE.format(asked=100 * number, found=80 * number)
        return (500, {"error": {"message": "out of luck"}}) if number == 3 and next(failing, False) else None

    server = ModelServer(answering=answering, metrics=VLLM_PAGE.format(asked=0, found=0))
    environment = os.environ | {"SEMIOLOGY_QUIET": "0"}
    with serving(server):
        command = run_command(server.address, simulated_set, tmp_path / "out", "--verbosity", "INFO")
        first = subprocess.run(command, capture_output=True, text=True, env=environment)
        second = subprocess.run(command, capture_output=True, text=True, env=environment)
    said = first.stdout + first.stderr
    assert "windows are sent as video" in said
    assert "80% of" in said
    assert "1 without a reply" in said
    assert "out of luck" in said
    lines = [line for path in (tmp_path / "out").rglob("*_samples_*.jsonl") for line in path.open()]
    assert sum(FAILED in line for line in lines) == 1
    assert second.returncode == 0, second.stderr
    assert "without a reply" not in second.stderr


@pytest.mark.parametrize(("window", "told"), [("standard", True), ("qwen3", False)])
def test_a_qwen3_model_that_is_asked_about_short_windows_is_told(
    monkeypatch: pytest.MonkeyPatch, window: str, told: bool
) -> None:
    monkeypatch.setenv("SEMIOLOGY_WINDOW", window)
    heard: list[str] = []
    sink = logger.add(lambda message: heard.append(str(message)), level="WARNING")
    try:
        with serving(ModelServer(root="Qwen/Qwen3-VL-8B-Instruct")) as server:
            model_of(server)
    finally:
        logger.remove(sink)
    assert any("SEMIOLOGY_WINDOW=qwen3" in line for line in heard) is told


def test_counters_of_engines_are_read() -> None:
    assert counted(VLLM_PAGE.format(asked="1e3", found=250.0)) == (250, 1000)
    page = 'sglang:prompt_tokens_total{a="b"} 10\nsglang:cached_tokens_total{a="b"} 4\n'
    page += 'sglang:cached_tokens_total{a="c"} 1\n'
    assert counted(page) == (5, 10)
    assert counted("llamacpp:prompt_tokens_total 5\n") is None
    assert counted("") is None


def test_hits_are_looked_up_every_few_seconds_and_count_from_the_start() -> None:
    clock, pages = [0.0], iter([(1000, 500), (1100, 590), (1200, 600)])
    hits = CacheHits(
        lambda: VLLM_PAGE.format(asked=(pair := next(pages))[0], found=pair[1]), now=lambda: clock[0]
    )
    assert hits.words() == ""
    clock[0] = 11.0
    assert hits.words() == "90% of 100 prompt tokens found in the server's cache"
    assert hits.words() == "90% of 100 prompt tokens found in the server's cache"
    assert hits.words(at_once=True) == "50% of 200 prompt tokens found in the server's cache"


@pytest.mark.parametrize(
    ("root", "name", "family", "patch"),
    [
        (str(CHECKPOINT), "anything", "Qwen2.5-VL", 14),
        ("Qwen/Qwen2.5-VL-7B-Instruct", "m", "Qwen2.5-VL", 14),
        ("", "Qwen3-VL-8B-Instruct-FP8", "Qwen3-VL", 16),
        ("", "qwen2.5-omni-7b", "Qwen-Omni", 14),
        ("", "Qwen3-Omni-30B-A3B", "Qwen-Omni", 16),
        ("", "InternVL3_5-8B", "", None),
    ],
)
def test_frames_follow_the_checkpoint_that_is_served(
    root: str, name: str, family: str, patch: int | None
) -> None:
    rules = rules_for("", root, name, resize=True)
    assert (rules.family.name, rules.patch_size) == (family, patch)
    assert rules_for("", root, name, resize=False).patch_size is None
