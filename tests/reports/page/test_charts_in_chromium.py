"""Charts and tables that the page's libraries make: what they hold, that text stays text, that keys reach them."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from report_examples import FEATURES, full_run, rows_of, write_run
from typer import Typer
from typer.testing import CliRunner

from semiology.reports.commands import report

Open = Callable[..., Any]
HOSTILE_NAME = "lab/<img src=x onerror=document.title='pwned'>"


def made(runs: Path, out: Path, *more: str) -> Path:
    """Write a report over runs; return its page."""
    app = Typer()
    app.command()(report)
    done = CliRunner().invoke(app, [str(runs), "--out", str(out), "--resamples", "200", *more])
    assert done.exit_code == 0, done.output
    return out / "report.html"


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page over `full_run`, a run with P(yes), a model of a hostile name and a search for a wording."""
    base = tmp_path_factory.mktemp("charts")
    full_run(base / "runs")
    sure = [
        row | {"p_yes": 0.8 if row["answer"] == "yes" else 0.3, "polarity": "positive"}
        for row in rows_of("tonic", skill=0.8, seed=3)
    ]
    write_run(base / "runs", sure, "lab/sure")
    write_run(base / "runs", rows_of("tonic", skill=0.7, seed=4), HOSTILE_NAME)
    (base / "search").mkdir()
    found = {
        "feature": "tonic", "objective": "f1", "chosen": 1, "metric_calls": 300,
        "candidates": [
            {"number": i, "origin": "written", "parents": [], "development": {"f1": score},
             "wording": f"wording {i}", "metric_calls": calls}
            for i, (score, calls) in enumerate(((0.4, 50), (0.7, 100), (0.6, 280)))
        ],
    }  # fmt: skip
    (base / "search" / "lineage.json").write_text(json.dumps(found))
    return made(base / "runs", base / "report", "--lineage", str(base / "search"))


def key_of(page: Any, label: str) -> str:
    """The key of a run, by which charts and cells name it."""
    runs = page.evaluate("JSON.parse(document.getElementById('data').textContent).runs")
    return str(next(run["key"] for run in runs if run["label"] == label))


def rows_in(page: Path, name: str) -> list[dict[str, str]]:
    with (page.parent / "tables" / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_charts_hold_a_mark_for_every_value(written: Path, open_page: Open) -> None:
    opened = open_page(written)
    page = opened.page
    for details in page.locator("details.fold").all():
        details.evaluate("node => { node.open = true; }")
    page.locator("[data-chart^=risk] svg").first.wait_for()

    def dots(chart: str) -> int:
        return page.locator(f"[data-chart='{chart}'] g[aria-label=dot] :is(circle, path)").count()

    headline = rows_in(written, "headline.csv")
    assert dots("headline") == len(headline) == 4
    assert page.locator("[data-chart=headline] g[aria-label=tick] line").count() == len(headline)
    assert dots(f"answers-{key_of(page, 'first')}") == 3 * len(FEATURES)
    # Three wordings of which the reference is best: each stands by its role, and the one selected by others.
    roles = page.evaluate(
        "JSON.parse(document.getElementById('data').textContent).charts['wordings-0'].rows.length"
    )
    assert dots("wordings-0") == roles == 5 * len(FEATURES)
    assert dots("search-0") == 3
    assert dots("reliability-0") == 2
    assert (
        page.locator("figure[data-chart]:not(:has(svg[role=img][aria-label][aria-description]))").count() == 0
    )
    assert opened.messages == []


def test_a_tip_holds_the_values_of_its_row(written: Path, open_page: Open) -> None:
    page = open_page(written, "#headline").page
    row = next(row for row in rows_in(written, "headline.csv") if row["label"] == "first")
    chart = page.locator("[data-chart=headline]")
    chart.locator("g[aria-label=dot] circle").first.hover()  # the highest stands first
    told = chart.locator("g[aria-label=tip]").text_content()
    assert "first" in told
    assert (
        f"macro F1 {float(row['f1']):.2f} [{float(row['f1_low']):.2f}, {float(row['f1_high']):.2f}]" in told
    )


def test_names_and_tips_stay_text(written: Path, open_page: Open) -> None:
    opened = open_page(written, "#matrix?feature=tonic")
    page = opened.page
    name = HOSTILE_NAME.removeprefix("lab/")
    assert page.locator("#matrixtable thead th", has_text=name).count() == 1
    page.select_option("#errrun", label=name)
    assert name in page.locator("#errlist tbody tr").first.inner_text()
    place = [row["label"] for row in rows_in(written, "headline.csv")].index(name)
    page.locator("[data-chart=headline] g[aria-label=dot] circle").nth(place).hover()
    assert "<img src=x" in page.locator("[data-chart=headline] g[aria-label=tip]").text_content()
    page.locator("#matrixtable tbody tr").first.locator("button").last.click()
    assert page.locator("img").count() == 0
    assert page.title() == "Seizure semiology report"
    assert opened.messages == []


def test_keys_reach_a_window_and_the_address_tells_which(written: Path, open_page: Open) -> None:
    opened = open_page(written)
    page = opened.page
    first = key_of(page, "first")
    page.evaluate(f"location.hash = '#recordings?rec=P003_V1&run={first}&feature=clonic&window=1'")
    page.locator("#said h3").wait_for()
    assert "clonic, 0:25 to 0:55" in page.locator("#said h3").inner_text()
    assert page.locator("#timeline a.sel").count() == 1
    windows = page.locator("#timeline a")
    assert windows.count() == 2 * len(FEATURES)
    windows.first.focus()
    page.keyboard.press("Enter")
    assert "0:00 to 0:30" in page.locator("#said h3").inner_text()
    assert "window=0" in page.url
    assert opened.messages == []


def test_the_time_line_zooms(written: Path, open_page: Open) -> None:
    page = open_page(written, "#recordings?rec=P003_V1").page

    def wide() -> float:
        return float(page.locator("#timeline a rect").first.get_attribute("width"))

    before = wide()
    page.locator("#closer").click()
    assert wide() > 1.5 * before
    page.locator("#timeline a").nth(1).focus()
    page.keyboard.press("Enter")
    assert page.locator("#said h3").is_visible()
    page.locator("#wider").click()
    assert wide() == pytest.approx(before, abs=1)


def test_tables_sort_by_key_and_leave_what_is_missing_last(written: Path, open_page: Open) -> None:
    page = open_page(written, "#heatmap").page
    head = page.locator("#heat thead th", has_text="second")
    for way in ("descending", "ascending"):
        head.locator("[role=button]").focus()
        page.keyboard.press("Enter")
        page.locator(f"#heat thead th[aria-sort={way}]", has_text="second").wait_for()
    cells = page.locator("#heat tbody tr").evaluate_all("rows => rows.map((row) => row.cells[0].textContent)")
    page.locator("#heat thead th", has_text="sure").first.click()
    page.locator("#heat thead th[aria-sort=descending]", has_text="sure").wait_for()
    sure = page.locator("#heat thead th", has_text="sure").first.evaluate("head => head.cellIndex + 1")
    column = page.locator(f"#heat tbody td:nth-child({sure})").all_inner_texts()
    assert len(column) == len(cells) == len(FEATURES)
    assert not column[0].startswith("–")
    assert all(text.startswith("–") for text in column[1:])


def test_all_charts_are_printed(written: Path, open_page: Open) -> None:
    page = open_page(written).page
    assert page.locator("figure[data-chart]:not(:has(svg))").count() > 0  # those in closed parts
    page.evaluate("window.dispatchEvent(new Event('beforeprint'))")
    assert page.locator("figure[data-chart]:not(:has(svg))").count() == 0


def test_a_reader_without_a_script_has_the_tables(written: Path, browser: Any) -> None:
    context = browser.new_context(java_script_enabled=False, offline=True)
    try:
        page = context.new_page()
        page.goto(written.resolve().as_uri())
        assert page.locator("#headline-table tbody tr:visible").count() == 4
        assert page.locator("#heat tbody tr:visible").count() == len(FEATURES)
    finally:
        context.close()
