"""The frames and the sound of a window in the form in which they are sent, encoded once for all its questions."""

from __future__ import annotations

import base64
import hashlib
import io
from dataclasses import dataclass
from typing import Any

import numpy as np
from PIL import Image

from semiology.backends.shared_prefix.frames import Frames
from semiology.backends.shared_prefix.inputs import WindowMedia

JPEG_QUALITY = 95
ENCODINGS = ("auto", "jpeg", "png")
SOUND_RATE = 16_000
"""Samples per second of the waveforms that our tasks hand over."""


@dataclass(frozen=True)
class SentVideo:
    """The frames of a window as texts in base64, one picture each, in order.

    Attributes:
        facts: what a server that asks for it is told of their times.
        key: the SHA-256 of pictures and facts, under which a server may keep them.
    """

    pictures: tuple[str, ...]
    encoding: str
    facts: dict[str, Any]
    key: str

    @property
    def as_video(self) -> str:
        """All of them as one URL, in the form that vLLM takes for frames that are picked already.

        The kind is ``video/jpeg`` whatever the pictures are encoded in: the server finds that out for itself.
        """
        return "data:video/jpeg;base64," + ",".join(self.pictures)

    @property
    def as_images(self) -> list[str]:
        """Each of them as a URL."""
        return [f"data:image/{self.encoding};base64,{picture}" for picture in self.pictures]


@dataclass(frozen=True)
class SentMedia:
    """All media of a window as they are sent, each kind in the order of the messages."""

    videos: tuple[SentVideo, ...] = ()
    images: tuple[str, ...] = ()
    sounds: tuple[str, ...] = ()


def sent_video(frames: Frames, encoding: str, facts: dict[str, Any]) -> SentVideo:
    """Encode the frames of a window; ``facts`` are added to the key only."""
    encoded = [encoded_picture(Image.fromarray(frame), encoding) for frame in frames]
    digest = hashlib.sha256(repr(sorted(facts.items())).encode())
    for picture in encoded:
        digest.update(hashlib.sha256(picture).digest())
    pictures = tuple(base64.b64encode(picture).decode("ascii") for picture in encoded)
    return SentVideo(pictures, encoding, facts, digest.hexdigest())


def sent_media(media: WindowMedia, videos: tuple[SentVideo, ...], encoding: str) -> SentMedia:
    """Encode what a window holds besides its videos."""
    images = tuple(
        f"data:image/{encoding};base64,"
        + base64.b64encode(encoded_picture(_picture(image), encoding)).decode("ascii")
        for image in media.images
    )
    return SentMedia(videos, images, tuple(_wav(sound) for sound in media.audio))


def encoded_picture(picture: Image.Image, encoding: str) -> bytes:
    """Return a picture as a file: PNG without loss, or JPEG of high quality with colours at full resolution."""
    buffer = io.BytesIO()
    if encoding == "png":
        picture.save(buffer, "PNG", compress_level=1)
    else:
        picture.save(buffer, "JPEG", quality=JPEG_QUALITY, subsampling=0)
    return buffer.getvalue()


def _picture(image: Any) -> Image.Image:
    """Return a picture that a message holds: a path, an array or a picture."""
    if isinstance(image, str):
        with Image.open(image) as opened:
            return opened.convert("RGB")
    found = image if isinstance(image, Image.Image) else Image.fromarray(np.asarray(image))
    return found.convert("RGB")


def _wav(sound: Any) -> str:
    """Return a mono waveform as a WAV file in base64."""
    import soundfile

    buffer = io.BytesIO()
    soundfile.write(buffer, np.asarray(sound), SOUND_RATE, format="WAV", subtype="PCM_16")
    return base64.b64encode(buffer.getvalue()).decode("ascii")
