"""When features begin and end in a recording, and in which order, as annotated."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from semiology.data.recording_set import Annotation, RecordingSet
from semiology.features import AUDIO_FEATURES, VISUAL_FEATURES

TIMED_FEATURES: tuple[str, ...] = tuple(name for name in VISUAL_FEATURES if name != "occur_during_sleep")
"""The 17 visual features that have an onset; sleep at onset is a state of the whole beginning."""


def onsets(recording_set: RecordingSet, video_id: str, features: Sequence[str]) -> dict[str, float] | None:
    """Return the onset in s of each of the features that is present, earliest first.

    Ties stand in the order of ``features``. None where the order is not known: a feature is not annotated
    (which is not "absent"), or present without an onset.
    """
    found: dict[str, float] = {}
    for feature in features:
        annotation = recording_set.annotation(video_id, feature)
        if annotation is None or (annotation.present == "yes" and annotation.onset_s is None):
            return None
        if annotation.present == "yes" and annotation.onset_s is not None:
            found[feature] = annotation.onset_s
    return dict(sorted(found.items(), key=lambda item: item[1]))


def sequences(recording_set: RecordingSet, video_id: str) -> Mapping[str, dict[str, float]] | None:
    """Return the onsets by feature, ``visual`` (17 features) and ``audiovisual`` (with the two of sound).

    The second is left out where a feature of sound has no onset. None where the visual order is not known.
    """
    visual = onsets(recording_set, video_id, TIMED_FEATURES)
    if visual is None:
        return None
    heard = onsets(recording_set, video_id, (*TIMED_FEATURES, *AUDIO_FEATURES))
    return {"visual": visual} | ({"audiovisual": heard} if heard is not None else {})


def seizure_start(recording_set: RecordingSet, video_id: str) -> float | None:
    """Return the earliest onset of a visual feature in s, None where no feature has one."""
    return min(
        (item.onset_s for item in _shown(recording_set, video_id) if item.onset_s is not None), default=None
    )


def seizure_end(recording_set: RecordingSet, video_id: str) -> float | None:
    """Return the latest offset of a visual feature in s, None where a feature with an onset has no offset."""
    shown = [item for item in _shown(recording_set, video_id) if item.onset_s is not None]
    ends = [item.offset_s for item in shown if item.offset_s is not None]
    return max(ends) if ends and len(ends) == len(shown) else None


def _shown(recording_set: RecordingSet, video_id: str) -> list[Annotation]:
    rows = [recording_set.annotation(video_id, feature) for feature in TIMED_FEATURES]
    return [row for row in rows if row is not None and row.present == "yes"]
