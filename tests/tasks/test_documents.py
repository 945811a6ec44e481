"""The question table: what is asked, what is left out and counted, and when its name must change."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from semiology.data.problems import SettingsError
from semiology.tasks import documents, messages, scores
from semiology.tasks.settings import read_settings


def rows(feature: str) -> list[dict[str, object]]:
    return [json.loads(line) for line in table(feature).open()]


def table(feature: str) -> Path:
    return Path(documents.questions(feature)["data_files"]["test"])


def replace_cell(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def test_every_annotated_recording_is_asked_once_per_window(small_set: Path) -> None:
    asked = [(row["video_id"], row["segment"], row["start_s"], row["end_s"]) for row in rows("tonic")]
    windows = [(0, 0.0, 30.0), (1, 25.0, 55.0), (2, 50.0, 70.0)]
    assert asked == [(video, *window) for video in ("A1", "A2", "B1") for window in windows]


def test_a_row_carries_the_prompt_as_sent_and_its_identity(small_set: Path) -> None:
    row = rows("tonic")[0]
    assert str(row["question"]).startswith("The tonic phase is marked by")
    assert (row["prompt_id"], row["feature"], row["truth"]) == ("s3", "tonic", "yes")
    assert len(str(row["prompt_hash"])) == 64


def test_a_recording_not_annotated_for_the_feature_is_not_asked(small_set: Path) -> None:
    replace_cell(small_set / "annotations.csv", "A2,tonic,no\n", "")
    assert {row["video_id"] for row in rows("tonic")} == {"A1", "B1"}
    assert documents.description("tonic")["recordings_not_annotated"] == 1


def test_na_is_asked_only_where_na_is_an_answer(small_set: Path) -> None:
    replace_cell(small_set / "annotations.csv", "A2,tonic,no", "A2,tonic,na")
    replace_cell(small_set / "annotations.csv", "A2,verbal_responsiveness,no", "A2,verbal_responsiveness,na")
    assert {row["video_id"] for row in rows("tonic")} == {"A1", "B1"}
    assert documents.description("tonic")["recordings_annotated_na"] == 1
    assert {row["truth"] for row in rows("verbal_responsiveness") if row["video_id"] == "A2"} == {"na"}


def test_a_recording_without_sound_is_not_asked_about_sound(small_set: Path) -> None:
    assert {row["video_id"] for row in rows("ictal_vocalization")} == {"A1", "A2"}
    assert documents.description("ictal_vocalization")["recordings_without_sound"] == 1


def test_an_unreadable_video_is_counted_with_its_reason(small_set: Path) -> None:
    (small_set / "videos" / "A2.mp4").write_bytes(b"")
    assert {row["video_id"] for row in rows("tonic")} == {"A1", "B1"}
    assert set(documents.description("tonic")["recordings_without_usable_video"]) == {"A2"}


def test_the_table_keeps_its_name_while_nothing_changes(small_set: Path) -> None:
    assert table("tonic") == table("tonic")


@pytest.mark.parametrize(
    "change",
    [
        lambda folder, patch: patch.setenv("SEMIOLOGY_PROMPT", "s3_context"),
        lambda folder, patch: patch.setenv("SEMIOLOGY_WINDOW", "qwen3"),
        lambda folder, patch: os.utime(folder / "videos" / "A1.mp4", (1, 1)),
        lambda folder, patch: replace_cell(folder / "annotations.csv", "A2,tonic,no", "A2,tonic,yes"),
    ],
    ids=["wording", "window", "media", "truth"],
)
def test_the_table_changes_its_name_with_its_content(
    change: object, small_set: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = table("tonic")
    change(small_set, monkeypatch)  # type: ignore[operator]
    assert table("tonic") != before


def test_an_unknown_wording_is_told_with_those_that_exist(
    small_set: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SEMIOLOGY_PROMPT", "S3")
    with pytest.raises(SettingsError, match=r"tonic has no wording 'S3'; it has s3"):
        documents.questions("tonic")


def test_an_unknown_feature_is_no_attribute() -> None:
    with pytest.raises(AttributeError, match="questions_about_tonik"):
        documents.__getattr__("questions_about_tonik")


def test_the_cache_is_for_this_user_alone(small_set: Path) -> None:
    written = table("tonic")
    assert written.stat().st_mode & 0o077 == 0
    assert read_settings().cache.stat().st_mode & 0o077 == 0


def test_a_chosen_answer_format_is_asked_and_recorded(
    small_set: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = rows("tonic")[0]
    assert "answer_format" not in plain
    monkeypatch.setenv("SEMIOLOGY_PROMPT", "embc")
    monkeypatch.setenv("SEMIOLOGY_ANSWER_FORMAT", "embc_internvl")
    row = rows("tonic")[0]
    assert (row["prompt_id"], row["answer_format"]) == ("s3_repository_internvl", "embc_internvl")
    assert "lasting 5-20 seconds" in str(row["question"])
    assert str(row["question"]).endswith(
        "Give an answer with 'yes' or 'no' and provide a justification for the answer. Respond with exactly one JSON "
        'object in the format { "answer": "...", "justification": "..." } and do not include any extra text outside '
        "of the JSON."
    )
    assert scores.process_results(row, ["yes"])["semiology"]["answer_format"] == "embc_internvl"
    assert documents.description("tonic")["prompt"].endswith(str(row["prompt_hash"]))


def test_a_format_that_does_not_go_with_a_wording_is_refused() -> None:
    documents.check_wording(["tonic"], "embc", "embc_qwen")
    with pytest.raises(SettingsError, match=r"unknown format; did you mean 'embc_qwen'"):
        documents.check_wording(["tonic"], "embc", "embc_qwem")
    with pytest.raises(SettingsError, match=r"does not offer na; ask with --tasks semiology_tonic"):
        documents.check_wording(["tonic", "verbal_responsiveness"], "minimal", "embc_qwen")


def test_only_the_recordings_chosen_are_asked(small_set: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SEMIOLOGY_RECORDINGS", "A*")
    assert {row["video_id"] for row in rows("tonic")} == {"A1", "A2"}
    monkeypatch.setenv("SEMIOLOGY_VIDEOS", "2-")
    assert {row["video_id"] for row in rows("tonic")} == {"A2"}
    assert documents.description("tonic")["recordings_not_chosen"] == 2


def test_features_of_sound_are_asked_over_the_whole_recording(
    small_set: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = rows("tonic")
    monkeypatch.setenv("SEMIOLOGY_AUDIO_SEGMENTS", "whole")
    assert rows("tonic") == seen
    heard = rows("ictal_vocalization")
    assert [(row["video_id"], row["segment"], row["start_s"]) for row in heard] == [
        ("A1", 0, 0.0),
        ("A2", 0, 0.0),
    ]
    assert all(row["end_s"] == pytest.approx(70, abs=0.1) for row in heard)
    sound = messages.doc_to_messages(heard[0], {"window": "clip", "sound": "array"})[0]["content"][1]
    assert len(sound["url"]) == pytest.approx(70 * messages.AUDIO_RATE, rel=0.01)  # type: ignore[arg-type]
    assert documents.description("ictal_vocalization")["audio_segments"] == "whole"
    monkeypatch.setenv("SEMIOLOGY_AUDIO_SEGMENTS", "halves")
    with pytest.raises(SettingsError, match="SEMIOLOGY_AUDIO_SEGMENTS=halves: use windows or whole"):
        rows("tonic")
