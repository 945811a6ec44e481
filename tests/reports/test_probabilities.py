"""probabilities.csv and calibration.csv: from segments to recordings, by the highest and by noisy-or."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score

from semiology.reports.read.feature_answers import COLUMNS, Results
from semiology.reports.summary.probabilities import probability_rows, write_probabilities


def results(seed: int = 0, patients: int = 30) -> Results:
    rng = np.random.default_rng(seed)
    rows = []
    for patient in range(patients):
        for video in range(2):
            truth = rng.random() < 0.4
            for segment in range(3):
                shown = truth and segment == 1
                p = float(np.clip(0.2 * shown + 0.5 * rng.random(), 0, 1))
                ids = {"video_id": f"v{patient}_{video}", "patient_id": f"p{patient}", "segment": segment}
                words = {"answer": "yes" if p > 0.5 else "no", "truth": "yes" if truth else "no"}
                run = {"model": "m", "enhancement": "none", "prompt": "s3", "feature": "tonic"}
                rows.append(dict.fromkeys(COLUMNS) | ids | words | run | {"p_yes": p})
    return Results(pd.DataFrame(rows), (), (), {}, {})


def test_recordings_are_scored_by_the_highest_segment_and_by_noisy_or(tmp_path: Path) -> None:
    found = results()
    written = write_probabilities(found, tmp_path)
    assert sorted(path.name for path in written) == ["calibration.csv", "probabilities.csv"]
    rows = {row["pooling"]: row for row in csv.DictReader((tmp_path / "probabilities.csv").open())}
    by = found.answers.groupby("video_id")
    truth = by["truth"].first() == "yes"
    pooled = {"max": by["p_yes"].max(), "noisy_or": 1 - by["p_yes"].apply(lambda p: np.prod(1 - p))}
    for name, score in pooled.items():
        assert float(rows[name]["auroc"]) == pytest.approx(roc_auc_score(truth, score))
        assert float(rows[name]["auroc_low"]) < float(rows[name]["auroc"])
        assert (rows[name]["n"], rows[name]["n_left_out"]) == ("60", "0")
        gain = float(rows[name]["own_threshold_f1"]) - float(rows[name]["any_yes_f1"])
        assert float(rows[name]["gain_over_any_yes"]) == pytest.approx(gain)
    bins = [row for row in csv.DictReader((tmp_path / "calibration.csv").open()) if row["pooling"] == "max"]
    assert sum(int(row["recordings"]) for row in bins) == 60


def test_a_recording_with_an_unknown_segment_is_left_out_and_answers_without_probabilities_write_nothing(
    tmp_path: Path,
) -> None:
    found = results()
    found.answers.loc[0, "p_yes"] = None
    scores, _ = probability_rows(found)
    assert {row["n_left_out"] for row in scores} == {1}
    found.answers["p_yes"] = None
    assert write_probabilities(found, tmp_path) == []
