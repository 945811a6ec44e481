from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from sklearn.metrics import f1_score
from wording_examples import answers_of

from semiology.metrics.robustness.answers import WordingAnswers
from semiology.metrics.robustness.best_wording import best_of_k, best_position
from semiology.metrics.scores.counts import NO, YES


def random_answers(k: int, patients: int, seed: int, skill: np.ndarray) -> WordingAnswers:
    """Wordings that are right with the chance ``skill``, about one recording of each patient."""
    rng = np.random.default_rng(seed)
    truth = rng.integers(0, 2, patients)
    right = rng.random((k, patients)) < skill[:, None]
    rows = ["".join("yn"[c] for c in row) for row in np.where(right, truth, 1 - truth)]
    found = answers_of(rows, "".join("yn"[c] for c in truth), None)
    assert {YES, NO} == {0, 1}
    return found


def test_a_hand_computed_example() -> None:
    # Patients A B C D, truth yes yes no no; folds {A, C} and {B, D}.
    # w0 y y n n is right throughout; w1 n n y y is wrong throughout: w0 is chosen twice.
    answers = answers_of(["yynn", "nnyy"], "yynn", "ABCD")
    found = best_of_k(answers, score="accuracy", folds=np.array([0, 1, 0, 1]), resamples=50)
    assert found.chosen == ("w0", "w0")
    assert (found.held_out.value, found.apparent, found.optimism, found.k) == (1, 1, 0, 2)
    # w0 is right about A and C only, w1 about B and D only. Fold 0 (A, C) is scored by what B and D
    # chose, w1, which is wrong about both; likewise fold 1: honest 0 where the apparent best is 1/2.
    split = answers_of(["ynny", "nyyn"], "yynn", "ABCD")
    found = best_of_k(split, score="accuracy", folds=np.array([0, 1, 0, 1]), resamples=50)
    assert found.chosen == ("w1", "w0")
    assert (found.held_out.value, found.apparent, found.optimism) == (0, 0.5, 0.5)
    assert found.reference == 0.5


def test_the_best_of_equal_wordings_is_no_better_than_the_others() -> None:
    # 20 equal wordings of accuracy 0.7 on 86 patients: the apparent best is too high, held out it is not.
    apparent, held_out = [], []
    for seed in range(40):
        answers = random_answers(20, 86, seed, np.full(20, 0.7))
        found = best_of_k(answers, score="accuracy", resamples=2, seed=seed)
        apparent.append(found.apparent)
        held_out.append(found.held_out.value)
    # expected maximum of 20 normals is 1.87 SD; SD = sqrt(.7 * .3 / 86) = 0.049: +9 points
    assert np.mean(apparent) == pytest.approx(0.79, abs=0.015)
    # standard error of the mean of 40 is 0.8 points
    assert np.mean(held_out) == pytest.approx(0.7, abs=0.03)


def test_a_wording_that_is_better_is_chosen() -> None:
    skill = np.full(10, 0.6)
    skill[7] = 0.9
    found = best_of_k(random_answers(10, 120, 0, skill), score="balanced_accuracy", resamples=300)
    assert set(found.chosen) == {"w7"}
    assert found.held_out.low is not None
    assert found.held_out.low > 0.75


def test_recordings_of_a_patient_are_never_in_two_folds() -> None:
    # ten recordings each of two patients: with two folds each patient is scored by the other's choice
    answers = answers_of(["y" * 10 + "n" * 10, "n" * 10 + "y" * 10], "y" * 20, "A" * 10 + "B" * 10)
    found = best_of_k(answers, score="accuracy", folds=2, resamples=20)
    assert found.held_out.value == 0


def test_all_unparsed_or_no_positive_is_a_value_or_a_reason_not_an_error() -> None:
    unparsed = best_of_k(answers_of(["uuuu", "uuuu"], "yynn"), folds=2, resamples=20)
    assert unparsed.held_out.value == 0
    assert unparsed.chosen == ("w0", "w0")
    none = best_of_k(answers_of(["nnnn", "ynnn"], "nnnn"), folds=2, resamples=20)
    assert np.isnan(none.held_out.value)
    assert none.held_out.reason is not None


@pytest.mark.parametrize(
    ("keywords", "message"),
    [
        ({"score": "luck"}, "unknown score 'luck'"),
        ({"folds": 1}, "cannot be put into 1 fold "),
        ({"folds": 9}, "cannot be put into 9 folds"),
        ({"folds": np.zeros(4)}, "1 different folds"),
        ({"folds": np.arange(3)}, "3 fold entries for 4 patients"),
    ],
)
def test_senseless_choices_are_refused(keywords: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        best_of_k(answers_of(["ynyn"], "yynn"), **keywords)  # type: ignore[arg-type]


def test_a_wording_no_better_than_the_reference_does_not_replace_it() -> None:
    # Three wordings answer alike; the reference is the last. A better wording still wins.
    alike = replace(answers_of(["yynn", "yynn", "yynn"], "yynn", "ABCD"), reference=2)
    folds = np.array([0, 1, 0, 1])
    assert best_of_k(alike, score="accuracy", folds=folds, resamples=10).chosen == ("w2", "w2")
    better = replace(answers_of(["yynn", "yyyn", "yyyy"], "yynn", "ABCD"), reference=2)
    assert best_of_k(better, score="accuracy", folds=folds, resamples=10).chosen == ("w0", "w0")


@pytest.mark.parametrize(
    ("scores", "reference", "best"),
    [
        ([0.5, 0.8, 0.8], 2, 2),
        ([0.5, 0.8, 0.8], 0, 1),
        ([0.5, 0.8, 0.8], None, 1),
        ([np.nan, 0.3, np.nan], 0, 1),
        ([np.nan, np.nan], 1, 1),
        ([np.nan, np.nan], None, 0),
        ([0.1 + 0.2, 0.3], 1, 1),
    ],
)
def test_the_reference_stands_for_its_equals(scores: list[float], reference: int | None, best: int) -> None:
    assert best_position(np.array(scores), reference) == best


@pytest.mark.parametrize("seed", range(3))
def test_the_best_on_other_patients_is_scikit_learns_f1_of_the_answers_of_the_chosen(seed: int) -> None:
    rng = np.random.default_rng(seed)
    truth = rng.random(24) < 0.5
    right = rng.random((2, 24)) < np.array([[0.7], [0.75]])
    said = np.where(right, truth, ~truth)
    rows = ["".join("y" if word else "n" for word in row) for row in said]
    answers = answers_of(rows, "".join("y" if shown else "n" for shown in truth))
    folds = np.array(["a", "b", "c"] * 8)
    given = np.zeros(24, dtype=bool)
    for name in "abc":
        other = folds != name
        scores = [f1_score(truth[other], row[other]) for row in said]
        given[~other] = said[int(np.argmax(scores))][~other]
    found = best_of_k(answers, score="f1", folds=folds, resamples=100)
    assert found.held_out.value == pytest.approx(f1_score(truth, given))
    assert (found.held_out.n, found.held_out.n_patients) == (24, 24)
    assert found.apparent == pytest.approx(max(f1_score(truth, row) for row in said))
    assert found.reference == pytest.approx(f1_score(truth, said[0]))


@pytest.mark.parametrize("seed", range(12))
def test_each_fold_is_scored_by_the_wording_that_the_other_patients_chose(seed: int) -> None:
    """Scores from lists of answers, without those that cannot be used; some wordings and some patients have none."""
    rng = np.random.default_rng(seed)
    n, k = 14, 4
    patients = "".join(rng.choice(list("ABCDEF"), n))
    truth = "".join(rng.choice(list("yn"), n, p=[0.3, 0.7]))
    rows = ["".join(rng.choice(list("ynu"), n, p=[0.4, 0.4, 0.2])) for _ in range(k - 1)] + ["u" * n]
    reference = [0, 2, None][seed % 3]
    answers = replace(answers_of(rows, truth, patients), reference=reference)
    folds = np.array([[0, 1], [1, 0]][seed % 2] * 3)[: len(answers.patients)]
    of = dict(zip(answers.patients, folds.tolist(), strict=True))

    def accuracy(row: str, kept: list[int]) -> float:
        known = [i for i in kept if row[i] != "u"]
        return sum(row[i] == truth[i] for i in known) / len(known) if known else np.nan

    chosen, blind, right, given = [], [], 0, 0
    for fold in (0, 1):
        scores = [accuracy(row, [i for i in range(n) if of[patients[i]] != fold]) for row in rows]
        known = [score for score in scores if not np.isnan(score)]
        place = 0 if reference is None else reference
        if not known:
            blind.append(str(fold))
        elif reference is None or np.isnan(scores[reference]) or scores[reference] < max(known) - 1e-9:
            place = scores.index(max(known))
        chosen.append(f"w{place}")
        for i in range(n):
            if of[patients[i]] == fold and rows[place][i] != "u":
                given += 1
                right += rows[place][i] == truth[i]
    found = best_of_k(answers, score="accuracy", folds=folds, policy="drop", resamples=20)
    every = [accuracy(row, list(range(n))) for row in rows]
    assert (found.chosen, found.blind_folds, found.k) == (tuple(chosen), tuple(blind), k)
    assert found.held_out.value == pytest.approx(right / given)
    assert found.apparent == pytest.approx(np.nanmax(every))
    assert found.optimism == pytest.approx(np.nanmax(every) - right / given)
    assert found.reference == pytest.approx(np.nan if reference is None else every[reference], nan_ok=True)


def test_a_fold_is_blind_where_no_wording_of_the_others_has_a_score() -> None:
    # Under `drop` the other fold of the first has no usable answer at all; that of the second has one.
    answers = answers_of(["uuyn", "uuyy"], "ynyn", "ABCD")
    found = best_of_k(answers, score="accuracy", folds=np.array([0, 0, 1, 1]), policy="drop", resamples=10)
    assert (found.blind_folds, found.chosen) == (("1",), ("w0", "w0"))
