"""Copying media stream by stream into a new container, without metadata and without re-encoding."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from semiology.data.media.probe import picture_tracks

_FORMATS = {
    ".mp4": "mp4", ".m4v": "mp4", ".mov": "mov", ".mkv": "matroska", ".webm": "webm", ".avi": "avi",
    ".mpg": "mpeg", ".mpeg": "mpeg", ".ts": "mpegts", ".mts": "mpegts",
    ".wav": "wav", ".mp3": "mp3", ".m4a": "mp4", ".flac": "flac", ".ogg": "ogg",
}  # fmt: skip


class RemuxError(ValueError):
    """A file cannot be rewritten without its metadata; no copy of it is left."""


def remux(source: Path, target: Path) -> int:
    """Copy the video and audio streams of ``source`` to ``target``; return how many others were left out.

    Dropped are tags of the container and of the streams (titles, comments, creation times, places),
    chapters, attachments, cover pictures, subtitles and data streams. Pictures, sound, their time stamps and
    the rotation stay as they are.

    Raises:
        RemuxError: The file cannot be read, or its streams cannot be stored in its kind of container.
    """
    import av

    kind = _FORMATS.get(target.suffix.lower())
    if kind is None:
        raise RemuxError(
            f"{source.name}: cannot rewrite {target.suffix or 'this kind of file'} without metadata"
        )
    try:
        with av.open(str(source)) as reader, av.open(str(target), "w", format=kind, options=_QUIET) as writer:
            return _copy(reader, writer)
    except (av.FFmpegError, OSError, ValueError) as error:
        target.unlink(missing_ok=True)
        raise RemuxError(f"{source.name}: cannot be rewritten without its metadata ({error})") from None


_QUIET = {"fflags": "+bitexact"}


def _copy(reader: Any, writer: Any) -> int:
    kept = [*picture_tracks(reader), *reader.streams.audio]
    if not kept:
        raise ValueError("it holds neither pictures nor sound")
    targets = {stream.index: writer.add_stream_from_template(stream) for stream in kept}
    for stream in targets.values():
        stream.metadata.clear()
    writer.metadata.clear()
    for packet in reader.demux(kept):
        if packet.dts is None and packet.pts is None:
            continue
        packet.stream = targets[packet.stream.index]
        writer.mux(packet)
    return len(reader.streams) - len(kept)
