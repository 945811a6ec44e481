"""From a script to joint angles and a face over time, as arrays over all asked times at once."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from semiology.data.simulated.script.events import Event
from semiology.data.simulated.script.script import Script

Array = NDArray[np.float64]
LEFT, RIGHT = 0, 1
CLONIC_SLOWING = 0.15
"""Clonic jerks begin this share faster and end this share slower than their mean rate."""

# Arm poses: raise and forward angle of the upper arm and bend of the elbow in degrees, then the direction in
# which the forearm folds (towards the midline, towards the head, away from the chest).
_ARMS: dict[str, tuple[float, float, float, tuple[float, float, float]]] = {
    "side": (20, 4, 28, (0.6, 0.0, 0.8)),
    "belly": (24, 6, 78, (1.0, 0.0, 0.3)),
    "arm_flexion": (42, 22, 138, (0.35, 1.0, 0.45)),
    "arm_straightening": (74, 16, 2, (0.3, 0.2, 1.0)),
    "figure4": (48, 22, 108, (1.0, -0.1, 0.35)),
    "limb_automatisms": (24, 14, 88, (1.0, 0.0, 0.35)),
    "clonic": (46, 20, 70, (0.35, 1.0, 0.5)),
    "asynchronous_movement": (52, 20, 62, (0.3, 1.0, 0.5)),
    "full_body_shaking": (30, 14, 55, (0.6, 0.6, 0.7)),
    "arms_raised": (112, 16, 40, (0.5, 1.0, 0.4)),
    "scratch": (40, 42, 140, (1.0, 1.0, 0.4)),
}


@dataclass
class Pose:
    """Everything that moves, over T times; side axis 0 is the patient's left. Radians and heads."""

    raised: Array  # (T, 2)
    forward: Array  # (T, 2)
    elbow: Array  # (T, 2)
    bend: Array  # (T, 2, 3)
    hip: Array  # (T, 2)
    knee: Array  # (T, 2)
    spread: Array  # (T, 2)
    pelvis: Array  # (T, 3) right in the picture, along the bed, up
    chest: Array  # (T, 3)
    yaw: Array  # (T,) positive towards the patient's left
    pitch: Array  # (T,) positive looks up
    tip: Array  # (T,) head rolled towards the patient's left shoulder
    eyes: Array  # (T, 2) opening, 0 shut, 1 open
    gaze: Array  # (T, 2) picture right, picture down; -1..1
    mouth: Array  # (T,) opening 0..1
    wide: Array  # (T,) width of the mouth, 1 at rest
    pull: Array  # (T, 2) corner of the mouth drawn out, 0..1


def pose_at(script: Script, times_s: Array) -> Pose:
    """Return the pose at each time, a pure function of script and time."""
    pose = _resting(script, times_s)
    for event in script.events:
        weight = _envelope(times_s, event)
        if weight.any():
            _apply(pose, event, times_s, weight)
    return pose


def _resting(script: Script, times_s: Array) -> Pose:
    count = len(times_s)
    rng = np.random.default_rng(script.seed)
    asleep = _ramp(script.asleep_until_s - times_s, 0.8) if script.asleep_until_s else np.zeros(count)
    still = asleep.copy()
    for event in script.of("blank_stare", "tonic", "postictal"):
        still = np.maximum(still, _envelope(times_s, event))
    free = 1 - still
    habits = ["side" if rng.random() < 0.6 or script.asleep_until_s else "belly" for _ in range(2)]
    arms = [_ARMS[h] for h in habits]
    drift = _drift(rng, times_s, 10) * (0.25 + 0.75 * free[:, None])
    angles = np.deg2rad([[a[0], a[1], a[2]] for a in arms]) * rng.uniform(0.85, 1.2, (2, 3))
    blink, gaze = _glances(script)
    opening = 1 - blink_at(blink, times_s) * free
    opening = opening * (1 - asleep)
    look = gaze[np.clip((times_s / 0.25).astype(int), 0, len(gaze) - 1)] * free[:, None]
    slumber = float(rng.choice([-1, 1])) * np.deg2rad(rng.uniform(18, 34))
    breath = 0.025 * np.sin(2 * np.pi * 0.25 * times_s)
    zeros = np.zeros(count)
    return Pose(
        raised=np.tile(angles[:, 0], (count, 1)) + 0.05 * drift[:, 0:2],
        forward=np.tile(angles[:, 1], (count, 1)) + 0.04 * drift[:, 2:4],
        elbow=np.tile(angles[:, 2], (count, 1)) + 0.09 * drift[:, 4:6],
        bend=np.tile(np.array([a[3] for a in arms]), (count, 1, 1)),
        hip=np.full((count, 2), np.deg2rad(24)) + 0.03 * drift[:, 6:8],
        knee=np.full((count, 2), np.deg2rad(44)) + 0.0,
        spread=np.full((count, 2), np.deg2rad(9)) + 0.0,
        pelvis=np.zeros((count, 3)),
        chest=np.stack([zeros, zeros, breath], axis=1),
        yaw=0.16 * drift[:, 8] * free + slumber * asleep,
        pitch=0.07 * drift[:, 9] - 0.12 * asleep,
        tip=0.05 * drift[:, 7] + 0.5 * slumber * asleep,
        eyes=np.stack([opening, opening], axis=1),
        gaze=look,
        mouth=0.0 * times_s + 0.04 + 0.1 * asleep,
        wide=np.ones(count),
        pull=np.zeros((count, 2)),
    )


def _apply(pose: Pose, event: Event, times_s: Array, weight: Array) -> None:
    clock = times_s - event.onset_s
    if event.feature in _ARMS:
        for side in _sides(event):
            _towards(pose, side, event.feature, weight)
    action = _ACTIONS.get(event.feature)
    if action is not None:
        action(pose, event, clock, weight)


def _towards(pose: Pose, side: int, name: str, weight: Array) -> None:
    raised, forward, elbow, bend = _ARMS[name]
    for channel, target in ((pose.raised, raised), (pose.forward, forward), (pose.elbow, elbow)):
        channel[:, side] += weight * (np.deg2rad(target) - channel[:, side])
    pose.bend[:, side] += weight[:, None] * (np.asarray(bend) - pose.bend[:, side])


def _tonic(pose: Pose, event: Event, clock: Array, weight: Array) -> None:
    tremor = weight * np.sin(2 * np.pi * 7.3 * clock)
    pose.elbow += 0.05 * tremor[:, None]
    pose.raised += 0.03 * tremor[:, None] + 0.1 * weight[:, None]
    pose.hip += weight[:, None] * (np.deg2rad(6) - pose.hip)
    pose.knee += weight[:, None] * (np.deg2rad(3) - pose.knee)
    pose.pitch += 0.34 * weight
    pose.chest[:, 2] += 0.16 * weight
    pose.pelvis[:, 2] += 0.1 * weight
    pose.mouth += weight * (0.3 - pose.mouth)
    pose.wide += 0.45 * weight
    pose.pull += 0.25 * weight[:, None]


def _clonic(pose: Pose, event: Event, clock: Array, weight: Array) -> None:
    # Jerks slow down towards the end, as they do; the mean rate over the event is the stated one.
    length = event.offset_s - event.onset_s
    cycles = event.frequency_hz * (clock + CLONIC_SLOWING * clock * (1 - clock / length))
    jerk = weight * event.amplitude * _jerk(cycles)
    for side in _sides(event):
        pose.elbow[:, side] += 0.95 * jerk
        pose.raised[:, side] += 0.42 * jerk
        pose.hip[:, side] += 0.2 * jerk
        pose.knee[:, side] += 0.26 * jerk
    pose.pitch += 0.16 * jerk
    pose.chest[:, 2] += 0.06 * jerk
    pose.mouth += weight * 0.1


def _shaking(pose: Pose, event: Event, clock: Array, weight: Array) -> None:
    swing = weight * event.amplitude * np.sin(2 * np.pi * event.frequency_hz * clock)
    other = weight * event.amplitude * np.sin(2 * np.pi * event.frequency_hz * clock + 1.3)
    pose.pelvis[:, 0] += 0.13 * swing
    pose.chest[:, 0] += 0.17 * swing
    pose.chest[:, 2] += 0.08 * other
    pose.yaw += 0.16 * swing
    pose.tip += 0.10 * other
    pose.raised += 0.22 * np.stack([swing, -swing], axis=1)
    pose.elbow += 0.38 * np.stack([other, other], axis=1)
    pose.hip += 0.12 * np.stack([swing, -swing], axis=1)
    pose.spread += 0.14 * np.stack([other, -other], axis=1)


def _asynchronous(pose: Pose, event: Event, clock: Array, weight: Array) -> None:
    rng = np.random.default_rng(event.seed)
    base = np.sort(rng.uniform(0.8, 2.6, 4) + np.array([0.0, 0.25, 0.5, 0.75]))
    for limb, hertz in enumerate(rng.permutation(base)):
        # Effort comes and goes, in each limb on its own.
        swell = 0.25 + 0.75 * np.sin(np.pi * clock / rng.uniform(3.5, 7) + rng.uniform(0, np.pi)) ** 2
        swing = weight * event.amplitude * swell * np.sin(2 * np.pi * hertz * clock + rng.uniform(0, 6))
        side = limb % 2
        if side not in _sides(event):
            continue
        if limb < 2:
            pose.elbow[:, side] += 0.75 * swing
            pose.raised[:, side] += 0.5 * swing
        else:
            pose.hip[:, side] += 0.3 * swing
            pose.knee[:, side] += 0.4 * swing
            pose.spread[:, side] += 0.12 * swing
    if event.seed % 2 and event.side in ("both", "left"):
        pose.yaw += 0.45 * weight * np.sin(2 * np.pi * rng.uniform(0.5, 0.9) * clock)


def _pelvic(pose: Pose, event: Event, clock: Array, weight: Array) -> None:
    thrust = weight * event.amplitude * (0.5 - 0.5 * np.cos(2 * np.pi * event.frequency_hz * clock))
    pose.pelvis[:, 2] += 0.62 * thrust
    pose.chest[:, 2] += 0.1 * thrust
    pose.hip -= 0.25 * thrust[:, None]
    pose.knee += weight[:, None] * 0.3


def _limb_automatisms(pose: Pose, event: Event, clock: Array, weight: Array) -> None:
    turn = 2 * np.pi * event.frequency_hz * clock + 0.9 * np.sin(2 * np.pi * 0.19 * clock)
    for side in _sides(event):
        pose.elbow[:, side] += 0.36 * weight * event.amplitude * np.sin(turn)
        pose.raised[:, side] += 0.16 * weight * event.amplitude * np.cos(turn)


def _arms_raised(pose: Pose, event: Event, clock: Array, weight: Array) -> None:
    swing = weight * event.amplitude * np.sin(2 * np.pi * event.frequency_hz * clock)
    pose.raised += 0.35 * swing[:, None]
    pose.elbow += 0.35 * swing[:, None]


def _head_turning(pose: Pose, event: Event, clock: Array, weight: Array) -> None:
    sign = 1.0 if event.side == "left" else -1.0
    pose.yaw += weight * (sign * np.deg2rad(min(68 * event.amplitude, 76)) - pose.yaw)
    pose.pitch += 0.15 * weight
    pose.tip += 0.12 * sign * weight
    pose.gaze += weight[:, None] * (np.array([0.9 * sign, 0.0]) - pose.gaze)


def _look(pose: Pose, event: Event, clock: Array, weight: Array) -> None:
    sign = 1.0 if event.side == "left" else -1.0
    pose.yaw += weight * (sign * np.deg2rad(28 * event.amplitude) - pose.yaw)


def _sleep_turn(pose: Pose, event: Event, clock: Array, weight: Array) -> None:
    # The head rolls over to the other side, one arm follows across the chest, the knees drop.
    sign = -1.0 if event.side == "right" else 1.0
    pose.yaw += weight * (np.sign(-pose.yaw) * 0.5 * event.amplitude - pose.yaw)
    pose.tip += weight * (np.sign(-pose.tip) * 0.2 - pose.tip)
    _towards(pose, LEFT if sign > 0 else RIGHT, "belly", weight)
    pose.pelvis[:, 0] += 0.12 * sign * weight
    pose.chest[:, 0] += 0.08 * sign * weight
    pose.spread += 0.1 * weight[:, None]


def _blank_stare(pose: Pose, event: Event, clock: Array, weight: Array) -> None:
    away = np.random.default_rng(event.seed).uniform(-0.25, 0.25)
    pose.eyes += weight[:, None] * (1.3 - pose.eyes)
    pose.gaze += weight[:, None] * (np.array([away, -0.05]) - pose.gaze)
    pose.mouth += weight * (0.22 - pose.mouth)
    pose.yaw += weight * (0.3 * away - pose.yaw)


def _close_eyes(pose: Pose, event: Event, clock: Array, weight: Array) -> None:
    # Mostly closed: the lids part for a moment now and then.
    phase = np.random.default_rng(event.seed).uniform(0, 9)
    peep = ((clock + phase) % 9.0) < 0.35
    pose.eyes *= (1 - weight * np.where(peep, 0.6, 1.0))[:, None]


def _eye_blinking(pose: Pose, event: Event, clock: Array, weight: Array) -> None:
    rng = np.random.default_rng(event.seed)
    # The rate wanders, so that blinks never lock onto the sampling of the frames.
    turn = 2 * np.pi * event.frequency_hz * clock + 1.2 * np.sin(2 * np.pi * 0.31 * clock + rng.uniform(0, 6))
    lid = np.clip(0.5 + 1.6 * np.sin(turn), 0, 1)
    pose.eyes *= (1 - weight * lid)[:, None]


def _face_pulling(pose: Pose, event: Event, clock: Array, weight: Array) -> None:
    for side in _sides(event):
        pose.pull[:, side] += weight * event.amplitude
        pose.eyes[:, side] *= 1 - 0.7 * weight


def _face_twitching(pose: Pose, event: Event, clock: Array, weight: Array) -> None:
    # The rate wanders, so that twitches never lock onto the sampling of the frames.
    cycles = event.frequency_hz * clock + 0.45 * np.sin(2 * np.pi * 0.23 * clock + event.seed % 6)
    twitch = np.clip(_jerk(cycles), 0, 1) * weight * event.amplitude
    for side in _sides(event):
        pose.pull[:, side] += 0.9 * twitch
        pose.eyes[:, side] *= 1 - 0.75 * np.clip(twitch, 0, 1)


def _oral(pose: Pose, event: Event, clock: Array, weight: Array) -> None:
    turn = 2 * np.pi * event.frequency_hz * clock + 0.8 * np.sin(2 * np.pi * 0.27 * clock)
    chew = 0.5 - 0.5 * np.cos(turn)
    pose.mouth += weight * event.amplitude * 0.62 * chew
    pose.wide -= weight * 0.3 * (1 - chew)


def _talk(pose: Pose, event: Event, clock: Array, weight: Array) -> None:
    rng = np.random.default_rng(event.seed)
    syllables = sum(
        np.sin(2 * np.pi * hertz * clock + rng.uniform(0, 6)) for hertz in rng.uniform(2.0, 5.5, 3)
    )
    pose.mouth += weight * 0.16 * np.clip(0.7 + 0.6 * np.asarray(syllables), 0, 2)


def _yawn(pose: Pose, event: Event, clock: Array, weight: Array) -> None:
    arc = np.sin(np.pi * np.clip(clock / (event.offset_s - event.onset_s), 0, 1))
    pose.mouth += weight * 0.95 * arc
    pose.eyes *= (1 - 0.7 * weight * arc)[:, None]


def _scratch(pose: Pose, event: Event, clock: Array, weight: Array) -> None:
    for side in _sides(event):
        pose.elbow[:, side] += 0.09 * weight * np.sin(2 * np.pi * event.frequency_hz * clock)


def _postictal(pose: Pose, event: Event, clock: Array, weight: Array) -> None:
    for side in (LEFT, RIGHT):
        _towards(pose, side, "side", weight)
    pose.eyes *= (1 - 0.5 * weight)[:, None]
    pose.mouth += weight * 0.15
    pose.tip += 0.2 * weight


_ACTIONS = {
    "tonic": _tonic, "clonic": _clonic, "full_body_shaking": _shaking, "asynchronous_movement": _asynchronous,
    "pelvic_thrusting": _pelvic, "limb_automatisms": _limb_automatisms,
    "arms_raised": _arms_raised, "head_turning": _head_turning, "look": _look, "blank_stare": _blank_stare,
    "close_eyes": _close_eyes, "eye_blinking": _eye_blinking, "face_pulling": _face_pulling,
    "face_twitching": _face_twitching, "oral_automatisms": _oral, "talk": _talk,
    "verbal_responsiveness": _talk, "yawn": _yawn, "scratch": _scratch, "postictal": _postictal,
    "sleep_turn": _sleep_turn,
}  # fmt: skip


def _sides(event: Event) -> tuple[int, ...]:
    if event.side == "left":
        return (LEFT,)
    return (RIGHT,) if event.side == "right" else (LEFT, RIGHT)


def _jerk(cycles: Array) -> Array:
    """Return a fast flexion and a slower return, once per cycle, between -0.35 and 1."""
    phase = cycles % 1.0
    return np.where(phase < 0.22, phase / 0.22, 1 - (phase - 0.22) / 0.78) * 1.35 - 0.35


def _ramp(lead_s: Array, length_s: float) -> Array:
    part = np.clip(lead_s / length_s, 0, 1)
    return np.asarray(part * part * (3 - 2 * part))


def _envelope(times_s: Array, event: Event) -> Array:
    """Return how far an event is in force: swelling after its onset, fading before its offset."""
    edge = min(0.5, (event.offset_s - event.onset_s) / 4)
    return np.minimum(_ramp(times_s - event.onset_s, edge), _ramp(event.offset_s - times_s, edge))


def _drift(rng: np.random.Generator, times_s: Array, channels: int) -> Array:
    hertz, phase = rng.uniform(0.03, 0.14, (2, channels)), rng.uniform(0, 6.3, (2, channels))
    waves = np.sin(2 * np.pi * times_s[:, None, None] * hertz + phase)
    return np.asarray(waves.mean(axis=1) * 1.4)


@lru_cache(maxsize=64)
def _glances(script: Script) -> tuple[Array, Array]:
    """Return times of ordinary blinks, and the direction of gaze every quarter second."""
    rng = np.random.default_rng(script.seed + 1)
    blinks = np.cumsum(rng.uniform(2.0, 7.0, int(script.duration_s / 2) + 2))
    steps = int(script.duration_s * 4) + 8
    moves = rng.random(steps) < 0.22
    moves[0] = True
    targets = rng.uniform([-0.8, -0.35], [0.8, 0.5], (steps, 2))
    last = np.maximum.accumulate(np.where(moves, np.arange(steps), 0))
    return blinks, targets[last]


def blink_at(blinks_s: Array, times_s: Array) -> Array:
    """Return how far the lids are down (0..1) for blinks of 0.2 s that start at ``blinks_s``."""
    index = np.searchsorted(blinks_s, times_s) - 1
    since = np.where(index >= 0, times_s - blinks_s[np.maximum(index, 0)], 9.0)
    return np.asarray(np.clip(1.6 * np.sin(np.pi * np.clip(since / 0.2, 0, 1)), 0, 1))
