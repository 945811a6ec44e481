"""The time lines of S3 tasks 4 and 5 as places on a drawing: what the template draws, and nothing else."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from semiology.features import label_of
from semiology.reports.read.asked import Asked
from semiology.reports.summary.s3_timelines import TimedFeature, TimeLine

MOST_TIME_LINES = 150
"""Recordings and runs that the page draws; all are in the table of cases."""
LEFT, WIDTH, ROW, HEAD = 190, 740, 22, 22
"""Of the drawing, in px: where time begins, its whole width, the height of a line, and that of the scale."""
_STEPS = (1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1800, 3600)
_MOST_TICKS = 9


def time_line_figures(lines: Sequence[TimeLine], names: Mapping[str, str]) -> dict[str, Any]:
    """Return the drawings, and how many found no room.

    Args:
        lines: of `semiology.reports.summary.s3_timelines.time_lines`. names: what each recording is called on the page.
    """
    shown = [_figure(line, names[line.video_id]) for line in lines[:MOST_TIME_LINES]]
    offsets = any(one.offset_s is not None for line in lines for one in line.features.values())
    return {
        "figures": shown,
        "left_out": len(lines) - len(shown),
        "left": LEFT,
        "width": WIDTH,
        "offsets": offsets,
    }


def _figure(line: TimeLine, name: str) -> dict[str, Any]:
    def at(seconds: float) -> float:
        share = min(max(seconds / line.length_s, 0.0), 1.0)
        return round(LEFT + share * (WIDTH - LEFT - 8), 1)

    step = next((s for s in _STEPS if line.length_s / s <= _MOST_TICKS), _STEPS[-1])
    ticks = [{"x": at(s), "text": f"{s:g} s"} for s in range(0, int(line.length_s) + 1, step)]
    rows = [
        _row(label_of(feature), one, HEAD + i * ROW, at)
        for i, (feature, one) in enumerate(line.features.items())
    ]
    return {
        "run": Asked(line.model, line.prompt, line.enhancement).label,
        "recording": name,
        "height": HEAD + ROW * len(rows) + 4,
        "ticks": ticks,
        "rows": rows,
    }


def _row(label: str, one: TimedFeature, top: float, at: Any) -> dict[str, Any]:
    end = one.onset_s if one.offset_s is None else one.offset_s
    expert = None
    said = "not seen by the expert"
    if one.onset_s is not None and end is not None:
        expert = {"x": at(one.onset_s), "width": max(round(at(end) - at(one.onset_s), 1), 3.0)}
        said = f"expert {one.onset_s:g}" + ("" if one.offset_s is None else f" to {one.offset_s:g}") + " s"
    told = []
    for each in one.told:
        form = f"{each.form} clip " if each.form else "clip "
        place = f"{form}{each.start_s:g} to {each.end_s:g} s"
        if each.time_s is None:
            told.append({"x": None, "title": f"task 4, {place}: not understood"})
        else:
            told.append({"x": at(each.time_s), "title": f"task 4, {place}: {each.time_s:g} s"})
    listed = [
        {
            "x": at(w.start_s),
            "width": max(round(at(w.end_s) - at(w.start_s), 1), 3.0),
            "place": w.place,
            "title": f"task 5: listed as number {w.place} of the window {w.start_s:g} to {w.end_s:g} s",
        }
        for w in one.listed
    ]
    return {
        "label": label,
        "top": top,
        "middle": top + ROW / 2,
        "expert": expert,
        "said": said,
        "told": told,
        "listed": listed,
        "unread": sum(each["x"] is None for each in told),
    }
