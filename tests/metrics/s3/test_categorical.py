from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import (
    accuracy_score,
    balanced_accuracy_score,
    f1_score,
    matthews_corrcoef,
    precision_score,
)

from semiology.features import REGIONS
from semiology.metrics.published_rules import (
    published_diagnosis,
    published_diagnosis_scores,
    published_region_scores,
    published_side_scores,
)
from semiology.metrics.s3.categorical import (
    DIAGNOSIS,
    REGION,
    SIDE,
    SIDES,
    constant_answer_scores,
    score_classes,
)
from semiology.metrics.scores.classification import class_table_scores
from semiology.metrics.scores.counts import class_table

WORDS = ("a", "b", "c")
ANSWERS = (*WORDS, "unparsed")


def frame(truth: list[str | None], answer: list[str | None], per_patient: int = 2) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "video_id": [f"v{i}" for i in range(len(truth))],
            "patient_id": [f"p{i // per_patient}" for i in range(len(truth))],
            "truth": truth,
            "answer": answer,
        }
    )


@given(st.lists(st.tuples(st.sampled_from(WORDS), st.sampled_from(ANSWERS)), min_size=1, max_size=40))
def test_scores_equal_those_of_scikit_learn(pairs: list[tuple[str, str]]) -> None:
    truth, answer = [t for t, _ in pairs], [a for _, a in pairs]
    labels = sorted(set(truth))
    ours = class_table_scores(class_table(truth, answer, WORDS)[None].astype(float))
    common = {"labels": labels, "average": "macro", "zero_division": 0.0}
    assert ours["accuracy"][0] == pytest.approx(accuracy_score(truth, answer))
    assert ours["macro_f1"][0] == pytest.approx(f1_score(truth, answer, **common))
    assert ours["macro_precision"][0] == pytest.approx(precision_score(truth, answer, **common))
    if len(labels) > 1:
        with np.errstate(all="ignore"):
            assert ours["mcc"][0] == pytest.approx(matthews_corrcoef(truth, answer), abs=1e-9)
        recalls = [accuracy_score([t for t, _ in p], [a for _, a in p]) for p in split(pairs, labels)]
        assert ours["balanced_accuracy"][0] == pytest.approx(np.mean(recalls))
        if set(answer) <= set(labels):
            assert ours["balanced_accuracy"][0] == pytest.approx(balanced_accuracy_score(truth, answer))
    else:
        assert np.isnan(ours["balanced_accuracy"][0])


def split(pairs: list[tuple[str, str]], labels: list[str]) -> list[list[tuple[str, str]]]:
    return [[pair for pair in pairs if pair[0] == label] for label in labels]


@given(st.lists(st.sampled_from(SIDES), min_size=2, max_size=40))
def test_a_constant_answer_scores_what_the_baseline_says(truth: list[str]) -> None:
    table = class_table(truth, truth, SIDES).astype(float)
    baseline = constant_answer_scores(table, SIDES)
    for side in SIDES:
        ours = class_table_scores(class_table(truth, [side] * len(truth), SIDES)[None].astype(float))
        assert ours["accuracy"][0] == pytest.approx(baseline[f"always_{side}_accuracy"])
        assert ours["macro_f1"][0] == pytest.approx(baseline[f"always_{side}_macro_f1"])


@given(st.lists(st.tuples(st.sampled_from(SIDES), st.sampled_from(SIDES)), min_size=1, max_size=30))
def test_mirroring_left_and_right_leaves_the_two_sided_scores_alone(pairs: list[tuple[str, str]]) -> None:
    mirror = {"left": "right", "right": "left"}
    table = class_table([t for t, _ in pairs], [a for _, a in pairs], SIDES)
    mirrored = class_table([mirror[t] for t, _ in pairs], [mirror[a] for _, a in pairs], SIDES)
    one, other = (class_table_scores(t[None].astype(float)) for t in (table, mirrored))
    for name in one:
        np.testing.assert_allclose(one[name], other[name])


def test_sides_are_scored_with_intervals_baselines_and_counts() -> None:
    rng = np.random.default_rng(1)
    truth = [str(side) for side in rng.choice(SIDES, 80)]
    answer: list[str | None] = [t if rng.random() < 0.8 else "unparsed" for t in truth]
    answer[0], answer[1] = None, ""
    scores = score_classes(frame([*truth, None], [*answer, "left"]), SIDE, resamples=200)
    assert (scores.counts.asked, scores.counts.missing) == (80, 2)
    assert scores.counts.unparsed == answer.count("unparsed")
    assert scores.counts.partial
    accuracy = scores.estimates["accuracy"]
    assert accuracy.value == pytest.approx(sum(t == a for t, a in zip(truth, answer, strict=True)) / (80 - 2))
    assert accuracy.low is not None
    assert accuracy.low < accuracy.value < (accuracy.high or 0)
    assert scores.estimates["precision"].value == 1.0
    assert scores.baselines["best_constant_accuracy"] >= 0.5


def test_unparsed_answers_are_wrong_and_never_a_side() -> None:
    truth = ["left", "right"] * 10
    scores = score_classes(frame(truth, ["unparsed"] * 20), SIDE, resamples=50)
    assert scores.estimates["accuracy"].value == 0.0
    assert np.isnan(scores.estimates["precision"].value)
    assert scores.estimates["f1"].value == 0.0


def test_few_patients_withdraw_the_interval_of_a_two_class_score_and_caution_a_many_class_one() -> None:
    sides = score_classes(frame(["left", "right"] * 3, ["left"] * 6), SIDE, resamples=50)
    assert "fewer than 10" in (sides.estimates["macro_f1"].reason or "")
    truth = ["head"] * 20 + ["arms"] * 4
    regions = score_classes(frame(truth, ["head", "eyes", "arms"] * 8), REGION, resamples=50)
    assert regions.estimates["macro_f1"].low is not None
    assert "fewer than 10" in (regions.estimates["macro_f1"].caution or "")


def test_a_recording_in_two_rows_is_refused() -> None:
    doubled = pd.concat([frame(["ES"], ["ES"])] * 2)
    with pytest.raises(ValueError, match="answered twice, first v0"):
        score_classes(doubled, DIAGNOSIS)


@pytest.mark.parametrize(
    ("truth", "answer", "message"),
    [(["middle"], ["left"], "unknown truth 'middle'"), (["left"], ["up"], "unknown answer 'up'")],
)
def test_a_word_outside_the_classes_is_named(truth: list[str], answer: list[str], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        score_classes(frame(truth, answer), SIDE)


def test_published_sides_drop_what_is_not_exactly_a_side() -> None:
    values = published_side_scores(["right", "right ", "left", "N/A"], ["right", "right", "right", "left"])
    assert values == {"precision": 0.5, "recall": 1.0, "f1": pytest.approx(2 / 3), "accuracy": 0.5, "n": 2.0}
    assert np.isnan(published_side_scores(["N/A"], ["left"])["f1"])


def test_published_regions_make_a_class_of_a_misspelling_and_ours_refuse_it() -> None:
    values = published_region_scores(["head", "amrs", "N/A"], ["Head", "arms", "head"])
    assert values["n"] == 2.0
    assert values["f1"] == pytest.approx(1 / 3)
    with pytest.raises(ValueError, match="unknown truth 'amrs'"):
        score_classes(frame(["amrs"], ["arms"]), REGION)
    assert len(REGIONS) == 11


def test_published_diagnosis_reads_nes_first() -> None:
    answers = ["ES", "NES", "It is NES, not ES", "YES", "unclear"]
    assert [published_diagnosis(a) for a in answers] == ["ES", "NES", "NES", "ES", None]
    values = published_diagnosis_scores(["ES", "NES", "sample"], ["ES", "unclear", "ES"])
    assert values["n"] == 1.0


def test_always_es_stands_beside_the_diagnosis() -> None:
    truth = ["ES"] * 40 + ["NES"] * 20
    scores = score_classes(frame(truth, ["ES"] * 60, per_patient=1), DIAGNOSIS, resamples=100)
    assert scores.estimates["f1"].value == pytest.approx(scores.baselines["always_ES_f1"]) == 0.8
    assert scores.estimates["balanced_accuracy"].value == 0.5
    assert scores.estimates["mcc"].value == 0.0
