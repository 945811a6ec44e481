"""Makes small recordings with given sound, in the video or beside it, for tests of what hears them."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import soundfile

from semiology.data.recording_set import Recording

RATE = 16_000


def recording(
    folder: Path,
    sound: np.ndarray | None,
    *,
    video_s: float | None = None,
    rate: int = RATE,
    own: bool = False,
) -> Recording:
    """Return a recording of black pictures.

    Args:
        folder: where its files go; made if need be.
        sound: float samples, shape (samples,) or (samples, channels); None for no sound at all.
        video_s: length of the pictures; None for that of the sound.
        rate: sampling rate of the sound, Hz.
        own: whether the sound is the video's own track (AAC) instead of a WAV beside it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    length_s = video_s if video_s is not None else (0 if sound is None else len(sound) / rate)
    video = folder / "video.mp4"
    with av.open(str(video), "w") as container:
        pictures = container.add_stream("mpeg4", rate=5, width=64, height=64)
        channels = None if sound is None else (1 if sound.ndim == 1 else sound.shape[1])
        track = None
        if own and channels:
            track = container.add_stream("aac", rate=rate, layout="mono" if channels == 1 else "stereo")
        frame = av.VideoFrame.from_ndarray(np.zeros((64, 64, 3), np.uint8), "rgb24")
        for number in range(max(1, round(length_s * 5))):
            frame.pts = number
            container.mux(pictures.encode(frame))
        container.mux(pictures.encode(None))
        if track is not None and sound is not None:
            planes = np.ascontiguousarray(sound.reshape(len(sound), -1).T, np.float32)
            heard = av.AudioFrame.from_ndarray(planes, format="fltp", layout=track.layout.name)
            heard.sample_rate, heard.time_base, heard.pts = rate, Fraction(1, rate), 0
            container.mux(track.encode(heard))
            container.mux(track.encode(None))
    if own or sound is None:
        return Recording("v", "p", video)
    soundfile.write(folder / "sound.wav", sound, rate, subtype="FLOAT")
    return Recording("v", "p", video, folder / "sound.wav")


def tone(length_s: float, hertz: float = 440.0, peak: float = 0.5, rate: int = RATE) -> np.ndarray:
    """Return a sine, float64, shape (samples,)."""
    return peak * np.sin(2 * np.pi * hertz * np.arange(round(length_s * rate)) / rate)
