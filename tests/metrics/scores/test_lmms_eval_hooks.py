from __future__ import annotations

import random
from typing import Any

import numpy as np
import pytest

from semiology.metrics.scores import lmms_eval_hooks as hooks
from semiology.metrics.scores.aggregation import recording_answers


def items(feature: str = "tonic", patients: int = 40, seed: int = 0) -> list[dict[str, Any]]:
    rng = np.random.default_rng(seed)
    made = []
    for patient in range(patients):
        for video in range(2):
            truth = "yes" if rng.random() < 0.4 else "no"
            for segment in range(3):
                right = rng.random() < 0.8
                answer = truth if right else str(rng.choice(["yes", "no", "unparsed"]))
                made.append(
                    {
                        "video_id": f"p{patient}v{video}",
                        "patient_id": f"p{patient}",
                        "feature": feature,
                        "segment": segment,
                        "answer": answer,
                        "truth": truth,
                        "raw": answer,
                    }
                )
    return made


def test_hooks_score_recordings_and_not_segments() -> None:
    import pandas as pd

    from semiology.metrics.scores.classification import binary_scores

    made = items()
    rows = recording_answers(pd.DataFrame(made))
    slow = binary_scores(rows["truth"].tolist(), rows["answer"].tolist())
    for name in (
        "precision", "recall", "f1", "accuracy", "specificity", "balanced_accuracy", "mcc",
        "always_yes_f1", "prevalence", "unparsed_rate",
    ):  # fmt: skip
        assert hooks.score_of(made, name) == pytest.approx(slow[name]), name
    assert hooks.score_of(made, "f1", "low") < slow["f1"] < hooks.score_of(made, "f1", "high")
    assert [one.n for one in hooks.run_scores(made).features] == [80]


def test_hooks_share_one_computation_and_ignore_the_order_of_samples() -> None:
    made = items(seed=5)
    hooks._run_scores.cache_clear()
    first = hooks.score_of(made, "f1")
    random.Random(0).shuffle(made)
    assert hooks.score_of(made, "f1") == first
    hooks.score_of(made, "f1", "low")
    assert hooks._run_scores.cache_info().misses == 1


def test_items_of_several_features_give_their_mean() -> None:
    both = items("tonic") + items("clonic", seed=1)
    mean = (hooks.score_of(items("tonic"), "f1") + hooks.score_of(items("clonic", seed=1), "f1")) / 2
    assert hooks.score_of(both, "f1") == pytest.approx(mean)
    assert hooks.score_of(both, "always_yes_f1") > 0
    assert 0 < hooks.score_of(both, "prevalence") < 1
    assert len(hooks.run_scores(both).features) == 2


def test_limits_that_cannot_be_estimated_are_nan() -> None:
    few = items(patients=4)
    assert np.isnan(hooks.score_of(few, "f1", "low"))
    assert np.isnan(hooks.score_of(few, "f1", "high"))
    assert not np.isnan(hooks.score_of(few, "f1"))


def test_foreign_or_missing_samples_are_refused_with_a_sentence() -> None:
    with pytest.raises(ValueError, match="no field 'video_id'"):
        hooks.score_of([{"answer": "yes"}], "f1")
    with pytest.raises(ValueError, match="no samples"):
        hooks.score_of([], "f1")
