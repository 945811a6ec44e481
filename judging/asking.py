"""Asking a language model many things: several at a time, each once, kept in a journal, one retry each.

What stands behind `TextModel` is a function from a prompt to a reply; a model that reads several prompts at
once has a method ``many`` besides. Replies are kept as soon as they come, so that a killed run goes on where
it was; a prompt that got no reply is not kept and is asked again the next time.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from typing import Any, Generic, Literal, TypeVar

from semiology.backends.journal import Answer, Journal, answer_key
from semiology.backends.text.served import SlowModelError, TextModel, TextModelError
from semiology.judging.prompts import retry_prompt
from semiology.judging.replies import ReplyFault
from semiology.render.progress import LINE_EVERY_S, RunProgress

Value = TypeVar("Value")
State = Literal["read", "malformed", "no_reply"]
MOST_FAILURES = 5
"""So many prompts in a row without a reply end the asking: the server is down, or the model is not there."""


@dataclass(frozen=True)
class Question(Generic[Value]):
    """What is asked: a prompt, and how its reply is read (raises ReplyFault where it cannot be)."""

    prompt: str
    read: Callable[[str], Value]


@dataclass(frozen=True)
class Outcome(Generic[Value]):
    """What came of a question: what was read, or None.

    ``malformed``: also the second reply could not be used. ``retried``: the first reply could not be used.
    """

    value: Value | None
    state: State
    retried: bool


@dataclass(frozen=True)
class Asked:
    """A language model with what its replies depend on: its identity, such as name and address, and its settings.

    ``at_once`` is the number of prompts asked at a time.
    """

    model: TextModel
    identity: str
    settings: Mapping[str, Any]
    at_once: int = 8

    def key(self, prompt: str) -> str:
        """Return the name under which the journal keeps the reply to a prompt."""
        return answer_key(
            prompt=prompt, media=(), sampling={}, generation=self.settings, model=f"text|{self.identity}"
        )


def ask_all(
    questions: Sequence[Question[Value]], asked: Asked, journal: Journal, progress: RunProgress
) -> list[Outcome[Value]]:
    """Return what came of each question; those whose first reply cannot be used are asked a second time.

    Raises:
        TextModelError: the model gives no replies at all; those it gave are kept.
    """
    first = replies_to([question.prompt for question in questions], asked, journal, progress)
    outcomes = [_outcome(question, first.get(question.prompt)) for question in questions]
    again = {
        number: retry_prompt(questions[number].prompt, str(fault))
        for number, (_, fault) in enumerate(outcomes)
        if fault is not None
    }
    second = replies_to(list(again.values()), asked, journal, progress, replied=True) if again else {}
    found = []
    for number, (outcome, _) in enumerate(outcomes):
        if number in again:
            retried, _ = _outcome(questions[number], second.get(again[number]))
            outcome = Outcome(retried.value, retried.state, retried=True)
        found.append(outcome)
    return found


def replies_to(
    prompts: Sequence[str],
    asked: Asked,
    journal: Journal,
    progress: RunProgress,
    *,
    replied: bool = False,
) -> dict[str, str]:
    """Return the reply to each prompt that got one, from the journal or from the model.

    The same prompt twice is asked once. ``replied`` says that the model is known to reply, so that a last prompt
    without a reply is just that.

    Raises:
        TextModelError: the model gave no reply to several prompts in a row, or to none at all.
    """
    wanted = list(dict.fromkeys(prompts))
    replies = {prompt: kept.text for prompt in wanted if (kept := journal.get(asked.key(prompt))) is not None}
    rest = [prompt for prompt in wanted if prompt not in replies]
    progress.more(len(wanted))
    progress.answered(len(replies), from_journal=True)
    failed = 0
    for prompt, reply in _ask(rest, asked, progress):
        progress.answered(1, failed=isinstance(reply, TextModelError))
        if isinstance(reply, TextModelError):
            failed += 1
            if failed >= MOST_FAILURES or (failed == len(rest) and not replies and not replied):
                raise TextModelError(
                    f"{failed} prompts in a row got no reply: {reply} → fix it and run the same command "
                    "again; every earlier reply is kept"
                ) from reply
            continue
        failed = 0
        journal.put_many([Answer(asked.key(prompt), reply)])
        replies[prompt] = reply
    return replies


def _ask(
    prompts: Sequence[str], asked: Asked, progress: RunProgress
) -> Iterator[tuple[str, str | TextModelError]]:
    """Yield prompts with their replies as they come.

    Where a server takes too long for what it is asked at a time, half as much is asked from there on, and what it
    did not answer once more.
    """
    many = getattr(asked.model, "many", None)
    if many is not None:
        for start in range(0, len(prompts), asked.at_once):
            group = prompts[start : start + asked.at_once]
            try:
                yield from zip(group, many(group), strict=True)
            except TextModelError as error:
                yield from ((prompt, error) for prompt in group)
        return
    pool, at_once = ThreadPoolExecutor(max_workers=asked.at_once), asked.at_once
    waiting, running = deque(prompts), dict[Future[str], tuple[str, int]]()
    try:
        while waiting or running:
            # Not sooner: a killed command loses no more replies than are asked for at a time.
            while waiting and len(running) < at_once:
                prompt = waiting.popleft()
                running[pool.submit(asked.model, prompt)] = prompt, at_once
            done, _ = wait(running, timeout=LINE_EVERY_S, return_when=FIRST_COMPLETED)
            progress.still()
            for future in done:
                prompt, beside = running.pop(future)
                try:
                    yield prompt, future.result()
                except SlowModelError as error:
                    if beside == 1:
                        yield prompt, error
                        continue
                    waiting.append(prompt)
                    at_once = min(at_once, beside // 2)
                    progress.remark(f"the server is slow: {at_once} at a time")
                except TextModelError as error:
                    yield prompt, error
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _outcome(question: Question[Value], reply: str | None) -> tuple[Outcome[Value], ReplyFault | None]:
    if reply is None:
        return Outcome(None, "no_reply", retried=False), None
    try:
        return Outcome(question.read(reply), "read", retried=False), None
    except ReplyFault as fault:
        return Outcome(None, "malformed", retried=False), fault
