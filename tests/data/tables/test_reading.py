"""Reading recording sets: what is accepted, what is refused, and how it is said."""

import dataclasses
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from semiology.data.problems import Problem, RecordingSetError
from semiology.data.tables.cells import looks_dated
from semiology.data.tables.reading import read_folder, read_recording_set

Make = Callable[..., Path]


def recordings(*rows: str, header: str = "video_id,patient_id,video") -> str:
    return "\n".join([header, *rows]) + "\n"


def annotations(*rows: str, header: str = "video_id,feature,present,onset_s,offset_s") -> str:
    return "\n".join([header, *rows]) + "\n"


def problems_of(folder: Path) -> list[Problem]:
    return read_folder(folder).problems


def only(folder: Path) -> Problem:
    (problem,) = problems_of(folder)
    return problem


def test_a_valid_set_is_read_with_all_its_fields(make_set: Make) -> None:
    folder = make_set()
    found = read_recording_set(folder)
    assert (found.name, found.version, found.metadata["source"]) == ("little", "1", "made by hand")
    first = found.recording("P001_V01")
    assert first.video == folder / "videos" / "P001_V01.mp4"
    assert first.video.is_absolute()
    assert (first.patient_id, first.duration_s, first.diagnosis) == ("P001", 60.0, "ES")
    assert (first.split, first.fold, first.audio) == ("train", "1", None)
    tonic = found.annotation("P001_V01", "tonic")
    assert tonic is not None
    assert (tonic.present, tonic.onset_s, tonic.offset_s, tonic.side) == ("yes", 10.0, 20.5, "left")
    assert tonic.justification == "stiff, then relaxed"
    assert found.reports == {"P001_V01": "Stiffens, then\nrelaxes."}
    assert found.patients == ("P001", "P002")
    assert [item.video_id for item in found.recordings if item.patient_id == "P001"] == [
        "P001_V01",
        "P001_V02",
    ]


def test_a_pair_without_a_row_is_not_annotated_which_is_not_no(make_set: Make) -> None:
    found = read_recording_set(make_set())
    assert found.annotation("P002_V01", "tonic") is None
    assert [item.video_id for item in found.annotations_of("tonic")] == ["P001_V01", "P001_V02"]


def test_lookups_of_unknown_names_say_so(make_set: Make) -> None:
    found = read_recording_set(make_set())
    with pytest.raises(KeyError, match="no recording 'P009'"):
        found.recording("P009")
    with pytest.raises(KeyError, match="did you mean 'tonic'"):
        found.annotations_of("tonik")


@pytest.mark.parametrize(
    "dress",
    [
        lambda text: b"\xef\xbb\xbf" + text.encode(),
        lambda text: text.encode("utf-16"),
        lambda text: text.encode("utf-16-le"),
        lambda text: text.encode("utf-16-be"),
        lambda text: text.replace("\n", "\r\n").encode(),
        lambda text: text.replace("\n", "\r").encode(),
        lambda text: ("sep=,\n" + text).encode(),
        lambda text: text.replace("\n", "\n\n").encode(),
        lambda text: text.replace(",", " , ").replace(' "', '"').encode(),
        lambda text: text.replace("yes", "YES").replace("na,", "Na,").encode(),
        lambda text: text.replace("video_id,feature", "Video_ID,FEATURE").encode(),
        lambda text: text.replace(",left,", ",Left,").encode(),
    ],
    ids=[
        "bom", "utf-16", "utf-16-le", "utf-16-be", "windows line ends", "old macintosh line ends", "sep line",
        "empty lines", "blanks around cells", "case of yes", "case of columns", "case of left",
    ],
)  # fmt: skip
def test_the_ways_in_which_spreadsheets_save_a_table_give_the_same_set(
    make_set: Make, dress: Callable[[str], bytes]
) -> None:
    folder = make_set()
    plain = read_recording_set(folder)
    text = (folder / "annotations.csv").read_text().replace('"stiff, then relaxed"', "stiff")
    expected = tuple(
        dataclasses.replace(item, justification=item.justification and "stiff") for item in plain.annotations
    )
    assert read_recording_set(make_set(annotations=dress(text))).annotations == expected


@pytest.mark.parametrize("delimiter", [";", "\t"])
def test_other_delimiters_are_read_and_then_a_decimal_comma_is_clear(make_set: Make, delimiter: str) -> None:
    rows = annotations("P001_V01,tonic,yes,1.5,20").replace(",", delimiter).replace("1.5", "1,5")
    found = read_recording_set(make_set(annotations=rows))
    assert found.annotations[0].onset_s == 1.5


def test_a_decimal_comma_in_a_comma_table_is_refused(make_set: Make) -> None:
    problem = only(make_set(annotations=annotations('P001_V01,tonic,yes,"1,5",20')))
    assert "decimal comma" in problem.message
    assert problem.fix == "write 1.5"


def test_all_problems_are_reported_at_once_each_with_file_and_row(make_set: Make) -> None:
    bad_recordings = recordings("P001_V01,P001,videos/gone.mp4", "P001_V01,P002,videos/P002_V01.mp4")
    bad_annotations = annotations("P001_V01,tonik,yes,1,2", "", "P001_V01,tonic,maybe,5,2")
    with pytest.raises(RecordingSetError) as caught:
        read_recording_set(make_set(recordings=bad_recordings, annotations=bad_annotations))
    places = {(item.file, item.row) for item in caught.value.problems}
    assert places == {
        ("recordings.csv", 2), ("recordings.csv", 3), ("annotations.csv", 2), ("annotations.csv", 4),
    }  # fmt: skip
    assert str(caught.value).startswith("4 problems")
    assert all(item.fix for item in caught.value.problems)


def test_a_problem_prints_as_place_message_and_mend() -> None:
    problem = Problem("annotations.csv", 12, "unknown feature 'tonik'", "write tonic")
    assert str(problem) == "annotations.csv:12: unknown feature 'tonik' → write tonic"
    assert str(Problem("dataset.yaml", None, "is missing", "make it")).startswith("dataset.yaml: is missing")


@pytest.mark.parametrize(
    ("row", "message", "fix"),
    [
        ("P001_V01,tonik,yes,1,2", "did you mean 'tonic'", "feature names"),
        ("P001_V01,Tonic,yes,1,2", "did you mean 'tonic'", "feature names"),
        ("P001_V01,tonic,y,1,2", "did you mean 'yes'", "yes or no or na"),
        ("P001_V01,tonic,N/A,1,2", "did you mean 'na'", "yes or no or na"),
        ("P001_V01,tonic,0,1,2", "did you mean 'no'", "yes or no or na"),
        ("P001_V01,tonic,,1,2", "present: is empty", "delete the row"),
        ("P001_V01,tonic,yes,5,2", "offset_s 2 is before onset_s 5", "start of the video"),
        ("P001_V01,tonic,yes,60,", "beyond the end of the video (60 s)", "seconds"),
        ("P001_V01,tonic,yes,1,61.5", "offset_s 61.5 is beyond the end", "seconds"),
        ("P001_V01,tonic,yes,-1,2", "before the start", "0 or more"),
        ("P001_V01,tonic,yes,nan,2", "not a plain number", "12.5"),
        ("P001_V01,tonic,yes,inf,2", "not a plain number", "12.5"),
        ("P001_V01,tonic,yes,1e1,", "not a plain number", "12.5"),
        ("P001_V01,tonic,yes,01:23,", "clock time", "write 83 if this is MM:SS"),
        ("P001_V01,tonic,yes,0:01:23,", "clock time", "write 83 if this is H:MM:SS"),
        ("P001_V01,tonic,yes,12 s,20", "has a unit", "write 12"),
        ("P001_V01,tonic,yes,early,20", "not a number", "12.5"),
        ("P001_V9,tonic,yes,1,2", "not in recordings.csv; did you mean 'P001_V0", "correct the id"),
        ("=1+1,tonic,yes,1,2", "spreadsheet formula", "apostrophe"),
        ("P001_V01,tonic,yes,1,2,3", "has 6 cells, the header has 5", "double quotes"),
        ('P001_V01,tonic,yes,1,"2', "quotation marks", "CSV UTF-8"),
    ],
)
def test_a_bad_annotation_is_named_with_its_mend(make_set: Make, row: str, message: str, fix: str) -> None:
    found = problems_of(make_set(annotations=annotations("P002_V01,clonic,no", row), reports=None))
    assert {problem.row for problem in found} == {3}
    assert any(message in problem.message and fix in problem.fix for problem in found), found


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("P3,P003,videos/gone.mp4", "does not exist"),
        ("P3,P003,videos/p001_v01.MP4", "does not exist"),
        ("P3,P003,videos", "does not exist"),
        ("P3,P003,../secret.mp4", "leaves the folder"),
        ("P3,P003,videos/../../secret.mp4", "leaves the folder"),
        ("P3,P003,/etc/passwd", "absolute path"),
        ("P3,P003,C:\\videos\\a.mp4", "absolute path"),
        ("P3,P003,https://host/a.mp4", "web address"),
        ("P3,P003,", "video: is empty"),
        (f"P3,P003,{'a' * 300}.mp4", "is no file name"),
        ("p001_v01,P003,videos/P002_V01.mp4", "already in row 2"),
        ("P3,P003,videos/P001_V01.mp4", "already used in row 2"),
        ("Jane Doe,P003,videos/P002_V01.mp4", "no opaque id"),
        ("A@1,P003,videos/P002_V01.mp4", "no opaque id"),
        ("P3,,videos/P002_V01.mp4", "patient_id: is empty"),
    ],
)
def test_a_bad_recording_is_named_in_its_row(make_set: Make, row: str, message: str) -> None:
    table = recordings("P001_V01,P001,videos/P001_V01.mp4", row)
    problem = only(make_set(recordings=table, annotations=annotations("P001_V01,tonic,no"), reports=None))
    assert problem.row == 3
    assert message in problem.message


def test_a_video_whose_name_differs_in_case_is_suggested(make_set: Make) -> None:
    table = recordings("P001_V01,P001,videos/p001_v01.mp4")
    problem = only(make_set(recordings=table, annotations=annotations("P001_V01,tonic,no")))
    assert "'P001_V01.mp4'" in problem.fix
    assert "large and small letters" in problem.fix


def test_windows_path_separators_are_understood(make_set: Make) -> None:
    table = recordings("P001_V01,P001,videos\\P001_V01.mp4")
    folder = make_set(recordings=table, annotations=annotations("P001_V01,tonic,no"))
    assert read_recording_set(folder).recordings[0].video == folder / "videos" / "P001_V01.mp4"


@pytest.mark.parametrize(("column", "one", "other"), [("split", "train", "test"), ("fold", "a", "b")])
def test_a_patient_in_two_splits_or_folds_is_refused(
    make_set: Make, column: str, one: str, other: str
) -> None:
    rows = (f"P001_V01,P001,videos/P001_V01.mp4,{one}", f"P001_V02,P001,videos/P001_V02.mp4,{other}")
    table = recordings(*rows, header=f"video_id,patient_id,video,{column}")
    problem = only(make_set(recordings=table, annotations=annotations("P001_V01,tonic,no")))
    assert (problem.row, f"in {column} {other!r}" in problem.message) == (3, True)


def test_splits_are_read_in_any_spelling_and_unknown_ones_are_told_with_their_row(make_set: Make) -> None:
    names = ["Train", "TEST set", "hold-out", "Validation", "Confirmatory", ""]
    rows = [f"P{n}_V1,P{n},videos/P001_V01.mp4,{name}" for n, name in enumerate(names)]
    header = "video_id,patient_id,video,split"
    marked = annotations("P0_V1,tonic,no")
    found = read_folder(make_set(recordings=recordings(*rows, header=header), annotations=marked))
    splits = [recording.split for _, recording in found.recordings]
    assert splits == ["train", "test", "test", "dev", "confirm", None]
    (warned,) = [each for each in found.warnings if "without a split" in each.message]
    assert (warned.file, warned.row) == ("recordings.csv", 7)
    wrong = recordings(rows[0], "P9_V1,P9,videos/P001_V02.mp4,confrim", header=header)
    problem = next(each for each in problems_of(make_set(recordings=wrong)) if "split" in each.message)
    assert (problem.file, problem.row) == ("recordings.csv", 3)
    assert "'confrim' is no split; did you mean 'confirm'" in problem.message
    assert problem.fix.startswith("write train, dev, test or confirm")


def test_a_recording_without_a_fold_does_not_clash_with_its_patients_fold(make_set: Make) -> None:
    rows = ("P001_V01,P001,videos/P001_V01.mp4,1", "P001_V02,P001,videos/P001_V02.mp4,")
    table = recordings(*rows, header="video_id,patient_id,video,fold")
    assert not problems_of(make_set(recordings=table, annotations=annotations("P001_V01,tonic,no")))


@pytest.mark.parametrize(
    ("second", "message"),
    [
        ("P001_V01,tonic,yes,1,2", "repeats row 2"),
        ("P001_V01,tonic,no,1,2", "says 'no', row 2 says 'yes'"),
        ("P001_V01,tonic,yes,30,40", "other details than row 2"),
    ],
)
def test_a_repeated_annotation_is_refused(make_set: Make, second: str, message: str) -> None:
    problem = only(make_set(annotations=annotations("P001_V01,tonic,yes,1,2", second)))
    assert problem.row == 3
    assert message in problem.message


def test_a_no_may_carry_the_times_of_what_was_looked_at(make_set: Make) -> None:
    found = read_recording_set(make_set(annotations=annotations("P001_V01,tonic,no,1,2")))
    assert found.annotations[0].onset_s == 1


def test_a_misspelt_column_is_a_problem_and_an_extra_column_a_warning(make_set: Make) -> None:
    header = "video_id,feature,present,onset,rater"
    reading = read_folder(make_set(annotations=annotations("P001_V01,tonic,yes,1,me", header=header)))
    assert [problem.message for problem in reading.problems] == [
        "unknown column 'onset'; did you mean 'onset_s'?"
    ]
    assert any("'rater' is not used" in warning.message for warning in reading.warnings)


def test_missing_and_repeated_columns_are_named(make_set: Make) -> None:
    found = problems_of(make_set(annotations="video_id,feature,feature\nP001_V01,tonic,tonic\n"))
    assert {problem.message for problem in found} == {
        "the column 'present' is missing", "column 'feature' occurs twice",
    }  # fmt: skip


def test_recordings_and_features_without_annotation_are_counted_not_refused(make_set: Make) -> None:
    reading = read_folder(make_set(annotations=annotations("P001_V01,tonic,no"), reports=None))
    assert reading.recording_set is not None
    text = " ".join(warning.message for warning in reading.warnings)
    assert "2 of 3 recordings have no annotation (P001_V02, P002_V01)" in text
    assert "19 of 20 features" in text


def test_an_empty_folder_a_missing_folder_and_missing_files_are_named(make_set: Make, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    assert "folder is empty" in only(tmp_path / "empty").message
    assert "is not a folder" in only(tmp_path / "nowhere").message
    found = problems_of(make_set(annotations=None, dataset=None, reports=None))
    assert [(problem.file, problem.message) for problem in found] == [
        ("annotations.csv", "is missing"), ("dataset.yaml", "is missing"),
    ]  # fmt: skip


def test_a_spreadsheet_file_is_told_how_to_be_saved(make_set: Make) -> None:
    folder = make_set(annotations=None)
    (folder / "annotations.xlsx").write_bytes(b"PK\x03\x04")
    assert "there is 'annotations.xlsx'" in only(folder).fix
    (folder / "annotations.csv").write_bytes(b"PK\x03\x04")
    assert "spreadsheet file" in only(folder).message


def test_text_in_another_encoding_is_refused_with_its_line(make_set: Make) -> None:
    text = annotations("P001_V01,tonic,no") + "P002_V01,tonic,ja\u00e9\n"
    problem = only(make_set(annotations=text.encode("latin-1")))
    assert (problem.row, "UTF-8" in problem.message) == (3, True)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("name: x\n", "'version'"),
        ("name: [", "not valid YAML"),
        ("- a\n", "no 'key: value'"),
        ("", "no 'key"),
        ("name: [a]\nversion: 1\n", "or a list"),
        ("name: x\nversion: 2021-13-45\n", "not valid"),
        ("name: x\nversion: 1\nsimulatted: true\n", "did you mean 'simulated'"),
        ("name: x\nversion: 1\nSimulated: true\n", "did you mean 'simulated'"),
        ("name: x\nversion: 1\nsimulated: 'yes, all'\n", "true or false"),
    ],
)
def test_a_bad_dataset_yaml_is_named(make_set: Make, text: str, message: str) -> None:
    assert message in only(make_set(dataset=text)).message


@pytest.mark.parametrize("end", [6, 9, 12])
def test_a_table_that_ends_in_the_middle_of_a_row_was_cut_off(make_set: Make, end: int) -> None:
    whole = annotations("P001_V01,tonic,yes,1,2", "P001_V02,tonic,no,,", "P002_V01,tonic,yes,10.25,20.5")
    assert not problems_of(make_set(annotations=whole.rstrip("\n")))
    assert "3 rows read" in read_folder(make_set(annotations=whole.rstrip("\n"))).warnings[0].message
    problem = problems_of(make_set(annotations=whole[:-end]))[0]
    assert (problem.row, "cut off" in problem.message) == (4, True)


def test_rows_that_all_leave_out_their_last_cells_are_whole(make_set: Make) -> None:
    short = annotations("P001_V01,tonic,yes", "P001_V02,tonic,no").rstrip("\n")
    assert not problems_of(make_set(annotations=short))


def test_the_row_of_a_problem_counts_cells_with_line_breaks_as_one_row(make_set: Make) -> None:
    header = "video_id,feature,present,justification"
    rows = annotations('P001_V01,tonic,no,"two\nlines"', "P001_V01,clonic,perhaps,", header=header)
    assert only(make_set(annotations=rows)).row == 3


def test_dates_in_names_are_warned_about(make_set: Make) -> None:
    folder = make_set(
        recordings=recordings("A-5-13-2021,P001,videos/P001_V01.mp4"), annotations=None, reports=None
    )
    (folder / "annotations.csv").write_text(annotations("A-5-13-2021,tonic,no"))
    assert any("date in an id" in warning.message for warning in read_folder(folder).warnings)


def test_media_may_be_absent_where_only_annotations_are_wanted(make_set: Make) -> None:
    folder = make_set()
    (folder / "videos" / "P001_V01.mp4").unlink()
    with pytest.raises(RecordingSetError, match="does not exist"):
        read_recording_set(folder)
    assert len(read_recording_set(folder, require_media=False).recordings) == 3


@settings(max_examples=70, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    content=st.binary(max_size=200)
    | st.text("videoP01_,\n\r;\t\"'=.:-yesnoaftic ", max_size=200).map(str.encode)
)
def test_no_content_of_a_table_crashes_the_reading(make_set: Make, content: bytes) -> None:
    header = b"video_id,feature,present,onset_s,offset_s,side,justification\n"
    for annotations_file in (content, header + content):
        reading = read_folder(make_set(annotations=annotations_file, reports=content))
        assert (reading.recording_set is None) == bool(reading.problems)
        assert all(problem.message and problem.fix for problem in reading.problems)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(content=st.binary(max_size=100) | st.text("videoP01_,/\\.:~mp4\n ", max_size=200).map(str.encode))
def test_no_content_of_the_other_files_crashes_the_reading(make_set: Make, content: bytes) -> None:
    header = b"video_id,patient_id,video,audio,duration_s,diagnosis,split,fold\n"
    reading = read_folder(make_set(recordings=header + content, dataset=content))
    assert (reading.recording_set is None) == bool(reading.problems)


@pytest.mark.parametrize(
    ("name", "dated"),
    [
        ("A-5-13-2021", True), ("x2021-05-13y", True), ("v20210513", True), ("5.13.21", True),
        ("P001_V01", False), ("P200112", False), ("sub_01_02_03", False), ("E01", False),
    ],
)  # fmt: skip
def test_calendar_dates_in_names_are_recognised(name: str, dated: bool) -> None:
    assert looks_dated(name) is dated
