"""Fixtures that several folders share."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import settings

# A busy machine is no defect: examples are judged by what they find, not by how long they take.
settings.register_profile("semiology", deadline=None)
settings.load_profile("semiology")


@pytest.fixture(scope="session")
def simulated_set(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two short simulated recordings of two patients."""
    from semiology.data.simulated import simulate

    folder = tmp_path_factory.mktemp("simulated")
    simulate(
        folder, patients=2, seed=5, recordings_per_patient=1, duration_s=(31.0, 33.0), size=(160, 120), fps=15
    )
    return folder
