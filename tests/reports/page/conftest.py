from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parent))  # lets tests import `report_examples`


@dataclass
class Opened:
    """A page in Chromium, with what it said and asked for.

    Attributes:
        page: Playwright's page. messages: console warnings, errors and page errors.
        requests: addresses other than the page's own file.
    """

    page: Any
    messages: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)


@pytest.fixture
def open_page(browser: Any) -> Iterator[Callable[..., Opened]]:
    """Opener of a page from its file, with the network off."""
    contexts = []

    def opened(file: Path, anchor: str = "", width: int = 1400, height: int = 1000) -> Opened:
        context = browser.new_context(viewport={"width": width, "height": height}, offline=True)
        contexts.append(context)
        page = context.new_page()
        found = Opened(page)
        page.on("console", lambda m: found.messages.append(f"{m.type}: {m.text}"))
        page.on("pageerror", lambda error: found.messages.append(str(error)))
        address = file.resolve().as_uri()
        page.on("request", lambda r: found.requests.append(r.url) if not r.url.startswith(address) else None)
        page.goto(address + anchor)
        page.wait_for_selector("html[data-ready='1']", state="attached")
        return found

    yield opened
    for context in contexts:
        context.close()
