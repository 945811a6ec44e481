"""The tasks inside lmms-eval itself: each feature once, right scores, and a cache that never lies."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from lmms_eval.api.instance import GenerationResult, TokenCounts
from lmms_eval.api.model import lmms
from lmms_eval.evaluator import simple_evaluate
from lmms_eval.tasks import TaskManager

from semiology.features import FEATURES
from semiology.harness.console_script import main
from semiology.harness.plugin import add_tasks
from semiology.prompts import library

pytestmark = pytest.mark.usefixtures("one_task_index")


class Witness(lmms):
    """Answers "yes" for recording A1 and "no" otherwise, and remembers what it was asked."""

    is_simple = False

    def __repr__(self) -> str:
        return "witness"  # part of lmms-eval's cache key

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[tuple[str, str, float, str]] = []

    def generate_until(self, requests: list[Any]) -> list[GenerationResult]:
        return [self._answer(*request.args) for request in requests]

    def _answer(
        self, text: str, messages: Any, settings: Any, doc_id: int, task: str, split: str
    ) -> GenerationResult:
        (turn,) = messages(self.task_dict[task][split][doc_id])
        video, question = turn["content"]
        self.asked.append((task, Path(video["url"]).stem, video["start_time"], question["text"]))
        reply = "Yes." if self.asked[-1][1] == "A1" else "No."
        return GenerationResult(text=reply, token_counts=TokenCounts(output_tokens=1))

    def loglikelihood(self, requests: Any) -> Any:
        raise NotImplementedError

    def generate_until_multi_round(self, requests: Any) -> Any:
        raise NotImplementedError


def evaluate(patterns: list[str], cache: Path | None = None) -> tuple[Witness, dict[str, Any]]:
    add_tasks()
    manager = TaskManager(include_defaults=False)
    witness = Witness()
    results = simple_evaluate(
        model=witness,
        model_args="pretrained=witness",
        tasks=manager.match_tasks(patterns),
        task_manager=manager,
        use_cache=str(cache) if cache else None,
        bootstrap_iters=0,
        process_docs_parallel=1,
    )
    return witness, results


def test_every_feature_is_asked_exactly_once_and_scored(small_set: Path) -> None:
    witness, results = evaluate(["semiology_*"])
    per_task = Counter(task for task, *_ in witness.asked)
    assert set(per_task) == {f"semiology_{feature}" for feature in FEATURES}
    assert len(set(witness.asked)) == len(witness.asked)
    assert per_task["semiology_tonic"] == 9
    assert per_task["semiology_ictal_vocalization"] == 6  # B1 has no sound
    tonic = results["results"]["semiology_tonic"]
    assert tonic["f1,none"] == 1.0
    assert tonic["always_yes_f1,none"] == pytest.approx(0.5)
    assert tonic["unparsed_rate,none"] == 0.0
    assert tonic["f1_low,none"] == "not estimable"


def test_the_sample_carries_what_the_report_reads(small_set: Path) -> None:
    _, results = evaluate(["semiology_tonic"])
    record = results["samples"]["semiology_tonic"][0]["semiology"]
    assert record["video_id"] == "A1"
    assert record["patient_id"] == "A"
    assert record["answer"] == "yes"
    assert record["raw"] == "Yes."


def test_the_group_prints_macro_figures_over_its_features(small_set: Path) -> None:
    _, results = evaluate(["semiology"])
    assert results["results"]["semiology"]["f1,none"] == pytest.approx(1.0)
    assert len(results["samples"]) == 20


def test_a_second_run_answers_from_the_cache(
    small_set: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)  # the key holds the commit of the repository that lmms-eval is called in
    first, _ = evaluate(["semiology_tonic"], tmp_path / "responses")
    second, results = evaluate(["semiology_tonic"], tmp_path / "responses")
    assert len(first.asked) == 9
    assert second.asked == []
    assert results["results"]["semiology_tonic"]["f1,none"] == 1.0


def test_an_edited_wording_is_asked_anew(
    small_set: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same prompt id with another text must never be answered from the cache."""
    evaluate(["semiology_tonic"], tmp_path / "responses")
    original = library.render
    monkeypatch.setattr(
        "semiology.tasks.documents.render",
        lambda prompt, *form: original(prompt, *form).replace("tonic", "TONIC"),
    )
    second, _ = evaluate(["semiology_tonic"], tmp_path / "responses")
    assert len(second.asked) == 9
    assert all("TONIC" in text for *_, text in second.asked)


def test_a_new_encode_of_a_video_is_asked_anew(small_set: Path, tmp_path: Path) -> None:
    evaluate(["semiology_tonic"], tmp_path / "responses")
    video = small_set / "videos" / "A1.mp4"
    video.write_bytes((small_set / "videos" / "A2.mp4").read_bytes())
    second, _ = evaluate(["semiology_tonic"], tmp_path / "responses")
    assert len(second.asked) == 9


COMMAND = [str(Path(sys.executable).with_name("lmms_eval")), "--model", "semiology_constant"]


def test_the_bare_command_finds_the_tasks_and_writes_every_result(small_set: Path, tmp_path: Path) -> None:
    arguments = ["--tasks", "semiology_*", "--log_samples", "--output_path", str(tmp_path / "out")]
    done = subprocess.run([*COMMAND, *arguments], cwd=tmp_path, capture_output=True, text=True, check=False)
    written = list((tmp_path / "out").rglob("*_results.json"))
    assert len(written) == 1, done.stdout[-2000:] + done.stderr[-2000:]
    results = json.loads(written[0].read_text())
    assert set(results["results"]) == {f"semiology_{feature}" for feature in FEATURES}
    assert results["results"]["semiology_tonic"]["f1,none"] == pytest.approx(0.5)
    assert len(list(written[0].parent.glob("*_samples_semiology_*.jsonl"))) == 20


def test_the_bare_command_without_a_recording_set_ends_with_status_2(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command_here: Callable[..., Any]
) -> None:
    monkeypatch.delenv("SEMIOLOGY_DATA", raising=False)
    monkeypatch.setenv("SEMIOLOGY_ONLY", "1")
    arguments = ["--tasks", "semiology_tonic", "--output_path", str(tmp_path / "out")]
    done = command_here(main, "lmms_eval", *COMMAND[1:], *arguments)
    assert done.returncode == 2
    assert "SEMIOLOGY_DATA" in done.stderr
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("form", ["config", "abbreviation"])
def test_no_spelling_of_the_command_sends_video_away(
    form: str,
    small_set: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    command_here: Callable[..., Any],
) -> None:
    """192.0.2.1 is an address of documentation: nothing answers there, and nothing may be sent."""
    remote = "model_version=x,base_url=http://192.0.2.1:9/v1,api_key=none"
    config = tmp_path / "run.yaml"
    config.write_text(f"model: openai\nmodel_args: {remote}\ntasks: semiology_tonic\n")
    spelled = {
        "config": ["--config", str(config)],
        "abbreviation": ["--model", "openai", "--model_a", remote, "--task", "semiology_tonic"],
    }[form]
    monkeypatch.setenv("SEMIOLOGY_ONLY", "1")
    monkeypatch.chdir(tmp_path)
    done = command_here(main, "lmms_eval", *spelled)
    assert done.returncode == 2, done.stdout[-1000:]
    assert "SEMIOLOGY_ALLOW_REMOTE" in done.stderr


@pytest.mark.parametrize("command", ["ui", "serve"])
def test_lmms_evals_servers_are_not_started(command: str, command_here: Callable[..., Any]) -> None:
    done = command_here(main, "lmms_eval", command)
    assert done.returncode == 1
    assert "not started" in done.stderr
