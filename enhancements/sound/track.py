"""The sound of a recording on the clock of its pictures, in blocks, whatever file it comes from.

Everything that hears a recording (speech enhancement, transcript) takes it from here: one channel, from the
first picture to the last, resampled; where the sound begins late, ends early or is missing there is silence.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray

from semiology.data.media.audio import read_audio
from semiology.data.media.probe import MediaError, display_name, open_media, probe, sound_stream
from semiology.data.recording_set import Recording
from semiology.enhancements.pipeline.step import Progress

BLOCK_S = 30.0
"""Sound that is decoded at once, s."""
_MISFIT_S = 0.5
"""A track that is shorter or longer than the pictures by more than this is worth a sentence, s."""


def sound_inputs(recording: Recording) -> list[Path]:
    """Return the files that its sound depends on: the video, which gives the length, and a sound file."""
    return [recording.video, *([recording.audio] if recording.audio else [])]


@dataclass(frozen=True)
class SoundTrack:
    """Where the sound of a recording is, and how it fits the pictures.

    Attributes:
        path: File that holds it: the recording's sound file, else its video.
        length_s: Length of the pictures, s; all sound is read up to here.
        rate: Sampling rate in the file, Hz.
        channels: Channels in the file.
        begins_s: First sound, s from the first picture.
        ends_s: Last sound, s from the first picture.
    """

    path: Path
    length_s: float
    rate: int
    channels: int
    begins_s: float
    ends_s: float

    @property
    def missing_s(self) -> float:
        """Seconds of the pictures without sound, at their start and end."""
        return min(self.length_s, max(0.0, self.begins_s) + max(0.0, self.length_s - self.ends_s))

    @property
    def beyond_s(self) -> float:
        """Seconds of sound before the first picture and after the last; nobody hears them."""
        return max(0.0, -self.begins_s) + max(0.0, self.ends_s - self.length_s)

    def misfit(self) -> str:
        """Return what does not fit, as an addition to a sentence, or nothing."""
        notes = []
        if self.missing_s > _MISFIT_S:
            notes.append(f"{self.missing_s:.1f} s of the pictures have no sound and count as silence")
        if self.beyond_s > _MISFIT_S:
            notes.append(f"{self.beyond_s:.1f} s of sound outside the pictures were left out")
        return "".join(f"; {note}" for note in notes)

    def misfit_figures(self) -> dict[str, float]:
        """Return the same as measures."""
        return {
            "missing_sound_s": round(self.missing_s, 2),
            "sound_left_out_s": round(self.beyond_s, 2),
        }


def find_track(recording: Recording) -> SoundTrack | None:
    """Return a recording's sound track, or None if its video has none and no sound file is named.

    Raises:
        MediaError: a file is missing or damaged, or the sound file that is named holds no sound.
    """
    info = probe(recording.video)
    if recording.audio is None and not info.has_audio:
        return None
    path = recording.audio or recording.video
    with open_media(path, sound_only=True) as container:
        stream = sound_stream(container)
        if stream is None:
            raise MediaError(
                f"{display_name(path)} holds no sound: name a sound file in the column `audio` of "
                "recordings.csv, or leave the column empty"
            )
        tick_s = float(stream.time_base)
        try:
            times = [
                (packet.pts * tick_s, (packet.duration or 0) * tick_s)
                for packet in container.demux(stream)
                if packet.pts is not None
            ]
        except av.FFmpegError:
            raise MediaError(
                f"{display_name(path)}: its sound is damaged; copy the file again, or leave its audio "
                "features out"
            ) from None
        rate, channels = int(stream.rate or 0), int(stream.layout.nb_channels)
        # A sound file's own clock begins with its first sample.
        zero_s = info.first_frame_s if recording.audio is None else float((stream.start_time or 0) * tick_s)
    first = min((start for start, _ in times), default=zero_s)
    last = max((start + length for start, length in times), default=zero_s)
    return SoundTrack(path, info.duration_s, rate, channels, first - zero_s, last - zero_s)


def blocks(
    track: SoundTrack, rate: int, block_s: float | None = None, progress: Progress | None = None
) -> Iterator[NDArray[np.float32]]:
    """Yield the whole sound of a recording, one block after another.

    Args:
        block_s: length of a block, s, or None for ``BLOCK_S``; the last one is shorter.

    Yields:
        float32 in [-1, 1], shape (samples,); ``round(length_s * rate)`` samples altogether.

    Raises:
        MediaError: the sound is damaged.
    """
    total, size = round(track.length_s * rate), round((block_s or BLOCK_S) * rate)
    for first in range(0, total, size):
        last = min(first + size, total)
        yield read_audio(track.path, first / rate, last / rate, rate)
        if progress:
            progress(last, total)


Samples = NDArray[np.float32]


def overlap_added(
    blocks: Iterable[Samples], enhance: Callable[[Samples], Samples], window: int
) -> Iterator[Samples]:
    """Enhance sound in windows that overlap by half and fade into each other.

    Each window is weighted with a periodic Hann window afterwards; two neighbours' weights add up to 1 at
    every sample, the first and the last included, so that an ``enhance`` that changes nothing changes
    nothing here.

    Args:
        blocks: consecutive blocks of samples, shape (samples,), of any lengths.
        enhance: makes ``window`` samples out of ``window`` samples.
        window: even number of samples.

    Yields:
        Consecutive enhanced samples, as many altogether as came in, in time with them.

    Raises:
        ValueError: the window is odd or not positive.
    """
    if window <= 0 or window % 2:
        raise ValueError(f"a window of {window} samples cannot overlap by half: make it even and positive")
    hop = window // 2
    fade = (0.5 - 0.5 * np.cos(2 * np.pi * np.arange(window) / window)).astype(np.float32)
    waiting, tail = np.zeros(hop, np.float32), np.zeros(hop, np.float32)
    taken, at = 0, -hop
    for samples in chain(blocks, [None]):
        taken += 0 if samples is None else samples.size
        waiting = np.concatenate([waiting, np.zeros(window, np.float32) if samples is None else samples])
        while waiting.size >= window and at < taken:
            enhanced = enhance(waiting[:window]) * fade
            ready = tail + enhanced[:hop]
            tail, waiting = enhanced[hop:], waiting[hop:]
            if at >= 0:
                yield ready[: taken - at]
            at += hop


def in_frames(
    blocks: Iterable[Samples], process: Callable[[Samples], Samples], frame: int, delay: int
) -> Iterator[Samples]:
    """Enhance sound as `overlap_added` does, by what remembers what it heard and answers frame by frame and late.

    Args:
        process: makes the next ``frame`` samples out of ``frame`` samples; its answer lags by ``delay`` samples.
    """
    waiting = np.zeros(0, np.float32)
    taken, at = 0, -delay
    for samples in chain(blocks, [None]):
        taken += 0 if samples is None else samples.size
        waiting = np.concatenate(
            [waiting, np.zeros(delay + frame, np.float32) if samples is None else samples]
        )
        whole = waiting.size // frame * frame
        if not whole:
            continue
        ready = np.concatenate([process(waiting[first : first + frame]) for first in range(0, whole, frame)])
        waiting = waiting[whole:]
        kept = ready[max(0, -at) : max(0, taken - at)]
        at += whole
        if kept.size:
            yield kept
