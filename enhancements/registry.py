"""The steps of this package, made from the choices of a command."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from semiology.enhancements.assignment import EnhancementError

if TYPE_CHECKING:
    from semiology.enhancements.pipeline.step import Step
    from semiology.enhancements.pose.keypoints import KeypointSource

Keypoints = Literal["openpose", "live"]
PoseMode = Literal["lightweight", "balanced", "performance"]
Denoiser = Literal["deepfilternet", "segan"]


@dataclass(frozen=True)
class StepChoices:
    """What a user can choose; everything else is as the steps' own documentation says.

    Attributes:
        keypoints: OpenPose's files, or a pose estimator that looks at the video.
        pose_weights, person_weights: ``.onnx`` files of the estimator.
        pose_mode: instead of files, the size of the weights that rtmlib fetches.
        pose_size: width and height in px of the pictures in which OpenPose found its keypoints, if they are
            not those of the recording.
        bed: left, top, width and height of the bed as shares of the picture.
        face_weights: YuNet's ``.onnx`` file, which finds faces where there are no keypoints; None for the
            packaged detector.
        denoiser: what cleans the sound.
        segan_checkpoint: the user's weights for it.
        attenuation_limit_db: by how much DeepFilterNet3 may make anything softer; infinite for no limit, None
            for the step's own default.
        whisper: name or folder of the recogniser; None for the packaged one.
        whisper_download: whether a recogniser that is named and not on this machine may be fetched.
        whisper_compute_type: CTranslate2's number format.
        language: two letters, or None to have it recognised.
        device: ``cpu``, ``cuda`` or ``auto`` for the pose estimator and the recogniser.
    """

    keypoints: Keypoints = "openpose"
    pose_weights: Path | None = None
    person_weights: Path | None = None
    pose_mode: PoseMode | None = None
    pose_size: tuple[int, int] | None = None
    bed: tuple[float, float, float, float] | None = None
    face_weights: Path | None = None
    denoiser: Denoiser = "deepfilternet"
    segan_checkpoint: Path | None = None
    attenuation_limit_db: float | None = None
    whisper: str | None = None
    whisper_download: bool = False
    whisper_compute_type: str = "default"
    language: str | None = None
    device: str = "cpu"


def build_steps(names: Sequence[str], choices: StepChoices) -> list[Step]:
    """Return steps by name, in the order given.

    Raises:
        EnhancementError: choices contradict each other; the message says how to fix it.
    """
    try:
        return [_BUILDERS[name](choices) for name in names]
    except ValueError as error:
        raise EnhancementError(str(error)) from None


def _pose(choices: StepChoices) -> Step:
    from semiology.enhancements.pose.overlay import PoseOverlay

    return PoseOverlay(keypoints=_keypoints(choices), bed=choices.bed)


def _crop(choices: StepChoices) -> Step:
    from semiology.enhancements.face.crop import FaceCrop
    from semiology.enhancements.face.detection import CenterFace, YuNet

    detector = YuNet(choices.face_weights) if choices.face_weights else CenterFace()
    return FaceCrop(keypoints=_keypoints(choices), detector=detector, bed=choices.bed)


def _denoise(choices: StepChoices) -> Step:
    from semiology.enhancements.sound.denoise import Denoise

    step = Denoise(method=choices.denoiser, checkpoint=choices.segan_checkpoint)
    limit = choices.attenuation_limit_db
    if limit is None:
        return step
    if choices.denoiser == "segan":
        raise EnhancementError(
            "--attenuation-limit is of use with --denoiser deepfilternet alone; leave it out"
        )
    return replace(step, attenuation_limit_db=None if math.isinf(limit) else limit)


def _transcript(choices: StepChoices) -> Step:
    from semiology.enhancements.speech.transcribe import Transcribe
    from semiology.enhancements.speech.whisper_model import PACKAGED

    model = choices.whisper or PACKAGED
    if choices.whisper_download and (model == PACKAGED or Path(model).expanduser().is_dir()):
        raise EnhancementError(
            "--whisper-download fetches a model that --whisper names, such as large-v3; the packaged one and "
            "folders need none: leave it out"
        )
    return Transcribe(
        model=model,
        language=choices.language,
        device=choices.device,
        compute_type=choices.whisper_compute_type,
        download=choices.whisper_download,
    )


_BUILDERS = {"pose": _pose, "crop": _crop, "denoise": _denoise, "transcript": _transcript}


def _keypoints(choices: StepChoices) -> KeypointSource:
    if choices.keypoints == "openpose":
        if choices.pose_weights or choices.person_weights or choices.pose_mode:
            raise EnhancementError(
                "weights of a pose estimator are of use with --keypoints live alone; add it or leave them out"
            )
        from semiology.enhancements.pose.openpose_files import OpenPoseFiles

        return OpenPoseFiles(size=choices.pose_size)
    if choices.pose_size:
        raise EnhancementError("--pose-size is of use with --keypoints openpose alone; leave it out")
    from semiology.enhancements.pose.live_pose import LivePose

    device = "cpu" if choices.device == "auto" else choices.device
    return LivePose(choices.pose_weights, choices.person_weights, choices.pose_mode, device=device)
