"""A rewritten video shows every frame at its own time, upright, with its own sound."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "data"))  # where `media_zoo` lies

from media_zoo import HEIGHT, WIDTH, MediaZoo, number_of

from semiology.data.media.audio import read_audio
from semiology.data.media.frames import read_frames
from semiology.data.media.probe import MediaError, timeline
from semiology.enhancements.video.writing import Planes, rewrite_video

KINDS = [
    "even.mp4", "even.mkv", "even.avi", "even.ts", "slowing.mp4", "slowing.mkv", "gap.mp4", "late.mp4",
    "ntsc.mp4", "trimmed.mp4", "reordered.avi", "open_groups.mp4", "ten_bit.mp4", "hd_colours.mp4",
    "silent.mp4", "turned90.mp4", "turned180.mp4", "turned270.mp4",
]  # fmt: skip


@pytest.fixture(scope="session")
def zoo(tmp_path_factory: pytest.TempPathFactory) -> MediaZoo:
    return MediaZoo(tmp_path_factory.mktemp("zoo"))


def unchanged(number: int, planes: Planes) -> Planes:
    return planes


@pytest.mark.parametrize("kind", KINDS)
def test_every_frame_keeps_its_time_and_content(zoo: MediaZoo, tmp_path: Path, kind: str) -> None:
    source, target = zoo[kind], tmp_path / "out.mp4"
    before = timeline(source)
    seen: list[tuple[int, int]] = []
    count = rewrite_video(source, before, target, unchanged, lambda done, total: seen.append((done, total)))
    after = timeline(target)
    assert count == before.info.frames == after.info.frames
    assert after.times_s == pytest.approx(before.times_s, abs=1e-4)
    assert (after.info.width, after.info.height, after.info.rotation) == (
        before.info.width, before.info.height, 0,
    )  # fmt: skip
    assert seen[-1] == (count, count)
    picked = np.unique(np.linspace(0, count - 1, 7).astype(int))
    old, new = read_frames(source, before.times_s[picked]), read_frames(target, after.times_s[picked])
    assert [number_of(image) for image in new] == [number_of(image) for image in old]
    assert np.abs(new.astype(int) - old).mean() < 4, "the colours stay"


@pytest.mark.parametrize(
    ("kind", "exact"), [("even.mp4", True), ("late.mp4", True), ("even.avi", False), ("even.ts", False)]
)
def test_the_sound_stays_where_it_was(zoo: MediaZoo, tmp_path: Path, kind: str, exact: bool) -> None:
    source, target = zoo[kind], tmp_path / "out.mp4"
    rewrite_video(source, timeline(source), target, unchanged)
    old, new = read_audio(source), read_audio(target)
    length = min(len(old), len(new)) - 1600
    assert length > 16_000
    assert abs(len(old) - len(new)) < 1600
    apart = np.abs(new[:length] - old[:length])
    assert (apart.max() < 1e-4) if exact else (np.corrcoef(new[:length], old[:length])[0, 1] > 0.98)


def test_a_changed_size_is_written(zoo: MediaZoo, tmp_path: Path) -> None:
    source, target = zoo["even.mp4"], tmp_path / "out.mp4"

    def half(number: int, planes: Planes) -> Planes:
        return Planes(*(np.ascontiguousarray(plane[::2, ::2]) for plane in (planes.y, planes.u, planes.v)))

    rewrite_video(source, timeline(source), target, half)
    info = timeline(target).info
    assert (info.width, info.height) == (WIDTH // 2, HEIGHT // 2)


def test_an_odd_size_is_padded_by_a_pixel(zoo: MediaZoo, tmp_path: Path) -> None:
    source, target = zoo["odd.mp4"], tmp_path / "out.mp4"
    rewrite_video(source, timeline(source), target, unchanged)
    before, after = timeline(source).info, timeline(target).info
    assert (after.width, after.height) == (before.width + before.width % 2, before.height + before.height % 2)


def test_a_failure_leaves_no_file(zoo: MediaZoo, tmp_path: Path) -> None:
    target = tmp_path / "out.mp4"

    def broken(number: int, planes: Planes) -> Planes:
        if number == 40:
            raise ValueError("no more")
        return planes

    with pytest.raises(ValueError, match="no more"):
        rewrite_video(zoo["even.mp4"], timeline(zoo["even.mp4"]), target, broken)
    assert not target.exists()


def test_metadata_is_left_behind(zoo: MediaZoo, tmp_path: Path) -> None:
    import av
    from media_zoo import even, write_recording

    source = write_recording(
        tmp_path / "named.mp4",
        even(60),
        sound=(0.0, 2.0),
        metadata={"title": "Jane Doe", "comment": "ward 7"},
    )
    rewrite_video(source, timeline(source), tmp_path / "out.mp4", unchanged)
    assert b"Jane" not in (tmp_path / "out.mp4").read_bytes()
    with av.open(str(tmp_path / "out.mp4")) as container:
        assert "title" not in container.metadata


def test_a_damaged_recording_is_refused(zoo: MediaZoo, tmp_path: Path) -> None:
    from media_zoo import damaged

    source = damaged(zoo["long_gop.mp4"], tmp_path / "damaged.mp4", 0.3, 0.6)
    with pytest.raises(MediaError, match="damaged"):
        rewrite_video(source, timeline(source), tmp_path / "out.mp4", unchanged)
    assert not (tmp_path / "out.mp4").exists()
