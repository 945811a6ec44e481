"""The published answers that come closest to a sweep: one listener, one wording, three forms of the sound.

They hold no variation of wording; they prove that the measures contain the published scores.
"""

from __future__ import annotations

from collections.abc import Callable

import pandas as pd
import pytest

from semiology.metrics.robustness.answers import WordingAnswers, wording_answers
from semiology.metrics.robustness.scores import robustness_of

Published = Callable[[str], pd.DataFrame]
CONDITIONS = ["raw", "segan", "transcript"]


@pytest.fixture
def vocalisation(published: Published) -> WordingAnswers:
    answers = published("embc_published/af3_outputs.csv")
    truth = published("embc_published/annotations.csv")
    rows = answers[answers["feature"] == "ictal_vocalization"].merge(truth, on="event_id")
    return wording_answers(
        pd.DataFrame(
            {
                "prompt_id": rows["condition"],
                "video_id": rows["event_id"],
                "patient_id": rows["patient_id"],
                "answer": rows["answer"].replace("fail", "unparsed"),
                "truth": rows["ictal_vocalization"].map({"1": "yes", "0": "no"}),
                "feature": "ictal_vocalization",
            }
        ),
        reference="raw",
    )


def test_each_condition_has_its_published_f1(vocalisation: WordingAnswers, published: Published) -> None:
    # printed in Table IV: failed answers dropped
    dropped = robustness_of([vocalisation], policy="drop", resamples=10).features[0]
    assert list(dropped.wordings) == CONDITIONS
    assert dropped.per_wording["f1"].round(3).tolist() == [0.773, 0.567, 0.793]
    # recomputed: a failed answer is wrong
    rescored = published("embc_published/audio_rescored.csv")
    chosen = rescored[
        (rescored["feature"] == "ictal_vocalization") & rescored["rule"].str.contains("counts as wrong")
    ].set_index("condition")
    wrong = robustness_of([vocalisation], resamples=10).features[0]
    expected = [round(float(str(chosen.loc[name, "f1"])), 3) for name in CONDITIONS]
    assert wrong.per_wording["f1"].round(3).tolist() == expected


def test_the_means_and_flips_are_those_counted_by_hand(vocalisation: WordingAnswers) -> None:
    right = vocalisation.right
    found = robustness_of([vocalisation], resamples=10).features[0].estimates
    assert found["avg_p"].value == pytest.approx(right.mean())
    assert found["flips"].value == pytest.approx((right.any(0) & ~right.all(0)).mean())
    assert found["f1_best"].value == pytest.approx(0.793, abs=0.001)
    assert found["worst_at_5"].reason == "only 3 wordings asked"
