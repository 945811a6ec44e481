"""Where the drawn patient is, frame by frame: OpenPose's own JSON files and boxes of the face.

OpenPose (Cao et al., IEEE TPAMI 43 (2021) 172) writes one ``<video>_<frame, 12 digits>_keypoints.json`` per
frame with a list ``people``; each has 25 triples x, y, confidence in px (model BODY_25). Here the list holds
the patient and, where one is in view, the caregiver, from left to right: who is who has to be found out.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from semiology.data.cache import write_whole
from semiology.data.simulated.picture.body import caregiver_at, caregiver_spots
from semiology.data.simulated.picture.face import face_points
from semiology.data.simulated.picture.motion import Array, pose_at
from semiology.data.simulated.picture.render import KEYPOINTS, keypoints
from semiology.data.simulated.script.script import Script
from semiology.data.tables.writing import table_text

BODY_25 = (
    "Nose", "Neck", "RShoulder", "RElbow", "RWrist", "LShoulder", "LElbow", "LWrist",
    "MidHip", "RHip", "RKnee", "RAnkle", "LHip", "LKnee", "LAnkle",
    "REye", "LEye", "REar", "LEar",
    "LBigToe", "LSmallToe", "LHeel", "RBigToe", "RSmallToe", "RHeel",
)  # fmt: skip
"""OpenPose's names in its order; L and R are the person's own sides. Feet are not drawn, so never found."""
FACE_COLUMNS = ("frame", "time_s", "x", "y", "width", "height")
HIDDEN = 0.5
"""Confidence of a point inside the picture that something covers; 1 in plain view, 0 (at 0, 0) outside."""

_JOINTS = {
    "Neck": "neck", "RShoulder": "r_shoulder", "RElbow": "r_elbow", "RWrist": "r_wrist",
    "LShoulder": "l_shoulder", "LElbow": "l_elbow", "LWrist": "l_wrist", "MidHip": "pelvis",
    "RHip": "r_hip", "RKnee": "r_knee", "RAnkle": "r_ankle",
    "LHip": "l_hip", "LKnee": "l_knee", "LAnkle": "l_ankle",
}  # fmt: skip
# Place in `face_points`: group, index; and the depth (heads towards the camera) from which it is seen.
_FACE = {
    "Nose": ("nose", 1, 0.0), "LEye": ("eyes", 0, 0.06), "REye": ("eyes", 1, 0.06),
    "LEar": ("skull", 3, -0.25), "REar": ("skull", 4, -0.25),
}  # fmt: skip
_ALWAYS_COVERED = ("RKnee", "LKnee", "RAnkle", "LAnkle")
_HIPS = ("MidHip", "RHip", "LHip")
_HIPS_COVERED = 0.7
"""From this ``blanket_level`` on the blanket reaches above the hips."""


def body_25(script: Script, times_s: Array, size: tuple[int, int] = (640, 480)) -> NDArray[np.float64]:
    """Return the patient's keypoints in OpenPose's order at (n,) times, in s, for a picture of ``size`` px.

    Returns:
        (n, 25, 3): x and y in px from the upper left corner, and a confidence: 1 in plain view, ``HIDDEN``
        under the blanket or turned away, 0 (with x = y = 0) outside the picture or not drawn at all. An arm
        that passes in front of the face does not lower the confidence of what is behind it.
    """
    times = np.asarray(times_s, dtype=np.float64)
    width, height = size
    joints = keypoints(script, times, width / height)[:, : len(KEYPOINTS)].astype(np.float64) * size
    result = np.zeros((len(times), len(BODY_25), 3))
    for name, joint in _JOINTS.items():
        result[:, BODY_25.index(name), :2] = joints[:, KEYPOINTS.index(joint)]
        covered = name in _ALWAYS_COVERED or (name in _HIPS and script.scene.blanket_level >= _HIPS_COVERED)
        result[:, BODY_25.index(name), 2] = HIDDEN if covered else 1.0
    face = face_points(pose_at(script, times), script)
    head, unit = joints[:, KEYPOINTS.index("head")], script.scene.zoom * height
    for name, (group, index, seen_from) in _FACE.items():
        spot = face[group][:, index]
        result[:, BODY_25.index(name), :2] = head + spot[:, :2] * unit
        result[:, BODY_25.index(name), 2] = np.where(spot[:, 2] >= seen_from, 1.0, HIDDEN)
    return _inside(result, size)


def caregiver_body_25(
    script: Script, times_s: Array, size: tuple[int, int] = (640, 480)
) -> NDArray[np.float64]:
    """Return the caregiver's keypoints, (n, 25, 3) as `body_25` does; all 0 where nobody stands by the bed.

    The caregiver is drawn as a few thick strokes; joints lie where a standing adult of that size has them.
    """
    times = np.asarray(times_s, dtype=np.float64)
    unit = script.scene.zoom * size[1]
    result = np.zeros((len(times), len(BODY_25), 3))
    for number, care in enumerate(caregiver_at(script, times)):
        if care[1] > 0:
            joints = _caregiver_joints(float(care[0]), caregiver_spots(care, unit, size), unit)
            for name, spot in joints.items():
                result[number, BODY_25.index(name)] = (*spot, 1.0)
    return _inside(result, size)


def _inside(points: NDArray[np.float64], size: tuple[int, int]) -> NDArray[np.float64]:
    """Set points outside the picture to 0."""
    points[~((points[..., :2] >= 0) & (points[..., :2] < size)).all(axis=-1)] = 0.0
    return points


def _caregiver_joints(side: float, spots: dict[str, Array], unit: float) -> dict[str, Array]:
    """Return joints in px; the caregiver faces the camera and reaches for the patient with the near arm."""
    head, chest, foot = spots["head"], spots["chest"], spots["foot"]
    face = head + np.array([-side * 0.14, 0.08]) * unit
    joints = {
        "Nose": face + np.array([-side * 0.05, 0.04]) * unit,
        "Neck": chest + np.array([0, -0.55]) * unit,
        "MidHip": chest + (foot - chest) * 0.36,
    }
    for letter, way in (("R", -1.0), ("L", 1.0)):
        joints[f"{letter}Eye"] = face + np.array([way * 0.13, -0.07]) * unit
        joints[f"{letter}Ear"] = head + np.array([way * 0.36, 0.04]) * unit
        joints[f"{letter}Shoulder"] = chest + np.array([way * 0.45, -0.45]) * unit
        joints[f"{letter}Hip"] = joints["MidHip"] + np.array([way * 0.25, 0]) * unit
        joints[f"{letter}Knee"] = joints[f"{letter}Hip"] + (foot - chest) * 0.31
        joints[f"{letter}Ankle"] = joints[f"{letter}Hip"] + (foot - chest) * 0.62
        hanging = joints[f"{letter}Shoulder"] + np.array([way * 0.1, 1.5]) * unit
        joints[f"{letter}Wrist"] = spots["hand"] if way == -side else hanging
        joints[f"{letter}Elbow"] = (joints[f"{letter}Shoulder"] + joints[f"{letter}Wrist"]) / 2
    return joints


def face_boxes(script: Script, times_s: Array, size: tuple[int, int] = (640, 480)) -> NDArray[np.float64]:
    """Return the box around the skin of the face, forehead to chin, without hair and ears, shape (n, 4).

    Left, top, width and height in px, cut off at the border; NaN where the face is wholly outside.
    """
    times = np.asarray(times_s, dtype=np.float64)
    pose = pose_at(script, times)
    face = face_points(pose, script)
    unit = script.scene.zoom * size[1]
    head = keypoints(script, times, size[0] / size[1])[:, KEYPOINTS.index("head")].astype(np.float64) * size
    roll = face["roll"][:, 0, 0]
    # The two ellipses of `face.draw_head`: skull and jaw, which drops as the mouth opens.
    skull = _extent(face["skull"][:, 0], np.full(len(times), 0.39), np.full(len(times), 0.47), roll)
    jaw = _extent(face["skull"][:, 2], np.full(len(times), 0.31), 0.31 + 0.05 * pose.mouth, roll)
    low = np.minimum(skull[0], jaw[0]) * unit + head
    high = np.maximum(skull[1], jaw[1]) * unit + head
    low, high = np.clip(low, 0, size), np.clip(high, 0, size)
    boxes = np.concatenate([low, high - low], axis=1)
    boxes[(boxes[:, 2:] <= 0).any(axis=1)] = np.nan
    return boxes


def write_pose(directory: Path, video_id: str, script: Script, size: tuple[int, int], fps: int) -> None:
    """Write ``pose/<video_id>/`` (a JSON file per frame) and ``faces/<video_id>.csv``; whole or absent."""
    times = np.arange(round(script.duration_s * fps)) / fps
    faces = directory / "faces"
    faces.mkdir(parents=True, exist_ok=True)
    text = table_text(FACE_COLUMNS, _face_rows(times, face_boxes(script, times, size)))
    write_whole(faces / f"{video_id}.csv", text)
    target = pose_folder(directory, video_id)
    part = target.with_name(f".{video_id}.part")
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir(parents=True)
    everybody = np.stack([body_25(script, times, size), caregiver_body_25(script, times, size)], axis=1)
    for frame, people in enumerate(everybody):
        text = openpose_json(*sorted(people, key=_across))
        (part / f"{video_id}_{frame:012d}_keypoints.json").write_text(text, encoding="utf-8")
    part.replace(target)


def pose_folder(directory: Path, video_id: str) -> Path:
    """Return the folder of a recording's keypoints; it exists only when all frames are in it."""
    return directory / "pose" / video_id


def openpose_json(*people: NDArray[np.float64]) -> str:
    """Return the text of one frame as OpenPose 1.7 writes it.

    Each of ``people``, (25, 3), has x, y in px and confidence; one without any point is left out.
    """
    parts = ("face", "hand_left", "hand_right")
    empty: dict[str, list[float]] = {f"{part}_keypoints_2d": [] for part in parts}
    empty |= {f"{part}_keypoints_3d": [] for part in ("pose", *parts)}
    found = []
    for person in people:
        if person[:, 2].any():
            points = [round(float(value), 3) for value in person.ravel()]
            found.append({"person_id": [-1], "pose_keypoints_2d": points, **empty})
    return json.dumps({"version": 1.3, "people": found}, separators=(",", ":"))


def _across(person: NDArray[np.float64]) -> float:
    """Return the mean x of a person's points; 0 for nobody."""
    return float(person[:, 0].sum() / max(1, (person[:, 2] > 0).sum()))


def _extent(middle: Array, across: Array, along: Array, turn: Array) -> tuple[Array, Array]:
    """Return the corners of the box around ellipses turned by an angle, in heads from the head's middle."""
    cosine, sine = np.cos(turn), np.sin(turn)
    half = np.stack(
        [np.hypot(across * cosine, along * sine), np.hypot(across * sine, along * cosine)], axis=1
    )
    return middle[:, :2] - half, middle[:, :2] + half


def _face_rows(times: Array, boxes: NDArray[np.float64]) -> list[dict[str, str]]:
    rows = []
    for frame, (time, box) in enumerate(zip(times, boxes, strict=True)):
        cells = ["" if np.isnan(value) else f"{value:.1f}" for value in box]
        rows.append(dict(zip(FACE_COLUMNS, [str(frame), f"{time:.3f}", *cells], strict=True)))
    return rows
