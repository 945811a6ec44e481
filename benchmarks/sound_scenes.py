"""Sounds whose parts are known: voices of the simulated ward and of a synthesiser, alarm and ventilation.

All of it is synthetic. The parts of a mixture are kept, so that what an enhancement does to each can be
measured.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import soundfile
from numpy.typing import NDArray
from rapidfuzz.distance import Levenshtein

from semiology.data.simulated.script.events import Event
from semiology.data.simulated.script.script import Script, draw_look, draw_script
from semiology.data.simulated.sound.sound import soundtrack

Sound = NDArray[np.float64]
RATE = 16_000
LENGTH_S = 20.0
SPEECH = Path(__file__).resolve().parents[1] / "tests" / "enhancements" / "speech"
"""Six sentences that espeak-ng 1.51 spoke, with their words."""

_TALK = (
    Event("address", 2.0, 4.0, seed=6),
    Event("verbal_responsiveness", 5.0, 6.5, seed=7),
    Event("talk", 8.0, 9.5, seed=8),
    Event("address", 12.0, 14.0, seed=9),
    Event("talk", 16.0, 17.5, seed=11),
)
_GROANS = (Event("ictal_vocalization", 2.0, 18.0, frequency_hz=0.4, seed=1),)
_ALARM = (Event("alarm", 0.0, LENGTH_S, frequency_hz=1.0, seed=1),)


def simulated_parts() -> tuple[Sound, Sound, Sound]:
    """Return speech, groans and noise (alarm with ventilation) of one simulated patient, 20 s each."""
    rng = np.random.default_rng(1)
    look = draw_look(rng)
    drawn = draw_script(np.random.default_rng(3), 30.0, look)

    def heard(events: tuple[Event, ...]) -> Sound:
        script: Script = replace(drawn, duration_s=LENGTH_S, events=events, seed=5)
        return soundtrack(script).astype(np.float64)

    room = heard(())
    return heard(_TALK) - room, heard(_GROANS) - room, heard(_ALARM)


def sentences() -> list[tuple[str, Sound]]:
    """Return the words and the sound of each synthesised sentence."""
    with (SPEECH / "sentences.csv").open(encoding="utf-8") as table:
        rows = list(csv.DictReader(table))
    return [(row["text"], soundfile.read(SPEECH / row["file"])[0]) for row in rows]


def spoken_passage() -> tuple[str, Sound]:
    """Return all sentences with pauses of a second between them."""
    pause = np.zeros(RATE)
    said = sentences()
    return " ".join(text for text, _ in said), np.concatenate([each for _, s in said for each in (s, pause)])


def mixed(wanted: Sound, noise: Sound, ratio_db: float) -> Sound:
    """Return a mixture, peak 0.9, whose wanted sound is ``ratio_db`` above the noise while it sounds."""
    repeated = np.resize(noise, wanted.size)
    level = level_db(wanted[sounding(wanted)]) - level_db(repeated)
    mixture = wanted + repeated * 10 ** ((level - ratio_db) / 20)
    return np.asarray(0.9 * mixture / np.abs(mixture).max())


def sounding(wanted: Sound) -> NDArray[np.bool_]:
    """Return where the wanted sound is more than 40 dB below its peak at most, averaged over 50 ms."""
    envelope = np.convolve(np.abs(wanted), np.ones(800) / 800, "same")
    return np.asarray(envelope > 0.01 * envelope.max())


def level_db(sound: Sound) -> float:
    """Return the mean square in dB."""
    return float(10 * np.log10(np.mean(np.square(sound)) + 1e-15))


def signal_to_noise_db(sound: Sound, wanted: Sound) -> float:
    """Return the scale-invariant ratio of the wanted sound in a sound to all else in it, dB.

    Source: Le Roux et al., "SDR - half-baked or well done?", ICASSP 2019, SI-SDR.
    """
    share = float(sound @ wanted / (wanted @ wanted))
    return level_db(share * wanted) - level_db(sound - share * wanted)


def kept_db(before: Sound, after: Sound, wanted: Sound) -> float:
    """Return by how much the wanted sound's own part of a mixture rose or fell, dB (0 is unchanged)."""
    return float(20 * np.log10(abs(after @ wanted) / abs(before @ wanted)))


def word_error_rate(said: str, recognised: str) -> float:
    """Return inserted, deleted and replaced words over words said; case and punctuation do not count."""
    reference, found = _words(said), _words(recognised)
    return Levenshtein.distance(reference, found) / len(reference)


def _words(text: str) -> Sequence[str]:
    return re.findall(r"[a-z']+", text.lower())
