from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

sys.path.insert(0, str(Path(__file__).parent))  # lets tests import `wording_examples`

SHARED = Path(__file__).parents[2].parent / "shared"


@pytest.fixture(scope="session")
def published() -> Callable[[str], pd.DataFrame]:
    """Reader of the normalised published tables; skips where they are not at hand."""

    def read(name: str) -> pd.DataFrame:
        path = SHARED / name
        if not path.exists():
            pytest.skip(f"the published table {name} is not at hand")
        return pd.read_csv(path, dtype=str, keep_default_na=False)

    return read
