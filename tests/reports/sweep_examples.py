"""Sweeps for the tests of their tables: answers of some wordings about recordings of some patients."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from semiology.reports.read.feature_answers import Results

WORDINGS = ("s3", "minimal", "layperson", "definition", "negated")
FAMILY = {"s3": "observable_behaviour"}


def sweep_rows(
    feature: str = "tonic",
    *,
    patients: int = 24,
    wordings: Sequence[str] = WORDINGS,
    truth: str = "mixed",
    answer: str | None = None,
    scored: bool = True,
    seed: int = 0,
) -> pd.DataFrame:
    """Rows of `Results.answers`: two recordings a patient, one window each, later wordings less often right.

    Args:
        truth: ``mixed``, or one word for every recording.
        answer: one word for every answer, instead of answers drawn.
        scored: whether answers carry P(yes).
    """
    rng = np.random.default_rng(seed)
    truths = ["yes" if i % 3 == 0 else "no" for i in range(2 * patients)] if truth == "mixed" else None
    rows = []
    for place, name in enumerate(wordings):
        for video in range(2 * patients):
            real = truths[video] if truths else truth
            right = rng.random() < 0.95 - 0.1 * place
            said = answer or (real if right else {"yes": "no", "no": "yes"}[real])
            p = rng.uniform(0.5, 1) if said == "yes" else rng.uniform(0, 0.5)
            rows.append(
                {
                    "model": "m", "enhancement": "none", "feature": feature, "prompt_id": name,
                    "prompt_hash": f"{place:02d}" * 32, "video_id": f"v{video:03d}",
                    "patient_id": f"p{video // 2:03d}", "segment": 0, "answer": said, "truth": real,
                    "raw": said, "family": FAMILY.get(name, name), "answer_format": "own",
                    "polarity": "negative" if name == "negated" else "positive",
                    "provenance": "epileptologist" if name == "s3" else "authored",
                    "p_yes": p if scored else None,
                }
            )  # fmt: skip
    return pd.DataFrame(rows)


def results_of(*frames: pd.DataFrame) -> Results:
    """Return frames as results without caveats."""
    return Results(pd.concat(frames, ignore_index=True), (), (), {})
