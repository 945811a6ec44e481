"""The whole road without a language model: a rule looks at the pixels of each window, and its answers are scored.

The rule finds the coloured hand and the object in the first and the last frame that a question shows.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from semiology.data.media.frames import read_frames
from semiology.data.strokerehab.drawing import LEFT_HAND, OBJECT, RIGHT_HAND
from semiology.tasks.strokerehab.documents import build_documents
from semiology.tasks.strokerehab.scores import RECORD, measures, metric_list, process_results
from semiology.tasks.strokerehab.settings import read_rehab_settings

Answer = Callable[[Mapping[str, Any]], str]


def place(picture: np.ndarray, colour: tuple[int, int, int]) -> np.ndarray | None:
    near = (np.abs(picture.astype(int) - colour).sum(2) < 90).nonzero()
    return np.array([near[1].mean(), near[0].mean()]) if len(near[0]) else None


def rule(row: Mapping[str, Any]) -> str:
    times = [row["show_start_s"] + 0.02, row["show_end_s"]]
    first, last = read_frames(Path(row["video"]), times)
    colour = LEFT_HAND if row["hand"] == "LEFT" else RIGHT_HAND
    before, after, thing = place(first, colour), place(last, colour), place(last, OBJECT)
    if before is None or after is None:
        return "I do not know"
    if row["question_id"] == "motion":
        return "YES" if np.abs(before - after).max() > 8 else "NO"
    return "YES" if thing is not None and np.abs(thing - after).max() < 8 else "No."


def records(task: str, answer: Answer) -> list[dict[str, Any]]:
    return [
        process_results(row, [answer(row)])[RECORD] for row in build_documents(task, read_rehab_settings())
    ]


@pytest.mark.slow
def test_the_rule_beats_every_answer_without_vision(study: Path) -> None:
    found = measures(records("strokerehab_primitives_3", rule))
    assert found["edit_score"] > 70
    assert found["edit_score"] > found["transport_only_edit_score"] + 40
    assert found["motion_f1"] > 0.8
    # The rule looks at a window's last frame, the label is that of its middle.
    assert found["grasp_f1"] > 0.7
    assert found["invalid_rate"] == 0
    assert (found["videos"], found["videos_left_out"]) == (4, 0)


def test_windows_that_are_missing_leave_their_video_out(study: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = records("strokerehab_primitives_3", lambda row: "yes")
    few = rows[: len(rows) // 2 + 1]  # as after --limit
    found = measures(few)
    assert found["videos_left_out"] == 1
    whole = found["videos"]
    monkeypatch.setenv("SEMIOLOGY_REHAB_PARTIAL", "1")
    again = measures(few)
    assert (again["videos"], again["videos_left_out"]) == (whole + 1, 0)


@pytest.mark.parametrize(
    "reply", ["yes", "", "I do not know", "FINAL_SCORE: 3", "0 degrees", None, "REACH, IDLE"]
)
@pytest.mark.parametrize("task", ["strokerehab_primitives_1", "strokerehab_primitives_3", "strokerehab_ia2_3_30",
                                  "strokerehab_ia4_31_33", "strokerehab_identification_2"])  # fmt: skip
def test_no_reply_is_an_exception(study: Path, reply: str | None, task: str) -> None:
    rows = [process_results(row, [reply])[RECORD] for row in build_documents(task, read_rehab_settings())]
    found = measures(rows)
    assert 0 <= found["invalid_rate"] <= 1
    if reply in ("", None):
        assert found["invalid_rate"] == 1


def test_constant_answers_score_what_the_baselines_say(study: Path) -> None:
    items = measures(records("strokerehab_ia4_3_30", lambda row: "FINAL_SCORE: 2"))
    assert items["accuracy"] == pytest.approx(items["constant_2_accuracy"])
    assert items["apd"] == pytest.approx(items["constant_2_apd"])
    always = measures(records("strokerehab_primitives_3", lambda row: "yes"))
    assert always["edit_score"] == pytest.approx(always["transport_only_edit_score"])
    named = measures(records("strokerehab_identification_1", lambda row: "FINAL_ANSWER: drinking"))
    assert named["accuracy"] == named["majority_accuracy"] == 0.5


def test_item_33_is_timed_from_counts_on_both_arms(study: Path) -> None:
    def touches(row: Mapping[str, Any]) -> str:
        # The affected arm touches the nose in every second window, the other in every one.
        every = 4 if row["laterality"] == "A" else 1
        return "1" if row["kind"] == "nose" and row["window"] % every == 0 else "0"

    from semiology.metrics.strokerehab.run_scores import score_impairment

    rows = records("strokerehab_ia2_31_33", touches)
    found = score_impairment(rows)
    # Fifth touch at window 16 against window 4: twelve windows of 8/30 s, 3.2 s slower.
    assert {found.answers[subject][33] for subject in found.answers} == {1}


def test_item_33_can_be_asked_by_contact_and_timed_by_the_nose_alone(
    study: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from semiology.metrics.strokerehab.run_scores import score_impairment

    def contact(row: Mapping[str, Any]) -> str:
        # The other arm is at the knee in every second window; the affected one stays at the nose once it is there.
        at = row["window"] > 2 if row["laterality"] == "A" else row["window"] % 2 == 1
        return "yes" if at and row["kind"] == ("nose" if row["laterality"] == "A" else "knee") else "no"

    monkeypatch.setenv("SEMIOLOGY_REHAB_PROMPT", "contact")
    rows = [row for row in records("strokerehab_ia2_31_33", contact) if row["item"] == 33]
    assert {row["prompt_id"] for row in rows} == {"contact"}
    found = score_impairment(rows)
    assert (found.touched_again, found.invalid) == (0, 0)
    # One long contact is one touch: the affected arm never gets to five, so there is no time.
    assert {found.answers[subject][33] for subject in found.answers} == {None}
    monkeypatch.setenv("SEMIOLOGY_REHAB_TIMING", "nsoe")
    with pytest.raises(ValueError, match="use either"):
        read_rehab_settings()


def test_lmms_eval_hooks_share_one_scoring(study: Path) -> None:
    results = [
        process_results(row, ["FINAL_ANSWER: drinking"])
        for row in build_documents("strokerehab_identification_1", read_rehab_settings())
    ]
    listed = {row["metric"]: row["aggregation"] for row in metric_list("identification")}
    assert listed[RECORD]([result[RECORD] for result in results]) == 4
    assert listed["accuracy"]([result["accuracy"] for result in results]) == 0.5
    with pytest.raises(RuntimeError):
        listed["accuracy"]([result["accuracy"] for result in results[:-1]])


def test_the_embedded_model_reads_each_film_once_for_all_questions(study: Path) -> None:
    from semiology.backends.embedded.sees import CHECKPOINT, SHARED_PREFIX_ARGS
    from semiology.backends.semiology_hf import SemiologyHF
    from semiology.harness.asking import ask_documents
    from semiology.tasks.strokerehab.messages import doc_to_messages, doc_to_text, doc_to_visual

    rows = [
        row
        for row in build_documents("strokerehab_primitives_3", read_rehab_settings())
        if row["activity"] == "drinking"
    ]
    lm = SemiologyHF(str(CHECKPOINT), journal="none", **SHARED_PREFIX_ARGS)
    replies = ask_documents(
        lm, rows, text=doc_to_text, messages=doc_to_messages, visual=doc_to_visual,
        settings={"max_new_tokens": 2, "until": [], "do_sample": False, "temperature": 0},
    )  # fmt: skip
    films, seen = {row["video"] for row in rows}, len(rows) // 2
    assert len(replies) == len(rows)
    assert lm.counts.opens == len(films) == 2
    assert lm.counts.decodes == lm.counts.vision_runs == lm.counts.prefix_prefills == seen
    assert lm.counts.cache_hits == seen
    assert lm.counts.unanswered == 0
