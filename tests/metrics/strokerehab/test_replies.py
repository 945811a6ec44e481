"""What replies say, under the published reading and under ours."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from semiology.metrics.strokerehab.replies import (
    read_activity,
    read_count,
    read_one_primitive,
    read_primitives,
    read_score,
    read_yes_no,
)
from semiology.strokerehab import ACTIVITIES


@pytest.mark.parametrize(
    ("reply", "fixed", "paper"),
    [
        ("YES.", True, True),
        ("yes", True, True),
        ("**No**, it rests.", False, False),
        ("I do not know", None, False),
        ("I cannot tell", None, False),
        ("", None, False),
        (None, None, False),
        ("No. Yes would need a grasp.", False, True),
        ("The answer is yes.", True, True),
        ("Either yes or no.", None, True),
        ("Eyes closed", None, True),
    ],
)
def test_yes_or_no(reply: str | None, fixed: bool | None, paper: bool) -> None:
    assert read_yes_no(reply) is fixed
    assert read_yes_no(reply, "paper") is paper


def test_primitives_are_whole_words() -> None:
    assert read_primitives("REACH, TRANSPORT, TRAN") == ["reach", "transport"]
    assert read_primitives("reached the goal") == []
    assert read_one_primitive("Idle, then reach").primitives == ("idle",)
    assert read_one_primitive("Idle, then reach").several
    assert read_one_primitive("Idle, then reach", "paper").primitives == ("idle", "reach")
    assert read_one_primitive(None).primitives == ()


@pytest.mark.parametrize(
    ("reply", "fixed", "paper"),
    [
        ("I see a sink.\nFINAL_ANSWER: Face wash.", "face wash", "face wash"),
        ("FINAL_ANSWER: <activity>\nFINAL_ANSWER: 'RTT exercise'", "rtt exercise", None),
        ("FINAL_ANSWER: combing\nFINAL_ANSWER: brushing", "brushing", "combing"),
        ("**FINAL_ANSWER:** glasses", "glasses", "glasses"),
        ("FINAL_ANSWER:", None, None),
        ("combing", None, None),
        ("FINAL_ANSWER: walking", None, None),
        ("", None, None),
    ],
)
def test_activity(reply: str, fixed: str | None, paper: str | None) -> None:
    assert read_activity(reply, ACTIVITIES) == fixed
    assert read_activity(reply, ACTIVITIES, "paper") == paper


@pytest.mark.parametrize(
    ("reply", "score", "paper", "count"),
    [
        ("FINAL_SCORE: 2", 2, 2, 2),
        ("FINAL_SCORE: 3", None, None, 3),
        ("FINAL_SCORE: 1\nNo: FINAL_SCORE: 0", 0, 1, 0),
        ("0 degrees", None, 0, None),
        ("1", 1, 1, 1),
        ("12", None, None, 12),
        ("FINAL_SCORE: -1", None, 1, None),
        ("FINAL_SCORE: 1.5", None, 1, None),
        ("", None, None, None),
    ],
)
def test_scores_and_counts(reply: str, score: int | None, paper: int | None, count: int | None) -> None:
    assert read_score(reply) == score
    assert read_score(reply, "paper") == paper
    assert read_count(reply) == count


@given(st.text())
def test_no_reply_is_an_exception(reply: str) -> None:
    assert read_score(reply) in (None, 0, 1, 2)
    assert read_yes_no(reply) in (None, True, False)
    assert read_activity(reply, ACTIVITIES) in (None, *ACTIVITIES)
    assert (read_count(reply) or 0) >= 0
    read_primitives(reply)
