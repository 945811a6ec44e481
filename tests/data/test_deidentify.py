"""De-identification: what identifies is gone from names, text and media; pictures and sound are unchanged."""

import csv
import stat
import struct
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import av
import numpy as np
import pytest

from semiology.data.deidentify.deidentify import Choices, deidentify
from semiology.data.deidentify.opaque_ids import opaque_ids
from semiology.data.deidentify.scrubbing import Scrubber
from semiology.data.media.remux import RemuxError, remux
from semiology.data.problems import RecordingSetError
from semiology.data.recording_set import Annotation, Recording
from semiology.data.tables.reading import read_recording_set
from semiology.data.tables.writing import write_recording_set

SECRETS = (b"Jane", b"Doe", b"118.44", b"2021")


def film(path: Path, video: str = "libx264", sound: str = "aac", frames: int = 15) -> Path:
    """Encode half a second of pictures and sound with telling metadata."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with av.open(str(path), "w") as container:
        container.metadata.update({"title": "Jane Doe", "comment": "Doe", "location": "+34.06-118.44/"})
        container.metadata["creation_time"] = "2021-05-13T10:00:00Z"
        pictures = container.add_stream(video, rate=30)
        pictures.width, pictures.height, pictures.pix_fmt = 64, 48, "yuv420p"
        tones = container.add_stream(sound, rate=16000, layout="mono")
        tones.metadata["title"] = "Jane"
        for index in range(frames):
            image = np.full((48, 64, 3), index * 10, np.uint8)
            container.mux(pictures.encode(av.VideoFrame.from_ndarray(image, format="rgb24")))
        container.mux(pictures.encode())
        size = tones.codec_context.frame_size or 1024
        for start in range(0, 8000, size):
            wave = np.sin(np.arange(start, start + size) / 10)[None].astype(np.float32)
            block = av.AudioFrame.from_ndarray(wave, format="fltp", layout="mono")
            block.sample_rate, block.pts = 16000, start
            container.mux(tones.encode(block))
        container.mux(tones.encode())
    return path


def pictures_of(path: Path) -> list[tuple[float, bytes]]:
    with av.open(str(path)) as container:
        return [(round(frame.time, 2), frame.to_ndarray().tobytes()) for frame in container.decode(video=0)]


def sound_of(path: Path) -> bytes:
    with av.open(str(path)) as container:
        return b"".join(frame.to_ndarray().tobytes() for frame in container.decode(audio=0))


@pytest.fixture
def named_set(tmp_path: Path) -> Path:
    """A valid set whose names and texts identify its patients."""
    home = tmp_path / "emu"
    names = {"doe-5-13-2021-UA6693": "doe_jane", "doe-5-14-2021-UA6693": "doe_jane", "smith_v1": "smith99"}
    recordings = [
        Recording(video, patient, film(home / "videos" / f"{video}.mp4"), diagnosis="ES", split="train")
        for video, patient in names.items()
    ]
    transcript = home / "talk" / "smith_v1.srt"
    transcript.parent.mkdir()
    transcript.write_text("1\n00:00:01,000 --> 00:00:02,500\nMrs. Smith, it is 10:30 now\n")
    recordings[2] = Recording(
        "smith_v1", "smith99", recordings[2].video, fold="2", transcript=transcript, diagnosis="NES"
    )
    text = (
        "On 5/13/2021 at 10:32 pm Jane stiffens; see doe-5-13-2021-UA6693. Call 310-555-0199 or a.b@ucla.edu"
    )
    rows = [
        Annotation("doe-5-13-2021-UA6693", "tonic", "yes", 1, 2, "left", text),
        Annotation("smith_v1", "clonic", "no"),
    ]
    metadata = {"name": "our set", "version": "3", "notes": "recorded by Jane Roe in May 2021", "size": 3}
    write_recording_set(home, recordings, rows, {"smith_v1": "Smith99 turned to nurse Ana at 9 am"}, metadata)
    return home


def test_names_dates_and_ids_are_gone_from_the_whole_folder(named_set: Path, tmp_path: Path) -> None:
    done = deidentify(named_set, tmp_path / "out", choices=Choices(seed=1, names=["Jane", "Ana", "Roe"]))
    assert (done.recordings, done.patients, done.excluded, done.key) == (3, 2, (), None)
    everything = b"".join(
        str(path.relative_to(tmp_path / "out")).encode() + path.read_bytes()
        for path in (tmp_path / "out").rglob("*")
        if path.is_file()
    ).lower()
    for secret in (
        b"doe",
        b"jane",
        b"smith",
        b"2021",
        b"ua6693",
        b"310-555",
        b"ucla",
        b"roe",
        b"118.44",
        b"10:3",
    ):
        assert secret not in everything, secret
    assert done.replaced["id"] >= 2
    assert {"date", "time", "email", "phone", "name"} <= set(done.replaced)


def test_what_is_scored_is_kept(named_set: Path, tmp_path: Path) -> None:
    key = tmp_path / "key.csv"
    deidentify(named_set, tmp_path / "out", key=key, choices=Choices(seed=1, names=["Jane"]))
    old, new = read_recording_set(named_set), read_recording_set(tmp_path / "out")
    with key.open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert {row["old_video_id"] for row in rows} == {item.video_id for item in old.recordings}
    for row in rows:
        before, after = old.recording(row["old_video_id"]), new.recording(row["video_id"])
        assert (after.diagnosis, after.split, after.fold) == (before.diagnosis, before.split, before.fold)
        assert pictures_of(after.video) == pictures_of(before.video)
        assert sound_of(after.video) == sound_of(before.video)
        assert (after.patient_id, row["old_patient_id"]) == (row["patient_id"], before.patient_id)
    (tonic,) = new.annotations_of("tonic")
    assert (tonic.present, tonic.onset_s, tonic.offset_s, tonic.side) == ("yes", 1, 2, "left")
    assert tonic.justification == "On [date] at [time] [name] stiffens; see [id]. Call [phone] or [email]"
    assert [item.video_id for item in new.recordings] == sorted(item.video_id for item in new.recordings)
    assert (new.name, new.version, dict(new.metadata)) == (
        "deidentified",
        "3",
        {"name": "deidentified", "version": "3"},
    )


def test_of_a_folder_of_keypoints_every_frame_gets_the_new_name(named_set: Path, tmp_path: Path) -> None:
    pose = named_set / "keypoints" / "doe take 1"
    pose.mkdir(parents=True)
    for number in (0, 1, 12):
        (pose / f"doe_jane_{number:012d}_keypoints.json").write_text(f'{{"people":[],"frame":{number}}}')
    (pose / "notes of Jane Doe.txt").write_text("not from OpenPose")
    old = read_recording_set(named_set)
    recordings = [replace(old.recordings[0], pose=pose), *old.recordings[1:]]
    write_recording_set(named_set, recordings, old.annotations, old.reports, old.metadata)
    key = tmp_path / "key.csv"
    done = deidentify(named_set, tmp_path / "out", key=key, choices=Choices(seed=1))
    with key.open(newline="") as stream:
        ids = {row["old_video_id"]: row["video_id"] for row in csv.DictReader(stream)}
    new = ids[old.recordings[0].video_id]
    assert read_recording_set(tmp_path / "out").recording(new).pose == tmp_path / "out" / "pose" / new
    copied = {path.name: path.read_text() for path in (tmp_path / "out" / "pose" / new).iterdir()}
    assert copied == {
        f"{new}_{number:012d}_keypoints.json": f'{{"frame":{number},"people":[]}}' for number in (0, 1, 12)
    }
    assert done.not_copied == ("keypoints/doe take 1/notes of Jane Doe.txt",)


def test_an_excluded_recording_leaves_no_keypoints_behind(named_set: Path, tmp_path: Path) -> None:
    pose = named_set / "pose" / "smith"
    pose.mkdir(parents=True)
    (pose / "smith_000000000000_keypoints.json").write_text("{}")
    old = read_recording_set(named_set)
    recordings = [*old.recordings[:2], replace(old.recordings[2], pose=pose)]
    write_recording_set(named_set, recordings, old.annotations, old.reports, old.metadata)
    (named_set / "talk" / "smith_v1.srt").write_bytes(b"\xff\xfe no text \xff")
    done = deidentify(named_set, tmp_path / "out", choices=Choices(seed=1))
    assert [item.video_id for item in done.excluded] == ["smith_v1"]
    assert list((tmp_path / "out" / "pose").iterdir()) == []


def test_a_folder_that_cannot_be_made_is_told_in_a_sentence(named_set: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(RecordingSetError, match=r"file: the folder cannot be made .*File exists.* → choose"):
        deidentify(named_set, tmp_path / "file" / "out", choices=Choices(seed=1))


def test_subtitle_times_survive_while_spoken_clock_times_do_not(named_set: Path, tmp_path: Path) -> None:
    deidentify(named_set, tmp_path / "out", choices=Choices(seed=1))
    (path,) = (tmp_path / "out" / "transcripts").iterdir()
    assert path.read_text() == "1\n00:00:01,000 --> 00:00:02,500\n[name], it is [time] now\n"


def test_the_key_is_private_and_written_only_where_asked(named_set: Path, tmp_path: Path) -> None:
    key = tmp_path / "key.csv"
    deidentify(named_set, tmp_path / "out", key=key)
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    before = set(tmp_path.rglob("*"))
    deidentify(named_set, tmp_path / "again")
    new = set(tmp_path.rglob("*")) - before - {tmp_path / "again-texts-to-read.csv"}
    assert all(tmp_path / "again" in (path, *path.parents) for path in new)


@pytest.mark.parametrize(
    ("destination", "key", "message"),
    [
        ("out", "out/key.csv", "the key would lie inside"),
        ("out", "out/sub/../key.csv", "the key would lie inside"),
        ("out", "taken.csv", "exists already"),
        ("out", "nowhere/key.csv", "does not exist"),
        ("emu", None, "lies in the set itself"),
        ("emu/out", None, "lies in the set itself"),
        (".", None, "not an empty folder"),
    ],
)
def test_unsafe_paths_are_refused_before_anything_is_written(
    named_set: Path, tmp_path: Path, destination: str, key: str | None, message: str
) -> None:
    (tmp_path / "taken.csv").write_text("x")
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(RecordingSetError, match=message):
        deidentify(named_set, tmp_path / destination, key=tmp_path / key if key else None)
    assert sorted(tmp_path.rglob("*")) == before


def test_files_that_belong_to_no_recording_are_not_copied_and_told(named_set: Path, tmp_path: Path) -> None:
    (named_set / "notes.txt").write_text("Jane")
    done = deidentify(named_set, tmp_path / "out")
    assert done.not_copied == ("notes.txt",)
    assert not (tmp_path / "out" / "notes.txt").exists()


def test_a_recording_that_cannot_be_rewritten_is_left_out_and_told(named_set: Path, tmp_path: Path) -> None:
    (named_set / "videos" / "smith_v1.mp4").write_bytes(b"no film")
    done = deidentify(named_set, tmp_path / "out", key=tmp_path / "key.csv")
    assert [item.video_id for item in done.excluded] == ["smith_v1"]
    new = read_recording_set(tmp_path / "out")
    assert (len(new.recordings), len(new.annotations), dict(new.reports)) == (2, 1, {})
    assert len(list((tmp_path / "out" / "videos").iterdir())) == 2
    assert "smith" not in (tmp_path / "key.csv").read_text()


@pytest.mark.parametrize(
    ("suffix", "video", "sound"),
    [
        (".mp4", "libx264", "aac"),
        (".mov", "libx264", "aac"),
        (".mkv", "libx264", "aac"),
        (".avi", "mpeg4", "libmp3lame"),
    ],
)
def test_a_remuxed_file_has_the_same_pictures_and_sound_and_no_metadata(
    tmp_path: Path, suffix: str, video: str, sound: str
) -> None:
    source = film(tmp_path / f"in{suffix}", video, sound)
    assert b"Jane" in source.read_bytes()
    copied = remux(source, tmp_path / f"out{suffix}")
    target = copied.path  # AVI cannot hold the times of MP3 at 16 kHz: another container is taken
    assert copied.dropped == 0
    assert (target.suffix == suffix) == (suffix != ".avi")
    assert pictures_of(target) == pictures_of(source)
    assert sound_of(target) == sound_of(source)
    assert not [secret for secret in SECRETS if secret in target.read_bytes()]


def test_the_rotation_of_a_video_survives(tmp_path: Path) -> None:
    data = bytearray(film(tmp_path / "in.mp4").read_bytes())
    matrix = data.find(b"tkhd") + 4 + 4 + 20 + 16
    data[matrix : matrix + 36] = struct.pack(">9i", 0, 65536, 0, -65536, 0, 0, 0, 0, 1 << 30)
    (tmp_path / "in.mp4").write_bytes(data)
    remux(tmp_path / "in.mp4", tmp_path / "out.mp4")
    turned = []
    for name in ("in.mp4", "out.mp4"):
        with av.open(str(tmp_path / name)) as container:
            turned.append(next(container.decode(video=0)).rotation)
    assert turned[0] == turned[1] != 0


@pytest.mark.parametrize("name", ["a.mp4", "a.xyz"])
def test_a_file_that_is_no_media_is_refused_without_leaving_a_copy(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(b"text")
    with pytest.raises(RemuxError, match=name):
        remux(tmp_path / name, tmp_path / f"out{Path(name).suffix}")
    assert [path.name for path in tmp_path.iterdir()] == [name]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("on 2021-05-13 he", "on [date] he"),
        ("on 13.5.2021, then", "on [date], then"),
        ("on 5/13/21.", "on [date]."),
        ("May 13, 2021 and 13 May 2021 and 1st of June", "[date] and [date] and [date]"),
        ("in March 2020", "[date]"),
        ("at 10:32:05 and 3 pm and 11:05 a.m.", "at [time] and [time] and [time]"),
        ("call +1 310 555 0199 now", "call [phone] now"),
        ("call (310) 555-0199", "call [phone]"),
        ("MRN 12345678", "[number]"),
        ("mail jane.roe+x@mail.ucla.edu!", "mail [email]!"),
    ],
)
def test_identifying_pieces_are_replaced_by_their_kind(text: str, expected: str) -> None:
    assert Scrubber().scrub(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "left arm flexion for 20 seconds, 3-4 Hz, then 10/10 responses",
        "may 2 seconds later turn; at 12.5 s head turns 45 degrees",
        "figure 4 feature, grade 5/5, 20-30 s",
        "counts 10 20 30 aloud",
    ],
)
def test_clinical_text_is_left_alone(text: str) -> None:
    scrubber = Scrubber(["left_arm_video_01", "P1"])
    assert scrubber.scrub(text) == text
    assert not scrubber.replaced


def test_ids_their_parts_and_names_are_replaced_as_whole_words_and_counted() -> None:
    scrubber = Scrubber(["A0002@5-13-2021@UA66LK@sz_v1", "smith_john"], ["Mary Ann", "Lee"])
    text = "A0002 (UA66LK): John Smith's wife MARY ANN and Lee left; sleep, blacksmith, Leeds"
    expected = "[number] ([number]): [id] [id]'s wife [name] and [name] left; sleep, blacksmith, Leeds"
    assert scrubber.scrub(text) == expected
    assert scrubber.replaced == {"id": 2, "name": 2, "number": 2}


def test_opaque_ids_group_by_patient_and_depend_on_the_seed() -> None:
    pairs = [(f"patient{index % 4}", f"video{index}") for index in range(12)]
    first = opaque_ids(pairs, 7)
    assert first == opaque_ids(reversed(pairs), 7)
    assert first != opaque_ids(pairs, 8)
    assert sorted(first.patients.values()) == ["P001", "P002", "P003", "P004"]
    for patient, video in pairs:
        assert first.videos[video].startswith(first.patients[patient] + "_V")
    assert len(set(first.videos.values())) == 12
    assert sorted(opaque_ids(pairs, None).videos.values()) == sorted(first.videos.values())


Make = Callable[..., Path]


def test_an_invalid_set_is_refused(make_set: Make, tmp_path: Path) -> None:
    with pytest.raises(RecordingSetError, match="tonik"):
        deidentify(make_set(annotations="video_id,feature,present\nP001_V01,tonik,yes\n"), tmp_path / "out")
