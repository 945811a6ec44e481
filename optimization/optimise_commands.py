"""``semiology optimize``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from semiology.optimization.optimise import FeatureResult, OptimisationResult

OPTIMIZE_EPILOG = (
    "Examples:  [cyan]semiology optimize --features tonic,oral_automatisms --model embedded --data my_emu "
    "--budget 600[/cyan]   [cyan]semiology optimize --features tonic --model semiology_hf --model-args "
    "pretrained=Qwen/Qwen2.5-VL-7B-Instruct,fps=2 --data my_emu --minutes 120 "
    "--proposer qwen3@http://127.0.0.1:8000/v1[/cyan]   "
    "[cyan]semiology optimize --preset published --model embedded --data my_emu[/cyan]"
)
PRESETS = ("published",)

_Model = Annotated[str, typer.Option(help="lmms-eval model name; 'embedded' for the one in this package.")]
_Data = Annotated[
    Path,
    typer.Option(help="Folder of the recording set.", envvar="SEMIOLOGY_DATA", exists=True, file_okay=False),
]
_Features = Annotated[
    str,
    typer.Option(help="Features, comma-separated; they share the video work. Needed without --preset."),
]
_Args = Annotated[str, typer.Option(help="lmms-eval model arguments: key=value,key=value.")]
_Budget = Annotated[
    int | None, typer.Option(help="Metric calls per feature: one recording asked in one wording.", min=1)
]
_Minutes = Annotated[float | None, typer.Option(help="Minutes, instead of or besides --budget.")]
_Objective = Annotated[str, typer.Option(help="f1, balanced_accuracy or worst_fold.")]
_Begin = Annotated[str, typer.Option(help="Library wording to begin with, by id.")]
_Seeds = Annotated[
    str, typer.Option(help="Library wordings tried first: ids, comma-separated, 'all' or 'none'.")
]
_Proposer = Annotated[
    str,
    typer.Option(
        help="Who writes wordings: 'offline' (a grammar, no language model) or NAME@http://127.0.0.1:8000/v1."
    ),
]
_Format = Annotated[str, typer.Option(help="Answer format of every wording.")]
_Formats = Annotated[
    str, typer.Option(help="Further answer formats that the offline proposer may choose, comma-separated.")
]
_Minibatch = Annotated[int, typer.Option(help="Training recordings a new wording is tried on first.")]
_Siblings = Annotated[
    int, typer.Option(help="Wordings tried in each step; they share the video, the best goes on.")
]
_Longest = Annotated[int, typer.Option(help="Longest wording, in characters.")]
_Fold = Annotated[str | None, typer.Option(help="Fold kept for the test (default: the first).")]
_Seed = Annotated[int, typer.Option(help="Same seed, same search (with the offline proposer).")]
_Window = Annotated[
    str | None, typer.Option(help="'standard' (30 s) or 'qwen3' (60 s); by default the model's.")
]
_Preset = Annotated[str | None, typer.Option(help="A named experiment: published.")]
_Out = Annotated[Path, typer.Option(help="Folder of the run; the same command again goes on.")]
_Timeout = Annotated[float, typer.Option(help="Longest wait for a proposal, s.", min=0.1)]
_Remote = Annotated[
    bool, typer.Option("--allow-remote-proposer", help="Let the proposer be on another machine: text only.")
]
_Json = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]


def optimize(
    model: _Model,
    data: _Data,
    features: _Features = "",
    model_args: _Args = "",
    budget: _Budget = None,
    minutes: _Minutes = None,
    objective: _Objective = "f1",
    begin_with: _Begin = "s3",
    seeds: _Seeds = "all",
    proposer: _Proposer = "offline",
    answer_format: _Format = "yes_no",
    other_formats: _Formats = "",
    minibatch: _Minibatch = 8,
    siblings: _Siblings = 5,
    max_characters: _Longest = 700,
    test_fold: _Fold = None,
    seed: _Seed = 0,
    window: _Window = None,
    preset: _Preset = None,
    out: _Out = Path("optimized"),
    proposer_timeout: _Timeout = 300.0,
    allow_remote_proposer: _Remote = False,
    as_json: _Json = False,
) -> None:
    """Search for better wordings on training patients, select on others, and test on others again, once.

    Writes wordings in the library's form (OUT/wordings, for SEMIOLOGY_PROMPTS), the whole lineage
    (OUT/FEATURE/lineage.json) and a summary. Nothing is lost when it is stopped.
    """
    from semiology.optimization.optimise_run import RunChoices, run

    given = dict(locals())
    lists = {"features": features, "seeds": "" if seeds == "none" else seeds, "other_formats": other_formats}
    given |= {name: _names(text) for name, text in lists.items()}
    result, summary = run(RunChoices(**{name: given[name] for name in RunChoices.__dataclass_fields__}))
    if as_json:
        typer.echo(json.dumps(summary, indent=2, ensure_ascii=False))
    elif result is None:
        from semiology.optimization.published_report import print_published

        print_published(summary)
    else:
        _print(result, out)


def _names(text: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in text.split(",") if name.strip())


def _print(result: OptimisationResult, out: Path) -> None:
    from rich.console import Console
    from rich.table import Table

    console, marked = Console(), False
    for part in ("development", "test"):
        table = Table(
            "feature", "wordings", "F1 before [95 %]", "F1 after [95 %]", "difference", "p", "always-yes",
            title=f"{part} patients" + (" (selected on them: too high)" if part == "development" else ""),
        )  # fmt: skip
        for each in result.features:
            table.add_row(*_cells(each, part))
            marked = marked or "(*)" in "".join(_cells(each, part))
        console.print(table)
    if marked:
        console.print("(*) no interval; summary.json says why", markup=False, highlight=False)
    for each in result.features:
        kind = "new" if each.found.is_new else "a wording of the library"
        same = " (the one it began with)" if each.found.chosen == each.found.begun_text else ""
        console.print(
            f"{each.found.feature}: {kind}{same}: {each.found.chosen}", markup=False, highlight=False
        )
    for note in result.notes:
        console.print(f"- {note}", markup=False, highlight=False)
    read = f"{result.asked} questions on {result.windows} windows read, {result.known} answered before"
    typer.echo(f"{read}; written to {out}")


def _without_reason(told: str) -> str:
    """Return a score without the sentence on why it has no interval, which fills no cell of a terminal."""
    return f"{told.partition(' (no interval')[0]} (*)" if "(no interval" in told else told


def _cells(each: FeatureResult, part: str) -> list[str]:
    from semiology.optimization.wording_comparison import with_interval

    found: Any = getattr(each, part)
    tried = str(len(each.found.lineage["candidates"]))
    if found is None:
        return [each.found.feature, tried, "no test patients", "", "", "", ""]
    before, after, difference = (
        _without_reason(with_interval(estimate))
        for estimate in (found.before["f1"], found.after["f1"], found.difference["f1"])
    )
    return [
        each.found.feature, tried, before, after, difference, f"{found.p_value['f1']:.3f}",
        f"{found.always_yes_f1:.2f}",
    ]  # fmt: skip
