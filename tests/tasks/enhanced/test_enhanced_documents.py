"""Enhanced questions: the same recordings, windows and wording, other media; and nothing hidden."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import pytest
from honest_steps import Negative, Said, Softer

from semiology.data.problems import SettingsError
from semiology.enhancements.enhance import enhance
from semiology.enhancements.pipeline.manifest import MANIFEST, read_manifest
from semiology.harness.preflight import check_enhanced_tasks
from semiology.tasks import documents
from semiology.tasks.task_list import TASKS

SAME = (
    "video_id",
    "patient_id",
    "segment",
    "start_s",
    "feature",
    "truth",
    "prompt_id",
    "prompt_hash",
    "question",
)


def rows(name: str) -> list[dict[str, object]]:
    table = documents.questions(name)["data_files"]["test"]
    return [json.loads(line) for line in Path(table).open()]


def plain_rows(feature: str) -> list[dict[str, object]]:
    return [json.loads(line) for line in Path(documents.questions(feature)["data_files"]["test"]).open()]


@pytest.mark.parametrize("name", ["pose_semiology_tonic", "denoise_semiology_ictal_vocalization"])
def test_recordings_windows_and_wording_are_those_of_the_plain_task(name: str, enhanced_set: Path) -> None:
    task = TASKS[name]
    enhanced, unenhanced = rows(name), plain_rows(task.feature)
    assert [[row[key] for key in SAME] for row in enhanced] == [
        [row[key] for key in SAME] for row in unenhanced
    ]
    assert len(enhanced) == (9 if task.enhancement == "pose" else 6)
    assert {row["enhancement"] for row in enhanced} == {task.enhancement}
    assert {row["enhancement"] for row in unenhanced} == {"none"}
    assert all(
        abs(float(str(one["end_s"])) - float(str(other["end_s"]))) <= 0.25
        for one, other in zip(enhanced, unenhanced, strict=True)
    )


def test_derived_media_stand_in_the_place_of_the_originals(enhanced_set: Path) -> None:
    manifest = read_manifest(enhanced_set)
    for row in rows("pose_semiology_tonic"):
        made = manifest[str(row["video_id"]), "pose"]
        assert (row["video"], row["enhancement_key"]) == (str(made.file), made.key)
    for row in rows("denoise_semiology_ictal_vocalization"):
        assert row["audio"] == str(manifest[str(row["video_id"]), "denoise"].file)
        assert row["video"] == str(enhanced_set / "videos" / f"{row['video_id']}.mp4")


def test_a_transcript_stands_between_the_media_and_the_unchanged_question(small_set: Path) -> None:
    enhance(small_set, [Said()])
    name = "transcript_semiology_verbal_responsiveness"
    enhanced, unenhanced = rows(name), plain_rows("verbal_responsiveness")
    for one, other in zip(enhanced, unenhanced, strict=True):
        assert str(one["question"]).endswith(f"\n\n{other['question']}")
        assert one["prompt_hash"] == other["prompt_hash"]
        assert one["video"] == other["video"]
        # Spoken from 31 to 34 s: in the second of the windows 0-30, 25-55, 50-70 alone, 6 s after its start.
        assert ('6.0-9.0 s: "can you hear me"' in str(one["question"])) == (one["segment"] == 1)
    quotations = {(row["segment"], row["transcript_hash"]) for row in enhanced}
    assert len(quotations) == 3
    assert all(len(str(digest)) == 64 for _, digest in quotations)


def test_two_questions_about_a_window_share_all_but_the_question(small_set: Path) -> None:
    enhance(small_set, [Said()])
    first = rows("transcript_semiology_verbal_responsiveness")[1]
    second = rows("transcript_semiology_ictal_vocalization")[1]
    quotations = [
        str(row["question"]).removesuffix(question) for row, question in _with_questions(first, second)
    ]
    assert quotations[0] == quotations[1]
    assert "can you hear me" in quotations[0]


def test_the_length_of_the_quotation_can_be_set_without_enhancing_anew(
    small_set: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = "transcript_semiology_verbal_responsiveness"
    enhance(small_set, [Said("can you hear me")])
    whole = rows(name)
    monkeypatch.setenv("SEMIOLOGY_TRANSCRIPT_LIMIT", "26")
    cut = rows(name)
    assert [row["enhancement_key"] for row in cut] == [row["enhancement_key"] for row in whole]
    assert [row["prompt_hash"] for row in cut] == [row["prompt_hash"] for row in whole]
    changed = [row for row, other in zip(cut, whole, strict=True) if row["question"] != other["question"]]
    assert {row["segment"] for row in changed} == {1}
    for row in changed:
        assert '6.0-9.0 s: "can you…"' in str(row["question"])
        assert "cut to its first 26 characters: 2 of 4 words" in str(row["question"])
        assert row["transcript_hash"] not in {other["transcript_hash"] for other in whole}
    assert documents.description(name)["transcript_limit"] == 26


@pytest.mark.parametrize("given", ["0", "-5", "many", "1.5"])
def test_a_length_that_is_not_understood_is_told_before_anything_is_asked(
    given: str, small_set: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    enhance(small_set, [Said()])
    monkeypatch.setenv("SEMIOLOGY_TRANSCRIPT_LIMIT", given)
    with pytest.raises(SettingsError, match=f"SEMIOLOGY_TRANSCRIPT_LIMIT={given}: .*5000 by default"):
        check_enhanced_tasks([TASKS["transcript_semiology_verbal_responsiveness"]])


def _with_questions(*enhanced: dict[str, object]) -> list[tuple[dict[str, object], str]]:
    return [(row, str(plain_rows(str(row["feature"]))[0]["question"])) for row in enhanced]


def test_what_is_not_made_is_told_with_the_command_that_makes_it(small_set: Path) -> None:
    with pytest.raises(SettingsError, match=rf"semiology enhance {small_set} --with pose$"):
        rows("pose_semiology_tonic")
    enhance(small_set, [Negative()], recordings=["A1"])
    with pytest.raises(SettingsError, match="missing for 2 of 3 recordings"):
        rows("pose_semiology_tonic")


def test_a_video_that_was_replaced_is_not_shown_as_it_was(enhanced_set: Path) -> None:
    shutil.copy(enhanced_set / "videos" / "A2.mp4", enhanced_set / "videos" / "A1.mp4")
    os.utime(enhanced_set / "videos" / "A1.mp4", (1, 1))
    with pytest.raises(SettingsError, match="changed since it was enhanced: A1"):
        rows("pose_semiology_tonic")
    enhance(enhanced_set, [Negative()])
    assert len(rows("pose_semiology_tonic")) == 9


def test_a_derived_file_that_was_cut_or_cleared_is_told(enhanced_set: Path) -> None:
    file = read_manifest(enhanced_set)["A1", "pose"].file
    assert file is not None
    file.write_bytes(file.read_bytes()[:-50])
    with pytest.raises(SettingsError, match="gone or damaged: A1"):
        rows("pose_semiology_tonic")


def test_a_recording_whose_enhancement_failed_is_left_out_and_counted(small_set: Path) -> None:
    enhance(small_set, [Negative(), Softer(raises_for="A1")])
    asked = {row["video_id"] for row in rows("denoise_semiology_ictal_vocalization")}
    told = documents.description("denoise_semiology_ictal_vocalization")
    assert asked == {"A2"}
    assert told["recordings_without_enhancement"] == {"A1": "failed"}
    assert told["recordings_enhancement_failed"] == 1
    assert (
        told["recordings_enhancement_unavailable"] == 0
    )  # B1 has no sound: the plain task leaves it out too
    assert told["recordings_without_sound"] == 1


def test_recordings_enhanced_in_different_ways_are_not_put_together(small_set: Path) -> None:
    enhance(small_set, [Softer()])
    enhance(small_set, [Softer(gain=0.1)], recordings=["A2"])
    with pytest.raises(SettingsError, match=r"made with 2 different settings.*--with denoise$"):
        rows("denoise_semiology_ictal_vocalization")
    enhance(small_set, [Softer(gain=0.1)])
    assert len(rows("denoise_semiology_ictal_vocalization")) == 6
    told = documents.description("denoise_semiology_ictal_vocalization")
    assert len(told["enhancement_settings"]) == 1


def test_a_derived_video_of_another_length_is_not_put_beside_the_original(small_set: Path) -> None:
    enhance(small_set, [Negative(shorter_by=8)])
    with pytest.raises(SettingsError, match=r"lasts 68\.0 s, not the 70\.0 s"):
        rows("pose_semiology_tonic")


def test_a_frame_less_is_not_another_length(small_set: Path) -> None:
    enhance(small_set, [Negative(shorter_by=1)])
    last = rows("pose_semiology_tonic")[2]
    assert (last["start_s"], last["end_s"]) == (50.0, 69.75)


def test_the_manifest_may_lie_elsewhere(
    small_set: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "elsewhere"
    monkeypatch.setenv("SEMIOLOGY_ENHANCED", str(out))
    with pytest.raises(SettingsError, match="no such folder"):
        rows("pose_semiology_tonic")
    enhance(small_set, [Negative()], out=out, recordings=["A1", "A2"])
    with pytest.raises(SettingsError, match=rf"--with pose --out {out}"):
        rows("pose_semiology_tonic")
    enhance(small_set, [Negative()], out=out)
    assert len(rows("pose_semiology_tonic")) == 9
    assert not (small_set / MANIFEST).exists()
