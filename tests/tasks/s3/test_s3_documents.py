"""What each S3 task asks of a recording set: which clip, which words, which truth, and what is left out."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import av
import pytest
from s3_example_set import ONSETS, REPORTS, write_annotations

from semiology.data.problems import SettingsError
from semiology.features import FEATURES
from semiology.tasks.messages import doc_to_messages, doc_to_text
from semiology.tasks.s3 import documents
from semiology.tasks.s3.task_list import TASKS


def rows(task: str) -> list[dict[str, Any]]:
    table = Path(documents.questions(task)["data_files"]["test"])
    return [json.loads(line) for line in table.open()]


def asked(task: str) -> list[tuple[Any, ...]]:
    return [
        (row["video_id"], row["feature"], row["start_s"], row["end_s"], row["truth"]) for row in rows(task)
    ]


def test_the_side_is_asked_of_the_annotated_interval(s3_set: Path) -> None:
    assert asked("s3_head_turning_side") == [("A1", "head_turning", 10.0, 16.0, "right")]
    arm = asked("s3_arm_movement_side")
    assert arm[0] == ("A1", "arm_movement", 20.5, 30.0, "left")
    assert arm[1][:2] + arm[1][4:] == ("B1", "arm_movement", "right")
    assert arm[1][2:4] == pytest.approx((3.1, 5.1))  # 0.2 s widened to two frames


def test_the_region_is_asked_of_the_clip_around_the_first_sign(s3_set: Path) -> None:
    assert asked("s3_onset_region") == [
        ("A1", "onset_region", 5.0, 35.0, "head"),
        ("B1", "onset_region", 0.0, 28.0, "eyes"),
    ]


def test_onsets_are_asked_in_a_centred_and_a_random_clip_with_the_truth_in_the_clip(s3_set: Path) -> None:
    found = rows("s3_onset_time")
    assert {(row["video_id"], row["feature"]) for row in found} == {
        (video_id, feature) for video_id, times in ONSETS.items() for feature in times
    }
    assert sum(row["clip_form"] == "centred" for row in found) * 2 == len(found) == 10
    for row in found:
        assert row["start_s"] + row["truth"] == pytest.approx(ONSETS[row["video_id"]][row["feature"]])
        assert row["end_s"] - row["start_s"] == pytest.approx(60)
    centred = {row["feature"]: row["truth"] for row in found if row["clip_form"] == "centred"}
    assert centred["clonic"] == 30.0  # the recording lasts 70 s: 10 to 70 s


@pytest.mark.parametrize(
    ("task", "truth"),
    [("s3_seizure_start", {"A1": 10.0, "B1": 3.0}), ("s3_seizure_end", {"A1": 45.0, "B1": 8.0})],
)
def test_start_and_end_of_the_seizure_are_the_first_onset_and_the_last_offset(
    task: str, truth: dict[str, float], s3_set: Path
) -> None:
    found = {row["video_id"]: row["start_s"] + row["truth"] for row in rows(task)}
    assert found == pytest.approx(truth)


def test_a_sign_without_offset_leaves_the_end_of_the_seizure_unknown(s3_set: Path) -> None:
    table = s3_set / "annotations.csv"
    table.write_text(table.read_text().replace("A1,clonic,yes,40.0,45.0", "A1,clonic,yes,40.0,"))
    assert {row["video_id"] for row in rows("s3_seizure_end")} == {"B1"}


def test_sequences_are_asked_per_window_where_the_whole_order_is_known(s3_set: Path) -> None:
    found = rows("s3_sequence")
    assert [(row["video_id"], row["segment"]) for row in found] == [
        (v, i) for v in ("A1", "B1") for i in range(3)
    ]
    assert found[0]["truth"] == ["head_turning", "tonic", "clonic"]
    assert found[3]["truth"] == ["tonic", "blank_stare"]  # a tie, in the order of the vocabulary
    assert found[3]["onsets_s"] == [3.0, 3.0]


@pytest.mark.parametrize(
    ("old", "new"),
    [("A1,clonic,yes,40.0,45.0", "A1,clonic,yes,,"), ("A1,figure4,no,,,\n", "")],
    ids=["no onset", "not annotated"],
)
def test_a_recording_whose_order_is_not_wholly_known_has_no_sequence(
    old: str, new: str, s3_set: Path
) -> None:
    table = s3_set / "annotations.csv"
    text = table.read_text().replace("\r\n", "\n")
    assert old in text
    table.write_text(text.replace(old, new))
    assert {row["video_id"] for row in rows("s3_sequence")} == {"B1"}
    assert "A1" in documents.description("s3_sequence")["recordings_without_truth"]


def test_reports_and_diagnoses_are_asked_where_they_are_known(s3_set: Path) -> None:
    assert {row["video_id"]: row["truth"] for row in rows("s3_report")} == REPORTS
    assert {row["video_id"]: row["truth"] for row in rows("s3_diagnosis")} == {"A1": "ES", "B1": "NES"}
    with_report = rows("s3_diagnosis_with_report")
    assert {row["video_id"] for row in with_report} == {"A1", "B1"}
    assert with_report[0]["question"].endswith("Seizure report: " + REPORTS["A1"])


def test_justifications_are_asked_of_every_feature_with_the_experts_words(s3_set: Path) -> None:
    found = rows("s3_justification")
    assert {row["feature"] for row in found} == set(FEATURES)
    tonic = next(row for row in found if (row["feature"], row["video_id"]) == ("tonic", "A1"))
    assert (tonic["truth"], tonic["reference"]) == ("yes", "tonic is seen.")
    assert '"justification": "brief explanation"' in tonic["question"]
    assert next(row for row in found if row["truth"] == "no")["reference"] is None


def test_the_clip_that_is_sent_has_the_published_rate(s3_set: Path) -> None:
    for task, window, count in (("s3_diagnosis", "standard", 60), ("s3_onset_time", "standard", 60)):
        (turn,) = doc_to_messages(rows(task)[0], {"window": "native", "sound": "none"})
        video, text = turn["content"]
        assert set(video) == {"type", "url"}, window
        with av.open(video["url"]) as container:
            assert container.streams.video[0].frames == count
        assert text["text"] == rows(task)[0]["question"]


def test_qwen3_models_get_twice_the_frames(s3_set: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SEMIOLOGY_WINDOW", "qwen3")
    assert {row["clip_fps"] for row in rows("s3_onset_time")} == {2.0}
    assert rows("s3_diagnosis")[0]["clip_fps"] == pytest.approx(120 / 70, abs=1e-3)


def test_models_that_hear_get_the_sound_of_reports_where_there_is_any(s3_set: Path) -> None:
    hearing = {"window": "native", "sound": "array"}
    kinds = {
        row["video_id"]: [part["type"] for part in doc_to_messages(row, hearing)[0]["content"]]
        for row in rows("s3_report")
    }
    assert kinds == {"A1": ["video", "audio", "text"], "B1": ["video", "text"]}
    (turn,) = doc_to_messages(rows("s3_head_turning_side")[0], hearing)
    assert [part["type"] for part in turn["content"]] == ["video", "text"]


@pytest.mark.parametrize("task", TASKS)
def test_the_text_is_the_question_and_the_table_has_one_type_per_column(task: str, s3_set: Path) -> None:
    found = rows(task)
    assert all(
        doc_to_text(row) == row["question"] and "{" + "description" not in row["question"] for row in found
    )
    for name in found[0]:
        assert len({type(row[name]) for row in found} - {type(None)}) <= 1, name


def test_the_other_published_wording_is_asked_where_there_is_one(
    s3_set: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SEMIOLOGY_S3_PROMPT", "s3_repository")
    assert rows("s3_onset_time")[0]["prompt_id"] == "s3_repository"
    assert rows("s3_head_turning_side")[0]["prompt_id"] == "s3"  # the same words in both
    monkeypatch.setenv("SEMIOLOGY_S3_PROMPT", "s4")
    with pytest.raises(SettingsError, match=r"SEMIOLOGY_S3_PROMPT=s4.*s3_repository"):
        rows("s3_report")


def test_nothing_to_ask_is_told_with_table_and_column(s3_set: Path) -> None:
    (s3_set / "laterality.csv").unlink()
    with pytest.raises(SettingsError, match=r"s3_arm_movement_side.*laterality.csv: `arm_movement_side`"):
        documents.questions("s3_arm_movement_side")
    write_annotations(s3_set, {})
    with pytest.raises(SettingsError, match=r"s3_onset_time.*annotations.csv: `onset_s`"):
        documents.questions("s3_onset_time")


def test_an_unknown_task_is_no_attribute() -> None:
    with pytest.raises(AttributeError, match="questions_of_s3_report"):
        documents.__getattr__("questions_of_s3_reports")


def test_an_onset_is_asked_for_in_the_whole_recording(s3_set: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SEMIOLOGY_ONSET_CLIPS", "whole")
    monkeypatch.setenv("SEMIOLOGY_WINDOW", "qwen3")
    found = rows("s3_onset_time")
    assert {row["clip_form"] for row in found} == {"whole"}
    assert len(found) == 5
    for row in found:
        assert (row["start_s"], row["end_s"]) == (0.0, pytest.approx(70, abs=0.1))
        assert row["truth"] == ONSETS[row["video_id"]][row["feature"]]
        assert (
            int(row["clip_fps"] * (row["end_s"] - row["start_s"]) + 1e-6) <= 60
        )  # of Table 30, for Qwen3 too
    url = doc_to_messages(found[0])[0]["content"][0]["url"]
    with av.open(url) as film:
        assert 59 <= sum(1 for _ in film.decode(video=0)) <= 60
    assert {row["clip_form"] for row in rows("s3_seizure_start")} == {"whole"}
    monkeypatch.setenv("SEMIOLOGY_ONSET_CLIPS", "centred,half")
    with pytest.raises(
        SettingsError, match="SEMIOLOGY_ONSET_CLIPS=half: no such form; use centred, random, whole"
    ):
        rows("s3_onset_time")


def test_reasons_on_sound_are_asked_over_the_whole_recording(
    s3_set: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    windows = [row for row in rows("s3_justification") if row["feature"] == "ictal_vocalization"]
    monkeypatch.setenv("SEMIOLOGY_AUDIO_SEGMENTS", "whole")
    found = rows("s3_justification")
    heard = [row for row in found if row["feature"] == "ictal_vocalization"]
    assert {row["video_id"] for row in heard} == {row["video_id"] for row in windows}
    assert [row["segment"] for row in heard] == [0] * len(heard)
    assert len(heard) < len(windows)
    assert sum(row["feature"] == "tonic" for row in found) == 3 * len({row["video_id"] for row in found})
