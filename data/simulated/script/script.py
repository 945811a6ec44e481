"""What happens in a simulated recording, and the truth that follows from it.

A script is a list of timed events. Some are features (names of :mod:`semiology.features`), the others are
behaviours that carry no feature (a caregiver walks in, the patient scratches the nose). Picture, sound and
annotations are all computed from the same events, so the truth is exact.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from semiology.data.simulated.script.events import ARM_FEATURES, Event, Side, overlap_s
from semiology.data.simulated.script.look import PatientLook, Scene, draw_look, draw_scene
from semiology.features import FEATURES, suggest_feature

__all__ = ["Event", "PatientLook", "Scene", "Script", "draw_look", "draw_scene", "draw_script"]

SIMULTANEOUS_S = 0.6
"""Arms whose first movements begin within this time count as moving simultaneously."""
SEEN_S = 2.5
"""A window shows a feature if it holds at least this much of it (or all of a shorter one)."""


@dataclass(frozen=True)
class Script:
    """A whole recording: who, where, what, and when.

    The diagnosis ``none`` is control video, without an event. ``asleep_until_s`` is 0 for a patient awake at the start;
    ``seed`` drives everything incidental (blinks, glances, noise). ``onset_side`` is the hemisphere that the march of
    an epileptic seizure was drawn for; None where none was.
    """

    duration_s: float
    look: PatientLook
    scene: Scene
    events: tuple[Event, ...]
    diagnosis: Literal["ES", "NES", "none"]
    seed: int
    asleep_until_s: float = 0.0
    onset_side: Side | None = None

    @property
    def seizure_type(self) -> str | None:
        """The type that the drawing stands for: functional, focal, or focal to bilateral tonic-clonic."""
        if self.diagnosis == "none":
            return None
        if self.diagnosis == "NES":
            return "functional"
        bilateral = self.of("tonic") and self.side("clonic") == "both"
        return "focal to bilateral tonic-clonic" if bilateral else "focal"

    def of(self, *features: str) -> tuple[Event, ...]:
        """Return the events of the given names, by onset."""
        return tuple(sorted((e for e in self.events if e.feature in features), key=lambda e: e.onset_s))

    def present(self, feature: str) -> Literal["yes", "no", "na"]:
        """Return the truth of one feature over the whole recording.

        Raises:
            KeyError: ``feature`` is not a known name.
        """
        _known(feature)
        if feature == "verbal_responsiveness":
            if self.of("verbal_responsiveness"):
                return "yes"
            return "no" if self.of("address") else "na"
        if feature == "occur_during_sleep":
            return "yes" if self.asleep_until_s > 0 else "no"
        return "yes" if self.interval(feature) else "no"

    def interval(self, feature: str) -> tuple[float, float] | None:
        """Return onset and offset in seconds, or None (absent; or sleep, which has no times)."""
        _known(feature)
        if feature == "occur_during_sleep":
            return None
        if feature == "arms_move_simultaneously":
            return self._arms_together()
        events = self.of(feature)
        return (events[0].onset_s, max(e.offset_s for e in events)) if events else None

    def side(self, feature: str) -> Side | None:
        """Return the patient's side of a feature, or None where it has none."""
        sides = {event.side for event in self.of(feature)} - {None}
        if len(sides) > 1:
            return "both"
        return next(iter(sides), None)

    def present_between(self, feature: str, start_s: float, end_s: float) -> bool:
        """Return whether a window of the recording shows the feature.

        Sleep: asleep at the window's start. Closed eyes: closed by the feature for more than half of the window.
        Arms together: the window holds their common start. Others: see ``SEEN_S``.
        """
        _known(feature)
        if feature == "occur_during_sleep":
            return self.asleep_until_s >= start_s + 2.0
        if feature == "arms_move_simultaneously":
            together = self._arms_together()
            return together is not None and start_s + 0.5 <= together[0] <= end_s - 1.0
        if feature == "close_eyes":
            closed = sum(overlap_s(e, start_s, end_s) for e in self.of(feature))
            return closed > 0.5 * (end_s - start_s)
        return any(
            overlap_s(e, start_s, end_s) >= min(SEEN_S, e.offset_s - e.onset_s) - 1e-6
            for e in self.of(feature)
        )

    def arm_onset(self, side: Literal["left", "right"]) -> float | None:
        """Return when an arm first moves as part of the seizure, in seconds, or None."""
        onsets = [
            e.onset_s for e in self.events if e.feature in ARM_FEATURES and e.side in (side, "both", None)
        ]
        return min(onsets, default=None)

    def _arms_together(self) -> tuple[float, float] | None:
        left, right = self.arm_onset("left"), self.arm_onset("right")
        if left is None or right is None or abs(left - right) > SIMULTANEOUS_S:
            return None
        onset = max(left, right)
        ends = [
            e.offset_s for e in self.events if e.feature in ARM_FEATURES and e.onset_s <= onset < e.offset_s
        ]
        return min(left, right), min(ends)


def draw_script(rng: np.random.Generator, duration_s: float, patient: PatientLook) -> Script:
    """Draw one recording of a patient by the generative rule of :mod:`semiology.data.simulated.script.march`.

    ``rng`` is the only source of chance; further recordings of the same patient reuse the result of :func:`draw_look`.

    Raises:
        ValueError: ``duration_s`` is below 30 s, too short for a march to fit in.
    """
    from semiology.data.simulated.script.march import draw_events, draw_incidents

    if duration_s < 30:
        raise ValueError(
            f"a simulated recording lasts at least 30 s, not {duration_s:g} s; ask for a longer one"
        )
    diagnosis: Literal["ES", "NES"] = "ES" if rng.random() < 0.6 else "NES"
    asleep = bool(rng.random() < (0.32 if diagnosis == "ES" else 0.23))
    asleep_until = round(float(rng.uniform(6, 10)), 1) if asleep else 0.0
    scene = draw_scene(rng, night=0.5 if asleep else 0.2)
    events, side = draw_events(rng, duration_s, diagnosis, asleep_until)
    seed = int(rng.integers(2**31))
    events += draw_incidents(np.random.default_rng([seed, 23]), duration_s, asleep_until)
    events = tuple(sorted(events, key=lambda event: (event.onset_s, event.feature)))
    of_onset = side if diagnosis == "ES" else None
    return Script(duration_s, patient, scene, events, diagnosis, seed, asleep_until, of_onset)


def draw_control(rng: np.random.Generator, duration_s: float, patient: PatientLook) -> Script:
    """Draw control video of a patient: a stretch without an event, with what resembles features; as `draw_script`."""
    from semiology.data.simulated.script.march import draw_calm, draw_incidents

    asleep_until = round(float(rng.uniform(6, 10)), 1) if rng.random() < 0.3 else 0.0
    scene = draw_scene(rng, night=0.5 if asleep_until else 0.2)
    events = draw_calm(rng, duration_s, asleep_until)
    seed = int(rng.integers(2**31))
    events += draw_incidents(np.random.default_rng([seed, 23]), duration_s, asleep_until)
    events = tuple(sorted(events, key=lambda event: (event.onset_s, event.feature)))
    return Script(duration_s, patient, scene, events, "none", seed, asleep_until)


def _known(feature: str) -> None:
    if feature not in FEATURES:
        raise KeyError(f"unknown feature {feature!r}{suggest_feature(feature)}")
