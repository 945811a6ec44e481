"""Read the folder that OpenPose fills with ``--write_json``: one JSON file per frame, several people each.

BODY_25 and COCO-18 are read. A frame whose file is missing or damaged counts as not looked at; NaN is a point
that was not found. What cannot belong to the recording (another length, another resolution) is refused.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from semiology.data.media.probe import MediaInfo, Timeline
from semiology.data.pose_files import PoseFileError, PoseModelError, read_people
from semiology.data.recording_set import Recording
from semiology.data.tables.reading import keypoint_files
from semiology.enhancements.pipeline.step import JsonValue, Progress
from semiology.enhancements.pose.keypoints import (
    COCO_18,
    JOINTS,
    Array,
    Detections,
    KeypointsError,
    KeypointsUnavailableError,
    from_coco_18,
)
from semiology.render.text import counted

_OUTSIDE = 0.05
"""OpenPose may place a point a little outside the picture; by more than this share it is another picture."""
_LOST = 0.5
"""From this share of frames without a file on, the folder does not cover the recording."""
_EXTRA = 0.02
"""Readers that count packets find a few frames more than are shown; more than this share is another video."""
_FIX_SIZE = "run OpenPose on the file that the column video names, with --keypoint_scale 0, or state the size"


@dataclass(frozen=True)
class OpenPoseFiles:
    """The folder that the column ``pose`` of recordings.csv names.

    Attributes:
        size: width and height of the pictures that OpenPose saw, px, where they are not the recording's own
            (a smaller copy); coordinates are then scaled. None: they are the recording's, and a folder for
            which that cannot be true is refused.
    """

    size: tuple[int, int] | None = None

    def parameters(self) -> Mapping[str, JsonValue]:
        """Return the settings."""
        return {"source": "openpose_files", "size": list(self.size) if self.size else None}

    def inputs(self, recording: Recording) -> Sequence[Path]:
        """Return the folder, if the recording names one."""
        return [recording.pose] if recording.pose else []

    def detect(self, recording: Recording, line: Timeline, progress: Progress | None) -> Detections:
        """Read all files of the folder; see `KeypointSource.detect`.

        Raises:
            KeypointsUnavailableError: the recording names no folder of keypoints.
            KeypointsError: the folder is empty, of another recording or resolution, or of another model.
        """
        files = _files(recording, line)
        counts: Counter[str] = Counter()
        faults: list[str] = []
        frames, people = [], []
        for done, (number, path) in enumerate(files):
            found = _read_frame(path, counts, faults)
            if found is not None:
                frames.append(number)
                people.append(found)
            if progress and done % 100 == 99:
                progress(number + 1, line.info.frames)
        missing = line.info.frames - len(frames)
        if missing > _LOST * line.info.frames and len(faults) > missing / 2:
            unread = counted(len(faults), "file")
            raise KeypointsError(f"{unread} of keypoints cannot be read, the first: {faults[0]}")
        if missing > _LOST * line.info.frames:
            raise KeypointsError(
                f"keypoints exist for {len(frames)} of {line.info.frames} frames only: run OpenPose again "
                "over the whole video, without --frame_step"
            )
        counts["unreadable_pose_files"] = len(faults)
        counts["missing_pose_files"] = missing - len(faults)
        _scale(people, line.info, self.size)
        return Detections(np.asarray(frames, np.int64), people, {k: v for k, v in counts.items() if v})


def _files(recording: Recording, line: Timeline) -> list[tuple[int, Path]]:
    """Return the files with the numbers of their frames, counted from 0."""
    if recording.pose is None:
        raise KeypointsUnavailableError(
            "no keypoints: name OpenPose's folder in the column pose of recordings.csv"
        )
    if not recording.pose.is_dir():
        raise KeypointsUnavailableError(
            "the column pose does not name a folder: name the one that OpenPose wrote with --write_json"
        )
    files, total = keypoint_files(recording.pose), line.info.frames
    if not files:
        raise KeypointsUnavailableError("the folder of keypoints holds no *_keypoints.json file")
    first, last = files[0][0], files[-1][0]
    if first == 1 and last == total:  # pictures extracted by ffmpeg are counted from 1
        files = [(number - 1, path) for number, path in files]
    elif last >= total + max(2, _EXTRA * total):
        raise KeypointsError(
            f"keypoints go up to frame {last}, but the video has {total} frames: they belong to another "
            "video, or to one with another frame rate"
        )
    return [(number, path) for number, path in files if number < total]


def _read_frame(path: Path, counts: Counter[str], faults: list[str]) -> Array | None:
    """Return the people of one frame, (P, 19, 3), or None where the file cannot be read, which ``faults`` gets."""
    try:
        people = read_people(path)
    except PoseModelError as error:
        raise KeypointsError(str(error)) from None
    except PoseFileError as error:
        faults.append(str(error))
        return None
    if not len(people):
        return np.zeros((0, len(JOINTS), 3))
    unusable = ~np.isfinite(people).all(axis=2)
    counts["nan_points"] += int(unusable.sum())
    people[unusable] = 0.0
    people[..., 2] = np.clip(people[..., 2], 0.0, 1.0)
    people[people[..., 2] == 0] = 0.0
    return from_coco_18(people) if people.shape[1] == len(COCO_18) else people[:, : len(JOINTS)]


def _scale(people: list[Array], info: MediaInfo, stated: tuple[int, int] | None) -> None:
    """Bring the coordinates to px of the recording, in place."""
    found = [points[points[..., 2] > 0][:, :2] for points in people if points[..., 2].any()]
    if not found:
        return
    spots = np.concatenate(found)
    low, high = spots.min(axis=0), spots.max(axis=0)
    own = np.array([info.width, info.height], dtype=np.float64)
    shift, factor = np.zeros(2), own / np.asarray(stated or own, np.float64)
    if stated is None and (high <= 1.0 + _OUTSIDE).all():  # --keypoint_scale 3 (0 to 1) or 4 (-1 to 1)
        shift, factor = (np.ones(2), own / 2) if (low < -_OUTSIDE).any() else (shift, own)
    elif fault := _wrong_size(spots, own if stated is None else np.asarray(stated, np.float64), stated):
        raise KeypointsError(fault)
    for points in people:
        here = points[..., 2] > 0
        points[here, :2] = (points[here, :2] + shift) * factor


def _wrong_size(
    spots: NDArray[np.float64], size: NDArray[np.float64], stated: tuple[int, int] | None
) -> str | None:
    """Say why points, (n, 2), cannot come from pictures of this size, or return None."""
    width, height = (int(value) for value in size)
    outside = ((spots < -_OUTSIDE * size) | (spots > (1 + _OUTSIDE) * size)).any(axis=1)
    # A few stray points are OpenPose's own errors.
    if outside.mean() > 0.01:
        turned = (spots <= (1 + _OUTSIDE) * size[::-1]).all()
        why = "as if the picture were turned" if turned and width != height else "at another resolution"
        return f"keypoints lie outside the picture of {width} x {height} px, {why}: {_FIX_SIZE}"
    spread = np.ptp(spots, axis=0) > 0.2 * size  # else it is a small or distant person
    if stated is None and spread.any() and (np.quantile(spots, 0.999, axis=0) < 0.55 * size).all():
        return (
            f"all keypoints lie in the upper left quarter of the picture of {width} x {height} px, as if "
            f"they were found at another resolution: {_FIX_SIZE}"
        )
    return None
