"""``semiology prompts``: look at the wordings, and at the exact text that a model is sent."""

from __future__ import annotations

import json
from typing import Annotated, Any

import typer

from semiology.render.help import examples

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode="rich",
    help="Show the wordings of the questions.",
    epilog=examples("semiology prompts list --feature tonic"),
)

SHORT_HASH = 8
FIRST_WORDS = 60

JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON for programs.")]


@app.command(
    "list",
    epilog=examples("semiology prompts list --feature tonic", "semiology prompts list --json"),
)
def list_prompts(
    feature: Annotated[str | None, typer.Option(help="Only the wordings of this feature.")] = None,
    as_json: JsonOption = False,
) -> None:
    """List the wordings: feature, id, family, provenance, answer format, hash of the text as sent."""
    from semiology.prompts.library import load_library

    library = load_library()
    prompts = _feature(library, feature).prompts if feature else tuple(library)
    rows = [_row(prompt) for prompt in prompts]
    if as_json:
        typer.echo(json.dumps(rows, ensure_ascii=False, indent=2))
        return
    _print_table(rows)
    typer.echo(f"{len(rows)} wordings")


@app.command(
    "show",
    epilog=examples(
        "semiology prompts show tonic", "semiology prompts show tonic minimal --answer-format yes_no_json"
    ),
)
def show_prompt(
    feature: Annotated[str, typer.Argument(help="Name of the feature.")],
    prompt_id: Annotated[str, typer.Argument(metavar="[ID]", help="Id of the wording.")] = "s3",
    answer_format: Annotated[
        str | None, typer.Option(help="Another answer format than the wording's own.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Show one question exactly as it is sent, with its length, hash and source."""
    from semiology.prompts.library import answer_formats, load_library

    entry = _feature(load_library(), feature)
    if prompt_id not in {prompt.id for prompt in entry.prompts}:
        known = ", ".join(prompt.id for prompt in entry.prompts)
        raise typer.BadParameter(f"{feature} has no wording {prompt_id!r}; it has {known}")
    if answer_format is not None and answer_format not in answer_formats():
        raise typer.BadParameter(
            f"unknown answer format {answer_format!r}; use {', '.join(answer_formats())}"
        )
    row = _row(entry.prompt(prompt_id), answer_format)
    if as_json:
        typer.echo(json.dumps(row, ensure_ascii=False, indent=2))
        return
    typer.echo(row.pop("text"))
    typer.echo()
    for name, value in row.items():
        typer.echo(f"{name:>14}  {', '.join(value) if isinstance(value, list) else value}")


def _feature(library: Any, name: str) -> Any:
    """Return a feature's wordings, or end with the nearest name."""
    try:
        return library.feature(name)
    except KeyError as error:
        raise typer.BadParameter(str(error.args[0])) from error


def _row(prompt: Any, answer_format: str | None = None) -> dict[str, Any]:
    """Return what identifies and describes a wording as sent."""
    from semiology.prompts.library import prompt_hash, render

    text = render(prompt, answer_format)
    return {
        "feature": prompt.feature,
        "id": prompt.id,
        "family": prompt.family,
        "polarity": prompt.polarity,
        "provenance": prompt.provenance,
        "source": prompt.source,
        "also": list(prompt.also),
        "note": prompt.note or "",
        "answer_format": answer_format or prompt.answer,
        "bytes": len(text.encode("utf-8")),
        "sha256": prompt_hash(text),
        "text": text,
    }


def _print_table(rows: list[dict[str, Any]]) -> None:
    """Print the wordings as a table: fitted to a terminal, with full columns where the output is piped."""
    from rich.console import Console
    from rich.table import Table

    table = Table(box=None, pad_edge=False)
    for name in ("feature", "id", "family", "provenance", "format", "hash", "begins"):
        table.add_column(name, no_wrap=True, overflow="ellipsis")
    for row in rows:
        begins = row["text"] if len(row["text"]) <= FIRST_WORDS else row["text"][: FIRST_WORDS - 1] + "…"
        cells = [row[name] for name in ("feature", "id", "family", "provenance", "answer_format")]
        table.add_row(*cells, row["sha256"][:SHORT_HASH], begins)
    console = Console()
    if not console.is_terminal:
        console = Console(width=200)
    console.print(table, markup=False)


@app.command("strokerehab", epilog=examples("semiology prompts strokerehab primitives/motion"))
def list_strokerehab(
    question: Annotated[
        str, typer.Argument(help="Show the texts of questions that begin so, such as primitives/motion.")
    ] = "",
    as_json: JsonOption = False,
) -> None:
    """List the questions of the stroke-rehabilitation tasks with their wordings; with a name also their texts."""
    from semiology.prompts.strokerehab_library import load_rehab_library

    shown = {name: each for name, each in load_rehab_library().by_name().items() if name.startswith(question)}
    if not shown:
        raise typer.BadParameter(f"no question begins with {question!r} → leave it out to list all")
    if as_json:
        rows = [
            {"question": name, **prompt.model_dump(mode="json")}
            for name, each in shown.items()
            for prompt in each.prompts
        ]
        typer.echo(json.dumps(rows, indent=2, ensure_ascii=False))
        return
    for name, each in shown.items():
        if not question:
            typer.echo(f"{name}: {', '.join(prompt.id for prompt in each.prompts)}")
            continue
        for prompt in each.prompts:
            typer.echo(f"{name} {prompt.id} ({prompt.provenance}; {prompt.source})\n  {prompt.text}")
