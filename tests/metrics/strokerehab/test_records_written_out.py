"""From records to videos and items: which are whole, how each kind of question is read, and what is left out."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from semiology.metrics.strokerehab.identification import NONE
from semiology.metrics.strokerehab.replies import (
    read_activity,
    read_count,
    read_score,
    read_state_machine,
    read_yes_no,
    state_machine_reply,
)
from semiology.metrics.strokerehab.run_scores import (
    IdentificationRun,
    ImpairmentRun,
    PrimitiveRun,
    axis_time_accuracy,
    identification_measures,
    impairment_measures,
    primitive_measures,
    score_identification,
    score_impairment,
    score_primitives,
)
from semiology.strokerehab import ACTIVITIES, GRASP, MOTION, PRIMITIVES

LABELS = "idle@0;reach@1;transport@2;idle@3;idle@4"


def windows(
    replies: list[Any], *, video: str = "v", kind: str = "list", questions: int = 1, **more: Any
) -> list[Any]:
    """Records of one video of windows of a second; each has a reply, or one for each of its questions."""
    names = ("motion", "grasp") if questions == 2 else ("word",)
    return [
        {
            "video_id": video, "subject": f"s_{video}", "severity": None, "activity": "feeding", "kind": kind,
            "question_id": name, "window": number, "windows": len(replies), "questions": questions,
            "start_s": float(number), "end_s": number + 1.0, "raw": reply,
            "truth_runs": "" if number else LABELS, **more,
        }
        for number, given in enumerate(replies)
        for name, reply in zip(names, given if questions == 2 else (given,), strict=True)
    ]  # fmt: skip


def test_lists_of_primitives_follow_each_other_and_an_empty_one_is_invalid() -> None:
    (video,) = score_primitives(windows(["idle, reach", "nothing", "Transport. Idle"])).videos
    assert video.words == ("idle", "reach", "transport", "idle")
    assert (video.invalid, video.several, video.replies) == (1, 0, 3)
    assert (video.axes, video.window_words, video.severity) == ({}, (), "")
    assert video.scores.edit_score == 100
    assert [window.start_s for window in video.windows] == [0, 1, 2]


def test_the_order_of_records_does_not_matter() -> None:
    rows = windows(["idle", "reach", "transport", "idle"], kind="primitive")
    wanted = score_primitives(rows)
    assert wanted.videos[0].words == ("idle", "reach", "transport", "idle")
    assert score_primitives(rows[::-1]) == wanted


def test_one_primitive_asked_in_two_ways_has_no_words_by_window() -> None:
    rows = windows(["idle", "reach"], kind="primitive")
    twice = [{**row, "question_id": name, "questions": 2} for row in rows for name in ("word", "again")]
    (video,) = score_primitives(twice).videos
    assert video.words == ("idle", "idle", "reach", "reach")
    assert (video.window_words, video.replies) == ((), 4)
    (single,) = score_primitives(rows).videos
    assert single.window_words == ("idle", "reach")


@pytest.mark.parametrize(
    ("change", "whole"),
    [
        (lambda rows: rows, True),
        (lambda rows: rows[:-1], False),  # a question of the last window is missing
        (lambda rows: rows[:-2], False),  # the last window is missing
        (lambda rows: [*rows, rows[0]], False),  # a question stands twice
        (lambda rows: [row for row in rows if row["question_id"] == "motion"], False),  # one axis alone
        (lambda rows: [{**row, "truth_runs": ""} for row in rows], False),  # nobody labelled it
    ],
)
def test_a_video_is_scored_where_each_window_has_each_question_once(change: Any, whole: bool) -> None:
    rows = change(windows([("yes", "no"), ("yes", "yes"), ("no", "no")], kind="axis", questions=2))
    found = score_primitives(rows)
    assert (len(found.videos), found.left_out) == ((1, ()) if whole else (0, ("v",)))
    labelled = any(row["truth_runs"] for row in rows)
    assert len(score_primitives(rows, partial=True).videos) == labelled


def test_an_axis_that_was_not_asked_is_no_and_unread() -> None:
    rows = windows([("Yes", "no"), ("maybe", "Yes")], kind="axis", questions=2)
    (both,) = score_primitives(rows).videos
    assert (both.axes, both.invalid) == ({"motion": [True, False], "grasp": [False, True]}, 1)
    assert both.words == both.window_words == ("reach", "stabilize")
    (one,) = score_primitives([row for row in rows if row["question_id"] == "grasp"], partial=True).videos
    assert (one.axes, one.invalid) == ({"motion": [False, False], "grasp": [False, True]}, 2)


def test_what_was_said_counts_and_as_published_all_that_came() -> None:
    rows = windows(["I think of idle. reach"], kind="primitive", said="reach")
    assert score_primitives(rows).videos[0].words == ("reach",)
    assert score_primitives(rows, "paper").videos[0].words == ("idle", "reach")
    (wrapped,) = score_primitives(windows([state_machine_reply(["reach", "idle"]), "PRIMITIVES: "])).videos
    assert wrapped.words == ("reach", "idle")
    assert wrapped.window_words == ("idle", "idle")
    assert wrapped.axes == {
        "motion": [word in MOTION for word in wrapped.window_words],
        "grasp": [word in GRASP for word in wrapped.window_words],
    }
    assert read_state_machine(state_machine_reply(PRIMITIVES)) == list(PRIMITIVES)
    assert read_state_machine("idle") is None
    assert read_state_machine(None) is None


def test_a_run_without_a_video_or_a_reply_has_no_measures() -> None:
    empty = PrimitiveRun((), ("v",))
    found = primitive_measures(empty)
    for name in ("invalid_rate", "several_rate", "motion_f1", "grasp_f1", "transport_only_edit_score",
                 "mean_dose_relative_counting_error"):  # fmt: skip
        assert math.isnan(found[name])  # type: ignore[arg-type]
    assert (found["videos"], found["videos_left_out"]) == (0, 1)
    assert math.isnan(axis_time_accuracy(empty, "motion"))
    none = identification_measures(IdentificationRun([], [], [], [], []))
    assert math.isnan(none["macro_f1"])  # type: ignore[arg-type]
    assert math.isnan(none["invalid_rate"])  # type: ignore[arg-type]
    assert none["videos"] == 0
    assert math.isnan(impairment_measures(ImpairmentRun({}, {}, 0, 0))["r2"])  # type: ignore[arg-type]


def test_doses_of_other_subjects_are_beside_those_of_a_run() -> None:
    rows = windows(["idle", "reach"], video="a") + windows(
        ["idle"], video="b", truth_runs="idle@0;reach@2;reach@3"
    )
    rows[-1]["activity"] = "combing"
    found = primitive_measures(score_primitives(rows))
    # a: idle twice, reach, transport in 4 s; b: idle and reach in 3 s. Each is held against the other's counts.
    assert found["mean_dose_relative_counting_error"] == pytest.approx((2 / 4 + 2 / 2) / 2)
    first = (abs(4 / 3 - 2) + abs(4 / 3 - 1) + 1) / 4
    second = (abs(2 * 3 / 4 - 1) + abs(3 / 4 - 1) + 3 / 4) / 2
    assert found["mean_rate_relative_counting_error"] == pytest.approx((first + second) / 2)


def item(number: int, reply: str, order: int = 0, window: int = 0, **more: Any) -> dict[str, Any]:
    return {
        "task": "impairment", "subject": "s", "subject_questions": 0, "item": number, "question_id": f"q{order}",
        "kind": "rating", "laterality": "A", "prompt_id": "plain", "order": order, "questions": 1, "window": window,
        "windows": 1, "end_s": window + 1.0, "raw": reply, "rated": "", **more,
    }  # fmt: skip


@pytest.mark.parametrize("number", [30, 31, 32, 33, 3])
def test_items_31_and_32_alone_are_means_of_their_windows(number: int) -> None:
    rows = [item(number, reply, window=n, windows=4) for n, reply in enumerate(("0", "2", "2", "1"))]
    found = score_impairment(rows).answers["s"][number]
    # Of others the first window that yields a score decides; 33 is timed, and no touches were asked.
    assert found == {31: 1, 32: 1, 33: None}.get(number, 0)


def test_an_item_is_scored_where_each_question_has_each_window_and_none_is_missing() -> None:
    def scored(rows: list[dict[str, Any]], **options: Any) -> Any:
        return score_impairment(rows, **options).answers["s"][3]

    tree = [item(3, "unclear", 0, kind="gate", questions=2), item(3, "yes", 1, kind="closing", questions=2)]
    assert scored(tree) == 2
    assert scored(tree[::-1]) == 2
    assert scored([tree[1]]) is None
    assert scored([tree[1]], partial=True) == 2
    assert scored([{**row, "windows": 2} for row in tree]) is None
    assert (
        scored([{**tree[0], "windows": 2}, tree[1]]) is scored([tree[0], {**tree[1], "windows": 2}]) is None
    )
    # The same question about both arms is two.
    assert scored([tree[0], {**tree[0], "laterality": "H", "raw": "yes"}]) is None
    both = [{**row, "questions": 4, "laterality": side} for row in tree for side in "AH"]
    assert scored(both) == 2
    run = score_impairment(tree)
    assert (run.truth, run.invalid, run.replies) == ({"s": {}}, 1, 2)
    assert math.isnan(impairment_measures(run)["macro_accuracy"])  # type: ignore[arg-type]


def timed(
    knee: list[str], nose: list[str], side: str, wording: str = "count", second: float = 1.0
) -> list[Any]:
    return [
        item(33, reply, 0, n, kind=place, question_id=place, laterality=side, prompt_id=wording, questions=4,
             windows=len(replies), end_s=(n + 1) * second)
        for place, replies in (("knee", knee), ("nose", nose))
        for n, reply in enumerate(replies)
    ]  # fmt: skip


@pytest.mark.parametrize("nose_only", [False, True])
def test_both_arms_are_timed_and_touches_of_both_counted(nose_only: bool) -> None:
    knee, nose = ["2", "2", "0", "0", "0"], ["1", "1", "1", "1", "1"]
    rows = timed(knee, nose, "A", second=2.0) + timed(["0"] * 5, nose, "H")
    # The affected arm: four touches of the knee in the second window (4 s), five of the nose in the fifth (10 s); the
    # other: 5 s.
    run = score_impairment(rows, nose_only=nose_only)
    assert run.answers == {"s": {33: 1 if nose_only else 2}}
    assert (run.touched, run.touched_again, run.invalid) == (2 + 5 + 5, 1 + 4 + 4, 0)
    unequal = score_impairment(
        [row for row in rows if (row["laterality"], row["kind"]) != ("H", "nose")], partial=True
    )
    assert (unequal.answers, unequal.touched, unequal.touched_again) == ({"s": {33: None}}, 7, 5)
    contact = timed(["yes", "no", "yes"], ["no", "yes", "maybe"], "A", "contact") + timed(
        ["no"] * 3, ["no"] * 3, "H", "contact"
    )
    run = score_impairment(contact)
    assert (run.invalid, run.touched, run.touched_again) == (1, 2, 0)


def test_a_subject_of_whom_a_question_is_missing_in_any_task_is_left_out() -> None:
    def rows(subject: str, task: str, asked: int, count: int) -> list[dict[str, Any]]:
        return [item(n + 3, "1", subject=subject, task=task, subject_questions=asked, rated=f"{n + 3}:1")
                for n in range(count)]  # fmt: skip

    every = rows("a", "x", 2, 2) + rows("a", "y", 1, 1) + rows("b", "x", 2, 2) + rows("b", "y", 2, 1)
    run = score_impairment(every)
    assert (list(run.answers), run.left_out, run.replies) == (["a"], ("b",), 3)
    assert run.truth == {"a": {3: 1, 4: 1}}
    assert score_impairment(every, partial=True).left_out == ()


def test_activities_that_name_none_are_none_and_measures_follow() -> None:
    rng = np.random.default_rng(0)
    records = [
        {"truth": str(rng.choice(ACTIVITIES[:3])), "raw": "FINAL_ANSWER: " + str(rng.choice([*ACTIVITIES[:3], "?"])),
         "subject": f"s{n % 4}", "group": "CS"[n % 2], "severity": ""}
        for n in range(24)
    ]  # fmt: skip
    run = score_identification(records)
    said = [record["raw"].removeprefix("FINAL_ANSWER: ") for record in records]
    assert run.answer == [NONE if word == "?" else word for word in said]
    assert run.control == [n % 2 == 0 for n in range(24)]
    found = identification_measures(run)
    assert found["invalid_rate"] == pytest.approx(said.count("?") / 24)
    assert found["uniform_accuracy"] == pytest.approx(1 / 9)


@pytest.mark.parametrize(
    ("reply", "score", "paper", "count", "count_as_published"),
    [
        ("2", 2, 2, 2, 2),
        ("FINAL_SCORE: 1.0", 1, 1, 1, 1),
        ("FINAL_SCORE: 0", 0, 0, 0, 0),
        ("FINAL_SCORE: 0.5", None, 0, None, 0),
        ("FINAL SCORE: **<4>", None, None, 4, None),
        ("FINAL_SCORE: 3, of 2", None, 2, 3, 2),
        ("10", None, None, 10, None),
        ("(1)", 1, 1, 1, 1),
        ("1 or 2", None, 1, None, 1),
        (None, None, None, None, None),
    ],
)
def test_scores_and_counts_by_profile(
    reply: str | None, score: int | None, paper: int | None, count: int | None, count_as_published: int | None
) -> None:
    assert read_score(reply) == score
    assert read_score(reply, "paper") == paper
    assert read_count(reply) == count
    assert read_count(reply, "paper") == count_as_published


@pytest.mark.parametrize(
    ("reply", "activity", "published"),
    [
        ("final answer : drinking", "drinking", "drinking"),
        ("FINAL_ANSWER: combing FINAL_ANSWER: face  wash\nand more", "face wash", "combing"),
        ("FINAL_ANSWER: combing\nFINAL_ANSWER: ", None, "combing"),
        ("FINAL_ANSWER: [combing].", "combing", "combing"),
        (None, None, None),
    ],
)
def test_the_last_final_answer_counts_and_as_published_the_first(
    reply: str | None, activity: str | None, published: str | None
) -> None:
    assert read_activity(reply, ACTIVITIES) == activity
    assert read_activity(reply, ACTIVITIES, "paper") == published
    assert read_yes_no("Certainly yes; yes") is True
