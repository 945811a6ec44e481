"""The picture must show what the script claims, when it claims it."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from semiology.data.simulated.picture.render import FACE_STATE, KEYPOINTS, keypoints, render
from semiology.data.simulated.script.script import Script, draw_look, draw_script

FPS = 30.0
EYES, MOUTH, YAW, GAZE, PULL = (len(KEYPOINTS) + i for i in range(len(FACE_STATE)))


def first_script(wanted: Callable[[Script], bool]) -> Script:
    for seed in range(2000):
        rng = np.random.default_rng(seed)
        script = draw_script(rng, 45.0, draw_look(rng))
        if wanted(script):
            return script
    raise AssertionError("no such script in 2,000 seeds")


def with_sign(feature: str, *without: str) -> Script:
    return first_script(lambda s: s.present(feature) == "yes" and not any(s.of(name) for name in without))


def track(script: Script, start_s: float, end_s: float) -> np.ndarray:
    return keypoints(script, np.arange(start_s, end_s, 1 / FPS))


def speed(points: np.ndarray, name: str) -> float:
    path = points[:, KEYPOINTS.index(name)]
    return float(np.linalg.norm(np.diff(path, axis=0), axis=1).mean() * FPS)


def main_frequency(signal: np.ndarray) -> float:
    centred = signal - signal.mean()
    power = np.abs(np.fft.rfft(centred * np.hanning(len(centred)), 4096)) ** 2
    return float(np.fft.rfftfreq(4096, 1 / FPS)[power.argmax()])


def test_a_frame_depends_on_script_and_time_alone() -> None:
    script = with_sign("clonic")
    times = np.array([1.0, 20.0, 20.5, 44.0])
    frames = render(script, times, (160, 120))
    assert frames.shape == (4, 120, 160, 3)
    assert frames.dtype == np.uint8
    assert np.array_equal(frames, render(script, times, (160, 120)))
    assert np.array_equal(frames[2:3], render(script, times[2:3], (160, 120)))
    assert np.array_equal(keypoints(script, times)[1:2], keypoints(script, times[1:2]))


@pytest.mark.parametrize("feature", ["clonic", "pelvic_thrusting", "full_body_shaking"])
def test_repeated_movement_has_the_stated_rate_inside_and_is_absent_before(feature: str) -> None:
    script = with_sign(feature, "asynchronous_movement", "limb_automatisms", "arms_raised")
    event = script.of(feature)[0]
    inside = track(script, event.onset_s + 0.5, event.offset_s - 0.5)
    point = {"pelvic_thrusting": "pelvis", "clonic": "l_wrist"}.get(feature, "neck")
    if feature == "clonic" and event.side == "right":
        point = "r_wrist"
    axis = 0 if feature == "full_body_shaking" else 1
    found = main_frequency(inside[:, KEYPOINTS.index(point), axis])
    assert found == pytest.approx(event.frequency_hz, rel=0.2)
    calm = track(script, 0.2, min(e.onset_s for e in script.events) - 0.1)
    assert len(calm) == 0 or speed(inside, point) > 5 * speed(calm, point)


def test_closed_eyes_are_closed_in_their_interval_and_open_before() -> None:
    script = first_script(lambda s: s.present("close_eyes") == "yes" and not s.asleep_until_s)
    start, end = script.interval("close_eyes") or (0, 0)
    assert np.mean(track(script, start + 0.6, end - 0.6)[:, EYES].max(axis=1) < 0.2) > 0.9
    assert np.median(track(script, 0, start)[:, EYES]) > 0.8


def test_a_sleeper_lies_still_with_closed_eyes_and_wakes() -> None:
    script = with_sign("occur_during_sleep", "close_eyes", "postictal", "eye_blinking", "caregiver")
    asleep = track(script, 0, script.asleep_until_s - 1.0)
    assert asleep[:, EYES].max() < 0.05
    assert speed(asleep, "l_wrist") < 0.03
    assert np.median(track(script, script.asleep_until_s + 0.5, 40)[:, EYES]) > 0.5


@pytest.mark.parametrize("side", ["left", "right"])
def test_a_forced_head_turn_goes_to_the_stated_side_of_the_patient(side: str) -> None:
    script = first_script(lambda s: s.present("head_turning") == "yes" and s.side("head_turning") == side)
    start, end = script.interval("head_turning") or (0, 0)
    yaw = track(script, start + 0.7, end - 0.7)[:, YAW, 0]
    assert (np.sign(yaw) == (1 if side == "left" else -1)).all()
    assert np.abs(yaw).min() > np.deg2rad(40)
    # The patient faces the camera: the patient's left is on the right of the picture.
    calm = keypoints(script, np.array([0.5]))[0]
    assert calm[KEYPOINTS.index("l_shoulder"), 0] > calm[KEYPOINTS.index("r_shoulder"), 0]


def test_a_flexed_arm_folds_and_an_extended_arm_is_straight() -> None:
    script = with_sign("figure4")
    event = script.of("figure4")[0]
    bent, straight = ("l", "r") if event.side == "left" else ("r", "l")
    points = track(script, event.onset_s + 0.7, event.offset_s - 0.9)

    def reach(side: str) -> float:
        shoulder, elbow, wrist = (
            points[:, KEYPOINTS.index(f"{side}_{j}")] for j in ("shoulder", "elbow", "wrist")
        )
        chain = np.linalg.norm(elbow - shoulder, axis=1) + np.linalg.norm(wrist - elbow, axis=1)
        return float(np.mean(np.linalg.norm(wrist - shoulder, axis=1) / chain))

    assert reach(straight) > 0.95
    assert reach(bent) < 0.65


def test_blinking_chewing_twitching_and_pulling_move_the_face_where_they_should() -> None:
    blinking = with_sign("eye_blinking", "close_eyes", "face_pulling", "face_twitching")
    event = blinking.of("eye_blinking")[0]
    lids = track(blinking, event.onset_s + 0.5, event.offset_s - 0.5)[:, EYES, 0]
    crossings = np.sum((lids[1:] < 0.5) & (lids[:-1] >= 0.5)) / (len(lids) / FPS)
    assert crossings >= 1.0

    chewing = with_sign("oral_automatisms", "talk", "verbal_responsiveness")
    event = chewing.of("oral_automatisms")[0]
    mouth = track(chewing, event.onset_s + 0.5, event.offset_s - 0.5)[:, MOUTH, 0]
    assert np.ptp(mouth) > 0.35
    assert main_frequency(mouth) == pytest.approx(event.frequency_hz, rel=0.35)

    for feature, steady in (("face_pulling", True), ("face_twitching", False)):
        script = with_sign(feature, "tonic")
        event = script.of(feature)[0]
        drawn = track(script, event.onset_s + 0.7, event.offset_s - 0.7)[:, PULL]
        own, other = (0, 1) if event.side == "left" else (1, 0)
        assert drawn[:, own].max() > 0.6
        assert drawn[:, other].max() < 0.1
        assert (np.ptp(drawn[:, own]) < 0.05) == steady


def test_a_stare_fixes_the_gaze_that_otherwise_wanders() -> None:
    script = with_sign("blank_stare", "caregiver")
    start, end = script.interval("blank_stare") or (0, 0)
    staring = track(script, start + 0.6, end - 0.6)
    assert np.ptp(staring[:, GAZE], axis=0).max() < 0.01
    assert staring[:, EYES].min() > 0.9


def test_motion_blurs_and_stillness_does_not() -> None:
    script = with_sign("full_body_shaking")
    event = script.of("full_body_shaking")[0]
    middle = (event.onset_s + event.offset_s) / 2
    times = np.arange(10) / 17 + middle
    sharp, blurred = (render(script, times, (320, 240), steps).astype(float) for steps in (1, 5))
    assert np.abs(sharp - blurred).mean() > 1.0
    still = script.of("full_body_shaking")[0].onset_s - 1 if not script.of("caregiver") else None
    if still is None:
        return
    calm = np.array([still])
    assert (
        np.abs(render(script, calm, (320, 240), 1).astype(float) - render(script, calm, (320, 240), 5)).mean()
        < 1.0
    )


def test_an_infrared_picture_is_grey_and_any_size_can_be_drawn() -> None:
    script = first_script(lambda s: s.scene.infrared)
    frame = render(script, np.array([2.0]), (640, 480))[0].astype(int)
    assert np.abs(frame[..., 0] - frame[..., 1]).mean() < 12
    assert render(script, np.array([2.0]), (1280, 720)).shape == (1, 720, 1280, 3)
    assert render(script, np.array([]), (112, 84)).shape == (0, 84, 112, 3)
