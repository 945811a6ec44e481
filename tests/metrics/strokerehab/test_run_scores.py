"""From records of replies to the scores of a run: values worked out by hand and by scikit-learn."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from sklearn.metrics import f1_score

from semiology.metrics.strokerehab.run_scores import (
    IdentificationRun,
    score_impairment,
    score_primitives,
)
from semiology.metrics.strokerehab.wordings import macro_f1_estimate


def axis_records(replies: Sequence[tuple[str, str]], step_s: float) -> list[dict[str, Any]]:
    """Records of one video whose windows are asked about motion and grasp."""
    return [
        {
            "video_id": "v", "subject": "s", "severity": "", "activity": "feeding", "kind": "axis",
            "question_id": axis, "window": number, "windows": len(replies), "questions": 2,
            "start_s": number * step_s, "end_s": (number + 1) * step_s, "raw": reply,
            "truth_runs": "" if number else "reach@0;idle@1;transport@2;transport@3",
        }
        for number, pair in enumerate(replies)
        for axis, reply in zip(("motion", "grasp"), pair, strict=True)
    ]  # fmt: skip


def test_primitives_follow_from_when_motion_and_grasp_are_answered_yes() -> None:
    replies = [("Yes", "No"), ("No", "No"), ("Yes", "Yes"), ("I do not know", "Yes")]
    (video,) = score_primitives(axis_records(replies, 1.0)).videos
    # The grasp begins two seconds after the first window, which is still a reach; unread is no.
    assert video.words == video.window_words == ("reach", "idle", "transport", "stabilize")
    assert (video.invalid, video.replies) == (1, 8)
    assert video.scores.edit_score == pytest.approx(
        100 * (1 - 1 / 4)
    )  # one word more than the three labelled
    # Three seconds are too late; no reach is left among the words.
    (late,) = score_primitives(axis_records(replies, 1.5)).videos
    assert late.words == ("reposition", "idle", "transport", "stabilize")


def timed_records(
    knee: Sequence[str], nose: Sequence[str], wording: str, slower: float
) -> list[dict[str, Any]]:
    """Records of item 33: the affected arm's windows are as many times as long as the healthy one's."""
    return [
        {
            "task": "impairment", "subject": "s", "subject_questions": 4 * len(knee), "item": 33,
            "question_id": place, "kind": place, "laterality": side, "prompt_id": wording, "order": 0,
            "questions": 4, "window": number, "windows": len(knee), "end_s": (number + 1.0) * length,
            "raw": reply, "rated": "33:1" if (side, place, number) == ("A", "knee", 0) else "",
        }
        for side, length in (("A", slower), ("H", 1.0))
        for place, replies in (("knee", knee), ("nose", nose))
        for number, reply in enumerate(replies)
    ]  # fmt: skip


@pytest.mark.parametrize(("slower", "score"), [(1.3, 2), (1.5, 1), (3.0, 0)])
def test_the_timed_item_is_scored_from_counts_of_both_arms(slower: float, score: int) -> None:
    # The fourth touch of the knee is in the fourth window: 4 s, against 5.2, 6 and 12 s (2 and 6 s decide).
    run = score_impairment(timed_records(["1"] * 5, ["0"] * 4 + ["many"], "count", slower))
    assert run.answers == {"s": {33: score}}
    assert run.truth == {"s": {33: 1}}
    assert (run.invalid, run.replies) == (2, 20)
    assert (run.touched_again, run.touched) == (2 * 4, 2 * 5)


def test_the_timed_item_is_scored_from_beginnings_of_contact_where_they_were_asked() -> None:
    # At the knee from the start, then four times anew: in windows 3, 5, 7 and 9 of 1 s, or of 1.5 s.
    knee = ["Yes", "No"] * 4 + ["Yes"]
    run = score_impairment(timed_records(knee, ["No"] * 8 + ["unclear"], "contact", 1.5))
    assert run.answers == {"s": {33: 1}}  # 9 s against 13.5 s
    assert (run.invalid, run.replies) == (2, 36)
    assert (run.touched_again, run.touched) == (0, 8)


def test_an_arm_whose_places_were_not_asked_alike_gives_no_time() -> None:
    rows = timed_records(["1"] * 5, ["0"] * 5, "count", 1.3)
    run = score_impairment(rows[:-1], partial=True)
    assert run.answers == {"s": {33: None}}


def test_only_replies_that_say_nothing_are_invalid() -> None:
    answers = {"gate": "yes", "deviation": "I cannot tell", "closing": "No."}
    rows = [
        {
            "task": "impairment", "subject": "s", "subject_questions": 3, "item": 3, "question_id": kind,
            "kind": kind, "laterality": "A", "prompt_id": "tree", "order": order, "questions": 3, "window": 0,
            "windows": 1, "end_s": 2.0, "raw": reply, "rated": "" if order else "3:2",
        }
        for order, (kind, reply) in enumerate(answers.items())
    ]  # fmt: skip
    run = score_impairment(rows)
    assert (run.invalid, run.replies) == (1, 3)
    assert run.answers == {"s": {3: 1}}


def test_the_macro_f1_of_activities_is_scikit_learns_over_those_there_are() -> None:
    truth = ["brushing", "brushing", "combing", "glasses", "combing", "glasses"]
    answer = ["brushing", "combing", "combing", "none", "drinking", "glasses"]
    run = IdentificationRun(truth, answer, list("aabbcc"), [False] * 6, [""] * 6)
    expected = f1_score(truth, answer, labels=sorted(set(truth)), average="macro", zero_division=0)
    assert macro_f1_estimate(run).value == pytest.approx(expected)
