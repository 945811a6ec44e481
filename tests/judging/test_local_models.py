"""Checkpoints and lmms-eval classes as judges: the same road, whatever the model is worth."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest
from judge_server import rule_judge
from s3_examples import REPORT, record, write_s3_run

from semiology.backends.embedded.sees import CHECKPOINT
from semiology.backends.text.served import TextModelError
from semiology.judging.asking import Asked
from semiology.judging.judge import judge_runs
from semiology.judging.model_choice import (
    JudgeChoiceError,
    LmmsEvalTextModel,
    checkpoint,
    lmms_eval_model,
    short_name,
)


def one_report(tmp_path: Path) -> Path:
    rows = [record("s3_report", 0, "The head turns to the left.", REPORT, shown=None)]
    return write_s3_run(tmp_path / "run", rows)


def test_a_checkpoint_is_asked_and_what_it_cannot_do_is_counted(tmp_path: Path) -> None:
    asked = checkpoint(str(CHECKPOINT), max_tokens=16)
    assert asked.identity.startswith("content ")
    first = asked.model("Say yes.")
    assert asked.model("Say yes.") == first
    summary = judge_runs([one_report(tmp_path)], asked, short_name(str(CHECKPOINT)))
    # The embedded model answers questions on drawings; it writes no JSON.
    assert (summary.texts, summary.read, summary.malformed, summary.retried) == (2, 0, 2, 2)


def test_a_checkpoint_of_the_hub_that_is_here_is_loaded_without_a_word_to_the_hub(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from huggingface_hub import constants

    wanted: list[str] = []

    def no_address(host: str, *_: Any, **__: Any) -> None:
        wanted.append(host)
        raise OSError("no network")

    commit = "a" * 40
    cached = tmp_path / "hub" / "models--nobody--judge"
    shutil.copytree(CHECKPOINT, cached / "snapshots" / commit)
    (cached / "refs").mkdir()
    (cached / "refs" / "main").write_text(commit)
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setattr("socket.getaddrinfo", no_address)
    monkeypatch.setattr("time.sleep", lambda _: None)  # between repeated requests
    asked = checkpoint("nobody/judge", max_tokens=16)
    assert asked.identity == f"nobody/judge@{commit}"
    assert isinstance(asked.model("Say yes."), str)
    (cached / "snapshots" / commit / "model.safetensors").unlink()
    with pytest.raises(JudgeChoiceError, match="unless --allow-download"):
        checkpoint("nobody/judge")
    assert wanted == []


def test_a_folder_without_a_checkpoint_is_refused(tmp_path: Path) -> None:
    with pytest.raises(JudgeChoiceError, match="safetensors"):
        checkpoint(str(tmp_path))


class Class:
    """As much of an lmms-eval model class as is asked."""

    def __init__(self, *, is_simple: bool) -> None:
        self.is_simple = is_simple
        self.task_dict: dict[str, Any] = {}
        self.failing = False

    def generate_until(self, requests: list[Any]) -> list[str]:
        if self.failing:
            return ["[LMMS_EVAL_REQUEST_FAILED: no server]"] * len(requests)
        return [rule_judge(self._prompt(request)) for request in requests]

    def _prompt(self, request: Any) -> str:
        if self.is_simple:
            prompt, settings, visual, number, task, split = request.args
            assert visual(self.task_dict[task][split][number]) == []
        else:
            prompt, messages, settings, number, task, split = request.args
            (message,) = messages(self.task_dict[task][split][number])
            assert message["content"] == [{"type": "text", "text": prompt}]
        assert settings["temperature"] == 0
        return str(prompt)


@pytest.mark.parametrize("is_simple", [True, False])
def test_a_model_class_of_lmms_eval_reads_texts(tmp_path: Path, is_simple: bool) -> None:
    lm = Class(is_simple=is_simple)
    model = LmmsEvalTextModel(lm, max_tokens=100)
    summary = judge_runs([one_report(tmp_path)], Asked(model, "class", {}, at_once=4), "class")
    assert (summary.texts, summary.read) == (2, 2)
    lm.failing = True
    with pytest.raises(TextModelError, match="no server"):
        model("x")


def test_a_model_class_is_loaded_after_the_checks_of_every_run() -> None:
    model = lmms_eval_model("semiology_constant", "answer=hello,build_messages=False", max_tokens=9).model
    assert model("x") == "hello"
    with pytest.raises(ValueError, match="SEMIOLOGY_ALLOW_REMOTE"):
        lmms_eval_model("openai", "model_version=m,base_url=http://example.com/v1", max_tokens=9)


def test_an_unknown_model_class_is_told_once_with_the_nearest(capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(ValueError, match=r"^--judge-lmms-eval vlmm: .* did you mean 'vllm'\?$"):
        lmms_eval_model("vlmm", "model=x", max_tokens=9)
    assert "available models" not in capfd.readouterr().err
