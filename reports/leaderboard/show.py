"""A leaderboard as a table: only entries about the same data, asked about alike, are ranked together."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Console

from semiology.render.table import Cell, Column, Document, Lines, Number, Row, Table, print_document
from semiology.render.text import counted
from semiology.reports.leaderboard.models import HUMAN
from semiology.reports.read.asked import Texts, different_questions

COLUMNS = (
    *(Column(name, left=True) for name in ("model", "revision", "laboratory", "wording", "enhancement")),
    Column("macro balanced accuracy", ".3f"),
    Column("macro F1", ".3f"),
    Column("always-yes"),
    Column("unparsed", ".0%"),
)
NONE = "–"
PUBLISHED = "published answers"
ONLY_PEOPLE = "Human readers, by name: not ranked"
_OPTIONAL = ("revision", "laboratory")
"""Left out where no entry tells."""
OVERLAP = (
    "= : the interval overlaps that of the first. No order in this table is a claim, with or without the mark: "
    "whether one model is better is decided by `semiology compare`, which tests it with the answers."
)


def groups(entries: Sequence[Mapping[str, Any]], group: str) -> dict[str, list[Mapping[str, Any]]]:
    """Return models that can be ranked together, best first, by what they are about. Human readers are not among them.

    Entries belong together if data, features of the group and the treatment of unusable answers are the same.
    Data are the same if their fingerprints are, whatever each laboratory calls them; without a fingerprint
    only those of one name and laboratory are.
    """
    ranked = {title: models for title, (models, _) in _together(entries, group).items()}
    return {title: models for title, models in ranked.items() if models}


def readers(entries: Sequence[Mapping[str, Any]], group: str) -> dict[str, list[Mapping[str, Any]]]:
    """Return human readers, by name, under the titles of `groups`: beside models on the same data, never among them."""
    found = {title: people for title, (_, people) in _together(entries, group).items()}
    return {title: people for title, people in found.items() if people}


def _together(
    entries: Sequence[Mapping[str, Any]], group: str
) -> dict[str, tuple[list[Mapping[str, Any]], list[Mapping[str, Any]]]]:
    """Return models, best first, and human readers, by name, of the same data, by title."""
    found: dict[tuple[Any, ...], list[Mapping[str, Any]]] = defaultdict(list)
    for entry in entries:
        macro, data = macro_of(entry, group), entry["data"]
        if macro is not None:
            known = data["fingerprint"] is not None
            same = (
                data["fingerprint"] if known else (_name(entry), entry["submitter"]),
                *(data[name] for name in ("simulated", "recordings", "patients")),
                tuple(macro["features"]),
                entry["protocol"]["unusable_answers"],
            )
            found[same].append(entry)

    def value(entry: Mapping[str, Any]) -> float:
        macro = macro_of(entry, group)
        found = macro["scores"]["balanced_accuracy"]["value"] if macro else None
        return -1.0 if found is None else float(found)

    titled: dict[str, tuple[list[Mapping[str, Any]], list[Mapping[str, Any]]]] = {}
    for together in found.values():
        title = _about(together, group)
        while title in titled:  # two sets may look alike from outside
            title += " "
        models = [entry for entry in together if entry["source"] != HUMAN]
        people = [entry for entry in together if entry["source"] == HUMAN]
        by_name = sorted(people, key=lambda entry: str(entry["model"]["name"]))
        titled[title] = sorted(models, key=value, reverse=True), by_name
    return {title: titled[title] for title in sorted(titled)}


def macro_of(entry: Mapping[str, Any], group: str) -> Mapping[str, Any] | None:
    """Return the macro means of a group, or None."""
    return next((macro for macro in entry["macro"] if macro["group"] == group), None)


def cells(ranked: Sequence[Mapping[str, Any]], group: str, *, marked: bool = True) -> list[tuple[Cell, ...]]:
    """Return the rows of one table under `COLUMNS`; if ``marked``, with ``=`` where intervals overlap."""
    first = macro_of(ranked[0], group)
    assert first is not None
    rows: list[tuple[Cell, ...]] = []
    for number, entry in enumerate(ranked):
        macro = macro_of(entry, group)
        assert macro is not None
        scores = macro["scores"]
        a, b = scores["balanced_accuracy"], first["scores"]["balanced_accuracy"]
        unknown = None in (a["low"], a["high"], b["low"], b["high"])
        tie = marked and number > 0 and (unknown or (a["low"] <= b["high"] and b["low"] <= a["high"]))
        rows.append(
            (
                f"{entry['model']['name']}{' =' if tie else ''}",
                entry["model"]["revision"] or NONE,
                PUBLISHED if entry["source"] == PUBLISHED else entry["submitter"] or NONE,
                entry["protocol"]["wording"],
                entry["protocol"]["enhancement"],
                Number(**scores["balanced_accuracy"]),
                Number(**scores["f1"]),
                macro["always_yes_f1"],
                scores["unparsed_rate"]["value"],
            )
        )
    return rows


def print_board(entries: Sequence[Mapping[str, Any]], group: str, console: Console) -> None:
    """Print one table for each set of data."""
    parts: list[Table | Lines] = []
    for about, (models, people) in _together(entries, group).items():
        if models:
            parts.append(_table(about, cells(models, group)))
        if people:
            title = (
                "Human readers of the same recordings, by name: not ranked"
                if models
                else f"{about}. {ONLY_PEOPLE}"
            )
            parts.append(_table(title, cells(people, group, marked=False)))
        every = [*models, *people]
        caveats = dict.fromkeys(f"Note: {text}" for entry in every for text in entry["caveats"])
        caveats |= dict.fromkeys(f"Note: {text}" for text in different_questions(_asked(every, group)))
        parts.append(Lines(tuple(caveats), style="yellow"))
    if not parts:
        console.print(f"No entry has macro means of the group {group}.")
        return
    print_document(Document("", tuple(parts), remarks=(OVERLAP,)), console)


def _table(title: str, rows: Sequence[tuple[Cell, ...]]) -> Table:
    """Return a table without the optional columns that no entry fills."""
    shown = [
        i
        for i, column in enumerate(COLUMNS)
        if column.name not in _OPTIONAL or any(row[i] != NONE for row in rows)
    ]
    columns = tuple(COLUMNS[i] for i in shown)
    return Table(title, columns, tuple(Row(tuple(row[i] for i in shown)) for row in rows))


def _asked(ranked: Sequence[Mapping[str, Any]], group: str) -> dict[str, tuple[str, Texts]]:
    """Return the wordings of each model and what was sent about the features of a group."""
    found: dict[str, tuple[str, Texts]] = {}
    for entry in ranked:
        macro, protocol = macro_of(entry, group), entry["protocol"]
        assert macro is not None
        unknown = f"{protocol['wording']} (text not recorded)"
        texts = {
            name: frozenset([protocol["prompt_sha256"].get(name, unknown)]) for name in macro["features"]
        }
        wording, known = found.get(entry["model"]["name"], ("", {}))
        joined = {name: each | known.get(name, frozenset()) for name, each in texts.items()}
        wordings = dict.fromkeys([*filter(None, [wording]), protocol["wording"]])
        found[entry["model"]["name"]] = " and ".join(wordings), joined
    return found


def _name(entry: Mapping[str, Any]) -> str:
    return entry["data"]["name"] or (PUBLISHED if entry["source"] == PUBLISHED else "unnamed set")


def _about(together: Sequence[Mapping[str, Any]], group: str) -> str:
    data, macro = together[0]["data"], macro_of(together[0], group)
    assert macro is not None
    names = " = ".join(sorted({_name(entry) for entry in together}))
    mark = f" {data['fingerprint'][:12]}" if data["fingerprint"] else ""
    simulated = ", simulated" if data["simulated"] else ""
    return (
        f"{names}{mark}{simulated}: {counted(data['recordings'], 'recording')}, "
        f"{counted(data['patients'], 'patient')}, {counted(len(macro['features']), 'feature')} "
        f"({macro['group']}), unusable answers {together[0]['protocol']['unusable_answers']}"
    )
