"""The files that OpenPose writes with ``--write_json``: one per frame, with the points of everybody in it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

BODY_25, COCO = 25, 18
"""How many points OpenPose's two layouts have that are read."""
_POINTS = "pose_keypoints_2d"
_OLD_POINTS = "pose_keypoints"
"""The name of the points before OpenPose 1.3; the layout is the same."""


class PoseFileError(ValueError):
    """A file does not hold the points of a frame; the message says why and what to do."""


class PoseModelError(PoseFileError):
    """The points are of a layout that is not read, as will be those of all files of the folder."""


def read_people(path: Path) -> NDArray[np.float64]:
    """Return the people of one frame as they are stored: float64, (people, points, 3) with x, y and confidence.

    Both names that OpenPose has given to the points are read. People without points are left out; without any,
    the shape is (0, 0, 3).

    Raises:
        PoseModelError: the points are neither those of BODY_25 nor of COCO-18.
        PoseFileError: the file is empty, damaged or of another kind.
    """
    try:
        content = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError):
        what = "is empty" if path.is_file() and not path.stat().st_size else "is no JSON, or is damaged"
        raise PoseFileError(f"{path.name} {what}: run OpenPose again, or copy the file again") from None
    people = content.get("people") if isinstance(content, dict) else None
    if not isinstance(people, list):
        raise PoseFileError(f"{path.name} is not OpenPose's: it has no list 'people', but {_holds(content)}")
    listed = []
    for person in people:
        name = next(
            (name for name in (_POINTS, _OLD_POINTS) if isinstance(person, dict) and name in person), None
        )
        if name is None:
            raise PoseFileError(
                f"{path.name}: a person has no {_POINTS!r}, but {_holds(person)}: write the body's points with "
                "OpenPose's --write_json"
            )
        try:
            values = np.array(person[name], dtype=np.float64)
        except (ValueError, TypeError):
            raise PoseFileError(
                f"{path.name}: {name!r} is not a list of numbers: run OpenPose again"
            ) from None
        if values.size:
            listed.append(values)
    sizes = {values.size for values in listed if values.ndim == 1}
    if any(values.ndim != 1 for values in listed) or sizes not in (set(), {3 * BODY_25}, {3 * COCO}):
        raise PoseModelError(
            f"a person has {min(values.size for values in listed) / 3:g} points: only OpenPose's BODY_25 (25) and "
            "COCO (18) are read; run it with --model_pose BODY_25"
        )
    if not listed:
        return np.zeros((0, 0, 3))
    return np.stack(listed).reshape(len(listed), -1, 3)


def old_layout(path: Path) -> str | None:
    """Return what a file's points are called if it is of OpenPose before 1.3; None otherwise."""
    try:
        people = json.loads(path.read_bytes())["people"]
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return None
    if isinstance(people, list) and any(isinstance(each, dict) and _OLD_POINTS in each for each in people):
        return f"the layout of OpenPose before 1.3 ({_OLD_POINTS!r})"
    return None


def _holds(content: Any) -> str:
    """Say what JSON holds instead."""
    if isinstance(content, dict):
        return (
            f"the keys {', '.join(repr(str(key)[:30]) for key in list(content)[:5])}"
            if content
            else "nothing"
        )
    return f"a {type(content).__name__}"
