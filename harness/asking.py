"""Asking any lmms-eval model, inside and outside an evaluation, so that nothing is asked twice.

A model class that keeps its own journal (``semiology_hf``) is asked as ever. Any other is asked a few
recordings at a time, and the answers of such a group are on the disk before the next group is asked, so that
the same command goes on where a killed one stopped.
"""

from __future__ import annotations

import functools
import json
import logging
import shlex
import time
from collections.abc import Callable, Collection, Hashable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

from semiology.backends.checkpoint_stamp import checkpoint_stamp
from semiology.backends.journal import Answer, Journal, answer_key, failure_of
from semiology.data.cache import cache_directory, content_digest
from semiology.harness.empty_replies import empty_windows_marked
from semiology.harness.faulty_files import ask_around_faults
from semiology.harness.scheduling import document_of, generating, text_of, windows_together
from semiology.render.progress import RunProgress
from semiology.render.validation import did_you_mean
from semiology.settings import processes
from semiology.tasks.settings import sound_override

REQUESTS_AT_ONCE = 64
TASK, SPLIT = "semiology_requests", "test"
WITHOUT_EFFECT = frozenset(
    {
        "batch_size", "in_flight", "max_batch_size", "max_retries", "num_concurrent", "restarts",
        "retry_backoff_s", "timeout",
    }
)  # fmt: skip
"""Arguments of model classes that change how long an answer takes, not the answer."""

Document = Mapping[str, Any]
_log = logging.getLogger(__name__)


FRESH_TRIES = 10
"""Segments that are tried to find one that no earlier run was asked about, where the probe's own were."""


@dataclass(frozen=True)
class ProbeResult:
    """What asking about a few segments took, in s by the clock, without loading the model.

    Attributes:
        windows, questions: what was asked about, none of it answered before unless ``known`` says so.
        known: questions among them that an earlier run had answered; 0 if a segment without such a question was found.
        seconds: by the clock.
        resumed: whether an earlier run had answered questions of other segments.
    """

    windows: int
    questions: int
    known: int
    seconds: float
    resumed: bool = False


@dataclass(frozen=True)
class Probe:
    """A few segments that are asked about first.

    ``window_of`` tells a question's segment; None for a question of another package's task. What ``told``, which
    hears what the probe took, raises ends the run.
    """

    windows: Collection[Hashable]
    window_of: Callable[[Document], Hashable]
    told: Callable[[ProbeResult], None]


def load_model(model: str, model_args: str, *, setting: str = "--model") -> Any:
    """Load an lmms-eval model after the checks that every run passes; ``setting`` named it, for messages.

    Raises:
        ValueError: there is no such model, its address is not this machine's, or it refuses an argument.
    """
    from lmms_eval.models import MODEL_REGISTRY_V2, get_model

    from semiology.harness.plugin import manifests
    from semiology.harness.video_errors import name_video_errors
    from semiology.privacy.remote_code import refuse_remote_code
    from semiology.privacy.remote_models import check_address, check_client
    from semiology.privacy.staying_here import stay_here

    names = MODEL_REGISTRY_V2.list_model_names()
    if model not in names and model not in {each.model_id for each in manifests()}:
        raise ValueError(f"{setting} {model}: lmms-eval has no such model{did_you_mean(model, names)}")
    check_address(model, model_args)
    stay_here()
    refuse_remote_code()
    given = {part.partition("=")[0].strip() for part in model_args.split(",")}
    defaults = {} if "batch_size" in given else {"batch_size": 1}
    lm = get_model(model, False).create_from_arg_string(model_args, defaults)
    check_client(lm)
    name_video_errors()
    return lm


def ask_documents(
    lm: Any,
    documents: Sequence[Document],
    *,
    text: Callable[[Document], str],
    messages: Callable[[Document], Any],
    visual: Callable[[Document], Any],
    settings: Mapping[str, Any],
) -> list[str]:
    """Return the replies of a model, of either protocol, in the order of the documents, outside an evaluation.

    ``text``, ``messages`` and ``visual`` give a document's question, its chat messages and its media for simple models.
    """
    from lmms_eval.api.instance import Instance

    lm.task_dict[TASK] = {SPLIT: list(documents)}
    requests = []
    for number, document in enumerate(documents):
        if getattr(lm, "is_simple", True):
            given: tuple[Any, ...] = (text(document), dict(settings), visual, number, TASK, SPLIT)
        else:
            given = (text(document), messages, dict(settings), number, TASK, SPLIT)
        metadata = {"task": TASK, "doc_id": number, "repeats": 1}
        requests.append(Instance("generate_until", given, 0, metadata=metadata))
    with windows_together(lm):
        return [text_of(reply) for reply in ask_around_faults(lm.generate_until, requests, documents)]


@contextmanager
def answers_kept(
    model: str, model_args: str, folder: Path, *, probe: Probe | None = None, at_once: int = REQUESTS_AT_ONCE
) -> Iterator[None]:
    """Let lmms-eval ask a model in steps while this lasts, and keep every answer.

    The folder holds the journal, unless the model class keeps one of its own. A group is of ``at_once`` questions
    at least. Runs of several processes (torchrun) are left alone: some model classes want all processes to be asked
    equally often.
    """
    if processes() > 1:
        yield
        return
    from lmms_eval import evaluator

    from semiology.harness.plugin import check_runs

    # Before this wrapper, which takes over the mark of the function that it wraps.
    check_runs()
    original = evaluator.evaluate

    @functools.wraps(original)
    def evaluate(lm: Any, *arguments: Any, **keywords: Any) -> Any:
        with nullcontext() if hasattr(lm, "journal") else Journal(folder) as journal:
            identity = "" if journal is None else model_identity(model, model_args)
            with empty_windows_marked(lm):  # before the journal, which keeps no missing reply
                steps = _Steps(lm, journal, identity, at_once)
                with generating(lm, lambda requests: steps.replies(requests, probe)):
                    return original(lm, *arguments, **keywords)

    evaluator.evaluate = evaluate
    try:
        yield
    finally:
        evaluator.evaluate = original


def model_identity(model: str, model_args: str) -> str:
    """Return what tells a model's answers from another's: its class, its arguments, and files they name.

    A checkpoint, script or other file that an argument names counts by its content, a name on the model hub
    by the commit on this machine. What a server loads under a name is not known here.
    """
    from lmms_eval.utils import simple_parse_args_string

    arguments = simple_parse_args_string(model_args)
    told = {key: value for key, value in arguments.items() if key not in WITHOUT_EFFECT}
    contents = [_content(key, str(value), arguments.get("revision")) for key, value in told.items()]
    named = sorted(filter(None, contents))
    return "|".join([model, json.dumps(told, sort_keys=True, default=str), *named, version("lmms-eval")])


def _content(key: str, value: str, revision: Any) -> str:
    """Return the content of the files that an argument names; empty where it names none."""
    cache = cache_directory()
    if key in ("pretrained", "model"):
        try:
            return checkpoint_stamp(value, cache, revision=revision)
        except (ValueError, OSError):
            return ""
    try:
        words = shlex.split(value)
    except ValueError:
        words = [value]
    files = [path for path in (Path(word.removeprefix("@")).expanduser() for word in words) if path.is_file()]
    return "|".join(content_digest(path, cache) for path in files)


class _Steps:
    """Asks a model in steps: what the journal knows is taken from there, then the probe, then the rest."""

    def __init__(self, lm: Any, journal: Journal | None, model: str, at_once: int) -> None:
        self._lm, self._journal, self._model, self._at_once = lm, journal, model, at_once
        self._ask: Callable[[list[Any]], Sequence[Any]] = lm.generate_until
        self._known = 0

    def replies(self, requests: Sequence[Any], probe: Probe | None) -> list[Any]:
        """Return the replies in the order of the requests."""
        documents = [document_of(self._lm, request) for request in requests]
        found: dict[int, Any] = {}
        if probe is not None:
            windows = [None if each is None else probe.window_of(each) for each in documents]
            if first := [i for i, window in enumerate(windows) if window in probe.windows]:
                found, told = self._timed(requests, documents, first, windows)
                if told.known:
                    told = self._fresh(requests, documents, windows, found) or told
                probe.told(told)
        found |= self._answered(requests, documents, [i for i in range(len(requests)) if i not in found])
        return [found[i] for i in range(len(requests))]

    def _timed(
        self,
        requests: Sequence[Any],
        documents: Sequence[Document | None],
        places: Sequence[int],
        windows: Sequence[Hashable | None],
    ) -> tuple[dict[int, Any], ProbeResult]:
        """Ask some of the questions; return their replies and what that took."""
        before, began = self._recalled(), time.perf_counter()
        found = self._answered(requests, documents, places)
        seconds, known = time.perf_counter() - began, self._recalled() - before
        return found, ProbeResult(len({windows[i] for i in places}), len(places), known, seconds)

    def _fresh(
        self,
        requests: Sequence[Any],
        documents: Sequence[Document | None],
        windows: Sequence[Hashable | None],
        found: dict[int, Any],
    ) -> ProbeResult | None:
        """Time a segment none of whose questions was answered before; its replies and those on the way join ``found``.

        It is looked for from the end, which an interrupted run did not reach; None if the last `FRESH_TRIES` have none.
        """
        own: dict[Hashable, list[int]] = {}
        for i, window in enumerate(windows):
            if window is not None and i not in found:
                own.setdefault(window, []).append(i)
        for places in list(own.values())[: -FRESH_TRIES - 1 : -1]:
            replies, told = self._timed(requests, documents, places, windows)
            found |= replies
            if not told.known:
                return replace(told, resumed=True)
        return None

    def _around_faults(self, requests: list[Any], documents: list[Document | None]) -> list[Any]:
        return ask_around_faults(self._ask, requests, documents)

    def _recalled(self) -> int:
        """Return how many questions a journal, this one or the model's own, has answered so far."""
        return self._known + int(getattr(getattr(self._lm, "counts", None), "recalled", 0))

    def _answered(
        self, requests: Sequence[Any], documents: Sequence[Document | None], places: Sequence[int]
    ) -> dict[int, Any]:
        """Return the replies to some of the requests, by their places; new ones are kept group by group."""
        if not places:
            return {}
        if self._journal is None:
            own = [requests[i] for i in places]
            return dict(zip(places, self._around_faults(own, [documents[i] for i in places]), strict=True))
        keys = {i: question_key(requests[i], documents[i], self._model) for i in places}
        found: dict[int, Any] = {}
        with RunProgress(len(places)) as progress:
            for i, key in keys.items():
                known = self._journal.get(key) if key is not None else None
                if known is not None:
                    found[i] = _recalled_reply(known)
            self._known += len(found)
            progress.answered(len(found), from_journal=True)
            for group in groups([i for i in places if i not in found], documents, self._at_once):
                asked = self._around_faults([requests[i] for i in group], [documents[i] for i in group])
                replies = dict(zip(group, asked, strict=True))
                self._journal.put_many(
                    Answer(key, text_of(reply), _counts(reply))
                    for i, reply in replies.items()
                    if (key := keys[i]) is not None and failure_of(text_of(reply)) is None
                )
                found |= replies
                progress.answered(len(group))
        return found


def question_key(request: Any, document: Document | None, model: str) -> str | None:
    """Return a question's name in the journal; None for one whose answer is drawn afresh each time.

    Another package's task, which has no document in our question tables, is not kept either.
    """
    generation = next(each for each in request.args if isinstance(each, dict))
    if document is None or generation.get("do_sample") or float(generation.get("temperature") or 0) > 0:
        return None
    cache, window = cache_directory(), (document["start_s"], document["end_s"])
    media = [("video", content_digest(Path(document["video"]), cache), *window)]
    if document.get("audio"):
        media.append(("audio", content_digest(Path(document["audio"]), cache), *window))
    names = ("feature", "enhancement", "enhancement_key", "has_audio", "cut_first")
    sampling = {name: document.get(name) for name in names} | {"sound": sound_override()}
    sampling |= {name: document[name] for name in ("clip_form", "clip_fps", "hear") if name in document}
    return answer_key(
        prompt=str(document["question"]), media=media, sampling=sampling, generation=generation, model=model
    )


def groups(
    places: Sequence[int], documents: Sequence[Document | None], least: int = REQUESTS_AT_ONCE
) -> Iterator[list[int]]:
    """Yield places recording by recording, whole recordings together until there are enough for a group."""
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


def _counts(reply: Any) -> dict[str, Any]:
    """Return what is kept beside a reply's text: its token counts, where the model class tells them."""
    if isinstance(reply, str) or not hasattr(reply, "token_counts"):
        return {}
    return {"tokens": reply.token_counts.to_dict() if reply.token_counts is not None else None}


def _recalled_reply(answer: Answer) -> Any:
    """Return a kept answer in the form in which the model class gave it."""
    from lmms_eval.api.instance import GenerationResult

    from semiology.backends.generation_only import ScoredTokenCounts

    if "tokens" not in answer.extra:
        return answer.text
    counts = answer.extra["tokens"]
    names = ("input_tokens", "output_tokens", "reasoning_tokens")
    tokens = None
    if counts is not None:
        scores = counts.get("first_token_logprobs")
        tokens = ScoredTokenCounts(scores, **{name: counts.get(name) for name in names})
    return GenerationResult(text=answer.text, token_counts=tokens)
