"""What a sweep will ask, before anything is asked: questions, segments, shared work, needs.

A plan crosses features, wordings, answer formats and enhancements over the segments of a recording set. Its
fingerprint fixes all of that, and the margin of equivalence, before the first answer is seen.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from semiology.data.problems import SettingsError
from semiology.enhancements.registry import STEPS, features_of
from semiology.features import AUDIO_FEATURES, FEATURES, suggest_feature
from semiology.metrics.robustness.sums import SPREAD_AT, WORST_AT
from semiology.metrics.statistics.equivalence import DEFAULT_MARGIN
from semiology.metrics.statistics.intervals import MIN_POSITIVE_PATIENTS
from semiology.render.text import counted
from semiology.tasks.documents import build_documents
from semiology.tasks.plan import Plan
from semiology.tasks.sweep.wordings import ALL, NO_ENHANCEMENT, OWN, Selection, check_names, select_wordings

ENHANCEMENTS: Mapping[str, tuple[str, ...]] = {
    NO_ENHANCEMENT: FEATURES,
    **{name: features_of(name) for name in STEPS},
}
"""Which features each enhancement is meant for; it is not crossed with others."""

PROBE_WINDOWS = 3


@dataclass(frozen=True, order=True)
class Window:
    """One reading of media that all questions about it share: the frames (and sound) of one segment."""

    video_id: str
    segment: int
    enhancement: str
    hear: bool


@dataclass(frozen=True)
class Request:
    """One question about one window; ``key`` names it in the record of a run."""

    feature: str
    prompt_id: str
    prompt_hash: str
    window: Window

    @property
    def key(self) -> tuple[str, str, str, str, int]:
        """(feature, prompt hash, enhancement, video id, segment)."""
        window = self.window
        return self.feature, self.prompt_hash, window.enhancement, window.video_id, window.segment


@dataclass(frozen=True)
class FeatureSweep:
    """One feature under one enhancement.

    Attributes:
        selection: the wordings asked, and why others are not.
        enhancement: name, ``none`` without.
        windows: (video id, segment), in the set's order. recordings, patients: how many.
        positive_patients: patients with a recording that shows the feature; below 10 no interval of F1.
    """

    selection: Selection
    enhancement: str
    windows: tuple[tuple[str, int], ...]
    recordings: int
    patients: int
    positive_patients: int

    @property
    def feature(self) -> str:
        """Name of the feature."""
        return self.selection.feature

    @property
    def requests(self) -> int:
        """Questions: windows times wordings."""
        return len(self.windows) * len(self.selection.wordings)


@dataclass(frozen=True)
class SweepPlan:
    """A whole sweep.

    Attributes:
        recording_set: name and version. window_name: ``standard`` or ``qwen3``.
        features: one entry for each feature and enhancement.
        frames_of, seconds_of: frames and seconds of each (video id, segment).
        margin: largest harmless difference of a paraphrase, fixed here.
        notes: what is not asked and why, in sentences.
    """

    recording_set: str
    window_name: str
    features: tuple[FeatureSweep, ...]
    frames_of: Mapping[tuple[str, int], int]
    seconds_of: Mapping[tuple[str, int], float]
    margin: float
    notes: tuple[str, ...]

    @cached_property
    def windows(self) -> tuple[Window, ...]:
        """The distinct readings of media, in the order in which a run meets them."""
        return tuple(dict.fromkeys(request.window for request in self.requests()))

    @property
    def n_requests(self) -> int:
        """Questions asked."""
        return sum(each.requests for each in self.features)

    @property
    def shared_work(self) -> float:
        """Questions for each reading of media: how many readings one shared prefix saves, as a factor."""
        return self.n_requests / len(self.windows) if self.windows else 0.0

    def requests(self) -> Iterator[Request]:
        """Yield every question; those about one window stand together, over features and wordings."""
        by_window: dict[Window, list[FeatureSweep]] = {}
        for each in self.features:
            for video_id, segment in each.windows:
                window = Window(video_id, segment, each.enhancement, each.feature in AUDIO_FEATURES)
                by_window.setdefault(window, []).append(each)
        for window, asked in by_window.items():
            for each in asked:
                for wording in each.selection.wordings:
                    yield Request(each.feature, wording.prompt.id, wording.hash, window)

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 of every question, the set and the margin; equal plans ask the same in the same order."""
        digest = hashlib.sha256(json.dumps([self.recording_set, self.window_name, self.margin]).encode())
        for request in self.requests():
            digest.update(json.dumps(request.key).encode())
        return digest.hexdigest()


def make_sweep_plan(
    plan: Plan,
    features: Sequence[str] | None = None,
    *,
    prompts: Sequence[str] = (ALL,),
    formats: Sequence[str] = (OWN,),
    enhancements: Sequence[str] = (NO_ENHANCEMENT,),
    window_name: str = "standard",
    margin: float = DEFAULT_MARGIN,
) -> SweepPlan:
    """Plan a sweep; nothing is asked.

    Args:
        prompts: ids or families of the library, or ``all``.
        formats: answer formats, or ``own``.
        enhancements: names of `ENHANCEMENTS`; each is asked about the features it is meant for.
        margin: largest harmless difference of accuracy of a paraphrase (0.05 = five points).

    Features that cannot be asked, and wordings that are not, are named in the plan's ``notes``.

    Raises:
        SettingsError: an unknown name, a margin out of range, or nothing left to ask.
    """
    check_names(prompts, formats)
    _check(features, enhancements, margin)
    names = FEATURES if features is None else tuple(dict.fromkeys(features))
    swept: list[FeatureSweep] = []
    notes = plan.handed_out.notes() if plan.handed_out else []
    for feature in names:
        try:
            selection = select_wordings(feature, prompts, formats)
        except SettingsError as error:
            if features is not None:
                raise
            notes.append(f"{feature} is not asked: {error}")
            continue
        swept += _feature_sweeps(plan, selection, enhancements, notes)
    if not swept:
        raise SettingsError("a sweep has nothing to ask: " + "; ".join(notes))
    name = f"{plan.recording_set.name} {plan.recording_set.version}".strip()
    asked = {window for each in swept for window in each.windows}
    segments = {
        (video_id, segment.index): segment
        for video_id, recording in plan.recordings.items()
        for segment in recording.segments
        if (video_id, segment.index) in asked
    }
    frames = {key: plan.window.n_frames(segment) for key, segment in segments.items()}
    seconds = {key: segment.duration_s for key, segment in segments.items()}
    return SweepPlan(name, window_name, tuple(swept), frames, seconds, margin, tuple(notes))


def probe(plan: SweepPlan, windows: int = PROBE_WINDOWS) -> list[Request]:
    """Return all questions about a few windows, spread evenly over the plan, to time before the run."""
    count = min(windows, len(plan.windows))
    chosen = {plan.windows[(2 * i + 1) * len(plan.windows) // (2 * count)] for i in range(count)}
    return [request for request in plan.requests() if request.window in chosen]


def _check(features: Sequence[str] | None, enhancements: Sequence[str], margin: float) -> None:
    for name in features or ():
        if name not in FEATURES:
            raise SettingsError(f"unknown feature {name!r} in a sweep{suggest_feature(name)}")
    for name in enhancements:
        if name not in ENHANCEMENTS:
            raise SettingsError(
                f"unknown enhancement {name!r} in a sweep; there are {', '.join(ENHANCEMENTS)}"
            )
    if features is not None and not features:
        raise SettingsError("a sweep needs at least one feature; 'all' is the default")
    if not enhancements:
        raise SettingsError(f"a sweep needs at least one enhancement; {NO_ENHANCEMENT!r} is the default")
    if not 0 < margin < 1:
        raise SettingsError(f"the margin must lie between 0 and 1 (0.05 is five points), not {margin}")


def _feature_sweeps(
    plan: Plan, selection: Selection, enhancements: Sequence[str], notes: list[str]
) -> list[FeatureSweep]:
    """Return a feature's entry for each enhancement meant for it; what is not asked goes to ``notes``."""
    feature = selection.feature
    rows = build_documents(feature, plan, selection.wordings[0].prompt)
    if not rows:
        notes.append(f"{feature} is not asked: no usable recording is annotated for it")
        return []
    notes += selection.skipped
    meant = [name for name in enhancements if feature in ENHANCEMENTS[name]]
    if not meant:
        notes.append(f"{feature} is not asked: {', '.join(enhancements)} is not meant for it")
    return [
        FeatureSweep(
            selection=selection,
            enhancement=name,
            windows=tuple((str(row["video_id"]), int(row["segment"])) for row in rows),
            recordings=len({row["video_id"] for row in rows}),
            patients=len({row["patient_id"] for row in rows}),
            positive_patients=len({row["patient_id"] for row in rows if row["truth"] == "yes"}),
        )
        for name in meant
    ]


def plan_summary(plan: SweepPlan) -> dict[str, Any]:
    """Return the numbers of the plan: what is asked, how much work is shared, and what a run will need."""
    frames = sum(plan.frames_of[window.video_id, window.segment] for window in plan.windows)
    seconds = sum(plan.seconds_of[window.video_id, window.segment] for window in plan.windows)
    return {
        "recording_set": plan.recording_set,
        "window": plan.window_name,
        "fingerprint": plan.fingerprint,
        "margin": plan.margin,
        "requests": plan.n_requests,
        "windows": len(plan.windows),
        "recordings": len({window.video_id for window in plan.windows}),
        "shared_work": plan.shared_work,
        "needs": {
            "frames_to_decode": frames,
            "most_frames_in_a_window": max(plan.frames_of.values()),
            "seconds_of_video": round(seconds, 3),
            "windows_with_sound": sum(window.hear for window in plan.windows),
            "enhancements": sorted({window.enhancement for window in plan.windows} - {NO_ENHANCEMENT}),
            "longest_question_characters": max(
                len(wording.question) for each in plan.features for wording in each.selection.wordings
            ),
        },
        "features": [
            {
                "feature": each.feature,
                "enhancement": each.enhancement,
                "wordings": [wording.name for wording in each.selection.wordings],
                "windows": len(each.windows),
                "requests": each.requests,
                "recordings": each.recordings,
                "patients": each.patients,
                "positive_patients": each.positive_patients,
            }
            for each in plan.features
        ],
        "notes": [*plan.notes, *plan_cautions(plan)],
    }


def plan_lines(plan: SweepPlan) -> list[str]:
    """Return the plan as short sentences."""
    found = plan_summary(plan)
    needs = found["needs"]
    features = len({each.feature for each in plan.features})
    asked = f"{counted(found['requests'], 'question')} on {counted(features, 'feature')}"
    about = f"about {counted(found['windows'], 'window')} of {counted(found['recordings'], 'recording')}"
    frames, most = needs["frames_to_decode"], needs["most_frames_in_a_window"]
    decoded = f"{counted(frames, 'frame')} of {needs['seconds_of_video']:,.0f} s"
    lines = [
        f"{asked} {about} ({plan.recording_set})",
        f"shared work: {found['shared_work']:.1f} questions for each reading of a window",
        f"to decode: {decoded}, at most {most} in a window",
        f"windows with sound: {needs['windows_with_sound']:,}",
    ]
    if needs["enhancements"]:
        lines.append(f"enhancements to compute first: {', '.join(needs['enhancements'])}")
    lines.append(f"a paraphrase is called harmless within {plan.margin * 100:g} points, fixed by this plan")
    return [*lines, f"plan {plan.fingerprint[:12]}", *found["notes"]]


def plan_cautions(plan: SweepPlan) -> Iterator[str]:
    """Yield what the data cannot show, before the work is done."""
    for each in plan.features:
        k = len(each.selection.wordings)
        if each.enhancement != NO_ENHANCEMENT:
            continue
        if each.positive_patients < MIN_POSITIVE_PATIENTS:
            seen_in = counted(each.positive_patients, "patient")
            yield (
                f"{each.feature}: the feature is seen in {seen_in}, fewer than "
                f"{MIN_POSITIVE_PATIENTS}, so its F1 will have no interval"
            )
        undefined = [f"Worst@{m}" for m in WORST_AT if m > k]
        if k < SPREAD_AT:
            undefined.append(f"the spread at {SPREAD_AT}")
        if undefined:
            yield f"{each.feature}: {counted(k, 'wording')}, too few for {', '.join(undefined)}"
