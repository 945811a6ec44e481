"""What both embedded models learn from: simulated patients and wordings, and which of them are kept back."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from semiology.data.cache import written_whole
from semiology.data.simulated.script.script import Script, draw_look, draw_script
from semiology.prompts.library import Prompt, PromptLibrary

HELD_OUT_PER_FEATURE = 2
# The library has grown since the checkpoints were trained: later wordings are neither trained on nor kept back.
WORDINGS = (
    "s3", "embc", "s3_context", "minimal", "clinical_term", "definition", "layperson", "role",
    "step_by_step_look", "negated",
)  # fmt: skip
REFERENCE = "s3"
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


def split_prompts(library: PromptLibrary, feature: str) -> tuple[list[Prompt], list[Prompt], list[Prompt]]:
    """Return the wordings of a feature: those used in training (the reference first), unseen, and negated.

    The last two authored wordings that ask for presence are unseen. A negated wording, where yes means that
    the feature is absent, is used in training too.

    Raises:
        ValueError: the feature has too few authored wordings to keep some back.
    """
    entries = [p for p in library.feature(feature).prompts if p.id in WORDINGS]
    positive = [p for p in entries if p.polarity == "positive"]
    authored = [p.id for p in positive if p.provenance == "authored"]
    if len(authored) <= HELD_OUT_PER_FEATURE:
        raise ValueError(
            f"{feature} has {len(authored)} authored wordings; write more than {HELD_OUT_PER_FEATURE}"
        )
    kept_back = authored[-HELD_OUT_PER_FEATURE:]
    seen = sorted((p for p in positive if p.id not in kept_back), key=lambda p: p.id != REFERENCE)
    unseen = [p for p in positive if p.id in kept_back]
    return seen, unseen, [p for p in entries if p.polarity == "negative"]
