"""``laterality.csv`` of a user's set: what is read, what stands in for it, and what is told."""

from __future__ import annotations

from pathlib import Path

import pytest

from semiology.data.problems import RecordingSetError
from semiology.data.recording_set import RecordingSet
from semiology.data.tables.laterality import Laterality, SidedEvent, read_laterality
from semiology.data.tables.reading import read_recording_set

HEADER = (
    "video_id,head_turning_side,head_turning_start_s,head_turning_end_s,"
    "arm_movement_side,arm_movement_start_s,arm_movement_end_s,onset_region\n"
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "recordings.csv").write_text("video_id,patient_id,video\nV1,P1,v1.mp4\nV2,P2,v2.mp4\n")
    (tmp_path / "annotations.csv").write_text(
        "video_id,feature,present,onset_s,offset_s,side\nV1,head_turning,yes,3,9,left\nV2,head_turning,yes,1,2,both\n"
    )
    (tmp_path / "dataset.yaml").write_text("name: x\nversion: '1'\n")
    return tmp_path


def read(folder: Path) -> RecordingSet:
    return read_recording_set(folder, require_media=False)


def test_sides_times_and_region_are_read(folder: Path) -> None:
    (folder / "laterality.csv").write_text(HEADER + "V2,Right,4.5,6,left,1,2,Full Body\n")
    found = read_laterality(read(folder))
    assert found["V2"] == Laterality(SidedEvent("right", 4.5, 6.0), SidedEvent("left", 1.0, 2.0), "full body")


def test_an_annotated_side_stands_in_for_head_turning(folder: Path) -> None:
    found = read_laterality(read(folder))
    assert found["V1"].head_turning == SidedEvent("left", 3.0, 9.0)
    assert found["V2"] == Laterality()  # "both" is no side


def test_the_table_goes_before_the_annotation(folder: Path) -> None:
    (folder / "laterality.csv").write_text(HEADER + "V1,right,,,,,,\n")
    assert read_laterality(read(folder))["V1"].head_turning == SidedEvent("right", None, None)


def test_a_table_with_some_columns_will_do(folder: Path) -> None:
    (folder / "laterality.csv").write_text("video_id;onset_region\nV1;right arm\n")
    assert read_laterality(read(folder))["V1"].onset_region == "right arm"


@pytest.mark.parametrize(
    ("row", "told"),
    [
        ("V9,,,,,,,", r"laterality.csv:2: unknown video_id 'V9'"),
        ("V1,both,,,,,,", r"laterality.csv:2: head_turning_side: 'both' is not one of left, right"),
        ("V1,,,,,,,whole body", r"onset_region: 'whole body' .*did you mean 'full body'"),
        ("V1,left,0:12,,,,,", r"laterality.csv:2: head_turning_start_s: '0:12' is a clock time.*write 12"),
        ("V1,left,5,4,,,,", r"head_turning_end_s 4 is before head_turning_start_s 5"),
        ("V1,,,,,,,head\nV1,,,,,,,head", r"laterality.csv:3: V1 has a row already"),
    ],
)
def test_a_fault_is_told_with_file_row_and_mend(folder: Path, row: str, told: str) -> None:
    (folder / "laterality.csv").write_text(HEADER + row + "\n")
    with pytest.raises(RecordingSetError, match=told):
        read_laterality(read(folder))


def test_a_misspelt_column_is_told(folder: Path) -> None:
    (folder / "laterality.csv").write_text("video_id,onset_regoin\nV1,head\n")
    with pytest.raises(RecordingSetError, match="did you mean 'onset_region'"):
        read_laterality(read(folder))
