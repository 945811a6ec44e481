"""What a model is sent: the segment's video or sound first, then the full prompt, and nothing else.

The media come first so that every question about a segment shares one prefix. Both lmms-eval protocols are
served: chat models get messages with start and end times; simple models get a cut file and the prompt.
The form of the media depends on the lmms-eval model class; ``tasks/_semiology`` lists the known ones.
"""

from __future__ import annotations

import base64
import io
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml

from semiology.data.media.audio import read_audio
from semiology.data.media.clips import clip
from semiology.data.media.frames import check_window
from semiology.data.media.probe import MediaError
from semiology.features import AUDIO_FEATURES
from semiology.tasks import TASK_FOLDER
from semiology.tasks.settings import cache_directory, sound_override

AUDIO_RATE = 16_000

Document = Mapping[str, Any]
MediaForm = Mapping[str, Any] | None


@lru_cache(maxsize=1)
def task_settings() -> Mapping[str, Any]:
    """Return what the feature tasks share (``tasks/_semiology``), such as generation settings."""
    text = (TASK_FOLDER / "_semiology").read_text(encoding="utf-8")
    # functions are named by tags that only lmms-eval resolves
    return dict(yaml.safe_load(text.replace("!function ", "")))


def media_form(model: str) -> Mapping[str, str]:
    """Return how an lmms-eval model class takes media, as the feature tasks say."""
    forms = task_settings()["lmms_eval_specific_kwargs"]
    return dict(forms.get(model, forms["default"]))


def doc_to_text(document: Document, lmms_eval_specific_kwargs: MediaForm = None) -> str:
    """Return the prompt exactly as it is sent; simple models read this very string.

    No model class changes the wording; ``lmms_eval_specific_kwargs`` is accepted because lmms-eval passes it.

    The recording and its segment are not in the text, because simple models would read them. They reach
    lmms-eval's cache key through the content-addressed question table (``tasks/documents.py``).
    """
    del lmms_eval_specific_kwargs
    return str(document["question"])


def doc_to_messages(document: Document, lmms_eval_specific_kwargs: MediaForm = None) -> list[dict[str, Any]]:
    """Return the chat messages for one segment, a row of the question table: one user turn, media before text.

    The model in use takes a ``window`` as ``native`` or ``clip``, and ``sound`` as ``none``, ``array`` or
    ``data_url``. A native window is decoded first, unless the class tells of ``damage`` itself.

    Raises:
        MediaError: The segment cannot be read.
    """
    form = lmms_eval_specific_kwargs or {}
    video: dict[str, Any] = {"type": "video", "url": document["video"]}
    if document["cut_first"] or document.get("clip_fps") or form.get("window", "native") == "clip":
        video["url"] = str(_cut(document))
    else:
        if form.get("damage") != "told":
            check_window(Path(document["video"]), document["start_s"], document["end_s"])
        video |= {"start_time": document["start_s"], "end_time": document["end_s"]}
    content = [video]
    if _asks_to_hear(document) and (kind := _sound_form(form)) != "none":
        sound = _sound(document)
        content.append({"type": "audio", "url": sound if kind == "array" else _data_url(sound)})
    content.append({"type": "text", "text": doc_to_text(document)})
    return [{"role": "user", "content": content}]


def doc_to_visual(document: Document, lmms_eval_specific_kwargs: MediaForm = None) -> list[Any]:
    """Return the media for a model of the simple protocol: the path of the cut segment.

    For a model class that takes sound (``sound: array``) and a sound feature it is one dictionary with ``array``
    (mono float32 at 16 kHz) and ``sampling_rate``.

    Raises:
        MediaError: The segment cannot be read.
    """
    form = lmms_eval_specific_kwargs or {}
    if _asks_to_hear(document) and _sound_form(form) != "none":
        return [{"array": _sound(document), "sampling_rate": AUDIO_RATE}]
    return [str(_cut(document))]


def _asks_to_hear(document: Document) -> bool:
    """Tell whether a question comes with sound: those on sound features, and those whose row says so."""
    return bool(document.get("hear", document["feature"] in AUDIO_FEATURES))


def _sound_form(form: Mapping[str, Any]) -> str:
    return sound_override() or str(form.get("sound", "none"))


def _sound(document: Document) -> Any:
    if not document["has_audio"]:
        raise MediaError(
            f"{document['video_id']}: no sound track, but annotated for {document['feature']}; "
            "remove that annotation or name a sound file in the `audio` column of recordings.csv"
        )
    source = Path(document["audio"] or document["video"])
    return read_audio(source, document["start_s"], document["end_s"], AUDIO_RATE)


def _data_url(sound: Any) -> str:
    """Encode a waveform as a WAV data URL, the form that OpenAI-compatible servers accept."""
    import soundfile

    buffer = io.BytesIO()
    soundfile.write(buffer, sound, AUDIO_RATE, format="WAV", subtype="PCM_16")
    return "data:audio/wav;base64," + base64.b64encode(buffer.getvalue()).decode()


def _cut(document: Document) -> Path:
    return clip(
        Path(document["video"]),
        document["start_s"],
        document["end_s"],
        document.get("clip_fps"),
        cache_directory() / "clips",
    )
