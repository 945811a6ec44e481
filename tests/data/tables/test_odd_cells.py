"""Cells as spreadsheets, statistics programs and old systems leave them: told or refused, never taken for something."""

from __future__ import annotations

from pathlib import Path

import pytest

from semiology.data.sheets.grid import read_grids
from semiology.data.sheets.mapping import Notes, SheetMapping
from semiology.data.sheets.reading import SheetContent, read_sheet
from semiology.data.tables.cells import names_nobody, spreadsheet_made
from semiology.data.tables.consistency import Reading
from semiology.data.tables.reading import read_folder

RECORDINGS = "video_id,patient_id,video,duration_s\nV1,P1,a.mp4,60\nV2,P2,b.mp4,60\n"
ANNOTATIONS = "video_id,feature,present,onset_s\nV1,tonic,yes,1.5\nV2,tonic,no,\n"


def reading_of(folder: Path, recordings: str | bytes, annotations: str = ANNOTATIONS) -> Reading:
    (folder / "dataset.yaml").write_text("name: x\nversion: '1'\n")
    raw = recordings if isinstance(recordings, bytes) else recordings.encode()
    (folder / "recordings.csv").write_bytes(raw)
    (folder / "annotations.csv").write_text(annotations, encoding="utf-8")
    return read_folder(folder, require_media=False)


def sheet_of(folder: Path, text: str) -> tuple[SheetContent | None, Notes]:
    path = folder / "signs.csv"
    path.write_text(text, encoding="utf-8")
    notes = Notes(path.name)
    return read_sheet(read_grids(path), SheetMapping(), notes, {})[0], notes


@pytest.mark.parametrize("name", ["NaN", "NA", "null", "None", "unknown", "TRUE", "n.a."])
def test_a_patient_who_is_a_missing_value_is_told(tmp_path: Path, name: str) -> None:
    reading = reading_of(tmp_path, RECORDINGS.replace("P1", name).replace("P2", name))
    assert reading.recording_set is not None
    assert any("no patient, but a missing value" in str(each) for each in reading.warnings)


@pytest.mark.parametrize("name", ["1e5", "1E05", "7.0", "MAR-07", "7-Mar", "07.Mrz", "Sep-12", "2.5E3"])
def test_an_id_that_a_spreadsheet_made_is_told(tmp_path: Path, name: str) -> None:
    reading = reading_of(tmp_path, RECORDINGS.replace("P1", name))
    assert any("that a spreadsheet made" in str(each) for each in reading.warnings)


@pytest.mark.parametrize("name", ["P1", "007", "Nan01", "MARK-7", "E5", "may_V01", "P1.2", "10E", "dec1"])
def test_usual_ids_are_not(tmp_path: Path, name: str) -> None:
    assert not names_nobody(name)
    assert not spreadsheet_made(name)


@pytest.mark.parametrize(("coding", "name", "called"), [
    ("shift_jis", "発作", "Shift-JIS"), ("gb18030", "患者", "GB 18030"), ("euc_kr", "발작", "EUC-KR"),
    ("cp1250", "páže", "Windows-1252"), ("mac_roman", "Müßig", "Windows-1252"),
])  # fmt: skip
def test_another_coding_is_named_with_what_the_cell_says_in_it(
    tmp_path: Path, coding: str, name: str, called: str
) -> None:
    reading = reading_of(tmp_path, RECORDINGS.replace("a.mp4", f"{name}.mp4").encode(coding))
    message = str(reading.problems[0])
    assert f"if it is {called}" in message
    if called != "Windows-1252":
        assert f"'{name}.mp4'" in message


def test_ends_of_files_and_remarks_of_other_programs(tmp_path: Path) -> None:
    assert reading_of(tmp_path, RECORDINGS + "\x1a").recording_set is not None
    reading = reading_of(tmp_path, "# written by me\n" + RECORDINGS)
    assert [str(each) for each in reading.problems if "remark" in str(each)]
    assert not any("is missing" in str(each) for each in reading.problems)


def test_a_misspelt_split_is_answered_with_a_split(tmp_path: Path) -> None:
    table = RECORDINGS.replace("duration_s", "split").replace(",60", ",tset")
    assert any("did you mean 'test'" in str(each) for each in reading_of(tmp_path, table).problems)
    assert not any(
        "did you mean" in str(each)
        for each in reading_of(tmp_path, table.replace("tset", "internal")).problems
    )


@pytest.mark.parametrize("cell", ["-1", "−1", "+2", "#N/A", "#REF!", "#NAME?", "1/2"])
def test_a_cell_with_a_sign_is_asked_about_and_no_yes(tmp_path: Path, cell: str) -> None:
    content, notes = sheet_of(tmp_path, f"video,patient,tonic,clonic\nV1,P1,{cell},no\nV2,P2,no,yes\n")
    assert content is None
    assert f"values.{cell}" in notes.questions


@pytest.mark.parametrize("cell", ["#N/A", "NaN", "NULL", "unbekannt", "?"])
def test_recordings_of_nobody_are_not_of_one_patient(tmp_path: Path, cell: str) -> None:
    content, notes = sheet_of(tmp_path, f"video,patient,tonic\nV1,{cell},yes\nV2,{cell},no\nV3,P3,no\n")
    assert content is not None
    assert [each.patient_id for each in content.recordings] == ["P3"]
    assert len(notes.unused) == 2


def test_patients_that_a_spreadsheet_made_are_remarked(tmp_path: Path) -> None:
    _, notes = sheet_of(tmp_path, "video,patient,tonic\nV1,1E+05,yes\nV2,1E+05,no\n")
    assert any("'1E+05'" in remark for remark in notes.remarks)
