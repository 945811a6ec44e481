"""One recording before and after its enhancements, for a person to look at before hours are spent on all."""

from __future__ import annotations

import base64
import io
import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
import soundfile
from numpy.typing import NDArray

from semiology.data.cache import written_whole
from semiology.data.media.audio import read_audio
from semiology.data.media.frames import read_frames
from semiology.data.media.probe import MediaError, probe
from semiology.data.protection.splits import SCORE
from semiology.data.recording_set import Recording
from semiology.data.tables.reading import read_recording_set
from semiology.data.transcript_file import read_transcript
from semiology.enhancements.enhance import Told, choose_recordings
from semiology.enhancements.pipeline.cache import EnhancementCache, Made
from semiology.enhancements.pipeline.step import Outcome, Step
from semiology.enhancements.registry import STEPS, EnhancementError
from semiology.enhancements.views import figures_text

if TYPE_CHECKING:
    from matplotlib.figure import Figure


SOUND_RATE = 16_000
MOST_SOUND_S = 180.0
"""Sound that is drawn, s from the start."""
ORIGINAL = "original"


def preview(
    directory: Path,
    steps: Sequence[Step],
    out: Path,
    *,
    video_id: str | None = None,
    purpose: str = SCORE,
    stills: int = 5,
    told: Told | None = None,
) -> Mapping[str, Outcome]:
    """Enhance one recording and write what it looks and sounds like, readable for its owner alone.

    Args:
        steps: enhancements with their settings; what they make stays in the cache.
        out: ``.png``, or ``.html`` with the picture and sound to listen to; an existing file is replaced.
        video_id: of the recording; None for the first that the purpose may use.
        purpose: one of `semiology.data.protection.splits.PURPOSES`.

    Returns:
        What came of each enhancement, by name.

    Raises:
        EnhancementError: the recording or the form of the file is unknown.
        RecordingSetError: the set has faults.
        MediaError: the recording itself cannot be used.
    """
    if out.suffix.lower() not in (".png", ".html"):
        raise EnhancementError(f"--out {out.name}: give a file that ends in .png or .html")
    if not out.absolute().parent.is_dir():
        raise EnhancementError(f"--out {out}: there is no folder {out.absolute().parent}")
    recording_set = read_recording_set(directory)
    recording = choose_recordings(recording_set, [video_id] if video_id else [], purpose)[0]
    made: dict[str, Made] = {}
    for number, step in enumerate(steps):

        def progress(done: int, whole: int, number: int = number) -> None:
            if told is not None:
                told(number, len(steps), min(1.0, done / whole) if whole > 0 else 0.0)

        made[step.name] = EnhancementCache().make(step, recording, progress)
    strips = _strips(recording, made, stills)
    sounds = _sounds(recording, made)
    picture = draw(recording.video_id, strips, sounds, _words(made))
    outcomes = {name: each.outcome for name, each in made.items()}
    if out.suffix.lower() == ".html":
        picture = page(recording.video_id, picture, sounds, outcomes).encode()
    with written_whole(out) as unfinished:
        unfinished.write_bytes(picture)
    return outcomes


def _strips(recording: Recording, made: Mapping[str, Made], stills: int) -> list[Strip]:
    """Return the original's stills and, at the same times, those of each derived video."""
    names = [name for name in made if STEPS[name].replaces == "video"]
    if not names:
        return []
    length = probe(recording.video).duration_s
    times = [float(time) for time in length * (np.arange(stills) + 0.5) / stills]

    def stills_of(video: Path) -> list[NDArray[np.uint8]]:
        return [small(read_frames(video, [time])[0]) for time in times]

    strips = [Strip(ORIGINAL, times, stills_of(recording.video))]
    for name in names:
        file, note = made[name].file, _note(made[name])
        strips.append(Strip(name, times, stills_of(file) if file else [], note))
    return strips


def _sounds(recording: Recording, made: Mapping[str, Made]) -> list[Listening]:
    """Return the sound as it is and as each enhancement left it."""
    names = [name for name in made if STEPS[name].replaces == "audio"]
    if not names:
        return []
    end_s = min(MOST_SOUND_S, probe(recording.video).duration_s)
    sounds = [_heard(ORIGINAL, recording.audio or recording.video, end_s, "")]
    for name in names:
        file, note = made[name].file, _note(made[name])
        empty = Listening(name, np.zeros(0, np.float32), SOUND_RATE, note)
        sounds.append(_heard(name, file, end_s, note) if file else empty)
    return sounds


def _heard(label: str, path: Path, end_s: float, note: str) -> Listening:
    try:
        samples = read_audio(path, 0.0, end_s, SOUND_RATE)
    except MediaError as error:
        return Listening(label, np.zeros(0, np.float32), SOUND_RATE, str(error))
    return Listening(label, samples, SOUND_RATE, note)


def _words(made: Mapping[str, Made]) -> list[Words]:
    names = [name for name in made if STEPS[name].replaces == "text"]
    found = []
    for name in names:
        file = made[name].file
        lines = (
            [f"{s.start_s:8.2f}-{s.end_s:8.2f} s  {s.text}" for s in read_transcript(file)] if file else []
        )
        found.append(Words(name, lines, _note(made[name])))
    return found


def _note(made: Made) -> str:
    return f"{made.outcome.status}: {made.outcome.sentence}"


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
        samples: one channel in [-1, 1]; empty where there is none.
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
    heights = []
    for strip in strips:
        tallest = max((picture.shape[0] / picture.shape[1] for picture in strip.pictures), default=0.0)
        heights.append(WIDTH_IN / len(strip.pictures) * tallest + 0.55 if strip.pictures else 0.9)
    heights += [2.9] * len(sounds)
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


MOST_LISTENED_S = 60.0
"""Sound that can be played, s from the start."""

_STYLE = """
body { font: 15px/1.4 system-ui, sans-serif; margin: 2rem auto; padding: 0 1.5rem; max-width: 1320px;
  color: #1a1a1a }
table { border-collapse: collapse } th, td { border: 1px solid #ccc; padding: .3rem .6rem; text-align: left }
img { max-width: 100% } .failed { color: #a40000 } .unavailable { color: #8a5a00 }
"""


def page(title: str, picture: bytes, sounds: Sequence[Listening], outcomes: Mapping[str, Outcome]) -> str:
    """Return a page that needs no other file and no network.

    Args:
        sounds: versions of the sound; the first `MOST_LISTENED_S` seconds can be played.
    """
    rows = "".join(
        f"<tr><td>{escape(name)}</td><td class='{each.status}'>{each.status}</td>"
        f"<td>{escape(each.sentence)}</td><td>{escape(figures_text(each.figures))}</td></tr>"
        for name, each in outcomes.items()
    )
    players = ""
    for sound in sounds:
        if sound.samples.size:
            buffer, heard = io.BytesIO(), sound.samples[: int(MOST_LISTENED_S * sound.rate)]
            soundfile.write(buffer, heard, sound.rate, format="WAV", subtype="PCM_16")
            wav = base64.b64encode(buffer.getvalue()).decode()
            players += (
                f"<p>{escape(sound.label)}, first {heard.size / sound.rate:.0f} s<br>"
                f"<audio controls src='data:audio/wav;base64,{wav}'></audio></p>"
            )
    image = base64.b64encode(picture).decode()
    return (
        f"<!doctype html><html lang='en'><meta charset='utf-8'><title>{escape(title)}</title>"
        f"<style>{_STYLE}</style><h1>{escape(title)}</h1>"
        "<table><tr><th>enhancement</th><th>outcome</th><th>what was done</th><th>figures</th></tr>"
        f"{rows}</table>{players}"
        f"<img alt='stills, sound and words before and after' src='data:image/png;base64,{image}'></html>"
    )
