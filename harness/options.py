"""Options that the commands which ask a model share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from semiology.settings import DATA

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
    typer.Option(help="'standard' (30 s) or 'qwen3' (60 s); by default the model's published one."),
]
BatchSize = Annotated[int, typer.Option(help="Requests per batch.", min=1)]
Verbosity = Annotated[str, typer.Option(help="DEBUG, INFO, WARNING or ERROR.")]
LmmsEvalOptions = Annotated[
    list[str] | None,
    typer.Option(help="A further lmms-eval option as one word, e.g. --lmms-eval-option=--gen_kwargs=…"),
]
