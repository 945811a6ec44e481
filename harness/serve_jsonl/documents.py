"""Requests of the JSONL protocol as documents for an lmms-eval model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from semiology.backends.jsonl.protocol import Request
from semiology.harness.asking import ask_documents, failure_of


def ask(lm: Any, requests: Sequence[Request], *, cut_windows: bool) -> list[str | Exception]:
    """Return replies, or why there is none, in the order of the requests.

    A request that makes the model class fail does not cost the others theirs: they are asked one by one then.
    """
    found: dict[int, str | Exception] = {}
    usable: dict[int, list[int]] = {}
    for number, request in enumerate(requests):
        if not Path(request.video).is_file():
            found[number] = FileNotFoundError(f"{Path(request.video).name}: no such video")
        else:
            usable.setdefault(request.max_new_tokens, []).append(number)
    for numbers in usable.values():
        batch = [requests[number] for number in numbers]
        found |= dict(zip(numbers, _batch(lm, batch, cut_windows), strict=True))
    return [found[number] for number in range(len(requests))]


def _batch(lm: Any, requests: Sequence[Request], cut_windows: bool) -> list[str | Exception]:
    try:
        return [_reply(each) for each in _replies(lm, requests, cut_windows)]
    except Exception as error:  # noqa: BLE001 - whatever a model class raises is told to the client
        if len(requests) == 1:
            return [error]
        return [reply for each in requests for reply in _batch(lm, [each], cut_windows)]


def _replies(lm: Any, requests: Sequence[Request], cut_windows: bool) -> list[str]:
    documents = [
        {"video": each.video, "start_s": each.start_s, "end_s": each.end_s, "question": each.prompt}
        for each in requests
    ]
    settings = {
        "max_new_tokens": requests[0].max_new_tokens, "temperature": 0, "do_sample": False, "until": [],
    }  # fmt: skip

    def messages(document: Mapping[str, Any]) -> list[dict[str, Any]]:
        return [{"role": "user", "content": [_video(document, cut_windows), _text(document)]}]

    return ask_documents(
        lm, documents, settings=settings, messages=messages,
        text=lambda document: str(document["question"]), visual=lambda document: [_file(document)],
    )  # fmt: skip


def _reply(text: str) -> str | Exception:
    failure = failure_of(text)
    return text if failure is None else RuntimeError(failure)


def _text(document: Mapping[str, Any]) -> dict[str, Any]:
    return {"type": "text", "text": document["question"]}


def _video(document: Mapping[str, Any], cut_windows: bool) -> dict[str, Any]:
    if cut_windows:
        return {"type": "video", "url": _file(document)}
    part = {"type": "video", "url": document["video"]}
    if document["start_s"] is not None:
        part["start_time"] = document["start_s"]
    if document["end_s"] is not None:
        part["end_time"] = document["end_s"]
    return part


def _file(document: Mapping[str, Any]) -> str:
    """Return a file that holds the window alone; the video itself where no window is asked for."""
    if document["start_s"] is None and document["end_s"] is None:
        return str(document["video"])
    from semiology.data.cache import cache_directory
    from semiology.data.media.clips import clip
    from semiology.data.media.probe import probe

    path = Path(document["video"])
    start = float(document["start_s"] or 0.0)
    end = document["end_s"]
    end = probe(path).duration_s if end is None else float(end)
    return str(clip(path, start, end, None, cache_directory() / "clips"))
