"""The shared vocabulary: the 20 ILAE semiological features, by signal group.

Source: Zhang et al., EMBC 2025, Table I, and Seizure-Semiology-Suite (arXiv 2605.21852), Tables 6-8.
Every other module takes feature names from here, so that one feature has one name everywhere.
"""

from __future__ import annotations

from difflib import get_close_matches
from typing import Literal

Group = Literal["limb_body", "facial", "audio"]

FEATURES_BY_GROUP: dict[Group, tuple[str, ...]] = {
    "limb_body": (
        "occur_during_sleep",
        "arm_flexion",
        "arm_straightening",
        "arms_move_simultaneously",
        "figure4",
        "tonic",
        "clonic",
        "limb_automatisms",
        "asynchronous_movement",
        "pelvic_thrusting",
        "full_body_shaking",
    ),
    "facial": (
        "blank_stare",
        "close_eyes",
        "eye_blinking",
        "face_pulling",
        "face_twitching",
        "oral_automatisms",
        "head_turning",
    ),
    "audio": ("verbal_responsiveness", "ictal_vocalization"),
}

FEATURES: tuple[str, ...] = tuple(name for names in FEATURES_BY_GROUP.values() for name in names)
VISUAL_FEATURES: tuple[str, ...] = FEATURES_BY_GROUP["limb_body"] + FEATURES_BY_GROUP["facial"]
AUDIO_FEATURES: tuple[str, ...] = FEATURES_BY_GROUP["audio"]

REGIONS: tuple[str, ...] = (
    "head", "eyes", "mouth", "face", "left arm", "left leg",
    "right arm", "right leg", "arms", "legs", "full body",
)  # fmt: skip
"""The eleven body regions in which a seizure may begin (task 3 of S3)."""


def group_of(feature: str) -> Group:
    """Return the signal group of a feature.

    Raises:
        KeyError: ``feature`` is not one of the 20 names; the message suggests the nearest one.
    """
    for group, names in FEATURES_BY_GROUP.items():
        if feature in names:
            return group
    raise KeyError(f"unknown feature {feature!r}{suggest_feature(feature)}")


def suggest_feature(name: str) -> str:
    """Return ``"; did you mean 'x'?"`` for a misspelt feature name, or an empty string."""
    near = get_close_matches(
        name.strip().lower().replace(" ", "_").replace("-", "_"), FEATURES, n=1, cutoff=0.6
    )
    return f"; did you mean {near[0]!r}?" if near else ""
