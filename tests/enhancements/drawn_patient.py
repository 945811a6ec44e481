"""A simulated patient for the tests of pose and crop: keypoints of everybody, truth, and a little video."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np

from semiology.data.media.probe import MediaInfo, Timeline
from semiology.data.recording_set import Recording
from semiology.data.simulated.picture.body import caregiver_at
from semiology.data.simulated.picture.pose_truth import body_25, caregiver_body_25, write_pose
from semiology.data.simulated.script.script import Script, draw_look, draw_script
from semiology.data.simulated.write import write_video
from semiology.enhancements.pose.keypoints import JOINTS, Detections

SIZE = (640, 480)


def drawn(seed: int, duration_s: float = 30.0) -> Script:
    rng = np.random.default_rng([606, seed])
    return draw_script(rng, duration_s, draw_look(rng))


def attended(script: Script) -> float:
    """Return the share of the time that a caregiver is in view."""
    return float((caregiver_at(script, np.arange(0, script.duration_s, 0.25))[:, 1] > 0).mean())


def first_script(wanted: Callable[[Script], bool], duration_s: float = 30.0) -> Script:
    return next(s for s in (drawn(seed, duration_s) for seed in range(500)) if wanted(s))


def line_of(times: np.ndarray, size: tuple[int, int] = SIZE) -> Timeline:
    """Return the frames of a video that need not exist."""
    rate = 1 / float(np.median(np.diff(times)))
    info = MediaInfo(float(times[-1]) + 1 / rate, rate, *size, len(times), 0, False, None, False)
    return Timeline(info, np.round(times * 90_000).astype(np.int64), times, times[:1])


def seen_people(
    script: Script, times: np.ndarray, *, noise_px: float = 0.0, dropped: float = 0.0, lost: float = 0.0
) -> tuple[Detections, np.ndarray]:
    """Return what an imperfect estimator finds, in random order, and the patient's number, -1 where lost."""
    rng = np.random.default_rng(3)
    everybody = np.stack([body_25(script, times, SIZE), caregiver_body_25(script, times, SIZE)], axis=1)
    people, patient = [], []
    for pair in everybody[:, :, : len(JOINTS)]:
        found = pair[..., 2] > 0
        pair[found, :2] += rng.normal(0, noise_px or 1e-9, (found.sum(), 2))
        pair[rng.random(found.shape) < dropped] = 0
        if rng.random() < lost:
            pair[0] = 0
        kept = [who for who in rng.permutation(2) if pair[who, :, 2].any()]
        people.append(pair[kept])
        patient.append(kept.index(0) if 0 in kept else -1)
    return Detections(np.arange(len(times)), people), np.array(patient)


def overlap(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Return intersection over union of boxes (n, 4): x, y, width, height."""
    low = np.maximum(first[:, :2], second[:, :2])
    high = np.minimum(first[:, :2] + first[:, 2:], second[:, :2] + second[:, 2:])
    shared = np.clip(high - low, 0, None).prod(axis=1)
    return shared / (first[:, 2:].prod(axis=1) + second[:, 2:].prod(axis=1) - shared)


def write_recording(
    folder: Path, script: Script, size: tuple[int, int] = (320, 240), fps: int = 10
) -> Recording:
    """Write a simulated video with its keypoints."""
    video = folder / "v.mp4"
    write_video(video, script, size, fps)
    write_pose(folder, "v", script, size, fps)
    return Recording("v", "p", video, pose=folder / "pose" / "v")
