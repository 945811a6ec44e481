"""Harmless behaviour and incidents: drawn beside the features, never in their place, and written down."""

from __future__ import annotations

import csv
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from semiology.data.simulated import simulate
from semiology.data.simulated import write as writing
from semiology.data.simulated.picture.motion import pose_at
from semiology.data.simulated.script.behaviours import BEHAVIOURS, RESEMBLES, behaviour_rows
from semiology.data.simulated.script.events import Event
from semiology.data.simulated.script.script import Script, draw_look, draw_script
from semiology.data.simulated.sound.sound import ALARM_HZ, soundtrack
from semiology.data.simulated.sound.voice import RATE
from semiology.features import FEATURES


def drawn(seed: int) -> Script:
    rng = np.random.default_rng(seed)
    return draw_script(rng, 45.0, draw_look(rng))


def test_only_sleepers_turn_over_and_only_while_they_sleep() -> None:
    turned = 0
    for seed in range(200):
        script = drawn(seed)
        for event in script.of("sleep_turn"):
            turned += 1
            assert 0 < event.onset_s < event.offset_s < script.asleep_until_s
    assert turned > 10


def test_turning_over_rolls_the_head_to_the_other_side_and_back() -> None:
    base = next(s for s in map(drawn, range(200)) if s.asleep_until_s > 8)
    script = replace(base, events=(Event("sleep_turn", 2.0, 6.0, "left", seed=1),))
    yaw = pose_at(script, np.array([1.0, 4.0, 7.0])).yaw
    assert yaw[0] * yaw[1] < 0 < yaw[0] * yaw[2]
    assert script.present("head_turning") == "no"


def test_an_alarm_is_heard_as_its_two_tones_and_only_while_it_rings() -> None:
    base = next(s for s in map(drawn, range(200)) if s.of("alarm"))
    script = replace(base, events=base.of("alarm"))
    alarm = script.of("alarm")[0]
    sound = soundtrack(script).astype(float)

    def power(start_s: float, stop_s: float, hertz: float) -> float:
        part = sound[round(start_s * RATE) : round(stop_s * RATE)]
        spectrum = np.abs(np.fft.rfft(part * np.hanning(len(part)))) ** 2 / len(part)
        at = np.abs(np.fft.rfftfreq(len(part), 1 / RATE) - hertz) < 15
        return float(spectrum[at].max())

    before = (0.0, alarm.onset_s) if alarm.onset_s > 3 else (alarm.offset_s + 0.5, alarm.offset_s + 3)
    for hertz in ALARM_HZ:
        assert power(alarm.onset_s, alarm.offset_s, hertz) > 20 * power(*before, hertz)


def test_every_resembled_sign_exists_and_every_hard_negative_is_a_behaviour() -> None:
    assert set(RESEMBLES) <= set(BEHAVIOURS)
    assert set(RESEMBLES.values()) <= set(FEATURES)
    assert not set(BEHAVIOURS) & set(FEATURES)


def test_a_set_lists_its_behaviours(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writing, "_make", lambda *_: None)
    simulate(tmp_path / "set", patients=4, seed=2, duration_s=(35.0, 40.0), progress=False)
    with (tmp_path / "set" / "behaviours.csv").open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert {row["behaviour"] for row in rows} <= set(BEHAVIOURS)
    assert len({row["video_id"] for row in rows}) > 4
    script = drawn(3)
    assert [row["behaviour"] for row in behaviour_rows("v", script)] == [
        event.feature for event in script.of(*BEHAVIOURS)
    ]
