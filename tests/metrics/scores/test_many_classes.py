"""Counts and scores over any number of classes, against scikit-learn's on the answers themselves."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import (
    accuracy_score,
    balanced_accuracy_score,
    cohen_kappa_score,
    matthews_corrcoef,
    multilabel_confusion_matrix,
    precision_recall_fscore_support,
)

from semiology.metrics.scores.classification import (
    class_counts,
    class_table_scores,
    macro_scores,
    positive_class_scores,
    three_class_table_scores,
)


def answers(seed: int, k: int) -> tuple[np.ndarray, np.ndarray]:
    """True classes, and answers of which k stands for one that was not understood."""
    rng = np.random.default_rng(seed)
    truth = rng.choice(k, 40, p=rng.dirichlet(np.ones(k)))
    return truth, np.where(rng.random(40) < 0.5, truth, rng.integers(0, k + 1, 40))


def table(truth: np.ndarray, answer: np.ndarray, k: int) -> np.ndarray:
    counts = np.zeros((k, k + 1))
    np.add.at(counts, (truth, answer), 1)
    return counts


@pytest.mark.parametrize("k", [2, 3, 5])
@pytest.mark.parametrize("seed", range(4))
def test_scores_of_classes_are_those_of_scikit_learn(seed: int, k: int) -> None:
    truth, answer = answers(seed, k)
    counts = table(truth, answer, k)
    for policy in ("wrong", "drop"):
        t, a = (truth, answer) if policy == "wrong" else (truth[answer < k], answer[answer < k])
        own = class_counts(counts, policy)  # type: ignore[arg-type]
        matrices = multilabel_confusion_matrix(t, a, labels=range(k))
        assert own.tn.tolist() == matrices[:, 0, 0].tolist()
        assert own.fp.tolist() == matrices[:, 0, 1].tolist()
        assert own.fn.tolist() == matrices[:, 1, 0].tolist()
        assert own.tp.tolist() == matrices[:, 1, 1].tolist()
        found = macro_scores(counts, policy)  # type: ignore[arg-type]
        seen = sorted(set(t.tolist()))
        means = precision_recall_fscore_support(t, a, labels=seen, average="macro", zero_division=0)
        assert [found[name] for name in ("precision", "recall", "f1")] == pytest.approx(means[:3])
        specificity = [matrices[c, 0, 0] / matrices[c, 0].sum() for c in seen if matrices[c, 0].sum()]
        assert found["specificity"] == pytest.approx(sum(specificity) / len(seen))
        assert found["accuracy"] == pytest.approx(accuracy_score(t, a))
        if len(seen) > 1:
            assert found["mcc"] == pytest.approx(matthews_corrcoef(t, a))
            assert found["kappa"] == pytest.approx(cohen_kappa_score(t, a))


@pytest.mark.parametrize("seed", range(4))
def test_questions_with_classes_of_their_own(seed: int) -> None:
    truth, answer = answers(seed, 4)
    found = class_table_scores(table(truth, answer, 4))
    seen = sorted(set(truth.tolist()))
    means = precision_recall_fscore_support(truth, answer, labels=seen, average="macro", zero_division=0)
    assert (found["macro_precision"], found["macro_f1"]) == pytest.approx((means[0], means[2]))
    assert found["balanced_accuracy"] == pytest.approx(means[1])
    for c in range(4):
        one = positive_class_scores(table(truth, answer, 4), c)
        values = precision_recall_fscore_support(truth, answer, labels=[c], zero_division=np.nan)[:3]
        assert [one["precision"], one["recall"]] == pytest.approx([values[0][0], values[1][0]], nan_ok=True)
        assert one["f1"] == pytest.approx(values[2][0] if c in seen else np.nan, nan_ok=True)
    alone = class_table_scores(table(truth * 0 + 2, answer, 4))
    assert np.isnan(alone["balanced_accuracy"])
    assert alone["accuracy"] == pytest.approx((answer == 2).mean())


@pytest.mark.parametrize("seed", range(4))
def test_baselines_of_three_classes_are_scores_of_constant_answers(seed: int) -> None:
    truth, answer = answers(seed, 3)
    counts = table(truth, answer, 3)
    found = three_class_table_scores(counts)
    seen = sorted(set(truth.tolist()))

    def constant(c: int) -> float:
        means = precision_recall_fscore_support(
            truth, truth * 0 + c, labels=seen, average="macro", zero_division=0
        )
        return float(means[2])

    shares = np.bincount(truth, minlength=3) / 40
    assert found["always_yes_f1"] == pytest.approx(constant(0))
    assert found["always_no_f1"] == pytest.approx(constant(1))
    assert found["f1_minus_always_yes"] == pytest.approx(found["f1"] - constant(0))
    assert found["prevalence"] == pytest.approx(shares[0])
    assert found["random_f1"] == pytest.approx(shares[shares > 0].mean())
    assert found["yes_rate"] == pytest.approx((answer == 0).mean())
    assert found["na_rate"] == pytest.approx((answer == 2).mean())
    assert found["unparsed_rate"] == pytest.approx((answer == 3).mean())
    if len(seen) > 1:
        parsed = np.where(answer < 3, answer, 99)
        kept = [value for value in seen if (truth == value).any()]
        recalls = [(parsed[truth == c] == c).mean() for c in kept]
        assert found["balanced_accuracy"] == pytest.approx(np.mean(recalls))
        known = answer < 3
        if set(truth[known].tolist()) == set(seen):
            assert three_class_table_scores(counts, "drop")["balanced_accuracy"] == pytest.approx(
                balanced_accuracy_score(truth[known], answer[known])
            )


@pytest.mark.parametrize("k", [2, 3, 4])
def test_tables_together_score_as_each_alone(k: int) -> None:
    tables = np.random.default_rng(k).integers(0, 4, (3, 5, k, k + 1)).astype(float)
    tables[0, :, 1:] = 0  # the truth holds one class, the answers several
    tables[1, :, :, 1:] = 0  # the same answer to all
    tables[2, 0] = 0
    for policy in ("wrong", "drop"):
        together = macro_scores(tables, policy)  # type: ignore[arg-type]
        for name, values in together.items():
            alone = [[macro_scores(t, policy)[name] for t in row] for row in tables]  # type: ignore[arg-type]
            np.testing.assert_allclose(values, alone)
    for name, values in class_table_scores(tables).items():
        np.testing.assert_allclose(values, [[class_table_scores(t)[name] for t in row] for row in tables])
    assert np.isnan(class_table_scores(tables)["balanced_accuracy"][0]).all()
    for c in range(k):
        for name, values in positive_class_scores(tables, c).items():
            np.testing.assert_allclose(
                values, [[positive_class_scores(t, c)[name] for t in row] for row in tables]
            )
