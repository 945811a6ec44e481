"""Wordings chosen on other subjects, F1 by subject, and replies that name activities, ratings or states."""

from __future__ import annotations

import math
from collections import Counter
from typing import Any

import numpy as np
import pytest
from sklearn.metrics import f1_score

from semiology.metrics.strokerehab.run_scores import (
    score_identification,
    score_impairment,
    score_primitives,
)
from semiology.metrics.strokerehab.wordings import axis_f1_estimate, best_on_others
from semiology.strokerehab import ACTIVITIES, GRASP, MOTION


def slow(values: list[dict[str, float]], subjects: dict[str, str], less: bool) -> tuple[float, list[int]]:
    held_out, chosen = [], []
    for name in sorted(set(subjects.values())):
        means = [np.mean([v[video] for video in subjects if subjects[video] != name]) for v in values]
        best = int(np.argmin(means) if less else np.argmax(means))
        chosen.append(best)
        held_out += [values[best][video] for video in subjects if subjects[video] == name]
    return float(np.mean(held_out)), chosen


@pytest.mark.parametrize("less", [False, True])
@pytest.mark.parametrize("seed", range(5))
def test_the_wording_is_chosen_on_the_other_subjects(seed: int, less: bool) -> None:
    rng = np.random.default_rng(seed)
    subjects = {f"v{i}": f"s{i // 3}" for i in range(9)}
    # Few values, so that wordings tie.
    values = [{video: float(rng.integers(0, 3)) for video in subjects} for _ in range(4)]
    value, chosen = slow(values, subjects, less)
    found, counted = best_on_others(values, subjects, less=less)
    assert found == pytest.approx(value)
    assert counted == Counter(chosen)


def test_two_subjects_are_needed_to_choose() -> None:
    assert math.isnan(best_on_others([{"x": 1.0}], {"x": "a"})[0])
    assert best_on_others([{"x": 1.0, "y": 0.5}], {"x": "a", "y": "b"}) == (0.75, Counter({0: 2}))


def rows(video: str, labels: list[str], replies: list[tuple[str, str]]) -> list[dict[str, Any]]:
    return [
        {
            "video_id": video, "subject": f"s{video}", "severity": "", "activity": "feeding", "kind": "axis",
            "question_id": axis, "window": n, "windows": len(labels), "questions": 2, "start_s": float(n),
            "end_s": n + 1.0, "raw": reply,
            "truth_runs": "" if n else ";".join(f"{word}@{i}" for i, word in enumerate([*labels, labels[-1]])),
        }
        for n, pair in enumerate(replies)
        for axis, reply in zip(("motion", "grasp"), pair, strict=True)
    ]  # fmt: skip


def test_f1_of_an_axis_is_scikit_learns_over_all_windows() -> None:
    rng = np.random.default_rng(1)
    words = ("idle", "reach", "transport", "stabilize")
    made, truth, said = [], {"motion": [], "grasp": []}, {"motion": [], "grasp": []}  # type: ignore[var-annotated]
    for number in range(5):
        labels = rng.choice(words, 7).tolist()
        replies = [(str(rng.choice(["yes", "no"])), str(rng.choice(["yes", "no"]))) for _ in labels]
        made += rows(str(number), labels, replies)
        for at, (axis, those) in enumerate((("motion", MOTION), ("grasp", GRASP))):
            truth[axis] += [label in those for label in labels]
            said[axis] += [pair[at] == "yes" for pair in replies]
    run = score_primitives(made)
    for axis in ("motion", "grasp"):
        found = axis_f1_estimate(run, axis)  # type: ignore[arg-type]
        assert found is not None
        assert found.value == pytest.approx(f1_score(truth[axis], said[axis]))
        assert (found.n, found.n_patients) == (5, 5)
    words_only = [{**row, "kind": "primitive", "question_id": "word", "questions": 1} for row in made[::2]]
    assert axis_f1_estimate(score_primitives(words_only), "motion") is None


def test_a_wrapper_that_answers_with_states_is_read_window_by_window() -> None:
    from semiology.metrics.strokerehab import replies

    made = rows("0", ["reach", "idle", "reach"], [("", ""), ("", ""), ("", "")])[::2]
    told = ("reach, transport", "", "reposition")
    for row, words in zip(made, told, strict=True):
        row.update(question_id="word", questions=1, raw=f"{replies._PRIMITIVES}{words}")
    (video,) = score_primitives(made).videos
    assert video.words == ("reach", "transport", "reposition")
    # Of two halves the second; a window without any is at rest.
    assert video.window_words == ("transport", "idle", "reposition")
    assert video.axes["motion"] == [True, False, True]
    assert video.axes["grasp"] == [True, False, False]


def test_activities_are_read_with_whose_they_are() -> None:
    records = [
        {"truth": ACTIVITIES[0], "raw": f"FINAL_ANSWER: {ACTIVITIES[1]}", "subject": "a", "group": "C",
         "severity": None},
        {"truth": ACTIVITIES[1], "raw": "I cannot say.", "subject": "b", "group": "S", "severity": "mild"},
    ]  # fmt: skip
    run = score_identification(records)
    assert (run.truth, run.answer) == ([ACTIVITIES[0], ACTIVITIES[1]], [ACTIVITIES[1], "none"])
    assert (run.subjects, run.control, run.severity) == (["a", "b"], [True, False], ["", "mild"])


def test_items_rated_window_by_window_have_their_mean() -> None:
    made = [
        {
            "task": "impairment", "subject": "s", "subject_questions": 3, "item": 31, "question_id": "q",
            "kind": "score", "laterality": "A", "prompt_id": "plain", "order": 0, "questions": 1, "window": n,
            "windows": 3, "end_s": n + 1.0, "raw": reply, "rated": "" if n else "31:1",
        }
        for n, reply in enumerate(("2", "1", "0"))
    ]  # fmt: skip
    assert score_impairment(made).answers == {"s": {31: 1}}
    assert score_impairment(made[:2], partial=True).answers == {"s": {31: 2}}
    # A window is missing: of the whole subject nothing is scored.
    assert score_impairment(made[:2]).answers == {}
