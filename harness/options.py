"""The options of a run, and those that other commands which ask a model share with it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from semiology.data.protection.splits import SPLIT_HELP
from semiology.settings import DATA, RECORDINGS, SPLIT, TRAINED_ON, VIDEOS

Model = Annotated[
    str,
    typer.Option(help="lmms-eval model name; 'embedded' or 'embedded_audio' for those in this package."),
]
ModelArgs = Annotated[str, typer.Option(help="lmms-eval model arguments: key=value,key=value.")]
Data = Annotated[
    Path,
    typer.Option(help="Folder of the recording set.", envvar=DATA.name, exists=True, file_okay=False),
]
Window = Annotated[
    str | None,
    typer.Option(
        help="'standard' (30 s), 'qwen3' (60 s), or length and overlap in s, such as 20x5; by default the "
        "model's published one."
    ),
]
Split = Annotated[str | None, typer.Option(help=SPLIT_HELP, envvar=SPLIT.name)]


@dataclass(frozen=True)
class RunOptions:
    """What one run asks; each field is told by its help."""

    model: Model
    model_args: ModelArgs
    data: Data
    out: Annotated[Path, typer.Option(help="Folder for the results.")]
    tasks: Annotated[str, typer.Option(help="Task names or globs, comma-separated.")] = "semiology_*"
    prompt_id: Annotated[str, typer.Option("--prompt", help="Wording of the prompt library, by id.")] = "s3"
    answer_format: Annotated[
        str | None,
        typer.Option(help="Answer format of the features' questions, instead of the wording's own."),
    ] = None
    window: Window = None
    audio_segments: Annotated[
        str | None,
        typer.Option(help="Features of sound: 'windows', or 'whole' recordings at once, as EMBC asked."),
    ] = None
    onset_clips: Annotated[
        str | None,
        typer.Option(help="S3 task 4: any of centred, random (clips of a minute), whole (60 frames)."),
    ] = None
    split: Split = None
    recordings: Annotated[
        str | None,
        typer.Option(
            help="Only these of them: video_ids, comma-separated; * stands for any letters.",
            envvar=RECORDINGS.name,
        ),
    ] = None
    videos: Annotated[
        str | None,
        typer.Option(help="Only these places among them, from 1: 1-82 or 1-40,60.", envvar=VIDEOS.name),
    ] = None
    trained_on: Annotated[
        Path | None,
        typer.Option(
            help="Manifest of the model's training data, or its folder: leaves these patients out.",
            envvar=TRAINED_ON.name,
        ),
    ] = None
    limit: Annotated[int | None, typer.Option(help="Questions per task, for a trial.", min=1)] = None
    batch_size: Annotated[int, typer.Option(help="Requests per batch.", min=1)] = 1
    use_cache: Annotated[Path | None, typer.Option(help="Folder of lmms-eval's response cache.")] = None
    verbosity: Annotated[str, typer.Option(help="DEBUG, INFO, WARNING or ERROR.")] = "WARNING"
    extra: Annotated[
        list[str] | None,
        typer.Option(
            "--lmms-eval-option",
            help="A further lmms-eval option as one word, e.g. --lmms-eval-option=--gen_kwargs=…",
        ),
    ] = None
