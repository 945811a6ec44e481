"""``semiology repeat``: which answers change when the same questions are asked again, and asking them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from semiology.render.help import examples
from semiology.reports.compare.repeat_command import repeat
from semiology.reports.options import JsonTable, Seed
from semiology.settings import DATA

REPEAT_EPILOG = examples(
    "semiology repeat runs --again 2 --data my_emu --into again",
    "semiology repeat runs --again 1 --data my_emu --into batch8 --batch-size 8",
    "semiology repeat runs/seed1 runs/seed2 --out repeated",
    "semiology repeat runs/old_release runs/new_release --features visual",
)

_Runs = Annotated[
    list[str],
    typer.Argument(
        help="Two or more result folders of one model and wording: another seed, batch size, engine or release; or "
        "one, with --again. '::' chooses in a folder, as in `semiology compare`.",
        metavar="RUN…",
    ),
]
_Out = Annotated[Path | None, typer.Option(help="Folder for repeat.csv, .md, .json and repeat_changed.csv.")]
_Features = Annotated[
    str | None, typer.Option(help="Features or groups (visual, audio, limb_body, facial), comma-separated.")
]
_AnySet = Annotated[
    bool, typer.Option("--any-set", help="Take runs about recording sets of different names.")
]
_Again = Annotated[
    int, typer.Option(help="Ask the run's questions this many times more, as its record says.", min=0)
]
_Data = Annotated[
    Path | None,
    typer.Option(
        help="With --again: the run's recording set.", envvar=DATA.name, exists=True, file_okay=False
    ),
]
_Into = Annotated[Path | None, typer.Option(help="With --again: folder for the new runs.")]
_Model = Annotated[
    str | None, typer.Option(help="With --again: another model class, such as another engine.")
]
_ModelArgs = Annotated[str | None, typer.Option(help="With --again: other model arguments, all of them.")]
_BatchSize = Annotated[int | None, typer.Option(help="With --again: another batch size.", min=1)]
_Extra = Annotated[
    list[str] | None,
    typer.Option(
        "--lmms-eval-option", help="With --again: an lmms-eval option, such as --lmms-eval-option=--seed=1"
    ),
]
_Show = Annotated[
    bool, typer.Option("--show-command", help="With --again: print the command of a repeat, and stop.")
]


def repeat_command(
    runs: _Runs,
    out: _Out = None,
    features: _Features = None,
    any_set: _AnySet = False,
    again: _Again = 0,
    data: _Data = None,
    into: _Into = None,
    model: _Model = None,
    model_args: _ModelArgs = None,
    batch_size: _BatchSize = None,
    extra: _Extra = None,
    show_command: _Show = False,
    seed: Seed = 0,
    as_json: JsonTable = False,
) -> None:
    """Tell which answers change when the same questions are asked again, with their share and kappa.

    With --again they are asked now: with the run's own model, arguments, wording, windows and recordings, each time in
    a process of its own. What you give beside it is changed. A stopped command goes on where it stopped. Greedy
    decoding repeats itself on one engine and batch size: change what you want to know about.
    """
    from semiology.harness.repeat.ask_again import Changes, ask_again, run_command, shown

    changes = Changes(model, model_args, batch_size, tuple(extra or ()))
    if again or show_command:
        if len(runs) > 1:
            raise typer.BadParameter(
                "asks the questions of one run again: give one RUN", param_hint="--again"
            )
        if data is None or into is None:
            raise typer.BadParameter(
                "needs the recording set and a folder for the new runs: add --data DIR --into DIR",
                param_hint="--again",
            )
        if show_command:
            typer.echo(shown(run_command(Path(runs[0]), data, into / "repeat_1", changes)))
            return
        made = ask_again(Path(runs[0]), data, into, again, changes, lambda text: typer.echo(text, err=True))
        runs = [*runs, *map(str, made)]
    elif changes != Changes() or into is not None:
        raise typer.BadParameter("nothing is asked without --again N", param_hint="--again")
    repeat(runs, out, features, any_set, seed, as_json)
