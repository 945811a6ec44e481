"""The recording, the window that is asked about, and its truth: frames, their times, and samples of sound.

The truth is decoded by PyAV frame by frame from the file's start, by nothing that a model class uses.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import av
import numpy as np
import soundfile
from lmms_eval.api.instance import Instance
from numpy.typing import NDArray

from semiology.tasks.messages import AUDIO_RATE, doc_to_messages, doc_to_visual, media_form

RATE, SECONDS, SIZE = 10, 20, 224
"""Frames a second, length in s, and side in px: a multiple of what the models' patches need, so nothing is resized."""

WINDOW = (5.0, 15.0)
TASK = "shown"
SETTINGS = {"max_new_tokens": 4, "temperature": 0, "do_sample": False, "until": []}

Frames = NDArray[np.uint8]


@dataclass(frozen=True)
class KnownRecording:
    """A film and its sound file; ``frames`` has shape (frames, height, width, 3), ``sound`` (samples,)."""

    film: Path
    sound_file: Path
    frames: Frames
    sound: NDArray[np.int16]

    def window_frames(self, shown: int) -> tuple[Frames, list[float]]:
        """Return so many frames spread evenly over the window, both ends included, and their times in s."""
        first, last = (round(time * RATE) for time in WINDOW)
        numbers = [round(first + (last - first) * place / (shown - 1)) for place in range(shown)]
        return self.frames[numbers], [number / RATE for number in numbers]

    def window_sound(self) -> NDArray[np.float32]:
        """Return the samples of the window, from -1 to 1."""
        first, last = (round(time * AUDIO_RATE) for time in WINDOW)
        return (self.sound[first:last] / 32768).astype(np.float32)

    def document(self, feature: str = "tonic", question: str = "Does the patient stiffen?") -> dict[str, Any]:
        """Return the row of a question table about the window."""
        return {
            "feature": feature,
            "question": question,
            "video_id": "a",
            "video": str(self.film),
            "audio": str(self.sound_file),
            "has_audio": True,
            "start_s": WINDOW[0],
            "end_s": WINDOW[1],
            "cut_first": False,
            "media_stamp": "",
        }


def write_recording(folder: Path) -> KnownRecording:
    """Write the recording and decode it."""
    film, sound_file = folder / "film.mp4", folder / "sound.wav"
    with av.open(str(film), "w") as container:
        stream = container.add_stream("libx264", rate=RATE)
        stream.width, stream.height, stream.pix_fmt = SIZE, SIZE, "yuv420p"
        for number in range(RATE * SECONDS):
            blocks = np.random.default_rng(number).integers(0, 256, (7, 7, 3)).astype(np.uint8)
            picture = np.ascontiguousarray(blocks.repeat(SIZE // 7, 0).repeat(SIZE // 7, 1))
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode(None))
    samples = np.random.default_rng(0).integers(-20000, 20000, SECONDS * AUDIO_RATE).astype(np.int16)
    soundfile.write(sound_file, samples, AUDIO_RATE, subtype="PCM_16")
    with av.open(str(film)) as container:
        frames = np.stack([frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)])
    assert len(frames) == RATE * SECONDS
    assert len({frame.tobytes() for frame in frames}) == len(frames)
    return KnownRecording(film, sound_file, frames, samples)


def requests(lm: Any, model: str, documents: list[dict[str, Any]]) -> list[Instance]:
    """Return what lmms-eval would hand to a model class for our tasks' rows, in the class's protocol."""
    form = media_form(model)
    lm.task_dict = {TASK: {"test": documents}}
    made = []
    for number, document in enumerate(documents):
        if getattr(lm, "is_simple", True):

            def visual(row: Any) -> Any:
                return doc_to_visual(row, form)

            arguments: tuple[Any, ...] = (document["question"], dict(SETTINGS), visual, number, TASK, "test")
        else:

            def messages(row: Any) -> Any:
                return doc_to_messages(row, form)

            arguments = (document["question"], messages, dict(SETTINGS), number, TASK, "test")
        metadata = {"task": TASK, "doc_id": number, "repeats": 1}
        made.append(Instance("generate_until", arguments, 0, metadata=metadata))
    return made
