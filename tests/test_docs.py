"""The documentation names files that exist, and its links lead somewhere."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PAGES = sorted(
    [
        *ROOT.glob("*.md"),
        *ROOT.glob("docs/**/*.md"),
        *ROOT.glob("prompts/*.md"),
        *(p for p in ROOT.glob("tools/**/*.md") if "node_modules" not in p.parts),
    ]
)
TOP = {path.name for path in ROOT.iterdir() if path.is_dir() and not path.name.startswith(".")}
PATH = re.compile(r"`((?:[\w.-]+/)+[\w.-]*)`")
LINK = re.compile(r"\]\(([^)#\s]+)(?:#[^)]*)?\)")


def paths_in(text: str) -> set[str]:
    """Return the paths in backquotes that begin with a folder of ours; a name in capitals is a placeholder."""
    found = {match for match in PATH.findall(text) if match.split("/")[0] in TOP}
    return {path for path in found if not re.search(r"[A-Z]{3}", path) or path.endswith(".md")}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_paths_on_a_page_exist(page: Path) -> None:
    missing = sorted(
        path for path in paths_in(page.read_text(encoding="utf-8")) if not (ROOT / path).exists()
    )
    assert not missing


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_on_a_page_lead_somewhere(page: Path) -> None:
    links = {link for link in LINK.findall(page.read_text(encoding="utf-8")) if "://" not in link}
    assert not sorted(link for link in links if not (page.parent / link).exists())


def test_architecture_names_every_room() -> None:
    text = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    rooms = {path.parent.name for path in ROOT.glob("*/__init__.py")} - {"tests", "benchmarks"}
    assert {room for room in rooms if f"`{room}/`" not in text} == set()
