"""Asking the questions of a sweep: first a few windows to see how long it takes, then the rest, all kept.

A model class that keeps its own journal (``semiology_hf``) is asked in two calls. Any other is asked a few
recordings at a time, and every such group is on the disk before the next, so that a killed sweep goes on.
"""

from __future__ import annotations

import functools
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from semiology.backends.journal import Answer, Journal, answer_key
from semiology.data.cache import cache_directory, content_digest
from semiology.features import AUDIO_FEATURES
from semiology.harness.request_order import is_ours
from semiology.optimization.sweep.plan import Window
from semiology.render.progress import RunProgress
from semiology.tasks.settings import sound_override

REQUESTS_AT_ONCE = 64
FAILED = "[LMMS_EVAL_REQUEST_FAILED"
AskModel = Callable[[list[Any]], Sequence[Any]]


class SweepStopped(Exception):
    """The user wanted to know how long it takes, and no more."""


@dataclass(frozen=True)
class ProbeResult:
    """What asking about a few windows took.

    Attributes:
        windows, questions: that were asked. known: questions that an earlier run had answered.
        seconds: by the clock, without loading the model.
    """

    windows: int
    questions: int
    known: int
    seconds: float


@dataclass(frozen=True)
class KeptAnswers:
    """A journal of answers, and what identifies the model that gives them."""

    journal: Journal
    model: str


@contextmanager
def asked_in_steps(
    probe: Collection[Window],
    told: Callable[[ProbeResult], None],
    kept_of: Callable[[Any], KeptAnswers | None],
) -> Iterator[None]:
    """Let lmms-eval ask a model in steps while this lasts.

    Args:
        probe: windows to ask about first; none asks all at once.
        told: hears what the probe took, and may raise `SweepStopped`.
        kept_of: opens the journal for a loaded model; None if the model keeps its own.
    """
    from lmms_eval import evaluator

    from semiology.harness.plugin import check_runs

    # Before this wrapper, which takes over the mark of the function that it wraps.
    check_runs()
    original = evaluator.evaluate

    @functools.wraps(original)
    def evaluate(lm: Any, *arguments: Any, **keywords: Any) -> Any:
        asked, kept = lm.generate_until, kept_of(lm)

        def generate_until(requests: list[Any]) -> list[Any]:
            return _Steps(lm, asked, kept, requests).replies(probe, told)

        lm.generate_until = generate_until
        try:
            return original(lm, *arguments, **keywords)
        finally:
            vars(lm).pop("generate_until", None)
            if kept is not None:
                kept.journal.close()

    evaluator.evaluate = evaluate
    try:
        yield
    finally:
        evaluator.evaluate = original


def kept_answers(lm: Any, name: str, model_args: str) -> KeptAnswers | None:
    """Open the journal for a model's answers; None if its class keeps one of its own.

    Args:
        lm: the model, loaded.
        name, model_args: as lmms-eval was given them; keys depend on them, and on the checkpoint's files.

    Raises:
        JournalError: it cannot be written.
    """
    if hasattr(lm, "journal"):
        return None
    journal = Journal(cache_directory() / "sweep_journal")
    return KeptAnswers(journal, "|".join([name, model_args, _weights(model_args), version("lmms-eval")]))


class _Steps:
    """One call of ``generate_until``, cut into the probe and groups of recordings."""

    def __init__(self, lm: Any, asked: AskModel, kept: KeptAnswers | None, requests: Sequence[Any]) -> None:
        self._lm, self._asked, self._kept, self._requests = lm, asked, kept, requests
        self._documents = [_document(lm, request) for request in requests]
        self._known = 0

    def replies(self, probe: Collection[Window], told: Callable[[ProbeResult], None]) -> list[Any]:
        """Return the replies in the order of the requests."""
        windows = [_window(document) for document in self._documents]
        first = [i for i, window in enumerate(windows) if window in probe]
        found: dict[int, Any] = {}
        if first:
            before, began = self._recalled(), time.perf_counter()
            found = self._ask(first)
            seconds, known = time.perf_counter() - began, self._recalled() - before
            told(ProbeResult(len({windows[i] for i in first}), len(first), known, seconds))
        found |= self._ask([i for i in range(len(self._requests)) if i not in found])
        return [found[i] for i in range(len(self._requests))]

    def _recalled(self) -> int:
        """Return how many questions a journal, this one or the model's own, has answered so far."""
        return self._known + int(getattr(getattr(self._lm, "counts", None), "recalled", 0))

    def _ask(self, places: Sequence[int]) -> dict[int, Any]:
        if not places:
            return {}
        if self._kept is None:
            replies = self._asked([self._requests[i] for i in places])
            return dict(zip(places, replies, strict=True))
        with RunProgress(len(places)) as progress:
            return self._ask_and_keep(places, self._kept.journal, progress)

    def _ask_and_keep(self, places: Sequence[int], journal: Journal, progress: RunProgress) -> dict[int, Any]:
        found: dict[int, Any] = {}
        keys = {i: self._key(i) for i in places}
        for i, key in keys.items():
            known = journal.get(key) if key is not None else None
            if known is not None:
                found[i] = known.text
        self._known += len(found)
        progress.answered(len(found), from_journal=True)
        for group in groups([i for i in places if i not in found], self._documents):
            replies = dict(zip(group, self._asked([self._requests[i] for i in group]), strict=True))
            texts = {i: _text(reply) for i, reply in replies.items()}
            journal.put_many(
                Answer(key, text)
                for i, text in texts.items()
                if (key := keys[i]) is not None and not text.startswith(FAILED)
            )
            found |= replies
            progress.answered(len(group))
        return found

    def _key(self, place: int) -> str | None:
        """Return the key of a question; None for one whose answer is drawn afresh each time."""
        request, document = self._requests[place], self._documents[place]
        generation = next(each for each in request.args if isinstance(each, dict))
        if document is None or generation.get("do_sample") or float(generation.get("temperature") or 0) > 0:
            return None
        assert self._kept is not None
        cache, window = cache_directory(), (document["start_s"], document["end_s"])
        media = [("video", content_digest(Path(document["video"]), cache), *window)]
        if document["audio"]:
            media.append(("audio", content_digest(Path(document["audio"]), cache), *window))
        names = ("feature", "enhancement", "enhancement_key", "has_audio", "cut_first")
        sampling = {name: document.get(name) for name in names} | {"sound": sound_override()}
        return answer_key(
            prompt=str(document["question"]),
            media=media,
            sampling=sampling,
            generation=generation,
            model=self._kept.model,
        )


def groups(
    places: Sequence[int], documents: Sequence[Mapping[str, Any] | None], least: int = REQUESTS_AT_ONCE
) -> Iterator[list[int]]:
    """Yield places recording by recording, whole recordings together until there are enough for a batch."""
    by_recording: dict[Any, list[int]] = {}
    for i in places:
        document = documents[i]
        by_recording.setdefault(document["video_id"] if document is not None else None, []).append(i)
    group: list[int] = []
    for own in by_recording.values():
        group += own
        if len(group) >= least:
            yield group
            group = []
    if group:
        yield group


def _document(lm: Any, request: Any) -> Mapping[str, Any] | None:
    number, task, split = request.args[-3:]
    document = lm.task_dict[task][split][number]
    return document if is_ours(document) else None


def _window(document: Mapping[str, Any] | None) -> Window | None:
    if document is None:
        return None
    hear = document["feature"] in AUDIO_FEATURES
    return Window(document["video_id"], int(document["segment"]), document["enhancement"], hear)


def _text(reply: Any) -> str:
    return str(getattr(reply, "text", reply) or "")


def _weights(model_args: str) -> str:
    """Return what identifies the weights that the arguments name; empty if they are not on this machine."""
    from semiology.backends.checkpoint_stamp import checkpoint_stamp

    given = dict(part.split("=", 1) for part in model_args.split(",") if "=" in part)
    named = given.get("pretrained") or given.get("model")
    try:
        return checkpoint_stamp(named, cache_directory(), revision=given.get("revision")) if named else ""
    except (ValueError, OSError):
        return ""
