from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner

from semiology.cli import app
from semiology.data.importers.outcome import write_outcome
from semiology.data.importers.published import load_s3_published
from semiology.data.problems import RecordingSetError
from semiology.data.tables.reading import read_recording_set
from semiology.optimization.folds.draw import FoldError, draw_folds, folds_of
from semiology.optimization.folds.tables import read_folds, write_folds

MakeSet = Callable[..., Path]


def test_folds_are_written_and_nothing_else_changes(make_set: MakeSet) -> None:
    folder = make_set(12, extra=',"7, ""east"""')
    before = read_recording_set(folder, require_media=False)
    text = (folder / "recordings.csv").read_text()
    folds = draw_folds(before, 3)
    assert write_folds(folder, folds) == sum(item.split == "train" for item in before.recordings)
    after = read_recording_set(folder, require_media=False)
    assert folds_of(after) == folds
    # every line is the old line and the fold
    lines = (folder / "recordings.csv").read_text().splitlines()
    assert [line.rsplit(",", 1)[0] for line in lines] == text.splitlines()
    assert lines[0].endswith(",room,fold")


@pytest.mark.parametrize("delimiter", [";", "\t"])
def test_the_delimiter_of_the_set_is_kept(make_set: MakeSet, delimiter: str) -> None:
    folder = make_set(12, extra=delimiter + '"7, east"')
    path = folder / "recordings.csv"
    head, *lines = path.read_text().splitlines()
    bare = [line.removesuffix(f'{delimiter}"7, east"').replace(",", delimiter) for line in lines]
    path.write_text(
        "\n".join([head.replace(",", delimiter), *(f"{b}{delimiter}7, east" for b in bare)]) + "\n"
    )
    text = path.read_text()
    folds = draw_folds(read_recording_set(folder, require_media=False), 3)
    write_folds(folder, folds)
    written = path.read_text().splitlines()
    assert [line.rsplit(delimiter, 1)[0] for line in written] == text.splitlines()
    assert folds_of(read_recording_set(folder, require_media=False)) == folds


def test_folds_that_are_there_are_kept_unless_told(make_set: MakeSet) -> None:
    folder = make_set(12)
    recording_set = read_recording_set(folder, require_media=False)
    folds = draw_folds(recording_set, 3)
    write_folds(folder, folds)
    write_folds(folder, folds)  # the same again is fine
    other = draw_folds(recording_set, 4)
    with pytest.raises(FoldError, match="--replace"):
        write_folds(folder, other)
    write_folds(folder, other, replace=True)
    assert folds_of(read_recording_set(folder, require_media=False)) == other


def test_a_set_with_a_patient_in_two_folds_is_refused(make_set: MakeSet) -> None:
    folder = make_set(6)
    path = folder / "recordings.csv"
    lines = path.read_text().splitlines()
    lines = [lines[0] + ",fold", *(f"{line},{i % 2}" for i, line in enumerate(lines[1:]))]
    path.write_text("\n".join(lines) + "\n")
    with pytest.raises(RecordingSetError, match="put all recordings of a patient in one fold"):
        write_folds(folder, {"P000": "0"}, replace=True)
    assert path.read_text().splitlines() == lines


def test_a_patient_of_another_set_is_refused(make_set: MakeSet) -> None:
    with pytest.raises(FoldError, match="'P999' is not in"):
        write_folds(make_set(6), {"P999": "0"})


def test_a_table_by_patient_or_by_recording_is_read(make_set: MakeSet, tmp_path: Path) -> None:
    recording_set = read_recording_set(make_set(3), require_media=False)
    by_patient = tmp_path / "patients.csv"
    by_patient.write_text("patient_id,fold\nP000,a\nP001,b\nP777,a\n")
    folds, notes = read_folds(by_patient, recording_set)
    assert folds == {"P000": "a", "P001": "b"}
    assert tuple(notes) == (
        "1 patient without a fold: P002",
        "patients.csv: 1 row about nobody in this set: P777",
    )
    by_video = tmp_path / "videos.csv"
    by_video.write_text("video_id;fold\n" + "".join(f"P00{i}_V00;{i}\n" for i in range(3)))
    folds, notes = read_folds(by_video, recording_set)
    assert folds == {"P000": "0", "P001": "1", "P002": "2"}
    others = len(recording_set.recordings) - 3
    assert notes[0].startswith(f"{others} recordings without a fold took that of the patient")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("name,fold\nP000,1\n", "give a table with the columns video_id"),
        ("patient_id,group\nP000,1\n", "give a table with the columns video_id"),
        ("patient_id,fold\nX,1\n", "give the table that belongs to this set"),
        ("patient_id,fold\nP000,1\nP000,2\n", "folds.csv:3: patient 'P000' is in fold '2', in row 2 in '1'"),
    ],
)
def test_a_table_that_does_not_fit_is_refused(
    text: str, message: str, make_set: MakeSet, tmp_path: Path
) -> None:
    table = tmp_path / "folds.csv"
    table.write_text(text)
    with pytest.raises(RecordingSetError, match=message):
        read_folds(table, read_recording_set(make_set(3), require_media=False))


def test_the_published_five_folds_import(shared: Path, tmp_path: Path) -> None:
    write_outcome(load_s3_published(shared / "s3_published", destination=tmp_path), tmp_path)
    recording_set = read_recording_set(tmp_path, require_media=False)
    folds, notes = read_folds(shared / "s3_published" / "ground_truth" / "videos.csv.gz", recording_set)
    assert Counter(folds.values()) == {"0": 24, "1": 24, "2": 24, "3": 21, "4": 23}
    assert notes[0].startswith("6 recordings without a fold took that of the patient")
    test = {item.patient_id for item in recording_set.recordings if item.split == "test"}
    assert {patient for patient, fold in folds.items() if fold == "0"} == test
    assert write_folds(tmp_path, folds) == 438
    assert Counter(item.fold for item in read_recording_set(tmp_path, require_media=False).recordings) == {
        "0": 86,
        "1": 90,
        "2": 82,
        "3": 63,
        "4": 117,
    }


def test_the_command_draws_shows_and_writes(make_set: MakeSet) -> None:
    folder = make_set(12)
    shown = CliRunner().invoke(app, ["data", "folds", str(folder), "--folds", "3", "--dry-run"])
    assert shown.exit_code == 0, shown.output
    assert "nothing was written" in shown.output
    assert not folds_of(read_recording_set(folder, require_media=False))
    done = CliRunner().invoke(app, ["data", "folds", str(folder), "--folds", "3", "--json"])
    found = json.loads(done.output)
    assert found["written"] is True
    assert [each["fold"] for each in found["folds"]] == ["0", "1", "2"]
    assert set(folds_of(read_recording_set(folder, require_media=False)).values()) == {"0", "1", "2"}


def test_the_command_tells_every_fault_of_a_table(make_set: MakeSet, tmp_path: Path) -> None:
    table = tmp_path / "folds.csv"
    table.write_text("patient_id,fold\nP000,1\nP000,2\nP001,1\nP001,2\n")
    result = CliRunner().invoke(app, ["data", "folds", str(make_set(3)), "--table", str(table)])
    assert result.exit_code == 1
    assert "P000" in result.output
    assert "P001" in result.output


def test_the_help_shows_examples() -> None:
    result = CliRunner().invoke(app, ["data", "folds", "--help"])
    assert "semiology data folds my_emu" in result.output
