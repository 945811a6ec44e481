"""A film whose pictures differ, and a cache of a test's own."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

BESIDE = Path(__file__).parent
sys.path[:0] = [str(BESIDE), str(BESIDE.parent / "shared_prefix")]  # lets tests import the modules there


@pytest.fixture(scope="session")
def films(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Two films of twelve seconds at 10 frames a second, 128 x 64 px, whose pictures differ."""
    from scene import write_film

    folder = tmp_path_factory.mktemp("films")
    return [write_film(folder / "one.mp4", seconds=12), write_film(folder / "two.mp4", seconds=12, fps=8)]


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SEMIOLOGY_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("SEMIOLOGY_QUIET", "1")
    for name in ("OPENAI_API_BASE", "OPENAI_BASE_URL", "OPENAI_API_KEY", "SEMIOLOGY_ALLOW_REMOTE"):
        monkeypatch.delenv(name, raising=False)
