"""Parts of a task, patients without an answer, texts of other patients, and who reads a text."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest

from semiology.features import REGIONS
from semiology.metrics.published_rules import published_class_estimates
from semiology.metrics.s3.categorical import SIDE, score_classes
from semiology.metrics.s3.scores import score_task
from semiology.metrics.s3.text.interpretation_score import explained_score, interpretation_score
from semiology.metrics.s3.text.justification_rules import READERS, extract_answers
from semiology.metrics.s3.text.readers import TextReader, text_digest
from semiology.metrics.s3.text.report_scores import other_patient_pairs
from semiology.metrics.s3.text.seizure_rqi import ReportFindings


def sides(answers: list[str | None]) -> pd.DataFrame:
    """Two recordings of each patient, whose truth alternates between left and right."""
    n = len(answers)
    return pd.DataFrame(
        {
            "video_id": [f"v{i}" for i in range(n)],
            "patient_id": [f"p{i // 2:02d}" for i in range(n)],
            "truth": ["left", "right"] * (n // 2),
            "answer": answers,
        }
    ).astype({"answer": object})


def test_patients_without_any_answer_are_not_drawn() -> None:
    rng = np.random.default_rng(0)
    answers: list[str | None] = [str(rng.choice(["left", "right"])) for _ in range(24)]
    some = sides([*answers, None, None, None, None])
    assert (
        score_classes(some, SIDE, resamples=200).estimates
        == score_classes(sides(answers), SIDE, resamples=200).estimates
    )
    unread = sides([*answers, "unparsed", "unparsed", "unparsed", None])
    assert published_class_estimates(unread, SIDE, resamples=200) == published_class_estimates(
        sides(answers), SIDE, resamples=200
    )


def test_a_constant_answer_is_balanced_over_the_classes_there_are() -> None:
    rows = sides(["left"] * 12).assign(feature="onset_side", clip_form="", onsets=None)
    (part,) = score_task("side", rows, resamples=50)
    assert part.scores.baselines["constant_balanced_accuracy"] == 0.5
    (none,) = score_task("side", rows.assign(truth=None), resamples=50)
    assert math.isnan(none.scores.baselines["constant_balanced_accuracy"])
    assert math.isnan(none.scores.baselines["always_right_recall"])
    assert part.scores.baselines["always_right_recall"] == 1.0
    places = rows.assign(truth=[REGIONS[i % 3] for i in range(12)], answer=REGIONS[0])
    (region,) = score_task("region", places, resamples=50)
    assert region.scores.baselines["constant_balanced_accuracy"] == pytest.approx(1 / 3)


def justified(feature: str, right: int) -> pd.DataFrame:
    """24 answers with justifications, of which so many are right."""
    rows = [
        {
            "video_id": f"v{i}", "patient_id": f"p{i // 2}", "feature": feature, "clip_form": "",
            "truth": "yes" if i % 2 else "no", "onsets": None, "shown": None, "reference": "The right arm is stiff.",
            "answer": ("yes" if i % 2 else "no") if i < right else "yes",
            "justification": "The right arm is stiff." if i % 3 else "The left leg jerks.",
        }
        for i in range(24)
    ]  # fmt: skip
    return pd.DataFrame(rows).astype({"answer": object})


def test_a_sign_among_others_has_the_scores_that_it_has_alone() -> None:
    tonic, clonic = justified("tonic", 20), justified("clonic", 10)
    parts = {p.part: p.scores for p in score_task("justification", pd.concat([tonic, clonic]), resamples=100)}
    for name, own in (("tonic", tonic), ("clonic", clonic)):
        (alone,) = score_task("justification", own, resamples=100)
        assert repr(parts[name]) == repr(alone.scores)
    assert parts["tonic"] != parts["clonic"]


@pytest.mark.parametrize("most", [1, 3, 10])
@pytest.mark.parametrize("n", [1, 2, 3, 4, 5, 11, 12, 30])
def test_partners_are_all_others_or_lie_evenly_around_the_list(n: int, most: int) -> None:
    pairs = other_patient_pairs([f"p{i}" for i in range(n)], most)
    for i in range(n):
        found = [(j - i) % n for own, j in pairs if own == i]
        assert len(found) == min(most, n - 1)
        expected = range(1, n) if n <= most + 1 else [n * step // (most + 1) for step in range(1, most + 1)]
        assert sorted(found) == list(expected)
    assert other_patient_pairs(["a"] * n, most) == []


def test_one_side_alone_is_no_figure_of_one_arm_bent_and_one_stretched() -> None:
    asked = READERS["arm_flexion"][0]
    assert asked("The left arm is flexed and then extended.") == "no"
    assert asked("The left arm is flexed, the right arm is extended.") == "yes"
    assert asked("One arm is flexed while one is extended.") == "yes"
    assert asked("The right arm is extended.") is None
    assert asked("The left arm is flexed.") == "no"


def test_a_judge_is_asked_for_what_it_read_and_the_rules_for_the_rest() -> None:
    text, reference = "Something odd.", "The right arm was stiff."
    kept = {("tonic", text_digest(text)): ("yes", "arm", None), ("figure4", text_digest(text)): ("left",)}
    judge = TextReader("a judge", answers=kept)
    # The reference was not read by the judge, so that rules read both.
    pair = judge.read_justification("tonic", text, reference)
    assert (pair.said, pair.reference, pair.judged) == (
        extract_answers("tonic", text),
        extract_answers("tonic", reference),
        False,
    )
    both = judge.read_justification("tonic", text, "")
    assert (both.said, both.reference, both.judged) == (("yes", "arm", None), (None, None, None), True)
    # Answers to another number of questions are of another version.
    assert not judge.read_justification("figure4", text, "").judged
    assert judge.read_reference("tonic", text) == ("yes", "arm", None)
    assert judge.read_reference("tonic", reference) == extract_answers("tonic", reference)
    rules = TextReader(answers=kept)
    assert not rules.read_justification("tonic", text, "").judged
    assert rules.read_reference("tonic", text) == extract_answers("tonic", text)
    found = TextReader("a judge", findings={text_digest(text): ReportFindings()})
    (read,) = found.read_reports([text], [""])
    assert (read.judged, read.report.words, read.reference) == (True, 2, ReportFindings())
    (unread,) = found.read_reports([text], [reference])
    assert not unread.judged


def test_the_core_weighs_seven_tenths_and_the_details_the_rest() -> None:
    known = ["yes", "left", "brief"]
    assert interpretation_score("yes", "yes", known, known) == pytest.approx(1)
    assert interpretation_score("yes", "yes", ["yes", "left", None], known) == pytest.approx(0.85)
    assert interpretation_score("no", "yes", known, known) == 0
    assert explained_score("yes", "yes", ["yes", None, "brief"], known) == pytest.approx(0.85)
    assert explained_score("yes", "yes", ["yes", "left", None], ["yes", "left", None]) == 1
    assert explained_score("yes", "yes", ["yes", "right", None], ["yes", "left", None]) == pytest.approx(
        0.7 / 0.85
    )
    assert explained_score("yes", "yes", ["no", "left", "brief"], known) == 0
    assert explained_score("yes", "yes", ["yes"], ["yes"]) == 1
    assert math.isnan(explained_score("yes", "yes", [], []))
