"""Measure speech enhancement and transcripts on sound whose parts are known.

    python benchmarks/sound_enhancement.py [PART ...]

``noise``   by how much the signal-to-noise ratio rises for speech, and what becomes of groans;
``words``   word error rate of the packaged Whisper, in quiet, in noise and after enhancement;
``memory``  peak memory and time of a recording of two minutes (Linux), each step in a process of its own.

All sounds are synthetic (voices of the simulated ward and of a synthesizer, alarm and ventilation): the numbers
compare settings and find faults; they do not tell how real wards fare. The parts of a mixture are kept, so that what
an enhancement does to each can be measured.
"""

from __future__ import annotations

import csv
import re
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import av
import numpy as np
import soundfile
from measuring import Clock, forget_peak, in_own_process, peak_mib, print_table, run_parts, used_mib
from numpy.typing import NDArray
from rapidfuzz.distance import Levenshtein

from semiology.data.recording_set import Recording
from semiology.data.simulated.script.events import Event
from semiology.data.simulated.script.script import Script, draw_look, draw_script
from semiology.data.simulated.sound.sound import soundtrack
from semiology.data.transcript_file import read_transcript
from semiology.enhancements.sound.denoise import ATTENUATION_LIMIT_DB, Denoise
from semiology.enhancements.speech.transcribe import Transcribe

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
RATIOS_DB = (10.0, 5.0, 0.0)
LIMITS_DB = (None, ATTENUATION_LIMIT_DB)


def recording_of(sound: Sound, folder: Path) -> Recording:
    """Return a recording of black pictures, as long as the sound, with the sound beside it."""
    video = folder / "video.mp4"
    with av.open(str(video), "w") as container:
        stream = container.add_stream("mpeg4", rate=5, width=64, height=64)
        frame = av.VideoFrame.from_ndarray(np.zeros((64, 64, 3), np.uint8), "rgb24")
        for number in range(round(sound.size / RATE * 5)):
            frame.pts = number
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    soundfile.write(folder / "sound.wav", sound, RATE, subtype="FLOAT")
    return Recording("simulated", "simulated", video, folder / "sound.wav")


def denoised(sound: Sound, limit_db: float | None) -> Sound:
    """Return sound as the enhancement ``denoise`` leaves it."""
    with TemporaryDirectory() as folder:
        made = _applied(Denoise(attenuation_limit_db=limit_db), sound, Path(folder))
        cleaned = np.asarray(soundfile.read(made)[0], np.float64)
    return np.pad(cleaned, (0, max(0, sound.size - cleaned.size)))[: sound.size]


def recognised(sound: Sound) -> str:
    """Return the words that the packaged Whisper hears."""
    with TemporaryDirectory() as folder:
        made = _applied(Transcribe(device="cpu"), sound, Path(folder))
        return " ".join(item.text for item in read_transcript(made))


def _applied(step: Any, sound: Sound, folder: Path) -> Path:
    """Return the file that a step makes of a sound."""
    target = folder / f"made{step.suffix}"
    outcome = step.apply(recording_of(sound, folder), target, None)
    if outcome.status != "done":
        raise SystemExit(outcome.sentence)
    return target


def noise() -> None:
    """Print signal-to-noise ratios before and after, and what is kept of the wanted sound."""
    speech, groans, alarm = simulated_parts()
    rows = []
    for name, wanted in (
        ("simulated speech", speech),
        ("espeak-ng", spoken_passage()[1]),
        ("groans", groans),
    ):
        for limit_db in LIMITS_DB:
            for ratio_db in RATIOS_DB:
                before = mixed(wanted, alarm, ratio_db)
                after = denoised(before, limit_db)
                ratios = signal_to_noise_db(before, wanted), signal_to_noise_db(after, wanted)
                numbers = (*ratios, ratios[1] - ratios[0], kept_db(before, after, wanted))
                limit = "none" if limit_db is None else f"{limit_db:g}"
                rows.append((name, limit, *(f"{number:.1f}" for number in numbers)))
    print_table(
        ("wanted sound", "limit, dB", "SNR before, dB", "after", "gain", "wanted sound kept, dB"), rows
    )


def words() -> None:
    """Print word error rates."""
    said, passage = spoken_passage()
    alarm = simulated_parts()[2]
    cases = [("quiet", 0.9 * passage / np.abs(passage).max())]
    cases += [(f"alarm and ventilation, {ratio:g} dB", mixed(passage, alarm, ratio)) for ratio in (10.0, 0.0)]
    rows = []
    for name, sound in cases:
        forms = (sound, denoised(sound, ATTENUATION_LIMIT_DB), denoised(sound, None))
        rates = [word_error_rate(said, recognised(each)) for each in forms]
        rows.append((name, len(said.split()), *(f"{rate:.3f}" for rate in rates)))
    print_table(("sound", "words", "word error rate", "after denoise", "after denoise without limit"), rows)


def memory() -> None:
    """Print memory after a recording of 2 s (libraries and model loaded), and its peak over one of 120 s."""
    rows = []
    for what in ("denoise", "segan", "transcript"):
        with TemporaryDirectory() as folder:
            loaded, peak, seconds = in_own_process(_memory_of, what, Path(folder))
        label = "segan (random weights)" if what == "segan" else what
        rows.append((label, f"{loaded:.0f}", f"{peak:.0f}", f"{peak - loaded:.0f}", f"{seconds:.1f}"))
    print_table(("enhancement", "loaded, MiB", "peak for 2 minutes, MiB", "added, MiB", "CPU time, s"), rows)


def _memory_of(what: str, folder: Path) -> tuple[float, float, float]:
    """Return memory after a short recording, the peak over a long one, MiB, and its processor time, s."""
    from safetensors.torch import save_file

    from semiology.enhancements.sound.segan import SeganGenerator

    if what == "segan":
        save_file(SeganGenerator().state_dict(), folder / "random.safetensors")
        step: Any = Denoise("segan", folder / "random.safetensors")
    else:
        step = Denoise() if what == "denoise" else Transcribe(device="cpu")
    _, passage = spoken_passage()
    sounds = [np.resize(0.5 * passage, length_s * RATE) for length_s in (2, 120)]
    _applied(step, sounds[0], folder)
    loaded = used_mib()
    forget_peak()
    with Clock() as clock:
        _applied(step, sounds[1], folder)
    return loaded, peak_mib(), clock.processor


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
    reference, found = (re.findall(r"[a-z']+", text.lower()) for text in (said, recognised))
    return Levenshtein.distance(reference, found) / len(reference)


if __name__ == "__main__":
    run_parts(__doc__, {"noise": noise, "words": words, "memory": memory})
