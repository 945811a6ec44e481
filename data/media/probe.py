"""Say what a recording's media file really holds: its length, frame rate, size, rotation and sound.

Times are read from the packets, not from the header, and count in seconds from the first video frame
that is shown. The container is recognised by its content; its suffix does not matter.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

import av
import numpy as np
from numpy.typing import NDArray

from semiology.data.media.decord_trial import decord_fault
from semiology.data.media.picture_width import width_refused
from semiology.data.media.structure import mpeg_pictures
from semiology.data.media.structure.asf import asf_breaks
from semiology.data.media.structure.container import avi_misplaced, flv_breaks, structural_fault
from semiology.data.media.structure.matroska import matroska_breaks
from semiology.data.media.structure.packet_scan import PacketScan, missing_frames
from semiology.data.media.structure.transport import nothing_lost

CONTAINERS = (
    "mov",
    "mp4",
    "m4a",
    "3gp",
    "3g2",
    "mj2",
    "avi",
    "matroska",
    "webm",
    "mpegts",
    "mpeg",
    "asf",
    "flv",
)
"""Containers that are opened. Playlists and text are left out: they would make FFmpeg open other files."""

SOUND_CONTAINERS = ("wav", "mp3", "flac", "ogg", "aac", "aiff")
"""Further containers accepted where only sound is wanted."""

LARGE_BYTES = 4 << 30
"""From this size on a consistent MP4 index is believed, instead of reading every packet."""

_FLV_MARGIN_MS = 250
"""Before a break of an FLV file nothing is trusted for so long: frames stand in another order than they are shown."""

_LONGEST_S = 1e6
"""Longer than any recording, s."""

_EXPORT_AGAIN = "replace it with the original recording, or export it again as MP4 (H.264)"


class MediaError(ValueError):
    """A media file cannot be used; the message says which file, why, and what to do."""


@dataclass(frozen=True)
class MediaInfo:
    """What a recording's file holds.

    Attributes:
        duration_s: from the first frame shown to the end of the last one, s.
        fps: frames per second; the mean rate where the rate varies.
        width, height: as shown, after rotation, px.
        frames: number of frames shown.
        rotation: clockwise turn that the file asks the player for: 0, 90, 180 or 270 degrees.
        audio_rate: sampling rate of the sound track in Hz, None without one.
        variable_frame_rate: whether frames are not evenly spaced.
        first_frame_s: the container's time of the first frame shown, s.
        index_fps: the rate that readers by frame number (decord) assume, 0.0 if the file names none.
        index_error_s: largest difference between a frame's true time and ``number / index_fps``, s.
        hidden_frames: coded frames that an edit list hides, which readers by frame number count along.
        reordered: whether the container stores no usable time stamps for frames that are shown in another
            order than they are coded in (AVI with B-frames); frames are then told by counting.
        open_gops: whether frames coded after a key frame are shown before it.
        container: FFmpeg's name of the container.
        picture_tracks, sound_tracks: how many the file holds; one of each is used (`video_stream`).
        damaged_s: spans in which the pictures are lost or not to be trusted, s from the first frame: where frames
            are missing from an even rhythm, packets are marked as damaged, or the clock goes back.
        missing_s: spans for which the recorder stored no frame though nothing is wrong with the file, s from the first
            frame; the picture before them stands, as in players.
        codec: FFmpeg's name of the pictures' codec.
        checksums: whether the container has checksums of all of its pictures, so that damage to them is seen.
        pixel_shape: width of a pixel as it is to be shown, by its height, 1 where the file says nothing. Pictures are
            given as stored, so that a person is too wide by the inverse of it (`semiology.data.film_traits`).
        interlaced: whether the first picture is stored as two fields, taken one after the other.
        decord_fault: why decord, tried where nothing else speaks against it, does not read the file.
    """

    duration_s: float
    fps: float
    width: int
    height: int
    frames: int
    rotation: int
    has_audio: bool
    audio_rate: int | None
    variable_frame_rate: bool
    first_frame_s: float = 0.0
    index_fps: float = 0.0
    index_error_s: float = 0.0
    hidden_frames: int = 0
    reordered: bool = False
    open_gops: bool = False
    container: str = "mov"
    picture_tracks: int = 1
    sound_tracks: int = 0
    damaged_s: tuple[tuple[float, float], ...] = ()
    decord_fault: str | None = None
    missing_s: tuple[tuple[float, float], ...] = ()
    codec: str = ""
    checksums: bool = False
    pixel_shape: float = 1.0
    interlaced: bool = False


@dataclass(frozen=True, eq=False)
class Timeline:
    """The frames of a file in the order they are shown.

    Attributes:
        ticks: presentation time stamps, int64, ascending, shape (frames,), in the stream's time base.
        times_s: the same in seconds from the first frame, float64, shape (frames,).
        keyframes_s: times at which decoding can start, s, ascending.
        numbers: number of the frame that each packet of the file holds, int64, shape (frames,), where the pictures
            tell other times than the container (`semiology.data.media.structure.mpeg_pictures`); None elsewhere.
    """

    info: MediaInfo
    ticks: NDArray[np.int64]
    times_s: NDArray[np.float64]
    keyframes_s: NDArray[np.float64]
    numbers: NDArray[np.int64] | None = None


def probe(path: Path) -> MediaInfo:
    """Return the facts of a recording without decoding more than its first frame.

    Raises:
        MediaError: missing, empty, cut off, unreadable, without a picture track, or not a video.
    """
    return timeline(path).info


def timeline(path: Path) -> Timeline:
    """Return the true times of all frames; the result is remembered until the file changes.

    Raises:
        MediaError: as for `probe`.
    """
    path = Path(path)
    _check_file(path)
    state = path.stat()
    return _timeline(path, state.st_size, state.st_mtime_ns)


def needs_clip(info: MediaInfo) -> str | None:
    """Say why readers that pick frames by number show the wrong moment or nothing; None where they are right.

    Such readers (decord in qwen-vl-utils, which stock lmms-eval model classes use) turn a time into
    ``time * index_fps``, and refuse a few narrow pictures. Where a reason is given, hand the model
    `semiology.data.media.clips.clip` instead.
    """
    return wrong_moments(info) or width_refused(info.width) or info.decord_fault


def wrong_moments(info: MediaInfo) -> str | None:
    """Say why frames that decord picks by number show the wrong moment, or None where they are right."""
    if not info.container.startswith(("mov", "avi", "matroska")):
        return f"decord does not find the right frames in {info.container} files"
    if info.damaged_s:
        spans = ", ".join(f"{start:.2f}-{stop:.2f} s" for start, stop in info.damaged_s[:3])
        return f"the film is damaged ({spans}), and readers show other pictures there without a word"
    if info.picture_tracks > 1:
        return f"the file holds {info.picture_tracks} picture tracks, and not every reader takes the same one"
    if info.reordered:
        return "AVI files with B-frames hold no times, and decord now and then shows a wrong frame of them"
    if info.open_gops:
        return "decord misses frames after a jump into a file with open groups of pictures"
    if info.hidden_frames:
        return f"an edit list hides {info.hidden_frames} frames, which readers by frame number count along"
    if not info.index_fps:
        return "the file names no frame rate"
    if info.index_error_s > min(1.5 / info.index_fps, 0.25):
        return (
            f"frames are unevenly spaced: found by number they would be up to {info.index_error_s:.2f} s off"
        )
    if info.rotation:
        return f"the picture is stored turned by {info.rotation} degrees, which not every reader undoes"
    return None


def display_name(path: Path) -> str:
    """Return the file's name with its folder's, the most of a path that messages show."""
    path = Path(path)
    return f"{path.parent.name}/{path.name}" if path.parent.name else path.name


@contextmanager
def open_media(path: Path, *, sound_only: bool = False) -> Iterator[Any]:
    """Open a file for reading with PyAV, local files and known containers only.

    Raises:
        MediaError: the file is missing, empty or not media; FFmpeg's own message, which holds the
            whole path, is not passed on.
    """
    _check_file(path)
    names = CONTAINERS + (SOUND_CONTAINERS if sound_only else ())
    options = {"format_whitelist": ",".join(names), "protocol_whitelist": "file"}
    try:
        # Not `options`, which PyAV 15 also lays out per stream and overruns where streams turn up late.
        container = av.open(str(path), container_options=options)
    except (av.FFmpegError, OSError, ValueError):
        raise MediaError(_unreadable(path, sound_only=sound_only)) from None
    with container:
        yield container


def picture_tracks(container: Any) -> list[Any]:
    """Return the tracks of moving pictures, without cover pictures."""
    return [s for s in container.streams.video if not s.disposition & av.stream.Disposition.attached_pic]


def sound_stream(container: Any) -> Any | None:
    """Return the sound track that a player would play, None without one; `video_stream` says how it is chosen."""
    return _best(container, "audio", list(container.streams.audio))


def _best(container: Any, kind: Any, tracks: list[Any]) -> Any | None:
    """Return the track that is marked as default, else FFmpeg's choice (the fullest), else the first."""
    marked = [track for track in tracks if track.disposition & av.stream.Disposition.default]
    if len(tracks) < 2 or len(marked) == 1:
        return (marked or tracks or [None])[0]
    best = container.streams.best(kind)
    return best if best in tracks else tracks[0]


def video_stream(container: Any, path: Path) -> Any:
    """Return the picture track that a player would show: the one marked as default, else the fullest.

    Raises:
        MediaError: there is none, or only a cover picture.
    """
    streams = picture_tracks(container)
    if not streams:
        kind = "only sound" if container.streams.audio else "neither pictures nor sound"
        raise MediaError(f"{display_name(path)} holds {kind}: name the video file in recordings.csv")
    return _best(container, "video", streams)


def _check_file(path: Path) -> None:
    name = display_name(path)
    if not path.exists():
        raise MediaError(f"{name} does not exist: check the path in recordings.csv")
    if path.is_dir():
        raise MediaError(f"{name} is a folder: name the video file in it")
    try:
        with path.open("rb") as stream:
            empty = not stream.read(1)
    except OSError:
        raise MediaError(f"{name} cannot be opened: check that you may read it") from None
    if empty:
        raise MediaError(f"{name} is empty (0 bytes): copy it again")


def _unreadable(path: Path, *, sound_only: bool = False) -> str:
    name = display_name(path)
    if sound_only and structural_fault(path) is None:
        return f"{name} is neither sound nor a video that can be read: save it as WAV, FLAC or MP3"
    if structural_fault(path) == "no index":
        return (
            f"{name} has no index: it was cut off, or the recorder did not close it; "
            "copy it again, or recover it with the recorder's own software"
        )
    return f"{name} is not a video that can be read: {_EXPORT_AGAIN}"


@dataclass(frozen=True, eq=False)
class _Stamps:
    """Time stamps of frames shown and of key frames, frames hidden, whether groups are open, damage in ticks.

    ``checked`` tells of checksums over all of the pictures.
    """

    ticks: NDArray[np.int64]
    keys: NDArray[np.int64]
    hidden: int
    open_gops: bool
    damaged: tuple[tuple[int, int], ...] = ()
    numbers: NDArray[np.int64] | None = None
    checked: bool = False


@lru_cache(maxsize=32)
def _timeline(path: Path, size: int, changed_ns: int) -> Timeline:
    if structural_fault(path) == "cut off":
        raise MediaError(
            f"{display_name(path)} is cut off: its header announces more data than the file holds; "
            "copy it again, or keep what is there with `ffmpeg -i FILE -c copy NEW_FILE`"
        )
    if structural_fault(path) == "joined":
        raise MediaError(
            _joined(path, "two files were joined byte by byte, and players show the first alone")
        )
    with open_media(path) as container:
        stream = video_stream(container, path)
        try:
            stamps = _time_stamps(path, container, stream, size)
        except av.FFmpegError:
            raise MediaError(_unreadable(path)) from None
        except _ClockRestartsError as error:
            raise MediaError(_joined(path, str(error))) from None
    if not stamps.ticks.size:
        raise MediaError(f"{display_name(path)} holds no frame: {_EXPORT_AGAIN}")
    with open_media(path) as container:
        stream = video_stream(container, path)
        return _assemble(path, container, stream, stamps)


class _ClockRestartsError(ValueError):
    """Time stamps begin again: the frames of two recordings lie over each other."""


def _joined(path: Path, what: str) -> str:
    return (
        f"{display_name(path)}: {what}; give each part a row of its own, or join them so that time goes on "
        "(`ffmpeg -f concat -i LIST -c copy NEW_FILE`, with the parts in LIST)"
    )


def _time_stamps(path: Path, container: Any, stream: Any, size: int) -> _Stamps:
    if size > LARGE_BYTES and _index_is_consistent(container, stream):
        step = 1 / (stream.average_rate * stream.time_base)
        ticks = stream.start_time + np.round(np.arange(stream.frames) * float(step)).astype(np.int64)
        return _Stamps(ticks, ticks, 0, False)
    seen: list[int] = []
    keys: list[int] = []
    key_packets: list[int] = []
    hidden, leading = 0, False
    context = stream.codec_context
    scan = PacketScan(float(stream.time_base), codec=context.name, header=bytes(context.extradata or b""))
    avi = "avi" in container.format.name
    told = container.format.name == "mpeg" and stream.codec_context.name in mpeg_pictures.CODECS
    pictures = mpeg_pictures.MpegPictures() if told else None
    for packet in container.demux(stream):
        # AVI numbers its packets as they are coded; its presentation times are guesses.
        stamp = packet.dts if packet.pts is None or avi else packet.pts
        if stamp is None:
            continue
        if (restart_s := scan.add(packet, stamp)) is not None:
            raise _ClockRestartsError(
                f"its clock starts again after {restart_s:.1f} s: two recordings were joined"
            )
        if packet.is_discard:
            hidden += 1
            continue
        if pictures is not None:
            pictures.add(bytes(packet), stamp)
        seen.append(stamp)
        if packet.is_keyframe:
            keys.append(stamp)
            key_packets.append(len(seen) - 1)
        elif keys and stamp < keys[-1]:
            leading = True
    stamps, numbers = np.array(seen, np.int64), None
    structure = _structure(path, container, stream)
    lost = structure.lost
    if pictures is not None and stream.average_rate:
        times = pictures.times(float(1 / (stream.average_rate * stream.time_base)))
        if times is not None:
            lost = (*lost, *times.lost)
            if not np.array_equal(stamps, times.stamps):
                stamps = times.stamps
                numbers = np.argsort(np.argsort(stamps, kind="stable"), kind="stable")
    ticks, key_ticks = np.sort(stamps), np.sort(stamps[key_packets])
    announced = stream.duration if avi else None
    misplaced = avi_misplaced(path, stream.index) if avi else None
    intact = misplaced[0] if misplaced else None
    if (
        misplaced and ticks.size and int(ticks[-1]) + 1 == announced
    ):  # none more, none less: damaged where they stand
        lost = (*lost, *((number, number + 1) for number in misplaced[:-1]))
    # MP4 lists the times of frames apart from them, AVI writes empty frames, and MPEG programme streams give times to
    # some frames alone: there a hole is the recorder's own in any case.
    own = container.format.name.startswith(("mov", "avi", "mpeg")) and container.format.name != "mpegts"
    damaged = scan.damaged(
        ticks, key_ticks, announced, intact, lost, exact=structure.exact,
        whole=own or (structure.whole and scan.in_order()),
    )  # fmt: skip
    return _Stamps(ticks, key_ticks, hidden, leading, damaged, numbers, structure.exact)


class _Structure(NamedTuple):
    """What a container's own structure says, times in ticks of its pictures.

    ``lost`` are the spans in which it does not hold; ``exact`` tells that all else is certain to be as it was written,
    ``whole`` that nothing is missing.
    """

    lost: tuple[tuple[int, int], ...] = ()
    exact: bool = False
    whole: bool = True


def _structure(path: Path, container: Any, stream: Any) -> _Structure:
    name = container.format.name
    if name == "flv":  # its clock counts ms, as the track's ticks do
        breaks = flv_breaks(path)
        return _Structure(tuple((start - _FLV_MARGIN_MS, stop) for start, stop in breaks), whole=not breaks)
    if name == "mpegts":
        return _Structure(whole=nothing_lost(path))
    spans: tuple[tuple[float, float], ...] = ()
    exact, whole = False, True
    if name.startswith("matroska"):
        found = matroska_breaks(path)
        spans, exact, whole = found.spans, found.checked, found.followed and not found.spans
    elif name == "asf":
        told = asf_breaks(path, int(stream.id))
        spans, whole = tuple(told or ()), told == []
    ticks = float(1 / stream.time_base)
    lost = tuple((int(start * ticks), int(min(stop, _LONGEST_S) * ticks)) for start, stop in spans)
    return _Structure(lost, exact, whole)


def _index_is_consistent(container: Any, stream: Any) -> bool:
    if "mp4" not in container.format.name or not (stream.frames and stream.duration and stream.average_rate):
        return False
    difference = stream.duration * stream.time_base - stream.frames / stream.average_rate
    return bool(stream.base_rate == stream.average_rate and abs(difference * stream.average_rate) < 0.5)


def _assemble(path: Path, container: Any, stream: Any, stamps: _Stamps) -> Timeline:
    ticks = stamps.ticks
    base = stream.time_base
    times = (ticks - ticks[0]).astype(np.float64) * float(base)
    step, uneven = _spacing(times, float(base), stream)
    index_fps = float(stream.average_rate or 0)
    error = float(np.abs(times - np.arange(times.size) / index_fps).max()) if index_fps else float("inf")
    duration = float(times[-1]) + step
    even = index_fps and error <= 0.5 / index_fps
    first = _first_frame(path, container, stream)
    rotation = _turn(path, first)
    width, height = (first.height, first.width) if rotation in (90, 270) else (first.width, first.height)
    sound = sound_stream(container)
    reordered = container.format.name == "avi" and bool(stream.codec_context.has_b_frames)
    info = MediaInfo(
        duration_s=duration, fps=index_fps if even else times.size / duration,
        width=width, height=height, frames=int(times.size), rotation=rotation,
        has_audio=sound is not None, audio_rate=int(sound.rate) if sound else None,
        variable_frame_rate=uneven, first_frame_s=float(ticks[0] * base),
        index_fps=index_fps, index_error_s=error, hidden_frames=stamps.hidden, reordered=reordered,
        open_gops=stamps.open_gops,
        container=container.format.name,
        picture_tracks=len(picture_tracks(container)), sound_tracks=len(container.streams.audio),
        damaged_s=_begun_late(first, stamps, container, base) + tuple(
            (max(0.0, float((start - ticks[0]) * base)), min(duration, float((stop - ticks[0]) * base)))
            for start, stop in stamps.damaged
        ),
        codec=str(stream.codec_context.codec.canonical_name), checksums=stamps.checked,
        pixel_shape=_pixel_shape(stream, rotation), interlaced=bool(first.interlaced_frame),
    )  # fmt: skip
    holes = [
        (float((start - ticks[0]) * base), float((stop - ticks[0]) * base))
        for start, stop in missing_frames(ticks, float(base))
    ]
    outside = [
        hole
        for hole in holes
        if not any(hole[0] < stop and start < hole[1] for start, stop in info.damaged_s)
    ]
    info = replace(info, missing_s=tuple(outside))
    if needs_clip(info) is None:
        info = replace(info, decord_fault=decord_fault(path, info.frames))
    starts = (stamps.keys - ticks[0]).astype(np.float64) * float(base)
    return Timeline(info, ticks, times, starts, stamps.numbers)


def _begun_late(first: Any, stamps: _Stamps, container: Any, base: Any) -> tuple[tuple[float, float], ...]:
    """Return the span before the first picture that can be decoded, where a file was cut within a group of pictures."""
    if first.pts is None or stamps.numbers is not None or "avi" in container.format.name:
        return ()
    late_s = float((first.pts - stamps.ticks[0]) * base)
    return ((0.0, late_s),) if late_s > 0 else ()


def _turn(path: Path, frame: Any) -> int:
    """Return by how many degrees clockwise the file asks players to turn its pictures: 0, 90, 180 or 270.

    Raises:
        MediaError: it asks for a mirrored picture, which would swap the patient's sides, or for an odd angle.
    """
    side = frame.side_data.get("DISPLAYMATRIX")
    if side is None or len(bytes(side)) < 20:
        return int(round(-frame.rotation / 90) * 90 % 360)
    a, b, _, c, d = np.frombuffer(bytes(side)[:20], np.int32).astype(float)
    if not any((a, b, c, d)):  # an empty matrix asks for nothing
        return 0
    again = "encode it as it is to be seen (`ffmpeg -i FILE -c:v libx264 -crf 16 -c:a copy NEW_FILE`)"
    if a * d - b * c < 0:
        raise MediaError(
            f"{display_name(path)} is stored mirrored and asks players to undo that, which not every reader does: "
            f"left and right would be swapped; {again}"
        )
    degrees = float(np.degrees(np.arctan2(b, a)))
    turn = round(degrees / 90) * 90
    if abs(degrees - turn) > 3:
        raise MediaError(f"{display_name(path)} asks players to turn it by {degrees:.0f} degrees; {again}")
    return int(turn % 360)


def _pixel_shape(stream: Any, rotation: int) -> float:
    """Return the width of a pixel by its height, after the turn that the file asks for."""
    told = stream.sample_aspect_ratio
    shape = float(told) if told else 1.0
    return 1 / shape if rotation in (90, 270) else shape


def _spacing(times: NDArray[np.float64], tick_s: float, stream: Any) -> tuple[float, bool]:
    """Return the usual distance of two frames in s, and whether some distance differs from it."""
    if times.size < 2:
        rate = stream.average_rate or stream.guessed_rate
        return (float(1 / rate) if rate else tick_s), False
    steps = np.diff(times)
    usual = float(np.median(steps))
    # Two ticks: containers in milliseconds alternate between 33 and 34.
    return usual, bool(np.abs(steps - usual).max() > max(0.25 * usual, 2.01 * tick_s))


def _first_frame(path: Path, container: Any, stream: Any) -> Any:
    try:
        return next(container.decode(stream))
    except (av.FFmpegError, StopIteration):
        raise MediaError(
            f"{display_name(path)}: its first frame cannot be decoded; {_EXPORT_AGAIN}"
        ) from None
