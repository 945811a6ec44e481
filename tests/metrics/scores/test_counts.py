"""Words become codes, the same for few as for many."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from semiology.metrics.scores import counts as confusion
from semiology.metrics.scores.counts import TRUTHS, encode

WORDS = st.lists(st.sampled_from([*TRUTHS, "", None, float("nan"), "strange", 1]), max_size=8)


def _codes(values: list[Any]) -> list[int] | str:
    try:
        return encode(values, TRUTHS, "truth").tolist()
    except ValueError as error:
        return str(error)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(values=WORDS)
def test_few_values_are_read_as_many_are(monkeypatch: pytest.MonkeyPatch, values: list[Any]) -> None:
    quick = _codes(values)
    with monkeypatch.context() as patch:
        patch.setattr(confusion, "_FEW", -1)
        assert _codes(values) == quick


def test_missing_values_are_minus_one_and_strange_ones_are_told() -> None:
    assert encode(["no", None, "yes", float("nan"), ""], TRUTHS, "truth").tolist() == [1, -1, 0, -1, -1]
    assert encode(np.array(["na"], dtype=object), TRUTHS, "truth").dtype == np.int64
    with pytest.raises(ValueError, match="unknown truth 'yse' → use one of yes, no, na"):
        encode(["yes", "yse"], TRUTHS, "truth")
