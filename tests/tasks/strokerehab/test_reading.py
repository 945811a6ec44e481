"""What is no answer is not taken for one, in the rehabilitation tasks either."""

from __future__ import annotations

import pytest

from semiology.metrics.strokerehab.replies import read_score, read_yes_no
from semiology.metrics.strokerehab.run_scores import reply_of
from semiology.tasks.strokerehab.reading import said


@pytest.mark.parametrize(
    ("reply", "read"),
    [
        ("YES.", True),
        ("No", False),
        ("no movement, I would say no", False),
        ("<think>No, the arm rests.</think>Yes", True),
        ("<think>Yes it moves. So the answer is yes", None),
        ("[THINK]yes[/THINK]no", False),
        ("Yes. Sorry, I meant no.", False),
        ("Yes. Wait, that is the other hand.", None),
        ("No, I can't view videos.", None),
        ("Yes, I can help with that!", None),
        ("The hand moves. The answer is yes. The other then [cut at the token limit]", None),
        ("I do not know", None),
        ("", None),
        (None, None),
    ],
)
def test_yes_and_no_are_what_the_model_said(reply: str | None, read: bool | None) -> None:
    record = {"raw": reply, "said": said(reply, "yes_no")}
    assert read_yes_no(reply_of(record, "fixed")) is read


def test_the_published_profile_reads_replies_as_they_came() -> None:
    record = {"raw": "No, I can't view videos. Yes?", "said": said("No, I can't view videos. Yes?", "yes_no")}
    assert read_yes_no(reply_of(record, "paper"), "paper") is True


def test_records_of_before_are_read_as_they_came() -> None:
    assert reply_of({"raw": "yes"}, "fixed") == "yes"


def test_a_score_in_a_thought_is_no_score() -> None:
    assert read_score(said("<think>FINAL_SCORE: 2</think>FINAL_SCORE: 1", "rating")) == 1
    assert read_score(said("<think>FINAL_SCORE: 2", "rating")) is None
