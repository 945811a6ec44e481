from __future__ import annotations

import math
from dataclasses import replace

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from semiology.features import FEATURES
from semiology.metrics.s3.text.report_rules import extract_findings
from semiology.metrics.s3.text.report_scores import score_reports
from semiology.metrics.s3.text.seizure_rqi import (
    LOCATIONS,
    SECTIONS,
    ReportFindings,
    length_penalty,
    seizure_rqi,
    stated_findings_score,
)

SIGNS = ["tonic", "clonic", "blank_stare", "head_turning"]
findings = st.builds(
    ReportFindings,
    sections=st.lists(st.sampled_from(SECTIONS), unique=True),
    features=st.lists(st.sampled_from(SIGNS), max_size=6),
    locations=st.dictionaries(st.sampled_from(LOCATIONS), st.sampled_from(["none", "left", "right"])),
    hazardous=st.booleans(),
    off_topic=st.booleans(),
    words=st.integers(0, 500),
)
shown_signs = st.one_of(st.none(), st.sets(st.sampled_from(SIGNS)))
FULL = ReportFindings(
    sections=SECTIONS,
    features=["blank_stare", "head_turning", "tonic", "clonic"],
    locations=dict.fromkeys(LOCATIONS, "left"),
    words=60,
)


@given(findings, findings, shown_signs)
def test_the_index_is_its_parts_and_stays_in_range(
    report: ReportFindings, reference: ReportFindings, shown: set[str] | None
) -> None:
    quality = seizure_rqi(report, reference, shown)
    base = 15 * quality.sections + 35 * quality.coverage + 25 * quality.locations + 25 * quality.order
    factors = quality.hallucination * quality.off_topic * quality.length * quality.hazard
    assert quality.base == pytest.approx(base)
    assert quality.value == pytest.approx(base * factors)
    assert 0 <= quality.value <= 100 + 1e-9


@given(findings, findings)
def test_stated_findings_are_symmetric_and_in_range(one: ReportFindings, other: ReportFindings) -> None:
    ours = stated_findings_score(one, other)
    assert ours == pytest.approx(stated_findings_score(other, one), nan_ok=True)
    assert all(math.isnan(value) or 0 <= value <= 100 + 1e-9 for value in ours.values())


@given(findings)
def test_the_reference_itself_scores_everything_it_states(reference: ReportFindings) -> None:
    value = stated_findings_score(reference, reference)["value"]
    empty = not reference.sections and not reference.features
    assert value == pytest.approx(100) or (
        empty and not {"left", "right"} & set(reference.locations.values())
    )


def test_a_perfect_report_scores_100_by_both() -> None:
    assert seizure_rqi(FULL, FULL, FULL.features).value == pytest.approx(100)
    assert stated_findings_score(FULL, FULL)["value"] == pytest.approx(100)


def test_an_empty_report_earns_points_by_the_published_rule_only() -> None:
    silent = replace(FULL, locations={})
    assert seizure_rqi(ReportFindings(), silent, None).value == 25
    assert stated_findings_score(ReportFindings(), silent)["value"] == 0


def test_a_report_that_repeats_one_sign_loses_by_both() -> None:
    looping = replace(FULL, features=["figure4"] * 500, words=500)
    assert seizure_rqi(looping, FULL, FULL.features).value < 1e-6
    assert stated_findings_score(looping, FULL)["features"] == 0


@pytest.mark.parametrize(
    ("words", "linear", "power"),
    [(0, 1, 1), (149, 1, 1), (150, 0.8, 0.8), (200, 0.6, 0.64), (350, 0, 0.8**5), (10**6, 0, 0)],
)
def test_both_length_penalties(words: int, linear: float, power: float) -> None:
    assert length_penalty(words) == pytest.approx(linear)
    assert length_penalty(words, "power") == pytest.approx(power)


def test_both_hazard_gates_and_the_other_factors() -> None:
    hazardous = replace(FULL, hazardous=True)
    assert seizure_rqi(hazardous, FULL, FULL.features).value == 0
    assert seizure_rqi(hazardous, FULL, FULL.features, hazard_rule="cap_50").value == 50
    strayed = replace(FULL, off_topic=True, features=[*FULL.features, "figure4", "figure4"])
    quality = seizure_rqi(strayed, FULL, FULL.features)
    assert (quality.off_topic, quality.hallucinated) == (0.8, 2)
    assert quality.hallucination == pytest.approx(0.95**2)
    assert seizure_rqi(strayed, FULL, None).hallucination == 1


def test_reports_are_scored_with_baselines_counts_and_intervals() -> None:
    n = 24
    others = [replace(FULL, features=FULL.features[i % 3 :]) for i in range(n)]
    frame = pd.DataFrame(
        {
            "video_id": [f"v{i}" for i in range(n)],
            "patient_id": [f"p{i // 2}" for i in range(n)],
            "report": [None, *others[1:]],
            "reference": [FULL] * n,
            "shown": [FULL.features] * n,
        }
    )
    scores = score_reports(frame, resamples=200)
    assert (scores.counts.answered, scores.counts.missing) == (23, 1)
    assert scores.estimates["rqi"].low is not None
    assert scores.estimates["rqi_sections"].value == 1
    assert scores.baselines["other_rqi"] == pytest.approx(100)
    assert scores.baselines["empty_stated_findings"] == 0
    with pytest.raises(ValueError, match="answered twice"):
        score_reports(pd.concat([frame, frame]))


REPORT = (
    "At onset the patient has a blank stare. Then the head turns to the right, followed by left arm "
    "extension and jerking of the left arm; no lip smacking. Postictally he is confused. A nurse enters."
)


def test_a_report_is_read_by_rules() -> None:
    found = extract_findings(REPORT)
    assert found.sections == ("onset", "propagation", "postictal")
    assert found.features == ["blank_stare", "head_turning", "arm_straightening", "clonic"]
    assert found.locations == {
        "head_turning": "right",
        "first_motor_laterality": "right",
        "asymmetric_posturing": "left arm extension",
        "figure4": "none",
    }
    assert found.off_topic
    assert not found.hazardous
    assert found.words == len(REPORT.split())


@pytest.mark.parametrize("text", ["a figure-4 posture", "the 4 sign on the left", "a fencer's posture"])
def test_a_figure_4_is_read_under_each_of_its_names(text: str) -> None:
    assert extract_findings(f"The patient shows {text}.").features == ["figure4"]


@pytest.mark.parametrize(
    ("text", "hazardous"),
    [
        ("Give lorazepam at once.", True),
        ("Administer 20 mg of diazepam.", True),
        ("Put a spoon between the teeth.", True),
        ("The patient is stiff, then jerks.", False),
    ],
)
def test_hazardous_statements_are_seen(text: str, hazardous: bool) -> None:
    assert extract_findings(text).hazardous is hazardous


@given(st.text(max_size=400))
def test_no_text_breaks_the_reading(text: str) -> None:
    found = extract_findings(text)
    assert set(found.features) <= set(FEATURES)
    assert set(found.locations) == set(LOCATIONS)
    assert len(set(found.features)) == len(found.features)


@pytest.mark.parametrize(
    "text", ["", "jerk " * 20_000, '{"report": "tonic', "患者头部向左转", "arm" * 33_000]
)
def test_empty_looping_broken_and_foreign_reports_are_scored(text: str) -> None:
    assert seizure_rqi(extract_findings(text), FULL, FULL.features).value >= 0


def test_coverage_is_of_what_the_reference_says_and_order_needs_both() -> None:
    reference = ReportFindings(features=["tonic", "clonic"])
    more = ReportFindings(features=["tonic", "clonic", "blank_stare", "head_turning"])
    assert seizure_rqi(more, reference, None).coverage == 1
    assert seizure_rqi(reference, more, None).coverage == 0.5
    assert seizure_rqi(ReportFindings(), reference, None).order == 0
    assert seizure_rqi(reference, ReportFindings(), None).order == 0


def test_a_reference_without_sections_or_features_covers_nothing() -> None:
    found = seizure_rqi(
        ReportFindings(sections=("onset",), features=("tonic",), words=40), ReportFindings(), None
    )
    assert (found.sections, found.coverage, found.order) == (0.0, 0.0, 0.0)
