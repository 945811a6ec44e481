"""In how many features one condition is better than another, in a sentence."""

from __future__ import annotations

import math

from semiology.metrics.paired.feature_counts import FeatureCount
from semiology.render.text import counted, number_text


def count_sentence(found: FeatureCount, measure: str, second: str, first: str) -> str:
    """Return in how many features the second condition is better than the first, and what tests say of the count."""
    text = (
        f"{measure}: {second} is better than {first} in {found.better} of {counted(found.features, 'feature')}, worse "
        f"in {found.worse}, equal in {found.equal}"
    )
    if math.isnan(found.sign_p):
        return f"{text}."
    text += (
        f"; {found.share:.0%} [{found.low:.0%}, {found.high:.0%}] of those that differ, sign test p "
        f"{_equals(found.sign_p)} (both as if features were independent, though they are about the same patients)"
    )
    if math.isnan(found.patient_p):
        return f"{text}."
    return f"{text}; test of the count by patients' signs p {_equals(found.patient_p)}. Exploratory."


def _equals(p: float) -> str:
    text = number_text(p, "p")
    return text if text[0] == "<" else f"= {text}"
