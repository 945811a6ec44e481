"""Measures of a run on primitives, chains and windows, recomputed from the videos themselves."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from rapidfuzz.distance import Levenshtein
from sklearn.metrics import f1_score

from semiology.metrics.statistics.bootstrap import mean_estimate, share_estimate
from semiology.metrics.strokerehab.baselines import LabelledVideo, _drawn, transition_scores
from semiology.metrics.strokerehab.primitives import sequence_scores
from semiology.metrics.strokerehab.replies import read_one_primitive
from semiology.metrics.strokerehab.run_scores import (
    IdentificationRun,
    axis_time_accuracy,
    axis_totals,
    identification_measures,
    impairment_measures,
    primitive_confusion,
    primitive_measures,
    score_impairment,
    score_primitives,
)
from semiology.metrics.strokerehab.window_labels import AxisCounts, seconds_right
from semiology.strokerehab import ACTIVITIES, GRASP, MOTION, PRIMITIVES, Run, Window

WORDS = ("idle", "reach", "reposition", "transport", "stabilize")


def records(
    video: str, subject: str, labels: Sequence[str], replies: Sequence[Any], kind: str = "primitive"
) -> list[dict[str, Any]]:
    """Records of one video: a window of 1 s for each reply (for axes a pair of replies), a label each second."""
    axes = ("motion", "grasp") if kind == "axis" else ("word",)
    return [
        {
            "video_id": video, "subject": subject, "severity": "mild", "activity": "feeding", "kind": kind,
            "question_id": axis, "window": number, "windows": len(replies), "questions": len(axes),
            "start_s": float(number), "end_s": number + 1.0, "raw": reply,
            "truth_runs": "" if number else ";".join(f"{word}@{i}" for i, word in enumerate([*labels, labels[-1]])),
        }
        for number, given in enumerate(replies)
        for axis, reply in zip(axes, given if kind == "axis" else (given,), strict=True)
    ]  # fmt: skip


def merged(words: Sequence[str]) -> list[str]:
    return [word for i, word in enumerate(words) if not i or words[i - 1] != word]


def by_hand(answer: Sequence[str], truth: Sequence[str]) -> tuple[float, float, float, float]:
    answer, truth = merged(answer), merged(truth)
    distance = Levenshtein.distance(answer, truth)
    said, true = Counter(answer), Counter(truth)
    gaps = {word: abs(said[word] - true[word]) for word in WORDS}
    active = sum(true[word] for word in WORDS[1:])
    return (
        100 * (1 - distance / max(len(answer), len(truth))),
        distance / len(truth),
        sum(gaps.values()) / len(truth),
        sum(gaps[word] for word in WORDS[1:]) / active if active else 0.0,
    )


NAMES = ("edit_score", "action_error_rate", "relative_counting_error", "relative_counting_error_without_idle")


def test_measures_of_words_are_means_over_videos_by_subject() -> None:
    rng = np.random.default_rng(2)
    made, rows = [], []
    for number in range(12):
        labels = rng.choice(WORDS, 6).tolist()
        replies = [word if rng.random() < 0.6 else str(rng.choice([*WORDS, "what?"])) for word in labels]
        made.append((f"s{number // 2}", labels, replies))
        rows += records(f"v{number}", f"s{number // 2}", labels, replies)
    rows[3]["raw"] = "reach, then idle"
    made[0][2][3] = "reach"
    run = score_primitives(rows)
    found = primitive_measures(run)
    subjects = [subject for subject, *_ in made]
    assert run.subjects == subjects
    scores = [by_hand([word for word in replies if word in WORDS], labels) for _, labels, replies in made]
    for place, name in enumerate(NAMES):
        assert found[name] == mean_estimate([each[place] for each in scores], subjects)
    near = [float(each[2] <= 0.25) for each in scores]
    assert found["within_25_percent"] == share_estimate(near, subjects)
    blind = [by_hand(["transport"], labels) for _, labels, _ in made]
    for place, name in enumerate(NAMES[:3]):
        assert found[f"transport_only_{name}"] == pytest.approx(np.mean([each[place] for each in blind]))
    unread = sum(word == "what?" for *_, replies in made for word in replies)
    assert found["invalid_rate"] == pytest.approx(unread / 72)
    assert found["several_rate"] == pytest.approx(1 / 72)
    assert (found["videos"], found["videos_left_out"]) == (12, 0)
    assert math.isnan(found["motion_f1"])  # type: ignore[arg-type]
    assert axis_totals(run) == {}
    assert math.isnan(axis_time_accuracy(run, "motion"))
    pairs = Counter(
        (label, word if word in WORDS else "")
        for _, labels, replies in made
        for label, word in zip(labels, replies, strict=True)
    )
    confusion = primitive_confusion(run)
    assert {(t, a): n for t, row in confusion.items() for a, n in row.items() if n} == dict(pairs)


def test_measures_of_axes_are_those_of_their_windows() -> None:
    rng = np.random.default_rng(3)
    rows, truth, said = [], {"motion": [], "grasp": []}, {"motion": [], "grasp": []}  # type: ignore[var-annotated]
    for number in range(4):
        labels = rng.choice(WORDS, 8).tolist()
        replies = [tuple(str(rng.choice(["yes", "no"])) for _ in range(2)) for _ in labels]
        rows += records(f"v{number}", f"s{number}", labels, replies, "axis")
        for at, (axis, words) in enumerate((("motion", MOTION), ("grasp", GRASP))):
            truth[axis] += [label in words for label in labels]
            said[axis] += [pair[at] == "yes" for pair in replies]
    run = score_primitives(rows)
    found = primitive_measures(run)
    totals = axis_totals(run)
    for axis in ("motion", "grasp"):
        counts = totals[axis, "middle", "masked"]  # type: ignore[index]
        t, a = np.array(truth[axis]), np.array(said[axis])
        expected = AxisCounts(
            int((t & a).sum()), int((~t & a).sum()), int((t & ~a).sum()), int((~t & ~a).sum())
        )
        assert counts == expected
        assert counts.judged == 32
        assert found[f"{axis}_f1"] == pytest.approx(f1_score(t, a))
        assert axis_time_accuracy(run, axis) == pytest.approx((t == a).mean())  # type: ignore[arg-type]
    assert AxisCounts(1, 2, 3, 4) + AxisCounts(10, 20, 30, 40) == AxisCounts(11, 22, 33, 44)
    assert math.isnan(AxisCounts(0, 0, 0, 5).f1)


def test_a_window_left_out_leaves_out_its_video_unless_part_is_enough() -> None:
    whole = records("v0", "s0", ["reach", "idle"], ["reach", "idle"])
    rows = [*whole, *records("v1", "s1", ["reach", "idle"], ["reach", "idle"])[:1]]
    assert [video.labelled.id for video in score_primitives(rows).videos] == ["v0"]
    assert score_primitives(rows).left_out == ("v1",)
    part = score_primitives(rows, partial=True)
    assert ([video.labelled.id for video in part.videos], part.left_out) == (["v0", "v1"], ())
    assert primitive_measures(score_primitives(rows))["videos_left_out"] == 1


def test_one_primitive_is_not_several() -> None:
    assert read_one_primitive("reach").several is False
    assert read_one_primitive("reach and idle").several is True
    assert read_one_primitive("reach and idle").primitives == ("reach",)
    assert read_one_primitive("reach and idle", "paper").primitives == ("reach", "idle")
    assert read_one_primitive("nothing").primitives == ()


def test_seconds_count_where_window_and_run_overlap() -> None:
    runs = [Run("reach", 0.0, 2.0), Run("idle", 3.0, 5.0), Run("transport", 5.0, 7.0)]
    windows = [Window(0.5, 2.5), Window(2.25, 2.75), Window(4.0, 6.0), Window(6.5, 9.0)]
    # motion: 1.5 s of reach; a gap; 1 s of idle and 1 s of transport; half a second of transport.
    assert seconds_right(runs, windows, [True] * 4, "motion") == (1.5 + 1.0 + 0.5, 1.5 + 2.0 + 0.5)
    assert seconds_right(runs, windows, [False] * 4, "motion") == (1.0, 4.0)
    assert seconds_right(runs, windows, [False] * 4, "grasp") == (1.5 + 1.0, 4.0)
    # A window that begins before the labels meets the first runs, one that begins late the last.
    late = [Run("reach", 1.0, 2.0), Run("idle", 2.0, 3.0)]
    assert seconds_right(late, [Window(0.0, 2.5)], [True], "motion") == (1.0, 1.5)
    assert seconds_right(late, [Window(2.25, 9.0)], [False], "motion") == (0.75, 0.75)


@pytest.mark.parametrize("draws", [1, 5])
def test_chains_of_words_are_those_drawn_by_hand(draws: int) -> None:
    """Windows of one second, each with the label of its second; a word never left stays."""
    labels = {
        "a": ["idle", "reach", "transport", "idle", "reach"],
        "b": ["idle", "idle", "transport", "reach"],
        "c": ["reposition", "idle", "reach", "reach", "transport", "stabilize"],
    }
    videos = [
        LabelledVideo(name, name, "feeding", tuple(Run(w, float(i), i + 1.0) for i, w in enumerate(words)))
        for name, words in labels.items()
    ]
    found = transition_scores(videos, two_axes=False, draws=draws, seed=4, window_s=1.0)
    rng = np.random.default_rng(4)
    sums = np.zeros((draws, 3))
    for name, words in labels.items():
        counts = np.zeros((5, 5))
        for other in labels:
            if other != name:
                for one, two in zip(labels[other], labels[other][1:], strict=False):
                    counts[PRIMITIVES.index(one), PRIMITIVES.index(two)] += 1
        for state in range(5):
            if not counts[state].sum():
                counts[state, state] = 1
        shares = counts / counts.sum(1, keepdims=True)
        for draw in range(draws):
            chosen = rng.random(len(words))
            path = [0]
            for number in range(1, len(words)):
                reached = np.cumsum(shares[path[-1]])
                path.append(min(int((reached <= chosen[number]).sum()), 4))
            score = sequence_scores([PRIMITIVES[code] for code in path], words)
            sums[draw] += (score.edit_score, score.action_error_rate, score.relative_counting_error)
    means = sums / 3
    assert found is not None
    expected = (*means.mean(0), *(means.std(0, ddof=1) if draws > 1 else np.zeros(3)))
    told = (
        found.edit_score, found.action_error_rate, found.relative_counting_error,
        found.edit_score_sd, found.action_error_rate_sd, found.relative_counting_error_sd,
    )  # fmt: skip
    assert told == pytest.approx(expected)


def test_measures_of_activities() -> None:
    truth = [ACTIVITIES[0]] * 3 + [ACTIVITIES[1]] * 2
    answer = [ACTIVITIES[0], "none", ACTIVITIES[1], ACTIVITIES[1], "none"]
    run = IdentificationRun(truth, answer, list("aabbc"), [False] * 5, [""] * 5)
    found = identification_measures(run)
    assert found["accuracy"] == share_estimate([1.0, 0, 0, 1, 0], list("aabbc"))
    assert (found["majority_accuracy"], found["invalid_rate"], found["videos"]) == (
        pytest.approx(0.6),
        pytest.approx(0.4),
        5,
    )
    assert found["uniform_accuracy"] == pytest.approx(1 / len(ACTIVITIES))
    # Of the first one of three, named once; of the second one of two, named twice.
    assert found["macro_f1"] == pytest.approx((2 * 1 / (3 + 1) + 2 * 1 / (2 + 2)) / 2)


def one_question(subject: str, item: int, reply: str, rated: str) -> dict[str, Any]:
    return {
        "task": "impairment", "subject": subject, "subject_questions": 2, "item": item, "question_id": "q",
        "kind": "score", "laterality": "A", "prompt_id": "plain", "order": 0, "questions": 1, "window": 0,
        "windows": 1, "end_s": 2.0, "raw": reply, "rated": rated,
    }  # fmt: skip


def test_items_of_one_question_and_subjects_asked_in_part() -> None:
    rows = [
        one_question("a", 3, "1", "3:2;5:1"), one_question("a", 5, "FINAL_ANSWER: 1", ""),
        one_question("b", 3, "2", "3:2;5:0"), one_question("b", 5, "0", ""),
        one_question("c", 3, "2", "3:0"),
    ]  # fmt: skip
    run = score_impairment(rows)
    assert (sorted(run.answers), run.left_out, run.replies) == (["a", "b"], ("c",), 4)
    assert run.truth == {"a": {3: 2, 5: 1}, "b": {3: 2, 5: 0}}
    part = score_impairment(rows, partial=True)
    assert (sorted(part.answers), part.left_out, part.replies) == (["a", "b", "c"], (), 5)
    found = impairment_measures(run)
    assert (found["subjects"], found["subjects_left_out"]) == (2, 1)
    # Ratings are 2, 1; 2, 0: a constant of 2 is right about half of them.
    assert found["constant_2_accuracy"] == pytest.approx(0.5)
    assert found["constant_0_accuracy"] == found["constant_1_accuracy"] == pytest.approx(0.25)
    assert found["other_subjects_accuracy"] == pytest.approx(0.5)


def test_shares_that_add_up_to_a_hair_less_than_one_end_in_the_last_word() -> None:
    class Last:
        def random(self, n: int) -> np.ndarray:
            return np.full(n, 0.95)

    chain = np.full((5, 5), 0.18)  # as if rounding had left a tenth
    found = _drawn([chain], [0.0, 1.0], Last(), False)  # type: ignore[arg-type]
    assert found == [PRIMITIVES[0], PRIMITIVES[4]]
