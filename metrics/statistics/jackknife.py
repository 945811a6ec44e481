"""Intervals of scores computed without each patient in turn: the same every time, whatever the seed.

Leaving out, unlike linearising, keeps patients with many recordings from looking calmer than they are. Source:
Efron and Stein, Annals of Statistics 9 (1981) 586; degrees of freedom as in `intervals`.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
from scipy.special import expit, logit

from semiology.metrics.arrays import Floats
from semiology.metrics.statistics.intervals import (
    FEWEST_EFFECTIVE,
    Estimate,
    not_estimable,
    t_quantile,
    uneven,
)

JACKKNIFE = "patient jackknife"
Scale = Literal["share", "correlation", "plain"]
"""On which scale the interval is symmetric: the logit's, Fisher's z or the score's own (differences)."""


def jackknife_error(left_out: Floats) -> float:
    """Return the standard error from the scores without each patient, shape (P,); undefined ones (NaN) are left out."""
    defined = left_out[~np.isnan(left_out)]
    if len(defined) < 2:
        return float("nan")
    return float(np.sqrt((len(defined) - 1) / len(defined) * ((defined - defined.mean()) ** 2).sum()))


def jackknife_estimate(
    value: float,
    left_out: Floats,
    *,
    effective: float,
    n: int,
    n_patients: int,
    scale: Scale = "plain",
    level: float = 0.95,
    caution: str | None = None,
    undefined: str = "no recording shows the feature",
    withheld: str | None = None,
) -> Estimate:
    """Return a score with the t interval of its patient jackknife.

    Args:
        value, left_out: score of all patients, and without each of them, shape (P,).
        effective: Kish's effective number of patients, of which t has one degree of freedom less.
        n, n_patients: recordings and patients behind the score.
        scale: on which the interval is built. level: coverage aimed at.
        caution: remark to carry along.
        undefined, withheld: why there is no score where there is none; why the interval must not be given.

    >>> x = np.array([0.2, 0.4, 0.9, 0.5, 0.1, 0.7])
    >>> found = jackknife_estimate(x.mean(), (x.sum() - x) / 5, effective=6, n=6, n_patients=6)
    >>> round(found.low, 3), round(found.high, 3)  # Student's interval of a mean
    (0.151, 0.783)
    """
    defined = left_out[~np.isnan(left_out)]
    reason = withheld
    if reason is None and np.isnan(value):
        reason = f"undefined: {undefined}"
    elif reason is None and n_patients < 2:
        reason = "all recordings come from one patient"
    elif reason is None and len(defined) < 2:
        reason = "undefined without any one patient"
    elif reason is None and np.ptp(defined) == 0:
        reason = "the same whichever patient is left out, as for constant answers"
    elif reason is None and effective < FEWEST_EFFECTIVE:
        reason = f"the recordings weigh like {effective:.1f} patients of equal size: one patient holds most of them"
    if reason is not None:
        return not_estimable(value, JACKKNIFE, n, n_patients, reason)
    reach = t_quantile(level, effective) * jackknife_error(left_out)
    ends = np.array([-reach, reach])
    if scale == "share" and 0 < value < 1:
        low, high = expit(logit(value) + ends / (value * (1 - value)))
    elif scale == "correlation" and -1 < value < 1:
        low, high = np.tanh(np.arctanh(value) + ends / (1 - value**2))
    else:
        low, high = value + ends
    return Estimate(
        value, float(low), float(high), JACKKNIFE, n, n_patients, caution=caution or uneven(effective)
    )
