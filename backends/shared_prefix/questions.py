"""A question to the model: its messages, its media, how to answer it; and which questions share what.

Questions are grouped by recording, then by the window shown, then by everything that the model reads before
the end of the last medium. Whatever order they arrive in, a recording is opened once.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

import numpy as np

DEFAULT_NEW_TOKENS = 128
"""As lmms-eval's Qwen classes, for tasks that name no limit."""

Message = dict[str, Any]
Item = TypeVar("Item")
Key = TypeVar("Key")


class UnansweredError(ValueError):
    """One question, or all about one window, cannot be answered; the message says why. The rest goes on."""


@dataclass(frozen=True)
class Settings:
    """How an answer is generated: its longest length in tokens, the texts that cut it, and how tokens are chosen.

    A temperature of 0 is greedy, above it the answer is sampled; one beam is no beam search.
    """

    max_new_tokens: int = DEFAULT_NEW_TOKENS
    until: tuple[str, ...] = ()
    temperature: float = 0.0
    top_p: float | None = None
    top_k: int | None = None
    num_beams: int = 1

    @classmethod
    def read(cls, given: Mapping[str, Any]) -> Settings:
        """Return the settings that lmms-eval's ``generation_kwargs`` stand for; other keys are ignored.

        As in lmms-eval's Qwen classes the temperature alone decides whether to sample.
        """
        until = given.get("until") or ()
        return cls(
            max_new_tokens=int(given.get("max_new_tokens") or DEFAULT_NEW_TOKENS),
            until=tuple(text for text in ((until,) if isinstance(until, str) else until) if text),
            temperature=float(given.get("temperature") or 0.0),
            top_p=given.get("top_p"),
            top_k=given.get("top_k"),
            num_beams=int(given.get("num_beams") or 1),
        )

    @property
    def greedy(self) -> bool:
        """Whether the answer is the most likely token at each step."""
        return self.temperature <= 0 and self.num_beams == 1


@dataclass(frozen=True)
class Medium:
    """One medium of a message, by what it is: two equal ones show the model the same.

    The kind is ``video``, ``image`` or ``audio``; the source a path, or the SHA-256 of what was handed over; the
    window in s from the start of the file, None for the file's own start and end; ``frames`` of it are shown, evenly
    from its first to its last, None for as many as the sampling gives.
    """

    kind: str
    source: str
    start_s: float | None = None
    end_s: float | None = None
    frames: int | None = None


@dataclass
class Question:
    """One question, with everything that the engine needs to answer it.

    Attributes:
        number: its place among the caller's questions.
        build: returns its messages afresh, with arrays and pictures, in lmms-eval's form: dictionaries with
            ``role`` and ``content``, a list of parts ``{"type": "text", "text": …}`` or ``{"type": "video",
            "url": …, "start_time": …, "end_time": …}``, with ``frames`` where their number is fixed.
        settings: how to generate the answer.
        tag: whatever the caller wants to find again.
        media: its media, in order.
        before: what the model reads up to the end of the last medium, as a hashable value.
        messages: the messages in transformers' form, without arrays and pictures.
        text: the rendered prompt with one placeholder per medium; set when its turn comes.
    """

    number: int
    build: Callable[[], Sequence[Message]]
    settings: Settings
    tag: Any = None
    media: tuple[Medium, ...] = ()
    before: tuple[Any, ...] = ()
    messages: list[Message] = field(default_factory=list)
    text: str = ""

    @property
    def video(self) -> Medium | None:
        """The first video, or None."""
        return next((medium for medium in self.media if medium.kind == "video"), None)


@dataclass(frozen=True)
class Answer:
    """The reply to one question, with its number of tokens, the stop token included; or why there is none.

    ``scores`` holds the log-probability of each answer as first token, if asked for.
    """

    text: str
    tokens: int = 0
    scores: Mapping[str, float] | None = None
    failure: str | None = None


def read_messages(question: Question, system_prompt: str | None) -> None:
    """Build a question's messages once and keep what is light: structure, text and the identity of media.

    Arrays and pictures are let go; :meth:`Question.build` gives them again when the question's turn comes.

    Raises:
        UnansweredError: a part of a message is of an unknown type.
    """
    messages = with_system_prompt(question.build(), system_prompt)
    parts = [(message["role"], part) for message in messages for part in message["content"]]
    media = [index for index, (_, part) in enumerate(parts) if part["type"] != "text"]
    question.media = tuple(medium_of(parts[index][1]) for index in media)
    last = media[-1] + 1 if media else 0
    question.before = tuple(
        (role, part["text"] if part["type"] == "text" else medium_of(part)) for role, part in parts[:last]
    )
    question.messages = [
        {"role": message["role"], "content": [_light(part) for part in message["content"]]}
        for message in messages
    ]


def with_system_prompt(messages: Sequence[Message], system_prompt: str | None) -> list[Message]:
    """Return the messages with every content as a list of parts, and a system turn first if one is wanted."""
    plain = []
    for message in messages:
        content = message["content"]
        parts = (
            [{"type": "text", "text": content}]
            if isinstance(content, str)
            else [dict(part) for part in content]
        )
        plain.append({"role": message["role"], "content": parts})
    if system_prompt and (not plain or plain[0]["role"] != "system"):
        plain.insert(0, {"role": "system", "content": [{"type": "text", "text": system_prompt}]})
    return plain


def medium_of(part: Mapping[str, Any]) -> Medium:
    """Return the identity of a medium in lmms-eval's form of a message part.

    Raises:
        UnansweredError: the type is unknown.
    """
    kind: str = part["type"]
    url: Any = part.get("url")
    if kind not in ("video", "image", "audio"):
        raise UnansweredError(
            f"a message part of type {kind!r} is not known; use text, video, image or audio"
        )
    if isinstance(url, str):
        source = url.removeprefix("file://")
    else:
        content = url.tobytes() if hasattr(url, "tobytes") else np.asarray(url).tobytes()
        size = getattr(url, "shape", None) or getattr(url, "size", None)
        source = "sha256:" + hashlib.sha256(repr(size).encode() + content).hexdigest()
    start, end = (
        None if time is None else float(time) for time in (part.get("start_time"), part.get("end_time"))
    )
    frames = part.get("frames")
    return Medium(kind, source, start, end, None if frames is None else int(frames))


def _light(part: Mapping[str, Any]) -> dict[str, Any]:
    """Return a part in transformers' form; templates look at the type of a medium, not at its content."""
    if part["type"] == "text":
        return {"type": "text", "text": part["text"]}
    url = part.get("url")
    return {"type": part["type"], part["type"]: url if isinstance(url, str) else ""}


def grouped(items: Iterable[Item], key: Callable[[Item], Key]) -> dict[Key, list[Item]]:
    """Return items by what they share, in order of appearance."""
    groups: dict[Key, list[Item]] = {}
    for item in items:
        groups.setdefault(key(item), []).append(item)
    return groups


def recording_of(question: Question) -> str:
    """Return the file of a question's first video; empty without one."""
    return question.video.source if question.video else ""


def by_window(questions: Iterable[Question]) -> list[list[Question]]:
    """Return a recording's questions by the window of their first video, in order of its start and end."""

    def place(video: Medium | None) -> tuple[float, float]:
        if video is None:
            return 0.0, 0.0
        return video.start_s or 0.0, float("inf") if video.end_s is None else video.end_s

    groups = grouped(questions, lambda question: question.video)
    return [groups[video] for video in sorted(groups, key=place)]
