"""The picture of a preview: stills above each other, sound before and after, words with their times."""

from __future__ import annotations

import io
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from matplotlib.figure import Figure

WIDTH_IN = 13.0
DPI = 100
STILL_PX = 480
"""Longest side of a still, px."""
_POINTS = 512
"""Window of the spectrogram, samples: 32 ms at 16 kHz."""
_LEVELS_DB = (-110.0, -20.0)
_MOST_LINES = 40


@dataclass(frozen=True)
class Strip:
    """Stills of one video at several times.

    Attributes:
        label: what the video is.
        times_s: of the stills, s.
        pictures: RGB, one for each time; empty where there is no video.
        note: why there is none, or what came out.
    """

    label: str
    times_s: Sequence[float]
    pictures: Sequence[NDArray[np.uint8]]
    note: str = ""


@dataclass(frozen=True)
class Listening:
    """One version of the sound.

    Attributes:
        label: what it is.
        samples: one channel in [-1, 1]; empty where there is none.
        rate: samples per s.
        note: why there is none, or what came out.
    """

    label: str
    samples: NDArray[np.float32]
    rate: int
    note: str = ""


@dataclass(frozen=True)
class Words:
    """A transcript as lines of text with their times, or the reason why there is none."""

    label: str
    lines: Sequence[str]
    note: str = ""


def small(picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return a picture with its longest side at most `STILL_PX`."""
    height, width = picture.shape[:2]
    scale = STILL_PX / max(height, width)
    if scale >= 1:
        return picture
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    return np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), np.uint8)


def draw(title: str, strips: Sequence[Strip], sounds: Sequence[Listening], words: Sequence[Words]) -> bytes:
    """Return a PNG with one row per strip, two per sound (waveform, spectrogram) and one per transcript."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    texts = [_wrapped(each) for each in words]
    heights = [_strip_height(each) for each in strips] + [2.9] * len(sounds)
    heights += [0.6 + 0.18 * len(lines) for lines in texts]
    figure = Figure(figsize=(WIDTH_IN, sum(heights) + 0.6), dpi=DPI, layout="constrained")
    FigureCanvasAgg(figure)
    figure.suptitle(title, fontsize=11)
    rows: list[Any] = list(figure.subfigures(len(heights), 1, squeeze=False, height_ratios=heights)[:, 0])
    for strip in strips:
        _draw_strip(rows.pop(0), strip)
    peak = max((float(np.abs(each.samples).max()) for each in sounds if each.samples.size), default=1.0)
    for sound in sounds:
        _draw_sound(rows.pop(0), sound, max(peak, 1e-4))
    for each, lines in zip(words, texts, strict=True):
        row = rows.pop(0)
        _head(row, each.label, "")
        row.text(0.02, 0.85, "\n".join(lines), fontsize=8, family="monospace", va="top", parse_math=False)
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png")
    return buffer.getvalue()


def _strip_height(strip: Strip) -> float:
    if not strip.pictures:
        return 0.9
    tallest = float(max(picture.shape[0] / picture.shape[1] for picture in strip.pictures))
    return WIDTH_IN / len(strip.pictures) * tallest + 0.55


def _draw_strip(row: Figure, strip: Strip) -> None:
    _head(row, strip.label, strip.note)
    if not strip.pictures:
        return
    axes = np.atleast_1d(row.subplots(1, len(strip.pictures)))
    for place, time_s, picture in zip(axes, strip.times_s, strip.pictures, strict=True):
        place.imshow(picture)
        place.set_title(f"{time_s:.1f} s", fontsize=8)
        place.set_axis_off()


def _draw_sound(row: Figure, sound: Listening, peak: float) -> None:
    _head(row, sound.label, sound.note)
    if not sound.samples.size:
        return
    wave, spectrum = row.subplots(2, 1, sharex=True)
    low, high, times = _envelope(sound.samples, sound.rate)
    wave.fill_between(times, low, high, linewidth=0.4, color="tab:blue")
    wave.set_ylim(-1.05 * peak, 1.05 * peak)  # the same for all, so that loudness can be compared
    wave.set_ylabel("amplitude", fontsize=8)
    if sound.samples.size >= _POINTS:
        with np.errstate(divide="ignore"):  # digital silence is minus infinity dB
            spectrum.specgram(
                sound.samples,
                NFFT=_POINTS,
                noverlap=_POINTS // 2,
                Fs=sound.rate,
                vmin=_LEVELS_DB[0],
                vmax=_LEVELS_DB[1],
                cmap="magma",
            )
    spectrum.set_ylabel("Hz", fontsize=8)
    spectrum.set_xlabel("s", fontsize=8)
    spectrum.set_xlim(0, sound.samples.size / sound.rate)
    for axes in (wave, spectrum):
        axes.tick_params(labelsize=7)


def _envelope(
    samples: NDArray[np.float32], rate: int, points: int = 2000
) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float64]]:
    """Return least and largest sample of short stretches, and their times: a waveform that stays small."""
    block = max(1, samples.size // points)
    whole = samples[: samples.size // block * block].reshape(-1, block)
    return whole.min(axis=1), whole.max(axis=1), np.arange(len(whole)) * block / rate


def _wrapped(words: Words) -> list[str]:
    lines = [part for line in words.lines for part in textwrap.wrap(line, 140, subsequent_indent=" " * 19)]
    if len(lines) > _MOST_LINES:
        lines = [*lines[:_MOST_LINES], f"… and {len(lines) - _MOST_LINES} more lines"]
    return [*textwrap.wrap(words.note, 150), *lines]


def _head(row: Figure, label: str, note: str) -> None:
    text = f"{label}: {note}" if note else label
    row.suptitle(textwrap.shorten(text, 170), fontsize=9, x=0.01, ha="left", parse_math=False)
