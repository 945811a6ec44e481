"""What a check finds in the files of a recording beside its tables, opened as a run will open them.

The video's tracks and damage, the sound file, the folder of keypoints, the transcript: each fault names the row and
the column, so that nothing first turns up in the middle of a run.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from semiology.data.media.audio import read_audio
from semiology.data.media.probe import MediaError, MediaInfo, open_media, sound_stream
from semiology.data.pose_files import PoseFileError, old_layout, read_people
from semiology.data.problems import Problem
from semiology.data.recording_set import Recording
from semiology.data.tables.reading import RECORDINGS, keypoint_files
from semiology.data.transcript_file import TranscriptError, read_transcript
from semiology.render.text import counted

_LATE_S = 0.5
"""Pictures that begin so much after the sound, or after the clock's beginning, are told, s."""
_MISFIT_S = 1.0
"""Sound, keypoints or speech that end so much before or after the pictures are told, s."""
_MISFIT_SHARE = 0.05
_MISSING_S, _MISSING_SHARE = 0.2, 0.01
"""Spans without frames are told where one is longer, s, or all together are more of the film."""
_SPANS = 5
"""So many spans without frames are named."""
_FRAMES_LOST = 0.05
"""A share of frames without keypoints from which on they are told."""


_Tell3 = Callable[[str, str, str], None]
_Tell2 = Callable[[str, str], None]


@dataclass
class CompanionFindings:
    """Files that cannot be used (problems), and what should be looked at (warnings)."""

    problems: list[Problem] = field(default_factory=list)
    warnings: list[Problem] = field(default_factory=list)


def companion_findings(row: int, recording: Recording, info: MediaInfo) -> CompanionFindings:
    """Open everything that belongs to a recording whose video can be read.

    Args:
        row: of the recording in ``recordings.csv``.
        info: of its video.
    """
    found = CompanionFindings()

    def problem(column: str, message: str, fix: str) -> None:
        found.problems.append(Problem(RECORDINGS, row, f"{recording.video_id}, {column}: {message}", fix))

    def warn(message: str, fix: str) -> None:
        found.warnings.append(Problem(RECORDINGS, row, f"{recording.video_id}: {message}", fix))

    for kind, number in (("picture", info.picture_tracks), ("sound", info.sound_tracks)):
        if number > 1:
            message = f"the video holds {number} {kind} tracks; the default one is used, else the fullest"
            warn(message, f"make sure that it is the right one, or keep that {kind} track alone")
    for start_s, stop_s in info.damaged_s:
        message = f"the film is damaged between {start_s:.2f} and {stop_s:.2f} s: frames lost or repeated"
        warn(message, "copy the file again; segments that touch this span get no answer")
    missing_s = sum(stop - start for start, stop in info.missing_s)
    if missing_s > _MISSING_SHARE * info.duration_s or any(b - a > _MISSING_S for a, b in info.missing_s):
        warn(
            _missing(info.missing_s),
            "nothing is wrong with the file; know it when you annotate or judge answers there",
        )
    if info.decord_fault:
        warn(info.decord_fault, "its segments are shown from clips, made as needed")
    _clocks(recording.video, info, warn)
    if recording.audio is not None and recording.audio.is_file():
        _sound(recording.audio, info, problem, warn)
    if recording.pose is not None and recording.pose.is_dir():
        _pose(recording.pose, info, problem, warn)
    if recording.transcript is not None and recording.transcript.is_file():
        _transcript(recording.transcript, info, problem, warn)
    return found


def _missing(spans: Sequence[tuple[float, float]]) -> str:
    lost_s = sum(stop - start for start, stop in spans)
    where = ", ".join(f"{start:.2f}-{stop:.2f} s" for start, stop in spans[:_SPANS])
    return (
        f"the recorder stored no frame at {counted(len(spans), 'place')}, {lost_s:.2f} s in all ({where}"
        f"{', …' * (len(spans) > _SPANS)}): there models see the picture before, as in players"
    )


def _sound(path: Path, info: MediaInfo, problem: _Tell3, warn: _Tell2) -> None:
    try:
        length_s = sound_length_s(path)
        read_audio(path, 0.0, min(1.0, length_s) if length_s else 1.0)
        if length_s > 2:
            read_audio(path, length_s - 1.5, length_s - 0.5)
    except (MediaError, ValueError) as error:
        problem("audio", str(error), "give another sound file, or leave the cell empty")
        return
    if abs(length_s - info.duration_s) > max(_MISFIT_S, _MISFIT_SHARE * info.duration_s):
        message = f"its sound file lasts {length_s:.1f} s, the video {info.duration_s:.1f} s"
        fix = "give the sound of the whole recording: what lies beyond its end cannot be heard"
        if length_s < info.duration_s / 2:
            problem("audio", message, fix)
        else:
            warn(message, fix)


def _clocks(path: Path, info: MediaInfo, warn: _Tell2) -> None:
    """Compare the times of a film's pictures with those of its own sound, by which players count seconds."""
    try:
        begins_s, ends_s = sound_span_s(path) if info.has_audio else (0.0, None)
    except MediaError as error:
        warn(
            str(error),
            "make sure that the sound can be heard; questions about it get no answer where it cannot",
        )
        return
    late_s = info.first_frame_s - begins_s
    counted_from_0 = info.container.startswith(("mov", "matroska")) and (ends_s is None or begins_s >= 0)
    if late_s > _LATE_S and (ends_s is not None or counted_from_0):
        message = f"its pictures begin {late_s:.1f} s after its {'sound' if ends_s is not None else 'clock'}"
        warn(
            f"{message}; here seconds count from the first picture",
            f"look at one annotated time in the film: if it follows a player's clock, take {late_s:.1f} s off all",
        )
    if ends_s is None:
        return
    heard_s, seen_s = ends_s - info.first_frame_s, info.duration_s
    if abs(heard_s - seen_s) > max(_MISFIT_S, _MISFIT_SHARE * seen_s):
        warn(
            f"its sound ends at {heard_s:.1f} s, its pictures at {seen_s:.1f} s",
            "look whether pictures and sound go together: a wrong frame rate in the header, or one of them is cut off",
        )


def sound_length_s(path: Path) -> float:
    """Return the length of a sound file by its packets, s.

    Raises:
        MediaError: it cannot be read, or holds no sound.
    """
    begins_s, ends_s = sound_span_s(path)
    return ends_s - begins_s


def sound_span_s(path: Path) -> tuple[float, float]:
    """Return where the sound of a file begins and ends by its packets, s on the file's own clock.

    Raises:
        MediaError: it cannot be read, or holds no sound.
    """
    import av

    with open_media(path, sound_only=True) as container:
        stream = sound_stream(container)
        if stream is None:
            raise MediaError(f"{path.parent.name}/{path.name} holds no sound")
        first: float | None = None
        end = 0.0
        try:
            for packet in container.demux(stream):
                if packet.pts is not None:
                    time_s = float(packet.pts * packet.time_base)
                    first = time_s if first is None else first
                    end = max(end, time_s + float((packet.duration or 0) * packet.time_base))
        except av.FFmpegError:
            raise MediaError(
                f"{path.parent.name}/{path.name}: its sound is damaged; copy the file again"
            ) from None
    if first is None:
        raise MediaError(f"{path.parent.name}/{path.name} holds no sound")
    return first, end


def _pose(folder: Path, info: MediaInfo, problem: _Tell3, warn: _Tell2) -> None:
    files = keypoint_files(folder)
    faults, seen, no_number = list[str](), 0, 0
    for _, path in files:
        try:
            people = read_people(path)
            seen += bool(len(people))
            no_number += not np.isfinite(people).all()
        except PoseFileError as error:
            faults.append(str(error))
    whole = len(files) - len(faults)
    if faults and whole < len(files) / 2:
        problem(
            "pose",
            f"{len(faults)} of {len(files)} files cannot be read, the first: {faults[0]}",
            "correct them",
        )
        return
    if faults:
        warn(
            f"{len(faults)} of {len(files)} files of keypoints cannot be read, the first: {faults[0]}",
            "correct them",
        )
    if no_number:
        message = f"{no_number} of {len(files)} files of keypoints hold NaN or an infinite number"
        warn(message, "these points count as not found; OpenPose itself writes 0 for them")
    last = files[-1][0] if files else 0
    if last > info.frames * (1 + _FRAMES_LOST) + 2:
        message = f"keypoints go up to frame {last}, the video has {info.frames}"
        warn(message, "name the folder of this very video")
    elif whole < info.frames * (1 - _FRAMES_LOST):
        warn(f"keypoints exist for {whole} of {info.frames} frames", "run OpenPose over the whole video")
    if files and (named := old_layout(files[0][1])):
        warn(f"its keypoints are of {named}", "they are read; newer versions name them 'pose_keypoints_2d'")
    if files and not seen:
        warn("no file of keypoints holds a person", "make sure that it is the right folder")


def _transcript(path: Path, info: MediaInfo, problem: _Tell3, warn: _Tell2) -> None:
    try:
        said = read_transcript(path)
    except (TranscriptError, OSError) as error:
        problem("transcript", str(error), "correct the file, or leave the cell empty")
        return
    late = [item for item in said if item.start_s > info.duration_s + _MISFIT_S]
    if late:
        message = (
            f"{len(late)} of {len(said)} utterances begin after the video's end ({info.duration_s:.1f} s)"
        )
        warn(message, "make sure that it is the transcript of this video")
