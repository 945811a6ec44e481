"""``semiology leaderboard``: numbers for other laboratories, without patients."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from semiology.render.help import command_group, examples
from semiology.render.outcome import tell_outcome, with_json
from semiology.render.strict_yaml import parse_yaml
from semiology.render.text import counted, json_text
from semiology.reports.options import PolicyOption, Resamples, Seed

leaderboard_app = command_group(
    "Results as a file that laboratories can exchange: scores and protocol, no recordings, no patients.",
    "semiology leaderboard export runs --out ours.json",
)
_Files = Annotated[list[Path], typer.Argument(help="Leaderboard files.")]


@leaderboard_app.command(
    "export",
    epilog=examples(
        "semiology leaderboard export runs --card cards.yaml --out ours.json",
        "semiology leaderboard export --baselines s3 --out published.json",
    ),
)
@with_json
def export_command(
    out: Annotated[Path, typer.Option(help="JSON file to write.", dir_okay=False)],
    runs: Annotated[list[Path] | None, typer.Argument(help="Folders of results.")] = None,
    baselines: Annotated[
        list[str] | None, typer.Option(help="Published answers: s3, embc or an imported table.")
    ] = None,
    card: Annotated[
        Path | None,
        typer.Option(
            help="YAML: model name → parameters_billions, licence, revision, developer, released, link."
        ),
    ] = None,
    submitter: Annotated[str | None, typer.Option(help="Name of the laboratory.")] = None,
    internal: Annotated[
        bool, typer.Option("--internal", help="Withhold nothing, for use within one institution.")
    ] = False,
    policy: PolicyOption = "wrong",
    resamples: Resamples = 2000,
    seed: Seed = 0,
) -> None:
    """Score runs and write their entries."""
    from semiology.reports.leaderboard.entries import ExportOptions, entries
    from semiology.reports.leaderboard.files import LeaderboardError, write_board
    from semiology.reports.published.baselines import features_alone, read_named_baselines
    from semiology.reports.read.feature_answers import read_results
    from semiology.reports.summary.features import summarise

    found = [read_results(runs)] if runs else []
    published = features_alone(read_named_baselines(baselines)) if baselines else None
    found += [published] if published else []
    if not found:
        raise LeaderboardError("there is nothing to export → give a results folder or --baselines")
    options = ExportOptions(_cards(card), submitter, internal)
    made: list[dict[str, Any]] = []
    for results in found:
        summary = summarise(results, policy=policy, resamples=resamples, seed=seed)
        made += entries(results, summary, options)
    typer.echo("What travels in this file, beside scores, counts and texts of licences:")
    for name, values in _telling(made).items():
        typer.echo(f"  {name}: {', '.join(values)}")
    write_board(out, made)
    tell_outcome(file=out, entries=len(made), travels=_telling(made))
    withheld = {row["feature"] for entry in made for row in entry["features"] if row["withheld"]}
    typer.echo(f"{counted(len(made), 'entry', 'entries')} → {out}")
    if withheld:
        typer.echo(
            f"The scores on {', '.join(sorted(withheld))} are withheld, in some entries at least, and left out of "
            "the means: they rest on fewer than 5 patients (--internal gives them)"
        )


def _telling(made: Sequence[Mapping[str, Any]]) -> dict[str, list[str]]:
    """Return every text of the entries by its field, so that a person sees what leaves the house."""
    found: dict[str, dict[str, None]] = {}

    def look(name: str, value: Any) -> None:
        if isinstance(value, Mapping):
            for key, inner in value.items():
                look(f"{name}.{key}" if name else str(key), inner)
        elif isinstance(value, (list, tuple)):
            for inner in value:
                look(name, inner)
        elif isinstance(value, str) and value:
            found.setdefault(name, {})[value] = None

    for entry in made:
        look("", {key: value for key, value in entry.items() if key != "features"})
    return {name: list(values) for name, values in found.items()}


@leaderboard_app.command(
    "import", epilog=examples("semiology leaderboard import theirs.json ours.json --into board.json")
)
@with_json
def import_command(
    sources: _Files,
    into: Annotated[Path, typer.Option(help="Leaderboard to add to; made if there is none.", dir_okay=False)],
    replace: Annotated[bool, typer.Option("--replace", help="Take new scores of known entries.")] = False,
) -> None:
    """Check files of other laboratories and add their entries to a leaderboard."""
    from semiology.reports.leaderboard.files import merged, read_board, write_board

    known: list[Mapping[str, Any]] = list(read_board(into)["entries"]) if into.exists() else []
    added = replaced = 0
    for source in sources:
        known, more, changed = merged(known, read_board(source)["entries"], replace=replace)
        added, replaced = added + more, replaced + changed
    write_board(into, known)
    tell_outcome(file=into, added=added, replaced=replaced, entries=len(known))
    typer.echo(
        f"{counted(added, 'entry', 'entries')} added, {replaced} replaced → {into}: "
        f"{counted(len(known), 'entry', 'entries')}"
    )


@leaderboard_app.command("show", epilog=examples("semiology leaderboard show board.json"))
def show_command(
    sources: _Files,
    group: Annotated[
        Literal["visual", "limb_body", "facial", "audio", "all"], typer.Option(help="Features to average.")
    ] = "visual",
    as_json: Annotated[bool, typer.Option("--json", help="Print the entries as JSON.")] = False,
) -> None:
    """Rank entries about the same data, and say which ranks are not established."""
    from semiology.render.table import table_console
    from semiology.reports.leaderboard.files import merged, read_board
    from semiology.reports.leaderboard.show import print_board

    entries: list[Mapping[str, Any]] = []
    for source in sources:
        entries, _, _ = merged(entries, read_board(source)["entries"])
    if as_json:
        typer.echo(json_text(entries))
        return
    print_board(entries, group, table_console(160))


@leaderboard_app.command("validate", epilog=examples("semiology leaderboard validate theirs.json"))
@with_json
def validate_command(sources: _Files) -> None:
    """Hold files against the schema; every fault is listed, and the exit status is 2 if there is one."""
    from semiology.reports.leaderboard.files import LeaderboardError, read_board

    wrong: list[str] = []
    for source in sources:
        try:
            count = len(read_board(source)["entries"])
        except LeaderboardError as error:
            wrong.append(str(error))
        else:
            typer.echo(f"{source}: {counted(count, 'entry', 'entries')}, no fault")
    tell_outcome(files=sources, faults=wrong)
    if wrong:
        raise LeaderboardError("\n".join(wrong))


@leaderboard_app.command("schema", epilog=examples("semiology leaderboard schema > schema.json"))
def schema_command() -> None:
    """Print the JSON schema of the format."""
    from semiology.reports.leaderboard.files import schema

    typer.echo(json.dumps(schema(), indent=2))


def _cards(path: Path | None) -> dict[str, dict[str, Any]]:
    import yaml

    if path is None:
        return {}
    if not path.is_file():
        raise ValueError(f"{path}: there is no such file → write a YAML table: model name → its card")
    try:
        content = parse_yaml(path) or {}
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ValueError(
            f"{path}: cannot be read as YAML ({error}) → write: model name, then its keys"
        ) from None
    if not isinstance(content, dict) or not all(isinstance(card, dict) for card in content.values()):
        raise ValueError(f"{path}: is no table of model cards → write: model name, then its keys indented")
    kept = (int, float, type(None))  # everything else (a date, say) is text
    return {
        str(name): {str(key): value if isinstance(value, kept) else str(value) for key, value in card.items()}
        for name, card in content.items()
    }
