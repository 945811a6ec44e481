"""Patients of published answers, redrawn: the population that the benchmarks of statistics share."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from semiology.features import VISUAL_FEATURES
from semiology.metrics.arrays import Bools, Codes, Floats
from semiology.metrics.scores.counts import PatientTables, patient_tables

MODELS = ("Qwen3-VL-32B", "Qwen2.5-VL-7B", "InternVL3_5-8B", "Qwen3-VL-8B", "Qwen2.5-VL-32B")


@dataclass(frozen=True)
class Population:
    """Answers of one model: counting tables of each patient, (P, F, 3, 4), with yes, no of both truth and answer."""

    model: str
    features: tuple[str, ...]
    counts: Floats

    def drawn(self, n: int, rng: np.random.Generator) -> PatientTables:
        """Return n patients drawn with replacement."""
        counts = self.counts[rng.integers(0, len(self.counts), n)]
        return PatientTables(
            tuple(f"p{i:04d}" for i in range(n)),
            self.features,
            counts,
            np.zeros(len(self.features), dtype=np.int64),
        )


def published_rows(table: Path, models: Sequence[str] = MODELS) -> pd.DataFrame:
    """Return the answers of models on visual features in a table of ``semiology baselines import``."""
    rows = pd.read_csv(table, dtype=str, keep_default_na=False)
    known = (
        rows["feature"].isin(VISUAL_FEATURES) & rows["model"].isin(models) & rows["truth"].isin(["yes", "no"])
    )
    return rows[(rows["task"] == "feature") & known]


def populations(rows: pd.DataFrame) -> list[Population]:
    """Return one population per model."""
    found = []
    for model in MODELS:
        own = rows[rows["model"] == model]
        features = tuple(name for name in VISUAL_FEATURES if name in set(own["feature"]))
        found.append(Population(model, features, patient_tables(own, features).counts))
    return found


def grids(
    rows: pd.DataFrame, models: Sequence[str] = MODELS
) -> dict[str, tuple[list[str], Codes, Bools, Bools, tuple[str, ...]]]:
    """Return by model: recordings, patient codes (n,), truth and answer (n, F), features."""
    found = {}
    for model in models:
        own = rows[rows["model"] == model]
        features = tuple(name for name in VISUAL_FEATURES if name in set(own["feature"]))
        wide = own.pivot(index="video_id", columns="feature", values=["truth", "answer"]).dropna()
        patients = own.drop_duplicates("video_id").set_index("video_id")["patient_id"].reindex(wide.index)
        codes = np.unique(patients.to_numpy(str), return_inverse=True)[1].astype(np.int64)
        truth, answer = ((wide[name][list(features)] == "yes").to_numpy() for name in ("truth", "answer"))
        found[model] = (list(wide.index), codes, truth, answer, features)
    return found


def equalised(truth: Floats, answer: Floats, score: object, goal: float) -> Floats:
    """Return probabilities of yes that bring a score (of truth and answers, both (n,)) to the goal.

    Wrong answers are repaired, or right ones spoilt, with one probability, found by halving.
    """
    assert callable(score)
    rises = score(truth, answer) < goal
    target = truth if rises else 1 - truth
    low, high = 0.0, 1.0
    for _ in range(50):
        share = (low + high) / 2
        if (score(truth, (1 - share) * answer + share * target) < goal) == rises:
            low = share
        else:
            high = share
    return np.asarray((1 - share) * answer + share * target)
