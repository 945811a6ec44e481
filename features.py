"""The shared vocabulary: one record for each of the 20 ILAE semiological features.

Source: Zhang et al., EMBC 2025, Table I, and Seizure-Semiology-Suite (arXiv 2605.21852), Tables 6-8.
Every other module takes feature names, and what follows from them, from here: tasks, readers, tables, the
leaderboard's schema. CONTRIBUTING.md shows how to add a feature.
"""

from __future__ import annotations

from dataclasses import dataclass
from difflib import get_close_matches
from typing import Literal, get_args

Group = Literal["limb_body", "facial", "audio"]
Region = Literal["head", "eyes", "mouth", "face", "arm", "arm or body", "full body"]


@dataclass(frozen=True)
class Feature:
    """What is to be known about a feature beside the wordings of its question.

    Attributes:
        name: In tables, result files and task names: ``a-z``, ``0-9`` and ``_``.
        group: ``limb_body`` and ``facial`` features are seen, ``audio`` features are heard (their questions come
            with sound). The group also decides which macro score counts the feature and which enhancements
            suit it: each enhancement step names its group.
        na_is_answer: Whether NA ("the patient was not spoken to") is an answer beside yes and no.
        first_segment_only: Whether the feature is a state of the recording's beginning: the first segment alone
            answers the question, and the feature has no onset.
        region: Where it is seen, for the region of seizure onset in simulated recordings; ``arm``: the arm of its
            side, or both; ``arm or body``: the full body unless it has a side. None: it names no region.
        label: The name for people where it is not ``name`` with blanks.
        aliases: Other spellings in the tables that importers read.
    """

    name: str
    group: Group
    na_is_answer: bool = False
    first_segment_only: bool = False
    region: Region | None = None
    label: str = ""
    aliases: tuple[str, ...] = ()


RECORDS: tuple[Feature, ...] = (
    Feature("occur_during_sleep", "limb_body", first_segment_only=True, aliases=("occurs_during_sleep",)),
    Feature("arm_flexion", "limb_body", region="arm"),
    Feature("arm_straightening", "limb_body", region="arm", aliases=("arm_extension",)),
    Feature("arms_move_simultaneously", "limb_body"),
    Feature("figure4", "limb_body", label="figure 4", aliases=("figure_4", "figure_four")),
    Feature("tonic", "limb_body", region="full body"),
    Feature("clonic", "limb_body", region="arm or body"),
    Feature("limb_automatisms", "limb_body", region="arm"),
    Feature("asynchronous_movement", "limb_body", region="arm or body"),
    Feature("pelvic_thrusting", "limb_body", region="full body", aliases=("pelvic_thrust",)),
    Feature("full_body_shaking", "limb_body", region="full body"),
    Feature("blank_stare", "facial", region="eyes"),
    Feature("close_eyes", "facial", region="eyes", aliases=("closed_eyes", "eyes_closed")),
    Feature("eye_blinking", "facial", region="eyes"),
    Feature("face_pulling", "facial", region="face"),
    Feature("face_twitching", "facial", region="face"),
    Feature("oral_automatisms", "facial", region="mouth"),
    Feature("head_turning", "facial", region="head", aliases=("head_turn",)),
    Feature("verbal_responsiveness", "audio", na_is_answer=True, aliases=("verbal_response",)),
    Feature("ictal_vocalization", "audio", aliases=("ictal_vocalisation",)),
)
"""Every feature, in the order of tasks and tables: group by group."""

BY_NAME: dict[str, Feature] = {record.name: record for record in RECORDS}
FEATURES_BY_GROUP: dict[Group, tuple[str, ...]] = {
    group: tuple(record.name for record in RECORDS if record.group == group) for group in get_args(Group)
}
FEATURES: tuple[str, ...] = tuple(name for names in FEATURES_BY_GROUP.values() for name in names)
VISUAL_FEATURES: tuple[str, ...] = FEATURES_BY_GROUP["limb_body"] + FEATURES_BY_GROUP["facial"]
AUDIO_FEATURES: tuple[str, ...] = FEATURES_BY_GROUP["audio"]
THREE_CLASSES: frozenset[str] = frozenset(record.name for record in RECORDS if record.na_is_answer)
"""Features with NA as an answer of its own."""
FIRST_SEGMENT_ONLY: frozenset[str] = frozenset(record.name for record in RECORDS if record.first_segment_only)
"""Features that only the first segment of a recording answers."""
TIMED_FEATURES: tuple[str, ...] = tuple(name for name in VISUAL_FEATURES if name not in FIRST_SEGMENT_ONLY)
"""The visual features that have an onset."""

REGIONS: tuple[str, ...] = (
    "head", "eyes", "mouth", "face", "left arm", "left leg",
    "right arm", "right leg", "arms", "legs", "full body",
)  # fmt: skip
"""The eleven body regions in which a seizure may begin (task 3 of S3)."""


def group_of(feature: str) -> Group:
    """Return the signal group of a feature.

    Raises:
        KeyError: ``feature`` is not a known name; the message suggests the nearest one.
    """
    if feature not in BY_NAME:
        raise KeyError(f"unknown feature {feature!r}{suggest_feature(feature)}")
    return BY_NAME[feature].group


def label_of(feature: str) -> str:
    """Return the name of a feature for people: ``head turning``, ``figure 4``; other names with blanks."""
    record = BY_NAME.get(feature)
    return (record.label if record else "") or feature.replace("_", " ")


def suggest_feature(name: str) -> str:
    """Return ``"; did you mean 'x'?"`` for a misspelt feature name, or an empty string."""
    near = get_close_matches(
        name.strip().lower().replace(" ", "_").replace("-", "_"), FEATURES, n=1, cutoff=0.6
    )
    return f"; did you mean {near[0]!r}?" if near else ""
