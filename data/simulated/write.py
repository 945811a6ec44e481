"""Write simulated recordings as a recording set: real mp4 files with sound, and the exact truth."""

from __future__ import annotations

import json
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import asdict, dataclass
from fractions import Fraction
from math import floor
from multiprocessing import get_context
from pathlib import Path
from typing import Any, Literal

import av
import cv2
import numpy as np
from numpy.typing import NDArray

from semiology.data.cache import write_whole, written_whole
from semiology.data.media.copy_check import check_film
from semiology.data.media.picture_width import readable_size
from semiology.data.recording_set import Annotation, Recording
from semiology.data.simulated.picture.pose_truth import pose_folder, write_pose
from semiology.data.simulated.picture.render import render
from semiology.data.simulated.script.behaviours import BEHAVIOUR_COLUMNS, BEHAVIOURS_FILE, behaviour_rows
from semiology.data.simulated.script.laterality import laterality_row
from semiology.data.simulated.script.script import Script, draw_control, draw_look, draw_script
from semiology.data.simulated.script.sentences import (
    drawn_features,
    not_drawn_sentence,
    reference_justification,
    reference_report,
)
from semiology.data.simulated.sound.sound import soundtrack
from semiology.data.simulated.sound.transcript import transcript
from semiology.data.simulated.sound.voice import RATE
from semiology.data.tables.laterality import LATERALITY, LATERALITY_COLUMNS
from semiology.data.tables.reading import NO_EVENT
from semiology.data.tables.writing import make_folder, table_text, write_recording_set
from semiology.data.views import progress as shown_progress

GENERATOR = "1.2"
"""Version of the generator; it changes whenever the same seed would give another recording or truth."""
MANIFEST = ".simulated.json"
_BATCH = 15
_BLUR = 3
_H264 = {"preset": "veryfast", "crf": "27", "bf": "0", "rc-lookahead": "0", "x264-params": "mbtree=0"}


@dataclass(frozen=True)
class Settings:
    """What fixes a simulated set, down to the last row of its tables."""

    patients: int
    seed: int
    recordings_per_patient: int = 2
    duration_s: tuple[float, float] = (35.0, 60.0)
    size: tuple[int, int] = (640, 480)
    fps: int = 30
    test_share: float = 0.0
    controls: int = 0

    def stated(self) -> dict[str, Any]:
        """Return the settings by name; ``test_share`` and ``controls`` only where there are any."""
        return {n: value for n, value in asdict(self).items() if n not in ("test_share", "controls") or value}

    @property
    def version(self) -> str:
        """Version of the set for ``dataset.yaml``: of the generator, the seed, and what else is not usual.

        Two sets share it exactly if recordings of the same id are the same in both: more patients, more
        recordings of each or another split change none of those that are there already.
        """
        parts = [GENERATOR, f"seed{self.seed}"]
        if self.duration_s != Settings.duration_s:
            parts.append("to".join(f"{limit:g}" for limit in self.duration_s) + "s")
        if self.size != Settings.size:
            parts.append("x".join(map(str, self.size)))
        if self.fps != Settings.fps:
            parts.append(f"{self.fps}fps")
        return "-".join(parts)


@dataclass(frozen=True)
class Planned:
    """One recording to be made."""

    video_id: str
    patient_id: str
    script: Script
    split: Literal["train", "test"] | None = None

    def video(self, directory: Path) -> Path:
        """Return the path of the video in the folder of a set."""
        return directory / "videos" / f"{self.video_id}.mp4"

    def transcript(self, directory: Path) -> Path:
        """Return the path of the transcript in the folder of a set."""
        return directory / "transcripts" / f"{self.video_id}.csv"


def plan(settings: Settings) -> tuple[Planned, ...]:
    """Draw the scripts of a set. Patient n looks and happens the same whatever the number of patients."""
    low, high = settings.duration_s
    planned: list[Planned] = []
    controls: list[Planned] = []
    for patient in range(settings.patients):
        look = draw_look(np.random.default_rng([settings.seed, patient]))
        for take in range(settings.recordings_per_patient):
            rng = np.random.default_rng([settings.seed, patient, take + 1])
            script = draw_script(rng, round(float(rng.uniform(low, high)), 1), look)
            patient_id = f"P{patient + 1:03d}"
            split = split_of(patient, settings.test_share)
            planned.append(Planned(f"{patient_id}_V{take + 1:02d}", patient_id, script, split))
        for take in range(len(range(patient, settings.controls, settings.patients))):
            rng = np.random.default_rng([settings.seed, patient, take + 1, 1])
            script = draw_control(rng, round(float(rng.uniform(low, high)), 1), look)
            name, split = f"P{patient + 1:03d}", split_of(patient, settings.test_share)
            controls.append(Planned(f"{name}_C{take + 1:02d}", name, script, split))
    return (*planned, *controls)


def split_of(patient: int, test_share: float) -> Literal["train", "test"] | None:
    """Return the split of a patient (counted from 0): evenly spaced ones are for testing; None if share 0.

    Whether a patient is for testing does not depend on the number of patients, and of the first n patients
    ``test_share * n``, rounded, are.
    """
    if not test_share:
        return None
    before, after = (floor(count * test_share + 0.5 + 1e-9) for count in (patient, patient + 1))
    return "test" if after > before else "train"


def simulate(
    directory: Path,
    *,
    patients: int,
    seed: int,
    recordings_per_patient: int = 2,
    duration_s: tuple[float, float] = (35.0, 60.0),
    size: tuple[int, int] = (640, 480),
    fps: int = 30,
    workers: int = 1,
    progress: bool = True,
    pose: bool = False,
    test_share: float = 0.0,
    controls: int = 0,
) -> None:
    """Write a recording set of simulated patients.

    Beside the tables lie ``laterality.csv`` and ``transcripts/<video_id>.csv``. A second run with the same
    settings makes only what is missing; a stopped run leaves whole files only.

    Args:
        directory: folder to write; made if it does not exist.
        patients, recordings_per_patient: numbers of patients, and of videos of each.
        seed: same seed, same tables, byte for byte.
        duration_s: shortest and longest recording, in seconds; at least 30.
        size, fps: width and height in px, even numbers; frames per second.
        workers: processes that render side by side. With more than one, a script that calls this needs the
            usual ``if __name__ == "__main__":`` guard.
        progress: show a bar on the terminal.
        pose: also write keypoints (``pose/<video_id>/``, a file per frame as OpenPose writes them; the column
            ``pose`` names the folder) and face boxes (``faces/<video_id>.csv``). A second run can add them.
        test_share: share of the patients whose ``split`` is ``test``, the rest is ``train``; 0 writes none.
        controls: recordings without an event (``diagnosis`` none), of the patients in turn, beside the others.

    Raises:
        ValueError: a setting makes no sense, or the folder holds something else.
    """
    settings = Settings(patients, seed, recordings_per_patient, duration_s, size, fps, test_share, controls)
    _check(settings, workers)
    directory = directory.expanduser().absolute()
    _claim(directory, settings)
    planned = plan(settings)
    missing = [
        p
        for p in planned
        if not p.video(directory).exists() or (pose and not pose_folder(directory, p.video_id).exists())
    ]
    there = len(planned) - len(missing)
    with shown_progress("Simulating recordings", quiet=not progress) as advance:
        for done, _ in enumerate(_made(directory, missing, settings, workers, pose), there + 1):
            if advance:
                advance(done, len(planned))
    _write_tables(directory, planned, settings)


def write_video(path: Path, script: Script, size: tuple[int, int] = (640, 480), fps: int = 30) -> None:
    """Render one script to an mp4 file (H.264, AAC); the file appears only when it is whole.

    Raises:
        CopyError: what was written does not show every frame at its time, or lacks sound.
    """
    sound, count = soundtrack(script), round(script.duration_s * fps)
    with written_whole(path, private=False) as part:
        _encode(part, script, sound, size, fps)
        check_film(part, np.arange(count) / fps, (RATE, len(sound) / RATE))


def _encode(part: Path, script: Script, sound: NDArray[np.float32], size: tuple[int, int], fps: int) -> None:
    with av.open(str(part), "w", format="mp4") as container:
        picture = container.add_stream("libx264", rate=fps, options=_H264)
        picture.width, picture.height, picture.pix_fmt = *size, "yuv420p"
        picture.codec_context.thread_count = 1
        add_sound(container, sound)
        count = round(script.duration_s * fps)
        for first in range(0, count, _BATCH):
            times = np.arange(first, min(first + _BATCH, count)) / fps
            for offset, image in enumerate(render(script, times, size, _BLUR)):
                planes = cv2.cvtColor(image, cv2.COLOR_RGB2YUV_I420)
                frame = av.VideoFrame.from_ndarray(planes, format="yuv420p")
                frame.pts, frame.time_base = first + offset, Fraction(1, fps)
                container.mux(picture.encode(frame))
        container.mux(picture.encode(None))


def add_sound(container: Any, samples: NDArray[np.float32]) -> None:
    """Add a track with samples at 16 kHz to an open container, as AAC."""
    stream = container.add_stream("aac", rate=RATE, layout="mono")
    for first in range(0, len(samples), 1024):
        frame = av.AudioFrame.from_ndarray(samples[None, first : first + 1024], format="fltp", layout="mono")
        frame.sample_rate, frame.pts, frame.time_base = RATE, first, Fraction(1, RATE)
        container.mux(stream.encode(frame))
    container.mux(stream.encode(None))


def _make(directory: Path, item: Planned, settings: Settings, pose: bool) -> None:
    """Write what a recording lacks of its files."""
    video = item.video(directory)
    if not video.exists():
        write_video(video, item.script, settings.size, settings.fps)
    if pose and not pose_folder(directory, item.video_id).exists():
        write_pose(directory, item.video_id, item.script, settings.size, settings.fps)


def _made(
    directory: Path, missing: list[Planned], settings: Settings, workers: int, pose: bool
) -> Iterator[None]:
    (directory / "videos").mkdir(parents=True, exist_ok=True)
    if workers == 1 or len(missing) < 2:
        for item in missing:
            _make(directory, item, settings, pose)
            yield
        return
    context = get_context("spawn")
    with ProcessPoolExecutor(workers, context, initializer=cv2.setNumThreads, initargs=(1,)) as pool:
        jobs = [pool.submit(_make, directory, item, settings, pose) for item in missing]
        try:
            for job in as_completed(jobs):
                job.result()
                yield
        finally:
            pool.shutdown(cancel_futures=True)


def _write_tables(directory: Path, planned: tuple[Planned, ...], settings: Settings) -> None:
    (directory / "transcripts").mkdir(exist_ok=True)
    for item in planned:
        write_whole(item.transcript(directory), transcript(item.script))
    events = [item for item in planned if item.script.diagnosis != NO_EVENT]
    rows = [laterality_row(item.video_id, item.script) for item in events]
    write_whole(directory / LATERALITY, table_text(LATERALITY_COLUMNS, rows))
    shown = [row for item in planned for row in behaviour_rows(item.video_id, item.script)]
    write_whole(directory / BEHAVIOURS_FILE, table_text(BEHAVIOUR_COLUMNS, shown))
    write_recording_set(
        directory,
        [_recording(directory, item) for item in planned],
        [annotation for p in planned for annotation in truth(p.video_id, p.script)],
        {p.video_id: reference_report(p.script) for p in events},
        {
            "name": "simulated-ward",
            "version": settings.version,
            "simulated": True,
            "source": "Simulated: drawn and synthesised by semiology.data.simulated; no patient filmed.",
            "licence": "Apache-2.0",
            "notes": "The side of figure4 is the side of the flexed arm. Sides are the patient's own. "
            "onset_side and seizure_type are simulated: the side that the signs were drawn for, and the type that "
            "follows from them. Head turning, figure 4 and one-sided tonic arms point away from it as in the "
            "literature; a face, an arm or a hand that moves in the focal phase is drawn on its own side, which is not "
            "so in patients." + (f" {missing}" if (missing := not_drawn_sentence()) else ""),
            "settings": {k: list(v) if isinstance(v, tuple) else v for k, v in settings.stated().items()},
        },
    )


def _recording(directory: Path, item: Planned) -> Recording:
    pose = pose_folder(directory, item.video_id)
    return Recording(
        video_id=item.video_id,
        patient_id=item.patient_id,
        video=item.video(directory),
        duration_s=item.script.duration_s,
        diagnosis=None if item.script.diagnosis == "none" else item.script.diagnosis,
        control=item.script.diagnosis == NO_EVENT,
        split=item.split,
        pose=pose if pose.exists() else None,
        transcript=item.transcript(directory),
        onset_side=item.script.onset_side,
        seizure_type=item.script.seizure_type,
    )


def truth(video_id: str, script: Script) -> list[Annotation]:
    """Return the truth of one recording: a row for each feature that the simulator draws."""
    rows = []
    for feature in drawn_features():
        present = script.present(feature)
        interval = script.interval(feature) if present == "yes" else None
        onset, offset = (round(seconds, 1) for seconds in interval) if interval else (None, None)
        side = script.side(feature) if present == "yes" else None
        sentence = reference_justification(feature, script)
        rows.append(Annotation(video_id, feature, present, onset, offset, side, sentence))
    return rows


def _check(settings: Settings, workers: int) -> None:
    low, high = settings.duration_s
    if settings.patients < 1 or settings.recordings_per_patient < 1 or workers < 1:
        raise ValueError("patients, recordings_per_patient and workers must be at least 1")
    if settings.controls < 0:
        raise ValueError(f"controls must be 0 or more, not {settings.controls}")
    if not 30 <= low <= high:
        raise ValueError(
            f"duration_s must be (shortest, longest) with 30 <= shortest <= longest, not {low:g}, {high:g}"
        )
    if any(side < 64 or side % 2 for side in settings.size) or settings.fps < 1:
        raise ValueError("size must be even and at least 64 px in both directions, fps at least 1")
    if settings.size != (readable := readable_size(*settings.size)):
        raise ValueError(
            f"size must have a width that decord reads on every processor: {readable[0]}x{readable[1]}, for "
            f"example, not {settings.size[0]}x{settings.size[1]}"
        )
    share = settings.test_share
    if not 0 <= share < 1:
        raise ValueError(f"test_share must be at least 0 and less than 1, not {share:g}")
    splits = {split_of(patient, share) for patient in range(settings.patients)}
    if share and len(splits) < 2:
        raise ValueError(
            f"with {settings.patients} patients a test_share of {share:g} leaves no patient for "
            f"{'testing' if 'train' in splits else 'training'}: simulate more patients or change the share"
        )


def _claim(directory: Path, settings: Settings) -> None:
    """Mark the folder as this simulation's, or refuse a folder that holds something else."""
    text = json.dumps({"generator": GENERATOR, **settings.stated()}, sort_keys=True) + "\n"
    manifest = directory / MANIFEST
    if manifest.exists():
        if manifest.read_text(encoding="utf-8") != text:
            raise ValueError(
                f"{directory} holds a simulation with other settings ({manifest.name}): "
                "choose another folder, or delete this one"
            )
        return
    if directory.is_dir() and any(directory.iterdir()):
        raise ValueError(f"{directory} is not empty and was not made by a simulation: choose another folder")
    make_folder(directory)
    write_whole(manifest, text)
