"""Make lmms-eval send the pictures it was given.

lmms-eval 0.7.3 remembers encoded pictures by ``id(picture)`` while it builds a message. The address of a picture
that was freed is given to a later one, so an earlier picture is sent in place of a later one, without an error: of
60 frames of a segment up to 29 were wrong. Every class that encodes with ``media_encoder`` is concerned (``openai``,
``async_openai``, ``vllm`` and a dozen others). Here the key becomes the content of the picture, so that what is
found in the memory is the same picture.

The fault without us, for its makers: encode two pictures of different content with one ``cache`` dictionary, freeing
the first before the second is made, until both have the same ``id``; both calls return the first one's bytes.
"""

from __future__ import annotations

import hashlib
from typing import Any

_MARK = "_semiology_by_content"


class PicturesError(ValueError):
    """It is not known whether this lmms-eval sends the pictures it was given."""


def key_pictures_by_content() -> None:
    """Let lmms-eval's memory of encoded pictures go by their content; a second call changes nothing.

    Raises:
        PicturesError: This lmms-eval encodes pictures in another way than the tested version.
    """
    from lmms_eval.models.model_utils import media_encoder

    original = getattr(media_encoder, "_build_cache_key", None)
    if original is None:
        raise PicturesError(
            "this version of lmms-eval encodes pictures in an unknown way, so that models on servers might be sent "
            "wrong ones → install the tested version: pip install lmms-eval==0.7.3"
        )
    if getattr(original, _MARK, False):
        return

    def key(image: Any, *, image_format: str, convert_rgb: bool, quality: int | None) -> tuple[object, ...]:
        if isinstance(image, str):
            found: tuple[object, ...] = original(
                image, image_format=image_format, convert_rgb=convert_rgb, quality=quality
            )
            return found
        colours = bytes(image.getpalette() or ()) if image.mode == "P" else b""
        digest = hashlib.sha256(image.tobytes() + colours).hexdigest()
        return ("content", digest, image.mode, image.size, image_format, convert_rgb, quality)

    setattr(key, _MARK, True)
    media_encoder._build_cache_key = key
