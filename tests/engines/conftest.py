"""The embedded model on a real server, and a cache of a test's own."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

TESTS = Path(__file__).parents[1]
ROOMS = ("engines", "backends/served", "backends/shared_prefix", "reports", "optimization")
# Lets tests import the modules there, and the benchmarks' own.
sys.path[:0] = [*(str(TESTS / room) for room in ROOMS), str(TESTS.parent / "benchmarks")]

if TYPE_CHECKING:
    from vllm_server import Engine


@pytest.fixture(scope="module")
def embedded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    """The embedded model, served by the printed command."""
    from vllm_server import Engine, printed

    engine = Engine(printed("embedded", 8731)[0], tmp_path_factory.mktemp("engine"))
    try:
        engine.start()
        yield engine
    finally:
        engine.kill()


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SEMIOLOGY_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("SEMIOLOGY_QUIET", "1")
