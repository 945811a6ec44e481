"""mediapipe's networks behind one small interface: a picture in, rows of numbers out.

`mediapipe_models` calls them in this process; in an environment of mediapipe's own this file is the program that runs
there, so that it imports nothing of Semiology and nothing newer than Python 3.9 has:

    python mediapipe_networks.py pose 0.5

It reads pictures (height and width as two little-endian integers of 4 bytes, then the bytes, red first) from standard
input and writes one JSON list of rows for each to standard output.
"""

from __future__ import annotations

import json
import os
import struct
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

Rows = list[list[float]]
MODELS = {
    "pose": "pose_landmark/pose_landmark_full",
    "faces": "face_detection/face_detection_full_range_sparse",
}
SIZE = struct.Struct("<II")


class NoModelsError(Exception):
    """The package does not carry the models; the message is its version."""


def network(kind: str, score: float) -> tuple[Callable[[Any], Rows], Callable[[], None]]:
    """Return the function that looks at pictures, uint8, (height, width, 3), red first, and the one that ends it.

    ``pose`` gives 33 rows of x, y and visibility, or none; ``faces`` gives for each face left, top, width, height and
    score. Places are shares of the picture.

    Raises:
        ImportError: mediapipe, or what it needs, is missing; it may fail with other errors over newer libraries.
        NoModelsError: it carries no models.
    """
    import mediapipe  # type: ignore[import-untyped,unused-ignore]

    solutions = getattr(mediapipe, "solutions", None)
    folder = Path(str(mediapipe.__file__)).parent / "modules"
    if solutions is None or not (folder / f"{MODELS[kind]}.tflite").is_file():
        raise NoModelsError(str(getattr(mediapipe, "__version__", "of unknown version")))
    if kind == "pose":
        pose = solutions.pose.Pose(
            model_complexity=1, min_detection_confidence=score, min_tracking_confidence=score
        )
        return lambda picture: landmarks_of(pose.process(picture).pose_landmarks), pose.close
    faces = solutions.face_detection.FaceDetection(model_selection=1, min_detection_confidence=score)
    return lambda picture: boxes_of(faces.process(picture).detections), faces.close


def landmarks_of(found: Any) -> Rows:
    """Return x, y and visibility of a person's landmarks; nothing for nobody."""
    return [] if found is None else [[mark.x, mark.y, mark.visibility] for mark in found.landmark]


def boxes_of(found: Any) -> Rows:
    """Return left, top, width, height and score of each face."""
    boxes = [(each.location_data.relative_bounding_box, each.score[0]) for each in found or ()]
    return [[box.xmin, box.ymin, box.width, box.height, score] for box, score in boxes]


def serve(kind: str, score: float) -> None:
    """Look at the pictures that come, until no more come; the first line says whether it can."""
    replies = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # what libraries print is no reply
    try:
        look, _ = network(kind, score)
    except Exception as error:  # noqa: BLE001 - told to who started this, whatever it is
        told = {"error": type(error).__name__, "message": str(error), "missing": getattr(error, "name", None)}
        print(json.dumps(told), file=replies, flush=True)
        return
    print(json.dumps({"ready": True}), file=replies, flush=True)
    while len(head := sys.stdin.buffer.read(SIZE.size)) == SIZE.size:
        height, width = SIZE.unpack(head)
        data = sys.stdin.buffer.read(height * width * 3)
        picture = np.frombuffer(data, dtype=np.uint8).reshape(height, width, 3)
        rows = [[float(value) for value in row] for row in look(picture)]
        print(json.dumps(rows), file=replies, flush=True)


if __name__ == "__main__":
    serve(sys.argv[1], float(sys.argv[2]))
