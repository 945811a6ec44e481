"""Find everybody's keypoints with a neural network, through rtmlib (Apache-2.0) and ONNX Runtime.

rtmlib is installed with ``pip install --no-deps rtmlib``: what it declares would put the desktop builds of
OpenCV over the headless one that this package needs.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping, Sequence
from contextlib import redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, cast

import numpy as np

from semiology.data.media.probe import Timeline
from semiology.data.recording_set import Recording
from semiology.enhancements.pipeline.cache import installed_version, weights_digest
from semiology.enhancements.pipeline.step import JsonValue, Progress
from semiology.enhancements.pose.keypoints import (
    Array,
    Detections,
    KeypointsError,
    KeypointsUnavailableError,
    from_coco_18,
)
from semiology.enhancements.video.sampled_frames import look_at_frames
from semiology.privacy.model_hub import only_from_here

Estimator = Callable[[Any], tuple[Any, Any]]
"""Picture, BGR uint8 (height, width, 3), to keypoints (P, 18, 2) and scores (P, 18) of COCO-18."""
Mode = Literal["lightweight", "balanced", "performance"]

_FIX = "pip install onnxruntime, and pip install --no-deps rtmlib"


@dataclass(frozen=True)
class LivePose:
    """A pose estimator of rtmlib.

    Attributes:
        weights: an ``.onnx`` file: RTMO, which finds people and joints at once, or, if ``person_weights`` is
            given, RTMPose with 17 joints.
        person_weights: an ``.onnx`` file of YOLOX that finds people.
        mode: instead of files: let rtmlib fetch its RTMO weights of this size (nothing but their address is
            sent). None: nothing is fetched.
        rate_hz: pictures looked at per second; joints in between lie on straight lines. 0 looks at all.
        device: ``cpu``, ``cuda``, or ``auto`` for ``cuda`` where ONNX Runtime can use it.
        person_score: people less sure than this are left out.
    """

    weights: Path | None = None
    person_weights: Path | None = None
    mode: Mode | None = None
    rate_hz: float = 10.0
    device: str = "cpu"
    person_score: float = 0.5

    def parameters(self) -> Mapping[str, JsonValue]:
        """Return the settings, the weights named by their content."""
        return {
            "source": "rtmlib",
            "rtmlib": installed_version("rtmlib"),
            "onnxruntime": installed_version("onnxruntime"),
            "weights": weights_digest(self.weights),
            "person_weights": weights_digest(self.person_weights),
            "mode": None if self.weights else self.mode,
            "rate_hz": self.rate_hz,
            "person_score": self.person_score,
        }

    def inputs(self, recording: Recording) -> Sequence[Path]:
        """Return nothing: the video alone is looked at."""
        return []

    def detect(self, recording: Recording, line: Timeline, progress: Progress | None) -> Detections:
        """Look at the pictures one after the other; see `KeypointSource.detect`."""
        estimator = self._estimator()

        def people(picture: Any) -> Array:
            places, scores = (np.asarray(part, dtype=np.float64) for part in estimator(picture))
            found = np.concatenate([places, np.clip(scores, 0, 1)[..., None]], axis=2)
            found[~np.isfinite(found).all(axis=2)] = 0.0
            return from_coco_18(found)

        return Detections(*look_at_frames(recording.video, line, self.rate_hz, people, progress))

    def _estimator(self) -> Estimator:
        """Open the network.

        Raises:
            KeypointsUnavailableError: a package is missing, or no weights are named.
            KeypointsError: the weights cannot be used.
        """
        if self.weights is None and self.mode is None:
            raise KeypointsUnavailableError(
                "no live estimator: give the weights of RTMO or RTMPose (--pose-weights FILE.onnx), or let "
                "rtmlib fetch them (--pose-mode balanced)"
            )
        for path in (self.weights, self.person_weights):
            if path is not None and not path.is_file():
                raise KeypointsUnavailableError(f"the weights {path.name} do not exist: check the path")
        try:
            import onnxruntime  # noqa: F401
            import rtmlib
        except ImportError:
            raise KeypointsUnavailableError(
                f"the live estimator needs packages that are not installed: {_FIX}"
            ) from None
        try:
            # Without weights the user asked for a download; what rtmlib prints are paths.
            with redirect_stdout(io.StringIO()), only_from_here(download=self.weights is None):
                return self._open(rtmlib)
        except Exception as error:  # noqa: BLE001  each runtime has its own
            if self.weights is None and isinstance(error, OSError):
                raise KeypointsUnavailableError(
                    f"rtmlib could not fetch its weights ({type(error).__name__}): try again where there is "
                    "a network, or name files (--pose-weights FILE.onnx)"
                ) from None
            raise KeypointsError(
                f"the pose weights cannot be used ({type(error).__name__}): name ONNX files of RTMO, or of "
                "RTMPose together with YOLOX"
            ) from None

    def _open(self, rtmlib: Any) -> Estimator:
        device = self.device
        if device == "auto":
            import onnxruntime

            device = "cuda" if "CUDAExecutionProvider" in onnxruntime.get_available_providers() else "cpu"
        shared = {"backend": "onnxruntime", "device": device}
        if self.weights is None or self.person_weights is None:
            where = str(self.weights) if self.weights else rtmlib.Body.RTMO_MODE[self.mode]["pose"]
            return _opened(rtmlib.RTMO, where, to_openpose=True, score_thr=self.person_score, **shared)
        finder = _opened(rtmlib.YOLOX, str(self.person_weights), score_thr=self.person_score, **shared)
        poser = _opened(rtmlib.RTMPose, str(self.weights), to_openpose=True, **shared)

        def estimate(picture: Any) -> tuple[Any, Any]:
            boxes = finder(picture)
            # Without a box rtmlib would look for one person in the whole picture.
            return poser(picture, bboxes=boxes) if len(boxes) else (np.zeros((0, 18, 2)), np.zeros((0, 18)))

        return estimate


def _opened(kind: Any, weights: str, **options: Any) -> Callable[..., Any]:
    """Return a tool of rtmlib for pictures of the size that the network itself names."""
    tool = kind(weights, **options)
    height, width = tool.session.get_inputs()[0].shape[2:]
    if isinstance(height, int) and isinstance(width, int):
        # RTMPose takes width first, the others height.
        tool.model_input_size = (width, height) if kind.__name__ == "RTMPose" else (height, width)
    return cast(Callable[..., Any], tool)
