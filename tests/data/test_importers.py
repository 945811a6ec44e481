"""Importing published annotation layouts: every cell is used or accounted for."""

import csv
from collections import Counter
from pathlib import Path

import pytest

from semiology.data.importers.outcome import ImportOutcome, write_outcome
from semiology.data.importers.published import load_embc_published, load_s3_published
from semiology.data.importers.repository import EMBC, S3, import_repository
from semiology.data.importers.wide import parse_clock
from semiology.data.problems import RecordingSetError
from semiology.data.recording_set import Annotation
from semiology.data.tables.cells import CellError
from semiology.data.tables.reading import read_folder, read_recording_set
from semiology.features import FEATURES

SHARED = Path(__file__).parents[3] / "shared"
NAMES = (
    "A0002@5-13-2021@UA66LK@sz_v1_1.mp4",
    "A0002@5-14-2021@UA66LK@sz_v2.mp4",
    "B0007@1-2-2020@XX1@nes_v1.mp4",
)


def wide_row(name: str, **cells: str) -> dict[str, str]:
    row = {"file_name": name}
    for feature in FEATURES:
        row |= {feature: "no", f"start_time_for_{feature}": "N/A", f"end_time_for_{feature}": "N/A"}
        row[f"justification_for_{feature}"] = ""
    return row | cells


def write_csv(path: Path, rows: list[dict[str, str]], encoding: str = "utf-8-sig") -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="", encoding=encoding) as stream:
        writer = csv.DictWriter(stream, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """Wide tables of three recordings in the form of the public repository."""
    folder = tmp_path / "ground_truth"
    first = wide_row(
        NAMES[0],
        tonic="yes", start_time_for_tonic="00:34:00", end_time_for_tonic="01:02:00",
        justification_for_tonic="stiff", clonic="YES", start_time_for_clonic="0:01:23",
        end_time_for_clonic="01:40", verbal_responsiveness="NA", head_turning="yes",
    )  # fmt: skip
    write_csv(folder / "task12_annotation.csv", [first, wide_row(NAMES[1]), wide_row(NAMES[2], tonic="")])
    sides = {"left_right_head_turning": "right ", "start_time_for_left_right_head_turning": "00:05:00",
             "end_time_for_left_right_head_turning": "00:09:00", "left_right_arm_movement": "N/A",
             "body_region_onset": "left arm"}  # fmt: skip
    write_csv(folder / "task3_annotation.csv", [{"file_name": NAMES[0], **sides}])
    write_csv(folder / "task6_annotation.csv", [{"file_name": NAMES[2], "report": "Shakes.\nStops."}])
    labels = [(NAMES[0], "ES"), (NAMES[1], "Sample"), (NAMES[2], "NES"), ("C1@x@y@sz_v1.mp4", "ES")]
    write_csv(
        folder / "task7_annotation.csv", [{"file_name": name, "label": label} for name, label in labels]
    )
    write_csv(
        folder / "all_folds.csv", [{"file_name": NAMES[0], "fold": "0"}, {"file_name": NAMES[2], "fold": "3"}]
    )
    write_csv(folder / "task5_annotation.csv", [{"file_name": NAMES[0], "sequence": "tonic, clonic"}])
    return folder


def id_of(outcome: ImportOutcome, name: str) -> str:
    return next(video_id for video_id, source in outcome.source_names.items() if source == name)


def pick(outcome: ImportOutcome, name: str, feature: str) -> Annotation:
    video_id = id_of(outcome, name)
    return next(item for item in outcome.annotations if (item.video_id, item.feature) == (video_id, feature))


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("02:25:00", 145), ("00:34:00", 34), ("12:05:00", 725), ("61:00:00", 3660), ("0:01:23", 83),
        ("00:01:23", 83), ("01:40", 100), ("1:40", 100), ("34", 34), ("34.5", 34.5), ("0", 0),
        ("00:00:00", 0), ("0:00:00", 0),
    ],
)  # fmt: skip
def test_a_published_time_is_read_by_the_rule(text: str, seconds: float) -> None:
    time = parse_clock(text)
    assert time is not None
    assert (time.seconds, time.doubt) == (seconds, None)


@pytest.mark.parametrize("text", ["", "N/A", "NA", "nan", "None", "-", " "])
def test_a_time_may_be_absent(text: str) -> None:
    assert parse_clock(text) is None


@pytest.mark.parametrize(("text", "seconds"), [("0:34:00", 34), ("1:02:00", 62)])
def test_a_one_digit_group_before_an_empty_one_is_read_but_doubted(text: str, seconds: float) -> None:
    time = parse_clock(text)
    assert time is not None
    assert time.seconds == seconds
    assert "as H:MM:SS it would be" in str(time.doubt)


def test_one_digit_before_two_filled_groups_is_read_as_hours_but_doubted() -> None:
    time = parse_clock("1:02:03")
    assert time is not None
    assert time.seconds == 3723
    assert "H:MM:SS" in str(time.doubt)


@pytest.mark.parametrize("text", ["02:25:30", "00:61:00", "00:10:75", "0.0004", "early", "-3", "1:2:3:4"])
def test_a_time_without_a_safe_reading_is_refused(text: str) -> None:
    with pytest.raises(CellError):
        parse_clock(text)


def test_the_wide_tables_become_a_recording_set(repository: Path) -> None:
    outcome = import_repository(S3, repository)
    assert (len(outcome.recordings), outcome.patients, len(outcome.annotations)) == (3, 2, 59)
    tonic = pick(outcome, NAMES[0], "tonic")
    assert (tonic.present, tonic.onset_s, tonic.offset_s, tonic.justification) == ("yes", 34, 62, "stiff")
    clonic = pick(outcome, NAMES[0], "clonic")
    assert (clonic.present, clonic.onset_s, clonic.offset_s, clonic.justification) == ("yes", 83, 100, None)
    assert pick(outcome, NAMES[0], "verbal_responsiveness").present == "na"
    assert pick(outcome, NAMES[0], "head_turning").side == "right"
    assert outcome.reports == {id_of(outcome, NAMES[2]): "Shakes.\nStops."}


def test_an_empty_cell_is_not_annotated(repository: Path) -> None:
    outcome = import_repository(S3, repository)
    with pytest.raises(StopIteration):
        pick(outcome, NAMES[2], "tonic")


def test_diagnosis_fold_and_split_follow_the_side_tables(repository: Path) -> None:
    outcome = import_repository(S3, repository)
    found = {recording.video_id: recording for recording in outcome.recordings}
    rows = [found[id_of(outcome, name)] for name in NAMES]
    assert [row.diagnosis for row in rows] == ["ES", None, "NES"]
    assert [row.fold for row in rows] == ["0", None, "3"]
    assert [row.split for row in rows] == ["test", "test", "train"]
    assert len({row.patient_id for row in rows[:2]}) == 1


def test_without_a_label_table_the_file_name_tells_the_diagnosis(repository: Path) -> None:
    outcome = import_repository(EMBC, repository / "task12_annotation.csv")
    found = {recording.video_id: recording.diagnosis for recording in outcome.recordings}
    assert [found[id_of(outcome, name)] for name in NAMES] == ["ES", "ES", "NES"]


def test_ids_are_opaque_and_the_same_for_the_same_seed(repository: Path, tmp_path: Path) -> None:
    first, again = import_repository(S3, repository), import_repository(S3, repository)
    assert first == again
    write_outcome(first, tmp_path / "set")
    written = "".join(path.read_text() for path in (tmp_path / "set").iterdir())
    assert not any(part in written for name in NAMES for part in name.split("@")[:3])
    assert {item.patient_id for item in first.recordings} == {"P001", "P002"}


def test_files_and_rows_that_are_not_used_are_told(repository: Path) -> None:
    outcome = import_repository(S3, repository)
    assert [(item.file, item.row, item.message) for item in outcome.unused] == [
        ("task7_annotation.csv", 5, "its file_name matches no annotated video")
    ]
    notes = " ".join(outcome.notes)
    assert "files not imported: task5_annotation.csv" in notes
    assert "1 sample clips" in notes


@pytest.mark.parametrize(
    ("cells", "message"),
    [
        ({"tonic": "maybe"}, "tonic: 'maybe' is neither yes, no nor NA"),
        ({"tonic": "yess"}, "tonic: 'yess' is neither"),
        ({"tonic": "", "start_time_for_tonic": "00:10"}, "tonic: has times or a justification"),
        ({"start_time_for_tonic": "02:03:04"}, "start_time_for_tonic: '02:03:04' is ambiguous"),
        (
            {"start_time_for_tonic": "00:10", "end_time_for_tonic": "00:05"},
            "tonic: ends (00:05) before it starts (00:10)",
        ),
        ({"file_name": ""}, "no file_name"),
        ({"file_name": "seizure.mp4"}, "tells no patient"),
        ({"file_name": NAMES[0].upper()}, "about the same file as row 2, but differs"),
    ],
)
def test_a_value_that_cannot_be_used_is_listed_with_its_row(
    tmp_path: Path, cells: dict[str, str], message: str
) -> None:
    write_csv(tmp_path / "a.csv", [wide_row(NAMES[0]), wide_row(NAMES[2], **{"clonic": "yes", **cells})])
    (problem,) = import_repository(S3, tmp_path).unused
    assert problem.row == 3
    assert message in problem.message


def test_a_doubtful_time_is_used_and_listed(tmp_path: Path) -> None:
    write_csv(tmp_path / "a.csv", [wide_row(NAMES[0], tonic="yes", start_time_for_tonic="0:34:00")])
    outcome = import_repository(S3, tmp_path)
    assert pick(outcome, NAMES[0], "tonic").onset_s == 34
    assert [item.row for item in outcome.doubts] == [2]


def test_column_spellings_are_tolerated_and_others_are_told(tmp_path: Path) -> None:
    row = {"File Name": NAMES[0], "Arm Extension": "yes", "Figure-4": "no", "tonic": "no"}
    row |= {"Start_Time_For_Tonic": "", "tonik": "yes", "gender": "x"}
    write_csv(tmp_path / "a.csv", [row])
    outcome = import_repository(EMBC, tmp_path / "a.csv")
    assert Counter(item.feature for item in outcome.annotations) == {
        "arm_straightening": 1,
        "figure4": 1,
        "tonic": 1,
    }
    assert "tonik; did you mean 'tonic'?, gender" in outcome.notes[0]
    assert "no column for" in outcome.notes[1]


def test_a_source_without_or_with_several_annotation_tables_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RecordingSetError, match="no table with the column 'file_name'"):
        import_repository(S3, tmp_path)
    for name in ("a.csv", "b.csv"):
        write_csv(tmp_path / name, [wide_row(NAMES[0])])
    with pytest.raises(RecordingSetError, match="several tables would do"):
        import_repository(S3, tmp_path)
    with pytest.raises(RecordingSetError, match="does not exist"):
        import_repository(S3, tmp_path / "nowhere")


def test_videos_are_linked_under_their_opaque_names(repository: Path, tmp_path: Path) -> None:
    media = tmp_path / "media"
    media.mkdir()
    (media / NAMES[0].replace(".mp4", ".MOV")).write_bytes(b"film")
    outcome = import_repository(S3, repository, directory=tmp_path / "set")
    assert write_outcome(outcome, tmp_path / "set", media) == 1
    found = read_recording_set(tmp_path / "set", require_media=False)
    recording = found.recording(id_of(outcome, NAMES[0]))
    assert recording.video.name == f"{recording.video_id}.mov"
    assert recording.video.read_bytes() == b"film"
    assert sum("does not exist" in item.message for item in read_folder(tmp_path / "set").problems) == 2


def test_what_was_imported_is_read_back(repository: Path, tmp_path: Path) -> None:
    outcome = import_repository(S3, repository, directory=tmp_path / "set")
    write_outcome(outcome, tmp_path / "set")
    found = read_recording_set(tmp_path / "set", require_media=False)
    assert (found.recordings, found.annotations) == (outcome.recordings, outcome.annotations)
    assert found.reports == outcome.reports
    (row,) = csv.DictReader((tmp_path / "set" / "laterality.csv").open())
    assert (row["head_turning_side"], row["head_turning_start_s"], row["onset_region"]) == (
        "right",
        "5",
        "left arm",
    )


@pytest.fixture
def s3_published() -> Path:
    if not (SHARED / "s3_published").is_dir():
        pytest.skip("the published S3 tables are not beside the repository")
    return SHARED / "s3_published"


def test_the_published_s3_tables_are_loaded_whole_and_survive_a_round_trip(
    s3_published: Path, tmp_path: Path
) -> None:
    outcome = load_s3_published(s3_published, destination=tmp_path / "set")
    assert (len(outcome.recordings), outcome.patients, len(outcome.annotations)) == (438, 116, 8760)
    assert Counter(item.present for item in outcome.annotations) == {"no": 6631, "yes": 1900, "na": 229}
    assert Counter(item.diagnosis for item in outcome.recordings) == {"ES": 294, "NES": 138, None: 6}
    assert Counter(item.split for item in outcome.recordings) == {"train": 352, "test": 86}
    assert Counter(item.side for item in outcome.annotations if item.side) == {"right": 71, "left": 59}
    assert len(outcome.reports) == 438
    assert sorted(item.message.split(" is ")[0] for item in outcome.unused) == [
        "onset_region: 'amrs'", "onset_region: 'leg'",
    ]  # fmt: skip
    write_outcome(outcome, tmp_path / "set")
    found = read_recording_set(tmp_path / "set", require_media=False)
    assert (found.recordings, found.annotations) == (outcome.recordings, outcome.annotations)
    assert found.reports == outcome.reports


def test_the_published_embc_labels_are_loaded_whole_and_survive_a_round_trip(tmp_path: Path) -> None:
    source = SHARED / "embc_published"
    if not source.is_dir():
        pytest.skip("the published EMBC labels are not beside the repository")
    outcome = load_embc_published(source, destination=tmp_path / "set")
    assert (len(outcome.recordings), outcome.patients, len(outcome.annotations)) == (90, 29, 1800 - 50)
    assert Counter(item.diagnosis for item in outcome.recordings) == {"ES": 45, "NES": 45}
    present = Counter(item.feature for item in outcome.annotations if item.present == "yes")
    assert (present["arm_flexion"], present["figure4"], present["ictal_vocalization"]) == (51, 8, 53)
    write_outcome(outcome, tmp_path / "set")
    found = read_recording_set(tmp_path / "set", require_media=False)
    assert found.annotation(outcome.recordings[0].video_id, "tonic") is not None
    assert (found.recordings, found.annotations) == (outcome.recordings, outcome.annotations)


def test_a_table_of_another_form_is_refused(tmp_path: Path) -> None:
    (tmp_path / "annotations.csv").write_text("event_id,tonic\nE01,1\n")
    with pytest.raises(RecordingSetError, match="are missing"):
        load_embc_published(tmp_path)
    with pytest.raises(RecordingSetError, match="is missing in"):
        load_s3_published(tmp_path)
