"""Opaque ids: patients P001, P002, … and their recordings P001_V01, … in an order that says nothing."""

from __future__ import annotations

import random
from collections.abc import Iterable, Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class OpaqueIds:
    """New ids by old ones, of patients and of videos; that of a video starts with that of its patient."""

    patients: Mapping[str, str]
    videos: Mapping[str, str]


def opaque_ids(pairs: Iterable[tuple[str, str]], seed: int | None) -> OpaqueIds:
    """Draw new ids in random order for (old patient id, old video id), one pair per recording.

    The same seed and pairs give the same ids; ``None`` draws from the system's randomness.
    """
    order: random.Random = random.SystemRandom() if seed is None else random.Random(seed)  # noqa: S311
    videos_of: dict[str, list[str]] = {}
    for patient, video in sorted(set(pairs)):
        videos_of.setdefault(patient, []).append(video)
    old_patients = list(videos_of)
    order.shuffle(old_patients)
    width = max(3, len(str(len(old_patients))))
    patients: dict[str, str] = {}
    videos: dict[str, str] = {}
    for number, patient in enumerate(old_patients, 1):
        patients[patient] = f"P{number:0{width}d}"
        names = videos_of[patient]
        order.shuffle(names)
        digits = max(2, len(str(len(names))))
        videos |= {name: f"{patients[patient]}_V{index:0{digits}d}" for index, name in enumerate(names, 1)}
    return OpaqueIds(patients, videos)
