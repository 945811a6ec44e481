"""A drawn study that the tests of the tasks share, chosen by the environment as a run chooses it."""

from __future__ import annotations

from pathlib import Path

import pytest

from semiology.data.strokerehab.simulate import Look, simulate_study
from semiology.settings import VARIABLES


@pytest.fixture(scope="session")
def drawn_study(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("study")
    simulate_study(
        root,
        controls=1,
        strokes=1,
        rounds=1,
        seed=4,
        activities=("drinking", "rtt exercise"),
        look=Look((320, 208)),
    )
    return root


@pytest.fixture
def study(drawn_study: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for variable in VARIABLES:
        monkeypatch.delenv(variable.name, raising=False)
    monkeypatch.setenv("STROKEREHAB_ROOT", str(drawn_study))
    monkeypatch.setenv("SEMIOLOGY_CACHE", str(tmp_path / "cache"))
    return drawn_study
