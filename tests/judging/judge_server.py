"""An OpenAI-compatible server on this machine whose judge answers by rules over what it is sent."""

from __future__ import annotations

import json
import re
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from semiology.metrics.s3.text.justification_rules import READERS
from semiology.metrics.s3.text.report_rules import extract_findings
from semiology.metrics.s3.text.seizure_rqi import SECTIONS

Reply = Callable[[str], str]
FENCED = re.compile(r"\n(=====text-[0-9a-f]{16}=====)\n(.*)\n\1\n", re.DOTALL)


def rule_judge(prompt: str) -> str:
    """Read the fenced text by the offline rules, and reply as the prompt asks; merge texts by joining."""
    if "Merge" in prompt and "DO NOT include" in prompt:
        return "Merged: " + " ".join(re.findall(r"\n- ([^\n]*?)(?= Merge|\n|$)", prompt))
    found = FENCED.search(prompt)
    assert found is not None, prompt
    text = found[2]
    if "report that describes" in prompt[:60]:
        findings = extract_findings(text)
        flags = {name: name in findings.sections for name in SECTIONS}
        return json.dumps(
            {
                **flags, "signs": list(findings.features), **findings.locations,
                "off_topic": findings.off_topic, "hazardous": findings.hazardous,
            }
        )  # fmt: skip
    sign = re.search(r"The sign is: ([^.]+)\.", prompt)
    assert sign is not None
    feature = sign[1].replace(" ", "_")
    answers: list[Any] = []
    for read, line in zip(READERS[feature], re.findall(r"^\d+\. .*$", prompt, re.MULTILINE), strict=True):
        answer = read(text.lower())
        answers.append(answer.split("|") if answer and "a list of" in line else answer)
    return "```json\n" + json.dumps({"answers": answers}) + "\n```"


class JudgeServer:
    """What the server was asked, and how it replies: a function of the prompt that may raise TimeoutError."""

    def __init__(self, reply: Reply) -> None:
        self.reply = reply
        self.asked: list[dict[str, Any]] = []
        self.address = ""

    @property
    def prompts(self) -> list[str]:
        return [request["messages"][0]["content"] for request in self.asked]


@contextmanager
def served_judge(reply: Reply = rule_judge) -> Iterator[JudgeServer]:
    """Run the server for a while."""
    judge = JudgeServer(reply)

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            judge.asked.append(request)
            try:
                text = judge.reply(request["messages"][0]["content"])
            except TimeoutError:
                time.sleep(1.5)
                return
            choice = {
                "index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": text},
            }  # fmt: skip
            body = json.dumps(
                {"id": "1", "object": "chat.completion", "created": 0, "model": "m", "choices": [choice]}
            ).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *arguments: Any) -> None:
            """Keep the test's output clean."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    judge.address = f"http://127.0.0.1:{server.server_port}/v1"
    try:
        yield judge
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def text_in(prompt: str) -> str:
    """Return the fenced text of a prompt."""
    found = FENCED.search(prompt)
    assert found is not None
    return found[2]


def first_then(first: str, wanted: Sequence[str]) -> Reply:
    """A judge whose first reply on texts that hold one of some words is ``first``, and right afterwards."""

    def reply(prompt: str) -> str:
        again = "Your previous reply" in prompt
        if not again and any(word in text_in(prompt) for word in wanted):
            return first
        return rule_judge(prompt)

    return reply
