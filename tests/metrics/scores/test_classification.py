from __future__ import annotations

import warnings

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn import metrics as oracle

from semiology.metrics.scores import classification as c
from semiology.metrics.scores.counts import confusion_table

ANSWERS = ["yes", "no", "na", "unparsed"]
plain = st.lists(
    st.tuples(st.sampled_from(["yes", "no"]), st.sampled_from(["yes", "no"])), min_size=1, max_size=40
)
anything = st.lists(
    st.tuples(st.sampled_from(["yes", "no", "na"]), st.sampled_from(ANSWERS)), min_size=1, max_size=40
)


def same(ours: float, theirs: float) -> bool:
    return bool(np.isclose(ours, theirs, atol=1e-12))


@given(plain)
def test_yes_no_scores_equal_scikit_learn(pairs: list[tuple[str, str]]) -> None:
    truth, answer = map(list, zip(*pairs, strict=True))
    ours = c.binary_scores(truth, answer)
    t, a = [x == "yes" for x in truth], [x == "yes" for x in answer]
    assert same(ours["accuracy"], oracle.accuracy_score(t, a))
    if any(t):
        assert same(ours["recall"], oracle.recall_score(t, a))
        assert same(ours["f1"], oracle.f1_score(t, a, zero_division=0))
        assert same(ours["always_yes_f1"], oracle.f1_score(t, [True] * len(t)))
        assert ours["always_no_f1"] == 0
        assert same(ours["random_f1"], np.mean(t))
    if any(a):
        assert same(ours["precision"], oracle.precision_score(t, a))
    if not all(t):
        assert same(ours["specificity"], oracle.recall_score(t, a, pos_label=False))
    if len(set(t)) == 2:
        assert same(ours["balanced_accuracy"], oracle.balanced_accuracy_score(t, a))
        assert same(ours["mcc"], oracle.matthews_corrcoef(t, a))
        assert same(ours["kappa"], oracle.cohen_kappa_score(t, a))


@given(anything)
def test_counting_other_answers_as_wrong_equals_the_opposite_answer(pairs: list[tuple[str, str]]) -> None:
    opposite = {"yes": "no", "no": "yes"}
    scored = [(t, a if a in opposite else opposite[t]) for t, a in pairs if t != "na"]
    ours = c.binary_scores(*map(list, zip(*pairs, strict=True)))
    assert ours["n"] == len(scored)
    assert ours["n_na_truth"] == len(pairs) - len(scored)
    if scored:
        slow = c.binary_scores(*map(list, zip(*scored, strict=True)))
        for name in ("precision", "recall", "f1", "accuracy", "balanced_accuracy", "always_yes_f1"):
            np.testing.assert_equal(ours[name], slow[name])


@given(anything)
def test_dropping_other_answers_equals_never_having_asked(pairs: list[tuple[str, str]]) -> None:
    kept = [(t, a) for t, a in pairs if t != "na" and a in ("yes", "no")]
    ours = c.binary_scores(*map(list, zip(*pairs, strict=True)), policy="drop")
    assert ours["n"] == len(kept)
    if kept:
        slow = c.binary_scores(*map(list, zip(*kept, strict=True)))
        for name in ("precision", "recall", "f1", "accuracy", "yes_rate", "prevalence"):
            np.testing.assert_equal(ours[name], slow[name])


@given(anything)
def test_three_class_scores_equal_scikit_learn_over_the_labels_of_the_truth(
    pairs: list[tuple[str, str]],
) -> None:
    truth, answer = map(list, zip(*pairs, strict=True))
    ours = c.three_class_table_scores(confusion_table(truth, answer).astype(float))
    labels = sorted(set(truth))
    p, r, f, _ = oracle.precision_recall_fscore_support(
        truth, answer, labels=labels, average="macro", zero_division=0
    )
    assert [float(ours[k]) for k in ("precision", "recall", "f1")] == pytest.approx([p, r, f])
    assert same(float(ours["accuracy"]), oracle.accuracy_score(truth, answer))
    always = oracle.f1_score(truth, ["yes"] * len(truth), labels=labels, average="macro", zero_division=0)
    assert same(float(ours["always_yes_f1"]), always)
    if len(labels) > 1:
        assert same(float(ours["mcc"]), oracle.matthews_corrcoef(truth, answer))
        assert same(float(ours["kappa"]), oracle.cohen_kappa_score(truth, answer, labels=ANSWERS))


@given(anything)
def test_three_class_scores_without_unparsed_answers_are_those_of_the_rest(
    pairs: list[tuple[str, str]],
) -> None:
    kept = [(t, a) for t, a in pairs if a != "unparsed"]
    dropped = c.three_class_table_scores(_table(pairs), "drop")
    if kept:
        rest = c.three_class_table_scores(_table(kept), "wrong")
        for name in ("precision", "recall", "f1", "accuracy", "mcc", "kappa", "yes_rate"):
            np.testing.assert_allclose(dropped[name], rest[name], atol=1e-12)


def _table(pairs: list[tuple[str, str]]) -> np.ndarray:
    return confusion_table(*map(list, zip(*pairs, strict=True))).astype(float)


@given(plain)
def test_f1_lies_between_precision_and_recall(pairs: list[tuple[str, str]]) -> None:
    scores = c.binary_scores(*map(list, zip(*pairs, strict=True)))
    ends = sorted([scores["precision"], scores["recall"]])
    if not np.isnan(ends).any():
        assert ends[0] - 1e-12 <= scores["f1"] <= ends[1] + 1e-12


def test_all_leading_shapes_score_like_single_tables() -> None:
    tables = np.random.default_rng(0).integers(0, 9, (3, 5, 3, 4)).astype(float)
    for three in (False, True):
        for policy in ("wrong", "drop"):
            together = c.table_scores(tables, policy, three_classes=three)  # type: ignore[arg-type]
            single = c.table_scores(tables[2, 3], policy, three_classes=three)  # type: ignore[arg-type]
            for name, values in together.items():
                assert values.shape == (3, 5)
                np.testing.assert_allclose(values[2, 3], single[name])


def test_undefined_scores_are_nan_and_raise_no_warning() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        absent = c.binary_scores(["no", "no"], ["yes", "no"])
        empty = c.binary_scores(["na"], ["yes"])
    assert all(
        np.isnan(absent[k]) for k in ("recall", "f1", "balanced_accuracy", "mcc", "kappa", "always_yes_f1")
    )
    assert absent["specificity"] == 0.5
    assert np.isnan(empty["accuracy"])
    assert empty["n_na_truth"] == 1


def test_a_constant_answer_has_no_correlation_but_may_have_a_high_f1() -> None:
    scores = c.binary_scores(["yes", "yes", "no"], ["yes", "yes", "yes"])
    assert (scores["mcc"], scores["kappa"], scores["balanced_accuracy"]) == (0.0, 0.0, 0.5)
    assert scores["f1"] == scores["always_yes_f1"] == pytest.approx(0.8)


def test_unparsed_and_na_answers_are_counted_apart() -> None:
    scores = c.binary_scores(["yes", "no", "no", "yes"], ["unparsed", "na", "no", "yes"])
    assert (scores["unparsed_rate"], scores["na_rate"], scores["yes_rate"]) == (0.25, 0.25, 0.25)
    # Hand count: FN = the unparsed one, FP = the na one, TP = TN = 1.
    assert (scores["precision"], scores["recall"], scores["accuracy"]) == (0.5, 0.5, 0.5)


def test_misaligned_or_misspelt_input_is_refused() -> None:
    with pytest.raises(ValueError, match="one answer per truth"):
        c.binary_scores(["yes"], [])
    with pytest.raises(ValueError, match="unknown answer 'Yes'"):
        c.binary_scores(["yes"], ["Yes"])


@given(anything)
def test_mcc_and_kappa_take_what_is_neither_yes_nor_no_for_a_third_answer(
    pairs: list[tuple[str, str]],
) -> None:
    """scikit-learn's with three labels, of which the truth never holds the third."""
    scored = [(t, a if a in ("yes", "no") else "other") for t, a in pairs if t != "na"]
    if len({t for t, _ in scored}) < 2:
        return
    truth, answer = map(list, zip(*scored, strict=True))
    ours = c.binary_scores(*map(list, zip(*pairs, strict=True)))
    assert ours["mcc"] == pytest.approx(oracle.matthews_corrcoef(truth, answer), abs=1e-9)
    assert ours["kappa"] == pytest.approx(oracle.cohen_kappa_score(truth, answer), abs=1e-9)


def test_a_model_whose_replies_cannot_be_read_is_no_opposite_of_the_truth() -> None:
    truth = ["yes", "no", "no", "yes"]
    unread = c.binary_scores(truth, ["unparsed"] * 4)
    assert (unread["mcc"], unread["kappa"], unread["f1"], unread["balanced_accuracy"]) == (0, 0, 0, 0)
    three = c.three_class_table_scores(confusion_table([*truth, "na"], ["unparsed"] * 5).astype(float))
    assert (float(three["mcc"]), float(three["balanced_accuracy"])) == (0, 0)
    half = ["yes", "no", "unparsed", "unparsed"]
    wrong, drop = (c.binary_scores(truth, half, policy) for policy in ("wrong", "drop"))  # type: ignore[arg-type]
    assert drop["mcc"] == 1
    assert 0 < wrong["mcc"] < 1


def test_the_constant_baselines_of_three_classes_are_scikit_learns() -> None:
    truth = ["yes", "yes", "yes", "no", "no", "na"]
    table = confusion_table(truth, truth).astype(float)
    found = c.three_class_table_scores(table)
    for name, word in (("always_yes_f1", "yes"), ("always_no_f1", "no")):
        expected = oracle.f1_score(truth, [word] * 6, average="macro", zero_division=0)
        assert float(found[name]) == pytest.approx(expected), name
    # A guess in the shares of the truth has each class's share as its F1: the mean of 3/6, 2/6 and 1/6.
    assert float(found["random_f1"]) == pytest.approx(1 / 3)
    assert float(found["prevalence"]) == 0.5
