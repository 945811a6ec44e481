"""``semiology compare``: two models, wordings or enhancements on the same recordings."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from semiology.data.cache import write_whole
from semiology.data.protection.splits import SPLIT_HELP
from semiology.render.help import examples
from semiology.render.text import json_text

if TYPE_CHECKING:
    from semiology.reports.compare.comparison import Comparison, Options
    from semiology.reports.compare.sides import Side
    from semiology.reports.protected import ScoredSet

COMPARE_EPILOG = examples(
    "semiology compare runs/old runs/new --out compared",
    "semiology compare s3::best runs/new",
    "semiology compare always-yes runs/new",
    "semiology compare runs::prompt=s3 runs::prompt=embc",
    "semiology compare --base runs/plain --enhanced runs/pose",
    "semiology compare runs/old runs/new --repeats runs/old2 --repeats runs/new2",
)
_SIDE = (
    "A results folder, published answers (s3, embc or a table), always-yes or always-no; '::' chooses in it."
)


_First = Annotated[str | None, typer.Argument(metavar="[A]", help=_SIDE)]
_Second = Annotated[str | None, typer.Argument(metavar="[B]", help="The same; B minus A is told.")]
_Base = Annotated[str | None, typer.Option(help="Instead of A and B: the run without enhancement.")]
_Enhanced = Annotated[str | None, typer.Option(help="The run with enhancements; each is compared.")]
_Out = Annotated[Path | None, typer.Option(help="Folder for the CSV, Markdown and JSON files.")]
_Features = Annotated[
    str | None, typer.Option(help="Features or groups (visual, audio, limb_body, facial), comma-separated.")
]
_Measure = Annotated[
    Literal["f1", "balanced_accuracy", "accuracy"], typer.Option(help="Score in the table of features.")
]
_Margin = Annotated[
    float, typer.Option(help="Largest difference that counts as none; fix it before looking.")
]
_Policy = Annotated[
    Literal["wrong", "drop"],
    typer.Option(help="What a recording without a yes or no answer counts as (drop: of either side)."),
]
_Data = Annotated[
    Path | None,
    typer.Option(help="Folder of the recording set, which knows the splits.", envvar="SEMIOLOGY_DATA"),
]
_Split = Annotated[
    str | None,
    typer.Option(help=f"{SPLIT_HELP} Needs --data; every look at test or confirm patients is counted."),
]
_Repeats = Annotated[
    list[str] | None,
    typer.Option(
        help="A run that repeats A or B (or the base, or an enhancement): how much of a difference asking again makes. "
        "May be repeated."
    ),
]
_AnySet = Annotated[
    bool, typer.Option("--any-set", help="Compare runs about recording sets of different names.")
]


def compare(
    first: _First = None,
    second: _Second = None,
    base: _Base = None,
    enhanced: _Enhanced = None,
    out: _Out = None,
    features: _Features = None,
    measure: _Measure = "f1",
    margin: _Margin = 0.05,
    policy: _Policy = "wrong",
    data: _Data = None,
    split: _Split = None,
    any_set: _AnySet = False,
    repeats: _Repeats = None,
    flips: Annotated[int, typer.Option(help="Draws of the sign-flip test.", min=100)] = 10_000,
    resamples: Annotated[
        int, typer.Option(help="Patient resamples (stroke rehabilitation only: others need none).", min=100)
    ] = 2000,
    seed: Annotated[int, typer.Option(help="Seed of the draws.")] = 0,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of text for people.")] = False,
) -> None:
    """Compare two models, wordings or enhancements on the recordings that both answered, by patient."""
    from rich.console import Console

    from semiology.reports.compare.comparison import Options, compare_sides
    from semiology.reports.compare.enhancements import compare_enhancements, enhanced_pairs
    from semiology.reports.compare.repeats import enhancement_noise, repeat_noise
    from semiology.reports.compare.sides import read_side
    from semiology.reports.protected import scored_set

    given = [side is not None for side in (first, second, base, enhanced)]
    if given not in ([True, True, False, False], [False, False, True, True]):
        raise typer.BadParameter(
            "give two things to compare: A and B, or --base and --enhanced", param_hint="A B"
        )
    if (
        first is not None
        and second is not None
        and _compared_rehab(first, second, out, flips=flips, resamples=resamples, seed=seed, as_json=as_json)
    ):
        return
    if data is None and split is not None:
        raise typer.BadParameter("a split needs the recording set: add --data DIR", param_hint="--split")
    scored = None if data is None else scored_set(data, split)
    options = Options(
        features=feature_names(features),
        policy=policy,
        flips=flips,
        seed=seed,
        margin=margin,
        any_set=any_set,
    )
    with Console(stderr=True).status("Reading answers") as status:
        sides = [read_side(text) for text in (first, second, base, enhanced) if text is not None]
        videos = _answered(sides)
        options = replace(options, recordings=scored.kept(videos) if scored else None)
        status.update("Comparing patient by patient")
        if base is None:
            made = [compare_sides(sides[0], sides[1], options)]
            if repeats:
                status.update("Comparing repeats")
                made = [replace(each, repeats=repeat_noise(each, sides, repeats, options)) for each in made]
        else:
            made = compare_enhancements(sides[0], sides[1], options)
            if repeats:
                status.update("Comparing repeats")
                pairs = enhanced_pairs(sides[0], sides[1], any_set=any_set)
                made = enhancement_noise(made, pairs, (sides[0], sides[1]), repeats, options)
    told = _looks(made, sides, scored, options)
    made = [replace(comparison, notes=(*comparison.notes, *told)) for comparison in made]
    _tell(made, out, measure, as_json=as_json)


def _tell(made: Sequence[Comparison], out: Path | None, measure: str, *, as_json: bool) -> None:
    """Write and print comparisons."""
    from semiology.render.table import table_console
    from semiology.reports.compare.files import content, print_comparison, write_comparison

    written: list[Path] = []
    for comparison in made:
        if out is None:
            break
        name = comparison.second if len(made) > 1 else ""
        stem = "_".join(filter(None, ("comparison", re.sub(r"[^A-Za-z0-9]+", "_", name).strip("_"))))
        written += write_comparison(comparison, out, stem, measure)
    if as_json:
        contents = [content(comparison, measure) for comparison in made]
        typer.echo(json_text(contents[0] if len(contents) == 1 else contents))
        return
    console = table_console(int(os.environ.get("COLUMNS", "200")))
    for comparison in made:
        print_comparison(comparison, console, measure)
        console.print()
    if written:
        console.print(f"Written: {', '.join(str(path) for path in written)}", markup=False, highlight=False)


def _compared_rehab(
    first: str, second: str, out: Path | None, *, flips: int, resamples: int, seed: int, as_json: bool
) -> bool:
    """Compare two runs of stroke-rehabilitation tasks; return False, and do nothing, where either holds none."""
    from semiology.render.table import Table, markdown, print_document, table_console, table_csv
    from semiology.reports.strokerehab.compare import compare_rehab, comparison_document
    from semiology.reports.strokerehab.reading import read_rehab_results
    from semiology.reports.strokerehab.write import document_content

    if not (Path(first).exists() and Path(second).exists()):
        return False
    one, other = read_rehab_results([Path(first)]), read_rehab_results([Path(second)])
    if one is None or other is None:
        return False
    found = compare_rehab(one, other, flips=flips, resamples=resamples, seed=seed)
    document = comparison_document(found, tuple(dict.fromkeys((*one.caveats, *other.caveats))))
    if out is not None:
        out.mkdir(parents=True, exist_ok=True)
        write_whole(out / "strokerehab_comparison.md", markdown(document))
        tables = [part for part in document.parts if isinstance(part, Table)]
        write_whole(out / "strokerehab_comparison.csv", table_csv(tables[0]))
    if as_json:
        typer.echo(json_text(document_content(document)))
    else:
        print_document(document, table_console(int(os.environ.get("COLUMNS", "200"))))
    return True


def feature_names(text: str | None) -> tuple[str, ...]:
    """Return the features that a comma-separated list of features and groups names, in the usual order.

    Raises:
        ValueError: a name is unknown.
    """
    from semiology.features import FEATURES, suggest_feature
    from semiology.reports.summary.features import GROUPS

    if text is None:
        return FEATURES
    wanted: set[str] = set()
    for name in filter(None, (part.strip() for part in text.split(","))):
        if name not in GROUPS and name not in FEATURES:
            near = suggest_feature(name)
            raise ValueError(f"unknown feature or group {name!r}{near} → groups: {', '.join(GROUPS)}")
        wanted |= set(GROUPS.get(name, [name]))
    return tuple(name for name in FEATURES if name in wanted)


def _answered(sides: Sequence[Side]) -> frozenset[str]:
    """Return the recordings that any condition of any side answered."""
    return frozenset(
        str(video) for side in sides for each in side.conditions for video in each.answers["video_id"]
    )


def _looks(
    made: Sequence[Comparison], sides: Sequence[Side], scored: ScoredSet | None, options: Options
) -> list[str]:
    """Enter each look at protected patients; return who is left out, and what the ledger says after the last."""
    from semiology.reports.protected import unrecorded_looks

    if scored is None:
        return unrecorded_looks({name: known for side in sides for name, known in side.facts.items()})
    told: list[str] = []
    for comparison in made:
        chosen = {
            "first": comparison.first,
            "second": comparison.second,
            "margin": options.margin,
            "policy": options.policy,
        }
        told = scored.enter("compare", comparison.pairs, chosen) or told
    return [*scored.notes(_answered(sides)), *told]
