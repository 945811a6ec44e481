"""A recording set: the recordings of some patients with the annotations of their semiological features."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Literal

from semiology.features import FEATURES, suggest_feature

Presence = Literal["yes", "no", "na"]
Side = Literal["left", "right", "both"]
Diagnosis = Literal["ES", "NES"]
LOBES: tuple[str, ...] = ("temporal", "frontal", "parietal", "occipital", "insular", "several")
"""Lobes of onset; ``several`` for an onset that is not in one of them."""
SEIZURE_TYPES: tuple[str, ...] = (
    "focal", "focal aware", "focal impaired awareness", "focal to bilateral tonic-clonic", "generalized",
    "generalized tonic-clonic", "absence", "functional", "other",
)  # fmt: skip
"""Seizure types after the ILAE's classification of 2017, with ``functional`` for non-epileptic ones."""


@dataclass(frozen=True)
class Recording:
    """One video of one patient.

    Attributes:
        video_id, patient_id: Opaque ids; that of a video is unique, and statistics are clustered by patient.
        video: Absolute path of the video.
        audio: Separate sound file, if the video's own track is not to be used.
        duration_s: Length in seconds, if the set states it.
        diagnosis: ``"ES"`` (epileptic), ``"NES"`` (non-epileptic) or unknown.
        control: whether the column ``diagnosis`` says ``none``: the video holds no event; its diagnosis is None.
        split: ``train``, ``dev``, ``test`` or ``confirm`` (`semiology.data.protection.splits`), if any.
        fold: Name of the cross-validation fold, if any.
        pose: Pose keypoints, if any: one file, or OpenPose's folder of JSON files, one per frame.
        transcript: File with the transcribed speech, if any.
        onset_lobe, onset_side, seizure_type: What was concluded about the seizure (`LOBES`, the hemisphere of onset,
            `SEIZURE_TYPES`), if the set states it.
        sha256: Digest of the video as it was recorded (`semiology.data.digests`), 64 hexadecimal digits, if any.
    """

    video_id: str
    patient_id: str
    video: Path
    audio: Path | None = None
    duration_s: float | None = None
    diagnosis: Diagnosis | None = None
    split: str | None = None
    fold: str | None = None
    pose: Path | None = None
    transcript: Path | None = None
    control: bool = False
    onset_lobe: str | None = None
    onset_side: Side | None = None
    seizure_type: str | None = None
    sha256: str | None = None


@dataclass(frozen=True)
class Annotation:
    """What an expert says about one feature in one recording.

    Attributes:
        present: ``"yes"``, ``"no"`` or ``"na"`` (the feature cannot be judged here).
        onset_s, offset_s: Start and end of the feature, seconds from the start of the video.
        side: The patient's side.
        justification: Free text of the annotator.
    """

    video_id: str
    feature: str
    present: Presence
    onset_s: float | None = None
    offset_s: float | None = None
    side: Side | None = None
    justification: str | None = None


@dataclass(frozen=True)
class RecordingSet:
    """Recordings with their annotations. A missing (video, feature) pair means "not annotated", never "no".

    Attributes:
        directory: Absolute path of the folder.
        recordings, annotations: All of them, in the order of their tables.
        reports: Clinical report text by video id.
        metadata: Everything in ``dataset.yaml``, with name and version.
        withheld: Video ids that the set has and a purpose does not get: rows of tables about them are no fault.
    """

    directory: Path
    name: str
    version: str
    recordings: tuple[Recording, ...]
    annotations: tuple[Annotation, ...]
    reports: Mapping[str, str]
    metadata: Mapping[str, object] = field(default_factory=dict)
    withheld: frozenset[str] = frozenset()

    @cached_property
    def _by_video(self) -> dict[str, Recording]:
        return {recording.video_id: recording for recording in self.recordings}

    @cached_property
    def _by_pair(self) -> dict[tuple[str, str], Annotation]:
        return {(item.video_id, item.feature): item for item in self.annotations}

    @cached_property
    def patients(self) -> tuple[str, ...]:
        """Patient ids in order of first appearance."""
        return tuple(dict.fromkeys(recording.patient_id for recording in self.recordings))

    def recording(self, video_id: str) -> Recording:
        """Return one recording.

        Raises:
            KeyError: The set has no such recording.
        """
        try:
            return self._by_video[video_id]
        except KeyError:
            raise KeyError(f"the recording set {self.name!r} has no recording {video_id!r}") from None

    def annotation(self, video_id: str, feature: str) -> Annotation | None:
        """Return the annotation of a feature in a recording, or ``None`` where it was not annotated."""
        return self._by_pair.get((video_id, feature))

    def annotations_of(self, feature: str) -> tuple[Annotation, ...]:
        """Return all annotations of one feature.

        Raises:
            KeyError: ``feature`` is not a known name.
        """
        if feature not in FEATURES:
            raise KeyError(f"unknown feature {feature!r}{suggest_feature(feature)}")
        return tuple(item for item in self.annotations if item.feature == feature)
