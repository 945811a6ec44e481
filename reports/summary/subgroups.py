"""Scores by subgroup (``--by COLUMN``): what a recording's subgroup is, and the scores of every run in each."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from semiology.data.problems import RecordingSetError
from semiology.data.recording_set import Recording
from semiology.data.tables.cells import one_spelling, says_nothing
from semiology.data.tables.csv_tables import Table, closest, read_table
from semiology.data.tables.reading import NO_EVENT, RECORDINGS
from semiology.features import FEATURES
from semiology.metrics.scores.classification import Policy
from semiology.metrics.scores.subgroups import SubgroupScores, score_subgroups
from semiology.render.text import counted
from semiology.reports.protected import ScoredSet
from semiology.reports.read.asked import Asked
from semiology.reports.read.feature_answers import Results
from semiology.reports.summary.features import labelled_recordings

MOST_VALUES = 8
"""A column of more values is no grouping: free text, ids or plain numbers."""


@dataclass(frozen=True)
class Grouping:
    """A column of recordings.csv, or a feature whose presence groups recordings.

    Attributes:
        column: its name. values: by video id; recordings without a value are left out.
        refused: why nothing is grouped by it; None if it can be.
    """

    column: str
    values: Mapping[str, str]
    refused: str | None = None


@dataclass(frozen=True)
class RunSubgroups:
    """The subgroups of one run by one column."""

    run: Asked
    column: str
    scores: SubgroupScores


def read_groupings(scored: ScoredSet, columns: Sequence[str]) -> tuple[Grouping, ...]:
    """Return the subgroups that the recordings of a set fall into, of those that may be scored.

    Args:
        scored: the set. columns: of recordings.csv, in any case, or features (whether they are present).

    Raises:
        ValueError: there is no such column or feature.
        RecordingSetError: annotations that tell a feature have faults.
    """
    if not columns:
        return ()
    table = read_table(scored.directory / RECORDINGS)
    found = []
    values: dict[str, str]
    for name in dict.fromkeys(each.strip().lower() for each in columns):
        if name in FEATURES and name not in table.columns:
            if scored.faults:
                raise RecordingSetError(scored.faults)
            shown = [a for a in scored.annotations if a.feature == name and a.present != "na"]
            values = {each.video_id: each.present for each in shown}
        else:
            values = column_values(
                table, scored.handed_out.recordings, name, "--by", ", or a feature", FEATURES
            )
        found.append(Grouping(name, values, refused_values(f"by {name}", values)))
    return tuple(found)


def column_values(
    table: Table,
    recordings: Iterable[Recording],
    name: str,
    option: str,
    beside: str = "",
    further: Sequence[str] = (),
) -> dict[str, str]:
    """Return what a column of recordings.csv says of recordings, by video id, each value in one spelling.

    Recordings whose cell is empty or a missing value such as ``#N/A`` are left out.

    Args:
        table: recordings.csv. recordings: those wanted. name: of the column, in lower case.
        option: that named it. beside, further: what else it may name, in words and as names, for the message.

    Raises:
        ValueError: there is no such column.
    """
    wanted = {each.video_id: each for each in recordings}
    if name == "diagnosis":  # in one spelling, whatever the cells say
        values = {v: NO_EVENT if r.control else r.diagnosis or "" for v, r in wanted.items()}
    elif name in table.columns:
        cells = {row["video_id"]: row[name] for row in table.rows if row["video_id"] in wanted}
        cells = {video: cell for video, cell in cells.items() if not says_nothing(cell)}
        spelling = one_spelling(cells.values())
        values = {video: spelling[cell] for video, cell in cells.items()}
    else:
        near = closest(name, [*table.columns, *further])
        meant = f"; did you mean {near!r}?" if near else ""
        columns_told = ", ".join(filter(None, table.headings))
        raise ValueError(
            f"{option} {name}: {RECORDINGS} has no such column{meant} → use one of {columns_told}{beside}"
        )
    return {video: value for video, value in values.items() if value}


def refused_values(what: str, values: Mapping[str, str]) -> str | None:
    """Return why values by recording are no groups, in a sentence that begins with ``what``; None if they are."""
    distinct = Counter(values.values())
    if len(distinct) > MOST_VALUES:
        return (
            f"{what}: {len(distinct)} different values in {counted(len(values), 'recording')} look like free text, "
            f"ids or numbers → write at most {MOST_VALUES} groups (such as age bands) into a column of their own"
        )
    if len(distinct) < 2:
        held = f"holds {next(iter(distinct))!r} alone" if distinct else "is empty"
        return f"{what}: the column {held} → there is nothing to compare"
    return None


def summarise_subgroups(
    results: Results, groupings: Sequence[Grouping], *, policy: Policy = "wrong", seed: int = 0
) -> tuple[RunSubgroups, ...]:
    """Score every run by every grouping that is not refused; the feature that groups is not scored itself."""
    usable = [each for each in groupings if each.refused is None]
    if not usable:
        return ()
    recordings = labelled_recordings(results.answers)
    found = []
    for (model, enhancement, prompt), rows in recordings.groupby(
        ["model", "enhancement", "prompt_id"], sort=True
    ):
        for each in usable:
            names = [name for name in FEATURES if name != each.column]
            scores = score_subgroups(rows, each.values, names, policy=policy, seed=seed)
            found.append(RunSubgroups(Asked(str(model), str(prompt), str(enhancement)), each.column, scores))
    return tuple(found)
