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
    named = {
        "precision": hooks.recording_precision,
        "recall": hooks.recording_recall,
        "f1": hooks.recording_f1,
        "accuracy": hooks.recording_accuracy,
        "specificity": hooks.recording_specificity,
        "balanced_accuracy": hooks.recording_balanced_accuracy,
        "mcc": hooks.recording_mcc,
        "always_yes_f1": hooks.always_yes_f1,
        "prevalence": hooks.prevalence,
        "unparsed_rate": hooks.unparsed_rate,
    }
    for name, hook in named.items():
        assert hook(made) == pytest.approx(slow[name]), name
    assert hooks.f1_low(made) < hooks.recording_f1(made) < hooks.f1_high(made)
    assert [one.n for one in hooks.run_scores(made).features] == [80]


def test_hooks_share_one_computation_and_ignore_the_order_of_samples() -> None:
    made = items(seed=5)
    hooks._run_scores.cache_clear()
    first = hooks.recording_f1(made)
    random.Random(0).shuffle(made)
    assert hooks.recording_f1(made) == first
    hooks.f1_low(made)
    assert hooks._run_scores.cache_info().misses == 1


def test_items_of_several_features_give_their_mean() -> None:
    both = items("tonic") + items("clonic", seed=1)
    mean = (hooks.recording_f1(items("tonic")) + hooks.recording_f1(items("clonic", seed=1))) / 2
    assert hooks.recording_f1(both) == pytest.approx(mean)
    assert hooks.always_yes_f1(both) > 0
    assert 0 < hooks.prevalence(both) < 1
    assert len(hooks.run_scores(both).features) == 2


def test_limits_that_cannot_be_estimated_are_nan() -> None:
    few = items(patients=4)
    assert np.isnan(hooks.f1_low(few))
    assert np.isnan(hooks.f1_high(few))
    assert not np.isnan(hooks.recording_f1(few))


def test_foreign_or_missing_samples_are_refused_with_a_sentence() -> None:
    with pytest.raises(ValueError, match="no field 'video_id'"):
        hooks.recording_f1([{"answer": "yes"}])
    with pytest.raises(ValueError, match="no samples"):
        hooks.recording_f1([])
