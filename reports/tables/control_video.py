"""The table of false alarms in control video."""

from __future__ import annotations

from collections.abc import Sequence

from semiology.metrics.scores.false_alarms import ANY
from semiology.render.table import Column, Document, Row, Table
from semiology.render.text import counted
from semiology.reports.summary.control_video import RunAlarms
from semiology.reports.tables.estimates import number_of

COLUMNS = (
    Column("run", left=True),
    Column("feature", left=True),
    Column("false alarms per hour [95 %]"),
    Column("alarms"),
    Column("hours", ".2f"),
    Column("recordings", rank=1),
    Column("patients", rank=1),
    Column("windows unparsed", layout="{} of {}", rank=2),
)
_REMARKS = (
    (
        "An alarm: windows that touch or overlap and are all answered yes where the expert says no. Hours: asked "
        "about, each second once. any feature: alarms of all features joined."
    ),
    (
        "Intervals: Poisson, widened by how far patients differ. Windows answered neither yes nor no are counted "
        "and are no alarm."
    ),
    (
        "In the scores above, control video counts among the recordings without the features; `--by diagnosis` shows "
        "it apart."
    ),
)


def control_document(runs: Sequence[RunAlarms]) -> Document:
    """Return the table, a row for each feature and for any, by run."""
    rows = []
    for each in runs:
        for one in each.alarms:
            cells = (
                each.run.label,
                one.feature,
                number_of(one.rate),
                one.alarms,
                one.hours,
                one.n_recordings,
                one.n_patients,
                (one.unparsed, one.windows),
            )
            last = one.feature == ANY
            rows.append(Row(cells, style="bold" if last else "", ends=last))
    notes = [
        f"{each.run.label}: {counted(each.n_untimed, 'answer')} without the times of a window left out"
        for each in runs
        if each.n_untimed
    ]
    notes += [
        f"{each.run.label}: no feature is annotated as absent in control video, so there is no alarm to count"
        for each in runs
        if not each.alarms
    ]
    table = Table("False alarms in control video", COLUMNS, tuple(rows), stem="control_video_alarms")
    return Document("Control video", (table,) if rows else (), (), _REMARKS, tuple(notes))
