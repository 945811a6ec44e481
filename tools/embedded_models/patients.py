"""The simulated patients that both embedded models are trained, validated and tested on."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from semiology.data.cache import written_whole
from semiology.data.simulated.script.script import Script, draw_look, draw_script

# Training, validation and held-out patients are drawn from seeds that cannot meet.
SEED_BASE = {"train": 0, "validation": 1_000_000, "heldout": 2_000_000}
# As the simulated recording sets are written.
DURATION_S = (35.0, 60.0)


def patient_scripts(split: str, patient: int, recordings: int) -> list[Script]:
    """Draw the recordings of one simulated patient of a split (``train``, ``validation`` or ``heldout``)."""
    rng = np.random.default_rng(SEED_BASE[split] + patient)
    look = draw_look(rng)
    return [draw_script(rng, float(np.round(rng.uniform(*DURATION_S), 1)), look) for _ in range(recordings)]


def window_chance(split: str, patient: int) -> np.random.Generator:
    """Return the source of chance of a patient's windows, apart from that of the scripts."""
    return np.random.default_rng([SEED_BASE[split] + patient, 7])


def save_arrays(path: Path, arrays: dict[str, Any]) -> None:
    """Write arrays to an npz file that appears only when it is whole."""
    with written_whole(path, private=False) as unfinished, unfinished.open("wb") as stream:
        np.savez(stream, allow_pickle=False, **arrays)
