"""The roads to real models: the adapter alone, and the embedded model in a search and behind pipes."""

from __future__ import annotations

import json
import sys
from collections import defaultdict
from pathlib import Path
from typing import Any

import pytest

from semiology.optimization.search.asking import WindowQuestion
from semiology.optimization.search.options import SearchError
from semiology.optimization.search.setup import LmmsEvalAnswerer, reply_key
from semiology.prompts.library import load_library, render
from semiology.tasks.messages import media_form
from semiology.tasks.plan import Plan, make_plan
from semiology.tasks.settings import Settings


def plan_of(folder: Path, cache: Path) -> Plan:
    return make_plan(Settings(folder, cache, "s3", "standard"))


class ChatModel:
    """Stands for an lmms-eval chat model: looks at what it is handed."""

    is_simple = False

    def __init__(self, replies: list[str] | None = None) -> None:
        self.task_dict: dict[str, Any] = defaultdict(dict)
        self.seen: list[Any] = []
        self.replies = replies

    def generate_until(self, requests: list[Any]) -> list[str]:
        for request in requests:
            _, messages, settings, number, task, split = request.args
            self.seen.append((messages(self.task_dict[task][split][number]), settings))
        return self.replies or ["Yes"] * len(requests)


def question(plan: Plan, feature: str = "tonic", segment: int = 0) -> WindowQuestion:
    text = render(load_library().feature(feature).reference)
    return WindowQuestion(next(iter(plan.recordings)), segment, feature, text)


def test_a_chat_model_is_asked_what_a_run_would_ask(
    simulated_set: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SEMIOLOGY_CACHE", str(tmp_path))
    plan = plan_of(simulated_set, tmp_path)
    model = ChatModel()
    asked = question(plan)
    assert LmmsEvalAnswerer(lambda: model, "semiology_hf", plan).answer([asked]) == ["Yes"]
    ((messages, settings),) = model.seen
    video, text = messages[0]["content"]
    assert text == {"type": "text", "text": asked.text}
    assert (video["start_time"], video["end_time"]) == (0.0, 30.0)
    assert settings["max_new_tokens"] == 256
    assert media_form("internvl_hf")["window"] == "clip"


def test_a_question_without_reply_is_a_sentence(
    simulated_set: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SEMIOLOGY_CACHE", str(tmp_path))
    plan = plan_of(simulated_set, tmp_path)
    model = ChatModel(["[LMMS_EVAL_REQUEST_FAILED: the server is gone]"])
    with pytest.raises(SearchError, match=r"1 of 1 question got no reply.*the server is gone"):
        LmmsEvalAnswerer(lambda: model, "semiology_hf", plan).answer([question(plan)])


def test_a_key_tells_wording_window_file_and_model_apart(
    simulated_set: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SEMIOLOGY_CACHE", str(tmp_path))
    plan = plan_of(simulated_set, tmp_path)
    key = reply_key(plan, "semiology_hf", "pretrained=a")
    one = question(plan)
    others = [
        reply_key(plan, "semiology_hf", "pretrained=b")(one),
        key(WindowQuestion(one.video_id, 0, "tonic", one.text + "!")),
        key(WindowQuestion(list(plan.recordings)[1], 0, "tonic", one.text)),
    ]
    assert len({key(one), *others}) == 4
    assert key(one) == reply_key(plan, "semiology_hf", "pretrained=a")(one)


@pytest.mark.slow
def test_the_command_searches_with_the_embedded_model_and_goes_on(tmp_path: Path) -> None:
    from typer.testing import CliRunner

    from semiology.cli import app
    from semiology.data.simulated import simulate

    data = tmp_path / "set"
    simulate(
        data, patients=24, seed=3, recordings_per_patient=1, duration_s=(30.0, 30.1), size=(224, 168), fps=15
    )
    words = ["optimize", "--model", "embedded", "--data", str(data), "--features", "close_eyes,arm_flexion",
             "--budget", "40", "--begin-with", "role", "--out", str(tmp_path / "run"), "--json"]  # fmt: skip
    summaries = []
    for _ in range(2):
        result = CliRunner().invoke(
            app, words, catch_exceptions=False, env={"SEMIOLOGY_CACHE": str(tmp_path / "c")}
        )
        assert result.exit_code == 0
        summaries.append(json.loads(result.stdout[result.stdout.index("{") :]))
    assert summaries[0]["results"] == summaries[1]["results"]
    assert summaries[0]["questions_asked"] > 0
    assert summaries[1]["questions_asked"] == 0
    assert summaries[0]["questions_asked"] > 2 * summaries[0]["windows_read"]


@pytest.mark.slow
def test_the_embedded_model_answers_through_pipes_as_it_does_directly(
    simulated_set: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from semiology.backends.jsonl.process import JsonlProcess
    from semiology.backends.jsonl.protocol import Request
    from semiology.harness.asking import load_model
    from semiology.harness.run import resolve_model

    monkeypatch.setenv("SEMIOLOGY_CACHE", str(tmp_path))
    plan = plan_of(simulated_set, tmp_path)
    features = ("tonic", "close_eyes", "head_turning", "clonic")
    asked = [question(plan, feature) for feature in features]
    name, arguments = resolve_model("embedded", "journal=none")
    directly = LmmsEvalAnswerer(lambda: load_model(name, arguments), name, plan).answer(asked)
    video = str(next(iter(plan.recordings.values())).recording.video)
    requests = [
        Request(str(number), video, each.text, 0.0, 30.0) for number, each in enumerate(asked)
    ] + [Request("gone", "nowhere.mp4", "Is it?")]  # fmt: skip
    words = [sys.executable, "-m", "semiology.cli", "serve-jsonl", "--model", "embedded"]
    process = JsonlProcess(words, timeout_s=300, in_flight=8, restarts=0)
    try:
        answers = process.ask(requests)
    finally:
        process.stop()
    assert [answers[str(number)] for number in range(4)] == directly
    assert "no such video" in str(answers["gone"])
    assert process.noise == 0
