"""The page claims no change that the test of `semiology compare` could not show."""

from __future__ import annotations

import pytest

from semiology.reports.page.enhancements import LEAST_PATIENTS, _verdict


@pytest.mark.parametrize(
    ("low", "high", "patients", "verdict"),
    [
        (-1.0, -0.4, 5, "too few patients"),
        (-1.0, -0.4, 6, "worse"),
        (0.1, 0.4, 30, "better"),
        (-0.1, 0.4, 30, "no clear difference"),
        (None, None, 30, "no interval"),
    ],
)
def test_what_an_interval_reads_as(
    low: float | None, high: float | None, patients: int, verdict: str
) -> None:
    assert _verdict({"low": low, "high": high}, patients) == verdict
    assert 2.0 ** (1 - LEAST_PATIENTS) <= 0.05 < 2.0 ** (2 - LEAST_PATIENTS)
