"""Measure speech enhancement and transcripts on sound whose parts are known.

    python benchmarks/sound_enhancement.py [PART ...]

``noise``   by how much the signal-to-noise ratio rises for speech, and what becomes of groans;
``words``   word error rate of the packaged Whisper, in quiet, in noise and after enhancement;
``memory``  peak memory and time of a recording of two minutes (Linux), each step in a process of its own.

All sounds are synthetic: the numbers compare settings and find faults; they do not tell how real wards fare.
"""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import av
import numpy as np
import soundfile
from measuring import Clock, forget_peak, in_own_process, peak_mib, print_table, run_parts, used_mib
from sound_scenes import (
    RATE,
    Sound,
    kept_db,
    mixed,
    signal_to_noise_db,
    simulated_parts,
    spoken_passage,
    word_error_rate,
)

from semiology.data.recording_set import Recording
from semiology.enhancements.sound.denoise import ATTENUATION_LIMIT_DB, Denoise
from semiology.enhancements.speech.transcribe import Transcribe
from semiology.enhancements.speech.transcript_file import read_transcript

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


if __name__ == "__main__":
    run_parts(__doc__, {"noise": noise, "words": words, "memory": memory})
