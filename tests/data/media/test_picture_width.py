"""Pictures of a width that decord refuses on some processor: found, cut larger, and read all the same."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import decord
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from loguru import logger
from media_zoo import BLOCK, even, write_recording

from semiology.backends.shared_prefix.frames import DecordReader, StreamedReader
from semiology.data.check import check_recording_set
from semiology.data.media import picture_width
from semiology.data.media.clips import clip
from semiology.data.media.frames import read_frames
from semiology.data.media.picture_width import readable_size, width_refused, widths_refused
from semiology.data.media.probe import MediaError, needs_clip, probe, timeline
from semiology.data.recording_set import Recording, RecordingSet
from semiology.data.simulated import simulate
from semiology.data.windows.sliding import STANDARD
from semiology.enhancements.video.writing import rewrite_video
from semiology.harness.video_errors import name_video_errors
from semiology.tasks.plan import plan_of

SEEN_WITH_AVX512, SEEN_WITH_AVX2 = [16, 24, 32, 48, 96, 144], [16, 24, 48, 72]


@pytest.fixture(scope="module")
def narrow(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two seconds, 96 px wide: six columns of blocks, so that the six lowest bits of a number are seen."""
    return write_recording(tmp_path_factory.mktemp("narrow") / "narrow.mp4", even(60), size=(96, 64))


def numbers(pictures: np.ndarray) -> list[int]:
    """Read the frames' numbers (below 64) from their upper row of blocks."""
    block = BLOCK * pictures.shape[2] // 96
    centres = pictures[:, block // 2, block // 2 :: block].mean(axis=-1)[:, :6]
    return (centres > 125).astype(int).dot(1 << np.arange(6)).tolist()


def test_the_arithmetic_gives_the_widths_seen_on_two_processors() -> None:
    assert sorted(width for width in widths_refused(64) if width >= 16) == SEEN_WITH_AVX512
    assert sorted(width for width in widths_refused(32) if width >= 16) == SEEN_WITH_AVX2


def test_the_arithmetic_gives_the_widths_that_decord_refuses_here(tmp_path: Path) -> None:
    real = decord.VideoReader.__mro__[1]
    refused = set()
    for width in range(16, 260, 8):
        path = write_recording(tmp_path / f"{width}.mp4", [0.0], size=(width, 64))
        try:
            real(str(path), num_threads=1).get_batch([0])
        except decord.DECORDError:
            refused.add(width)
    known = [{each for each in widths_refused(rows) if each in range(16, 260, 8)} for rows in (16, 32, 64)]
    assert refused in known


def test_the_suite_runs_with_a_decord_that_refuses_narrow_films_in_child_processes_too(narrow: Path) -> None:
    with pytest.raises(decord.DECORDError, match="from_size == to_size"):
        decord.VideoReader(str(narrow))[0]
    code = f"import decord; decord.VideoReader({str(narrow)!r}).get_batch([0])"
    child = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert "from_size == to_size" in child.stderr


@given(st.integers(10, 700), st.integers(10, 700))
def test_a_readable_size_is_even_read_everywhere_and_of_the_same_shape(width: int, height: int) -> None:
    wide, high = readable_size(width, height)
    assert width_refused(wide) is None
    assert wide % 2 == high % 2 == 0
    assert wide >= width
    assert high >= height
    if (wide, high) != (width + width % 2, height + height % 2):
        assert wide * (height + height % 2) == high * (width + width % 2)
        assert wide >= 192 or wide % 64 == 0


@pytest.mark.parametrize(
    ("size", "stored"),
    [
        ((640, 480), (640, 480)), ((224, 168), (224, 168)), ((160, 120), (160, 120)), ((128, 96), (128, 96)),
        ((96, 72), (192, 144)), ((95, 71), (192, 144)), ((144, 108), (288, 216)), ((72, 54), (216, 162)),
        ((48, 36), (192, 144)), ((32, 24), (128, 96)), ((16, 12), (128, 96)),
    ],
)  # fmt: skip
def test_only_refused_widths_are_changed(size: tuple[int, int], stored: tuple[int, int]) -> None:
    assert readable_size(*size) == stored


def test_a_narrow_recording_is_cut_into_a_clip_that_decord_reads(narrow: Path, tmp_path: Path) -> None:
    assert "96 px wide" in str(needs_clip(probe(narrow)))
    cut = clip(narrow, 0.5, 1.5, None, tmp_path)
    info = probe(cut)
    assert (info.width, info.height) == (192, 128)
    assert needs_clip(info) is None
    assert numbers(decord.VideoReader(str(cut)).get_batch([0, 7, 29]).asnumpy()) == [15, 22, 44]


def test_our_readers_read_a_narrow_recording_by_number(narrow: Path) -> None:
    wanted = [[0, 5, 30], [20, 59]]
    for reader in (DecordReader(), StreamedReader()):
        with reader.open(str(narrow)) as recording:
            assert (recording.facts.frames, recording.facts.fps) == (60, 30.0)
            read = list(recording.windows(wanted))
        for frames, expected in zip(read, wanted, strict=True):
            assert isinstance(frames, np.ndarray)
            assert numbers(frames) == expected
            assert (frames == read_frames(narrow, np.array(expected) / 30)).all()


def test_a_width_that_only_this_processor_refuses_is_found_by_trying(monkeypatch: pytest.MonkeyPatch) -> None:
    def get_batch(reader: decord.VideoReader, indices: list[int]) -> None:
        raise decord.DECORDError("Check failed: from_size == to_size")

    assert width_refused(200) is None
    picture_width._refused_here.cache_clear()
    monkeypatch.setattr(decord.VideoReader, "get_batch", get_batch)
    try:
        assert "200 px wide" in str(width_refused(200))
    finally:
        picture_width._refused_here.cache_clear()


def test_the_error_of_a_stock_class_names_the_width_and_not_torchvision(
    narrow: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from qwen_vl_utils import vision_process

    monkeypatch.setattr(vision_process, "get_video_reader_backend", lambda: "decord")
    monkeypatch.setattr(vision_process, "VIDEO_READER_BACKENDS", dict(vision_process.VIDEO_READER_BACKENDS))
    name_video_errors()
    with pytest.raises(MediaError, match=r"narrow\.mp4: decord cannot read pictures 96 px wide.*192x128"):
        vision_process.fetch_video({"type": "video", "video": str(narrow)})
    good = write_recording(tmp_path / "good.mp4", even(30))
    with pytest.raises(MediaError, match=r"good\.mp4.*nframes"):
        vision_process.fetch_video({"type": "video", "video": str(good), "nframes": 50})


def test_the_check_of_a_set_tells_of_a_narrow_recording(narrow: Path) -> None:
    (narrow.parent / "recordings.csv").write_text("video_id,patient_id,video\nr1,p1,narrow.mp4\n")
    (narrow.parent / "annotations.csv").write_text("video_id,feature,present\nr1,tonic,yes\n")
    report = check_recording_set(narrow.parent)
    (told,) = [each for each in report.warnings if "96 px" in each.message]
    assert (told.row, "r1" in told.message, "192x128" in told.fix) == (2, True, True)
    assert not report.exclusions


def test_an_enhanced_copy_of_a_narrow_recording_is_larger(narrow: Path, tmp_path: Path) -> None:
    target = tmp_path / "copy.mp4"
    rewrite_video(narrow, timeline(narrow), target, lambda number, planes: planes)
    info = probe(target)
    assert ((info.width, info.height), needs_clip(info)) == ((192, 128), None)
    assert numbers(decord.VideoReader(str(target)).get_batch([3, 50]).asnumpy()) == [3, 50]


def test_a_run_says_which_recordings_it_shows_from_larger_clips(
    narrow: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SEMIOLOGY_CACHE", str(tmp_path))
    recording = Recording("r1", "p1", narrow)
    told: list[str] = []
    handler = logger.add(told.append, level="WARNING")
    try:
        plan = plan_of(RecordingSet(narrow.parent, "narrow", "1", (recording,), (), {}), STANDARD)
    finally:
        logger.remove(handler)
    assert "96 px" in str(plan.recordings["r1"].clip_reason)
    assert "r1" in told[0]
    assert "larger clips" in told[0]


def test_the_simulator_refuses_sizes_that_some_processors_cannot_read(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"192x144.*not 96x72"):
        simulate(tmp_path / "set", patients=1, seed=1, size=(96, 72))
