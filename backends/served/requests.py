"""The body of a request: a question with the media of its window, in OpenAI's form."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from semiology.backends.served.media_form import MediaForm, media_arguments, video_part
from semiology.backends.served.pictures import SentMedia
from semiology.backends.served.replies import MOST_TOKENS_TOLD
from semiology.backends.shared_prefix.decoding import DEFAULT_ANSWERS
from semiology.backends.shared_prefix.questions import Question

MOST_STOP_TEXTS = 4
"""OpenAI's own limit; the reply is cut at all of them in any case."""


@dataclass(frozen=True)
class ServedOptions:
    """How a served model is asked; :class:`semiology.backends.semiology_openai.SemiologyOpenAI` describes each."""

    media: str = "auto"
    encoding: str = "auto"
    at_once: int = 16
    score: bool = False
    answers: tuple[str, ...] = DEFAULT_ANSWERS
    system_prompt: str | None = None
    thinking: bool | None = None


def request_of(
    question: Question, sent: SentMedia, form: MediaForm, options: ServedOptions, *, named: bool
) -> dict[str, Any]:
    """Return the body of a request without the model's name.

    Args:
        named: give the key of the videos in place of their frames.
    """
    settings = question.settings
    request: dict[str, Any] = {
        "messages": _messages(question, sent, form, named=named),
        "max_tokens": 1 if options.score else settings.max_new_tokens,
        "temperature": settings.temperature,
    }
    if options.score:
        request |= {"logprobs": True, "top_logprobs": MOST_TOKENS_TOLD}
    if settings.until and not options.score:
        request["stop"] = list(settings.until[:MOST_STOP_TEXTS])
    if settings.top_p is not None:
        request["top_p"] = settings.top_p
    beside: dict[str, Any] = media_arguments(sent.videos) if form.timed else {}
    if settings.top_k is not None:
        beside["top_k"] = settings.top_k
    if options.thinking is not None:
        beside["chat_template_kwargs"] = {"enable_thinking": options.thinking}
    return request | ({"extra_body": beside} if beside else {})


def _messages(question: Question, sent: SentMedia, form: MediaForm, *, named: bool) -> list[dict[str, Any]]:
    """Return the messages with their media in place; text alone is sent as plain text, which every template takes."""
    videos, images, sounds = iter(sent.videos), iter(sent.images), iter(sent.sounds)

    def parts(part: dict[str, Any]) -> Iterator[dict[str, Any]]:
        kind = part["type"]
        if kind == "text":
            yield {"type": "text", "text": part["text"]}
        elif kind == "image":
            yield _image(next(images))
        elif kind == "audio":
            yield {"type": "input_audio", "input_audio": {"data": next(sounds), "format": "wav"}}
        elif form.video:
            yield video_part(next(videos), named=named, with_key=form.kept)
        else:
            yield from map(_image, next(videos).as_images)

    turns = []
    for message in question.messages:
        content = [each for part in message["content"] for each in parts(part)]
        plain = all(part["type"] == "text" for part in content)
        turns.append(
            {
                "role": message["role"],
                "content": "\n".join(part["text"] for part in content) if plain else content,
            }
        )
    return turns


def _image(url: str) -> dict[str, Any]:
    return {"type": "image_url", "image_url": {"url": url}}
