"""``semiology ablate``: a command for each thing that can be changed."""

from __future__ import annotations

from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, get_args

import typer

from semiology.harness.options import RunOptions
from semiology.optimization.ablation.plan import LEVELS, AblationError, Kind
from semiology.render.help import examples
from semiology.render.options import with_options
from semiology.render.outcome import tell_outcome, with_json

if TYPE_CHECKING:
    from semiology.render.table import Document

ablate_app = typer.Typer(
    name="ablate",
    no_args_is_help=True,
    help="Change one thing, keep the rest, and compare patient by patient.",
    epilog=examples(
        "semiology ablate fps --model embedded --data my_emu --out fps --levels 2,4",
        "semiology ablate full-video --model embedded --data my_emu --out full_video",
    ),
)
_FEATURES = ("fps", "window", "size")
_HELP: dict[Kind, str] = {
    "fps": "Frames per second: 2, 4 and 10, as in S3's Table 29 (model argument fps).",
    "window": "Length and overlap of the windows, s: 30x5 (published) and others.",
    "size": "Most pixels of a frame (model arguments max_pixels and min_pixels).",
    "full-video": "Onset times (task 4): clips around the onset, or 60 frames over the whole recording (Table 30).",
    "report": "Diagnosis (task 7) without and with the clinical report.",
}


@dataclass(frozen=True)
class AblateOptions(RunOptions):
    """What one ablation asks; each field is told by its help."""

    out: Annotated[Path, typer.Option(help="Folder for answers and tables; one ablation to a folder.")]
    features: Annotated[
        str, typer.Option(help="Features or groups (visual, limb_body, facial, audio), comma-separated.")
    ] = "visual"
    levels: Annotated[tuple[str, ...], typer.Option(help="Levels, comma-separated, the base first.")] = ()
    margin: Annotated[
        float, typer.Option(help="Largest difference that counts as none; fix it before looking.")
    ] = 0.05
    seed: Annotated[int, typer.Option(help="Seed of the sign-flip test.")] = 0


def _ablate(kind: Kind, options: AblateOptions) -> None:
    from semiology.optimization.ablation.plan import conditions
    from semiology.optimization.ablation.run import (
        ask_conditions,
        asked_tasks,
        feature_differences,
        task_differences,
    )
    from semiology.optimization.ablation.tables import feature_document, measure_document
    from semiology.reports.compare.commands import feature_names

    names = feature_names(options.features)
    plain = RunOptions(**{each.name: getattr(options, each.name) for each in fields(RunOptions)})
    found = conditions(kind, asked_tasks(plain, names) if kind in _FEATURES else plain, options.levels)
    folders = ask_conditions(kind, found, options.out, lambda told: typer.echo(told, err=True))
    title = f"Ablation of {kind}: {options.model}"
    if kind in _FEATURES:
        compared = feature_differences(found, folders, names, seed=options.seed, margin=options.margin)
        _show(feature_document(title, compared), options.out)
    else:
        _show(measure_document(title, [task_differences(found, folders)]), options.out)


def _show(document: Document, out: Path) -> None:
    from semiology.data.cache import write_texts
    from semiology.render.table import Table, markdown, print_document, table_console, table_csv

    tables = [part for part in document.parts if isinstance(part, Table)]
    contents: dict[str, str | bytes] = {f"{each.stem}.csv": table_csv(each) for each in tables}
    write_texts({**contents, "ablation.md": markdown(document)}, out)
    print_document(document, table_console())
    tell_outcome(tables=[out / f"{each.stem}.csv" for each in tables], document=out / "ablation.md")


def _add(kind: Kind) -> None:
    features = ("features",) if kind not in _FEATURES else ()
    levels = ("levels", "margin", "seed") if kind not in _FEATURES else ()
    example = f"semiology ablate {kind} --model embedded --data my_emu --out out"
    with_levels = (
        f"semiology ablate {kind} --model embedded --data d --out o --levels {','.join(LEVELS[kind][::2])}"
    )

    @with_json
    @with_options(
        AblateOptions,
        "options",
        defaults={"model_args": ""},
        without=("tasks", "onset_clips", *features, *levels),
    )
    def command(options: AblateOptions) -> None:
        _ablate(kind, options)

    command.__doc__ = (
        f"{_HELP[kind]}\n\nWhat conditions have in common is asked once; a stopped command goes on."
    )
    shown = (example, with_levels) if kind in _FEATURES else (example,)
    ablate_app.command(kind, epilog=examples(*shown))(command)


for _kind in get_args(Kind):
    _add(_kind)

RULES = "rules"


@ablate_app.command(
    "judge",
    epilog=examples("semiology ablate judge runs --out o --judges A,B --judge http://127.0.0.1:8000"),
)
@with_json
def judge_command(
    run: Annotated[
        Path,
        typer.Argument(help="Folder of a run with answers to S3 tasks 2 or 6.", exists=True, file_okay=False),
    ],
    judges: Annotated[str, typer.Option(help="Two judges by the server's names; 'rules' reads offline.")],
    out: Annotated[Path, typer.Option(help="Folder for what they read, and the tables.")],
    judge: Annotated[
        str | None, typer.Option(help="Address of an OpenAI-compatible server, of this machine.")
    ] = None,
) -> None:
    """Judge A against judge B on the same texts (tasks 2 and 6, as in S3's Table 25).

    Replies are kept, so that no text is read twice by one judge.
    """
    from semiology.optimization.ablation.run import judge_differences
    from semiology.optimization.ablation.tables import measure_document

    names = [name.strip() for name in judges.split(",") if name.strip()]
    if len(names) != 2 or names[0] == names[1]:
        raise AblationError(f"--judges {judges}: name two different judges, such as rules,NAME")
    if judge is None and set(names) - {RULES}:
        raise AblationError(f"--judges {judges}: also give --judge, the address of the server that has them")
    folders = [_read_by(name, number, run, out, judge) for number, name in enumerate(names)]
    made = [judge_differences(names, folders, task) for task in ("s3_justification", "s3_report")]
    found = [each for each in made if each is not None]
    if not found:
        raise AblationError(
            f"{run}: holds no answers to S3 tasks 2 and 6 → run --tasks s3_justification,s3_report"
        )
    _show(measure_document(f"Judges {names[0]} and {names[1]}", found), out)


def _read_by(name: str, number: int, run: Path, out: Path, address: str | None) -> Path:
    """Return a copy of a run beside which stands what a judge read."""
    import shutil

    from semiology.judging.judge import judge_runs
    from semiology.judging.model_choice import served, short_name
    from semiology.reports.read.run_texts import READINGS

    place = out / f"judge_{number + 1}"
    shutil.copytree(
        run, place, dirs_exist_ok=True, ignore=shutil.ignore_patterns(READINGS, "*.lock", "report")
    )
    for stale in place.rglob(READINGS):
        stale.unlink()
    if name != RULES:
        assert address is not None
        summary = judge_runs([place], served(address, name), short_name(name))
        read = (
            f"{name} read {summary.read} of {summary.texts} texts; {summary.from_journal} replies were kept"
        )
        typer.echo(read, err=True)
        if summary.read < summary.texts:
            typer.echo("Texts that it did not read are read by the offline rules.", err=True)
    return place
