from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import av
import decord
import numpy as np
import pytest
from media_zoo import HEIGHT, WIDTH, MediaZoo, even, number_of, slowing, with_gap, write_recording

from semiology.data.media import probe as media
from semiology.data.media.frames import read_frames
from semiology.data.media.probe import MediaError, MediaInfo, needs_clip, probe, timeline

EVEN = {
    "even.mp4": 30, "even.mov": 30, "even.mkv": 30, "even.avi": 30, "even.ts": 30, "reordered.avi": 30,
    "late.mp4": 30, "late.mkv": 30, "fragmented.mp4": 30, "overstated.mp4": 30, "overstated.mkv": 30,
    "wrong_suffix.avi": 30, "long_gop.mp4": 30, "long_sound.mp4": 30, "short_sound.mp4": 30,
    "surround.mp4": 30,
    "two_fps.mp4": 2, "one_fps.mp4": 1, "ntsc.mp4": 30_000 / 1001,
}  # fmt: skip
UNFIT = ("even.ts", "reordered.avi")
FRAMES = {
    "long_gop.mp4": 300,
    "long_sound.mp4": 60,
    "short_sound.mp4": 120,
    "two_fps.mp4": 12,
    "one_fps.mp4": 10,
}


@pytest.mark.parametrize("name", EVEN)
def test_evenly_spaced_recordings_have_their_true_length_and_rate(zoo: MediaZoo, name: str) -> None:
    info = probe(zoo[name])
    frames = FRAMES.get(name, 90)
    assert info.frames == frames
    assert info.fps == pytest.approx(EVEN[name], abs=1e-6)
    assert info.duration_s == pytest.approx(frames / EVEN[name], abs=2e-3)
    assert (info.width, info.height, info.rotation) == (WIDTH, HEIGHT, 0)
    assert not info.variable_frame_rate
    assert (needs_clip(info) is None) == (name not in UNFIT)


@pytest.mark.parametrize(
    ("name", "times"),
    [("slowing.mp4", slowing()), ("slowing.mkv", slowing()), ("gap.mp4", with_gap()), ("late.mkv", even(90))],
)
def test_true_times_come_from_the_packets(zoo: MediaZoo, name: str, times: list[float]) -> None:
    line = timeline(zoo[name])
    np.testing.assert_allclose(line.times_s, times, atol=1e-3)
    assert line.info.variable_frame_rate == (name != "late.mkv")
    assert line.info.duration_s == pytest.approx(times[-1] + 1 / 30, abs=2e-3)


@pytest.mark.parametrize("name", ["slowing.mp4", "slowing.mkv", "gap.mp4"])
def test_unevenly_spaced_recordings_ask_for_a_clip_and_say_how_wrong_they_would_be(
    zoo: MediaZoo, name: str
) -> None:
    info = probe(zoo[name])
    reason = needs_clip(info)
    assert reason is not None
    assert "unevenly" in reason
    reader = decord.VideoReader(str(zoo[name]))
    assert info.index_fps == pytest.approx(reader.get_avg_fps(), rel=1e-6)
    late = max(abs(t - i / reader.get_avg_fps()) for i, t in enumerate(timeline(zoo[name]).times_s))
    assert info.index_error_s == pytest.approx(late, abs=1e-6)
    assert info.index_error_s > 0.5


@pytest.mark.parametrize("name", [name for name in EVEN if name not in UNFIT])
def test_decord_counts_the_same_frames_and_shows_the_same_pictures(zoo: MediaZoo, name: str) -> None:
    line = timeline(zoo[name])
    order = np.random.default_rng(1).permutation(line.info.frames)
    for chosen in (
        [line.info.frames - 1],
        [0, line.info.frames // 3, line.info.frames - 1],
        order[:12].tolist(),
    ):
        reader = decord.VideoReader(str(zoo[name]))
        assert len(reader) == line.info.frames
        theirs, ours = reader.get_batch(chosen).asnumpy(), read_frames(zoo[name], line.times_s[chosen])
        assert [number_of(picture) for picture in ours] == chosen
        np.testing.assert_array_equal(theirs, ours)


def test_avi_files_with_b_frames_ask_for_a_clip_since_decord_has_no_times_for_them(zoo: MediaZoo) -> None:
    path = zoo["reordered.avi"]
    starts = decord.VideoReader(str(path)).get_frame_timestamp([0, 30, 60])[:, 0]
    assert not np.allclose(starts, [0.0, 1.0, 2.0], atol=0.1)
    assert [number_of(p) for p in read_frames(path, [0.0, 1.0, 2.0, 89 / 30])] == [0, 30, 60, 89]
    assert "B-frames" in str(needs_clip(probe(path)))


def test_decord_counts_frames_that_an_edit_list_hides(zoo: MediaZoo) -> None:
    info = probe(zoo["trimmed.mp4"])
    assert (info.frames, info.hidden_frames) == (60, 30)
    assert info.duration_s == pytest.approx(2.0)
    assert len(decord.VideoReader(str(zoo["trimmed.mp4"]))) == 90
    assert "edit list" in str(needs_clip(info))
    assert number_of(read_frames(zoo["trimmed.mp4"], [0.0])[0]) == 30


@pytest.mark.parametrize("degrees", [90, 180, 270])
def test_rotation_is_read_and_size_is_given_as_shown(zoo: MediaZoo, degrees: int) -> None:
    info = probe(zoo[f"turned{degrees}.mp4"])
    assert (info.rotation, info.width, info.height) == (degrees, WIDTH, HEIGHT)
    assert str(degrees) in str(needs_clip(info))


def test_sound_is_reported(zoo: MediaZoo) -> None:
    assert (probe(zoo["even.mp4"]).has_audio, probe(zoo["even.mp4"]).audio_rate) == (True, 16_000)
    assert (probe(zoo["silent.mp4"]).has_audio, probe(zoo["silent.mp4"]).audio_rate) == (False, None)


def test_sound_longer_than_the_pictures_does_not_lengthen_the_recording(zoo: MediaZoo) -> None:
    assert probe(zoo["long_sound.mp4"]).duration_s == pytest.approx(2.0)


def test_one_frame_is_a_recording_of_one_frame(zoo: MediaZoo) -> None:
    info = probe(zoo["one_frame.mp4"])
    assert info.frames == 1
    assert info.duration_s == pytest.approx(1 / 30)


@pytest.mark.parametrize(("name", "size"), [("odd.mp4", (129, 65)), ("ten_bit.mp4", (WIDTH, HEIGHT))])
def test_odd_sizes_and_ten_bit_pictures_are_handled(zoo: MediaZoo, name: str, size: tuple[int, int]) -> None:
    info = probe(zoo[name])
    assert ((info.width, info.height), info.frames) == (size, 30)


@pytest.mark.parametrize(
    ("name", "what", "fix"),
    [
        ("empty.mp4", "empty", "copy it again"),
        ("cut.mp4", "cut off", "copy it again"),
        ("cut.avi", "cut off", "copy it again"),
        ("cut.mkv", "cut off", "copy it again"),
        ("no_index.mp4", "no index", "copy it again"),
        ("sound_only.mp4", "only sound", "recordings.csv"),
        ("text.mp4", "not a video", "replace"),
        ("text.txt", "not a video", "replace"),
        ("playlist.mp4", "not a video", "replace"),
        ("picture.mp4", "not a video", "replace"),
    ],
)
def test_unusable_files_are_refused_with_what_and_how_to_mend(
    zoo: MediaZoo, name: str, what: str, fix: str
) -> None:
    with pytest.raises(MediaError) as caught:
        probe(zoo[name])
    message = str(caught.value)
    assert what in message
    assert fix in message
    assert name in message
    assert str(zoo.folder.parent) not in message


def test_a_missing_file_and_a_folder_are_refused(tmp_path: Path) -> None:
    with pytest.raises(MediaError, match="does not exist"):
        probe(tmp_path / "nobody.mp4")
    with pytest.raises(MediaError, match="is a folder"):
        probe(tmp_path)


@pytest.mark.parametrize("share", [0.02, 0.2, 0.5, 0.9, 0.999])
@pytest.mark.parametrize("name", ["even.mp4", "even.avi", "even.mkv", "faststart.mp4", "even.mov"])
def test_a_file_cut_anywhere_is_refused(zoo: MediaZoo, tmp_path: Path, name: str, share: float) -> None:
    data = zoo[name].read_bytes()
    path = tmp_path / name
    path.write_bytes(data[: int(len(data) * share)])
    with pytest.raises(MediaError):
        probe(path)


def test_a_file_that_changes_is_probed_again(zoo: MediaZoo, tmp_path: Path) -> None:
    path = tmp_path / "recording.mp4"
    path.write_bytes(zoo["even.mp4"].read_bytes())
    assert probe(path).frames == 90
    path.write_bytes(zoo["ten_bit.mp4"].read_bytes())
    assert probe(path).frames == 30


def test_a_large_consistent_index_is_believed_without_reading_the_packets(
    zoo: MediaZoo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(media, "LARGE_BYTES", 0)
    for name in ("ntsc.mp4", "even.mp4", "slowing.mp4", "gap.mp4"):
        path = tmp_path / name
        path.write_bytes(zoo[name].read_bytes())
        np.testing.assert_allclose(timeline(path).times_s, timeline(zoo[name]).times_s, atol=1e-4)


def test_a_file_without_frame_rate_asks_for_a_clip() -> None:
    info = MediaInfo(3.0, 30.0, WIDTH, HEIGHT, 90, 0, False, None, False, index_fps=0.0)
    assert "no frame rate" in str(needs_clip(info))
    assert needs_clip(replace(info, index_fps=30.0)) is None


def test_one_dropped_frame_in_a_long_recording_needs_no_clip(tmp_path: Path) -> None:
    times = [number / 30 for number in range(600) if number != 300]
    info = probe(write_recording(tmp_path / "dropped.mp4", times))
    assert info.variable_frame_rate
    assert needs_clip(info) is None


def test_a_cover_picture_is_not_a_recording(tmp_path: Path, zoo: MediaZoo) -> None:
    class Cover:
        disposition = av.stream.Disposition.attached_pic

    class Streams:
        video = (Cover(),)
        audio = (object(),)

    class Container:
        streams = Streams()

    with pytest.raises(MediaError, match="only sound"):
        media.video_stream(Container(), tmp_path / "song.m4a")


@pytest.mark.parametrize(
    "name",
    [
        "open_groups.mp4",
        "open_groups.mkv",
        "refreshed.mp4",
        "windows.wmv",
        "programme.mpg",
        "even.ts",
        "flash.flv",
    ],
)
def test_files_in_which_decord_jumps_to_wrong_frames_ask_for_a_clip(zoo: MediaZoo, name: str) -> None:
    assert "decord" in str(needs_clip(probe(zoo[name])))


def test_decord_shows_wrong_frames_after_a_jump_into_open_groups(zoo: MediaZoo) -> None:
    """Should this fail after an update, decord has been fixed and `needs_clip` can be relaxed."""
    chosen = list(range(0, 150, 7))
    pictures = decord.VideoReader(str(zoo["open_groups.mkv"])).get_batch(chosen).asnumpy()
    assert [number_of(picture) for picture in pictures] != chosen
