"""A set of films whose brightness tells whether a feature is there."""

from __future__ import annotations

import csv
from collections.abc import Callable, Sequence
from pathlib import Path

import av
import numpy as np
import pytest

PATIENTS = 12
BRIGHT = "tonic"
"""The feature that the brightness shows; `CHANCE` shows nowhere."""
CHANCE = "clonic"


def write_film(path: Path, bright: bool, number: int) -> None:
    rng = np.random.default_rng(number)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=4)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        for _ in range(16):
            picture = rng.integers(0, 60, (48, 64, 3)).astype(np.uint8) + np.uint8(150 * bright)
            for packet in stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")):
                container.mux(packet)
        for packet in stream.encode():
            container.mux(packet)


def write_set(
    folder: Path, splits: Sequence[str] = (), folds: Sequence[str] = (), films: bool = True
) -> Path:
    """Write a set of `PATIENTS` with two recordings each; every second patient shows `BRIGHT`."""
    (folder / "videos").mkdir(parents=True)
    recordings, annotations = [], []
    for patient in range(PATIENTS):
        for take in range(2):
            video = f"V{patient:02}{take}"
            bright = patient % 2 == 1
            if films:
                write_film(folder / "videos" / f"{video}.mp4", bright, 2 * patient + take)
            split = splits[patient] if splits else ""
            fold = folds[patient] if folds else ""
            recordings.append([video, f"person{patient:02}", f"videos/{video}.mp4", split, fold])
            annotations.append([video, BRIGHT, "yes" if bright else "no"])
            annotations.append([video, CHANCE, "yes" if patient // 2 % 2 else "no"])
            annotations.append([video, "ictal_vocalization", "yes" if bright else "no"])
            annotations.append([video, "figure4", "yes" if patient < 3 else "no"])
    for name, header, rows in (
        ("recordings.csv", ["video_id", "patient_id", "video", "split", "fold"], recordings),
        ("annotations.csv", ["video_id", "feature", "present"], annotations),
    ):
        with (folder / name).open("w", newline="") as stream:
            csv.writer(stream).writerows([header, *rows])
    (folder / "dataset.yaml").write_text("name: bright\nversion: '1'\nsource: drawn for a test\n")
    return folder


@pytest.fixture(scope="session")
def bright_set(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_set(tmp_path_factory.mktemp("bright") / "set")


@pytest.fixture
def changed_set(bright_set: Path, tmp_path: Path) -> Callable[..., Path]:
    """Write the set with splits or folds by patient; its films are those of `bright_set`."""

    def write(**columns: Sequence[str]) -> Path:
        folder = write_set(tmp_path / "changed", films=False, **columns)
        (folder / "videos").rmdir()
        (folder / "videos").symlink_to(bright_set / "videos")
        return folder

    return write
