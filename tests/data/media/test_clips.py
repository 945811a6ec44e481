from __future__ import annotations

import signal
import stat
import subprocess
import sys
import time
from pathlib import Path

import av
import decord
import numpy as np
import pytest
from media_zoo import MediaZoo, number_of, tone, write_recording

from semiology.data.media import clips
from semiology.data.media.audio import read_audio
from semiology.data.media.clips import clip
from semiology.data.media.frames import read_frames
from semiology.data.media.probe import MediaError, needs_clip, probe, timeline

SOURCES = [
    "even.mp4", "even.mov", "even.mkv", "even.avi", "even.ts", "reordered.avi", "late.mp4", "late.mkv",
    "slowing.mp4", "slowing.mkv", "gap.mp4", "fragmented.mp4", "long_gop.mp4", "two_fps.mp4", "one_fps.mp4",
]  # fmt: skip


def shown(path: Path) -> list[int]:
    """Return the numbers of all frames as the reader of the stock model classes sees them."""
    reader = decord.VideoReader(str(path))
    return [number_of(picture) for picture in reader.get_batch(range(len(reader))).asnumpy()]


@pytest.mark.parametrize("fps", [2.0, 10.0, None])
@pytest.mark.parametrize("name", SOURCES)
def test_a_clip_shows_the_frames_of_its_source(
    zoo: MediaZoo, tmp_path: Path, name: str, fps: float | None
) -> None:
    made = clip(zoo[name], 0.5, 2.5, fps, tmp_path)
    times = timeline(made).times_s
    assert shown(made) == [number_of(p) for p in read_frames(zoo[name], 0.5 + times)]
    assert probe(made).duration_s == pytest.approx(2.0, abs=0.04)
    assert needs_clip(probe(made)) is None


@pytest.mark.parametrize("name", ["even.mp4", "slowing.mp4", "slowing.mkv", "gap.mp4"])
def test_sampling_clip_and_source_by_the_protocol_gives_the_same_frames(
    zoo: MediaZoo, tmp_path: Path, name: str
) -> None:
    times = np.arange(0.5, 2.75, 0.5)
    made = clip(zoo[name], 0.5, 2.75, None, tmp_path)
    ours, theirs = read_frames(made, times - 0.5), read_frames(zoo[name], times)
    assert [number_of(p) for p in ours] == [number_of(p) for p in theirs]
    error = np.mean((ours.astype(float) - theirs) ** 2)
    assert 10 * np.log10(255**2 / error) > 34


@pytest.mark.parametrize("degrees", [90, 180, 270])
def test_a_clip_of_a_turned_recording_is_upright(zoo: MediaZoo, tmp_path: Path, degrees: int) -> None:
    made = clip(zoo[f"turned{degrees}.mp4"], 0.0, 1.0, None, tmp_path)
    assert shown(made) == list(range(30))
    assert (probe(made).rotation, probe(made).width, probe(made).height) == (0, 128, 64)


@pytest.mark.parametrize(("name", "size"), [("odd.mp4", (130, 66)), ("ten_bit.mp4", (128, 64))])
def test_any_picture_format_becomes_one_that_all_readers_take(
    zoo: MediaZoo, tmp_path: Path, name: str, size: tuple[int, int]
) -> None:
    made = clip(zoo[name], 0.0, 1.0, None, tmp_path)
    with av.open(str(made)) as container:
        stream = container.streams.video[0]
        assert (stream.width, stream.height) == size
        assert (stream.codec_context.name, stream.codec_context.pix_fmt) == ("h264", "yuv420p")
    assert shown(made) == list(range(30))


def test_colours_survive(zoo: MediaZoo, tmp_path: Path) -> None:
    made = clip(zoo["hd_colours.mp4"], 0.0, 1.0, None, tmp_path)
    before, after = (
        decord.VideoReader(str(path)).get_batch([3]).asnumpy().astype(int)
        for path in (zoo["hd_colours.mp4"], made)
    )
    patch = (slice(None), slice(38, 60), slice(6, 26))
    np.testing.assert_allclose(before[patch], after[patch], atol=6)


@pytest.mark.parametrize(
    ("name", "channels"), [("even.mp4", 1), ("stereo.mp4", 2), ("surround.mp4", 1), ("late.mkv", 1)]
)
def test_sound_is_kept_and_stays_with_the_pictures(
    zoo: MediaZoo, tmp_path: Path, name: str, channels: int
) -> None:
    made = clip(zoo[name], 0.5, 2.0, 2.0, tmp_path)
    with av.open(str(made)) as container:
        assert container.streams.audio[0].codec_context.name == "aac"
        assert container.streams.audio[0].channels == channels
    sound, true = read_audio(made, 0.25, 0.45), read_audio(zoo[name], 0.65, 1.05)
    first = round(0.1 * 16_000)
    fits = {lag: float(np.dot(true[first + lag :][: sound.size], sound)) for lag in range(-12, 13)}
    assert max(fits, key=lambda lag: fits[lag]) in (-1, 0, 1)


def test_a_recording_without_sound_gives_a_clip_without(zoo: MediaZoo, tmp_path: Path) -> None:
    assert not probe(clip(zoo["silent.mp4"], 0.0, 1.0, 2.0, tmp_path)).has_audio


def test_a_clip_is_made_once_and_only_once_per_cut(zoo: MediaZoo, tmp_path: Path) -> None:
    made = clip(zoo["even.mp4"], 0.0, 1.0, 2.0, tmp_path)
    before = made.stat().st_mtime_ns
    assert clip(zoo["even.mp4"], 0.0, 1.0, 2.0, tmp_path) == made
    assert made.stat().st_mtime_ns == before
    others = {
        clip(zoo["even.mp4"], 0.0, 1.5, 2.0, tmp_path),
        clip(zoo["even.mp4"], 0.5, 1.0, 2.0, tmp_path),
        clip(zoo["even.mp4"], 0.0, 1.0, 4.0, tmp_path),
        clip(zoo["even.mkv"], 0.0, 1.0, 2.0, tmp_path),
    }
    assert len(others | {made}) == 5


def test_the_name_depends_on_content_not_on_path_and_on_the_code(
    zoo: MediaZoo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = tmp_path / "one.mp4"
    source.write_bytes(zoo["even.mp4"].read_bytes())
    cache = tmp_path / "cache"
    made = clip(source, 0.0, 1.0, 2.0, cache)
    assert clip(zoo["even.mp4"], 0.0, 1.0, 2.0, cache) == made
    source.write_bytes(zoo["silent.mp4"].read_bytes())
    assert clip(source, 0.0, 1.0, 2.0, cache) != made
    monkeypatch.setattr(clips, "CODE_VERSION", clips.CODE_VERSION + 1)
    assert clip(zoo["even.mp4"], 0.0, 1.0, 2.0, cache) != made


def test_the_cache_is_private_and_holds_neither_paths_nor_metadata(tmp_path: Path) -> None:
    source = tmp_path / "Doe_Jane.mp4"
    write_recording(source, [n / 30 for n in range(30)], metadata={"title": "Doe Jane 1970-01-01"})
    assert b"Doe Jane" in source.read_bytes()
    cache = tmp_path / "cache"
    made = clip(source, 0.0, 1.0, None, cache)
    assert stat.S_IMODE(cache.stat().st_mode) == stat.S_IMODE((cache / "digests").stat().st_mode) == 0o700
    files = [path for path in cache.rglob("*") if path.is_file()]
    assert made in files
    assert all(stat.S_IMODE(path.stat().st_mode) == 0o600 for path in files)
    assert all(b"Doe" not in path.read_bytes() and "Doe" not in path.name for path in files)
    with av.open(str(made)) as container:
        assert "creation_time" not in container.metadata
        assert "title" not in container.metadata


def test_a_failed_cut_leaves_nothing_behind(zoo: MediaZoo, tmp_path: Path) -> None:
    with pytest.raises(MediaError, match="damaged near"):
        clip(zoo["damaged.mp4"], 0.5, 2.0, None, tmp_path)
    assert [path for path in tmp_path.glob("*") if path.is_file()] == []


def cutting(source: Path, cache: Path, before: str = "") -> subprocess.Popen[bytes]:
    """Cut a clip in a process of its own.

    Not in a fork of this one: decoders that it needs no more hold threads, for which a fork waits forever.
    """
    lines = (
        "import sys, time",
        "from pathlib import Path",
        "from semiology.data.media import clips",
        before,
        "clips.clip(Path(sys.argv[1]), 0.0, 2.0, None, Path(sys.argv[2]))",
    )
    return subprocess.Popen([sys.executable, "-c", "\n".join(lines), str(source), str(cache)])


def test_a_killed_cut_leaves_no_clip_that_looks_whole(zoo: MediaZoo, tmp_path: Path) -> None:
    source = zoo["even.mp4"]
    with cutting(source, tmp_path, "clips.aac_packets = lambda *_: time.sleep(600)") as child:
        while not list(tmp_path.glob("*.part")) and child.poll() is None:
            time.sleep(0.01)
        child.kill()
    assert child.returncode == -signal.SIGKILL
    assert list(tmp_path.glob("*.part"))
    assert not list(tmp_path.glob("*.mp4"))
    assert probe(clip(source, 0.0, 2.0, None, tmp_path)).frames == 60


def test_several_processes_may_cut_the_same_clip(zoo: MediaZoo, tmp_path: Path) -> None:
    children = [cutting(zoo["even.mp4"], tmp_path) for _ in range(3)]
    assert [child.wait() for child in children] == [0, 0, 0]
    (made,) = tmp_path.glob("*.mp4")
    assert probe(made).frames == 60
    assert not list(tmp_path.glob("*.part"))


@pytest.mark.parametrize(("start", "end"), [(-1.0, 1.0), (1.0, 1.0), (2.0, 1.0), (0.0, float("inf"))])
def test_impossible_windows_are_refused(zoo: MediaZoo, tmp_path: Path, start: float, end: float) -> None:
    with pytest.raises(ValueError, match="window"):
        clip(zoo["even.mp4"], start, end, 2.0, tmp_path)


def test_a_window_past_the_end_is_refused(zoo: MediaZoo, tmp_path: Path) -> None:
    with pytest.raises(MediaError, match=r"lasts 3\.00 s"):
        clip(zoo["even.mp4"], 2.0, 4.0, 2.0, tmp_path)


def test_stock_reader_sees_the_wrong_time_in_an_uneven_recording_and_the_right_one_in_its_clip(
    zoo: MediaZoo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The window 4.0-5.0 s of a recording that slows down to 10 frames per s after 1.5 s."""
    monkeypatch.setenv("FORCE_QWENVL_VIDEO_READER", "decord")
    vision = pytest.importorskip("qwen_vl_utils.vision_process")
    true = {number_of(p) for p in read_frames(zoo["slowing.mp4"], [4.0, 4.25, 4.5, 4.75, 5.0])}

    def numbers(path: Path, start: float, end: float) -> list[int]:
        element = {"video": str(path), "video_start": start, "video_end": end, "nframes": 4}
        pictures, *_ = vision._read_video_decord(element)
        return [number_of(p) for p in pictures.permute(0, 2, 3, 1).numpy()]

    times = timeline(zoo["slowing.mp4"]).times_s
    wrong = [float(times[n]) for n in numbers(zoo["slowing.mp4"], 4.0, 5.0)]
    assert max(abs(t - asked) for t, asked in zip(wrong, [4.0, 4.33, 4.67, 5.0], strict=True)) > 0.5
    made = clip(zoo["slowing.mp4"], 4.0, 5.0, None, tmp_path)
    right = numbers(made, 0.0, 1.0)
    assert min(true) <= min(right) <= max(right) <= max(true)


def test_the_tone_of_the_zoo_is_what_the_tests_believe() -> None:
    assert tone(1.0, 16_000, 2).shape == (2, 16_000)
