"""Speech enhancement of a whole recording: noise out, voices and loudness kept, 16 kHz, one channel.

The derived file is a WAV as long as the pictures, so that its second t is the recording's. Two enhancers:
``deepfilternet`` (DeepFilterNet3, packaged) and ``segan`` (the EMBC study's condition, with the user's
weights). Both are trained on speech; whatever else a patient utters is at risk, so the attenuation is
limited by default and pieces that were almost erased are counted.

Levels are mean squares of pieces of 0.4 s, in dB below full scale (dBFS). A recording's loud pieces are found by the
two gates of ITU-R BS.1770-4 (not those below -70 dBFS, then not those more than 10 dB below the mean of the others),
without that standard's ear weighting and overlap, so that sound can be measured while it streams by.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Protocol

import numpy as np
import soundfile
from numpy.typing import NDArray
from scipy.signal import resample_poly

from semiology.data.cache import cache_directory, content_digest
from semiology.data.media.copy_check import CopyError
from semiology.data.media.probe import display_name
from semiology.data.recording_set import Recording
from semiology.enhancements.pipeline.step import Figure, JsonValue, Outcome, Progress
from semiology.enhancements.sound import deepfilternet
from semiology.enhancements.sound.track import Samples, SoundTrack, blocks, find_track, sound_inputs

if TYPE_CHECKING:
    from semiology.enhancements.command_options import Choices


RATE = 16_000
"""Sampling rate of the derived file, Hz."""
ATTENUATION_LIMIT_DB = 18.0
PIECE_S = 0.4
SILENCE_DBFS = -60.0
"""A recording whose loudest piece lies below this is silent."""
MOST_GAIN_DB = 6.0
"""An enhanced recording is made louder or softer by no more than this."""
_ABSOLUTE_GATE_DBFS, _RELATIVE_GATE_DB = -70.0, -10.0
_FLOOR = 1e-15
_LOUD_DB, _ERASED_DB = 15.0, 12.0

Levels = NDArray[np.float64]
_MARGIN = 90
"""Samples of context of a resampled block: more than the filter's half length of 30, and a multiple of 3."""
_HEADROOM = 0.99
_BLOCK = 30 * RATE
"""Samples of the derived file that are written at once."""

Method = Literal["deepfilternet", "segan"]
_TITLES: Mapping[Method, str] = {"deepfilternet": "DeepFilterNet3", "segan": "SEGAN"}
NO_SOUND = "the recording has no sound track, and no sound file is named in the column `audio`"


class Enhancer(Protocol):
    """What cleans sound as it streams by."""

    @property
    def rate(self) -> int:
        """Sampling rate that it works at, Hz; `RATE` or a multiple."""

    def stream(self, blocks: Iterable[Samples]) -> Iterator[Samples]:
        """Yield as many samples as come in, in time with them."""


@dataclass(frozen=True)
class Denoise:
    """The enhancement ``denoise``.

    Attributes:
        method: What cleans the sound.
        checkpoint: SEGAN's weights, safetensors; for ``segan`` alone, and needed there.
        attenuation_limit_db: DeepFilterNet3 makes nothing softer by more than this; None for no limit, as
            published. A lower limit leaves more noise and more of a groan.
        seed: Of SEGAN's random latents.
    """

    method: Method = "deepfilternet"
    checkpoint: Path | None = None
    attenuation_limit_db: float | None = ATTENUATION_LIMIT_DB
    seed: int = 0
    name: str = "denoise"
    version: str = "1"
    suffix: str = ".wav"

    def __post_init__(self) -> None:
        if (self.method == "segan") != (self.checkpoint is not None):
            raise ValueError(
                "speech enhancement by SEGAN needs a checkpoint of yours (safetensors); DeepFilterNet3 "
                "brings its own weights and takes none"
            )
        if self.attenuation_limit_db is not None and not 0 < self.attenuation_limit_db <= 100:
            raise ValueError(
                f"an attenuation limit of {self.attenuation_limit_db} dB: give more than 0 and at most 100, "
                "or None for no limit"
            )

    @classmethod
    def from_choices(cls, choices: Choices) -> Denoise:
        """Return the step as a user chose it; raise ValueError where choices contradict each other."""
        step = cls(method=choices.denoiser, checkpoint=choices.segan_checkpoint)
        limit = choices.attenuation_limit_db
        if limit is None:
            return step
        if choices.denoiser == "segan":
            raise ValueError(
                "--attenuation-limit is of use with --denoiser deepfilternet alone; leave it out"
            )
        return replace(step, attenuation_limit_db=None if math.isinf(limit) else limit)

    def parameters(self) -> Mapping[str, JsonValue]:
        """Return every setting that alters the output, the weights by their digest."""
        if self.checkpoint is None:
            return {
                "method": self.method,
                "model": deepfilternet.identity(),
                "attenuation_limit_db": self.attenuation_limit_db,
            }
        there = self.checkpoint.is_file()
        weights = content_digest(self.checkpoint, cache_directory()) if there else "absent"
        return {"method": self.method, "weights": weights, "seed": self.seed}

    def inputs(self, recording: Recording) -> Sequence[Path]:
        """Return the video, which gives the length, and the sound file where there is one."""
        return sound_inputs(recording)

    def apply(self, recording: Recording, target: Path, progress: Progress | None) -> Outcome:
        """Write the cleaned sound."""
        track = find_track(recording)
        if track is None:
            return Outcome("unavailable", NO_SOUND)
        try:
            enhancer = self._open()
        except (ImportError, ValueError) as error:
            return Outcome("unavailable", str(error))
        heard, cleaned = LevelMeter(enhancer.rate), LevelMeter(enhancer.rate)
        raw = target.with_name("cleaned.f32")
        with raw.open("wb") as stream:
            sound = heard.through(blocks(track, enhancer.rate, progress=progress))
            for samples in cleaned.through(enhancer.stream(sound)):
                samples.tofile(stream)
        before, after = heard.levels(), cleaned.levels()
        if is_silent(before):
            _write(target, blocks(track, RATE), track)
            sentence = f"the sound is silent throughout and was passed on unchanged{track.misfit()}"
            return Outcome("done", sentence, {**_facts(track), "silent": 1})
        gain_db = matching_gain_db(before, after)
        gain = min(10 ** (gain_db / 20), _HEADROOM / max(cleaned.peak, 1e-9))
        _write(target, _final(np.memmap(raw, np.float32, "r"), enhancer.rate // RATE, gain), track)
        raw.unlink()
        return _outcome(self.method, track, (before, after), 20 * float(np.log10(gain)))

    def _open(self) -> Enhancer:
        if self.checkpoint is None:
            return deepfilternet.DeepFilterNet3(self.attenuation_limit_db)
        if find_spec("torch") is None:
            raise ImportError("SEGAN needs torch: install semiology-eval with its dependencies")
        from semiology.enhancements.sound.segan import Segan

        return Segan(self.checkpoint, self.seed)


def _final(cleaned: Any, down: int, gain: float) -> Iterator[Samples]:
    """Yield cleaned sound at the derived file's rate and loudness."""
    total = round(cleaned.size / down)
    for first in range(0, total, _BLOCK):
        last = min(first + _BLOCK, total)
        start = max(0, first * down - _MARGIN)
        piece = np.asarray(cleaned[start : last * down + _MARGIN], np.float32)
        coarse = piece if down == 1 else resample_poly(piece, 1, down).astype(np.float32)
        offset = first - start // down
        yield coarse[offset : offset + last - first] * np.float32(gain)


def _write(target: Path, sound: Iterable[Samples], track: SoundTrack) -> None:
    """Write sound, and hold what was written against the recording that it was made from.

    Raises:
        CopyError: the file is not as long as the pictures, to a sample of rounding, or not in one channel at `RATE`.
    """
    with soundfile.SoundFile(target, "w", RATE, 1, "PCM_16", format="WAV") as file:
        for samples in sound:
            file.write(np.clip(samples, -1.0, 1.0))
    held, wanted = soundfile.info(target), round(track.length_s * RATE)
    if (held.samplerate, held.channels) != (RATE, 1) or abs(held.frames - wanted) > 1:
        raise CopyError(
            f"{display_name(track.path)}: of {wanted} samples of sound {held.frames} were written, at "
            f"{held.samplerate} Hz in {held.channels} channels"
        )


def _facts(track: SoundTrack) -> dict[str, Figure]:
    return {
        "seconds": round(track.length_s, 2),
        "source_rate_hz": track.rate,
        "source_channels": track.channels,
        **track.misfit_figures(),
    }


def _outcome(
    method: Method, track: SoundTrack, levels: tuple[NDArray[np.float64], NDArray[np.float64]], gain_db: float
) -> Outcome:
    before, after = levels
    loud, erased = loud_and_erased(before, after + gain_db)
    loudest = loud_pieces(after) if loud_pieces(after).any() else np.ones_like(after, bool)
    quieter = float(np.quantile(before, 0.2) - np.quantile(after + gain_db, 0.2))
    sentence = f"{_TITLES[method]} cleaned {track.length_s:.0f} s of sound; background {quieter:.0f} dB down"
    if erased:
        sentence += (
            f"; {erased} of {loud} pieces of 0.4 s that stood out were almost erased (alarms should be, "
            "groans should not: listen to the preview)"
        )
    figures: dict[str, Figure] = {
        **_facts(track),
        "silent": 0,
        "level_before_dbfs": _tenth(mean_level(before[loudest])),
        "level_after_dbfs": _tenth(mean_level(after[loudest]) + gain_db),
        "gain_db": _tenth(gain_db),
        "background_reduction_db": _tenth(quieter),
        "loud_pieces": loud,
        "erased_pieces": erased,
    }
    return Outcome("done", sentence + track.misfit(), figures)


def _tenth(level: float) -> float:
    return round(max(level, -150.0), 1)


class LevelMeter:
    """Measures the level of consecutive pieces of sound that comes in blocks of any length."""

    def __init__(self, rate: int) -> None:
        self._size = round(PIECE_S * rate)
        self._rest = np.zeros(0, np.float32)
        self._squares: list[NDArray[np.float64]] = []
        self.peak = 0.0

    def add(self, samples: NDArray[np.float32]) -> None:
        """Hear the next samples, shape (samples,)."""
        if samples.size:
            self.peak = max(self.peak, float(np.abs(samples).max()))
        sound = np.concatenate([self._rest, samples])
        whole = sound.size // self._size * self._size
        pieces = sound[:whole].reshape(-1, self._size)
        self._squares.append(np.mean(np.square(pieces, dtype=np.float64), axis=1))
        self._rest = sound[whole:]

    def through(self, sound: Iterable[NDArray[np.float32]]) -> Iterable[NDArray[np.float32]]:
        """Hand blocks through, measuring them."""
        for samples in sound:
            self.add(samples)
            yield samples

    def levels(self) -> Levels:
        """Return the level of every piece in dBFS, shape (pieces,); a last short one counts too."""
        rest = [np.array([np.mean(np.square(self._rest, dtype=np.float64))])] if self._rest.size else []
        return 10 * np.log10(np.concatenate([np.zeros(0), *self._squares, *rest]) + _FLOOR)


def loud_pieces(levels: Levels) -> NDArray[np.bool_]:
    """Return which pieces pass both gates, shape (pieces,); none of a silent recording does."""
    heard = levels > _ABSOLUTE_GATE_DBFS
    if not heard.any():
        return heard
    return np.asarray(heard & (levels > mean_level(levels[heard]) + _RELATIVE_GATE_DB))


def mean_level(levels: Levels) -> float:
    """Return the level of some pieces together, dBFS; there must be at least one."""
    return float(10 * np.log10(np.mean(10 ** (levels / 10))))


def is_silent(levels: Levels) -> bool:
    """Return whether not even the loudest piece can be called sound."""
    return not levels.size or float(levels.max()) < SILENCE_DBFS


def matching_gain_db(before: Levels, after: Levels) -> float:
    """Return the gain that makes enhanced sound as loud as it was, dB, within ``MOST_GAIN_DB`` both ways.

    Compared are the pieces that are loud afterwards, so that noise which was rightly removed elsewhere is not
    brought back; 0 where nothing is left.
    """
    loud = loud_pieces(after)
    if not loud.any():
        return 0.0
    return float(np.clip(mean_level(before[loud]) - mean_level(after[loud]), -MOST_GAIN_DB, MOST_GAIN_DB))


def loud_and_erased(before: Levels, after: Levels) -> tuple[int, int]:
    """Count pieces that stood out from the background, and those of them that were almost taken away.

    A piece stands out if it is 15 dB louder than the quiet fifth of the recording and not silent; it counts
    as erased if it fell by more than 12 dB. An alarm should be erased, a groan should not; only a listener
    can tell.
    """
    background = float(np.quantile(before, 0.2)) if before.size else 0.0
    loud = (before > background + _LOUD_DB) & (before > SILENCE_DBFS)
    return int(loud.sum()), int((loud & (after < before - _ERASED_DB)).sum())
