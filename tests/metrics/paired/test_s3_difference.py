"""Differences of two conditions on S3 tasks, beside Student's interval and brute force."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from semiology.metrics.paired.s3_difference import paired_answers, paired_measures


def answers(errors: np.ndarray, feature: str = "tonic") -> pd.DataFrame:
    """Return an answer a patient, which misses by so many seconds."""
    rows = [(f"v{i}", f"p{i}", feature, 10.0, 10.0 + error) for i, error in enumerate(errors)]
    return pd.DataFrame(rows, columns=["video_id", "patient_id", "feature", "truth", "answer"])


def mae(frame: pd.DataFrame) -> Mapping[tuple[str, str], float]:
    errors = (frame["answer"] - frame["truth"]).abs()
    by_feature = errors.groupby(frame["feature"]).mean()
    return {("", "mae"): float(errors.mean()), ("", "other"): 0.0} | {
        (str(name), "mae"): float(value) for name, value in by_feature.items()
    }


def test_a_difference_of_means_has_students_paired_interval() -> None:
    rng = np.random.default_rng(2)
    first, second = rng.uniform(0, 9, 30), rng.uniform(0, 9, 30)
    paired = paired_answers(answers(first), answers(second).iloc[::-1])
    found = {each.part: each for each in paired_measures(paired, ["mae"], mae, mae)}
    assert set(found) == {"", "tonic"}
    difference = found[""].difference
    low, high = stats.ttest_1samp(second - first, 0).confidence_interval(0.95)
    assert found[""].first == pytest.approx(first.mean())
    assert difference.value == pytest.approx((second - first).mean())
    assert (difference.low, difference.high) == pytest.approx((low, high))
    assert difference.n_patients == 30


def test_only_what_both_answered_is_compared_and_features_have_their_own_patients() -> None:
    rng = np.random.default_rng(3)
    tonic, clonic = answers(rng.uniform(0, 9, 20)), answers(rng.uniform(0, 9, 12), "clonic")
    second = pd.concat([tonic.assign(answer=tonic["answer"] + 1), clonic.iloc[:11]])
    paired = paired_answers(pd.concat([tonic.iloc[1:], clonic]), second)
    assert (len(paired.first), paired.only_first, paired.only_second) == (30, 1, 1)
    found = {each.part: each.difference for each in paired_measures(paired, ["mae"], mae, mae)}
    assert (found["tonic"].n_patients, found["clonic"].n_patients) == (19, 11)
    assert found["tonic"].value == pytest.approx(1.0)
    assert found["clonic"].value == 0.0
    assert not found["clonic"].estimable  # the same answers, whichever patient is left out


def test_recordings_of_a_patient_stay_together() -> None:
    rng = np.random.default_rng(4)
    first = answers(rng.uniform(0, 9, 24)).assign(patient_id=[f"p{i // 3}" for i in range(24)])
    second = first.assign(answer=first["answer"] + np.repeat(rng.uniform(0, 4, 8), 3))
    paired = paired_answers(first, second)
    (found,) = [each.difference for each in paired_measures(paired, ["mae"], mae, mae) if not each.part]
    by_patient = (second["answer"] - first["answer"]).groupby(first["patient_id"]).mean()
    low, high = stats.ttest_1samp(by_patient, 0).confidence_interval(0.95)
    assert (found.low, found.high) == pytest.approx((low, high))
    assert found.caution is not None  # eight patients


def test_what_cannot_be_paired_is_refused() -> None:
    frame = answers(np.ones(3))
    with pytest.raises(ValueError, match="v0 is answered twice for tonic"):
        paired_answers(pd.concat([frame, frame]), frame)
    with pytest.raises(ValueError, match="share no recording"):
        paired_answers(frame, frame.assign(video_id=["x", "y", "z"]))
