"""``semiology enhance``: make derived media, look at them, and keep their cache in hand."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from semiology.data.protection.splits import SPLIT_HELP, parse_purpose
from semiology.enhancements.command_options import Choices
from semiology.enhancements.registry import STEPS, build_steps, chosen
from semiology.render.help import examples
from semiology.render.options import with_options
from semiology.render.outcome import tell_outcome, with_json

DEFAULT = "run"

Directory = Annotated[Path, typer.Argument(help="Folder of the recording set.", metavar="DIR")]
Split = Annotated[str | None, typer.Option(help=SPLIT_HELP)]
With = Annotated[list[str], typer.Option("--with", help=f"{', '.join(STEPS)}: names, comma-separated.")]


class RunByDefault(TyperGroup):
    """A group whose first command may be left out: ``enhance DIR`` is ``enhance run DIR``."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Put the default command before a first word that names no command."""
        if args and args[0] not in self.commands and args[0] not in ("--help", "-h"):
            args = [DEFAULT, *args]
        return super().parse_args(ctx, args)


app = typer.Typer(
    cls=RunByDefault,
    no_args_is_help=True,
    rich_markup_mode="rich",
    help=(
        "Show models the right signal: skeletons, faces, clean sound, transcripts.\n\n"
        "`semiology enhance DIR …` makes them (its options: `semiology enhance run --help`)."
    ),
    epilog=examples(
        "semiology enhance my_emu --with pose,crop",
        "semiology enhance preview my_emu --with pose,crop --out look.png",
        "semiology enhance cache --clear",
    ),
)


@app.command(
    DEFAULT,
    epilog=examples(
        "semiology enhance my_emu --with pose,crop,denoise,transcript --jobs 4",
        "semiology enhance my_emu --with pose --keypoints live --pose-weights rtmo.onnx",
        "semiology enhance my_emu --with denoise --ray auto --out /shared/enhanced",
    ),
)
@with_options(Choices, "choices")
def run_command(
    directory: Directory,
    names: With,
    jobs: Annotated[int, typer.Option(help="Recordings enhanced side by side.", min=1)] = 1,
    recording: Annotated[list[str] | None, typer.Option(help="Only this video_id; repeatable.")] = None,
    split: Split = None,
    out: Annotated[
        Path | None,
        typer.Option(
            help="Folder for enhanced.csv and the derived files; by default the manifest lies in DIR and the "
            "files in the cache."
        ),
    ] = None,
    ray: Annotated[
        str | None, typer.Option(help="Address of a Ray cluster, or `local`.", metavar="ADDRESS")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
    *,
    choices: Choices,
) -> None:
    """Make the derived media of a recording set; what was made before is not made again.

    Exit status 1: something failed, or an enhancement could be made for no recording. enhanced.csv says what.
    """
    from semiology.enhancements.enhance import enhance
    from semiology.enhancements.views import print_summary, progress_bar, summary_json

    purpose = parse_purpose(split)
    steps = build_steps(chosen(names), choices)
    with progress_bar(as_json) as told:
        summary = enhance(
            directory, steps, recordings=recording or (), purpose=purpose, out=out, workers=jobs, ray=ray,
            told=told,
        )  # fmt: skip
    if as_json:
        typer.echo(json.dumps(summary_json(summary)))
    else:
        print_summary(summary, out)
    if not summary.complete:
        raise typer.Exit(1)


@app.command(
    "preview",
    epilog=examples(
        "semiology enhance preview my_emu --with pose,crop --out look.png",
        "semiology enhance preview my_emu --recording P001_V01 --with crop --out p1.png",
    ),
)
@with_json
@with_options(Choices, "choices")
def preview_command(
    directory: Directory,
    names: With,
    out: Annotated[Path, typer.Option(help="File to write: .png, or .html with sound to listen to.")],
    recording: Annotated[str | None, typer.Option(help="video_id; by default the first recording.")] = None,
    split: Split = None,
    stills: Annotated[int, typer.Option(help="Times at which stills are shown.", min=1, max=20)] = 5,
    *,
    choices: Choices,
) -> None:
    """Look at one recording before and after, before hours are spent on all of them."""
    from semiology.enhancements.preview import preview
    from semiology.enhancements.views import FACES, progress_bar

    steps = build_steps(chosen(names), choices)
    with progress_bar(False) as told:
        shown = preview(
            directory, steps, out, video_id=recording, purpose=parse_purpose(split), stills=stills, told=told
        )
    tell_outcome(file=out, steps={name: each.status for name, each in shown.items()})
    for name, outcome in shown.items():
        typer.echo(f"{name}: {outcome.status}: {outcome.sentence}")
    typer.echo(f"{out} was written. {FACES}")
    if any(outcome.status != "done" for outcome in shown.values()):
        raise typer.Exit(1)


@app.command(
    "cache",
    epilog=examples(
        "semiology enhance cache",
        "semiology enhance cache --clear --with pose",
    ),
)
@with_json
def cache_command(
    names: Annotated[
        list[str] | None, typer.Option("--with", help="Only these enhancements, comma-separated.")
    ] = None,
    folder: Annotated[
        Path | None, typer.Option(help="The --out folder of a run, if there was one.", exists=True)
    ] = None,
    clear: Annotated[bool, typer.Option("--clear", help="Delete the derived files.")] = False,
) -> None:
    """Say how much of the disk derived files take, or delete them; manifests and recordings stay."""
    from semiology.enhancements.enhance import DERIVED_FILES
    from semiology.enhancements.pipeline.cache import EnhancementCache
    from semiology.enhancements.views import print_usage

    cache = EnhancementCache(folder / DERIVED_FILES if folder else None)
    wanted = chosen(names) if names else tuple(STEPS)
    usage = cache.clear(wanted) if clear else [use for use in cache.usage() if use.enhancement in wanted]
    print_usage(usage, str(cache.folder), cleared=clear)
    tell_outcome(folder=cache.folder, cleared=clear, entries=[asdict(use) for use in usage])
