"""Hold a media file that was written against what it was made from: tracks, lengths, times, sampling rates."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import av
import numpy as np
from numpy.typing import NDArray

from semiology.data.media.probe import MediaError, display_name, open_media, picture_tracks


class CopyError(MediaError):
    """A file that was written is not what its source is; the message says in what they differ."""


@dataclass(frozen=True)
class Track:
    """What a track holds: its kind and codec, its size or sampling rate, and the times of its packets.

    Attributes:
        rate: sampling rate, Hz; 0 of pictures.
        size: width and height, px; (0, 0) of sound.
        times_s: of the packets, ascending, s, shape (packets,).
        tick_s: to how much the container rounds times, s.
    """

    kind: str
    codec: str
    rate: int
    size: tuple[int, int]
    times_s: NDArray[np.float64]
    tick_s: float


def tracks(path: Path) -> list[Track]:
    """Return the tracks of pictures and sound, times counted from the first packet of the first track.

    Raises:
        MediaError: the file cannot be used.
    """
    found = []
    with open_media(path, sound_only=True) as container:
        streams = [*picture_tracks(container), *container.streams.audio]
        times: dict[int, list[float]] = {stream.index: [] for stream in streams}
        avi = "avi" in container.format.name
        try:
            for packet in container.demux(streams) if streams else ():
                stamp = packet.dts if packet.pts is None or avi else packet.pts
                if stamp is not None and packet.size:
                    times[packet.stream.index].append(stamp * float(packet.time_base))
        except av.FFmpegError:
            raise MediaError(f"{display_name(path)} cannot be read to its end: copy the file again") from None
        for stream in streams:
            codec, sound = stream.codec_context, stream.type == "audio"
            found.append(
                Track(
                    stream.type, str(codec.name).removesuffix("float"), int(codec.sample_rate or 0) if sound else 0,
                    (0, 0) if sound else (codec.width, codec.height),
                    np.sort(np.array(times[stream.index])), float(stream.time_base),
                )
            )  # fmt: skip
    zero_s = next((float(track.times_s[0]) for track in found if track.times_s.size), 0.0)
    return [_since(track, zero_s) for track in found]


def check_copy(source: Path, copy: Path, before: Sequence[Track] | None = None) -> None:
    """Refuse a copy, stream by stream, whose tracks, lengths or times differ from its source's (``before``, if known).

    Raises:
        CopyError: they differ; the message names the track and both values.
        MediaError: one of the files cannot be read.
    """
    before, after = tracks(source) if before is None else before, tracks(copy)
    name = display_name(source)
    if [track.kind for track in before] != [track.kind for track in after]:
        raise CopyError(f"{name}: of {len(before)} tracks the copy holds {len(after)}")
    for number, (old, new) in enumerate(zip(before, after, strict=True)):
        what = f"{name}: track {number} ({old.kind}, {old.codec})"
        if (old.rate, old.size) != (new.rate, new.size):
            raise CopyError(f"{what}: {old.rate or old.size} became {new.rate or new.size}")
        if not old.times_s.size or not new.times_s.size:
            if old.times_s.size != new.times_s.size:
                raise CopyError(
                    f"{what}: its {max(old.times_s.size, new.times_s.size)} packets are not in both"
                )
            continue
        slack_s = 2 * max(old.tick_s, new.tick_s) + 0.002
        usual = float(np.median(np.diff(old.times_s))) if old.times_s.size > 1 else 0.0
        for when, place in (("begins", 0), ("ends", -1)):
            gone_s = abs(float(old.times_s[place] - new.times_s[place]))
            if gone_s > slack_s + (usual if old.kind == "audio" else 0.0):
                raise CopyError(
                    f"{what} {when} at {old.times_s[place]:.2f} s, in the copy at {new.times_s[place]:.2f} s"
                )
        if old.kind == "video":
            if old.times_s.size != new.times_s.size:
                raise CopyError(f"{what}: of {old.times_s.size} frames the copy holds {new.times_s.size}")
            if float(np.abs(old.times_s - new.times_s).max()) > slack_s:
                raise CopyError(f"{what}: its frames are shown at other times in the copy")
        elif (
            old.codec == new.codec
            and not old.codec.startswith(("pcm", "adpcm"))
            and abs(old.times_s.size - new.times_s.size) > max(2, 0.02 * old.times_s.size)
        ):
            raise CopyError(f"{what}: of {old.times_s.size} packets the copy holds {new.times_s.size}")
    _opens(copy)


def check_film(
    film: Path, times_s: Sequence[float] | NDArray[np.float64], sound: tuple[int, float] | None
) -> None:
    """Refuse a film that was encoded unless it shows frames at these times and holds the sound that it was given.

    Args:
        film: what was written.
        times_s: when its frames shall be shown, s from the first.
        sound: sampling rate in Hz and length in s of its sound; None for none.

    Raises:
        CopyError: it does not.
        MediaError: it cannot be read.
    """
    found = tracks(film)
    pictures = [track for track in found if track.kind == "video"]
    heard = [track for track in found if track.kind == "audio"]
    if len(pictures) != 1 or len(heard) < (sound is not None):
        raise CopyError(
            f"{display_name(film)}: written with {len(pictures)} picture and {len(heard)} sound tracks"
        )
    wanted = np.asarray(times_s, np.float64) - float(times_s[0])
    shown = pictures[0].times_s - pictures[0].times_s[:1]
    if (
        shown.size != wanted.size
        or float(np.abs(shown - wanted).max(initial=0.0)) > 2 * pictures[0].tick_s + 0.002
    ):
        raise CopyError(f"{display_name(film)}: its {wanted.size} frames were not written at their times")
    if sound is not None:
        rate, length_s = sound
        if heard[0].rate != rate:
            raise CopyError(
                f"{display_name(film)}: its sound was written at {heard[0].rate} Hz instead of {rate} Hz"
            )
        packet_s = float(np.median(np.diff(heard[0].times_s))) if heard[0].times_s.size > 1 else length_s
        last_s = float(heard[0].times_s[-1]) + packet_s if heard[0].times_s.size else 0.0
        if abs(last_s - length_s) > 2 * packet_s + 0.1:
            raise CopyError(f"{display_name(film)}: of {length_s:.2f} s of sound {last_s:.2f} s were written")


def _since(track: Track, zero_s: float) -> Track:
    return Track(track.kind, track.codec, track.rate, track.size, track.times_s - zero_s, track.tick_s)


def _opens(path: Path) -> None:
    """Decode the beginning of every track: a copy may lack what the decoder needs to begin."""
    with open_media(path, sound_only=True) as container:
        streams: list[Any] = [*picture_tracks(container), *container.streams.audio]
        for index in [stream.index for stream in streams]:
            with open_media(path, sound_only=True) as again:
                try:
                    next(again.decode(again.streams[index]))
                except (av.FFmpegError, StopIteration):
                    raise CopyError(
                        f"{display_name(path)}: track {index} cannot be decoded in the copy"
                    ) from None
