"""The JSONL process protocol: one question a line in, one answer a line out, over the pipes of a process.

A request is one JSON object in one line::

    {"id": "7", "video": "/data/a.mp4", "prompt": "Does …?", "start_s": 0.0, "end_s": 30.0,
     "max_new_tokens": 256, "timeout_s": 300}

``video`` and ``prompt`` are needed (``video_path`` and ``question`` are taken too). The answer has the same
``id`` and either ``text`` or ``error``::

    {"id": "7", "text": "Yes", "seconds": 1.8}
    {"id": "7", "error": {"kind": "timeout", "message": "…"}}

Answers may come in another order than the requests. The idea, a model kept loaded behind pipes, is that of
the published prompt-optimization tool; its paper and page do not name its fields, so these are ours.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

MAX_NEW_TOKENS = 256
LONGEST_LINE = 1_000_000
"""Characters; a longer line is answered with an error."""
LARGEST_NUMBER = 1e9
"""Of seconds or tokens; JSON knows integers that are too large for a float."""

BAD_REQUEST, MODEL_FAILED, TIMEOUT = "bad_request", "model_failed", "timeout"


class ProtocolError(ValueError):
    """A line is no request; ``request_id`` is its id where it has one."""

    def __init__(self, message: str, request_id: str | None = None) -> None:
        super().__init__(message)
        self.request_id = request_id


@dataclass(frozen=True)
class Request:
    """One question about a video, or about a window of it.

    The id is given back with the answer. The window is in s from the start of the file; None for its start and end.
    The longest answer is in tokens, the longest wait in s (None for the server's own).
    """

    id: str
    video: str
    prompt: str
    start_s: float | None = None
    end_s: float | None = None
    max_new_tokens: int = MAX_NEW_TOKENS
    timeout_s: float | None = None

    def line(self) -> str:
        """Return the request as one line, with its end."""
        content = {name: value for name, value in vars(self).items() if value is not None}
        return json.dumps(content, ensure_ascii=True) + "\n"


def read_request(line: str) -> Request:
    """Read one line.

    Raises:
        ProtocolError: it is no request; the message says what is missing or wrong.
    """
    if len(line) > LONGEST_LINE:
        raise ProtocolError(f"the line has {len(line)} characters, more than {LONGEST_LINE}")
    try:
        raw = json.loads(line)
    except (ValueError, RecursionError):
        raise ProtocolError("the line is no JSON; send one object a line") from None
    if not isinstance(raw, dict):
        raise ProtocolError('the line is no JSON object; send {"id": …, "video": …, "prompt": …}')
    known = None if raw.get("id") is None else str(raw["id"])
    video, prompt = raw.get("video", raw.get("video_path")), raw.get("prompt", raw.get("question"))
    for name, value in (("video", video), ("prompt", prompt)):
        if not isinstance(value, str) or not value.strip():
            raise ProtocolError(f"{name!r} is missing or no text", known)
    start, end = _number(raw, "start_s", known), _number(raw, "end_s", known)
    if start is not None and end is not None and end <= start:
        raise ProtocolError(f"the window ends at {end:g} s, before or at its start {start:g} s", known)
    tokens = _number(raw, "max_new_tokens", known)
    timeout = _number(raw, "timeout_s", known)
    if (timeout is not None and timeout <= 0) or (tokens is not None and tokens < 1):
        raise ProtocolError("'timeout_s' and 'max_new_tokens' must be above 0", known)
    return Request(known or "", str(video), str(prompt), start, end, int(tokens or MAX_NEW_TOKENS), timeout)


def answer_line(request_id: str, text: str, seconds: float) -> str:
    """Return an answer as one line, with its end."""
    return json.dumps({"id": request_id, "text": text, "seconds": round(seconds, 3)}) + "\n"


def error_line(request_id: str | None, kind: str, message: str) -> str:
    """Return an error as one line, with its end."""
    return json.dumps({"id": request_id, "error": {"kind": kind, "message": message}}) + "\n"


def read_answer(line: str) -> tuple[str, str | None, str | None] | None:
    """Return id, text and error message of an answer (one of the two None); None if the line is none."""
    try:
        raw: Any = json.loads(line)
    except (ValueError, RecursionError):
        return None
    if not isinstance(raw, dict) or raw.get("id") is None:
        return None
    if isinstance(raw.get("text"), str):
        return str(raw["id"]), raw["text"], None
    error = raw.get("error")
    if isinstance(error, dict):
        return str(raw["id"]), None, f"{error.get('kind', 'error')}: {error.get('message', '')}"
    return (str(raw["id"]), None, str(error)) if error else None


def _number(raw: dict[str, Any], name: str, known: str | None) -> float | None:
    value = raw.get(name)
    if value is None:
        return None
    usable = not isinstance(value, bool) and isinstance(value, int | float)
    if not usable or not 0 <= value <= LARGEST_NUMBER:  # NaN compares false
        raise ProtocolError(f"{name!r} must be a number from 0, not {str(value)[:40]!r}", known)
    return float(value)
