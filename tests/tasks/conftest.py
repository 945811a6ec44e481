"""A small recording set with real videos, made once for the tests of this folder."""

from __future__ import annotations

import csv
import shutil
from collections.abc import Iterator
from pathlib import Path

import av
import numpy as np
import pytest

from semiology.features import FEATURES

DURATION_S = 70
FPS = 4
SIZE = (64, 48)
RECORDINGS = (("A1", "A"), ("A2", "A"), ("B1", "B"))
SILENT = "B1"


def write_video(path: Path, seconds: int = DURATION_S, sound: bool = True) -> None:
    """Write a flickering picture with a tone, ``FPS`` frames a second."""
    with av.open(str(path), "w") as container:
        video = container.add_stream("libx264", rate=FPS)
        video.width, video.height, video.pix_fmt = *SIZE, "yuv420p"
        audio = container.add_stream("aac", rate=16_000, layout="mono") if sound else None
        for index in range(seconds * FPS):
            picture = np.full((SIZE[1], SIZE[0], 3), (index * 7) % 255, np.uint8)
            for packet in video.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")):
                container.mux(packet)
        if audio is not None:
            for packet in _tone(audio, seconds):
                container.mux(packet)
        for packet in video.encode():
            container.mux(packet)


def _tone(stream: av.AudioStream, seconds: int) -> Iterator[av.Packet]:
    wave = (0.2 * np.sin(np.arange(seconds * 16_000) * 0.1)).astype(np.float32)
    for start in range(0, len(wave), 1024):
        frame = av.AudioFrame.from_ndarray(wave[None, start : start + 1024], format="fltp", layout="mono")
        frame.sample_rate, frame.pts = 16_000, start
        yield from stream.encode(frame)
    yield from stream.encode(None)


@pytest.fixture(scope="session")
def original_set(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("set")
    (folder / "videos").mkdir()
    for video_id, _ in RECORDINGS:
        write_video(folder / "videos" / f"{video_id}.mp4", sound=video_id != SILENT)
    with (folder / "recordings.csv").open("w", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(["video_id", "patient_id", "video"])
        writer.writerows([video_id, patient, f"videos/{video_id}.mp4"] for video_id, patient in RECORDINGS)
    with (folder / "annotations.csv").open("w", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(["video_id", "feature", "present"])
        for video_id, _ in RECORDINGS:
            writer.writerows([video_id, feature, "yes" if video_id == "A1" else "no"] for feature in FEATURES)
    (folder / "dataset.yaml").write_text("name: small\nversion: '1'\nsource: drawn for a test\n")
    return folder


@pytest.fixture
def small_set(original_set: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A private copy of the set, chosen as the active one, with a cache of its own."""
    folder = tmp_path / "set"
    shutil.copytree(original_set, folder)
    monkeypatch.setenv("SEMIOLOGY_DATA", str(folder))
    monkeypatch.setenv("SEMIOLOGY_CACHE", str(tmp_path / "cache"))
    for name in ("SEMIOLOGY_WINDOW", "SEMIOLOGY_PROMPT", "SEMIOLOGY_SOUND", "SEMIOLOGY_ONLY"):
        monkeypatch.setenv(name, "")  # so that what a test sets is taken back, then
        monkeypatch.delenv(name)
    return folder
