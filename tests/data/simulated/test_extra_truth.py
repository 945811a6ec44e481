"""Keypoints, face boxes, transcripts, sides and splits: more truth about the same pictures and sounds."""

from __future__ import annotations

import csv
import hashlib
import json
from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from semiology.data.check import check_recording_set
from semiology.data.simulated import simulate
from semiology.data.simulated import write as writing
from semiology.data.simulated.picture import pose_truth
from semiology.data.simulated.picture.body import caregiver_at
from semiology.data.simulated.picture.pose_truth import BODY_25, HIDDEN, body_25, face_boxes, openpose_json
from semiology.data.simulated.picture.render import KEYPOINTS, keypoints, render
from semiology.data.simulated.script.events import Event
from semiology.data.simulated.script.laterality import laterality_row, leading_arm, onset_region
from semiology.data.simulated.script.look import toned
from semiology.data.simulated.script.script import Script, draw_look, draw_script
from semiology.data.simulated.sound.sound import PHRASES, soundtrack
from semiology.data.simulated.sound.transcript import transcript, utterances
from semiology.data.simulated.sound.voice import RATE
from semiology.data.tables.laterality import LATERALITY_COLUMNS
from semiology.data.tables.reading import read_recording_set
from semiology.features import REGIONS

SMALL = {
    "patients": 3,
    "seed": 4,
    "recordings_per_patient": 1,
    "duration_s": (30.0, 31.0),
    "size": (128, 96),
    "fps": 5,
    "progress": False,
}
PARTS_2D = ("face_keypoints_2d", "hand_left_keypoints_2d", "hand_right_keypoints_2d")
PARTS_3D = tuple(f"{part}_keypoints_3d" for part in ("pose", "face", "hand_left", "hand_right"))
# Tables of generator 1.2, seed 5, 3 patients, 2 recordings, 30-32 s, 96x72, 10 fps (dataset.yaml: with its notes on
# onset_side and seizure_type).
FIRST_TABLES = {
    "annotations.csv": "d1468d49a6b03eac8d3e36805cf1d88c6c7c3cdbdda29dea1f138d66cc29d5fe",
    "reports.csv": "c81da959343ba1dc17430cbcbc6b0ef00ddefc0834cab8863a3f767a5c8f712a",
    "dataset.yaml": "fc3c042ace4970f5a0aea981603235d6e87bcd00450eaf2cbf1874d237b10661",
    "recordings.csv": "e004bc58f72c764cca4c0fc588d24e7090e796ce1e0d4c2f86c35077c11f3a4a",
}


def drawn(seed: int, duration_s: float = 40.0) -> Script:
    rng = np.random.default_rng(seed)
    return draw_script(rng, duration_s, draw_look(rng))


def first_script(wanted: Callable[[Script], bool]) -> Script:
    return next(script for script in map(drawn, range(2000)) if wanted(script))


def with_events(*events: Event) -> Script:
    return replace(drawn(0), events=events, asleep_until_s=0.0)


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


scripts = st.builds(drawn, st.integers(0, 2**32 - 1), st.floats(30, 120))


@pytest.fixture(scope="module")
def full(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("ward") / "full"
    simulate(directory, pose=True, test_share=0.34, **SMALL)
    return directory


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("ward") / "plain"
    simulate(directory, **SMALL)
    return directory


def test_the_first_tables_of_this_generator_version_stay_the_same_bytes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writing, "_make", lambda *_: None)
    simulate(
        tmp_path / "set", patients=3, seed=5, duration_s=(30.0, 32.0), size=(128, 96), fps=10, progress=False
    )
    assert writing.GENERATOR == "1.2", "a new version has new tables: write down their hashes here"
    for name, expected in FIRST_TABLES.items():
        text = (tmp_path / "set" / name).read_text(encoding="utf-8")
        if name == "recordings.csv":
            text = "".join(",".join(line.split(",")[:5]) + "\n" for line in text.splitlines())
        # the size they were first written with, too narrow for decord
        text = text.replace("128x96", "96x72").replace("  - 128\n  - 96\n", "  - 96\n  - 72\n")
        assert hashlib.sha256(text.encode()).hexdigest() == expected, name


def test_more_truth_changes_neither_pictures_nor_sound_nor_annotations(full: Path, plain: Path) -> None:
    for name in ("annotations.csv", "reports.csv", "laterality.csv"):
        assert (full / name).read_bytes() == (plain / name).read_bytes()
    for video in sorted((plain / "videos").iterdir()):
        assert (full / "videos" / video.name).read_bytes() == video.read_bytes()
    assert not (plain / "pose").exists()
    assert not (plain / "faces").exists()
    assert list(rows_of(plain / "recordings.csv")[0]) == [
        "video_id", "patient_id", "video", "duration_s", "diagnosis", "transcript", "onset_side",
        "seizure_type",
    ]  # fmt: skip
    assert "test_share" not in (plain / "dataset.yaml").read_text()
    assert "test_share: 0.34" in (full / "dataset.yaml").read_text()


def test_the_check_accepts_a_set_with_everything_in_it(full: Path) -> None:
    report = check_recording_set(full)
    assert report.ok, report.problems
    assert report.warnings == ()
    for recording in read_recording_set(full).recordings:
        assert recording.pose == full / "pose" / recording.video_id
        assert recording.transcript == full / "transcripts" / f"{recording.video_id}.csv"
        assert recording.split in {"train", "test"}


def test_every_frame_has_its_openpose_file_and_face_box(full: Path) -> None:
    for recording in read_recording_set(full).recordings:
        frames = round((recording.duration_s or 0) * 5)
        names = sorted(path.name for path in (full / "pose" / recording.video_id).iterdir())
        assert names == [f"{recording.video_id}_{i:012d}_keypoints.json" for i in range(frames)]
        boxes = rows_of(full / "faces" / f"{recording.video_id}.csv")
        assert [row["frame"] for row in boxes] == [str(i) for i in range(frames)]
        assert boxes[7]["time_s"] == "1.400"
        content = json.loads((full / "pose" / recording.video_id / names[-1]).read_text())
        assert set(content) == {"version", "people"}
        (person,) = content["people"]
        assert person["person_id"] == [-1]
        assert len(person["pose_keypoints_2d"]) == 75
        assert all(person[part] == [] for part in (*PARTS_2D, *PARTS_3D))
        assert set(person) == {"person_id", "pose_keypoints_2d", *PARTS_2D, *PARTS_3D}


def test_the_files_hold_the_positions_of_the_figure_in_pixels(full: Path) -> None:
    planned = {p.video_id: p.script for p in writing.plan(writing.Settings(3, 4, 1, (30.0, 31.0)))}
    for video_id, script in planned.items():
        for frame in (0, 61, 149):
            path = full / "pose" / video_id / f"{video_id}_{frame:012d}_keypoints.json"
            people = json.loads(path.read_text())["people"]
            listed = [np.array(person["pose_keypoints_2d"]).reshape(25, 3) for person in people]
            assert len(listed) == 1 + bool(caregiver_at(script, np.array([frame / 5]))[0, 1])
            # Who bends over whom: the patient's head is nearer the middle.
            found = min(listed, key=lambda person: abs(person[0, 0] - 48))
            truth = keypoints(script, np.array([frame / 5]), 128 / 96)[0] * (128, 96)
            for name, joint in (("LWrist", "l_wrist"), ("RShoulder", "r_shoulder"), ("Neck", "neck")):
                place = found[BODY_25.index(name)]
                if place[2]:
                    assert place[:2] == pytest.approx(truth[KEYPOINTS.index(joint)], abs=0.01)


@settings(max_examples=60, deadline=None)
@given(scripts, st.sampled_from([(640, 480), (1280, 720), (112, 84)]))
def test_a_keypoint_lies_in_the_picture_or_is_not_found(script: Script, size: tuple[int, int]) -> None:
    times = np.linspace(0, script.duration_s, 9)
    people = body_25(script, times, size)
    assert people.shape == (9, 25, 3)
    assert set(np.unique(people[..., 2])) <= {0.0, HIDDEN, 1.0}
    seen = people[people[..., 2] > 0]
    assert (seen[:, :2] >= 0).all()
    assert (seen[:, :2] < size).all()
    assert (people[people[..., 2] == 0] == 0).all()
    assert (people[:, BODY_25.index("LBigToe") :] == 0).all()
    boxes = face_boxes(script, times, size)
    kept = boxes[~np.isnan(boxes).any(axis=1)]
    assert (kept[:, :2] >= 0).all()
    assert (kept[:, :2] + kept[:, 2:] <= np.array(size) + 1e-9).all()


def test_skin_is_painted_at_the_wrists_and_noses_of_the_truth() -> None:
    size, agreed = (640, 480), []
    for seed in range(60):
        script = drawn(seed)
        if script.scene.infrared or script.of("caregiver"):
            continue
        times = np.array([0.5])
        picture = render(script, times, size)[0].astype(float)
        for name, factor in (("LWrist", 1.0), ("RWrist", 1.0), ("Nose", 0.74)):
            x, y, confidence = body_25(script, times, size)[0, BODY_25.index(name)]
            if confidence < 1 or not (3 < x < 636 and 3 < y < 476):
                continue
            patch = picture[int(y) - 1 : int(y) + 2, int(x) - 1 : int(x) + 2].mean(axis=(0, 1))
            wanted = np.array(toned(script.look.skin, script.scene, factor))
            agreed.append(np.abs(patch - wanted).max() < 16)
    assert len(agreed) > 45
    assert np.mean(agreed) > 0.95


def test_the_right_eye_of_the_truth_is_where_the_right_eye_shuts() -> None:
    script = first_script(
        lambda s: s.side("face_pulling") == "right" and not s.of("tonic", "caregiver", "scratch")
    )
    event = script.of("face_pulling")[0]
    times = np.array([(event.onset_s + event.offset_s) / 2])
    places = body_25(script, times)[0]
    right, left = places[BODY_25.index("REye")], places[BODY_25.index("LEye")]
    assert right[0] < left[0], "the patient faces the camera"
    opening = keypoints(script, times)[0, len(KEYPOINTS)]
    assert opening[1] < opening[0]
    pixels = render(script, times)[0].astype(int)

    def white(place: np.ndarray) -> int:
        x, y = int(place[0]), int(place[1])
        return int((pixels[y - 8 : y + 9, x - 14 : x + 15].min(axis=2) > 150).sum())

    assert white(right) < white(left)


def test_a_face_box_is_where_the_picture_has_face_and_follows_a_turn_of_the_head() -> None:
    script = first_script(lambda s: s.present("head_turning") == "yes")
    turned = sum(script.interval("head_turning") or (0, 0)) / 2
    times = np.array([0.2, turned])
    boxes, places = face_boxes(script, times), body_25(script, times)
    for box, place in zip(boxes, places, strict=True):
        neck = place[BODY_25.index("Neck")]
        assert box[1] + box[3] == pytest.approx(neck[1], abs=0.75 * box[3])
        for name in ("LEye", "REye"):
            eye = place[BODY_25.index(name)]
            if eye[2] == 1:
                assert box[0] < eye[0] < box[0] + box[2]
                assert box[1] < eye[1] < box[1] + box[3]
    far = "LEye" if script.side("head_turning") == "left" else "REye"
    assert places[0, BODY_25.index(far), 2] == 1
    assert places[1, BODY_25.index("Nose"), 2] == 1
    wide = script.scene.zoom * 480
    assert (boxes[:, 2] < 1.1 * wide).all()
    assert (boxes[:, 3] > 0.7 * wide).all()


def test_nobody_in_view_gives_an_empty_list_of_people() -> None:
    assert json.loads(openpose_json(np.zeros((25, 3)))) == {"version": 1.3, "people": []}


def test_the_same_seed_gives_the_same_extra_files(full: Path, tmp_path: Path) -> None:
    simulate(tmp_path / "again", pose=True, test_share=0.34, **SMALL)
    first = {p.relative_to(full): p for p in full.rglob("*") if p.is_file()}
    assert {p.relative_to(tmp_path / "again") for p in (tmp_path / "again").rglob("*") if p.is_file()} == set(
        first
    )
    for name, path in first.items():
        if name.parts[0] != "videos":
            assert (tmp_path / "again" / name).read_bytes() == path.read_bytes(), name


def test_keypoints_can_be_added_later_and_stay_named_afterwards(plain: Path, tmp_path: Path) -> None:
    directory = tmp_path / "set"
    settings_ = {**SMALL, "patients": 1}
    simulate(directory, **settings_)
    before = [v.stat().st_mtime_ns for v in sorted((directory / "videos").iterdir())]
    simulate(directory, pose=True, **settings_)
    assert [v.stat().st_mtime_ns for v in sorted((directory / "videos").iterdir())] == before
    assert all(r.pose for r in read_recording_set(directory).recordings)
    simulate(directory, **settings_)
    assert all(r.pose for r in read_recording_set(directory).recordings)


def test_a_stopped_run_leaves_no_half_folder_of_keypoints(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings_ = {**SMALL, "patients": 1}

    def broken(*people: np.ndarray) -> str:
        raise OSError("the disk is full")

    with monkeypatch.context() as patched:
        patched.setattr(pose_truth, "openpose_json", broken)
        with pytest.raises(OSError, match="disk is full"):
            simulate(tmp_path / "set", pose=True, **settings_)
    assert not (tmp_path / "set" / "pose" / "P001_V01").exists()
    simulate(tmp_path / "set", pose=True, **settings_)
    assert [p.name for p in (tmp_path / "set" / "pose").iterdir()] == ["P001_V01"]


@settings(max_examples=100, deadline=None)
@given(scripts)
def test_a_transcript_holds_every_question_and_answer_in_order(script: Script) -> None:
    said = utterances(script)
    assert [u.start_s for u in said] == sorted(u.start_s for u in said)
    assert all(0 <= u.start_s < u.end_s <= script.duration_s + 0.01 for u in said)
    asked = script.of("address")
    assert [u.start_s for u in said if u.speaker == "caregiver"] == [e.onset_s for e in asked]
    spoken_by_patient = {u.start_s for u in said if u.speaker == "patient"}
    assert {e.onset_s for e in script.of("verbal_responsiveness", "talk")} <= spoken_by_patient
    lines = transcript(script).splitlines()
    assert lines[0] == "start_s,end_s,speaker,text"
    assert len(lines) == 1 + len(said)


def test_a_repeated_phrase_is_heard_whenever_the_transcript_says_so() -> None:
    words = {text for text, _phones in PHRASES}
    script = first_script(
        lambda s: (
            sum(u.text in words for u in utterances(s)) >= 3 and not s.of("address", "talk", "caregiver")
        )
    )
    sound = soundtrack(script).astype(float)
    loud = np.sqrt(np.convolve(sound**2, np.full(800, 1 / 800), "same"))
    said = utterances(script)
    spans = [loud[round(u.start_s * RATE) : round(u.end_s * RATE)] for u in said]
    assert all(span.max() > 0.05 for span in spans)
    gaps = [
        loud[round((a.end_s + 0.08) * RATE) : round((b.start_s - 0.08) * RATE)] for a, b in pairwise(said)
    ]
    assert gaps
    assert all(gap.max(initial=0) < 0.05 for gap in gaps)


def test_groans_have_no_words() -> None:
    script = first_script(
        lambda s: bool(s.of("ictal_vocalization")) and s.of("ictal_vocalization")[0].seed % 3 != 0
    )
    silent = replace(script, events=script.of("ictal_vocalization"))
    assert transcript(silent) == "start_s,end_s,speaker,text\n"


@settings(max_examples=150, deadline=None)
@given(scripts)
def test_sides_and_regions_are_words_that_imported_tables_use(script: Script) -> None:
    row = laterality_row("P001_V01", script)
    assert tuple(row) == LATERALITY_COLUMNS
    assert row["onset_region"] in {*REGIONS, ""}
    for name in ("head_turning", "arm_movement"):
        assert row[f"{name}_side"] in {"left", "right", ""}
        times = row[f"{name}_start_s"], row[f"{name}_end_s"]
        assert all(times) == bool(row[f"{name}_side"])
        if all(times):
            assert 0 <= float(times[0]) < float(times[1]) <= script.duration_s + 0.05
    if script.present("arms_move_simultaneously") == "yes":
        assert row["arm_movement_side"] == ""
    assert (row["head_turning_side"] != "") == (script.present("head_turning") == "yes")


@pytest.mark.parametrize(
    ("events", "region", "arm"),
    [
        ([Event("face_pulling", 4, 9, "left"), Event("clonic", 9, 15, "both", 2)], "face", None),
        ([Event("clonic", 9, 15, "right", 2)], "right arm", "right"),
        (
            [Event("tonic", 5, 9, "both"), Event("arm_flexion", 5, 9, "left")],
            "full body",
            "left",
        ),
        ([Event("arm_flexion", 5, 9, "both")], "arms", None),
        ([Event("arm_flexion", 5, 9, "left"), Event("arm_straightening", 5.5, 9, "right")], "left arm", None),
        ([Event("arm_flexion", 5, 9, "left"), Event("arm_straightening", 7, 9, "right")], "left arm", "left"),
        ([Event("close_eyes", 3, 30), Event("pelvic_thrusting", 3.1, 12, None, 1)], "eyes", None),
        ([Event("scratch", 2, 4, "left"), Event("address", 3, 5)], None, None),
    ],
)  # fmt: skip
def test_the_first_sign_gives_the_region_and_the_first_arm_the_side(
    events: list[Event], region: str | None, arm: str | None
) -> None:
    script = with_events(*events)
    assert (onset_region(script), leading_arm(script)) == (region, arm)


def test_the_laterality_table_has_a_row_for_each_recording(full: Path) -> None:
    rows = rows_of(full / "laterality.csv")
    assert tuple(rows[0]) == LATERALITY_COLUMNS
    assert [row["video_id"] for row in rows] == ["P001_V01", "P002_V01", "P003_V01"]


@settings(max_examples=200, deadline=None)
@given(st.integers(1, 200), st.floats(0.01, 0.99))
def test_a_share_of_the_patients_is_for_testing_whoever_comes_later(patients: int, share: float) -> None:
    splits = [writing.split_of(patient, share) for patient in range(patients)]
    assert abs(splits.count("test") - share * patients) <= 0.5 + 1e-6
    assert splits == [writing.split_of(patient, share) for patient in range(patients + 5)][:patients]


def test_recordings_of_a_patient_share_the_split_and_the_scripts_do_not_change() -> None:
    split = writing.plan(writing.Settings(8, 9, 2, test_share=0.25))
    whole = writing.plan(writing.Settings(8, 9, 2))
    assert [p.script for p in split] == [p.script for p in whole]
    assert {p.split for p in whole} == {None}
    by_patient = {p.patient_id: {q.split for q in split if q.patient_id == p.patient_id} for p in split}
    assert all(len(found) == 1 for found in by_patient.values())
    assert sum(found == {"test"} for found in by_patient.values()) == 2


@pytest.mark.parametrize(
    ("share", "message"), [(-0.1, "at least 0"), (1.0, "less than 1"), (0.1, "no patient for testing")]
)
def test_a_share_that_makes_no_sense_is_refused(share: float, message: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=message):
        simulate(tmp_path / "new", test_share=share, **SMALL)
    assert not (tmp_path / "new").exists()
