"""Frames: which ones, how large, and that they are those of the stock path, bit for bit."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from conftest import checkpoint_of
from qwen_vl_utils import fetch_video
from scene import write_film

from semiology.backends.shared_prefix.frames import DecordReader, VideoFacts
from semiology.backends.shared_prefix.questions import Medium, UnansweredError
from semiology.backends.shared_prefix.sampling import (
    Sampling,
    pick_as_qwen,
    pick_with_processor,
    resize_as_qwen,
    window_range,
)

PIXELS = {"min_pixels": 28 * 28, "max_pixels": 60 * 90}


def stock(film: Path, window: tuple[float | None, float | None], patch: int = 14, **how: Any) -> Any:
    element = {"video": str(film), **PIXELS, **how}
    for name, time in zip(("video_start", "video_end"), window, strict=True):
        if time is not None:
            element[name] = time
    return fetch_video(element, image_patch_size=patch, return_video_metadata=True)


def ours(film: Path, window: tuple[float | None, float | None], sampling: Sampling, patch: int = 14) -> Any:
    with DecordReader().open(str(film)) as recording:
        video = Medium("video", str(film), *window)
        picked = pick_as_qwen(video, recording.facts, sampling, cap_with_fps=False)
        (frames,) = recording.windows([picked.numbers])
    assert not isinstance(frames, UnansweredError)
    return resize_as_qwen(frames, sampling, patch), picked


@pytest.mark.parametrize("window", [(2.0, 10.0), (0.0, 30.0), (None, None), (3.33, 7.71), (12.0, None)])
@pytest.mark.parametrize("rate", [2, 1, 0.4, 10])
def test_by_rate_they_are_those_of_qwen_vl_utils(window: Any, rate: float, film: Path) -> None:
    (pictures, told), (resized, picked) = (
        stock(film, window, fps=rate),
        ours(film, window, Sampling(fps=rate, **PIXELS)),
    )
    assert torch.equal(resized, pictures)
    assert resized.dtype == pictures.dtype
    assert list(picked.numbers) == told["frames_indices"]
    assert (picked.available, picked.fps) == (told["total_num_frames"], told["fps"])


@pytest.mark.parametrize("patch", [14, 16])
@pytest.mark.parametrize("number", [2, 16, 31])
def test_by_number_they_are_those_of_qwen_vl_utils(number: int, patch: int, film: Path) -> None:
    pictures, told = stock(film, (2.0, 10.0), patch, nframes=number // 2 * 2)
    resized, picked = ours(film, (2.0, 10.0), Sampling(max_num_frames=number, **PIXELS), patch)
    assert torch.equal(resized, pictures)
    assert list(picked.numbers) == told["frames_indices"]


@pytest.mark.parametrize("size", [(400, 600), (1080, 1920), (64, 96), (720, 1280)])
@pytest.mark.parametrize(
    "limits", [{}, {"min_pixels": 256 * 28 * 28, "max_pixels": 1605632}, {"total_pixels": 9_000_000}]
)
def test_large_frames_are_capped_as_qwen_vl_utils_caps_them(size: tuple[int, int], limits: Any) -> None:
    frames = np.random.default_rng(0).integers(0, 255, (4, *size, 3), dtype=np.uint8)
    from qwen_vl_utils import vision_process

    def read(element: Any) -> Any:
        return torch.from_numpy(frames).permute(0, 3, 1, 2), {}, 2.0

    backends = vision_process.VIDEO_READER_BACKENDS
    name = vision_process.get_video_reader_backend()
    before = backends[name]
    backends[name] = read
    try:
        wanted = fetch_video({"video": "x", **limits})
    finally:
        backends[name] = before
    assert torch.equal(resize_as_qwen(frames, Sampling(**limits), 14), wanted)


def test_a_window_with_fewer_frames_than_wanted_shows_all_of_them() -> None:
    facts = VideoFacts(1000, 10.0)
    video = Medium("video", "x", 5.0, 6.1)
    picked = pick_as_qwen(video, facts, Sampling(max_num_frames=60), cap_with_fps=False)
    assert picked.numbers == tuple(range(50, 62))
    odd = pick_as_qwen(Medium("video", "x", 5.0, 6.0), facts, Sampling(max_num_frames=60), cap_with_fps=False)
    assert (odd.available, len(odd.numbers)) == (11, 10)  # Qwen takes frames in pairs


def test_the_caps_of_the_stock_classes() -> None:
    facts, video = VideoFacts(9000, 30.0), Medium("video", "x", 0.0, 60.0)
    sampling = Sampling(fps=2, max_num_frames=32)
    assert len(pick_as_qwen(video, facts, sampling, cap_with_fps=False).numbers) == 120
    assert len(pick_as_qwen(video, facts, sampling, cap_with_fps=True).numbers) == 32
    capped = pick_as_qwen(video, facts, Sampling(fps=2, max_frames=50), cap_with_fps=False)
    assert len(capped.numbers) == 50


@pytest.mark.parametrize("window", [(5.0, 5.0), (7.0, 3.0), (200.0, 210.0), (5.01, 5.05)])
def test_a_window_without_two_frames_is_refused_in_a_sentence(window: tuple[float, float]) -> None:
    with pytest.raises(UnansweredError, match="fewer than two of the 1000 frames"):
        window_range(Medium("video", "x", *window), VideoFacts(1000, 10.0))


@pytest.mark.parametrize("name", ["internvl", "llava_onevision", "smolvlm"])
def test_other_models_are_asked_for_their_own_frames(name: str) -> None:
    processor = checkpoint_of(name).processor
    facts, video = VideoFacts(900, 30.0), Medium("video", "x", 10.0, 20.0)
    picked = pick_with_processor(video, facts, Sampling(max_num_frames=8), processor)
    assert len(picked.numbers) == 8
    assert list(picked.numbers) == sorted(set(picked.numbers))
    assert 300 <= min(picked.numbers) <= max(picked.numbers) <= 600
    by_rate = pick_with_processor(video, facts, Sampling(fps=2, max_frames=15), processor)
    assert len(by_rate.numbers) == 15
    few = pick_with_processor(Medium("video", "x", 10.0, 10.1), facts, Sampling(max_num_frames=60), processor)
    assert few.numbers == tuple(range(300, 304))


@pytest.mark.parametrize("wrong", [{"fps": 0}, {"max_num_frames": 0}, {"max_frames": 0}])
def test_impossible_sampling_is_refused(wrong: Any) -> None:
    with pytest.raises(ValueError, match=r"above 0|at least 1"):
        Sampling(**wrong)


def test_a_file_that_cannot_be_read_is_told_by_name(tmp_path: Path) -> None:
    with (
        pytest.raises(UnansweredError, match=r"none\.mp4 does not exist"),
        DecordReader().open("/x/none.mp4"),
    ):
        pass
    broken = tmp_path / "broken.mp4"
    broken.write_bytes(b"not a film at all" * 100)
    with (
        pytest.raises(UnansweredError, match=r"broken\.mp4 is not a video"),
        DecordReader().open(str(broken)),
    ):
        pass


def test_frames_beyond_the_end_fail_their_window_only(tmp_path: Path) -> None:
    film = write_film(tmp_path / "short.mp4", seconds=2)
    with DecordReader().open(str(film)) as recording:
        assert recording.facts == VideoFacts(20, 10.0)
        good, bad, again = recording.windows([[0, 5], [18, 400], [1, 2]])
    assert isinstance(bad, UnansweredError)
    assert "18 to 400" in str(bad)
    assert good.shape == again.shape == (2, 64, 128, 3)  # type: ignore[union-attr]
