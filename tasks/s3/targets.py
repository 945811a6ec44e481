"""What each S3 task asks about: which part of which recording, and the truth to compare the answer with."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from semiology.data.recording_set import Annotation, RecordingSet
from semiology.data.tables.laterality import Laterality, SidedEvent, read_laterality
from semiology.data.windows.clips import FORMS, WHOLE, EventClip, OnsetClip, WholeVideo
from semiology.data.windows.sliding import Segment, unusable_reason
from semiology.features import AUDIO_FEATURES, FEATURES, TIMED_FEATURES
from semiology.tasks.plan import Plan, RecordingPlan
from semiology.tasks.settings import Settings

BEFORE_ONSET_S, AFTER_ONSET_S = 5.0, 25.0
"""The clip for the region of onset reaches from here before the first feature to here after it; the paper shows
"segments that contain lateralising features" and does not say how long they are for this question."""


@dataclass(frozen=True)
class Target:
    """One question about one part of a recording, and the right answer, whose type is that of the task.

    Attributes:
        feature: What is asked about: a feature, or ``arm_movement``, ``onset_region``, ``start``, ...
        segments: Its segments, or the one clip.
        clip_fps: Frames per s at which a clip is cut first; None leaves sampling to the model class.
        clip_form: ``centred`` or ``random`` for clips around an onset.
        hear: Whether sound goes with the picture, to model classes that hear.
        extra: Further columns of the question table.
    """

    recording: RecordingPlan
    feature: str
    segments: tuple[Segment, ...]
    truth: Any
    clip_fps: float | None = None
    clip_form: str | None = None
    hear: bool = False
    extra: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Protocols:
    """The protocols of clips with the sampling of a model family."""

    event: EventClip
    whole: WholeVideo
    fps: float
    max_frames: int
    forms: tuple[str, ...] = FORMS
    whole_sound: bool = False

    def onset(self, form: Any) -> OnsetClip:
        """Return the protocol of clips around an onset in a form."""
        return OnsetClip(form, fps=self.fps, max_frames=self.max_frames)


def protocols(window_name: str, forms: Sequence[str] = FORMS, *, whole_sound: bool = False) -> Protocols:
    """Return the published sampling: 1 frame per s and at most 60; for Qwen3 models 2 and 120.

    Args:
        window_name: ``standard`` or ``qwen3``. forms: in which task 4 shows an onset (`FORMS`, ``whole``).
        whole_sound: whether features of sound are asked about over the whole recording.
    """
    fps, most = (2.0, 120) if window_name == "qwen3" else (1.0, 60)
    return Protocols(EventClip(fps, most), WholeVideo(most), fps, most, tuple(forms), whole_sound)


def targets(task: str, plan: Plan, shown: Protocols) -> list[Target]:
    """Return everything that a task asks of the usable recordings, in the set's order.

    Raises:
        KeyError: There is no such task.
        RecordingSetError: ``laterality.csv`` has faults.
    """
    return list(_SOURCES[task](plan, shown))


def asked_targets(task: str, plan: Plan, settings: Settings) -> list[Target]:
    """Return the `targets` of a task by the settings of a run."""
    shown = protocols(settings.window_name, settings.onset_clips, whole_sound=settings.whole_sound)
    return targets(task, plan, shown)


def _justification(plan: Plan, shown: Protocols) -> Iterator[Target]:
    for feature in FEATURES:
        for annotation in plan.recording_set.annotations_of(feature):
            if plan.is_asked(annotation):
                recording = plan.recordings[annotation.video_id]
                hear = feature in AUDIO_FEATURES
                whole = shown.whole.segment(recording.info.duration_s) if hear and shown.whole_sound else None
                yield Target(
                    recording,
                    feature,
                    (whole,) if whole else recording.segments,
                    annotation.present,
                    clip_fps=shown.whole.rate(whole) if whole else None,
                    hear=hear,
                    extra={"reference": annotation.justification},
                )


def _side(name: str, event_of: Callable[[Laterality], SidedEvent | None]) -> Callable[..., Iterator[Target]]:
    def found(plan: Plan, shown: Protocols) -> Iterator[Target]:
        known = read_laterality(plan.recording_set)
        for video_id, recording in plan.recordings.items():
            event = event_of(known[video_id])
            times = _interval(plan, video_id, name, event) if event else None
            if event and times and times[0] < recording.info.duration_s:
                clip = shown.event.segment(*times, recording.info.duration_s)
                yield from _clip(recording, name, clip, event.side, shown.event.rate(clip))

    return found


def _interval(plan: Plan, video_id: str, name: str, event: SidedEvent) -> tuple[float, float] | None:
    """Return the times of a lateralising event, or those of the annotated feature of that name."""
    if event.start_s is not None and event.end_s is not None:
        return event.start_s, event.end_s
    annotation = plan.recording_set.annotation(video_id, name) if name in FEATURES else None
    if annotation is None or annotation.onset_s is None or annotation.offset_s is None:
        return None
    return annotation.onset_s, annotation.offset_s


def _onset_region(plan: Plan, shown: Protocols) -> Iterator[Target]:
    known = read_laterality(plan.recording_set)
    for video_id, recording in plan.recordings.items():
        region, onset = known[video_id].onset_region, seizure_start(plan.recording_set, video_id)
        if region is None or onset is None or onset >= recording.info.duration_s:
            continue
        begin = max(0.0, round(onset - BEFORE_ONSET_S, 3))
        clip = shown.event.segment(begin, onset + AFTER_ONSET_S, recording.info.duration_s)
        yield from _clip(recording, "onset_region", clip, region, shown.event.rate(clip))


def _onset_time(plan: Plan, shown: Protocols) -> Iterator[Target]:
    for feature in TIMED_FEATURES:
        for annotation in plan.recording_set.annotations_of(feature):
            recording = plan.recordings.get(annotation.video_id)
            if recording and annotation.present == "yes" and annotation.onset_s is not None:
                yield from _around(recording, feature, annotation.onset_s, shown)


def _seizure(name: str, time_of: Callable[..., float | None]) -> Callable[..., Iterator[Target]]:
    def found(plan: Plan, shown: Protocols) -> Iterator[Target]:
        for video_id, recording in plan.recordings.items():
            time_s = time_of(plan.recording_set, video_id)
            if time_s is not None:
                # annotators round up to whole seconds, which may lie behind the last frame
                yield from _around(recording, name, min(time_s, recording.info.duration_s), shown)

    return found


def _around(recording: RecordingPlan, feature: str, time_s: float, shown: Protocols) -> Iterator[Target]:
    """Yield the question in the forms asked for; the truth is in s from the start of what is shown."""
    duration, video_id = recording.info.duration_s, recording.recording.video_id
    for form in shown.forms if time_s <= duration else ():
        if form == WHOLE:  # Table 30: 60 frames, whatever the model
            video = WholeVideo()
            segment = video.segment(duration)
            truth = min(round(time_s, 3), segment.end_s)
            yield from _clip(recording, feature, segment, truth, video.rate(segment), form)
            continue
        protocol = shown.onset(form)
        clip = protocol.segment(time_s, duration, f"{video_id}/{feature}")
        truth = round(time_s - clip.start_s, 3)
        yield from _clip(recording, feature, clip, truth, protocol.rate(clip), form)


def _sequence(plan: Plan, shown: Protocols) -> Iterator[Target]:
    for video_id, recording in plan.recordings.items():
        known = sequences(plan.recording_set, video_id)
        if known and known["visual"]:
            heard = known.get("audiovisual")
            extra = {
                "onsets_s": list(known["visual"].values()),
                "truth_audiovisual": list(heard) if heard is not None else None,
                "onsets_audiovisual_s": list(heard.values()) if heard is not None else None,
            }
            truth = list(known["visual"])
            yield Target(
                recording, "sequence", recording.segments, truth, hear=recording.has_sound, extra=extra
            )


def _report(plan: Plan, shown: Protocols) -> Iterator[Target]:
    for video_id, recording in plan.recordings.items():
        if video_id in plan.recording_set.reports:
            known = sequences(plan.recording_set, video_id) or {}
            order = known.get("audiovisual") or known.get("visual")
            extra = {"shown": list(order) if order else None}
            text = plan.recording_set.reports[video_id]
            yield Target(recording, "report", recording.segments, text, hear=recording.has_sound, extra=extra)


def _diagnosis(with_report: bool) -> Callable[..., Iterator[Target]]:
    def found(plan: Plan, shown: Protocols) -> Iterator[Target]:
        for video_id, recording in plan.recordings.items():
            truth, report = recording.recording.diagnosis, plan.recording_set.reports.get(video_id)
            if truth is not None and (report or not with_report):
                clip = shown.whole.segment(recording.info.duration_s)
                extra = {"report": report} if with_report else {}
                yield from _clip(recording, "diagnosis", clip, truth, shown.whole.rate(clip), extra=extra)

    return found


def _clip(
    recording: RecordingPlan,
    feature: str,
    clip: Segment,
    truth: Any,
    fps: float,
    form: str | None = None,
    extra: Mapping[str, Any] | None = None,
) -> Iterator[Target]:
    """Yield the question about one clip, unless no video model can be shown it."""
    if not unusable_reason(clip, recording.info):
        hear = feature == "diagnosis" and recording.has_sound
        yield Target(recording, feature, (clip,), truth, fps, form, hear, extra or {})


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
    """Return the onsets by feature, ``visual`` (those seen) and ``audiovisual`` (with those heard).

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


_SOURCES: Mapping[str, Callable[[Plan, Protocols], Iterator[Target]]] = {
    "s3_justification": _justification,
    "s3_head_turning_side": _side("head_turning", lambda known: known.head_turning),
    "s3_arm_movement_side": _side("arm_movement", lambda known: known.arm_movement),
    "s3_onset_region": _onset_region,
    "s3_onset_time": _onset_time,
    "s3_seizure_start": _seizure("start", seizure_start),
    "s3_seizure_end": _seizure("end", seizure_end),
    "s3_sequence": _sequence,
    "s3_report": _report,
    "s3_diagnosis": _diagnosis(with_report=False),
    "s3_diagnosis_with_report": _diagnosis(with_report=True),
}
