"""The generative rule: which features a simulated event shows, and in which order.

Epileptic seizures (ES) march: focal features, then a tonic posture (often a figure-4, often with a forced
head turn), then clonic jerks, then a limp postictal state. Non-epileptic events (NES) show closed eyes,
limbs shaking out of step, shaking of the whole body or thrusting hips, often with preserved answers. In
``BORROWED`` of the recordings the plan of the other class is played, so the diagnosis can be learnt but
never perfectly. Probabilities follow the frequencies by class published with S3 (arXiv 2605.21852);
features rarer there than about one recording in eight are raised to about that.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from semiology.data.simulated.script.events import ARM_FEATURES, Event, Side

Chance = np.random.Generator

# Harmless behaviour: name, probability of being tried, length in seconds.
_HABITS = (("scratch", 0.4, 2.2), ("yawn", 0.3, 2.6), ("talk", 0.4, 2.5), ("look", 0.6, 1.4))
_TRIES = 12
SLEEP_TURNS, ALARMS = 0.5, 0.2
"""Share of sleeping patients who turn over, and of recordings in which an alarm of a monitor rings."""
BORROWED = 0.06
"""Share of recordings that look like the other class."""
HANDOVER_S = 0.5
"""A tonic posture fades this long into the clonic phase, so that the limbs do not fall in between."""

_ARMS = ARM_FEATURES - {"clonic"}
_MOUTH = frozenset({"oral_automatisms", "face_pulling", "face_twitching"})
# Of two features from such a pair only the first drawn stays where they overlap: a picture cannot show both.
_EXCLUSIVE: tuple[tuple[frozenset[str], frozenset[str]], ...] = (
    (_ARMS, _ARMS),
    (_MOUTH, _MOUTH),
    (frozenset({"head_turning"}), _MOUTH | {"blank_stare", "eye_blinking"}),
    (frozenset({"blank_stare"}), frozenset({"eye_blinking", "face_pulling", "face_twitching", "close_eyes"})),
    (frozenset({"close_eyes"}), frozenset({"eye_blinking", "blank_stare", "face_pulling", "face_twitching"})),
    (frozenset({"pelvic_thrusting"}), frozenset({"full_body_shaking", "tonic", "clonic"})),
)
_SPEECHLESS = frozenset(
    {"tonic", "clonic", "blank_stare", "oral_automatisms", "face_pulling", "face_twitching"}
)
"""Features during which a patient does not answer."""


def draw_events(
    rng: Chance, duration_s: float, diagnosis: str, asleep_until_s: float
) -> tuple[tuple[Event, ...], Side | None]:
    """Draw features, behaviours and surroundings of one recording; times are rounded to 0.1 s.

    With them comes the side of onset that they follow from; None where the recording does not look like ES.
    """
    onset = asleep_until_s if asleep_until_s else float(rng.uniform(3.0, 6.0))
    marches = (diagnosis == "ES") != (rng.random() < BORROWED)
    side: Side | None = None
    if marches:
        side = _any_side(rng)
        shown = _plan_es(rng, onset, duration_s, side)
    else:
        shown = _plan_nes(rng, onset, duration_s)
    events = shown + _surroundings(rng, duration_s, shown) + _fidgets(rng, duration_s, asleep_until_s, shown)
    return tuple(
        sorted((_rounded(e, duration_s) for e in events), key=lambda e: (e.onset_s, e.feature))
    ), side


def _event(
    rng: Chance, name: str, start: float, stop: float, side: Side | None = None, hertz: float = 0.0
) -> Event:
    """Draw the size and the seed of an event."""
    return Event(name, start, stop, side, hertz, round(float(rng.uniform(0.8, 1.25)), 2), _seed(rng))


def _plan_es(rng: Chance, onset: float, end: float, side: Side) -> list[Event]:
    tonic = rng.random() < 0.5
    clonic = rng.random() < (0.65 if tonic else 0.15)
    shaking = not tonic and not clonic and rng.random() < 0.2
    wants = 1 + tonic + clonic + 0.5
    share = (end - onset) / wants
    focal_end = onset + float(np.clip(share * rng.uniform(0.8, 1.0), 6.0, 14.0 if tonic or clonic else 24.0))
    events = _focal(rng, onset, focal_end, side, lively=not (tonic or clonic))
    now = focal_end
    if tonic:
        tonic_end = min(now + float(np.clip(share * rng.uniform(0.8, 1.1), 6.0, 14.0)), end - 1)
        events += _tonic(rng, now, tonic_end, side)
        now = tonic_end
    if clonic:
        clonic_end = min(now + float(np.clip(share * rng.uniform(0.8, 1.2), 6.0, 15.0)), end - 1)
        events = [replace(e, offset_s=e.offset_s + HANDOVER_S) if e.offset_s == now else e for e in events]
        where: Side = "both" if tonic or rng.random() < 0.4 else side
        events.append(_event(rng, "clonic", now, clonic_end, where, float(rng.uniform(1.2, 2.6))))
        now = clonic_end
    if shaking and end - now > 6:
        stop = min(end - 0.5, now + float(rng.uniform(6, 12)))
        events.append(_event(rng, "full_body_shaking", now, stop, "both", float(rng.uniform(3, 5))))
        now = stop
    if not (tonic or clonic) and rng.random() < 0.35:
        events.append(_event(rng, "close_eyes", onset + 1, end))
        _drop_clashes(events)
    elif end - now > 3 and (tonic or clonic):
        events.append(Event("postictal", now, end))
    return events + _sound(rng, (onset, max(now, focal_end)), end, events, (0.49, 0.41, 0.25))


def _focal(rng: Chance, start: float, stop: float, side: Side, lively: bool) -> list[Event]:
    """Draw features of the focal phase; a lively phase is all there is, so it shows more."""
    boost = 1.35 if lively else 1.0
    events: list[Event] = []

    def add(name: str, probability: float, where: Side | None, hertz: tuple[float, float] = (0, 0)) -> None:
        if rng.random() >= probability * boost:
            return
        first, last = _within(rng, start, stop)
        events.append(_event(rng, name, first, last, where, float(rng.uniform(*hertz))))

    add("blank_stare", 0.4, None)
    add("eye_blinking", 0.3, None, (1.6, 3.2))
    add("face_twitching", 0.26, side, (1.8, 3.2))
    add("face_pulling", 0.36, side)
    add("oral_automatisms", 0.36, None, (1.0, 1.8))
    add("limb_automatisms", 0.22, _any_side(rng), (1.0, 1.8))
    if lively:
        if rng.random() < 0.5:
            events += _posture(rng, start, stop, side)
        add("head_turning", 0.22, _other(side))
        add("arms_raised", 0.12, "both", (0.4, 0.8))
    events = [events[i] for i in rng.permutation(len(events))]
    _drop_clashes(events)
    return events


def _tonic(rng: Chance, start: float, stop: float, side: Side) -> list[Event]:
    """Draw a tonic posture: figure-4, symmetric, or one arm; seizure onset is on ``side``."""
    events = [_event(rng, "tonic", start, stop, "both")]
    form = rng.random()
    lag = float(rng.choice([0.0, rng.uniform(1.2, 2.2)]))
    if form < 0.45:
        first = start + lag
        events.append(_event(rng, "arm_straightening", start, stop, _other(side)))
        events.append(_event(rng, "arm_flexion", first, stop, side))
        events.append(Event("figure4", first, stop, side, 0, 1.0, _seed(rng)))
    elif form < 0.66:
        events.append(_event(rng, "arm_flexion", start, stop, "both"))
    elif form < 0.78:
        events.append(_event(rng, "arm_straightening", start, stop, "both"))
    else:
        events += _posture(rng, start, stop, _other(side))
    if rng.random() < 0.6:
        events.append(_event(rng, "head_turning", start, stop, _other(side)))
    return events


def _posture(rng: Chance, start: float, stop: float, side: Side) -> list[Event]:
    name = "arm_flexion" if rng.random() < 0.6 else "arm_straightening"
    first, last = _within(rng, start, stop)
    return [_event(rng, name, first, last, side)]


def _plan_nes(rng: Chance, onset: float, end: float) -> list[Event]:
    events: list[Event] = []
    stop = min(end - 1.0, onset + float(rng.uniform(0.6, 0.95)) * (end - onset))
    middle = onset + float(rng.uniform(0.4, 0.6)) * (stop - onset)
    kind = rng.random()
    if kind < 0.60:
        events += _out_of_step(rng, onset, stop if rng.random() < 0.5 else middle)
    elif kind < 0.78:
        events += _focal(rng, onset, min(stop, onset + 14), _any_side(rng), lively=True)
    busy = max((e.offset_s for e in events), default=onset)
    if rng.random() < 0.38 and stop - busy > 6:
        events.append(_event(rng, "full_body_shaking", busy, stop, "both", float(rng.uniform(3, 5))))
        busy = stop
    if rng.random() < 0.5:
        first, last = _within(rng, onset, stop)
        events.append(_event(rng, "pelvic_thrusting", first, last, None, float(rng.uniform(0.9, 1.5))))
    if not events or rng.random() < 0.12:
        first = onset + float(rng.uniform(0, 1))
        last = first + float(rng.uniform(6, 11))
        events.append(Event("arms_raised", first, last, "both", 0.6, 1, _seed(rng)))
    if rng.random() < 0.68:
        events.append(_event(rng, "close_eyes", onset + float(rng.uniform(0, 1.5)), end))
    _drop_clashes(events)
    return events + _sound(rng, (onset, stop), end, events, (0.18, 0.64, 0.5))


def _out_of_step(rng: Chance, start: float, stop: float) -> list[Event]:
    """Draw limbs shaking out of step; in half of the events one arm begins seconds before the other."""
    stop = max(stop, start + 8)
    if rng.random() < 0.5:
        return [_event(rng, "asynchronous_movement", start, stop, "both")]
    first = _any_side(rng)
    later = start + float(rng.uniform(2.0, 4.0))
    return [
        _event(rng, "asynchronous_movement", start, stop, first),
        _event(rng, "asynchronous_movement", later, stop, _other(first)),
    ]


def _sound(
    rng: Chance, ictal: tuple[float, float], end: float, shown: list[Event], rates: tuple[float, float, float]
) -> list[Event]:
    """Draw what is heard; ``rates``: probabilities of groaning, of being addressed, and of answering then."""
    groans, asked, answers = rates
    events: list[Event] = []
    if rng.random() < groans:
        first, last = _within(rng, *ictal)
        hertz = float(rng.uniform(0.3, 0.7))
        events.append(Event("ictal_vocalization", first, last, None, hertz, 1, _seed(rng)))
    if rng.random() < asked:
        events += _exchange(rng, ictal[0], end, rng.random() < answers, [*shown, *events])
    return events


def _exchange(rng: Chance, onset: float, end: float, replies: bool, shown: list[Event]) -> list[Event]:
    """Draw one to three questions to the patient, and answers where nothing forbids them."""
    speechless = [e for e in shown if e.feature in _SPEECHLESS]
    events: list[Event] = []
    now = onset + float(rng.uniform(2, 8))
    for _ in range(int(rng.integers(1, 4))):
        if now + 5.5 > end:
            break
        question = now + float(rng.uniform(1.5, 2.2))
        events.append(Event("address", now, question, None, 0, 1, _seed(rng)))
        answer = question + float(rng.uniform(0.4, 0.9))
        reply = Event("verbal_responsiveness", answer, answer + float(rng.uniform(1.0, 1.8)), seed=_seed(rng))
        if replies and not any(_meet(reply, other) for other in speechless):
            events.append(reply)
        now = question + float(rng.uniform(4, 7))
    return events


def _surroundings(rng: Chance, end: float, shown: list[Event]) -> list[Event]:
    """Draw a caregiver: always near when somebody speaks to the patient, now and then otherwise."""
    asked = [e for e in shown if e.feature == "address"]
    if asked:
        first = max(0.0, asked[0].onset_s - float(rng.uniform(1, 3)))
        last = min(end, asked[-1].offset_s + float(rng.uniform(4, 9)))
    elif rng.random() < 0.3:
        first = float(rng.uniform(0, end * 0.6))
        last = min(end, first + float(rng.uniform(6, 15)))
    else:
        return []
    return [_event(rng, "caregiver", first, last, _any_side(rng), float(rng.uniform(0.2, 0.6)))]


def _fidgets(rng: Chance, end: float, awake: float, shown: list[Event]) -> list[Event]:
    """Draw harmless behaviour that resembles features, only where the patient is free to show it."""
    busy = [e for e in shown if e.feature not in {"address", "ictal_vocalization", "close_eyes"}]
    events: list[Event] = []
    for name, rate, length in _HABITS:
        if rng.random() >= rate or (name != "scratch" and any(e.feature == "close_eyes" for e in shown)):
            continue
        for _ in range(_TRIES):
            first = float(rng.uniform(awake + 0.3, end - length))
            event = _event(rng, name, first, first + length, _any_side(rng), 3.0)
            if not any(_meet(event, other) for other in [*busy, *events]):
                events.append(event)
                break
    return events


def draw_calm(rng: Chance, duration_s: float, asleep_until_s: float) -> tuple[Event, ...]:
    """Draw what happens without an event: harmless behaviour, a caregiver, a talk in which the patient answers."""
    talk = _exchange(rng, asleep_until_s, duration_s, True, []) if rng.random() < 0.3 else []
    events = [*talk, *_surroundings(rng, duration_s, talk), *_fidgets(rng, duration_s, asleep_until_s, talk)]
    return tuple(_rounded(event, duration_s) for event in events)


def draw_incidents(rng: Chance, duration_s: float, asleep_until_s: float) -> tuple[Event, ...]:
    """Draw what has nothing to do with the event: turning over in sleep, and an alarm of a monitor.

    They have their own source of chance, so that everything else stays as it is without them.
    """
    turns, rings = rng.random(2) < (SLEEP_TURNS, ALARMS)
    events = []
    if turns and asleep_until_s > 5:
        first = float(rng.uniform(1.0, asleep_until_s - 4.0))
        last = float(rng.uniform(first + 3.0, asleep_until_s - 0.6))
        events.append(_event(rng, "sleep_turn", first, last, _any_side(rng)))
    if rings:
        first = float(rng.uniform(1, duration_s - 8))
        events.append(Event("alarm", first, first + float(rng.uniform(3, 7)), None, 1.6, 1, _seed(rng)))
    return tuple(_rounded(event, duration_s) for event in events)


def _drop_clashes(events: list[Event]) -> None:
    """Remove, in place, later-drawn features that the picture could not show beside an earlier one."""
    kept: list[Event] = []
    for event in events:
        if not any(_meet(event, other) and _exclude(event.feature, other.feature) for other in kept):
            kept.append(event)
    events[:] = kept


def _meet(one: Event, other: Event) -> bool:
    return one.onset_s < other.offset_s and other.onset_s < one.offset_s


def _exclude(one: str, other: str) -> bool:
    if one == other == "asynchronous_movement":
        return False
    return any((one in a and other in b) or (other in a and one in b) for a, b in _EXCLUSIVE)


def _within(rng: Chance, start: float, stop: float) -> tuple[float, float]:
    """Draw an interval of at least 5 s (or all there is) inside a phase."""
    length = stop - start
    if length <= 6:
        return start, stop
    first = start + float(rng.uniform(0, 0.25)) * (length - 5)
    last = max(first + 5, stop - float(rng.uniform(0, 0.25)) * (length - 5))
    return first, min(last, stop)


def _rounded(event: Event, end: float) -> Event:
    return replace(event, onset_s=round(event.onset_s, 1), offset_s=round(min(event.offset_s, end), 1))


def _any_side(rng: Chance) -> Side:
    return "left" if rng.random() < 0.5 else "right"


def _other(side: Side) -> Side:
    return {"left": "right", "right": "left", "both": "both"}[side]  # type: ignore[return-value]


def _seed(rng: Chance) -> int:
    return int(rng.integers(2**31))
