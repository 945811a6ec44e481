"""A pool of simulated windows on disk: frames as the model will see them, with labels for every stage.

One file per simulated patient, so that rendering can stop and go on, several processes can share the work,
and patients never mix. Frames are kept as JPEG: small, and a mild stand-in for video compression.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from semiology.backends.embedded.sees import FPS
from semiology.data.simulated.picture.render import keypoints, render
from semiology.data.simulated.script.script import Script
from semiology.data.windows.sliding import SlidingWindow
from semiology.features import VISUAL_FEATURES
from semiology.tools.embedded_models.material import patient_scripts, save_arrays, window_chance
from semiology.tools.embedded_models.sees.architecture import PATCH_PX

VIDEO_FPS = 30.0
FRAME_SIZE = (224, 168)
SHORT_FRAMES = (10, 16, 24, 34, 46)
BLUR_SUBFRAMES = 3


@dataclass(frozen=True)
class Window:
    """Where a window lies in its recording (seconds), and how many frames are taken from it."""

    start_s: float
    end_s: float
    frames: int

    def times(self) -> np.ndarray:
        """Return the frames' times in seconds: both ends included, on the video's own frame grid."""
        first, last = np.ceil(self.start_s * VIDEO_FPS), np.floor(self.end_s * VIDEO_FPS)
        return np.round(np.linspace(first, last, self.frames)) / VIDEO_FPS


def sliding_windows(duration_s: float) -> list[Window]:
    """Return the windows of the ``sliding_window`` protocol as the stock reader samples them."""
    windows = []
    last_frame = round(duration_s * VIDEO_FPS) - 1
    for segment in SlidingWindow().segments(duration_s):
        end = min(segment.end_s, last_frame / VIDEO_FPS)
        # qwen-vl-utils includes both ends and rounds the number of frames down to an even one.
        covered = np.floor(end * VIDEO_FPS) - np.ceil(segment.start_s * VIDEO_FPS) + 1
        windows.append(Window(segment.start_s, end, max(4, int(covered / VIDEO_FPS * FPS) // 2 * 2)))
    return windows


def random_windows(
    rng: np.random.Generator, duration_s: float, count: int, short: float = 0.35
) -> list[Window]:
    """Draw training windows anywhere in a recording; a share of ``short`` ones stands for last windows."""
    windows = []
    for index in range(count):
        frames = int(rng.choice(SHORT_FRAMES)) if rng.random() < short else 60
        length = (frames * 15 + int(rng.integers(0, 15)) * (frames < 60) + 1) / VIDEO_FPS
        latest = max(0.0, duration_s - length - 0.1)
        start = float(rng.uniform(0, latest))
        if index == 0 and rng.random() < 0.7:
            start = 0.0  # the only place where sleep counts
        elif frames < 60 and rng.random() < 0.5:
            start = latest
        windows.append(Window(start, start + length, frames))
    return windows


def window_labels(script: Script, window: Window) -> np.ndarray:
    """Return (18,) booleans: does the window show each visual feature?"""
    return np.array([script.present_between(name, window.start_s, window.end_s) for name in VISUAL_FEATURES])


def pair_labels(script: Script, window: Window) -> np.ndarray:
    """Return (pairs, 18) booleans: is the feature going on while this pair of frames is taken?"""
    times = window.times().reshape(-1, 2)
    labels = np.zeros((len(times), len(VISUAL_FEATURES)), dtype=bool)
    for column, name in enumerate(VISUAL_FEATURES):
        if name == "occur_during_sleep":
            labels[:, column] = times[:, 1] <= script.asleep_until_s
        for event in script.of(name):
            labels[:, column] |= (times[:, 1] >= event.onset_s) & (times[:, 0] <= event.offset_s)
    return labels


def film(script: Script, times_s: np.ndarray) -> np.ndarray:
    """Return frames (n, 168, 224, 3) RGB, drawn at twice the size and reduced as the stock reader does."""
    width, height = FRAME_SIZE
    large = render(script, times_s, (2 * width, 2 * height), BLUR_SUBFRAMES)
    return np.stack(
        [np.asarray(Image.fromarray(f).resize(FRAME_SIZE, Image.Resampling.BICUBIC)) for f in large]
    )


def degrade(frame: np.ndarray, rng: np.random.Generator) -> bytes:
    """Return a frame (height, width, 3) RGB as JPEG of varying quality.

    Colour is kept at full resolution: video halves it before the picture is reduced, not after.
    """
    settings = [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(84, 98))]
    settings += [cv2.IMWRITE_JPEG_SAMPLING_FACTOR, cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444]
    return bytes(cv2.imencode(".jpg", frame[..., ::-1], settings)[1])


def render_patient(path: Path, split: str, patient: int, recordings: int, windows: int | None) -> None:
    """Render one patient's windows into a file.

    Args:
        patient: number within the split; the file depends on it and ``split`` alone.
        windows: random windows per recording; all windows of the protocol where None.
    """
    rng = window_chance(split, patient)
    columns: dict[str, list[np.ndarray]] = {}
    jpegs: list[bytes] = []
    for number, script in enumerate(patient_scripts(split, patient, recordings)):
        truth = np.array([script.present(name) == "yes" for name in VISUAL_FEATURES])
        chosen = sliding_windows(script.duration_s)
        if windows is not None:
            chosen = random_windows(rng, script.duration_s, windows)
        for index, window in enumerate(chosen):
            times = window.times()
            frames = film(script, times)
            jpegs += [degrade(frame, rng) for frame in frames]
            row = {
                "counts": np.array([window.frames]),
                "recordings": np.array([number]),
                "indices": np.array([index]),
                "truths": truth[None],
                "window_labels": window_labels(script, window)[None],
                "pair_labels": pair_labels(script, window),
                # (n, 40): positions relative to the frame, then the state of the face
                "keypoints": keypoints(script, times).reshape(len(times), -1).astype(np.float32),
            }
            for name, value in row.items():
                columns.setdefault(name, []).append(value)
    arrays = {name: np.concatenate(values) for name, values in columns.items()}
    ends = np.cumsum([len(jpeg) for jpeg in jpegs])
    arrays |= {"jpeg": np.frombuffer(b"".join(jpegs), np.uint8), "ends": ends}
    save_arrays(path, arrays)


def build_pool(
    directory: Path, split: str, patients: Iterable[int], recordings: int, windows: int | None
) -> Iterable[Path]:
    """Render the files that are missing and yield each file's path as it becomes available."""
    directory.mkdir(parents=True, exist_ok=True)
    for patient in patients:
        path = directory / f"{split}_{patient:05d}.npz"
        if not path.exists():
            render_patient(path, split, patient, recordings, windows)
        yield path


class Pool:
    """All windows of some patients' files, frames still compressed.

    Attributes:
        counts: (N,) frames per window.
        patients: (N,) patient's number. recordings: (N,) recording's number, unique over patients.
        indices: (N,) position of the window in its recording.
        truths: (N, 18) does the recording show the feature; window_labels: (N, 18) does the window.
        pair_labels: per window, (pairs, 18).
        keypoints: (all frames, K) regression targets, NaN where undefined.
        prevalence: (18,) share of windows that show each feature.
        grid: patch rows and columns of a frame.
    """

    def __init__(self, paths: Iterable[Path]) -> None:
        """Read the files of ``build_pool``."""
        parts = [dict(np.load(path)) for path in paths]
        if not parts:
            raise ValueError("the pool has no file; render some patients first")
        sizes = [len(part["counts"]) for part in parts]
        self.counts = np.concatenate([part["counts"] for part in parts])
        self.patients = np.repeat(np.arange(len(parts)), sizes)
        self.recordings = np.concatenate([p["recordings"] + 1000 * i for i, p in enumerate(parts)])
        self.indices = np.concatenate([part["indices"] for part in parts])
        self.truths = np.concatenate([part["truths"] for part in parts])
        self.window_labels = np.concatenate([part["window_labels"] for part in parts])
        pairs = np.concatenate([part["pair_labels"] for part in parts])
        self.pair_labels = np.split(pairs, np.cumsum(self.counts // 2)[:-1])
        self.keypoints = np.concatenate([part["keypoints"] for part in parts]).astype(np.float32)
        self.prevalence = self.window_labels.mean(0)
        self._first = np.concatenate([[0], np.cumsum(self.counts)])
        self._jpegs = [part["jpeg"] for part in parts]
        self._ends = [np.concatenate([[0], part["ends"]]) for part in parts]
        self._file_first = np.concatenate([[0], np.cumsum([p["counts"].sum() for p in parts])])
        height, width = self._decode(0).shape[:2]
        self.grid = (height // PATCH_PX, width // PATCH_PX)

    def __len__(self) -> int:
        return len(self.counts)

    def _decode(self, frame: int) -> np.ndarray:
        file = int(np.searchsorted(self._file_first, frame, side="right")) - 1
        at = frame - int(self._file_first[file])
        start, end = self._ends[file][at : at + 2]
        image = cv2.imdecode(self._jpegs[file][start:end], cv2.IMREAD_COLOR)
        if image is None:
            raise ValueError(
                f"frame {frame} of the clip pool cannot be read; delete the pool and render it anew"
            )
        return np.asarray(image[..., ::-1])

    def frames(self, index: int) -> np.ndarray:
        """Return a window's frames, (n, height, width, 3) RGB uint8."""
        return np.stack([self._decode(f) for f in range(self._first[index], self._first[index + 1])])

    def sample_pairs(self, rng: np.random.Generator, count: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Draw pairs: frames (2 count, h, w, 3), targets (count, 2 K), features going on (count, 18)."""
        windows = rng.integers(0, len(self), count)
        pairs = (rng.random(count) * (self.counts[windows] // 2)).astype(int)
        first = self._first[windows] + 2 * pairs
        frames = np.stack([self._decode(f + i) for f in first for i in (0, 1)])
        points = np.stack([self.keypoints[f : f + 2].ravel() for f in first])
        return frames, points, np.stack([self.pair_labels[w][p] for w, p in zip(windows, pairs, strict=True)])
