"""The patient is told from the caregiver, whatever the order in which people are listed."""

from __future__ import annotations

import numpy as np
import pytest
from drawn_patient import attended, drawn, first_script, line_of, seen_people

from semiology.enhancements.pose.keypoints import JOINT, Detections
from semiology.enhancements.pose.patient_track import ABSENT, SURE, UNSEEN, UNSURE, track_patient

TIMES = np.arange(300) / 10


@pytest.mark.parametrize(
    ("errors", "needed"), [({}, 1.0), ({"noise_px": 4.0, "dropped": 0.1, "lost": 0.1}, 0.98)]
)
def test_the_patient_is_kept_in_nearly_all_frames(errors: dict[str, float], needed: float) -> None:
    shares, unseen, crowded = [], [], 0
    for seed in range(12):
        script = drawn(seed)
        crowded += attended(script) > 0.2
        found, patient = seen_people(script, TIMES, **errors)
        track = track_patient(found, line_of(TIMES))
        there = patient >= 0
        shares.append((track.chosen == patient)[there].mean())
        if not there.all():
            unseen.append((track.chosen[~there] == -1).mean())
    assert len(unseen) == (12 if errors else 0)
    assert min(unseen, default=1) > 0.9, "a caregiver is taken for the patient while the patient is lost"
    assert crowded >= 4
    assert min(shares) >= 0.95
    assert np.mean(shares) >= needed


def test_somebody_always_at_the_edge_is_not_the_patient_even_if_the_patient_is_often_lost() -> None:
    script = first_script(lambda s: attended(s) > 0.6)
    found, patient = seen_people(script, TIMES, lost=0.45)
    track = track_patient(found, line_of(TIMES))
    there = patient >= 0
    assert (track.chosen == patient)[there].mean() > 0.95
    assert (track.quality[~there] != SURE).all()


def test_who_lies_in_the_stated_bed_is_the_patient() -> None:
    script = first_script(lambda s: attended(s) > 0.6)
    found, patient = seen_people(script, TIMES)
    places = [people[:, JOINT["Nose"], 0] for people in found.people]
    side = (0.0, 0.0, 0.3, 1.0) if min(p.min() for p in places) < 160 else (0.7, 0.0, 0.3, 1.0)
    track = track_patient(found, line_of(TIMES), side)
    chosen = track.chosen[track.chosen >= 0]
    assert chosen.size
    assert (chosen != patient[track.chosen >= 0]).mean() > 0.9, "a wrong bed gives the wrong person"


def test_frames_without_anybody_and_frames_not_looked_at_are_told_apart() -> None:
    found, _ = seen_people(drawn(1), TIMES)
    people = [np.zeros((0, 19, 3)) if 50 <= n < 70 else p for n, p in enumerate(found.people)]
    kept = [n for n in range(300) if not 100 <= n < 130]
    track = track_patient(Detections(np.array(kept), [people[n] for n in kept]), line_of(TIMES))
    assert (track.quality[50:70] == ABSENT).all()
    assert (track.quality[100:130] == UNSEEN).all()
    assert (track.quality == SURE).mean() == pytest.approx(250 / 300, abs=0.02)
    assert not track.points[50:70].any()


def test_nobody_at_all_gives_an_empty_track() -> None:
    track = track_patient(Detections(np.arange(300), [np.zeros((0, 19, 3))] * 300), line_of(TIMES))
    assert track.scale == 0
    assert (track.quality == ABSENT).all()
    empty = track_patient(Detections(np.zeros(0, np.int64), []), line_of(TIMES))
    assert (empty.quality == UNSEEN).all()


def test_two_skeletons_on_one_spot_are_doubtful() -> None:
    found, _ = seen_people(drawn(1), TIMES)
    twice = [np.concatenate([people[:1], people[:1] + np.array([3.0, 2.0, 0.0])]) for people in found.people]
    track = track_patient(Detections(found.frames, twice), line_of(TIMES))
    assert (track.quality == UNSURE).mean() > 0.9


def test_a_panning_camera_is_followed() -> None:
    found, patient = seen_people(first_script(lambda s: attended(s) > 0.3), TIMES)
    moved = []
    for number, people in enumerate(found.people):
        shifted = people.copy()
        shifted[..., 0] += np.where(shifted[..., 2] > 0, 150 * np.clip((number - 100) / 100, 0, 1), 0)
        moved.append(shifted)
    track = track_patient(Detections(found.frames, moved), line_of(TIMES, (900, 480)))
    assert (track.chosen == patient).mean() > 0.95


def test_a_caregiver_who_bends_over_the_patient_is_not_followed() -> None:
    script = first_script(lambda s: attended(s) > 0.6)
    found, patient = seen_people(script, TIMES, noise_px=2.0, dropped=0.05)
    bent = []
    for number, (people, who) in enumerate(zip(found.people, patient, strict=True)):
        moved, other = people.copy(), 1 - who
        if len(moved) == 2:
            gap = moved[who, JOINT["Neck"], :2] - moved[other, JOINT["Neck"], :2]
            near = np.clip(1.5 * np.sin(np.pi * number / 300), 0, 0.75)
            moved[other, :, :2] += np.where(moved[other, :, 2:] > 0, near * gap, 0)
        bent.append(moved)
    track = track_patient(Detections(found.frames, bent), line_of(TIMES))
    assert (track.chosen == patient).mean() > 0.95
