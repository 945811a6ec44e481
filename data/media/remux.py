"""Copying media stream by stream into a new container, without metadata; sound that none can hold is encoded again."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

from semiology.data.media.copy_check import check_copy, tracks
from semiology.data.media.probe import MediaError, picture_tracks
from semiology.data.media.user_data import bitstream_filter, clean_extradata, cleaner, holds_text, is_tag

_FORMATS = {
    ".mp4": "mp4", ".m4v": "mp4", ".mov": "mov", ".mkv": "matroska", ".webm": "webm", ".avi": "avi",
    ".mpg": "mpeg", ".mpeg": "mpeg", ".ts": "mpegts", ".mts": "mpegts", ".m2ts": "mpegts", ".vob": "mpeg",
    ".wmv": "asf", ".asf": "asf", ".wma": "asf", ".3gp": "3gp", ".3g2": "3g2", ".flv": "flv", ".ogv": "ogg",
    ".wav": "wav", ".mp3": "mp3", ".m4a": "mp4", ".flac": "flac", ".ogg": "ogg", ".oga": "ogg", ".opus": "ogg",
    ".aac": "adts", ".aif": "aiff", ".aiff": "aiff",
}  # fmt: skip
_OTHERS = (".mp4", ".mov", ".mkv")
"""Tried in turn where a container cannot hold its own streams with their times: the exact clocks first."""


class RemuxError(ValueError):
    """A file cannot be rewritten without its metadata; no copy of it is left."""


@dataclass(frozen=True)
class Copied:
    """The file that was written, perhaps with another suffix than was asked for, and how many streams are left out.

    ``sound_encoded`` tells that its sound is FLAC of the same samples, since no container could hold it as it was.
    """

    path: Path
    dropped: int
    sound_encoded: bool = False


def remux(source: Path, target: Path) -> Copied:
    """Copy the video and audio streams of ``source`` to ``target``.

    Dropped are tags of the container and of the streams (titles, comments, creation times, places),
    chapters, attachments, cover pictures, subtitles and data streams, and user data within the streams
    (`semiology.data.media.user_data`). Pictures, sound, their time stamps and the rotation stay as they are, which
    is checked: where the container cannot hold them, the copy is an MP4, MOV or Matroska file. Sound that none of these
    holds with its times (ADPCM of AVI files), or of a codec that may carry text, is decoded and written as FLAC.

    Raises:
        RemuxError: The file cannot be read, what its streams carry is not known, or they cannot be stored.
    """
    import av

    kind = _FORMATS.get(target.suffix.lower())
    tries = [(target, kind)] if kind else []
    tries += [
        (target.with_suffix(suffix), _FORMATS[suffix])
        for suffix in _OTHERS
        if suffix != target.suffix.lower()
    ]
    reasons: list[str] = []
    try:
        before = tracks(source)
    except MediaError as error:
        raise RemuxError(f"{error}; it cannot be rewritten without its metadata") from None
    again = any(track.kind == "audio" for track in before)
    last = (target.with_suffix(".mkv"), _FORMATS[".mkv"])
    for path, form, encode in [*((*each, False) for each in tries), *([(*last, True)] if again else [])]:
        assert form is not None
        try:
            dropped = _written(source, path, form, encode)
            check_copy(source, path, before)
            return Copied(path, dropped, encode)
        except (av.FFmpegError, OSError, ValueError, IndexError, struct.error) as error:
            path.unlink(missing_ok=True)
            reasons.append(str(error))
    raise RemuxError(f"{source.name}: cannot be rewritten without its metadata ({reasons[0]})")


def _written(source: Path, target: Path, form: str, encode: bool) -> int:
    import av

    with (
        av.open(str(source)) as reader,
        av.open(str(target), "w", format=form, options=_options(target)) as writer,
    ):
        return _copy(reader, writer, encode)


def _options(target: Path) -> dict[str, str]:
    more = {"mpegts_m2ts_mode": "1"} if target.suffix.lower() in (".m2ts", ".mts") else {}
    return {"fflags": "+bitexact", **more}


def _kept(reader: Any) -> list[Any]:
    return [*picture_tracks(reader), *reader.streams.audio]


def _copy(reader: Any, writer: Any, encode: bool) -> int:
    kept = _kept(reader)
    if not kept:
        raise ValueError("it holds neither pictures nor sound")
    pipes: dict[int, _Pipe | _EncodingPipe] = {
        stream.index: (_EncodingPipe if encode and stream.type == "audio" else _Pipe)(stream, writer)
        for stream in kept
    }
    writer.metadata.clear()
    for packet in reader.demux(kept):
        if packet.dts is None and packet.pts is None:
            continue
        if packet.size and is_tag(packet.stream.codec_context.codec.canonical_name, bytes(packet)):
            continue
        pipes[packet.stream.index].pass_on(packet)
    for pipe in pipes.values():
        pipe.end()
    return len(reader.streams) - len(kept)


class _Pipe:
    """Takes the packets of one stream, cleaned, to its copy."""

    def __init__(self, source: Any, writer: Any) -> None:
        self._name = name = source.codec_context.codec.canonical_name
        self._writer, self._clean = writer, cleaner(name)
        # Matroska's additions to a block (a mask, or anything else) travel beside a packet's data.
        self._bare = source.type == "video" and "matroska" in source.container.format.name
        self._reordered = bool(getattr(source.codec_context, "has_b_frames", False))
        self._target = writer.add_stream_from_template(source, opaque=True)
        self._target.metadata.clear()
        # The filter writes units with start codes, and its header says so to the container's writer.
        self._filter = bitstream_filter(name, source, self._target)
        self._target.codec_context.codec_tag = "\0\0\0\0"
        header = bytes(self._target.codec_context.extradata or b"")
        cleaned = clean_extradata(name, header) if header else b""
        if cleaned != header:
            self._target.codec_context.extradata = cleaned

    def pass_on(self, packet: Any) -> None:
        """Write a packet without user data.

        Raises:
            ValueError: it holds text that cannot be taken out.
        """
        if packet.pts is None and not self._reordered:  # AVI says only when a frame is decoded
            packet.pts = packet.dts
        for each in self._filter.filter(packet) if self._filter is not None else [packet]:
            self._write(each)

    def end(self) -> None:
        """Write what the filter still holds."""
        if self._filter is not None:
            for each in self._filter.filter(None):
                self._write(each)

    def _write(self, packet: Any) -> None:
        if self._clean is not None and packet.size:
            data = bytes(packet)
            cleaned = self._clean(data)
            if cleaned != data:
                packet = _with_data(packet, cleaned)
        if packet.size and holds_text(self._name, bytes(packet)):
            raise ValueError(
                "text stands between its pictures or in its sound; convert the file first, for instance with "
                "ffmpeg -c:v libx264 -c:a aac"
            )
        if self._bare and packet.size:
            packet = _with_data(packet, bytes(packet))
        packet.stream = self._target
        self._writer.mux(packet)


class _EncodingPipe:
    """Takes the sound of one stream to a copy as FLAC, its samples counted from the time of the first."""

    def __init__(self, source: Any, writer: Any) -> None:
        import av

        self._context, self._writer = source.codec_context, writer
        self._rate, layout = int(self._context.rate), self._context.layout.name
        self._target = writer.add_stream("flac", rate=self._rate, layout=layout)
        self._form = av.AudioResampler(format="s16", layout=layout, rate=self._rate)
        self._next: int | None = None

    def pass_on(self, packet: Any) -> None:
        """Decode a packet, and write what it gives."""
        self._write(packet.decode())

    def end(self) -> None:
        """Write what decoder and encoder still hold."""
        self._write([*self._context.decode(None), None])
        self._writer.mux(self._target.encode(None))

    def _write(self, frames: Sequence[Any]) -> None:
        for frame in frames:
            if self._next is None and frame is not None:
                self._next = round((frame.time or 0.0) * self._rate)
            if frame is not None:
                frame.pts = None
            for block in self._form.resample(frame):
                block.pts, block.time_base = self._next, Fraction(1, self._rate)
                self._next = (self._next or 0) + block.samples
                self._writer.mux(self._target.encode(block))


def _with_data(packet: Any, data: bytes) -> Any:
    import av

    new = av.Packet(data)
    new.pts, new.dts, new.duration, new.time_base = packet.pts, packet.dts, packet.duration, packet.time_base
    new.is_keyframe = packet.is_keyframe
    return new
