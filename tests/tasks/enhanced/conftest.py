"""The small set with its recordings enhanced by `honest_steps`."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "enhancements"))

from honest_steps import Negative, Softer

from semiology.enhancements.enhance import enhance


@pytest.fixture
def enhanced_set(small_set: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The active set with ``pose`` and ``denoise`` made for all of it."""
    monkeypatch.delenv("SEMIOLOGY_ENHANCED", raising=False)
    enhance(small_set, [Negative(), Softer()])
    return small_set
