"""What the charts of the page draw: values with intervals, wordings, calibration, and the course of a search.

Two kinds: ``ranges`` has a line for each name, ``panels`` a small panel for each. Their rows hold ``name``, ``what``
is measured, ``value``, ``low`` and ``high`` where there is an interval, and ``more`` for the tip.
`templates/scripts/charts.js` draws them; every number stands in a table of the page or in a file beside it too.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from semiology.render.text import counted

Row = dict[str, Any]
Chart = dict[str, Any]
SHOWN_AS = {"chosen": (5, "blue", "blue"), "front": (3.6, "soft", "soft"), "left": (3.6, "back", "soft")}
"""Size, colour and outline of a wording of a search: selected, on the last Pareto front, left behind."""


def page_charts(content: Mapping[str, Any]) -> dict[str, Chart]:
    """Return the charts by the id of their figure.

    Args:
        content: of the page: verdicts, headline, wordings, enhancements, certainty, lineage.
    """
    certainty = content["certainty"] or {"parts": ()}
    drawn = [(i, part) for i, part in enumerate(certainty["parts"]) if part["drawn"]]
    made: dict[str, Chart | None] = {
        "headline": _headline(content["headline"]),
        **{f"answers-{run['key']}": _rates(run) for run in content["verdicts"]},
        **{f"wordings-{i}": _wordings(model) for i, model in enumerate(content["wordings"])},
        **{f"enhancements-{i}": _changes(part) for i, part in enumerate(content["enhancements"])},
        **{f"reliability-{i}": _reliability(part) for i, part in drawn},
        **{f"risk-{i}": _risk(part, certainty["error"]) for i, part in drawn},
        **{f"search-{i}": _search(tree) for i, tree in enumerate(content["lineage"])},
    }
    return {name: chart for name, chart in made.items() if chart is not None and chart["rows"]}


def _row(name: str, what: str, estimate: Mapping[str, Any], more: str = "") -> Row:
    limits = {side: estimate[side] for side in ("low", "high") if side in estimate}
    return {"name": name.replace("_", " "), "what": what, "value": estimate["value"], **limits, "more": more}


def _headline(headline: Sequence[Mapping[str, Any]]) -> Chart:
    rows = [
        _row(
            each["label"],
            "macro F1",
            each["f1"],
            f"{each['verdict']}; {counted(each['recordings'], 'recording')}",
        )
        for each in headline
    ]
    ticks = [_row(each["label"], "always-yes", {"value": each["always_yes"]}) for each in headline]
    return {
        "kind": "ranges",
        "title": "Macro F1 of each model",
        "label": "macro F1",
        "rows": rows,
        "ticks": ticks,
    }


def _rates(run: Mapping[str, Any]) -> Chart:
    rows = [
        _row(each["feature"], rate["title"], rate, f"{rate['part']} of {rate['whole']}")
        for each in run["rows"]
        for rate in each["rates"]
    ]
    return {
        "kind": "ranges",
        "title": f"Sensitivity, specificity and PPV of {run['label']}",
        "label": "share, with its 95 % interval",
        "rows": rows,
        "panels": list(dict.fromkeys(row["what"] for row in rows)),
        "wide": True,
    }


def _wordings(model: Mapping[str, Any]) -> Chart:
    rows: list[Row] = []
    ticks: list[Row] = []
    for strip in model["strips"]:
        feature = strip["feature"]
        for point in strip["points"]:
            if point["role"] == "other":
                rows.append(
                    _row(feature, point["name"], {"value": point["f1"]}, point["family"]) | {"role": "other"}
                )
        for role in ("reference", "worst", "best"):
            if point := strip[role]:
                rows.append(
                    _row(feature, f"{role}: {point['name']}", {"value": point["f1"]}, point["family"])
                    | {"role": role}
                )
        if chosen := strip["chosen"]:
            found = _row(feature, "development-selected", chosen, ", ".join(chosen["names"]))
            rows.append(found | {"role": "selected"})
        ticks.append(_row(feature, "always-yes", {"value": strip["always_yes"]}))
    return {
        "kind": "ranges",
        "title": f"F1 of each wording, {model['model']}",
        "label": "F1 of each wording",
        "rows": rows,
        "ticks": [tick for tick in ticks if tick["value"] is not None],
    }


def _changes(part: Mapping[str, Any]) -> Chart:
    rows = [
        _row(
            each["name"],
            "change of F1",
            each["difference"],
            f"{each['verdict']}; {counted(each['n'], 'recording')}",
        )
        for each in sorted(part["rows"], key=lambda each: not each["mean"])
    ]
    return {
        "kind": "ranges",
        "title": f"Change of F1, {part['title']}",
        "label": "change of F1",
        "domain": [-1, 1],
        "rows": rows,
        "ticks": [_row(row["name"], "no change", {"value": 0}) for row in rows],
    }


def _reliability(part: Mapping[str, Any]) -> Chart:
    rows = [
        _row(
            each["feature"],
            f"P(yes) {bin['mean']:.2f}: share with the feature",
            bin,
            counted(bin["n"], "recording"),
        )
        | {"x": bin["mean"], "r": 2 if bin["n"] < 10 else 3.2 if bin["n"] < 50 else 4.4}
        for each in part["rows"]
        for bin in each["bins"]
    ]
    return {**_panels(rows), "title": f"Reliability of P(yes), {part['title']}", "label": "share with the feature",
            "below": {"label": "mean P(yes)", "most": 1}, "ideal": True}  # fmt: skip


def _risk(part: Mapping[str, Any], error: float) -> Chart:
    rows = [
        _row(each["feature"], f"{covered:.0%} answered: share wrong", {"value": wrong}) | {"x": covered}
        for each in part["rows"]
        for covered, wrong in each["curve"]
    ]
    top = max((row["value"] for row in rows), default=0)
    return {**_panels(rows), "title": f"Risk and coverage, {part['title']}", "label": "share wrong",
            "below": {"label": "share answered, surest first", "most": 1}, "domain": [0, 0.5 if top <= 0.5 else 1],
            "course": "linear", "level": error}  # fmt: skip


def _search(tree: Mapping[str, Any]) -> Chart | None:
    chart = tree["chart"]
    if not chart:
        return None
    rows, best = [], -1.0
    for point in chart["points"]:
        size, fill, stroke = SHOWN_AS[point["kind"]]
        more = {"chosen": "selected", "front": "on the last Pareto front"}.get(point["kind"], "")
        row = _row(tree["title"], f"wording {point['number']}:", {"value": point["score"]}, more)
        better = point["score"] > best
        best = max(best, point["score"])
        rows.append(row | {"x": point["calls"], "r": size, "fill": fill, "stroke": stroke, "best": better})
    rows.append(_row(tree["title"], "best so far", {"value": best}) | {"x": chart["most"], "best": True})
    objective = chart["objective"].replace("_", " ")
    return {**_panels(rows), "title": f"Development {objective} by answers used, {tree['title']}",
            "label": objective, "below": {"label": "answers used", "most": chart["most"]},
            "course": "step-after"}  # fmt: skip


def _panels(rows: Sequence[Row]) -> Chart:
    return {
        "kind": "panels",
        "wide": True,
        "rows": rows,
        "names": list(dict.fromkeys(row["name"] for row in rows)),
    }
