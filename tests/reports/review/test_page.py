"""The page in a real browser: keyboard, comments, saving again after the server was away, text as text."""

from __future__ import annotations

import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from test_server import _free_port, _ready, _start

from semiology.reports.review.server import token_of
from semiology.reports.review.sheet import Sample
from semiology.reports.review.store import STORE, RatingStore

playwright = pytest.importorskip("playwright.sync_api")


@pytest.fixture
def page(browser: Any) -> Iterator[Any]:
    """A page of the one browser of these tests: Playwright allows one at a time."""
    context = browser.new_context(viewport={"width": 1400, "height": 900})
    yield context.new_page()
    context.close()


def _wait(server: subprocess.Popen[bytes], base: str) -> None:
    import httpx

    with httpx.Client(base_url=base, trust_env=False, timeout=60) as client:
        _ready(client, server)


def test_rating_by_keyboard_through_a_crash(page: Any, review_folder: tuple[Path, Sample]) -> None:
    folder, sample = review_folder
    port = _free_port()
    base = f"http://127.0.0.1:{port}/{token_of(folder)}/"
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on("dialog", lambda dialog: errors.append(dialog.message))
    server = _start(folder, port)
    try:
        _wait(server, base)
        page.goto(base)
        expect = playwright.expect
        expect(page.locator("#progress")).to_have_text(f"Item 1 of {len(sample.cases)}, 0 rated")
        assert page.locator("#justification").text_content() == sample.cases[0].justification
        assert page.locator("#justification script, #justification img").count() == 0
        page.keyboard.press("4")
        expect(page.locator("#progress")).to_have_text(f"Item 2 of {len(sample.cases)}, 1 rated")
        page.keyboard.press("c")
        page.keyboard.type("arm, 3 s late")
        page.keyboard.press("Escape")
        page.keyboard.press("2")
        expect(page.locator("#saved")).to_have_text("saved")
        page.keyboard.press("ArrowLeft")
        assert page.locator("#comment").input_value() == "arm, 3 s late"
        assert page.locator('#scale button[aria-checked="true"] b').text_content() == "2"
        server.send_signal(signal.SIGKILL)
        server.wait()
        page.keyboard.press("u")
        page.keyboard.press("5")
        expect(page.locator("#saved")).to_contain_text("not saved yet")
        server = _start(folder, port)
        _wait(server, base)
        expect(page.locator("#saved")).to_have_text("saved", timeout=60_000)
        page.reload()
        expect(page.locator("#progress")).to_have_text(f"Item 4 of {len(sample.cases)}, 3 rated")
    finally:
        server.send_signal(signal.SIGKILL)
        server.wait()
    assert errors == []
    store = RatingStore(folder / STORE)
    kept = {rating.item: (rating.rating, rating.comment) for rating in store.latest("AB")}
    store.close()
    items = [case.item for case in sample.cases]
    assert kept == {items[0]: (4, ""), items[1]: (2, "arm, 3 s late"), items[2]: (5, "")}


def test_a_video_that_does_not_play_is_named(page: Any, review_folder: tuple[Path, Sample]) -> None:
    """The player's black box would tell a rater nothing; and what plays again is shown again."""
    folder, sample = review_folder
    port = _free_port()
    base = f"http://127.0.0.1:{port}/{token_of(folder)}/"

    def with_videos(route: Any) -> None:
        reply = route.fetch()
        content = reply.json()
        for case in content["cases"]:
            case["has_video"] = True
        route.fulfill(response=reply, json=content)

    page.route("**/api/review", with_videos)
    server = _start(folder, port)
    try:
        _wait(server, base)
        page.goto(base)
        expect = playwright.expect
        expect(page.locator("#novideo")).to_contain_text("cannot be played here")
        expect(page.locator("#novideo")).to_contain_text(f"look at {sample.cases[0].video_id} from")
        expect(page.locator("#video")).to_be_hidden()
        page.keyboard.press("3")
        expect(page.locator("#novideo")).to_contain_text(f"look at {sample.cases[1].video_id} from")
        later = next(i for i, case in enumerate(sample.cases) if case.start_s > 0)
        page.evaluate(f"() => {{ state.at = {later}; showVideo(); }}")
        again = "() => { const v = document.getElementById('video'); v.dispatchEvent(new Event('ended')); }"
        page.evaluate(again)
        at = page.evaluate("() => document.getElementById('video').currentTime")
        assert at == sample.cases[later].start_s
    finally:
        server.send_signal(signal.SIGKILL)
        server.wait()
