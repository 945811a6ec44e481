"""The choices that `semiology enhance` and its preview share."""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, get_type_hints

import typer

if TYPE_CHECKING:
    from semiology.enhancements.registry import StepChoices

_PANEL = "Choices of the steps"

Directory = Annotated[Path, typer.Argument(help="Folder of the recording set.", metavar="DIR")]
With = Annotated[
    list[str], typer.Option("--with", help="pose, crop, denoise, transcript: names, comma-separated.")
]
Keypoints = Annotated[
    Literal["openpose", "live"],
    typer.Option(
        help="Keypoints for pose and crop: OpenPose's JSON folders (column `pose` of recordings.csv), or "
        "found in the video by a pose estimator.",
        rich_help_panel=_PANEL,
    ),
]
PoseSize = Annotated[
    str | None,
    typer.Option(
        metavar="WxH",
        help="Size of the pictures that OpenPose saw, px, if not that of the recordings.",
        rich_help_panel=_PANEL,
    ),
]
PoseWeights = Annotated[
    Path | None,
    typer.Option(help="RTMO or RTMPose, .onnx (--keypoints live).", exists=True, rich_help_panel=_PANEL),
]
PersonWeights = Annotated[
    Path | None,
    typer.Option(help="YOLOX, .onnx, for RTMPose (--keypoints live).", exists=True, rich_help_panel=_PANEL),
]
PoseMode = Annotated[
    Literal["lightweight", "balanced", "performance"] | None,
    typer.Option(
        help="Instead of files: let rtmlib download weights of this size (--keypoints live).",
        rich_help_panel=_PANEL,
    ),
]
Bed = Annotated[
    str | None,
    typer.Option(
        metavar="L,T,W,H",
        help="Where the bed is: left, top, width, height as shares of the picture.",
        rich_help_panel=_PANEL,
    ),
]
FaceWeights = Annotated[
    Path | None,
    typer.Option(
        help="YuNet, .onnx, for crops without keypoints; else the packaged detector.",
        exists=True,
        rich_help_panel=_PANEL,
    ),
]
Denoiser = Annotated[
    Literal["deepfilternet", "segan"], typer.Option(help="What cleans the sound.", rich_help_panel=_PANEL)
]
Segan = Annotated[
    Path | None,
    typer.Option(
        help="Your SEGAN checkpoint, .safetensors (--denoiser segan).", exists=True, rich_help_panel=_PANEL
    ),
]
Attenuation = Annotated[
    str | None,
    typer.Option(
        metavar="DB|none",
        help="DeepFilterNet3 makes nothing softer by more than this, dB; by default 18. `none`: no limit, as "
        "published.",
        rich_help_panel=_PANEL,
    ),
]
Whisper = Annotated[
    str | None,
    typer.Option(
        help="Whisper model: name or folder; by default the packaged tiny.en, English alone.",
        rich_help_panel=_PANEL,
    ),
]
WhisperDownload = Annotated[
    bool,
    typer.Option(
        "--whisper-download",
        help="Let the model named by --whisper be fetched from the model hub if it is not on this machine. "
        "The hub learns the name; no recording is sent.",
        rich_help_panel=_PANEL,
    ),
]
WhisperCompute = Annotated[
    Literal[
        "default", "auto", "int8", "int8_float32", "int8_float16", "int8_bfloat16", "int16", "float16",
        "bfloat16", "float32",
    ],
    typer.Option(
        help="Numbers that Whisper computes with (CTranslate2's names): int8 is small and fast, default as "
        "the weights are stored.",
        rich_help_panel=_PANEL,
    ),
]  # fmt: skip
Language = Annotated[
    str | None,
    typer.Option(help="Language spoken, two letters; else recognised.", rich_help_panel=_PANEL),
]
Device = Annotated[
    Literal["cpu", "cuda"],
    typer.Option(help="For pose estimator and Whisper.", rich_help_panel=_PANEL),
]


@dataclass(frozen=True)
class Choices:
    """What was typed; named and explained as in `semiology.enhancements.registry.StepChoices`."""

    keypoints: Keypoints = "openpose"
    pose_size: PoseSize = None
    pose_weights: PoseWeights = None
    person_weights: PersonWeights = None
    pose_mode: PoseMode = None
    bed: Bed = None
    face_weights: FaceWeights = None
    denoiser: Denoiser = "deepfilternet"
    segan_checkpoint: Segan = None
    attenuation_limit: Attenuation = None
    whisper: Whisper = None
    whisper_download: WhisperDownload = False
    whisper_compute_type: WhisperCompute = "default"
    language: Language = None
    device: Device = "cpu"

    def understood(self) -> StepChoices:
        """Return them with numbers in the place of words.

        Raises:
            typer.BadParameter: a value is not understood.
        """
        from semiology.enhancements.registry import StepChoices

        size = numbers(self.pose_size, "x", 2, "--pose-size")
        typed = asdict(self) | {
            "pose_size": tuple(round(side) for side in size) if size else None,
            "bed": numbers(self.bed, ",", 4, "--bed"),
        }
        typed["attenuation_limit_db"] = limit_db(typed.pop("attenuation_limit"))
        return StepChoices(**typed)


def with_choices(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command every option of `Choices`; it gets them together as its argument ``choices``."""
    hints = get_type_hints(Choices, include_extras=True)
    shared = [
        inspect.Parameter(
            each.name, inspect.Parameter.KEYWORD_ONLY, default=each.default, annotation=hints[each.name]
        )
        for each in fields(Choices)
    ]
    signature = inspect.signature(command, eval_str=True)
    own = [
        each.replace(kind=inspect.Parameter.KEYWORD_ONLY)
        for name, each in signature.parameters.items()
        if name != "choices"
    ]

    def called(**given: Any) -> None:
        typed = Choices(**{each.name: given.pop(each.name) for each in shared})
        command(**given, choices=typed)

    called.__name__, called.__doc__ = command.__name__, command.__doc__
    called.__annotations__ = {each.name: each.annotation for each in (*own, *shared)}
    called.__signature__ = signature.replace(parameters=[*own, *shared])  # type: ignore[attr-defined]
    return called


def limit_db(text: str | None) -> float | None:
    """Return an attenuation limit in dB, infinite for ``none``, None where it was not given.

    Raises:
        typer.BadParameter: it is neither a number above 0 and at most 100 nor ``none``.
    """
    if text is None:
        return None
    if text.strip().lower() == "none":
        return math.inf
    try:
        limit = float(text)
    except ValueError:
        limit = math.nan
    if not 0 < limit <= 100:
        raise typer.BadParameter(
            f"{text!r}: give dB, more than 0 and at most 100, or none", param_hint="--attenuation-limit"
        )
    return limit


def numbers(text: str | None, mark: str, count: int, option: str) -> tuple[float, ...] | None:
    """Return the numbers of an option's value, or None where it was not given.

    Raises:
        typer.BadParameter: it is not so many numbers with the mark between them.
    """
    if text is None:
        return None
    try:
        found = tuple(float(part) for part in text.split(mark))
    except ValueError:
        found = ()
    if len(found) != count:
        raise typer.BadParameter(
            f"{text!r}: give {count} numbers with {mark!r} between them", param_hint=option
        )
    return found
