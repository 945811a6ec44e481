"""The 20 sweep tasks inside lmms-eval: found, asked, scored, and recorded with prompt id and hash."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from lmms_eval.api.instance import GenerationResult, TokenCounts
from lmms_eval.api.model import lmms
from lmms_eval.evaluator import simple_evaluate
from lmms_eval.tasks import TaskManager

from semiology.harness import preflight
from semiology.harness.plugin import add_tasks
from semiology.prompts.library import load_library, prompt_hash, render
from semiology.tasks.sweep.scores import MEASURES

pytestmark = pytest.mark.usefixtures("one_task_index")


class YesSayer(lmms):
    """Says "yes" to everything except in answer to the minimal wording, which it does not understand."""

    is_simple = False

    def __repr__(self) -> str:
        return "yes-sayer"

    def generate_until(self, requests: list[Any]) -> list[GenerationResult]:
        minimal = render(load_library().feature("tonic").prompt("minimal"))
        replies = ["What?" if request.args[0] == minimal else "Yes." for request in requests]
        return [GenerationResult(text=reply, token_counts=TokenCounts(output_tokens=1)) for reply in replies]

    def loglikelihood(self, requests: Any) -> Any:
        raise NotImplementedError

    def generate_until_multi_round(self, requests: Any) -> Any:
        raise NotImplementedError


def evaluate(patterns: list[str], **keywords: Any) -> dict[str, Any]:
    add_tasks()
    manager = TaskManager(include_defaults=False)
    found: dict[str, Any] = simple_evaluate(
        model=YesSayer(),
        model_args="pretrained=yes-sayer",
        tasks=manager.match_tasks(patterns),
        task_manager=manager,
        bootstrap_iters=0,
        process_docs_parallel=1,
        log_samples=True,
        **keywords,
    )
    return found


def test_a_sweep_reaches_the_samples_with_id_and_hash_and_is_scored(small_set: Path) -> None:
    found = evaluate(["sweep_semiology_tonic"])
    samples = found["samples"]["sweep_semiology_tonic"]
    prompts = load_library().feature("tonic").prompts
    records = [sample["semiology"] for sample in samples]
    assert {(record["prompt_id"], record["prompt_hash"]) for record in records} == {
        (prompt.id, prompt_hash(render(prompt))) for prompt in prompts
    }
    assert len(records) == 9 * len(prompts)
    assert {record["family"] for record in records} == {prompt.family for prompt in prompts}
    assert {record["answer_format"] for record in records} == {"own"}

    # Truth: one of three recordings is yes. "Yes" is right about one, unless the wording is negated ("yes"
    # says absent: right about two) or minimal (not understood: right about none).
    k, results = len(prompts), found["results"]["sweep_semiology_tonic"]
    assert results["wordings,none"] == k
    assert results["avg_p,none"] == pytest.approx(((k - 2) / 3 + 2 / 3) / k)
    assert results["yes_rate,none"] == pytest.approx((k - 2) / k)
    assert results["unparsed_rate,none"] == pytest.approx(1 / k)
    assert results["prevalence,none"] == pytest.approx(1 / 3)
    assert results["f1_reference,none"] == pytest.approx(0.5)
    assert results["f1_low,none"] == "not estimable"
    assert {f"{name},none" for name in MEASURES} <= set(results)


def test_a_trial_with_a_limit_ends_with_figures_or_without_but_never_with_an_error(small_set: Path) -> None:
    few = evaluate(["sweep_semiology_tonic"], limit=2)["results"]["sweep_semiology_tonic"]
    # only two wordings were asked at all, about one window each
    assert few["wordings,none"] == 2
    k = len(load_library().feature("tonic").prompts)
    part = evaluate(["sweep_semiology_tonic"], limit=3 * k + 4)["results"]["sweep_semiology_tonic"]
    # recording A1 is complete, the first window of A2 was asked under four wordings only
    assert part["wordings,none"] == k
    assert part["prevalence,none"] == 1


def test_a_sweep_is_checked_before_a_model_is_loaded(
    small_set: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def prepare(tasks: list[str], model: str = "qwen2_5_vl") -> list[str]:
        arguments: dict[str, Any] = {"model": model, "model_args": "", "tasks": list(tasks)}
        preflight.prepare_run(arguments)
        return list(arguments["tasks"])

    monkeypatch.delenv("SEMIOLOGY_ALLOW_REMOTE", raising=False)
    with pytest.raises(ValueError, match="SEMIOLOGY_ALLOW_REMOTE"):
        prepare(["sweep_semiology_tonic"], "gemini")
    # the wording of single tasks does not bind a sweep
    monkeypatch.setenv("SEMIOLOGY_PROMPT", "s3_context")
    assert prepare(["sweep_semiology_arm_flexion"]) == ["sweep_semiology_arm_flexion"]
    monkeypatch.setenv("SEMIOLOGY_SWEEP_PROMPTS", "minimall")
    with pytest.raises(ValueError, match="did you mean 'minimal'"):
        prepare(["sweep_semiology_tonic"])
    monkeypatch.setenv("SEMIOLOGY_SWEEP_PROMPTS", "all")
    table = small_set / "annotations.csv"
    table.write_text("".join(line for line in table.open() if ",tonic," not in line))
    tasks = ["sweep_semiology_tonic", "sweep_semiology_clonic"]
    assert prepare(tasks) == ["sweep_semiology_clonic"]
