"""A file that cannot be read costs the questions about it; every model class, and bare lmms-eval, goes on past it."""

from __future__ import annotations

import atexit
import logging
import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import Any

from semiology.backends.journal import failed_reply, failure_of
from semiology.data.media.probe import MediaError
from semiology.harness.machine.ending import UNANSWERED_STATUS
from semiology.harness.scheduling import document_of, generating, text_of
from semiology.settings import processes

Document = Mapping[str, Any]
_log = logging.getLogger(__name__)


class Unanswered:
    """How many requests of this process got no reply in runs that no command of ours watches over."""

    count = 0


def ask_around_faults(
    ask: Callable[[list[Any]], Sequence[Any]], requests: Sequence[Any], documents: Sequence[Document | None]
) -> list[Any]:
    """Return the replies to requests; a file that cannot be read costs the questions about it alone.

    Where the model class stops, the media of every question are made once more to find which are to blame; if none
    is, but a film is, the questions are asked in ever smaller parts. Those get a reply that says they failed.

    Raises:
        Exception: what the model class raised for another reason.
    """
    if not requests:
        return []
    try:
        return list(ask(list(requests)))
    except Exception as error:
        faults = {i: fault for i, each in enumerate(documents) if (fault := _media_fault(requests[i], each))}
        if not faults and not _about_media(error):
            raise
        if not faults and len(requests) == 1:
            faults = {0: str(error)}
        for reason in dict.fromkeys(faults.values()):
            _log.warning("%s; the questions about that segment get no answer, the others go on", reason)
        rest = [i for i in range(len(requests)) if i not in faults]
        parts = [rest] if faults else [rest[: len(rest) // 2], rest[len(rest) // 2 :]]
    found: dict[int, Any] = {i: failed_reply(reason) for i, reason in faults.items()}
    for part in parts:
        replies = ask_around_faults(ask, [requests[i] for i in part], [documents[i] for i in part])
        found |= dict(zip(part, replies, strict=True))
    return [found[i] for i in range(len(requests))]


@contextmanager
def faults_kept_apart(lm: Any) -> Iterator[None]:
    """Let a file that cannot be read cost the questions about it alone while this lasts, and tell how many at the end.

    For runs that no command of ours watches over: bare lmms-eval, torchrun, accelerate.
    """
    ask: Callable[[list[Any]], Sequence[Any]] = lm.generate_until
    asked: list[bool] = []

    def generate_until(requests: Sequence[Any]) -> list[Any]:
        replies = ask_around_faults(ask, requests, [document_of(lm, request) for request in requests])
        asked.extend(failure_of(text_of(reply)) is not None for reply in replies)
        return replies

    with generating(lm, generate_until):
        yield
    Unanswered.count += sum(asked)
    if any(asked):
        _log.warning("%d of %d requests got no reply and count as unparsed", sum(asked), len(asked))
        if _ends_by_itself():
            atexit.unregister(_end_with_status)
            atexit.register(_end_with_status)


def _ends_by_itself() -> bool:
    """Return whether this process is ``python -m lmms_eval`` alone, which would end with 0.

    A launcher of several processes would kill the others, who may be writing results, when one ends with a status.
    """
    main = getattr(sys.modules.get("__main__"), "__spec__", None)
    return main is not None and main.name in ("lmms_eval", "lmms_eval.__main__") and processes() == 1


def _end_with_status() -> None:
    """End the process with `UNANSWERED_STATUS` after all that others left to be done at its end."""
    if getattr(sys, "last_value", None) is not None:
        return  # it ends by an error, whose status stands
    atexit.unregister(_end_with_status)
    atexit._run_exitfuncs()
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError):
            stream.flush()
    os._exit(UNANSWERED_STATUS)


def _media_fault(request: Any, document: Document | None) -> str | None:
    """Return why the media of a question cannot be made, None where they can."""
    build = next((each for each in request.args if callable(each)), None)
    if document is None or build is None:
        return None
    try:
        build(document)
    except MediaError as error:
        return str(error)
    return None


def _about_media(error: BaseException | None) -> bool:
    """Return whether an error, or one that it came of, says that a file cannot be read."""
    seen = set[int]()
    while error is not None and id(error) not in seen:
        if isinstance(error, MediaError):
            return True
        seen.add(id(error))
        error = error.__cause__ or error.__context__
    return False
