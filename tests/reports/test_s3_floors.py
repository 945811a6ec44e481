"""Every recommended score stands beside the best that an answer without looking earns, and none beats it."""

from __future__ import annotations

from typing import Any

import pytest
from s3_examples import KINDS, all_tasks, record

from semiology.features import FEATURES, REGIONS
from semiology.metrics.s3.part_scores import PartScores
from semiology.metrics.s3.recording_answers import recording_answers
from semiology.metrics.s3.scores import score_task
from semiology.metrics.s3.text.justification_rules import READERS, extract_answers
from semiology.reports.summary.s3 import baseline_of
from semiology.reports.summary.s3_measures import MEASURES

TEXTS = (
    "Sustained tonic stiffening of the right arm.",
    "The eyes are closed and squeezed; the head turns forcefully to the left.",
    "Rapid blinking with chewing; both arms jerk rhythmically for several seconds.",
    "The left arm is flexed while the right arm is extended; both arms move at the same time.",
    "A nurse asks a question and the patient answers coherently.",
    "Pelvic thrusting and shaking of the full body, with groaning.",
    "Seen.",
)
"""Reasons of an expert; what most features ask is stated in one of them and in the others not."""


def reasons() -> list[dict[str, Any]]:
    return [
        record("s3_justification", video, "yes", "yes" if video % 3 else "no", feature=feature,
               justification="The arm is stiff.", reference=TEXTS[video % len(TEXTS)])
        for feature in FEATURES
        for video in range(24)
    ]  # fmt: skip


EMPTY: dict[str, tuple[Any, ...]] = {
    "justification": ("yes", "no"),
    "side": ("left", "right"),
    "region": tuple(REGIONS),
    "time": (30.0,),
    "sequence": ([],),
    "report": ("",),
    "diagnosis": ("ES", "NES"),
}
"""Answers that look at nothing, by kind: the same word or time, no text, no list; and yes or no without a reason."""


def emptied(task: str, answer: Any) -> list[PartScores]:
    """Return the scores of the same answer to every question of a task."""
    kind = KINDS[task]
    rows = reasons() if kind == "justification" else all_tasks(24)
    given = [
        row
        | {"answer": answer, "unparsed": False}
        | ({"justification": None} if kind == "justification" else {})
        for row in rows
        if row["task"] == task
    ]
    return score_task(kind, recording_answers(kind, given), resamples=20)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("task", "answer"), [(task, answer) for task, kind in KINDS.items() for answer in EMPTY[kind]], ids=str
)
def test_no_empty_answer_beats_the_floor_of_a_recommended_score(task: str, answer: Any) -> None:
    seen = 0
    for part in emptied(task, answer):
        for measure in MEASURES[KINDS[task]]:
            estimate = part.scores.estimates.get(measure.name)
            if measure.rule != "sound" or estimate is None or estimate.value != estimate.value:
                continue
            seen += 1
            floor, name = baseline_of(measure, part)
            assert floor is not None, (measure.name, "has no floor")
            assert name
            worse = estimate.value - floor if not measure.less_is_better else floor - estimate.value
            assert worse <= 1e-9, (measure.name, part.part, part.clip_form, estimate.value, floor, name)
    assert seen


def test_every_recommended_score_has_a_floor() -> None:
    without = [
        each.name for kind in MEASURES.values() for each in kind
        if each.rule == "sound" and each.baseline is None and each.chance is None
    ]  # fmt: skip
    assert without == []


@pytest.mark.parametrize("feature", FEATURES)
def test_an_answer_without_a_reason_earns_nothing(feature: str) -> None:
    """By the published rule it earns up to 1 where the expert does not say what is asked."""
    rows = [
        record("s3_justification", video, "yes", "yes", feature=feature, justification=None, reference=text)
        for video, text in enumerate(TEXTS)
    ]
    (part,) = score_task("justification", recording_answers("justification", rows), resamples=20)
    stated = any(any(extract_answers(feature, text)) for text in TEXTS)
    for name in ("interpretation_where_present", "interpretation_where_seen"):
        value = part.scores.estimates[name].value
        assert value == 0 if stated else value != value, name
    assert not READERS[feature] or stated, "no text states what this feature asks: add one"
    published = part.scores.estimates["interpretation"].value
    assert published <= part.scores.baselines["bare_interpretation"] + 1e-9
    if feature == "close_eyes":
        assert published == pytest.approx(6 / 7)  # six of the experts' texts say nothing on squeezing
