"""Estimates as the numbers of a table."""

from __future__ import annotations

import math

from semiology.metrics.statistics.intervals import Estimate
from semiology.render.table import Number


def number_of(estimate: Estimate | None, missing: str | None = None) -> Number:
    """Return an estimate with its interval and what must be said about it.

    Args:
        estimate: value and limits; None where there is none.
        missing: why there is none.
    """
    if estimate is None:
        return Number(None, note=missing)
    if math.isnan(estimate.value) or not estimate.estimable:
        return Number(estimate.value, note=estimate.reason)
    note = estimate.caution
    if estimate.undefined_share > 0.01:
        share = f"undefined in {estimate.undefined_share:.0%} of the resamples, which are left out"
        note = f"{note}; {share}" if note else share
    return Number(estimate.value, estimate.low, estimate.high, note)
