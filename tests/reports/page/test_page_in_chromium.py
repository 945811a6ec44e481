"""The page as a reader meets it: from a file, with the network off, in headless Chromium."""

from __future__ import annotations

import csv
import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from report_examples import HOSTILE, full_run
from s3_examples import all_tasks, write_s3_run
from typer import Typer
from typer.testing import CliRunner

from semiology.reports.commands import report

Open = Callable[..., Any]


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A report over `full_run`; the folder."""
    base = tmp_path_factory.mktemp("page")
    out = base / "report"
    app = Typer()
    app.command()(report)
    words = [str(full_run(base / "runs")), "--out", str(out), "--resamples", "200"]
    done = CliRunner().invoke(app, words)
    assert done.exit_code == 0, done.output
    return out


def table(written: Path, name: str) -> list[dict[str, str]]:
    with (written / "tables" / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def until(reached: Callable[[], bool], seconds: float = 30) -> None:
    """Wait for something on the page.

    `Page.wait_for_function` asks again inside the page with `eval`, which the page's own security
    policy forbids as soon as the first look comes too early; this asks from outside.
    """
    end = time.monotonic() + seconds
    while not reached():
        assert time.monotonic() < end, f"not reached within {seconds:g} seconds"
        time.sleep(0.05)


def test_it_opens_offline_without_an_error_and_asks_for_nothing(written: Path, open_page: Open) -> None:
    opened = open_page(written / "report.html")
    assert opened.messages == []
    assert opened.requests == []
    assert opened.page.title() == "Seizure semiology report"


def test_a_hostile_reply_is_text_and_stays_text(written: Path, open_page: Open) -> None:
    opened = open_page(written / "report.html", "#recordings?rec=P000_V0")
    opened.page.locator("#timeline a[*|href*='feature=tonic']").first.click()
    assert HOSTILE in opened.page.locator("#said").inner_text()
    assert opened.page.locator("#said img, #said script").count() == 0
    assert opened.page.title() == "Seizure semiology report"
    assert opened.messages == []


def test_the_numbers_of_the_heatmap_are_those_of_the_table(written: Path, open_page: Open) -> None:
    page = open_page(written / "report.html").page
    rows = table(written, "heatmap.csv")
    runs = {
        run["label"]: run["key"]
        for run in page.evaluate("JSON.parse(document.getElementById('data').textContent).runs")
    }
    assert len(rows) == 13
    for metric in ("f1", "f1_minus_always_yes", "balanced_accuracy"):
        page.select_option("#metric", metric)
        for row in rows:
            cell = page.locator(f"#heat td[data-run='{runs[row['run']]}'][data-feature='{row['feature']}']")
            shown = cell.locator(".v").text_content()
            assert shown == f"{float(row[metric]):.2f}".replace("-", "−"), row
    summary = {
        (row["model"], row["prompt"], row["enhancement"], row["name"]): float(row["f1"])
        for row in csv.DictReader((written / "summary.csv").open(encoding="utf-8"))
        if row["level"] == "feature"
    }
    first = next(row for row in rows if row["run"] == "first" and row["feature"] == "tonic")
    assert float(first["f1"]) == pytest.approx(summary["first", "s3", "none", "tonic"], abs=1e-4)


def test_only_what_clears_chance_is_coloured_and_partial_coverage_is_marked(
    written: Path, open_page: Open
) -> None:
    page = open_page(written / "report.html").page
    cells = {
        (cell.get_attribute("data-run"), cell.get_attribute("data-feature")): cell.get_attribute(
            "class"
        ).split()
        for cell in page.locator("#heat td[data-run]").all()
    }
    keys = {
        run["label"]: run["key"]
        for run in page.evaluate("JSON.parse(document.getElementById('data').textContent).runs")
    }
    for row in table(written, "heatmap.csv"):
        style = cells[keys[row["run"]], row["feature"]]
        coloured = any(name.startswith("h") for name in style)
        assert coloured == (row["clears_always_yes"] == "True")
        assert ("part" in style) == (int(row["n"]) < int(row["asked"]))
    assert any("part" in style for style in cells.values())
    assert any("dim" in style for style in cells.values())


def test_filters_sorting_and_search_work(written: Path, open_page: Open) -> None:
    expect = pytest.importorskip("playwright.sync_api").expect
    page = open_page(written / "report.html").page
    visible = "#heat tbody tr:not([hidden])"
    expect(page.locator(visible)).to_have_count(3)
    page.select_option("#group", "face")
    expect(page.locator(visible)).to_have_count(1)
    page.select_option("#group", "")
    page.fill("#search", "clonic")
    expect(page.locator(visible)).to_have_count(1)
    page.fill("#search", "")
    cells = "[...document.querySelectorAll('#heat tbody tr')].map(row => row.querySelector('td[data-run]'))"
    shown = f"{cells}.map(cell => Number(cell.dataset.value))"
    expected = sorted(page.evaluate(shown), reverse=True)
    page.locator("#heat thead th", has_text="first").first.click()
    until(lambda: page.evaluate(shown) == expected)
    expect(page.locator("#heat thead th.other[hidden]")).not_to_have_count(0)
    page.check("#others")
    expect(page.locator("#heat thead th.other[hidden]")).to_have_count(0)


def test_the_list_of_errors_counts_as_the_table_does(written: Path, open_page: Open) -> None:
    page = open_page(written / "report.html").page
    page.select_option("#errkind", "miss")
    told = int(page.locator("#errcount").inner_text().split()[0])
    assert told == sum(int(row["missed"]) for row in table(written, "counts.csv"))
    page.select_option("#errfeature", "tonic")
    fewer = int(page.locator("#errcount").inner_text().split()[0])
    assert fewer == sum(int(r["missed"]) for r in table(written, "counts.csv") if r["feature"] == "tonic")
    rows = page.locator("#errlist tbody tr")
    pytest.importorskip("playwright.sync_api").expect(rows).to_have_count(min(fewer, 50))
    rows.first.locator("a").click()
    page.wait_for_url(re.compile("#recordings[?]rec="))


def test_an_address_leads_to_a_recording_and_keys_move_on(written: Path, open_page: Open) -> None:
    page = open_page(written / "report.html", "#recordings?rec=P003_V1").page
    assert page.locator("#rec").input_value() == "P003_V1"
    page.locator("h1").click()
    page.keyboard.press("]")
    assert page.locator("#rec").input_value() == "P004_V0"
    assert "rec=P004_V0" in page.url
    page.locator("#heat td[data-run]").first.focus()
    page.keyboard.press("ArrowDown")
    assert "clonic" in page.locator("#celldetail h3").inner_text()
    page.keyboard.press("/")
    assert page.evaluate("document.activeElement.id") == "search"


@pytest.mark.parametrize("width", [1400, 400])
def test_nothing_is_wider_than_the_window(written: Path, open_page: Open, width: int) -> None:
    page = open_page(written / "report.html", width=width, height=900).page
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_every_figure_has_words_and_every_control_a_name(written: Path, open_page: Open) -> None:
    page = open_page(written / "report.html").page
    assert page.locator("svg:not([aria-label])").count() == 0
    nameless = page.evaluate(
        "[...document.querySelectorAll('button, select, input')].filter(e => !(e.labels && e.labels.length) "
        "&& !e.textContent.trim() && !e.getAttribute('aria-label')).map(e => e.outerHTML)"
    )
    assert nameless == []
    ids = page.evaluate("[...document.querySelectorAll('[id]')].map(e => e.id)")
    assert len(ids) == len(set(ids))


def test_the_policy_lets_nothing_in(written: Path, open_page: Open) -> None:
    page = open_page(written / "report.html").page
    policy = page.locator("meta[http-equiv='Content-Security-Policy']").get_attribute("content")
    rules = dict(rule.strip().split(" ", 1) for rule in policy.split(";"))
    assert rules["default-src"] == rules["media-src"] == rules["connect-src"] == "'none'"
    assert "unsafe" not in policy
    page.evaluate(
        "const made = document.createElement('script'); made.textContent = 'window.ran = 1'; "
        "document.body.append(made)"
    )
    assert page.evaluate("window.ran") is None


def test_the_list_shows_the_reply_that_made_the_answer(written: Path, open_page: Open) -> None:
    page = open_page(written / "report.html").page
    page.select_option("#errrun", label="second")
    page.select_option("#errfeature", "tonic")
    page.select_option("#errkind", "all")
    seen = set()
    for row in page.locator("#errlist tbody tr").all():
        answer, text = (
            row.locator(f"[data-label='{name}']").inner_text() for name in ("answer", "what was written")
        )
        # What could not be read is shown as it was written, and not the reason given elsewhere.
        ending = ", as it was written" if answer == "unparsed" else ""
        assert text in {f"window {i}: {answer}{ending}" for i in (0, 1)}
        seen.add(text[:9] + answer)
    assert {"window 0:yes", "window 1:yes", "window 0:no", "window 1:unparsed"} <= seen


def test_the_matrix_shows_who_differs_and_opens_question_and_reply(written: Path, open_page: Open) -> None:
    opened = open_page(written / "report.html", "#matrix?feature=tonic")
    page = opened.page
    assert page.locator("#matrixfeature").input_value() == "tonic"
    told = page.locator("#matrixcount")
    assert told.inner_text() == "48 of 48 recordings"
    page.select_option("#matrixkind", "differ")
    differing = int(told.inner_text().split()[0])
    assert 0 < differing < 48
    for row in page.locator("#matrixtable tbody tr").all():
        letters = [cell.inner_text()[-1] for cell in row.locator("button").all()]
        assert len(set(letters)) == 2
    page.select_option("#matrixkind", "wrong")
    wrong = int(told.inner_text().split()[0])
    first = page.locator("#matrixtable tbody tr").first
    assert first.locator(".iswrong").count() > 0
    rows = [
        r for r in table(written, "counts.csv") if r["feature"] == "tonic" and r["run"] in {"first", "second"}
    ]
    assert wrong <= sum(int(r[name]) for r in rows for name in ("missed", "false alarm", "unparsed"))
    page.check("#matrixothers")
    assert page.locator("#matrixtable thead th", has_text="minimal").count() == 1
    assert page.locator("#matrixtable thead th").count() > 4
    page.locator("#matrixtable tbody button").last.click()
    panel = page.locator("#matrixsaid").inner_text()
    assert "Does the patient show tonic" in panel
    page.fill("#search", "P003_V1")
    assert told.inner_text().startswith(("0 of", "1 of"))
    assert "hidden" in page.locator("#searchcount").inner_text()
    assert opened.messages == []


def test_the_first_answer_is_what_the_numbers_are_worth(written: Path, open_page: Open) -> None:
    """Sensitivity, specificity and PPV with their counts, the wording as text, and errors that open."""
    page = open_page(written / "report.html").page
    row = page.locator("#answers tbody tr", has_text="tonic").first
    counts = next(r for r in table(written, "counts.csv") if r["feature"] == "tonic" and r["run"] == "first")
    shown = row.locator("td[data-label=sensitivity]").inner_text()
    found, missed = int(counts["true positive"]), int(counts["missed"])
    assert shown.startswith(f"{found / (found + missed):.2f}")
    assert f"{found} of {found + missed}" in shown
    assert "Does the patient show tonic" in row.locator(".words").inner_text()
    row.locator(".example a").first.click()
    page.wait_for_url(re.compile("#recordings[?]rec="))
    assert page.locator("#said").is_visible()


def test_simulation_is_said_once(written: Path, open_page: Open) -> None:
    page = open_page(written / "report.html").page
    assert page.locator("header .stamp, main .stamp").count() <= 1


def test_answers_stay_in_sight_on_a_narrow_page(written: Path, open_page: Open) -> None:
    page = open_page(written / "report.html", "#recordings", width=400, height=500).page
    lane = page.locator("#timeline a[*|href*='feature=tonic']").first
    lane.scroll_into_view_if_needed()
    lane.click()
    box = page.locator("#said h3").bounding_box()
    assert 0 < box["y"] < box["y"] + box["height"] < 500


def test_a_page_of_s3_tasks_alone_works(tmp_path: Path, open_page: Open) -> None:
    app = Typer()
    app.command()(report)
    run = write_s3_run(tmp_path / "runs", all_tasks())
    done = CliRunner().invoke(app, [str(run), "--out", str(tmp_path / "out"), "--resamples", "100"])
    assert done.exit_code == 0, done.output
    opened = open_page(tmp_path / "out" / "report.html")
    assert opened.messages == []
    before = opened.page.locator("table.s3 tbody tr:visible").count()
    opened.page.check("#soundonly")
    assert 0 < opened.page.locator("table.s3 tbody tr:visible").count() < before
