"""Simulated coverage of the intervals with the real numbers of recordings per patient."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

from semiology.metrics.statistics.intervals import bootstrap_estimate, patient_weights, proportion_estimate

Read = Callable[[str], pd.DataFrame]
CORRELATION = 0.28  # median intra-patient correlation of correctness in the published S3 answers


def sizes_of(read: Read, name: str) -> np.ndarray:
    if name == "embc":
        return read("embc_published/annotations.csv").groupby("patient_id").size().to_numpy()
    videos = read("s3_published/ground_truth/videos.csv.gz")
    videos = videos[videos["test_patient"] == "1"] if name == "s3_test" else videos
    return videos.groupby("patient_id").size().to_numpy()


def draw(sizes: np.ndarray, share: float, rng: np.random.Generator) -> np.ndarray:
    strength = 1 / CORRELATION - 1
    return rng.binomial(sizes, rng.beta(share * strength, (1 - share) * strength, len(sizes)))


@pytest.mark.slow
@pytest.mark.parametrize("share", [0.7, 0.9])
@pytest.mark.parametrize(
    ("name", "patients", "least"), [("s3", 116, 0.93), ("s3_test", 24, 0.91), ("embc", 29, 0.91)]
)
def test_the_logit_interval_covers_with_the_real_cluster_sizes(
    published: Read, name: str, patients: int, least: float, share: float
) -> None:
    sizes = sizes_of(published, name)
    assert len(sizes) == patients
    rng = np.random.default_rng(0)
    hits = 0
    for _ in range(3000):
        e = proportion_estimate(draw(sizes, share, rng), sizes)
        hits += e.low is not None and e.high is not None and e.low <= share <= e.high
    print(f"logit cluster t, {name}, share {share}: {hits / 3000:.3f}")
    assert least <= hits / 3000 <= 0.985


@pytest.mark.slow
@pytest.mark.parametrize(("name", "least"), [("s3", 0.92), ("s3_test", 0.89), ("embc", 0.89)])
def test_the_bootstrap_of_f1_covers_with_the_real_cluster_sizes(
    published: Read, name: str, least: float
) -> None:
    sizes = sizes_of(published, name)
    rng = np.random.default_rng(1)
    true_f1 = 2 * 0.3 / (2 * 0.3 + 0.1 + 0.2)
    hits, runs = 0, 400
    for _ in range(runs):
        # tp, fp, fn, tn shares 0.3, 0.1, 0.2, 0.4 with intra-patient correlation.
        shares = rng.dirichlet(np.array([0.3, 0.1, 0.2, 0.4]) * (1 / CORRELATION - 1), len(sizes))
        counts = np.array([rng.multinomial(n, p) for n, p in zip(sizes, shares, strict=True)])
        drawn = patient_weights(len(sizes), 1000, rng) @ counts
        f1s = 2 * drawn[:, 0] / np.maximum(2 * drawn[:, 0] + drawn[:, 1] + drawn[:, 2], 1)
        total = counts.sum(0)
        value = 2 * total[0] / (2 * total[0] + total[1] + total[2])
        e = bootstrap_estimate(float(value), f1s, n=int(sizes.sum()), n_patients=len(sizes))
        hits += e.low is not None and e.high is not None and e.low <= true_f1 <= e.high
    print(f"patient bootstrap of F1, {name}: {hits / runs:.3f}")
    assert least <= hits / runs
