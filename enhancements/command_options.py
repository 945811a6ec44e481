"""The choices that `semiology enhance` and its preview share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

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
Whisper = Annotated[
    str | None,
    typer.Option(
        help="Whisper model: name or folder; by default the packaged tiny.en, English alone.",
        rich_help_panel=_PANEL,
    ),
]
Language = Annotated[
    str | None,
    typer.Option(help="Language spoken, two letters; else recognised.", rich_help_panel=_PANEL),
]
Device = Annotated[
    Literal["cpu", "cuda"],
    typer.Option(help="For pose estimator and Whisper.", rich_help_panel=_PANEL),
]


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
