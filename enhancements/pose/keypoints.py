"""Keypoints of the people in a recording: the common layout, and what every source of them offers.

The layout is the first 19 joints of OpenPose's BODY_25 (Cao et al., IEEE TPAMI 43 (2021) 172): COCO-18 and
the 17 joints of COCO are turned into it, so that nothing behind this interface knows where a pose comes from.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from semiology.data.media.probe import Timeline
from semiology.data.recording_set import Recording
from semiology.enhancements.pipeline.step import JsonValue, Progress

Array = NDArray[np.float64]

JOINTS = (
    "Nose", "Neck", "RShoulder", "RElbow", "RWrist", "LShoulder", "LElbow", "LWrist",
    "MidHip", "RHip", "RKnee", "RAnkle", "LHip", "LKnee", "LAnkle",
    "REye", "LEye", "REar", "LEar",
)  # fmt: skip
"""Names in order; R and L are the person's own sides."""
JOINT = {name: number for number, name in enumerate(JOINTS)}

COCO_18 = (
    "Nose", "Neck", "RShoulder", "RElbow", "RWrist", "LShoulder", "LElbow", "LWrist",
    "RHip", "RKnee", "RAnkle", "LHip", "LKnee", "LAnkle", "REye", "LEye", "REar", "LEar",
)  # fmt: skip
"""OpenPose's older layout, which pose estimators with "OpenPose output" also write."""


class KeypointsError(ValueError):
    """Keypoints are there but cannot be used; the message says why and what to do."""


class KeypointsUnavailableError(KeypointsError):
    """This recording has no keypoints, or this machine cannot compute them."""


@dataclass(frozen=True)
class Detections:
    """Everybody who was found in a recording.

    Attributes:
        frames: numbers, (K,), of the frames that were looked at, counted from 0 in the order shown.
        people: for each of these the people, in no particular order: float64, (P, 19, 3) with x and y in px
            of the upright picture from its upper left corner, and a confidence, 0 ("not found") to 1.
        counts: what was met on the way, such as ``missing_pose_files``; shown to the user.
        caution: a sentence about what cannot be known of these people, "" for none; shown to the user.
    """

    frames: NDArray[np.int64]
    people: Sequence[Array]
    counts: Mapping[str, int] = field(default_factory=dict)
    caution: str = ""


class KeypointSource(Protocol):
    """Where keypoints come from. Sources are picklable: models are opened in :meth:`detect`."""

    def parameters(self) -> Mapping[str, JsonValue]:
        """Return every setting that alters the keypoints."""

    def inputs(self, recording: Recording) -> Sequence[Path]:
        """Return the files, beside the video, whose content counts."""

    def detect(self, recording: Recording, line: Timeline, progress: Progress | None) -> Detections:
        """Return everybody in the recording.

        Raises:
            KeypointsUnavailableError: there is nothing to work with.
            KeypointsError: what there is cannot be used.
            MediaError: the video cannot be used.
        """


def from_coco_18(people: Array) -> Array:
    """Turn (P, 18, 3) of COCO-18 into (P, 19, 3); the middle of the hips is as sure as the less sure hip."""
    result = np.zeros((len(people), len(JOINTS), 3))
    result[:, [JOINT[name] for name in COCO_18]] = people
    hips = result[:, [JOINT["RHip"], JOINT["LHip"]]]
    both = hips[..., 2].min(axis=1)
    result[:, JOINT["MidHip"], :2] = hips[..., :2].mean(axis=1) * (both > 0)[:, None]
    result[:, JOINT["MidHip"], 2] = both
    return result
