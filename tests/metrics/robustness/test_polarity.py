from __future__ import annotations

import numpy as np
from hypothesis import given
from wording_examples import answers_of, any_answers

from semiology.metrics.robustness.answers import WordingAnswers
from semiology.metrics.robustness.measures import polarity_outcomes, polarity_pairs


def test_outcomes_of_a_hand_computed_example() -> None:
    # Codes are about presence. Pair (positive, negative): (y, y) consistent; (y, n): "yes" was said to both
    # questions; (n, y): "no" to both; (y, u): unusable.
    answers = answers_of(["yyny", "ynyu"], "yyyy", polarities=["positive", "negative"])
    pairs = polarity_pairs(answers.polarities)
    assert pairs == [(0, 1)]
    consistent, yes, no, usable = polarity_outcomes(answers.answers, pairs)
    np.testing.assert_allclose(consistent, [1, 0, 0, np.nan])
    np.testing.assert_allclose(yes, [0, 1, 0, np.nan])
    np.testing.assert_allclose(no, [0, 0, 1, np.nan])
    assert usable.tolist() == [1, 1, 1, 0]
    np.testing.assert_allclose((yes - no), [0, 1, -1, np.nan])


def test_a_model_that_always_says_yes_is_found_out() -> None:
    # literal "yes" everywhere: present for the positive wordings, absent for the negative one
    answers = answers_of(["yyy", "yyy", "nnn"], "yny", polarities=["positive", "positive", "negative"])
    pairs = polarity_pairs(answers.polarities)
    assert pairs == [(0, 2), (1, 2)]
    consistent, yes, no, _ = polarity_outcomes(answers.answers, pairs)
    assert consistent.tolist() == [0, 0, 0]
    assert (yes - no).tolist() == [1, 1, 1]


def test_without_a_pair_nothing_is_known() -> None:
    answers = answers_of(["yn"], "yn")
    outcomes = polarity_outcomes(answers.answers, polarity_pairs(answers.polarities))
    assert np.isnan(outcomes[:3]).all()
    assert outcomes[3].tolist() == [0, 0]


@given(any_answers())
def test_the_shares_of_usable_pairs_sum_to_one(answers: WordingAnswers) -> None:
    outcomes = polarity_outcomes(answers.answers, polarity_pairs(answers.polarities))
    total = sum(outcomes[:3])
    np.testing.assert_allclose(total[outcomes[3] > 0], 1)
    assert np.isnan(total[outcomes[3] == 0]).all()
