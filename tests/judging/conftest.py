from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parents[1] / "reports")]


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SEMIOLOGY_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("SEMIOLOGY_QUIET", "1")
    monkeypatch.delenv("SEMIOLOGY_MERGE_MODEL", raising=False)
