"""Measure speech enhancement and transcripts on sound whose parts are known.

Run: ``python benchmarks/sound_enhancement.py [noise|words|memory ...]`` (all of them without an argument).

``noise``   by how much the signal-to-noise ratio rises for speech, and what becomes of groans;
``words``   word error rate of the packaged Whisper, in quiet, in noise and after enhancement;
``memory``  peak memory and time of a recording of two minutes (Linux).

All sounds are synthetic: the figures compare settings and find faults; they do not tell how real wards fare.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

import av
import numpy as np
import soundfile
from rich.console import Console
from rich.table import Table
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
        target = Path(folder) / "denoised.wav"
        outcome = Denoise(attenuation_limit_db=limit_db).apply(
            recording_of(sound, Path(folder)), target, None
        )
        if outcome.status != "done":
            raise SystemExit(outcome.sentence)
        cleaned = np.asarray(soundfile.read(target)[0], np.float64)
    return np.pad(cleaned, (0, max(0, sound.size - cleaned.size)))[: sound.size]


def recognised(sound: Sound) -> str:
    """Return the words that the packaged Whisper hears."""
    with TemporaryDirectory() as folder:
        target = Path(folder) / "transcript.json"
        outcome = Transcribe(device="cpu").apply(recording_of(sound, Path(folder)), target, None)
        if outcome.status != "done":
            raise SystemExit(outcome.sentence)
        return " ".join(item.text for item in read_transcript(target))


def noise(console: Console) -> None:
    """Print signal-to-noise ratios before and after, and what is kept of the wanted sound."""
    speech, groans, alarm = simulated_parts()
    table = Table("wanted sound", "limit, dB", "SNR before, dB", "after", "gain", "wanted sound kept, dB")
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
                table.add_row(
                    name,
                    "none" if limit_db is None else f"{limit_db:g}",
                    *(f"{ratio:.1f}" for ratio in (*ratios, ratios[1] - ratios[0])),
                    f"{kept_db(before, after, wanted):.1f}",
                )
    console.print(table)


def words(console: Console) -> None:
    """Print word error rates."""
    said, passage = spoken_passage()
    alarm = simulated_parts()[2]
    table = Table("sound", "words", "word error rate", "after denoise", "after denoise without limit")
    cases = [("quiet", 0.9 * passage / np.abs(passage).max())]
    cases += [(f"alarm and ventilation, {ratio:g} dB", mixed(passage, alarm, ratio)) for ratio in (10.0, 0.0)]
    for name, sound in cases:
        rates = [
            word_error_rate(said, recognised(each))
            for each in (sound, denoised(sound, ATTENUATION_LIMIT_DB), denoised(sound, None))
        ]
        table.add_row(name, str(len(said.split())), *(f"{rate:.3f}" for rate in rates))
    console.print(table)


_CHILD = """
import sys, time
from pathlib import Path
from semiology.data.recording_set import Recording
from semiology.enhancements.sound.denoise import Denoise
from semiology.enhancements.speech.transcribe import Transcribe
def memory(field):
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(field)) / 1024
what, folder = sys.argv[1], Path(sys.argv[2])
step = Transcribe(device="cpu") if what == "transcript" else (
    Denoise() if what == "denoise" else Denoise("segan", Path(sys.argv[3])))
def run(name):
    recording = Recording("v", "p", folder / name / "video.mp4", folder / name / "sound.wav")
    target = folder / (name + step.suffix)
    outcome = step.apply(recording, target, None)
    assert outcome.status == "done", outcome
run("short")
loaded, start, busy = memory("VmRSS"), time.perf_counter(), time.process_time()
Path("/proc/self/clear_refs").write_text("5")
run("long")
print(loaded, memory("VmHWM"), time.process_time() - busy)
"""


def memory(console: Console) -> None:
    """Print memory after a recording of 2 s (libraries and model loaded), and its peak over one of 120 s."""
    _, passage = spoken_passage()
    table = Table("enhancement", "loaded, MiB", "peak for 2 minutes, MiB", "added, MiB", "CPU time, s")
    with TemporaryDirectory() as name:
        folder = Path(name)
        for part, length_s in (("short", 2), ("long", 120)):
            (folder / part).mkdir()
            recording_of(np.resize(0.5 * passage, length_s * RATE), folder / part)
        checkpoint = folder / "random.safetensors"
        _write_random_segan(checkpoint)
        for what in ("denoise", "segan", "transcript"):
            for made in folder.glob("*.wav"):
                made.unlink()
            command = [sys.executable, "-c", _CHILD, what, str(folder), str(checkpoint)]
            done = subprocess.run(command, check=True, capture_output=True, text=True)  # noqa: S603
            loaded, peak, seconds = (float(part) for part in done.stdout.split()[-3:])
            label = "segan (random weights)" if what == "segan" else what
            table.add_row(label, f"{loaded:.0f}", f"{peak:.0f}", f"{peak - loaded:.0f}", f"{seconds:.1f}")
    console.print(table)


def _write_random_segan(checkpoint: Path) -> None:
    from safetensors.torch import save_file

    from semiology.enhancements.sound.segan import SeganGenerator

    save_file(SeganGenerator().state_dict(), checkpoint)


def main() -> None:
    """Run what is named."""
    parts: dict[str, Callable[[Console], None]] = {"noise": noise, "words": words, "memory": memory}
    asked = sys.argv[1:] or list(parts)
    if unknown := [name for name in asked if name not in parts]:
        raise SystemExit(f"{unknown[0]}: name some of {', '.join(parts)}")
    for name in asked:
        parts[name](Console())


if __name__ == "__main__":
    main()
