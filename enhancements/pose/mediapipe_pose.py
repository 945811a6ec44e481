"""Find the pose of one person with the network that the package ``mediapipe`` carries: no download, no weights to name.

It follows whoever it found first, and gives no hint of who that is. Where the bed is known only that part of the
picture is looked at; else the outcome says that nobody knows whom it drew. Several people: `live_pose`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from semiology.data.media.probe import Timeline
from semiology.data.recording_set import Recording
from semiology.enhancements.pipeline.step import JsonValue, Progress
from semiology.enhancements.pose.keypoints import COCO_18, JOINTS, Array, Detections, from_coco_18
from semiology.enhancements.pose.mediapipe_models import mediapipe_version, open_network
from semiology.enhancements.pose.patient_track import Region
from semiology.enhancements.video.sampled_frames import look_at_frames

_NUMBERS = {
    "Nose": 0, "LEye": 2, "REye": 5, "LEar": 7, "REar": 8, "LShoulder": 11, "RShoulder": 12, "LElbow": 13,
    "RElbow": 14, "LWrist": 15, "RWrist": 16, "LHip": 23, "RHip": 24, "LKnee": 25, "RKnee": 26, "LAnkle": 27,
    "RAnkle": 28,
}  # fmt: skip
"""Of the 33 landmarks of BlazePose (Bazarevsky et al., arXiv 2006.10204), those of COCO."""

UNKNOWN_PERSON = (
    "mediapipe finds one person and nobody knows whether it is the patient: look at the result, and tell where the "
    "bed is (--bed L,T,W,H)"
)
_BESIDE = 0.15


@dataclass(frozen=True)
class MediaPipePose:
    """The pose estimator of mediapipe.

    Attributes:
        bed: left, top, width and height of the bed as shares of the picture, if it is known: only this part, and a
            little around it, is looked at.
        rate_hz: pictures looked at per second; joints in between lie on straight lines. 0 looks at all.
        score: poses less sure than this are left out.
    """

    bed: Region | None = None
    rate_hz: float = 10.0
    score: float = 0.5

    def parameters(self) -> Mapping[str, JsonValue]:
        """Return the settings."""
        return {
            "source": "mediapipe",
            "mediapipe": mediapipe_version(),
            "bed": list(self.bed) if self.bed else None,
            "rate_hz": self.rate_hz,
            "score": self.score,
        }

    def inputs(self, recording: Recording) -> Sequence[Path]:
        """Return nothing: the video alone is looked at."""
        return []

    def detect(self, recording: Recording, line: Timeline, progress: Progress | None) -> Detections:
        """Look at the pictures one after the other; see `KeypointSource.detect`."""
        left, top, right, bottom = _window(self.bed, line.info.width, line.info.height)
        with closing(open_network("pose", self.score)) as look:

            def one(picture: NDArray[np.uint8]) -> Array:
                shown = np.ascontiguousarray(picture[top:bottom, left:right])
                found = look(np.asarray(cv2.cvtColor(shown, cv2.COLOR_BGR2RGB), dtype=np.uint8))
                return person_of(found, (right - left, bottom - top), (left, top))

            frames, people = look_at_frames(recording.video, line, self.rate_hz, one, progress)
        found = sum(len(each) for each in people)
        counts = {"frames_without_a_pose": len(people) - found}
        if self.bed or not found:
            return Detections(frames, people, counts)
        return Detections(frames, people, counts | {"frames_of_an_unknown_person": found}, UNKNOWN_PERSON)


def person_of(landmarks: Array, size: tuple[int, int], corner: tuple[int, int]) -> Array:
    """Return the landmarks of a pose, (33, 3), empty for nobody, as (P, 19, 3) in px of the whole picture.

    ``size`` is that of the part which was looked at, from ``corner`` on. What the network guesses outside of it, as of
    a body that is half under a blanket's edge or the picture's, is not found.
    """
    if not len(landmarks):
        return np.zeros((0, len(JOINTS), 3))
    spots = landmarks.copy()
    inside = ((spots[:, :2] >= 0) & (spots[:, :2] <= 1)).all(axis=1)
    spots[:, 2] = np.clip(spots[:, 2], 0, 1) * inside
    spots[:, :2] = spots[:, :2] * size + corner
    person = np.zeros((1, len(COCO_18), 3))
    for place, name in enumerate(COCO_18):
        if name in _NUMBERS:
            person[0, place] = spots[_NUMBERS[name]]
    shoulders = spots[[_NUMBERS["LShoulder"], _NUMBERS["RShoulder"]]]
    person[0, COCO_18.index("Neck")] = (*shoulders[:, :2].mean(axis=0), shoulders[:, 2].min())
    return from_coco_18(person)


def _window(bed: Region | None, width: int, height: int) -> tuple[int, int, int, int]:
    """Return left, top, right and bottom in px of what is looked at."""
    if bed is None:
        return 0, 0, width, height
    left, top, wide, high = bed
    sides = (
        left - _BESIDE * wide,
        top - _BESIDE * high,
        left + (1 + _BESIDE) * wide,
        top + (1 + _BESIDE) * high,
    )
    low_x, low_y, high_x, high_y = (min(max(side, 0.0), 1.0) for side in sides)
    return (
        int(low_x * width),
        int(low_y * height),
        max(int(high_x * width), int(low_x * width) + 2),
        max(int(high_y * height), int(low_y * height) + 2),
    )
