"""Windows of simulated sound as the model hears them, with the truth of every window and every moment.

No picture is drawn: the soundtrack of a script needs none, so thousands of windows take minutes.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray
from transformers import WhisperFeatureExtractor

from semiology.data.media.audio import read_audio
from semiology.data.simulated.script.events import overlap_s
from semiology.data.simulated.script.script import Script
from semiology.data.simulated.sound.sound import soundtrack
from semiology.data.simulated.sound.voice import RATE
from semiology.data.simulated.write import add_sound
from semiology.data.windows.sliding import SlidingWindow
from semiology.tools.embedded_models.hears.architecture import TOKEN_S, audio_token_count, build_extractor
from semiology.tools.embedded_models.material import patient_scripts, save_arrays, window_chance

HEARD: tuple[str, ...] = ("address", "verbal_responsiveness", "ictal_vocalization", "talk")
"""What the listener is taught to notice moment by moment; the last is ordinary talk that answers nobody."""
CODES: tuple[str, ...] = ("yes", "no", "na", "")
"""Truth of a window by code; the empty one marks a window that cuts an exchange in two: never asked about."""
_TOO_LITTLE_S = 1.0

Sound = NDArray[np.float32]


@dataclass(frozen=True)
class SoundPool:
    """Windows of many recordings.

    Attributes:
        features: (N, mel bands, frames) float16 log-mel spectrograms.
        frames: (N,) frames that hold sound, the rest is padding.
        moments: (N, tokens, 4) booleans: which of ``HEARD`` goes on at each audio token.
        truths: (N, 2) codes of the window's truth: responsiveness, vocalization (``CODES``).
        recordings: (N,) number of the recording; patients: (N,) number of the patient.
        recording_truths: (N, 2) codes of the whole recording's truth.
    """

    features: NDArray[np.float16]
    frames: NDArray[np.int64]
    moments: NDArray[np.bool_]
    truths: NDArray[np.int64]
    recordings: NDArray[np.int64]
    patients: NDArray[np.int64]
    recording_truths: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.frames)

    def save(self, path: Path) -> None:
        """Write the pool to an npz file that appears only when it is whole."""
        save_arrays(path, vars(self))

    @classmethod
    def load(cls, path: Path) -> SoundPool:
        """Read a pool written by :meth:`save`."""
        with np.load(path) as file:
            return cls(**{name: file[name] for name in file.files})


def window_truth(script: Script, start_s: float, end_s: float) -> tuple[str, str]:
    """Return what a window lets one hear: responsiveness (yes, no, na) and vocalization (yes, no).

    Responsiveness is yes if a whole answer and at least a second of a question before it fall in the window,
    no if there is a question but no answer, na if nobody speaks to the patient. Empty where the window cuts
    what would decide.
    """
    asked = [e for e in script.of("address") if overlap_s(e, start_s, end_s) >= _TOO_LITTLE_S]
    grazed = [e for e in script.of("address") if 0 < overlap_s(e, start_s, end_s) < _TOO_LITTLE_S]
    replies = [e for e in script.of("verbal_responsiveness") if overlap_s(e, start_s, end_s) > 0]
    whole = [e for e in replies if e.onset_s >= start_s and e.offset_s <= end_s + 1e-6]
    if any(question.onset_s < reply.onset_s for question in asked for reply in whole):
        answer = "yes"
    elif replies or grazed:
        answer = ""
    else:
        answer = "no" if asked else "na"
    if script.present_between("ictal_vocalization", start_s, end_s):
        return answer, "yes"
    heard = sum(overlap_s(e, start_s, end_s) for e in script.of("ictal_vocalization"))
    # At least one groan every 3.4 s: less than a second of the event may hold none.
    return answer, "no" if heard == 0 else ""


def moments(script: Script, start_s: float, count: int) -> NDArray[np.bool_]:
    """Return (count, 4) booleans: which of ``HEARD`` goes on during each audio token of a window."""
    middles = start_s + (np.arange(count) + 0.5) * TOKEN_S
    going_on = np.zeros((count, len(HEARD)), dtype=bool)
    for column, name in enumerate(HEARD):
        for event in script.of(name):
            going_on[:, column] |= (middles >= event.onset_s) & (middles <= event.offset_s)
    return going_on


def through_aac(sound: Sound, folder: Path) -> Sound:
    """Return the sound as it is read back from an AAC track; ``folder`` holds the file for a moment."""
    path = folder / "sound.m4a"
    with av.open(str(path), "w", format="mp4") as container:
        add_sound(container, sound)
    return read_audio(path, 0.0, len(sound) / RATE, RATE)


def training_patients(count: int) -> list[int]:
    """Return numbers of training patients: all whose recording holds an answer, and two in five of the rest.

    Answers are rare (one recording in seven), and synthesis costs more than drawing a script.
    """
    chosen: list[int] = []
    patient = 0
    while len(chosen) < count:
        (script,) = patient_scripts("train", patient, 1)
        if patient % 5 < 2 or script.present("verbal_responsiveness") == "yes":
            chosen.append(patient)
        patient += 1
    return chosen


def training_windows(rng: np.random.Generator, duration_s: float, count: int) -> list[tuple[float, float]]:
    """Draw windows: whole ones anywhere, and shorter ones at the recording's end, as last windows are."""
    windows = []
    for _ in range(count):
        if rng.random() < 0.6:
            start = float(rng.uniform(0, max(0.0, duration_s - 30.0)))
            windows.append((start, min(start + 30.0, duration_s)))
        else:
            windows.append((duration_s - float(rng.uniform(8, 30)), duration_s))
    return windows


def spectrogram(extractor: WhisperFeatureExtractor, sound: Sound) -> tuple[NDArray[np.float16], int]:
    """Return the log-mel spectrogram (bands, frames) of a window and how many frames hold sound."""
    heard = extractor(
        sound, sampling_rate=RATE, padding="max_length", return_attention_mask=True, return_tensors="np"
    )
    return heard["input_features"][0].astype(np.float16), int(heard["attention_mask"][0].sum())


def build_pool(
    split: str,
    patients: Sequence[int],
    recordings: int,
    windows: int | None,
    aac: float,
    say: Callable[[str], object],
) -> SoundPool:
    """Synthesize the windows of some patients.

    Args:
        windows: random windows per recording; all windows of the protocol where None.
        aac: share of the recordings that go through AAC compression, as in mp4 files.
    """
    extractor, rows = build_extractor(), []
    with tempfile.TemporaryDirectory() as folder:
        for done, patient in enumerate(patients):
            rng = window_chance(split, patient)
            for number, script in enumerate(patient_scripts(split, patient, recordings)):
                sound = soundtrack(script)
                if rng.random() < aac:
                    sound = through_aac(sound, Path(folder))
                chosen = [(s.start_s, s.end_s) for s in SlidingWindow().segments(script.duration_s)]
                if windows is not None:
                    chosen = training_windows(rng, script.duration_s, windows)
                identity = (patient * 1000 + number, patient)
                rows += [_row(extractor, script, sound, window, identity) for window in chosen]
            if (done + 1) % 100 == 0:
                say(f"{split}: {done + 1} of {len(patients)} patients synthesised")
    columns = zip(*rows, strict=True)
    return SoundPool(*(np.stack(column) for column in columns))


def _row(
    extractor: WhisperFeatureExtractor,
    script: Script,
    sound: Sound,
    window: tuple[float, float],
    identity: tuple[int, int],
) -> tuple[NDArray[np.generic] | np.generic, ...]:
    start_s, end_s = window
    features, frames = spectrogram(extractor, sound[round(start_s * RATE) : round(end_s * RATE)])
    going_on = moments(script, start_s, audio_token_count(features.shape[1]))
    going_on[audio_token_count(frames) :] = False
    whole = [script.present(name) for name in ("verbal_responsiveness", "ictal_vocalization")]
    return (
        features,
        np.int64(frames),
        going_on,
        np.array([CODES.index(truth) for truth in window_truth(script, start_s, end_s)]),
        np.int64(identity[0]),
        np.int64(identity[1]),
        np.array([CODES.index(truth) for truth in whole]),
    )
