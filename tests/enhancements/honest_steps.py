"""Small steps that really do something to a recording, for tests of what drives steps.

They stand in for the steps of the package, which need models; a module of its own, so that worker processes
can import it.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import av
import numpy as np
import soundfile

from semiology.data.media.audio import read_audio
from semiology.data.media.probe import MediaError, probe
from semiology.data.recording_set import Recording
from semiology.data.transcript_file import Utterance, write_transcript
from semiology.enhancements.pipeline.step import JsonValue, Outcome, Progress

RATE = 16_000


@dataclass(frozen=True)
class Softer:
    """Writes the sound at a part of its loudness; does worse things to recordings that are named."""

    gain: float = 0.5
    version: str = "1"
    raises_for: str = ""
    kills_for: str = ""
    stops_for: str = ""
    name: str = "denoise"
    suffix: str = ".wav"

    def parameters(self) -> Mapping[str, JsonValue]:
        return {"gain": self.gain}

    def inputs(self, recording: Recording) -> Sequence[Path]:
        return [recording.audio or recording.video]

    def apply(self, recording: Recording, target: Path, progress: Progress | None) -> Outcome:
        if recording.video_id == self.raises_for:
            raise KeyError("a bug")
        if recording.video_id == self.kills_for:
            os.kill(os.getpid(), signal.SIGKILL)
        if recording.video_id == self.stops_for:
            raise KeyboardInterrupt
        try:
            sound = read_audio(recording.audio or recording.video, rate=RATE)
        except MediaError:
            return Outcome("unavailable", "the recording has no sound")
        (target.parent / "scratch").mkdir()
        (target.parent / "scratch" / "left_behind").write_text("rubbish")
        if progress:
            progress(1, 2)
        soundfile.write(target, sound * self.gain, RATE)
        return Outcome("done", "the sound is softer", {"seconds": round(len(sound) / RATE, 1), "how": "gain"})


@dataclass(frozen=True)
class Negative:
    """Writes the pictures as a negative, frame for frame."""

    version: str = "1"
    shorter_by: int = 0
    name: str = "pose"
    suffix: str = ".mp4"

    def parameters(self) -> Mapping[str, JsonValue]:
        return {"shorter_by": self.shorter_by}

    def inputs(self, recording: Recording) -> Sequence[Path]:
        return [recording.video]

    def apply(self, recording: Recording, target: Path, progress: Progress | None) -> Outcome:
        frames = probe(recording.video).frames - self.shorter_by
        with av.open(str(recording.video)) as source, av.open(str(target), "w") as written:
            shown = source.streams.video[0]
            stream = written.add_stream("libx264", rate=shown.average_rate)
            stream.width, stream.height, stream.pix_fmt = shown.width, shown.height, "yuv420p"
            for number, frame in enumerate(source.decode(shown)):
                if number == frames:
                    break
                picture = 255 - frame.to_ndarray(format="rgb24")
                drawn = av.VideoFrame.from_ndarray(np.ascontiguousarray(picture), format="rgb24")
                written.mux(stream.encode(drawn))
                if progress:
                    progress(number + 1, frames)
            written.mux(stream.encode(None))
        return Outcome("done", "the pictures are negatives", {"frames": frames})


@dataclass(frozen=True)
class Said:
    """Writes a transcript of what it is told was said."""

    text: str = "can you hear me"
    version: str = "1"
    name: str = "transcript"
    suffix: str = ".json"

    def parameters(self) -> Mapping[str, JsonValue]:
        return {"text": self.text}

    def inputs(self, recording: Recording) -> Sequence[Path]:
        return [recording.video]

    def apply(self, recording: Recording, target: Path, progress: Progress | None) -> Outcome:
        write_transcript(target, [Utterance(31.0, 34.0, self.text)], {})
        return Outcome("done", "somebody spoke", {"words": len(self.text.split())})
