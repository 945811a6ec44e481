"""Requests as lmms-eval makes them, and a model class with short waits."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from lmms_eval.api.instance import Instance
from recording_server import ModelServer
from scene import messages

from semiology.backends.semiology_openai import SemiologyOpenAI


class Asked(NamedTuple):
    """A question of a test: which film, what, about which window; with which sound."""

    film: Path
    text: str
    window: tuple[float, float] = (2.0, 10.0)
    sound: Any = None


def model_of(server: ModelServer, **arguments: Any) -> SemiologyOpenAI:
    """Return the class in front of a server: four frames a second, small pictures, quick to give up."""
    short = {
        "fps": 4,
        "journal": "none",
        "max_retries": 0,
        "patience": 0,
        "min_pixels": 28 * 28,
        "max_pixels": 56 * 84,
    }
    return SemiologyOpenAI(server.address, **(short | arguments))


def requests_for(model: Any, documents: Sequence[Asked], **settings: Any) -> list[Instance]:
    """Return the requests that lmms-eval would make of these documents, and tell the model about them."""
    model.task_dict = {"task": {"test": list(documents)}}
    given = {"max_new_tokens": 16, "temperature": 0, "do_sample": False, "until": []} | settings

    def to_messages(document: Asked) -> Any:
        turns = messages(document.film, document.text, document.window)
        if document.sound is not None:
            turns[0]["content"].insert(1, {"type": "audio", "url": document.sound})
        return turns

    return [
        Instance(
            request_type="generate_until",
            arguments=(document.text, to_messages, dict(given), number, "task", "test"),
            idx=0,
            metadata={"task": "task", "doc_id": number, "repeats": 1},
        )
        for number, document in enumerate(documents)
    ]


def replies(model: Any, documents: Sequence[Asked], **settings: Any) -> list[str]:
    return [result.text for result in model.generate_until(requests_for(model, documents, **settings))]
