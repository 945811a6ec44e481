"""The sound of a script: room noise, alarms, groans, stereotyped phrases, questions and answers."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.signal import butter, lfilter

from semiology.data.simulated.script.events import Event
from semiology.data.simulated.script.script import Script
from semiology.data.simulated.sound.voice import RATE, Samples, groan, say

QUESTIONS: tuple[tuple[str, str], ...] = (
    ("Can you tell me your name?", "kAn ju tel mi jor nem"),
    ("Are you okay?", "ar ju oke"),
    ("Do you know where you are?", "du ju no wer ju ar"),
    ("Can you hear me?", "kAn ju hir mi"),
    ("Show me two fingers.", "So mi tu fIng@rs"),
    ("What day is it today?", "wat de Is It t@de"),
)
"""What a caregiver asks: text, and the phones of :mod:`semiology.data.simulated.sound.voice`."""
ANSWERS: tuple[tuple[str, str], ...] = (
    ("Yes, I am fine.", "jes ai Am fain"),
    ("I am here.", "ai Am hir"),
    ("My name is Kim.", "mai nem Is kIm"),
    ("It is Monday.", "It Is mande"),
    ("I can hear you.", "ai kAn hir ju"),
)
"""What a patient answers."""
PHRASES: tuple[tuple[str, str], ...] = (
    ("Oh no, oh no.", "o no o no"),
    ("Come on.", "kam on"),
    ("Mama.", "mama"),
)
"""Stereotyped phrases, uttered again and again."""
_SPOKEN = {
    "address": (QUESTIONS, 0.26, 0.28),
    "verbal_responsiveness": (ANSWERS, 0.3, -0.15),
    "talk": (ANSWERS, 0.2, -0.1),
}
"""What is spoken as an event: lines, loudness, and how the pitch changes towards the end."""
ALARM_HZ, ALARM_TONE_S = (960.0, 770.0), 0.15
"""The two tones of a monitor's alarm in Hz, and how long each lasts in seconds."""
_PHRASE_S = 1.3
"""A phrase lasts at most this long."""


def soundtrack(script: Script) -> NDArray[np.float32]:
    """Return the sound of a whole recording: mono, float32 in [-1, 1], at ``RATE`` (16 kHz)."""
    rng = np.random.default_rng(script.seed + 11)
    mix = _room(rng, round(script.duration_s * RATE))
    carer = float(rng.choice([rng.uniform(100, 130), rng.uniform(185, 225)]))
    for event in script.of(*_SPOKEN, "ictal_vocalization"):
        own = np.random.default_rng(event.seed)
        if event.feature == "ictal_vocalization":
            _vocalize(mix, event, script.look.voice_hz, own)
            continue
        lines, loudness, rise = _SPOKEN[event.feature]
        pitch = carer if event.feature == "address" else script.look.voice_hz
        phones = lines[event.seed % len(lines)][1]
        _lay(mix, event.onset_s, loudness * say(phones, event.offset_s - event.onset_s, pitch, own, rise))
    for event in script.of("alarm"):
        _ring(mix, event)
    return np.clip(mix, -1, 1).astype(np.float32)


def spoken(event: Event) -> str | None:
    """Return the words of an event that is spoken, or None (groans have no words)."""
    if event.feature in _SPOKEN:
        lines = _SPOKEN[event.feature][0]
        return lines[event.seed % len(lines)][0]
    if event.feature == "ictal_vocalization" and event.seed % 3 == 0:
        return PHRASES[event.seed // 3 % len(PHRASES)][0]
    return None


def phrase_turns(event: Event) -> tuple[tuple[float, float], ...]:
    """Return start and end, in seconds, of each utterance of a phrase that is said again and again."""
    frames = max(4, round(min(_sounding(event), _PHRASE_S) * 100))
    return tuple((start, start + frames / 100) for start in _starts(event, frames / 100))


def _vocalize(mix: Samples, event: Event, pitch: float, rng: np.random.Generator) -> None:
    """Groan, or repeat one phrase, from the onset to the offset at the event's rate."""
    for turn in range(_turns(event)):
        if event.seed % 3 == 0:
            phones = PHRASES[event.seed // 3 % len(PHRASES)][1]
            sound = say(phones, min(_sounding(event), _PHRASE_S), pitch, rng)
        else:
            sound = groan(_sounding(event), pitch, rng)
        _lay(mix, _starts(event, len(sound) / RATE)[turn], 0.34 * sound)


def _ring(mix: Samples, event: Event) -> None:
    """Lay the alarm of a monitor: pairs of short tones, the second lower, at the event's rate."""
    count = round(ALARM_TONE_S * RATE)
    clock = np.arange(count) / RATE
    swell = np.hanning(count)
    for turn in range(int((event.offset_s - event.onset_s) * event.frequency_hz)):
        at = event.onset_s + turn / event.frequency_hz
        for place, hertz in enumerate(ALARM_HZ):
            _lay(mix, at + 0.2 * place, 0.06 * swell * np.sin(2 * np.pi * hertz * clock))


def _turns(event: Event) -> int:
    return max(1, round((event.offset_s - event.onset_s) / (1 / event.frequency_hz)))


def _sounding(event: Event) -> float:
    """Return how long one groan or phrase lasts at most, in seconds."""
    return min((event.offset_s - event.onset_s) / _turns(event) * 0.7, 2.2)


def _starts(event: Event, length_s: float) -> list[float]:
    """Return when sounds of ``length_s`` begin: evenly spaced, the last of several ends at the offset."""
    count = _turns(event)
    step = (event.offset_s - event.onset_s) / count
    starts = [event.onset_s + turn * step for turn in range(count)]
    if count > 1:
        starts[-1] = event.offset_s - length_s
    return starts


def _room(rng: np.random.Generator, count: int) -> Samples:
    """Return the ventilation: low noise and a faint mains hum."""
    level = rng.uniform(0.003, 0.012)
    b, a = butter(1, 500, "lowpass", fs=RATE)
    air = lfilter(b, a, rng.standard_normal(count)) * 3
    hum = 0.4 * np.sin(2 * np.pi * 100 * np.arange(count) / RATE)
    return np.asarray(level * (air + hum))


def _lay(mix: Samples, at_s: float, sound: Samples) -> None:
    first = max(0, round(at_s * RATE))
    last = min(len(mix), first + len(sound))
    if last > first:
        mix[first:last] += sound[: last - first]
