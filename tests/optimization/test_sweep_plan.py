from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pytest

from semiology.data.media.probe import MediaInfo
from semiology.data.problems import SettingsError
from semiology.data.recording_set import Annotation, Recording, RecordingSet
from semiology.data.windows.sliding import STANDARD
from semiology.features import FEATURES
from semiology.optimization.sweep.plan import (
    SweepPlan,
    make_sweep_plan,
    plan_lines,
    plan_summary,
    probe,
)
from semiology.prompts.library import load_library
from semiology.tasks.plan import Plan, RecordingPlan

# 70 s: three windows (0-30, 25-55, 50-70); 20 s: one window
DURATIONS = {"A1": 70.0, "A2": 20.0, "B1": 70.0}
SILENT = "B1"


def a_plan(features: tuple[str, ...] = ("tonic", "blank_stare", "ictal_vocalization")) -> Plan:
    recordings = {name: Recording(name, name[0], Path(f"/{name}.mp4")) for name in DURATIONS}
    annotations = tuple(
        Annotation(name, feature, "yes" if name == "A1" else "no")
        for name in DURATIONS
        for feature in features
    )
    recording_set = RecordingSet(Path("/"), "drawn", "1", tuple(recordings.values()), annotations, {})
    planned = {
        name: RecordingPlan(
            recordings[name],
            STANDARD.segments(duration),
            0,
            "1-1",
            None,
            MediaInfo(duration, 25.0, 64, 48, int(25 * duration), 0, name != SILENT, 16_000, False),
        )
        for name, duration in DURATIONS.items()
    }
    return Plan(recording_set, STANDARD, planned, {})


def wordings(feature: str) -> int:
    return len(load_library().feature(feature).prompts)


def test_the_counts_of_a_hand_computed_plan() -> None:
    # tonic and blank_stare: 3 + 1 + 3 windows; ictal_vocalization: 3 + 1, as B1 is silent.
    plan = make_sweep_plan(a_plan())
    assert [(each.feature, len(each.windows)) for each in plan.features] == [
        ("tonic", 7),
        ("blank_stare", 7),
        ("ictal_vocalization", 4),
    ]
    expected = 7 * wordings("tonic") + 7 * wordings("blank_stare") + 4 * wordings("ictal_vocalization")
    assert plan.n_requests == expected == len(list(plan.requests()))
    # silent readings serve both visual features; those with sound are readings of their own
    assert len(plan.windows) == 7 + 4
    assert plan.shared_work == pytest.approx(expected / 11)


def test_what_a_run_will_need() -> None:
    found = plan_summary(make_sweep_plan(a_plan()))
    # frames at 2 a second: 60, 60, 40 for 70 s and 40 for 20 s; seven silent and four sounding readings
    assert found["needs"]["frames_to_decode"] == (160 + 40 + 160) + (160 + 40)
    assert found["needs"]["most_frames_in_a_window"] == 60
    assert found["needs"]["seconds_of_video"] == (80 + 20 + 80) + (80 + 20)
    assert found["needs"]["windows_with_sound"] == 4
    assert found["recordings"] == 3
    assert found["features"][0]["patients"] == 2
    assert any("tonic: the feature is seen in 1 patient, fewer than 10" in note for note in found["notes"])


def test_every_question_is_asked_once_and_those_about_a_window_together() -> None:
    plan = make_sweep_plan(a_plan(), formats=("own", "yes_no_json"))
    requests = list(plan.requests())
    assert len({request.key for request in requests}) == len(requests) == plan.n_requests
    changes = sum(a.window != b.window for a, b in pairwise(requests))
    assert changes == len(plan.windows) - 1


def test_the_probe_spreads_over_the_plan() -> None:
    plan = make_sweep_plan(a_plan())
    asked = probe(plan)
    places = [plan.windows.index(window) for window in dict.fromkeys(request.window for request in asked)]
    # eleven windows: the middles of three equal parts
    assert places == [1, 5, 9]
    assert [request for request in plan.requests() if request.window == asked[0].window] == [
        request for request in asked if request.window == asked[0].window
    ]
    assert len({request.window for request in probe(plan, 99)}) == len(plan.windows)


def test_enhancements_are_asked_of_the_features_they_are_meant_for() -> None:
    plan = make_sweep_plan(a_plan(), enhancements=("none", "pose", "crop"))
    assert [(each.feature, each.enhancement) for each in plan.features] == [
        ("tonic", "none"),
        ("tonic", "pose"),
        ("blank_stare", "none"),
        ("blank_stare", "crop"),
        ("ictal_vocalization", "none"),
    ]
    assert plan_summary(plan)["needs"]["enhancements"] == ["crop", "pose"]
    only = make_sweep_plan(a_plan(), enhancements=("pose",))
    assert "blank_stare is not asked: pose is not meant for it" in only.notes


def test_what_is_not_asked_is_told() -> None:
    plan = make_sweep_plan(a_plan(("tonic",)))
    assert [each.feature for each in plan.features] == ["tonic"]
    told = [note for note in plan.notes if "no usable recording is annotated for it" in note]
    assert len(told) == len(FEATURES) - 1
    few = "\n".join(plan_lines(make_sweep_plan(a_plan(), ["tonic"], prompts=("s3", "minimal"))))
    assert "tonic: 2 wordings, too few for Worst@5, Worst@10, the spread at 5" in few
    assert "14 questions on 1 feature about 7 windows of 3 recordings (drawn 1)" in few


def test_the_fingerprint_fixes_what_is_asked_and_the_margin() -> None:
    def fingerprint(**keywords: object) -> str:
        return make_sweep_plan(a_plan(), **keywords).fingerprint  # type: ignore[arg-type]

    every = fingerprint()
    assert every == fingerprint()
    others = [
        fingerprint(margin=0.1),
        fingerprint(prompts=("s3",)),
        fingerprint(formats=("own", "yes_no_json")),
        fingerprint(window_name="qwen3"),
        fingerprint(features=["tonic"]),
    ]
    assert len({every, *others}) == 6


@pytest.mark.parametrize(
    ("keywords", "message"),
    [
        ({"features": ["tonik"]}, "did you mean 'tonic'"),
        ({"features": ["clonic"]}, "nothing to ask: clonic is not asked"),
        ({"features": ["tonic"], "prompts": ("nonsense",)}, "unknown prompt or family 'nonsense'"),
        ({"prompts": ("minimall",)}, "^unknown prompt or family 'minimall'"),
        ({"enhancements": ("blur",)}, "unknown enhancement 'blur'"),
        ({"enhancements": ()}, "at least one enhancement"),
        ({"features": ()}, "at least one feature; 'all' is the default"),
        ({"margin": 5.0}, "0.05 is five points"),
    ],
)
def test_a_sweep_that_cannot_be_is_refused(keywords: dict[str, object], message: str) -> None:
    with pytest.raises(SettingsError, match=message):
        make_sweep_plan(a_plan(), **keywords)  # type: ignore[arg-type]


def test_an_id_that_few_features_have_is_asked_of_those() -> None:
    having = [
        each.feature for each in load_library().features if "s3_context" in {p.id for p in each.prompts}
    ]
    plan: SweepPlan = make_sweep_plan(a_plan(FEATURES), prompts=("s3_context",))
    assert [each.feature for each in plan.features] == having
    assert any("has none of the chosen wordings" in note for note in plan.notes)
