"""One recording before and after its enhancements, for a person to look at before hours are spent on all."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from semiology.data.cache import written_whole
from semiology.data.media.audio import read_audio
from semiology.data.media.frames import read_frames
from semiology.data.media.probe import MediaError, probe
from semiology.data.recording_set import Recording
from semiology.data.tables.reading import read_recording_set
from semiology.enhancements.enhance import Told, choose_recordings
from semiology.enhancements.pipeline.cache import EnhancementCache, Made
from semiology.enhancements.pipeline.step import Outcome, Step
from semiology.enhancements.preview.figure import Listening, Strip, Words, draw, small
from semiology.enhancements.preview.page import page
from semiology.enhancements.registry import STEPS, EnhancementError
from semiology.enhancements.speech.transcript_file import read_transcript

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
    stills: int = 5,
    told: Told | None = None,
) -> Mapping[str, Outcome]:
    """Enhance one recording and write what it looks and sounds like, readable for its owner alone.

    Args:
        directory: folder of the recording set.
        steps: enhancements with their settings; what they make stays in the cache.
        out: ``.png``, or ``.html`` with the picture and sound to listen to; an existing file is replaced.
        video_id: of the recording; None for the first.
        stills: number of times at which pictures are shown.
        told: is told of the progress.

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
    recording = choose_recordings(recording_set, [video_id] if video_id else [])[0]
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
    strips = [Strip(ORIGINAL, times, [_still(recording.video, time) for time in times])]
    for name in names:
        file, note = made[name].file, _note(made[name])
        pictures = [_still(file, time) for time in times] if file else []
        strips.append(Strip(name, times, pictures, note))
    return strips


def _still(video: Path, time_s: float) -> NDArray[np.uint8]:
    return small(read_frames(video, [time_s])[0])


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
