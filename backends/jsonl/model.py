"""The lmms-eval model ``semiology_jsonl``: any command that speaks the JSONL protocol, started once.

``lmms_eval --model semiology_jsonl --model_args command="my_backend --gpu 0",timeout=300 …`` sends every
question to the command's standard input and reads the answers from its standard output
(`semiology.backends.jsonl.protocol`). The command runs without a shell. What it does with the video is its
own affair: a command that sends it elsewhere is not noticed here.
"""

from __future__ import annotations

import json
import shlex
from collections.abc import Sequence
from pathlib import Path

from lmms_eval.api.instance import GenerationResult, Instance, TokenCounts

from semiology.backends.generation_only import GenerationOnly
from semiology.backends.journal import failed_reply
from semiology.backends.jsonl.process import JsonlProcess
from semiology.backends.jsonl.protocol import MAX_NEW_TOKENS, Request


class SemiologyJsonl(GenerationOnly):
    """An lmms-eval chat model in front of an external command.

    Args:
        command: the command line, without commas (lmms-eval separates arguments by them); or ``@FILE``, a
            JSON file that holds it as a list of words.
        timeout: longest wait for one answer, s; after that the command is stopped and started afresh.
        in_flight: questions sent ahead, so that the command can batch them.
        restarts: how often a command that ended or hung is started again in one call.
        batch_size, max_batch_size, device: accepted because lmms-eval passes them; without effect.

    Raises:
        ValueError: the command is not given or its file cannot be read, or a setting is no number.
    """

    is_simple = False

    def __init__(
        self,
        command: str = "",
        timeout: float | str = 300.0,
        in_flight: int | str = 64,
        restarts: int | str = 3,
        batch_size: int | str = 1,
        max_batch_size: int | None = None,
        device: str | None = None,
    ) -> None:
        super().__init__()
        del batch_size, max_batch_size, device
        for name, value in {"timeout": timeout, "in_flight": in_flight, "restarts": restarts}.items():
            if isinstance(value, str):
                raise ValueError(f"semiology_jsonl: {name}={value} is no number → give one, or leave it out")
        self.process = JsonlProcess(
            command_words(str(command)), float(timeout), int(in_flight), int(restarts)
        )

    def generate_until(self, requests: Sequence[Instance]) -> list[GenerationResult]:
        """Return the command's answers in the order of the requests."""
        asked = [self._request(number, request) for number, request in enumerate(requests)]
        answers = self.process.ask(asked)
        return [
            GenerationResult(text=failed_reply(answer))
            if isinstance(answer, Exception)
            else GenerationResult(text=answer, token_counts=TokenCounts())
            for answer in (answers[each.id] for each in asked)
        ]

    def _request(self, number: int, request: Instance) -> Request:
        parts = [part for message in self.messages_of(request) for part in message["content"]]
        videos = [part for part in parts if part["type"] == "video"]
        if len(videos) != 1 or any(part["type"] not in ("video", "text") for part in parts):
            raise ValueError(
                "semiology_jsonl hands over one video and text; other media have no place in a line"
            )
        text = "\n".join(part["text"] for part in parts if part["type"] == "text")
        video = videos[0]
        tokens = int(request.args[2].get("max_new_tokens") or MAX_NEW_TOKENS)
        start, end = video.get("start_time"), video.get("end_time")
        return Request(str(number), str(video["url"]), text, start, end, tokens, self.process.timeout_s)

    def clean(self) -> None:
        """Stop the command."""
        self.process.stop()
        super().clean()


def command_words(command: str) -> list[str]:
    """Return a command line as words.

    Raises:
        ValueError: it is empty, its quotes do not close, or its file cannot be read.
    """
    if command.startswith("@"):
        path = Path(command[1:])
        try:
            content = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise ValueError(f"command={command}: {path} cannot be read as JSON ({error})") from None
        if not isinstance(content, list) or not all(isinstance(word, str) for word in content):
            raise ValueError(f"command={command}: {path} must hold a list of words")
        words = [str(word) for word in content]
    else:
        words = shlex.split(command)
    if not words:
        raise ValueError("semiology_jsonl needs command=…, the command line of a JSONL backend")
    return words
