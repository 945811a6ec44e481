"""What ``semiology optimize`` prints."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import pytest

from semiology.metrics.intervals import Estimate
from semiology.optimization import optimise_commands


@pytest.mark.parametrize(
    ("estimate", "shown"),
    [
        (Estimate(0.5, 0.25, 0.75, "bootstrap", 40, 20), "0.50 [0.25, 0.75]"),
        (Estimate(0.5, None, None, "none", 2, 1, reason="positives come from 1 patient"), "0.50 (*)"),
        (Estimate(float("nan"), None, None, "none", 2, 1), "undefined"),
    ],
)
def test_a_cell_holds_a_score_and_no_sentence(estimate: Estimate, shown: str) -> None:
    scores = {"f1": estimate}
    compared = SimpleNamespace(
        before=scores, after=scores, difference=scores, p_value={"f1": 1.0}, always_yes_f1=0.4
    )
    found = SimpleNamespace(feature="tonic", lineage={"candidates": [1, 2]})
    cells = optimise_commands._cells(cast(Any, SimpleNamespace(found=found, test=compared)), "test")
    assert cells == ["tonic", "2", shown, shown, shown, "1.000", "0.40"]
