"""What a check tells once for all films, and digests that show a change of any film."""

import csv
import os
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from media_zoo import even, number_of, picture, write_recording
from typer.testing import CliRunner

from semiology.cli import app
from semiology.data.check import CheckReport, check_recording_set
from semiology.data.digests import record_digests
from semiology.data.media.clips import clip
from semiology.data.media.frames import read_frames
from semiology.data.media.probe import probe, timeline
from semiology.enhancements.video.writing import rewrite_video

X265 = {"x265-params": "log-level=none"}


def stored(path: Path, codec: str, shape: Fraction, *, fields: bool = False) -> Path:
    """Write a film whose pixels have a shape, in fields or not."""
    options = {"flags": "+ildct+ilme"} if fields else {}
    with av.open(str(path), "w") as out:
        stream = out.add_stream(codec, rate=25, options=options)
        stream.width, stream.height, stream.pix_fmt = 128, 64, "yuv420p"
        stream.codec_context.sample_aspect_ratio = shape
        for number in range(25):
            frame = av.VideoFrame.from_ndarray(picture(number), format="rgb24")
            frame.pts, frame.time_base = number, Fraction(1, 25)
            out.mux(stream.encode(frame))
        out.mux(stream.encode(None))
    return path


@pytest.fixture
def make(tmp_path: Path) -> Callable[[dict[str, str]], Path]:
    """Make a set of films by name and codec."""

    def made(films: dict[str, str]) -> Path:
        folder = tmp_path / "set"
        (folder / "videos").mkdir(parents=True)
        rows, said = ["video_id,patient_id,video"], ["video_id,feature,present"]
        for number, (name, codec) in enumerate(films.items()):
            times = even(100 + 10 * number, 25)
            options = X265 if codec == "libx265" else {}
            write_recording(folder / "videos" / name, times, codec=codec, rate=25, codec_options=options)
            rows.append(f"V{number},P{number},videos/{name}")
            said.append(f"V{number},tonic,yes")
        (folder / "recordings.csv").write_text("\n".join(rows) + "\n")
        (folder / "annotations.csv").write_text("\n".join(said) + "\n")
        (folder / "dataset.yaml").write_text("name: x\nversion: 1\n")
        return folder

    return made


def told(report: CheckReport, word: str) -> list[str]:
    return [each.message for each in report.warnings if word in each.message]


def test_films_without_checksums_are_told_in_one_line_with_a_count(make: Callable[..., Path]) -> None:
    folder = make(
        {"a.mp4": "libx265", "b.webm": "libvpx", "c.mkv": "libx265", "d.mp4": "libx264", "e.mp4": "libx265"}
    )
    (message,) = told(check_recording_set(folder), "checksums")
    assert message.startswith(
        "4 of 5 films have no checksums (hevc in mp4: 2, vp8 in webm: 1, h264 in mp4: 1)"
    )
    assert "(V0, V1, V3, …)" in message
    record_digests(folder)
    assert told(check_recording_set(folder), "checksums") == []


def test_drawn_films_can_be_drawn_again(make: Callable[..., Path]) -> None:
    folder = make({"a.mp4": "libx264"})
    assert len(told(check_recording_set(folder), "checksums")) == 1
    (folder / "dataset.yaml").write_text("name: x\nversion: 1\nsimulated: true\n")
    assert told(check_recording_set(folder), "checksums") == []


def test_a_film_that_changed_after_its_digest_was_recorded_is_a_problem(make: Callable[..., Path]) -> None:
    folder = make({"a.mp4": "libx265", "b.mp4": "libx264"})
    asked = CliRunner().invoke(app, ["data", "digests", str(folder)])
    assert (asked.exit_code, "2 films are recorded, 2 of them now" in asked.output) == (0, True)
    assert check_recording_set(folder).ok
    path = folder / "videos" / "a.mp4"
    turn_a_bit(path)
    (problem,) = check_recording_set(folder).problems
    assert (problem.row, "V0, sha256" in problem.message) == (2, True)
    before = (folder / "recordings.csv").read_bytes()
    asked = CliRunner().invoke(app, ["data", "digests", str(folder)])
    assert (asked.exit_code, "not the film that was recorded: V0" in asked.output) == (1, True)
    assert (folder / "recordings.csv").read_bytes() == before
    assert CliRunner().invoke(app, ["data", "digests", str(folder), "--again"]).exit_code == 0
    assert check_recording_set(folder).ok
    with (folder / "recordings.csv").open(newline="") as table:
        assert all(len(row["sha256"]) == 64 for row in csv.DictReader(table))


def turn_a_bit(path: Path) -> None:
    """Damage a film as a disk does: its size and time stay."""
    before, data = path.stat(), bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


def test_a_copy_without_names_has_no_digest_of_the_original(
    make: Callable[..., Path], tmp_path: Path
) -> None:
    folder = make({"a.mp4": "libx264"})
    record_digests(folder)
    done = CliRunner().invoke(app, ["data", "deidentify", str(folder), str(tmp_path / "opaque")])
    assert done.exit_code == 0, done.output
    assert "sha256" not in (tmp_path / "opaque" / "recordings.csv").read_text()
    assert check_recording_set(tmp_path / "opaque").ok


def test_a_cell_that_is_no_digest_is_a_problem(make: Callable[..., Path]) -> None:
    folder = make({"a.mp4": "libx264"})
    (folder / "recordings.csv").write_text("video_id,patient_id,video,sha256\nV0,P0,videos/a.mp4,abc\n")
    (problem,) = check_recording_set(folder).problems
    assert "no SHA-256 digest" in problem.message


def test_wide_pixels_and_fields_are_told_once(make: Callable[..., Path]) -> None:
    folder = make({"a.mp4": "libx264", "b.mp4": "libx264", "c.mp4": "libx264"})
    stored(folder / "videos" / "b.mp4", "libx264", Fraction(4, 3))
    stored(folder / "videos" / "c.mp4", "mpeg4", Fraction(1, 1), fields=True)
    report = check_recording_set(folder)
    (wide,) = told(report, "not square")
    assert wide.startswith("1 of 3 films has pixels that are not square (1.33:1)")
    (fields,) = told(report, "interlaced")
    assert fields.startswith("1 of 3 films has pictures of two fields")


def test_wide_pixels_are_given_as_stored_by_every_path(tmp_path: Path) -> None:
    """Frames, clips and changed copies: what a model sees, and what keypoints are counted in."""
    path = stored(tmp_path / "a.mp4", "libx264", Fraction(4, 3))
    line = timeline(path)
    assert (line.info.width, line.info.height) == (128, 64)
    assert line.info.pixel_shape == pytest.approx(4 / 3)
    cut = clip(path, 0.0, 1.0, None, tmp_path / "cache")
    copy = tmp_path / "copy.mp4"
    rewrite_video(path, line, copy, lambda _, planes: planes)
    assert probe(copy).pixel_shape == pytest.approx(4 / 3)  # for players
    for film in (path, cut, copy):
        shown = read_frames(film, [0.5])[0]
        assert (shown.shape, number_of(shown)) == ((64, 128, 3), 12)
        assert np.abs(shown.astype(int) - picture(12)).mean() < 8
