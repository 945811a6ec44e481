"""Show the patient's face alone (EMBC study, section II-C.1): detection, temporal smoothing, crop."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

import cv2
import numpy as np
from scipy.ndimage import median_filter

from semiology.data.media.picture_width import readable_size
from semiology.data.media.probe import Timeline, timeline
from semiology.data.recording_set import Recording
from semiology.enhancements.face.boxes import FacePath, faces_of_detections, faces_of_track
from semiology.enhancements.face.detection import CenterFace, FaceDetector, detect_faces
from semiology.enhancements.pipeline.step import Figure, JsonValue, Outcome, Progress, first_pass, second_pass
from semiology.enhancements.pose.keypoint_smoothing import Array, smoothed
from semiology.enhancements.pose.keypoints import (
    KeypointsError,
    KeypointSource,
    KeypointsUnavailableError,
)
from semiology.enhancements.pose.openpose_files import OpenPoseFiles
from semiology.enhancements.pose.patient_track import Region, track_patient
from semiology.enhancements.video.writing import QUALITY, Plane, Planes, rewrite_video

if TYPE_CHECKING:
    from semiology.enhancements.command_options import Choices


@dataclass(frozen=True)
class FaceCrop:
    """The enhancement ``crop``.

    Attributes:
        keypoints: where keypoints come from; the face is found from nose, eyes and ears. None: not used.
        detector: finds faces where there are no keypoints. None: not used.
        bed: left, top, width and height of the bed as shares of the picture, if it is known.
        margin: what is shown around the face on each side, as a share of its height.
        size: width and height of the derived video, px.
        longest_gap_s: longest time without a face that is bridged, s.
    """

    name: ClassVar[str] = "crop"
    version: ClassVar[str] = "1"
    suffix: ClassVar[str] = ".mp4"

    keypoints: KeypointSource | None = field(default_factory=OpenPoseFiles)
    detector: FaceDetector | None = field(default_factory=CenterFace)
    bed: Region | None = None
    margin: float = 0.3
    size: int = 448
    rate_hz: float = 10.0
    longest_gap_s: float = 0.5

    def __post_init__(self) -> None:
        if self.size < 16 or self.size % 2:
            raise ValueError(f"size must be an even number of px, at least 16, not {self.size}")
        if self.size != (readable := readable_size(self.size, self.size)[0]):
            raise ValueError(
                f"size must be a width that decord reads on every processor, such as {readable}, not {self.size}"
            )
        if not 0 <= self.margin <= 5:
            raise ValueError(f"margin must be between 0 and 5 heights of the face, not {self.margin:g}")

    @classmethod
    def from_choices(cls, choices: Choices) -> FaceCrop:
        """Return the step as a user chose it; raise ValueError where choices contradict each other."""
        return cls(keypoints=choices.keypoint_source(), detector=choices.face_detector(), bed=choices.bed)

    def parameters(self) -> Mapping[str, JsonValue]:
        """Return the settings."""
        return {
            "keypoints": self.keypoints.parameters() if self.keypoints else None,
            "detector": self.detector.parameters() if self.detector else None,
            "bed": list(self.bed) if self.bed else None,
            "margin": self.margin,
            "size": self.size,
            "rate_hz": self.rate_hz,
            "longest_gap_s": self.longest_gap_s,
            "encoding": QUALITY,
        }

    def inputs(self, recording: Recording) -> Sequence[Path]:
        """Return the video and the files of the keypoints."""
        return [recording.video, *(self.keypoints.inputs(recording) if self.keypoints else ())]

    def apply(self, recording: Recording, target: Path, progress: Progress | None) -> Outcome:
        """Write the face alone."""
        line = timeline(recording.video)
        try:
            path, figures = self.faces(recording, line, progress)
        except KeypointsUnavailableError as error:
            return Outcome("unavailable", str(error))
        except KeypointsError as error:
            return Outcome("failed", str(error))
        visible = path.visible
        figures = {"frames": len(visible), "frames_without_face": int((~visible).sum()), **figures}
        if not visible.any():
            return Outcome("failed", "no face of a patient is visible in any frame", figures)
        windows = crop_windows(path, (line.info.width, line.info.height), self.margin)

        def edit(number: int, planes: Planes) -> Planes:
            window = windows.at(number)
            return whole(planes, self.size) if window is None else cropped(planes, window, self.size)

        rewrite_video(recording.video, line, target, edit, second_pass(progress))
        share = float(visible.mean())
        figures["median_face_px"] = round(float(np.nanmedian(path.boxes[:, 3])), 1)
        return Outcome("done", f"the face is shown in {share:.0%} of the frames, the rest whole", figures)

    def faces(
        self, recording: Recording, line: Timeline, progress: Progress | None = None
    ) -> tuple[FacePath, dict[str, Figure]]:
        """Return the patient's face in every frame, and what was counted on the way.

        Raises:
            KeypointsUnavailableError: neither keypoints nor a detector are to be had.
            KeypointsError: keypoints or weights cannot be used.
            MediaError: the video cannot be used.
        """
        sentences = []
        if self.keypoints:
            try:
                found = self.keypoints.detect(recording, line, first_pass(progress))
            except KeypointsUnavailableError as error:
                sentences.append(str(error))
            else:
                track = track_patient(found, line, self.bed)
                return faces_of_track(track, longest_gap_s=self.longest_gap_s), dict(found.counts)
        if self.detector:
            try:
                frames, boxes = detect_faces(
                    self.detector, recording, line, self.rate_hz, first_pass(progress)
                )
            except KeypointsUnavailableError as error:
                sentences.append(str(error))
            else:
                size = (line.info.width, line.info.height)
                path = faces_of_detections(frames, boxes, line.times_s, size, self.bed, self.longest_gap_s)
                return path, {"detected_faces": sum(len(faces) for faces in boxes)}
        raise KeypointsUnavailableError("; ".join(sentences) or "neither keypoints nor a detector are chosen")


_MIDDLE_S, _SIZE_S = 0.5, 2.0
_GREY = 128


@dataclass(frozen=True, eq=False)
class Windows:
    """What is shown of every frame.

    Attributes:
        squares: (N, 3) left, top and side in px, inside the picture; NaN where the whole frame is shown.
        faces: (N, 4) x, y, width, height in px of the smoothed path of the face that they are laid around.
    """

    squares: Array
    faces: Array

    def at(self, number: int) -> tuple[float, float, float] | None:
        """Return the square of a frame, or None for the whole."""
        left, top, side = self.squares[number].tolist()
        return None if np.isnan(left) else (left, top, side)


def crop_windows(path: FacePath, size: tuple[int, int], margin: float) -> Windows:
    """Lay squares around a face.

    Args:
        margin: added on each side, as a share of the height of the face. A square that would leave the
            picture is moved back into it, so that nothing has to be filled.
    """
    squares, faces = np.full((len(path.boxes), 3), np.nan), np.full((len(path.boxes), 4), np.nan)
    edges = np.flatnonzero(np.diff(np.concatenate([[0], path.visible.astype(np.int8), [0]])))
    for first, last in zip(edges[::2], edges[1::2], strict=True):  # the runs of frames with a face
        stretch = slice(int(first), int(last))
        boxes, times = path.boxes[stretch], path.times_s[stretch]
        faces[stretch] = _slow(boxes, times)
    middle, extent = faces[:, :2] + faces[:, 2:] / 2, faces[:, 2:].max(axis=1)
    side = np.minimum(extent * (1 + 2 * margin), min(size))
    corner = middle - side[:, None] / 2
    corner = np.clip(corner, 0, np.maximum(np.asarray(size) - side[:, None], 0))
    squares[:, :2], squares[:, 2] = corner, side
    return Windows(squares, faces)


def _slow(boxes: Array, times_s: Array) -> Array:
    """Return boxes, (n, 4), whose middle and size change slowly."""
    interval = float(np.median(np.diff(times_s))) if len(times_s) > 1 else 1.0
    length = max(1, min(len(times_s), 2 * round(_SIZE_S / max(interval, 1e-3)) + 1))
    extent = median_filter(boxes[:, 2:], size=(length, 1), mode="nearest")
    sure = np.ones((len(boxes), 1))
    extent = smoothed(extent[:, None], sure, times_s, _SIZE_S)[:, 0]
    middle = smoothed((boxes[:, :2] + boxes[:, 2:] / 2)[:, None], sure, times_s, _MIDDLE_S)[:, 0]
    return np.concatenate([middle - extent / 2, extent], axis=1)


def cropped(planes: Planes, square: tuple[float, float, float], size: int) -> Planes:
    """Return a square of a picture, (left, top, side) px, as a picture of ``size`` x ``size`` px."""
    left, top, side = square
    return planes.changed(lambda plane, by: _resampled(plane, left / by, top / by, side / by, size // by))


def _resampled(plane: Plane, left: float, top: float, side: float, size: int) -> Plane:
    if side > 1.5 * size:  # averages; an interpolation would pick single px and shimmer
        rows = slice(round(top), max(round(top) + 1, round(top + side)))
        columns = slice(round(left), max(round(left) + 1, round(left + side)))
        return np.asarray(
            cv2.resize(plane[rows, columns], (size, size), interpolation=cv2.INTER_AREA), np.uint8
        )
    step = side / size
    # Pixel centres: the middle of the first target px lies half a step inside the square.
    across = np.array([[step, 0.0, left + step / 2 - 0.5], [0.0, step, top + step / 2 - 0.5]])
    how = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    return np.asarray(
        cv2.warpAffine(plane, across, (size, size), flags=how, borderMode=cv2.BORDER_REPLICATE), np.uint8
    )


def whole(planes: Planes, size: int) -> Planes:
    """Return the whole picture at its own aspect, as large as fits, on grey of ``size`` x ``size`` px."""
    height, width = planes.y.shape
    factor = size / max(height, width)
    half = (max(1, round(width * factor / 2)), max(1, round(height * factor / 2)))

    def fitted(plane: Plane, by: int) -> Plane:
        wide, high = (2 // by * each for each in half)
        how = cv2.INTER_AREA if wide < plane.shape[1] else cv2.INTER_LINEAR
        canvas = np.full((size // by, size // by), _GREY, np.uint8)
        left, top = (size // by - wide) // 2, (size // by - high) // 2
        canvas[top : top + high, left : left + wide] = cv2.resize(plane, (wide, high), interpolation=how)
        return canvas

    return planes.changed(fitted)
