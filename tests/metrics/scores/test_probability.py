from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from wording_examples import answers_of

from semiology.metrics.robustness.answers import wording_answers_of_segments
from semiology.metrics.robustness.scores import robustness_of
from semiology.metrics.robustness.sums import Discrimination
from semiology.metrics.scores.probability import (
    probabilities_of_feature,
    probability_of_feature,
    recording_probabilities,
)

LOG = st.floats(-200, 0)


@given(LOG, LOG, LOG)
def test_yes_and_no_are_scaled_to_one_whatever_else_is_likely(yes: float, no: float, other: float) -> None:
    p = probability_of_feature({"yes": yes, "no": no, "NA": other})
    assert p == pytest.approx(1 / (1 + math.exp(no - yes)), abs=1e-12)
    assert p + probability_of_feature({"yes": yes, "no": no}, "negative") == pytest.approx(1)


def test_what_cannot_be_known_is_nan_and_impossible_answers_are_certain() -> None:
    assert math.isnan(probability_of_feature({"yes": -1.0}))
    assert math.isnan(probability_of_feature({"yes": -math.inf, "no": -math.inf}))
    assert math.isnan(probability_of_feature({"yes": math.nan, "no": -1.0}))
    assert probability_of_feature({"Yes": -0.1, "No": -math.inf}) == 1
    assert probability_of_feature({"Yes": -900.0, "No": -0.1}) == 0


@given(st.lists(st.tuples(LOG, LOG, st.sampled_from(["positive", "negative"])), min_size=1))
def test_many_at_once_are_as_each_alone(rows: list[tuple[float, float, str]]) -> None:
    yes, no, polarity = (np.array(column) for column in zip(*rows, strict=True))
    found = probabilities_of_feature(yes, no, polarity.astype(object))
    alone = [probability_of_feature({"yes": y, "no": n}, p) for y, n, p in rows]
    assert found == pytest.approx(alone, abs=1e-12)


def test_without_polarity_or_with_two_impossible_answers_there_is_no_probability() -> None:
    yes, no = np.array([-1.0, -np.inf, -np.inf]), np.array([-1.0, -np.inf, -0.1])
    found = probabilities_of_feature(yes, no, np.array([None, "positive", "negative"], dtype=object))
    assert np.isnan(found).tolist() == [True, True, False]
    assert found[2] == 1


def segments() -> pd.DataFrame:
    rows = [
        ("h0", "v0", "tonic", 0, 0.2),
        ("h0", "v0", "tonic", 1, 0.7),
        ("h0", "v1", "tonic", 0, 0.4),
        ("h0", "v1", "tonic", 1, None),
        ("h1", "v0", "occur_during_sleep", 0, 0.1),
        ("h1", "v0", "occur_during_sleep", 1, 0.9),
    ]
    return pd.DataFrame(rows, columns=["prompt_hash", "video_id", "feature", "segment", "p_yes"])


def test_a_recording_is_as_likely_as_its_likeliest_segment_that_counts() -> None:
    found = recording_probabilities(segments()).set_index(["prompt_hash", "video_id"])["p_yes"]
    assert found["h0", "v0"] == 0.7
    assert math.isnan(found["h0", "v1"])  # a higher one may hide in the segment without a score
    assert found["h1", "v0"] == 0.1


def test_probabilities_of_a_sweep_reach_the_robustness_measures() -> None:
    rows = [
        {
            "feature": "tonic", "prompt_id": name, "prompt_hash": name, "video_id": video,
            "patient_id": video, "segment": 0, "answer": "yes" if p > 0.5 else "no", "truth": truth,
            "p_yes": p,
        }
        for name, scores in {"s3": (0.9, 0.8, 0.3), "other": (0.9, 0.2, 0.6)}.items()
        for video, truth, p in zip("abc", ("yes", "yes", "no"), scores, strict=True)
    ]  # fmt: skip
    found = robustness_of([wording_answers_of_segments(pd.DataFrame(rows))], resamples=20).features[0]
    assert dict(zip(found.wordings, found.per_wording["auroc"], strict=True)) == {"s3": 1.0, "other": 0.5}
    assert found.estimates["auroc"].value == 0.75
    assert found.estimates["js_distance"].value > 0.1
    # one recording whose score is unknown under one wording is left out of the AUROC of all
    rows[2]["p_yes"] = None
    found = robustness_of([wording_answers_of_segments(pd.DataFrame(rows))], resamples=20).features[0]
    assert math.isnan(found.estimates["auroc"].value)
    assert found.estimates["auroc"].reason == "probabilities are missing, or the truth holds one class only"


def test_auroc_of_a_resample_is_that_of_the_repeated_recordings() -> None:
    from sklearn.metrics import roc_auc_score

    rng = np.random.default_rng(4)
    truth = "ynnyynynny" * 3
    patients = "".join(rng.choice(list("ABCDEFG"), len(truth)))
    scores = rng.integers(0, 6, (3, len(truth))) / 5  # with ties
    answers = answers_of(["y" * len(truth)] * 3, truth, patients, p_yes=scores)
    found = Discrimination(answers, answers.patient, len(answers.patients))
    weights = rng.integers(0, 3, (5, len(answers.patients))).astype(float)
    positive = np.array([letter == "y" for letter in truth])
    for row, mean in zip(weights, found.mean(weights), strict=True):
        copies = row[answers.patient]
        each = [roc_auc_score(positive, score, sample_weight=copies) for score in scores]
        assert mean == pytest.approx(np.mean(each))
    assert found.per_wording == pytest.approx([roc_auc_score(positive, score) for score in scores])
    assert math.isnan(found.mean(np.zeros((1, len(answers.patients))))[0])


def test_without_probabilities_or_with_one_class_there_is_no_auroc() -> None:
    bare = robustness_of([answers_of(["yn", "nn"], "yn")], resamples=20).features[0].estimates
    assert bare["auroc"].reason == "the answers carry no probabilities"
    one = answers_of(["yy", "yn"], "yy", p_yes=np.full((2, 2), 0.5))
    assert math.isnan(robustness_of([one], resamples=20).features[0].estimates["auroc"].value)


def test_noisy_or_is_one_minus_the_chance_that_no_segment_shows_the_feature() -> None:
    found = recording_probabilities(segments(), pooling="noisy_or").set_index(["prompt_hash", "video_id"])[
        "p_yes"
    ]
    assert found["h0", "v0"] == pytest.approx(1 - 0.8 * 0.3)
    assert np.isnan(found["h0", "v1"])
    assert found["h1", "v0"] == pytest.approx(0.1)
