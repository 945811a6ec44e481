"""The files of P(yes): from segments to recordings, by the highest and by noisy-or."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import f1_score, roc_auc_score

from semiology.reports.read.feature_answers import COLUMNS, Results
from semiology.reports.summary.probabilities import (
    Choice,
    chosen_on,
    probability_summaries,
    score_rows,
    write_probabilities,
)


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
    written = write_probabilities(probability_summaries(found), tmp_path)
    names = ["calibration.csv", "probabilities.csv", "risk_coverage.csv"]
    assert sorted(path.name for path in written) == names
    rows = {row["pooling"]: row for row in csv.DictReader((tmp_path / "probabilities.csv").open())}
    by = found.answers.groupby("video_id")
    truth = by["truth"].first() == "yes"
    pooled = {"max": by["p_yes"].max(), "noisy_or": 1 - by["p_yes"].apply(lambda p: np.prod(1 - p))}
    for name, score in pooled.items():
        assert float(rows[name]["auroc"]) == pytest.approx(roc_auc_score(truth, score))
        assert float(rows[name]["auroc_low"]) < float(rows[name]["auroc"])
        assert (rows[name]["n"], rows[name]["n_left_out"]) == ("60", "0")
        assert float(rows[name]["any_yes_f1"]) == pytest.approx(f1_score(truth, pooled["max"] > 0.5))
        assert rows[name]["thresholds_from"] == "other patients (cross-fitted)"
        gain = float(rows[name]["own_threshold_f1"]) - float(rows[name]["any_yes_f1"])
        assert float(rows[name]["gain_over_any_yes"]) == pytest.approx(gain)
    bins = [row for row in csv.DictReader((tmp_path / "calibration.csv").open()) if row["pooling"] == "max"]
    assert sum(int(row["recordings"]) for row in bins) == 60


def test_a_recording_with_an_unknown_segment_is_left_out_and_answers_without_probabilities_write_nothing(
    tmp_path: Path,
) -> None:
    found = results()
    found.answers.loc[0, "p_yes"] = None
    assert {row["n_left_out"] for row in score_rows(probability_summaries(found), Choice())} == {1}
    found.answers["p_yes"] = None
    assert write_probabilities(probability_summaries(found), tmp_path) == []
    assert chosen_on(()) == ""


def test_thresholds_come_from_development_patients_who_need_not_be_in_the_report() -> None:
    found = results(3, patients=50)
    videos = found.answers.drop_duplicates("video_id")
    number = videos["patient_id"].str[1:].astype(int)
    develop = frozenset(videos["video_id"][number < 25])
    tested = frozenset(videos["video_id"][number >= 25])
    both = probability_summaries(found, Choice(choosing=develop, tested=tested, specificity=0.8, error=0.3))
    test_only = Results(found.answers[found.answers["video_id"].isin(tested)], (), (), {})
    away = found.answers[found.answers["video_id"].isin(develop)]
    alone = probability_summaries(test_only, Choice(away, develop, tested, 0.8, 0.3))
    assert [each.scores.points for each in alone] == [each.scores.points for each in both]
    assert {each.scores.n_patients for each in both} == {50}
    assert {each.scores.n_patients for each in alone} == {25}
    assert chosen_on(alone) == (
        "Thresholds are chosen on 25 development patients and scored on 25 patients kept for tests."
    )
    assert "cross-fitting" in chosen_on(probability_summaries(found))
    row, *_ = score_rows(alone, Choice(specificity=0.8, error=0.3))
    assert (row["thresholds_from"], row["n_choosing_patients"]) == ("development patients", 25)
    assert (row["specificity_wanted"], row["error_stated"]) == (0.8, 0.3)
    p = found.answers.groupby("video_id")["p_yes"].max()
    truth = found.answers.groupby("video_id")["truth"].first() == "yes"
    own = p.index.isin(tested)
    cut = float(row["specificity_thresholds"])
    assert row["specificity_reached"] == pytest.approx((p[own & ~truth] <= cut).mean(), abs=0.02)
    least = float(row["confidences"])
    sure = p.where(p > 0.5, 1 - p)
    assert row["referred_to_human"] == pytest.approx((sure[own] <= least).mean(), abs=0.03)
