"""Show the patient's face alone (EMBC study, section II-C.1): detection, temporal smoothing, crop."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from semiology.data.media.picture_width import readable_size
from semiology.data.media.probe import Timeline, timeline
from semiology.data.recording_set import Recording
from semiology.enhancements.face.boxes import FacePath, faces_of_detections, faces_of_track
from semiology.enhancements.face.detection import CenterFace, FaceDetector, YuNet, detect_faces
from semiology.enhancements.face.window import crop_windows, cropped, whole
from semiology.enhancements.pipeline.step import Figure, JsonValue, Outcome, Progress, first_pass, second_pass
from semiology.enhancements.pose.keypoints import (
    KeypointsError,
    KeypointSource,
    KeypointsUnavailableError,
)
from semiology.enhancements.pose.openpose_files import OpenPoseFiles
from semiology.enhancements.pose.patient_track import Region, track_patient
from semiology.enhancements.video.writing import QUALITY, Planes, rewrite_video

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
        rate_hz: pictures per second that the detector looks at.
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
        detector = YuNet(choices.face_weights) if choices.face_weights else CenterFace()
        return cls(keypoints=choices.keypoint_source(), detector=detector, bed=choices.bed)

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
        """Write the face alone; see `semiology.enhancements.pipeline.step.Step.apply`.

        Raises:
            MediaError: the video cannot be used.
        """
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
