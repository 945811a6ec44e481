"""Superimpose the patient's partial skeleton on a recording (EMBC study, section II-C.2).

The study superimposed the "key limb joints" and lists none; these are shoulder, elbow, wrist, hip, knee and ankle
of both sides, with a thin line for the trunk. Face, hands and feet are not drawn: what their features ask about
must not be hidden.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

import cv2
import numpy as np
from numpy.typing import NDArray

from semiology.data.media.probe import timeline
from semiology.data.recording_set import Recording
from semiology.enhancements.pipeline.step import JsonValue, Outcome, Progress, first_pass, second_pass
from semiology.enhancements.pose.keypoint_smoothing import bridged, smoothed, without_jumps
from semiology.enhancements.pose.keypoints import (
    JOINT,
    Array,
    KeypointsError,
    KeypointSource,
    KeypointsUnavailableError,
)
from semiology.enhancements.pose.openpose_files import OpenPoseFiles
from semiology.enhancements.pose.patient_track import (
    ABSENT,
    SURE,
    UNSURE,
    PatientTrack,
    Region,
    track_patient,
)
from semiology.enhancements.video.writing import QUALITY, Planes, rewrite_video

if TYPE_CHECKING:
    from semiology.enhancements.command_options import Choices


LIMB_JOINTS = tuple(
    f"{side}{part}" for part in ("Shoulder", "Elbow", "Wrist", "Hip", "Knee", "Ankle") for side in "RL"
)
RIGHT, LEFT, TRUNK = (255, 140, 30), (60, 170, 255), (235, 235, 235)
"""RGB of the patient's right (orange), left (blue) and of the trunk (white)."""
BONES = (
    ("Neck", "MidHip", TRUNK), ("RShoulder", "LShoulder", TRUNK), ("RHip", "LHip", TRUNK),
    ("RHip", "RKnee", RIGHT), ("RKnee", "RAnkle", RIGHT), ("LHip", "LKnee", LEFT), ("LKnee", "LAnkle", LEFT),
    ("RShoulder", "RElbow", RIGHT), ("RElbow", "RWrist", RIGHT),
    ("LShoulder", "LElbow", LEFT), ("LElbow", "LWrist", LEFT),
)  # fmt: skip

_SHIFT = 4
_EDGE_LUMA = 16
_LIMBS = [JOINT[name] for name in LIMB_JOINTS]


@dataclass(frozen=True)
class PoseOverlay:
    """The enhancement ``pose``.

    Attributes:
        bed: left, top, width and height of the bed as shares of the picture, if it is known.
        confidence: joints less sure than this are not drawn.
        fewest_joints: with fewer limb joints than this a frame stays undrawn.
        half_window_s: half the window of the smoothing, s.
        longest_gap_s: longest gap of a joint that is bridged, s.
    """

    name: ClassVar[str] = "pose"
    version: ClassVar[str] = "1"
    suffix: ClassVar[str] = ".mp4"

    keypoints: KeypointSource = field(default_factory=OpenPoseFiles)
    bed: Region | None = None
    confidence: float = 0.3
    fewest_joints: int = 4
    half_window_s: float = 0.085
    longest_gap_s: float = 0.25

    @classmethod
    def from_choices(cls, choices: Choices) -> PoseOverlay:
        """Return the step as a user chose it; raise ValueError where choices contradict each other."""
        return cls(keypoints=choices.keypoint_source(), bed=choices.bed)

    def parameters(self) -> Mapping[str, JsonValue]:
        """Return the settings."""
        return {
            "keypoints": self.keypoints.parameters(),
            "bed": list(self.bed) if self.bed else None,
            "confidence": self.confidence,
            "fewest_joints": self.fewest_joints,
            "half_window_s": self.half_window_s,
            "longest_gap_s": self.longest_gap_s,
            "encoding": QUALITY,
        }

    def inputs(self, recording: Recording) -> Sequence[Path]:
        """Return the video and the files of the keypoints."""
        return [recording.video, *self.keypoints.inputs(recording)]

    def apply(self, recording: Recording, target: Path, progress: Progress | None) -> Outcome:
        """Write the recording with the skeleton on it."""
        line = timeline(recording.video)
        try:
            found = self.keypoints.detect(recording, line, first_pass(progress))
        except KeypointsUnavailableError as error:
            return Outcome("unavailable", str(error))
        except KeypointsError as error:
            return Outcome("failed", str(error))
        track = track_patient(found, line, self.bed)
        points, shown = self.drawn(track)
        if not shown.any():
            return Outcome("failed", "no frame shows enough of one person's limbs to draw", found.counts)

        def edit(number: int, planes: Planes) -> Planes:
            if shown[number].any():
                draw_skeleton(planes, points[number], shown[number])
            return planes

        rewrite_video(recording.video, line, target, edit, second_pass(progress))
        undrawn = int((~shown.any(axis=1)).sum())
        states = ("patient_frames", "doubtful_frames", "absent_frames", "unseen_frames")
        counted = {state: int((track.quality == code).sum()) for code, state in enumerate(states)}
        figures = {"frames": len(shown), **counted, "undrawn_frames": undrawn, **found.counts}
        share = 1 - undrawn / len(shown)
        sentence = f"the patient's limbs are drawn on {share:.0%} of the frames"
        return Outcome("done", "; ".join(filter(None, (sentence, found.caution))), figures)

    def drawn(self, track: PatientTrack) -> tuple[Array, NDArray[np.bool_]]:
        """Return what is drawn of a track: points, (N, 19, 2) px, and which of them, (N, 19)."""
        places, sure = track.points[..., :2], track.points[..., 2] >= self.confidence
        sure &= (track.quality == SURE)[:, None]
        sure = without_jumps(places, sure, 1.0 * max(track.scale, 1.0))
        filled, known = bridged(places, sure, track.times_s, self.longest_gap_s)
        known &= (track.quality != ABSENT)[:, None] & (track.quality != UNSURE)[:, None]
        weights = np.where(sure, track.points[..., 2], np.where(known, self.confidence, 0.0))
        result = smoothed(filled, weights, track.times_s, self.half_window_s)
        known &= (known[:, _LIMBS].sum(axis=1) >= self.fewest_joints)[:, None]
        return result, known


def draw_skeleton(planes: Planes, points: Array, shown: NDArray[np.bool_]) -> None:
    """Draw bones and joints onto a picture, in place; widths follow the picture's height.

    Args:
        points: (19, 2) x and y in px.
        shown: (19,) which joints may be drawn; a bone needs both its ends.
    """
    height = planes.y.shape[0]
    thick = max(2, round(height / 160))
    for first, second, colour in BONES:
        ends = [JOINT[first], JOINT[second]]
        if shown[ends].all():
            _line(planes, points[ends], colour, thick if colour is not TRUNK else max(1, thick // 2))
    for name in LIMB_JOINTS:
        if shown[JOINT[name]]:
            _dot(planes, points[JOINT[name]], RIGHT if name[0] == "R" else LEFT, thick)


def _line(planes: Planes, ends: Array, colour: tuple[int, int, int], thick: int) -> None:
    luma, blue, red = _yuv(colour)
    (x0, y0), (x1, y1) = _fixed(ends)
    start, stop = (x0, y0), (x1, y1)
    cv2.line(planes.y, start, stop, _EDGE_LUMA, thick + 2, cv2.LINE_AA, _SHIFT)
    cv2.line(planes.y, start, stop, luma, thick, cv2.LINE_AA, _SHIFT)
    # Colours have half the resolution, their pixels half-way between those of brightness.
    start, stop = (x0 // 2, y0 // 2), (x1 // 2, y1 // 2)
    for plane, value in ((planes.u, blue), (planes.v, red)):
        cv2.line(plane, start, stop, value, max(1, thick // 2 + 1), cv2.LINE_AA, _SHIFT)


def _dot(planes: Planes, spot: Array, colour: tuple[int, int, int], thick: int) -> None:
    luma, blue, red = _yuv(colour)
    ((x, y),) = _fixed(spot[None])
    radius = round((0.9 * thick + 1) * (1 << _SHIFT))
    cv2.circle(planes.y, (x, y), radius + (1 << _SHIFT), _EDGE_LUMA, -1, cv2.LINE_AA, _SHIFT)
    cv2.circle(planes.y, (x, y), radius, luma, -1, cv2.LINE_AA, _SHIFT)
    for plane, value in ((planes.u, blue), (planes.v, red)):
        cv2.circle(plane, (x // 2, y // 2), radius // 2, value, -1, cv2.LINE_AA, _SHIFT)


def _fixed(points: Array) -> list[tuple[int, int]]:
    """Return points in sixteenths of a px."""
    return [(int(x), int(y)) for x, y in np.round(points * (1 << _SHIFT))]


@lru_cache(maxsize=8)
def _yuv(colour: tuple[int, int, int]) -> tuple[int, int, int]:
    """Return a colour in limited-range BT.709; 601 and full range differ too little to matter in a mark."""
    red, green, blue = colour
    light = 0.2126 * red + 0.7152 * green + 0.0722 * blue
    return (
        round(16 + 219 / 255 * light),
        round(128 + 224 / 255 * (blue - light) / 1.8556),
        round(128 + 224 / 255 * (red - light) / 1.5748),
    )
