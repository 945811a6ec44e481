"""Parts of a task, patients without an answer, texts of other patients, and who reads a text."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest

from semiology.features import REGIONS
from semiology.metrics.published_rules import published_class_estimates
from semiology.metrics.s3.categorical import SIDE, score_classes
from semiology.metrics.s3.recording_answers import recording_answers
from semiology.metrics.s3.scores import score_task
from semiology.metrics.s3.text.interpretation_score import (
    explained_score,
    interpretation_parts,
    interpretation_score,
    possible_scores,
    published_interpretation_mean,
)
from semiology.metrics.s3.text.justification_rules import READERS, extract_answers
from semiology.metrics.s3.text.readers import TextReader, text_digest
from semiology.metrics.s3.text.report_rules import extract_findings
from semiology.metrics.s3.text.report_scores import other_patient_pairs, score_reports
from semiology.metrics.s3.text.scores import TextTools
from semiology.metrics.s3.text.seizure_rqi import ReportFindings, seizure_rqi, stated_findings_score


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


def test_possible_values_and_published_mean_of_the_interpretation_score() -> None:
    assert possible_scores(0) == possible_scores(1) == (0.0, 1.0)
    assert possible_scores(3) == pytest.approx((0.0, 0.7, 0.85, 1.0))
    assert published_interpretation_mean({"a": 1.0, "b": 0.5, "c": 0.0}) == pytest.approx(0.5)
    assert math.isnan(published_interpretation_mean({}))


def test_parts_of_the_interpretation_score_are_those_of_where_the_feature_is() -> None:
    rows = pd.DataFrame({"truth": ["yes", "yes", "no"], "answer": ["yes", "no", "no"]})
    plain = interpretation_parts(rows, np.array([0.2, 0.4, 0.6]), "i")
    told = interpretation_parts(rows, np.array([0.2, 0.4, 0.6]), "i", np.array([0.9, 0.0, 0.7]))
    for found, explained in ((plain, [0.2, 0.4]), (told, [0.9, 0.0])):
        np.testing.assert_array_equal(found["i"], [0.2, 0.4, 0.6])
        np.testing.assert_array_equal(found["i_where_present"], [*explained, np.nan])
        np.testing.assert_array_equal(found["i_where_seen"], [explained[0], np.nan, np.nan])


def test_windows_of_a_recording_become_one_answer_of_each_kind() -> None:
    def asked(segment: int, answer: object, **more: object) -> dict[str, object]:
        shared = {"video_id": "v", "patient_id": "p", "feature": "f", "clip_form": None, "truth": "yes"}
        return {**shared, "segment": segment, "answer": answer, **more}

    said = [
        asked(1, "yes", justification="The arm is stiff.", reference="Stiff."),
        asked(0, "no", justification="Nothing.", reference="Stiff."),
        asked(2, None, justification="Who knows?", reference="Stiff."),
    ]
    said[2]["answer"] = "unparsed"
    (row,) = recording_answers("justification", said).to_dict("records")
    assert (row["answer"], row["justification"], row["reference"]) == ("yes", "The arm is stiff.", "Stiff.")
    assert (row["segments"], row["unparsed_segments"]) == (3, 1)
    reports = [asked(0, "The arm jerks.", shown=["clonic"]), asked(1, None, shown=["clonic"])]
    (row,) = recording_answers("report", reports).to_dict("records")
    assert (row["answer"], row["shown"], row["unparsed_segments"]) == ("The arm jerks.", ["clonic"], 1)
    (row,) = recording_answers("report", [asked(0, None, shown=None)]).to_dict("records")
    assert row["answer"] == "unparsed"
    (row,) = recording_answers("time", [asked(0, 12.0, start_s=5.0, end_s=65.0)]).to_dict("records")
    assert (row["answer"], row["clip_s"]) == (12.0, 60.0)
    (row,) = recording_answers("time", [asked(0, None, start_s=5.0, end_s=None)]).to_dict("records")
    assert (row["answer"], row["clip_s"]) == ("unparsed", None)
    (row,) = recording_answers("side", [asked(0, "left")]).to_dict("records")
    assert row["answer"] == "left"
    with pytest.raises(ValueError, match="answered twice"):
        recording_answers("side", [asked(0, "left"), asked(0, "right")])


def test_text_similarity_is_that_of_texts_to_their_own_references() -> None:
    """A similarity that tells its arguments apart: the length of the text, and a hundredth of the reference's."""

    def similarity(texts: list[str], references: list[str]) -> np.ndarray:
        return np.array([len(a) + len(b) / 100 for a, b in zip(texts, references, strict=True)])

    texts = ["Tonic.", "The right arm jerks.", "", "Head turns left."]
    truth = ["Tonic stiffening.", "Clonic jerks.", "Blank stare.", "The head turns."]
    rows = pd.DataFrame(
        {
            "video_id": list("abcd"), "patient_id": ["p", "q", "q", "r"], "feature": "report", "clip_form": "",
            "truth": truth, "answer": [text or "unparsed" for text in texts], "shown": None, "onsets": None,
        }
    ).astype({"answer": object})  # fmt: skip
    (part,) = score_task("report", rows, resamples=50, tools=TextTools(similarity=similarity))  # type: ignore[arg-type]
    own = similarity(texts, truth)
    assert part.scores.estimates["bertscore"].value == pytest.approx(own.mean())
    pairs = other_patient_pairs(["p", "q", "q", "r"])
    others = similarity([texts[i] for i, _ in pairs], [truth[j] for _, j in pairs])
    assert part.scores.baselines["other_bertscore"] == pytest.approx(others.mean())


def test_reports_of_others_are_held_against_the_reference_of_each() -> None:
    found = [extract_findings(text) for text in ("Tonic right arm, then clonic jerks.", "Blank stare.", "")]
    frame = pd.DataFrame(
        {
            "video_id": list("abc"), "patient_id": list("pqr"), "report": found, "reference": found[::-1],
            "shown": None,
        }
    )  # fmt: skip
    scores = score_reports(frame, resamples=50)
    references = found[::-1]
    quality = [seizure_rqi(a, b, None).value for a, b in zip(found, references, strict=True)]
    assert scores.estimates["rqi"].value == pytest.approx(np.nanmean(quality))
    pairs = [(i, j) for i in range(3) for j in range(3) if i != j]
    other = [seizure_rqi(references[j], references[i], None).value for i, j in pairs]
    assert scores.baselines["other_rqi"] == pytest.approx(np.nanmean(other))
    stated = [stated_findings_score(references[j], references[i]) for i, j in pairs]
    for part in ("value", "sections", "features", "locations", "order"):
        name = "other_stated_findings" + ("" if part == "value" else f"_{part}")
        assert scores.baselines[name] == pytest.approx(np.nanmean([each[part] for each in stated]))
    empty = [seizure_rqi(ReportFindings(), one, None).value for one in references]
    assert scores.baselines["empty_rqi"] == pytest.approx(np.nanmean(empty))
    assert scores.counts.asked == 3
