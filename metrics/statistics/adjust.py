"""p-values adjusted for their number, where no common draws stand behind them (`sign_flip.max_t_p_value` has some)."""

from __future__ import annotations

from typing import Literal

import numpy as np

from semiology.metrics.arrays import Floats


def adjusted(p_values: Floats, method: Literal["holm", "fdr_bh"]) -> Floats:
    """Return p-values adjusted for their number; NaN stays NaN and counts for nothing.

    Benjamini and Hochberg's are SciPy's. Holm is computed here, though statsmodels has both: its function
    collects garbage at every call, which takes longer than the whole comparison.
    """
    from scipy.stats import false_discovery_control

    result: Floats = np.full(p_values.shape, np.nan)
    known = ~np.isnan(p_values)
    values = p_values[known]
    if len(values) and method == "fdr_bh":
        result[known] = false_discovery_control(values, method="bh")
    elif len(values):
        order = np.argsort(values, kind="stable")
        steps = np.maximum.accumulate(values[order] * np.arange(len(values), 0, -1))
        result[np.flatnonzero(known)[order]] = np.minimum(steps, 1.0)
    return result
