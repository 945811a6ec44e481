"""``semiology power``: how many patients are needed before a difference can be seen."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from semiology.render.help import examples

if TYPE_CHECKING:
    from rich.console import Console

    from semiology.metrics.paired.power import PowerAt
    from semiology.reports.power.plan import PowerPlan

POWER_EPILOG = examples(
    "semiology power my_emu --feature tonic --delta 0.1",
    "semiology power s3.csv::Qwen3-VL-8B --second s3.csv::Qwen3-VL-32B --tests 20",
    "semiology power my_emu --delta 0.05 --out power.json",
)
_Source = Annotated[
    str, typer.Argument(help="A recording set, or answers (as for `semiology compare`) that serve as pilot.")
]
_Second = Annotated[
    str | None, typer.Option(help="Answers of a second model: tells how often two models differ.")
]
_Feature = Annotated[
    str | None, typer.Option(help="Features or groups, comma-separated; default: all of yes and no.")
]


def power(
    source: _Source,
    feature: _Feature = None,
    delta: Annotated[float, typer.Option(help="Difference of F1 to be seen.")] = 0.1,
    wanted: Annotated[float, typer.Option("--power", help="Chance of seeing it.")] = 0.8,
    alpha: Annotated[float, typer.Option(help="Level of the test.")] = 0.05,
    tests: Annotated[int, typer.Option(help="Features tested together (Bonferroni).", min=1)] = 1,
    second: _Second = None,
    sensitivity: Annotated[float | None, typer.Option(help="Of the first model.")] = None,
    specificity: Annotated[float | None, typer.Option(help="Of the first model.")] = None,
    correlation: Annotated[float | None, typer.Option(help="Of right answers within a patient.")] = None,
    discordance: Annotated[
        float | None, typer.Option(help="Share of recordings about which one model alone is right.")
    ] = None,
    studies: Annotated[int, typer.Option(help="Simulated studies for each size.", min=50)] = 400,
    seed: Annotated[int, typer.Option(help="Seed of the simulation.")] = 0,
    redraws: Annotated[
        int, typer.Option(help="Redrawn pilots, for the range of the promise; 0 for none.", min=0)
    ] = 40,
    out: Annotated[Path | None, typer.Option(help="JSON file to write.", dir_okay=False)] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of text for people.")] = False,
) -> None:
    """Simulate studies of growing size until a difference of F1 is seen often enough, patient by patient."""
    from rich.console import Console

    from semiology.data.cache import written_whole
    from semiology.metrics.scores.aggregation import THREE_CLASSES
    from semiology.reports.agreement.annotators import doubtful_patients
    from semiology.reports.compare.commands import feature_names
    from semiology.reports.power.plan import Assumptions, Design, plan_content, plan_power, read_truth

    truth, pilot = read_truth(source)
    for note in doubtful_patients(truth["patient_id"]):
        typer.echo(f"Note: {note}", err=True)
    other = read_truth(second)[1] if second is not None else None
    design = Design(delta, wanted, alpha, tests, studies, seed, redraws)
    assumed = Assumptions(sensitivity, specificity, correlation, discordance)
    names = feature_names(feature)
    if feature is None:
        there = set(truth["feature"])
        names = tuple(name for name in names if name in there and name not in THREE_CLASSES)
    if not names:
        raise ValueError(f"{source}: holds no annotation of a feature of yes and no → annotate one first")
    plans: list[PowerPlan] = []
    impossible: list[ValueError] = []  # does not cost the other features
    for place, name in enumerate(names, start=1):
        with Console(stderr=True).status(f"{name} ({place} of {len(names)}): simulating") as status:

            def tell(done: PowerAt | int, label: str = f"{name} ({place} of {len(names)})") -> None:
                status.update(f"{label}: {_doing(done, redraws)}")

            try:
                plan = plan_power(
                    truth,
                    name,
                    design,
                    pilot=pilot,
                    second=other,
                    assumed=assumed,
                    on_size=tell,
                    on_redraw=tell,
                )
            except ValueError as error:
                impossible.append(error)
                continue
        plans.append(plan)
        if not as_json:
            _print(plan, Console())
    if not plans:
        raise impossible[0]
    for fault in impossible:
        typer.echo(f"• not planned: {fault}", err=True)
    text = json.dumps([plan_content(plan) for plan in plans], indent=2, ensure_ascii=False)
    if as_json:
        typer.echo(text)
    if out is not None:
        out.parent.mkdir(parents=True, exist_ok=True)
        with written_whole(out) as part:
            part.write_text(text + "\n", encoding="utf-8")
        typer.echo(f"Written: {out}", err=as_json)


def _doing(done: PowerAt | int, redraws: int) -> str:
    if isinstance(done, int):
        return f"pilot redrawn {done} of {redraws} times"
    return f"{done.n_patients} patients give a power of {done.power:.2f}"


def _print(plan: PowerPlan, console: Console) -> None:
    from semiology.render.table import Column, Document, Lines, Number, Row, Table, print_document
    from semiology.reports.power.plan import assumption_lines, power_sentence

    columns = (Column("patients"), Column("power [95 %]"), Column("McNemar (ignores patients)"))
    rows = tuple(
        Row((at.n_patients, Number(at.power, at.low, at.high), at.mcnemar_power)) for at in plan.result.tried
    )
    parts = (Lines((power_sentence(plan),), style="bold"), Table("", columns, rows))
    print_document(Document("", parts, remarks=tuple(assumption_lines(plan))), console)
    console.print()
