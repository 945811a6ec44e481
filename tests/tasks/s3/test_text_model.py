"""The merging language model: what a server on this machine is sent, and what comes of its reply."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest

from semiology.backends.text.served import MAX_TOKENS, TextModelError, chosen_text_model
from semiology.metrics.s3.merge_windows import merge_reports
from semiology.tasks.s3 import scores
from semiology.tasks.s3.merging import instructed

asked: list[dict[str, Any]] = []


class Server(BaseHTTPRequestHandler):
    """An OpenAI-compatible server with one reply."""

    def do_POST(self) -> None:
        asked.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
        choice = {
            "index": 0,
            "finish_reason": "stop",
            "message": {"role": "assistant", "content": " Merged. "},
        }
        body = json.dumps(
            {"id": "1", "object": "chat.completion", "created": 0, "model": "m", "choices": [choice],
             "usage": {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2}}
        ).encode()  # fmt: skip
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *arguments: Any) -> None:
        """Keep the test's output clean."""


@pytest.fixture
def address() -> Iterator[str]:
    server = HTTPServer(("127.0.0.1", 0), Server)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/v1"
    server.shutdown()
    thread.join()
    server.server_close()


def test_texts_are_merged_by_the_server_that_the_user_named(
    address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked.clear()
    monkeypatch.setenv("SEMIOLOGY_MERGE_MODEL", f"small@{address}")
    assert merge_reports(["Blank stare.", "Tonic."], instructed(chosen_text_model())) == "Merged."
    (request,) = asked
    assert request["model"] == "small"
    assert request["temperature"] == 0
    assert request["max_tokens"] == MAX_TOKENS
    assert "\n- Blank stare.\n- Tonic. Merge them" in request["messages"][0]["content"]


def test_a_server_that_is_gone_does_not_cost_the_run_its_figures(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SEMIOLOGY_MERGE_MODEL", "small@http://127.0.0.1:9/v1")
    model = chosen_text_model()
    assert model is not None
    with pytest.raises(TextModelError, match=r"small at http://127.0.0.1:9/v1 gave no reply"):
        model("x")
    record = {
        "task": "s3_report",
        "feature": "report",
        "video_id": "A1",
        "patient_id": "A",
        "clip_form": None,
    }
    texts = ("Tonic.", "Blank stare.")
    records = [
        {**record, "segment": i, "answer": text, "truth": "Tonic. Blank stare.", "shown": None}
        for i, text in enumerate(texts)
    ]
    hooks = {entry["metric"]: entry["aggregation"] for entry in scores.metric_list("report")}
    assert hooks["s3"](records) == 2.0
    assert hooks["rouge_l"]([scores.identity(record) for record in records]) == pytest.approx(1.0)


def test_figures_of_other_records_than_those_aggregated_last_are_refused() -> None:
    record = {
        "task": "s3_report",
        "feature": "report",
        "video_id": "A1",
        "patient_id": "A",
        "clip_form": None,
    }
    hooks = {entry["metric"]: entry["aggregation"] for entry in scores.metric_list("report")}
    hooks["s3"]([{**record, "segment": 0, "answer": "Tonic.", "truth": "Tonic.", "shown": None}])
    with pytest.raises(RuntimeError, match="not aggregated before"):
        hooks["rqi"](["s3_report/report/A1/None/0", "s3_report/report/A2/None/0"])


def test_reasoning_is_cut_off_merged_texts_and_nothing_else_is_no_text() -> None:
    merge = instructed(
        lambda instruction: "<think>First tonic, so the answer is yes.</think>\nTonic posturing."
    )
    assert merge is not None
    assert merge(["Tonic."], None, "yes") == "Tonic posturing."
    cut = instructed(lambda instruction: "<think>First tonic,")
    assert cut is not None
    with pytest.raises(TextModelError, match="nothing but reasoning"):
        cut(["Tonic."], None, "yes")
