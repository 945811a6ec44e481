"""Both report scores from the equations, term by term, over reports drawn at random."""

from __future__ import annotations

import math

import numpy as np
import pytest
from finding_examples import SIGNS, drawn_findings

from semiology.metrics.s3.sequence.measures import position_share
from semiology.metrics.s3.text.seizure_rqi import (
    LOCATIONS,
    WEIGHTS,
    ReportFindings,
    seizure_rqi,
    stated_findings_score,
)


def share(found: object, wanted: object) -> float:
    found, wanted = set(found), set(wanted)  # type: ignore[call-overload]
    return len(found & wanted) / len(wanted) if wanted else 0.0


@pytest.mark.parametrize("seed", range(40))
def test_the_index_is_its_equations(seed: int) -> None:
    rng = np.random.default_rng(seed)
    report, reference = drawn_findings(rng), drawn_findings(rng)
    shown = None if seed % 4 == 0 else set(rng.choice(SIGNS, 2).tolist())
    same = sum(
        (report.locations.get(name) or "none") == (reference.locations.get(name) or "none")
        for name in LOCATIONS
    )
    empty = [not report.features, not reference.features]
    order = float(all(empty)) if any(empty) else position_share(report.features, reference.features)
    base = (
        15 * share(report.sections, reference.sections)
        + 35 * share(report.features, reference.features)
        + 25 * same / 4
        + 25 * order
    )
    invented = 0 if shown is None else len([sign for sign in report.features if sign not in shown])
    steps = max(0, (report.words - 100) // 50)
    for length_rule, length in (("linear", max(0.0, 1 - 0.2 * steps)), ("power", 0.8**steps)):
        value = base * 0.95**invented * (0.8 if report.off_topic else 1) * length
        zero = seizure_rqi(report, reference, shown, length_rule=length_rule)  # type: ignore[arg-type]
        assert zero.value == pytest.approx(0.0 if report.hazardous else value)
        assert (zero.base, zero.hallucinated) == (pytest.approx(base), invented)
        assert (zero.sections, zero.coverage, zero.locations, zero.order) == pytest.approx(
            (
                share(report.sections, reference.sections),
                share(report.features, reference.features),
                same / 4,
                order,
            )
        )
        assert (zero.hallucination, zero.off_topic, zero.length, zero.hazard) == pytest.approx(
            (0.95**invented, 0.8 if report.off_topic else 1, length, 0 if report.hazardous else 1)
        )
        cap = seizure_rqi(report, reference, shown, length_rule=length_rule, hazard_rule="cap_50")  # type: ignore[arg-type]
        assert cap.value == pytest.approx(min(value, 50) if report.hazardous else value)
        assert cap.hazard == 1


def f1_of_sets(one: object, two: object) -> float:
    one, two = set(one), set(two)  # type: ignore[call-overload]
    return 2 * len(one & two) / (len(one) + len(two)) if one or two else math.nan


@pytest.mark.parametrize("seed", range(40))
def test_stated_findings_are_f1_of_what_either_report_states(seed: int) -> None:
    rng = np.random.default_rng(100 + seed)
    report, reference = drawn_findings(rng), drawn_findings(rng)
    found = stated_findings_score(report, reference)
    sides = [[each.locations.get(name) or "none" for name in LOCATIONS] for each in (report, reference)]
    stated = [(a, b) for a, b in zip(*sides, strict=True) if (a, b) != ("none", "none")]
    expected = {
        "sections": f1_of_sets(report.sections, reference.sections),
        "coverage": f1_of_sets(report.features, reference.features),
        "locations": sum(a == b for a, b in stated) / len(stated) if stated else math.nan,
        "order": found["order"],
    }
    assert found["sections"] == pytest.approx(expected["sections"], nan_ok=True)
    assert found["features"] == pytest.approx(expected["coverage"], nan_ok=True)
    assert found["locations"] == pytest.approx(expected["locations"], nan_ok=True)
    known = {name: value for name, value in expected.items() if not math.isnan(value)}
    if not known:
        assert math.isnan(found["value"])
        return
    whole = sum(WEIGHTS[name] * value for name, value in known.items()) / sum(WEIGHTS[name] for name in known)
    assert found["value"] == pytest.approx(100 * whole)


def test_a_report_that_states_nothing_about_one_that_states_nothing_is_undefined() -> None:
    assert all(
        math.isnan(value) for value in stated_findings_score(ReportFindings(), ReportFindings()).values()
    )
