"""Repeat noise: what it estimates, against scores of many repeats drawn anew."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import balanced_accuracy_score, f1_score

from semiology.metrics.paired.repeat_noise import SHIFTED, Noise, _variance, score_variances

FEATURES = ("clonic", "tonic")


def questions(rng: np.random.Generator, patients: int = 60) -> tuple[pd.DataFrame, np.ndarray]:
    """Recordings with a truth, and how likely a model is to say yes about each."""
    rows, sure = [], []
    for patient in range(patients):
        for take in range(int(rng.integers(1, 4))):
            for feature in FEATURES:
                truth = bool(rng.random() < 0.5)
                rows.append((f"v{patient}_{take}", f"p{patient}", feature, "yes" if truth else "no"))
                sure.append(float(rng.choice([0.9, 0.6])) if truth else float(rng.choice([0.1, 0.4])))
    return pd.DataFrame(rows, columns=["video_id", "patient_id", "feature", "truth"]), np.array(sure)


def asked(rng: np.random.Generator, sure: np.ndarray) -> np.ndarray:
    """Answers of one run."""
    return np.where(rng.random(len(sure)) < sure, "yes", "no")


def score(rows: pd.DataFrame, answers: np.ndarray, feature: str, measure: str) -> float:
    mine = (rows["feature"] == feature).to_numpy()
    truth, said = rows["truth"].to_numpy()[mine], answers[mine]
    if measure == "f1":
        return float(f1_score(truth, said, pos_label="yes"))
    return float(balanced_accuracy_score(truth, said))


@pytest.mark.parametrize("measure", ["balanced_accuracy", "f1"])
def test_two_repeats_tell_how_far_the_score_of_many_spreads(measure: str) -> None:
    rng = np.random.default_rng(5)
    rows, sure = questions(rng)
    runs = [asked(rng, sure) for _ in range(150)]
    scores = np.array([[score(rows, run, feature, measure) for feature in FEATURES] for run in runs])
    told = []
    for first, second in zip(runs[:60:2], runs[1:60:2], strict=True):
        frame = rows.assign(**{"0": first, "1": second})
        found = score_variances(frame, ["0", "1"], {measure: FEATURES})
        told.append([found[measure, name] for name in (*FEATURES, "")])
    spread = np.sqrt(np.mean(told, axis=0))
    true = np.array([*scores.std(0, ddof=1), scores.mean(1).std(ddof=1)])
    assert spread == pytest.approx(true, rel=0.2)


@pytest.mark.parametrize("seed", range(6))
def test_variances_are_half_the_squares_of_contributions_over_all_pairs_of_runs(seed: int) -> None:
    """With scikit-learn: what leaving out each patient changes, squared, of every pair of three runs."""
    rng = np.random.default_rng(seed)
    rows, sure = questions(rng, patients=7)
    rows.loc[rows["feature"] == "figure4", "truth"] = "no"
    runs = {str(k): asked(rng, sure) for k in range(3)}
    shown = {"balanced_accuracy": ["tonic"], "f1": ["tonic", "clonic"], "accuracy": []}
    found = score_variances(rows.assign(**runs), list(runs), shown)
    assert set(found) == {
        *((measure, name) for measure in shown for name in FEATURES), ("balanced_accuracy", ""), ("f1", ""),
    }  # fmt: skip
    patients = rows["patient_id"].to_numpy()
    for measure, used in shown.items():
        if measure == "accuracy":
            continue
        squares: dict[str, list[tuple[float, float]]] = {name: [] for name in ("", *FEATURES)}
        for one, other in (("0", "1"), ("0", "2"), ("1", "2")):
            own, seen = {}, {}
            for name in FEATURES:
                seen[name] = score(rows, runs[other], name, measure) - score(rows, runs[one], name, measure)
                without = []
                for patient in sorted(set(patients)):
                    kept = patients != patient
                    rest = rows[kept]
                    sides = [score(rest, runs[k][kept], name, measure) for k in (one, other)]
                    without.append(sides[1] - sides[0])
                own[name] = seen[name] - np.array(without)
                # Less the share of the patient, for the difference is taken to be none.
                squares[name].append((own[name] @ own[name], seen[name] ** 2))
            whole = np.mean([own[name] for name in used], axis=0)
            squares[""].append((whole @ whole, np.mean([seen[name] for name in used]) ** 2))
        for name, pairs in squares.items():
            scatter, distance = np.mean(pairs, axis=0)
            expected = (distance if distance > SHIFTED**2 * scatter else scatter) / 2
            assert found[measure, name] == pytest.approx(expected)


def test_repeats_that_shifted_one_way_count_with_their_distance() -> None:
    rng = np.random.default_rng(1)
    rows, sure = questions(rng)
    first = asked(rng, sure)
    second = np.where((rows["truth"] == "yes") & (rng.random(len(rows)) < 0.9), "yes", first)
    found = score_variances(rows.assign(**{"0": first, "1": second}), ["0", "1"], {})
    distance = score(rows, second, "tonic", "f1") - score(rows, first, "tonic", "f1")
    assert found["f1", "tonic"] == pytest.approx(distance**2 / 2)


def test_runs_that_answer_alike_have_no_noise() -> None:
    rng = np.random.default_rng(2)
    rows, sure = questions(rng)
    run = asked(rng, sure)
    found = score_variances(rows.assign(**{"0": run, "1": run}), ["0", "1"], {"f1": FEATURES})
    assert set(found.values()) == {0.0}


def test_the_part_of_a_difference_that_repeats_explain() -> None:
    assert Noise("tonic", "f1", 0.04, 0.02).part == pytest.approx(0.25)
    assert not Noise("tonic", "f1", 0.04, 0.02).within
    assert Noise("tonic", "f1", -0.03, 0.02).within
    assert Noise("tonic", "f1", 0.01, 0.02).part == 1
    assert math.isnan(Noise("tonic", "f1", 0.0, 0.02).part)


def test_repeats_count_with_their_distance_only_where_it_is_beyond_their_scatter() -> None:
    bound = SHIFTED**2 * 0.3
    assert _variance(0.3, bound) == 0.15
    assert _variance(0.3, 1.001 * bound) == pytest.approx(1.001 * bound / 2)
    assert pytest.approx(2.5758, abs=1e-4) == SHIFTED
