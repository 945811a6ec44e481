"""Time the scoring of one run: 2,000 patient resamples of 20 features on 438 recordings of 116 patients.

Run: ``python benchmarks/metrics_speed.py``. Prints seconds for aggregation and scoring, and peak memory.
"""

from __future__ import annotations

import resource
from time import perf_counter

import numpy as np
import pandas as pd
from rich.console import Console

from semiology.features import AUDIO_FEATURES, FEATURES, FEATURES_BY_GROUP, VISUAL_FEATURES
from semiology.metrics.scores.aggregation import recording_answers
from semiology.metrics.scores.run_scores import score_run

PATIENTS, RECORDINGS, SEGMENTS, RESAMPLES = 116, 438, 5, 2000


def simulated_segments(seed: int = 0) -> pd.DataFrame:
    """Return random segment answers of every recording and feature (43,800 rows)."""
    rng = np.random.default_rng(seed)
    patient = np.sort(np.r_[np.arange(PATIENTS), rng.integers(0, PATIENTS, RECORDINGS - PATIENTS)])
    recording, feature, segment = np.meshgrid(
        np.arange(RECORDINGS), np.arange(len(FEATURES)), np.arange(SEGMENTS), indexing="ij"
    )
    truth = rng.choice(["yes", "no"], (RECORDINGS, len(FEATURES)), p=[0.3, 0.7])
    answer = rng.choice(["yes", "no", "unparsed"], recording.size, p=[0.2, 0.78, 0.02])
    return pd.DataFrame(
        {
            "video_id": np.char.add("v", recording.ravel().astype(str)),
            "patient_id": np.char.add("p", patient[recording.ravel()].astype(str)),
            "feature": np.array(FEATURES)[feature.ravel()],
            "segment": segment.ravel(),
            "answer": answer,
            "truth": truth[recording.ravel(), feature.ravel()],
        }
    )


def main() -> None:
    """Print the timings."""
    segments = simulated_segments()
    groups = {"visual": VISUAL_FEATURES, **FEATURES_BY_GROUP, "audio": AUDIO_FEATURES, "all": FEATURES}
    start = perf_counter()
    recordings = recording_answers(segments)
    middle = perf_counter()
    score_run(recordings, FEATURES, groups, resamples=RESAMPLES)
    end = perf_counter()
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    console = Console()
    console.print(f"aggregation of {len(segments):,} segment answers: {middle - start:.2f} s")
    console.print(
        f"{RESAMPLES:,} resamples of {len(FEATURES)} features x {RECORDINGS} recordings: {end - middle:.2f} s"
    )
    console.print(f"peak memory {memory:.0f} MiB")


if __name__ == "__main__":
    main()
