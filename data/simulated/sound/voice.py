"""A small formant synthesizer: a buzz or hiss through resonators, enough for groans and plain phrases.

Source and filter as in Klatt, J. Acoust. Soc. Am. 67 (1980) 971, reduced to three parallel formants. Formant
frequencies are rounded from Peterson and Barney, J. Acoust. Soc. Am. 24 (1952) 175.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.signal import butter, lfilter, lfilter_zi

Samples = NDArray[np.float64]

RATE = 16_000
_FRAME = 160
# Phone: formants (Hz), loudness of the voice, loudness and middle (Hz) of the hiss, relative length.
_PHONES: dict[str, tuple[tuple[float, float, float], float, float, float, float]] = {
    "i": ((300, 2250, 2950), 1.0, 0.0, 0, 1.0),
    "I": ((400, 1950, 2550), 1.0, 0.0, 0, 0.8),
    "e": ((530, 1820, 2480), 1.0, 0.0, 0, 1.0),
    "A": ((660, 1720, 2410), 1.0, 0.0, 0, 1.1),
    "a": ((720, 1150, 2440), 1.0, 0.0, 0, 1.2),
    "o": ((560, 860, 2410), 1.0, 0.0, 0, 1.2),
    "u": ((320, 880, 2240), 1.0, 0.0, 0, 1.1),
    "@": ((560, 1250, 2400), 0.9, 0.0, 0, 0.7),
    "m": ((260, 1000, 2200), 0.35, 0.0, 0, 0.7),
    "n": ((260, 1550, 2500), 0.35, 0.0, 0, 0.7),
    "l": ((360, 1150, 2700), 0.55, 0.0, 0, 0.7),
    "r": ((380, 1250, 1650), 0.6, 0.0, 0, 0.7),
    "w": ((310, 720, 2200), 0.6, 0.0, 0, 0.6),
    "j": ((290, 2200, 3000), 0.6, 0.0, 0, 0.6),
    "s": ((300, 1700, 2600), 0.0, 0.5, 5600, 0.9),
    "S": ((300, 1700, 2600), 0.0, 0.5, 3000, 0.9),
    "f": ((300, 1200, 2300), 0.0, 0.2, 4500, 0.8),
    "h": ((560, 1250, 2400), 0.05, 0.25, 1600, 0.6),
    "t": ((300, 1800, 2600), 0.0, 0.12, 4200, 0.5),
    "k": ((300, 1900, 2300), 0.0, 0.14, 2000, 0.5),
    "d": ((300, 1700, 2600), 0.2, 0.08, 3500, 0.5),
    "g": ((300, 1900, 2300), 0.2, 0.08, 1900, 0.5),
    "b": ((250, 900, 2200), 0.2, 0.03, 900, 0.5),
    "p": ((250, 900, 2200), 0.0, 0.1, 900, 0.5),
    " ": ((560, 1250, 2400), 0.0, 0.0, 0, 0.5),
}
_BANDWIDTHS = (80.0, 110.0, 170.0)
_LOUDNESS = (1.0, 0.5, 0.22)


def say(
    phones: str, length_s: float, pitch_hz: float, rng: np.random.Generator, rise: float = -0.15
) -> Samples:
    """Speak a string of phones, one character each, a blank a short pause: float64 at ``RATE``, peak 1.

    Args:
        phones, length_s: what is said, and the total length in seconds, which the phones share.
        pitch_hz, rise: pitch at the start, and its change towards the end as a fraction (a question rises).
        rng: jitter of the pitch, and the hiss.

    Raises:
        KeyError: a phone is not in the table.
    """
    table = [_PHONES[phone] for phone in phones]
    frames = max(4, round(length_s * RATE / _FRAME))
    edges = np.cumsum([row[4] for row in table])
    index = np.searchsorted(edges, np.linspace(0, edges[-1] * 0.999, frames), side="right")
    tracks = np.array([[*table[i][0], table[i][1], table[i][2], table[i][3]] for i in index])
    # Mouths glide: formants and loudness move smoothly from phone to phone.
    smooth = np.apply_along_axis(
        lambda column: np.convolve(np.pad(column, 2, "edge"), np.full(5, 0.2), "valid"), 0, tracks
    )
    smooth[:, 5] = tracks[:, 5]
    time = np.linspace(0, 1, frames)
    pitch = pitch_hz * (1 + rise * time**2 + 0.05 * np.sin(2 * np.pi * time * rng.uniform(1, 2.5)))
    return _spoken(smooth, pitch, rng)


def groan(length_s: float, pitch_hz: float, rng: np.random.Generator) -> Samples:
    """Return one groan, peak 1, at ``RATE``: a long dark vowel that swells, sinks in pitch and is rough."""
    sound = say("m" + rng.choice(["o", "@", "u"]) * 6 + "m", length_s, pitch_hz * 0.8, rng, rise=-0.3)
    clock = np.arange(len(sound)) / RATE
    rough = 1 - 0.35 * (0.5 + 0.5 * np.sin(2 * np.pi * 28 * clock))
    swell = np.sin(np.pi * np.clip(clock / length_s, 0, 1)) ** 0.6
    return _levelled(sound * rough * swell)


def _spoken(tracks: NDArray[np.float64], pitch: NDArray[np.float64], rng: np.random.Generator) -> Samples:
    count = len(tracks) * _FRAME
    phase = np.cumsum(np.repeat(pitch, _FRAME) * (1 + 0.01 * rng.standard_normal(count))) / RATE
    # A falling ramp per period: bright at the jump, as the closing glottis is.
    buzz = (1 - (phase % 1.0)) ** 2 - 1 / 3
    voice = buzz * np.interp(np.arange(count), np.arange(len(tracks)) * _FRAME, tracks[:, 3])
    out = np.zeros(count)
    for formant in range(3):
        out += _LOUDNESS[formant] * _resonated(voice, tracks[:, formant], _BANDWIDTHS[formant])
    return _levelled(out + _hiss(tracks, rng))


def _resonated(source: Samples, hertz: NDArray[np.float64], bandwidth: float) -> Samples:
    """Filter with a resonator whose frequency moves every 10 ms."""
    out = np.empty_like(source)
    state = np.zeros(2)
    radius = np.exp(-np.pi * bandwidth / RATE)
    for frame, middle in enumerate(hertz):
        poles = [1.0, -2 * radius * np.cos(2 * np.pi * middle / RATE), radius**2]
        part = slice(frame * _FRAME, (frame + 1) * _FRAME)
        out[part], state = lfilter([1 - radius], poles, source[part], zi=state)
    return out


def _hiss(tracks: NDArray[np.float64], rng: np.random.Generator) -> Samples:
    count = len(tracks) * _FRAME
    loud = np.repeat(tracks[:, 4], _FRAME)
    out = np.zeros(count)
    for middle in np.unique(tracks[:, 5]):
        if middle <= 0:
            continue
        low, high = max(300.0, middle * 0.7), min(RATE / 2 - 200, middle * 1.4)
        b, a = butter(2, [low, high], "bandpass", fs=RATE)
        noise = lfilter(b, a, rng.standard_normal(count), zi=lfilter_zi(b, a) * 0)[0]
        out += noise * loud * np.repeat(tracks[:, 5] == middle, _FRAME) * 0.25
    return out


def _levelled(sound: Samples) -> Samples:
    peak = float(np.abs(sound).max())
    return sound / peak if peak > 0 else sound
