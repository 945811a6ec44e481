"""All scores of a task at once: perfect answers, unreadable and missing ones, and the published rules."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rouge_score.rouge_scorer import RougeScorer

from semiology.features import REGIONS
from semiology.metrics.published_rules import (
    published_class_estimates,
    published_diagnosis_scores,
    published_region_scores,
    published_side_scores,
)
from semiology.metrics.s3.categorical import DIAGNOSES, DIAGNOSIS, REGION, SIDE, SIDES
from semiology.metrics.s3.part_scores import PartScores
from semiology.metrics.s3.recording_answers import AnswerKind, recording_answers
from semiology.metrics.s3.scores import score_task

REPORT = "The head turns to the left. Then tonic stiffening of the right arm and clonic jerks of both arms."
TRUTHS: dict[AnswerKind, Sequence[Any]] = {
    "side": ("left", "right"),
    "region": ("head", "left arm"),
    "diagnosis": ("ES", "NES"),
    "time": (30.0, 12.5),
    "sequence": (["tonic", "clonic"], ["head_turning", "tonic"]),
    "report": (REPORT, "Blank stare, then oral automatisms."),
    "justification": ("yes", "no"),
}
BEST: dict[AnswerKind, dict[str, float]] = {
    "side": {"published_f1": 1, "accuracy": 1, "macro_f1": 1, "mcc": 1},
    "region": {"published_accuracy": 1, "macro_f1": 1},
    "diagnosis": {"published_f1": 1, "balanced_accuracy": 1},
    "time": {"mae": 0, "charged_mae": 0, "hit_1s": 1},
    "sequence": {"edit_distance": 0, "lcs_f1": 1, "relation_f1": 1, "position_share": 1},
    "report": {"rouge_l": 1, "stated_findings": 100},
    "justification": {"interpretation": 1, "f1": 1, "rouge_l": 1, "interpretation_where_present": 1},
}
UNREAD: dict[AnswerKind, dict[str, float]] = {
    "side": {"accuracy": 0, "f1": 0},
    "region": {"accuracy": 0},
    "diagnosis": {"accuracy": 0, "f1": 0},
    "time": {"hit_5s": 0},
    "sequence": {"lcs_f1": 0, "sign_f1": 0},
    "report": {"rouge_l": 0, "stated_findings": 0},
    "justification": {"interpretation": 0},
}
WILD = ("", "left " * 20_000, "患者头部向左转，四肢强直。", '{"report": "', "tonic " * 5000, "a" * 100_000)


def frame(
    kind: AnswerKind, answer: Callable[[Any], Any], recordings: int = 24, signs: Sequence[str] = ("tonic",)
) -> pd.DataFrame:
    """Recordings of 12 patients with an answer that follows from the truth."""
    rows = []
    for i in range(recordings):
        for sign in signs:
            truth = TRUTHS[kind][i % 2]
            onsets = {name: float(k) for k, name in enumerate(truth)} if kind == "sequence" else {}
            form = "centred" if kind == "time" else ""
            text = REPORT if truth == "yes" else "The patient lies still."
            said = text if answer(truth) == truth else "Nothing."
            rows.append(
                {
                    "video_id": f"v{i}",
                    "patient_id": f"p{i // 2}",
                    "feature": sign,
                    "clip_form": form,
                    "truth": truth,
                    "answer": answer(truth),
                    "onsets": onsets,
                    "shown": None,
                    "reference": text,
                    "justification": said,
                }
            )
    return pd.DataFrame(rows).astype({"answer": object})


def whole(parts: list[PartScores]) -> PartScores:
    (part,) = [part for part in parts if not part.part]
    return part


def values(part: PartScores, names: Sequence[str]) -> dict[str, float]:
    return {name: part.scores.estimates[name].value for name in names}


@pytest.mark.parametrize("kind", TRUTHS)
def test_a_perfect_answer_has_every_best_figure(kind: AnswerKind) -> None:
    part = whole(score_task(kind, frame(kind, lambda truth: truth), resamples=100))
    assert values(part, list(BEST[kind])) == pytest.approx(BEST[kind])
    counts = part.scores.counts
    assert (counts.asked, counts.answered, counts.unparsed, counts.missing) == (24, 24, 0, 0)


@pytest.mark.parametrize("kind", TRUTHS)
def test_answers_that_nobody_can_read_earn_nothing_by_the_sound_figures(kind: AnswerKind) -> None:
    part = whole(score_task(kind, frame(kind, lambda truth: "unparsed"), resamples=100))
    assert values(part, list(UNREAD[kind])) == pytest.approx(UNREAD[kind])
    assert (part.scores.counts.answered, part.scores.counts.unparsed) == (0, 24)
    for name in ("published_f1", "mae"):
        if name in part.scores.estimates:
            assert np.isnan(part.scores.estimates[name].value)


@pytest.mark.parametrize("kind", TRUTHS)
def test_missing_answers_are_counted_and_not_scored(kind: AnswerKind) -> None:
    rows = frame(kind, lambda truth: truth)
    rows.loc[rows["video_id"].isin(["v0", "v1"]), "answer"] = None
    part = whole(score_task(kind, rows, resamples=100))
    assert part.scores.counts.missing == 2
    assert part.scores.counts.partial
    assert values(part, list(BEST[kind])) == pytest.approx(BEST[kind])


@pytest.mark.parametrize("kind", TRUTHS)
def test_a_model_that_never_answered_has_no_figure(kind: AnswerKind) -> None:
    for part in score_task(kind, frame(kind, lambda truth: None), resamples=100):
        assert part.scores.counts.missing == part.scores.counts.asked == 24
        assert all(np.isnan(estimate.value) for estimate in part.scores.estimates.values())


@pytest.mark.parametrize("kind", TRUTHS)
def test_no_rows_give_no_scores_and_duplicates_are_refused(kind: AnswerKind) -> None:
    rows = frame(kind, lambda truth: truth)
    assert score_task(kind, rows.head(0)) == []
    with pytest.raises(ValueError, match="twice"):
        score_task(kind, pd.concat([rows, rows.head(1)]), resamples=100)


def test_the_baseline_of_always_no_is_what_always_no_scores() -> None:
    scores = whole(
        score_task("justification", frame("justification", lambda truth: "no"), resamples=100)
    ).scores
    for name, share in (("interpretation", 0.5), ("interpretation_where_present", 0.0)):
        assert scores.baselines[f"always_no_{name}"] == pytest.approx(share)
        assert scores.estimates[name].value == pytest.approx(share)


def test_texts_about_other_patients_meet_the_references_of_the_next_ten() -> None:
    # Of twelve patients each text meets ten references, not that of the patient before; ROUGE itself is symmetric.
    rng = np.random.default_rng(0)
    said, known = (
        [" ".join(rng.choice(["arm", "head", "turns", "left", "stiff"], size)) for size in range(3, 15)]
        for _ in range(2)
    )
    rows = frame("report", lambda truth: truth, recordings=12).assign(
        patient_id=[f"p{i}" for i in range(12)], answer=said, truth=known
    )
    scorer = RougeScorer(["rougeL"], use_stemmer=True)
    overlaps = [
        scorer.score(known[(i + step) % 12], said[i])["rougeL"].fmeasure
        for i in range(12)
        for step in range(1, 11)
    ]
    baselines = whole(score_task("report", rows, resamples=100)).scores.baselines
    assert baselines["other_rouge_l"] == pytest.approx(np.mean(overlaps), abs=1e-12)


def test_times_and_justifications_are_given_for_each_sign_and_their_mean() -> None:
    for kind in ("time", "justification"):
        parts = score_task(kind, frame(kind, lambda truth: truth, signs=("clonic", "tonic")), resamples=100)  # type: ignore[arg-type]
        assert [part.part for part in parts] == ["", "clonic", "tonic"]
        assert parts[0].scores.counts.asked == 48


def test_the_mean_over_signs_gives_every_sign_its_share() -> None:
    rows = frame("time", lambda truth: truth, signs=("clonic", "tonic"))
    rows.loc[rows["feature"] == "tonic", "answer"] = rows["truth"] + 8.0
    dropped = rows["video_id"].isin([f"v{i}" for i in range(16)]) & (rows["feature"] == "tonic")
    part = whole(score_task("time", rows[~dropped], resamples=100))
    assert part.scores.estimates["mae"].value == pytest.approx(4.0)  # 0 on 24 and 8 on 8 recordings


@pytest.mark.parametrize("text", WILD, ids=lambda text: repr(text[:12]))
def test_wild_texts_are_scored(text: str) -> None:
    rows = frame("report", lambda truth: text or "unparsed", recordings=4)
    part = whole(score_task("report", rows, resamples=100))
    assert 0 <= part.scores.estimates["rqi"].value <= 100
    told = frame("justification", lambda truth: truth, recordings=4).assign(justification=text)
    scores = whole(score_task("justification", told, resamples=100)).scores
    assert 0 <= scores.estimates["interpretation"].value <= 1


def test_looping_sequences_with_unknown_signs_are_scored() -> None:
    rows = frame("sequence", lambda truth: ["tonic", "dancing"] * 2500, recordings=6)
    scores = whole(score_task("sequence", rows, resamples=100)).scores
    assert scores.estimates["edit_distance"].value >= 4998
    assert scores.estimates["normalised_edit_distance"].value > 0.99
    assert scores.estimates["lcs_f1"].value < 0.01


def class_pairs(classes: Sequence[str]) -> Any:
    answers = st.sampled_from((*classes, "unparsed"))
    return st.lists(st.tuples(st.sampled_from(classes), answers), min_size=1, max_size=30)


@settings(max_examples=40)
@given(class_pairs(SIDES), class_pairs(REGIONS), class_pairs(DIAGNOSES))
def test_published_classes_equal_the_published_lists(
    sides: list[tuple[str, str]], regions: list[tuple[str, str]], diagnoses: list[tuple[str, str]]
) -> None:
    cases = (
        (sides, SIDE, published_side_scores),
        (regions, REGION, published_region_scores),
        (diagnoses, DIAGNOSIS, published_diagnosis_scores),
    )
    for pairs, question, published in cases:
        rows = pd.DataFrame(pairs, columns=["truth", "answer"])
        rows = rows.assign(
            video_id=[f"v{i}" for i in rows.index], patient_id=[f"p{i % 5}" for i in rows.index]
        )
        ours = published_class_estimates(rows, question, resamples=100)
        read = rows[rows["answer"] != "unparsed"]
        theirs = published(read["truth"].tolist(), read["answer"].tolist())
        for name, estimate in ours.items():
            assert estimate.value == pytest.approx(theirs[name], nan_ok=True), (name, pairs)


def test_onsets_in_whole_recordings_are_held_against_their_own_length() -> None:
    rows = [
        {
            "video_id": f"v{i}", "patient_id": f"p{i}", "feature": "tonic", "clip_form": "whole", "truth": 100.0,
            "answer": None if i % 2 else 90.0, "segment": 0, "start_s": 0.0, "end_s": 300.0 + i,
        }
        for i in range(20)
    ]  # fmt: skip
    (part,) = score_task("time", recording_answers("time", rows), resamples=50)
    unread = [300.0 + i - 100.0 for i in range(1, 20, 2)]
    assert part.clip_form == "whole"
    assert part.scores.estimates["mae"].value == 10
    assert part.scores.estimates["charged_mae"].value == pytest.approx((10 * 10 + sum(unread)) / 20)
    assert part.scores.baselines["middle_mae"] == pytest.approx(sum(50 + i / 2 for i in range(20)) / 20)
    two = [row | {"feature": name} for row in rows for name in ("tonic", "clonic")]
    whole, *_ = score_task("time", recording_answers("time", two), resamples=50)
    assert whole.scores.estimates["charged_mae"].value == pytest.approx((10 * 10 + sum(unread)) / 20)
