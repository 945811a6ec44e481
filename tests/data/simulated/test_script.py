"""What a script claims must be coherent and the same every time."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from semiology.data.simulated.script.script import Script, draw_look, draw_script
from semiology.data.simulated.script.sentences import reference_report
from semiology.features import AUDIO_FEATURES, FEATURES, VISUAL_FEATURES

SIGNS = frozenset(VISUAL_FEATURES) | {"ictal_vocalization", "postictal", "arms_raised"}


def drawn(seed: int, duration_s: float = 45.0) -> Script:
    rng = np.random.default_rng(seed)
    return draw_script(rng, duration_s, draw_look(rng))


scripts = st.builds(drawn, st.integers(0, 2**32 - 1), st.floats(30, 180))


def overlap(script: Script, one: str, other: str) -> bool:
    return any(
        a.onset_s < b.offset_s and b.onset_s < a.offset_s for a in script.of(one) for b in script.of(other)
    )


@settings(max_examples=200, deadline=None)
@given(scripts)
def test_every_event_lies_in_the_recording_and_lasts(script: Script) -> None:
    for event in script.events:
        assert 0 <= event.onset_s < event.offset_s <= round(script.duration_s, 1) + 0.05
        if event.feature in SIGNS - {"postictal"}:
            assert event.offset_s - event.onset_s >= 3.0, event


@settings(max_examples=200, deadline=None)
@given(scripts)
def test_a_figure_4_is_one_flexed_and_one_extended_arm(script: Script) -> None:
    for event in script.of("figure4"):
        (flexed,) = [e for e in script.of("arm_flexion") if e.onset_s == event.onset_s]
        (extended,) = [e for e in script.of("arm_straightening") if e.onset_s <= event.onset_s]
        assert {flexed.side, extended.side} == {"left", "right"}
        assert flexed.offset_s == extended.offset_s == event.offset_s


@settings(max_examples=200, deadline=None)
@given(scripts)
def test_nothing_ictal_happens_while_the_patient_sleeps(script: Script) -> None:
    assert (script.present("occur_during_sleep") == "yes") == (script.asleep_until_s > 0)
    for event in script.events:
        if event.feature in SIGNS | {"verbal_responsiveness"}:
            assert event.onset_s >= script.asleep_until_s - 0.05


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("oral_automatisms", "face_pulling"),
        ("limb_automatisms", "clonic"),
        ("limb_automatisms", "asynchronous_movement"),
        ("pelvic_thrusting", "full_body_shaking"),
        ("pelvic_thrusting", "clonic"),
        ("asynchronous_movement", "full_body_shaking"),
        ("blank_stare", "eye_blinking"),
        ("blank_stare", "close_eyes"),
        ("blank_stare", "tonic"),
        ("oral_automatisms", "tonic"),
        ("verbal_responsiveness", "tonic"),
        ("verbal_responsiveness", "clonic"),
        ("head_turning", "face_twitching"),
    ],
)
def test_signs_that_exclude_each_other_never_overlap(one: str, other: str) -> None:
    for seed in range(300):
        assert not overlap(drawn(seed, 40), one, other), f"seed {seed}"


@settings(max_examples=200, deadline=None)
@given(scripts)
def test_an_answer_follows_a_question_and_without_one_the_truth_is_na(script: Script) -> None:
    questions = script.of("address")
    for answer in script.of("verbal_responsiveness"):
        assert any(0 < answer.onset_s - q.offset_s < 1.5 for q in questions)
    assert (script.present("verbal_responsiveness") == "na") == (not questions)


@settings(max_examples=150, deadline=None)
@given(scripts, st.sampled_from(FEATURES))
def test_a_window_over_all_shows_what_is_present_and_an_empty_one_nothing(
    script: Script, feature: str
) -> None:
    whole = script.present_between(feature, 0, script.duration_s)
    if feature != "close_eyes" and script.present(feature) == "yes":
        assert whole
    if script.present(feature) != "yes":
        assert not whole
    interval = script.interval(feature)
    if interval and feature not in {"occur_during_sleep", "close_eyes"}:
        assert not script.present_between(feature, 0, interval[0])
        assert not script.present_between(feature, interval[1], interval[1] + 30)


@settings(max_examples=100, deadline=None)
@given(scripts)
def test_arms_that_start_together_do_so(script: Script) -> None:
    left, right = script.arm_onset("left"), script.arm_onset("right")
    together = left is not None and right is not None and abs(left - right) <= 0.6
    assert (script.present("arms_move_simultaneously") == "yes") == together


def test_the_same_seed_gives_the_same_script_and_another_seed_another() -> None:
    assert drawn(3) == drawn(3)
    assert drawn(3) != drawn(4)


def test_over_many_scripts_every_sign_is_often_present_and_often_absent() -> None:
    drawn_scripts = [drawn(seed) for seed in range(400)]
    for feature in FEATURES:
        share = np.mean([s.present(feature) == "yes" for s in drawn_scripts])
        assert 0.08 <= share <= 0.6, (feature, share)


def test_the_two_diagnoses_overlap_but_differ() -> None:
    by = {"ES": [0, 0], "NES": [0, 0]}
    for seed in range(600):
        script = drawn(seed)
        by[script.diagnosis][0] += 1
        by[script.diagnosis][1] += script.present("clonic") == "yes"
    share = {diagnosis: yes / count for diagnosis, (count, yes) in by.items()}
    assert share["ES"] > 0.25
    assert 0 < share["NES"] < 0.1


def test_a_report_names_every_visible_sign_in_order_of_onset() -> None:
    script = next(
        s for s in map(drawn, range(500)) if s.present("figure4") == "yes" and s.present("clonic") == "yes"
    )
    report = reference_report(script)
    assert "figure-4" in report
    assert report.index("figure-4") < report.index("clonic")
    assert "patient" in report


def test_an_unknown_feature_is_refused_with_a_suggestion() -> None:
    with pytest.raises(KeyError, match="did you mean 'head_turning'"):
        drawn(0).present("head_turnin")


def test_a_recording_too_short_for_a_march_is_refused() -> None:
    with pytest.raises(ValueError, match="at least 30 s"):
        drawn(0, 12)


def test_sound_features_have_their_own_events() -> None:
    assert all(any(s.present(f) == "yes" for s in map(drawn, range(60))) for f in AUDIO_FEATURES)
