"""A sweep plan for people (sentences) and for machines (JSON)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from semiology.metrics.robustness.sums import SPREAD_AT, WORST_AT
from semiology.metrics.statistics.intervals import MIN_POSITIVE_PATIENTS
from semiology.optimization.sweep.plan import SweepPlan
from semiology.render.text import counted
from semiology.tasks.sweep.wordings import NO_ENHANCEMENT


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
