"""One film in two files is seen in other containers and encodings; mirrored films and clocks that disagree are told."""

from __future__ import annotations

import os
import struct
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from media_zoo import turned, write_recording

from semiology.data.check import CheckReport, check_recording_set
from semiology.data.media.alike_films import alike_films
from semiology.data.media.frames import read_frames
from semiology.data.media.probe import MediaError, probe
from semiology.data.media.remux import remux
from semiology.data.problems import RecordingSetError
from semiology.data.same_patient import refuse_doubtful_patients

TIMES = [number / 30 for number in range(60)]


def a_set(folder: Path, *names: str) -> Path:
    (folder / "dataset.yaml").write_text("name: x\nversion: '1'\n")
    rows = [f"V{number},P{number},{name}" for number, name in enumerate(names)]
    (folder / "recordings.csv").write_text("\n".join(["video_id,patient_id,video", *rows]) + "\n")
    lines = [f"V{number},tonic,yes" for number in range(len(names))]
    (folder / "annotations.csv").write_text("\n".join(["video_id,feature,present", *lines]) + "\n")
    return folder


def told(report: CheckReport) -> str:
    return " ".join(map(str, (*report.problems, *report.warnings, *report.exclusions)))


def test_a_film_in_another_container_or_encoding_is_seen(tmp_path: Path) -> None:
    film = write_recording(tmp_path / "a.mp4", TIMES)
    remux(film, tmp_path / "b.mkv")
    (tmp_path / "c.mp4").write_bytes(film.read_bytes() + b"\0\0\0\x10free12345678")
    write_recording(tmp_path / "d.mp4", TIMES, codec_options={"crf": "33"})
    write_recording(tmp_path / "f.mp4", TIMES[:40])
    (tmp_path / "g.mp4").write_bytes(b"no film")
    names = ["a.mp4", "b.mkv", "c.mp4", "d.mp4", "f.mp4", "g.mp4"]
    pairs = {(one, other): equal for one, other, equal in alike_films([tmp_path / name for name in names])}
    assert set(pairs) == {(0, 1), (0, 2), (1, 2), (0, 3), (1, 3), (2, 3)}
    assert [pairs[pair] for pair in ((0, 1), (0, 2), (0, 3))] == [True, True, False]


def test_it_is_told_by_check_and_refused_where_patients_are_divided(tmp_path: Path) -> None:
    film = write_recording(tmp_path / "a.mp4", TIMES)
    remux(film, tmp_path / "b.mkv")
    folder = a_set(tmp_path, "a.mp4", "b.mkv")
    assert "V1: its video shows the same pictures as that of V0" in told(check_recording_set(folder))
    with pytest.raises(RecordingSetError, match="the same pictures"):
        refuse_doubtful_patients(folder)
    refuse_doubtful_patients(folder, distinct=True)


def test_dark_films_of_one_length_are_not_taken_for_one(tmp_path: Path) -> None:
    for name in ("c.mkv", "d.mkv"):
        with av.open(str(tmp_path / name), "w") as out:
            stream = out.add_stream("ffv1", rate=10)
            stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
            for _ in range(20):
                black = av.VideoFrame.from_ndarray(np.zeros((48, 64, 3), np.uint8), format="rgb24")
                out.mux(stream.encode(black))
            out.mux(stream.encode(None))
    assert alike_films([tmp_path / "c.mkv", tmp_path / "d.mkv"]) == []


def matrix(source: Path, path: Path, *values: float) -> Path:
    data = bytearray(source.read_bytes())
    at = bytes(data).find(b"tkhd") + 4 + 40
    a, b, c, d = (round(value * 65536) for value in values)
    data[at : at + 36] = struct.pack(">9i", a, b, 0, c, d, 0, 0, 0, 1 << 30)
    path.write_bytes(data)
    return path


@pytest.mark.parametrize("values", [(-1, 0, 0, 1), (1, 0, 0, -1), (0, 1, 1, 0), (0, -1, -1, 0)])
def test_a_film_that_asks_to_be_mirrored_is_refused(tmp_path: Path, values: tuple[float, ...]) -> None:
    film = write_recording(tmp_path / "a.mp4", TIMES[:5])
    mirrored = matrix(film, tmp_path / "b.mp4", *values)
    with pytest.raises(MediaError, match="left and right would be swapped"):
        read_frames(mirrored, [0.0])
    assert "stored mirrored" in told(check_recording_set(a_set(tmp_path, "b.mp4")))


def test_odd_and_empty_turns(tmp_path: Path) -> None:
    film = write_recording(tmp_path / "a.mp4", TIMES[:5])
    with pytest.raises(MediaError, match="turn it by 45 degrees"):
        probe(matrix(film, tmp_path / "b.mp4", 0.7071, 0.7071, -0.7071, 0.7071))
    assert probe(matrix(film, tmp_path / "c.mp4", 0, 0, 0, 0)).rotation == 0
    assert probe(matrix(film, tmp_path / "d.mp4", 2, 0, 0, 1)).rotation == 0
    for degrees in (90, 180, 270):
        assert probe(turned(film, tmp_path / f"{degrees}.mp4", degrees)).rotation == degrees


@pytest.mark.parametrize("name", ["a.mp4", "a.mov", "a.mkv", "a.ts"])
def test_pictures_that_begin_after_the_sound_are_told(tmp_path: Path, name: str) -> None:
    write_recording(tmp_path / name, [3 + time for time in TIMES], sound=(0.0, 5.0))
    assert "its pictures begin 3.1 s after its sound" in told(check_recording_set(a_set(tmp_path, name)))


def test_pictures_that_begin_late_by_the_clock_are_told_without_sound(tmp_path: Path) -> None:
    write_recording(tmp_path / "a.mkv", [3 + time for time in TIMES])
    assert "its pictures begin 3.0 s after its clock" in told(check_recording_set(a_set(tmp_path, "a.mkv")))
    write_recording(tmp_path / "b.ts", TIMES)
    write_recording(tmp_path / "c.mp4", TIMES, sound=(0.0, 2.0))
    usual = told(check_recording_set(a_set(tmp_path, "b.ts", "c.mp4")))
    assert "pictures begin" not in usual
    assert "its sound ends" not in usual


def test_sound_and_pictures_of_different_length_are_told(tmp_path: Path) -> None:
    write_recording(tmp_path / "a.mp4", TIMES, sound=(0.0, 6.0))
    film = write_recording(
        tmp_path / "b.avi", TIMES, codec="mpeg4", time_base=Fraction(1, 30),
        sound=(0.0, 2.0), sound_codec="pcm_s16le",
    )  # fmt: skip
    data = bytearray(film.read_bytes())
    at = bytes(data).find(b"strh") + 8 + 20
    data[at : at + 8] = struct.pack("<II", 1, 15)  # half the frame rate that it was recorded with
    film.write_bytes(data)
    report = told(check_recording_set(a_set(tmp_path, "a.mp4", "b.avi")))
    assert "V0: its sound ends at 6.0 s, its pictures at 2.0 s" in report
    assert "V1: its sound ends at 2.0 s, its pictures at 4.0 s" in report


def test_links_to_nowhere_and_pipes_are_named(tmp_path: Path) -> None:
    (tmp_path / "a.mp4").symlink_to("/nowhere/film.mp4")
    os.mkfifo(tmp_path / "b.mp4")
    report = told(check_recording_set(a_set(tmp_path, "a.mp4", "b.mp4")))
    assert "a link to /nowhere/film.mp4, where nothing is" in report
    assert "a pipe or a device" in report
