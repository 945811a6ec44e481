"""Types of the arrays that the metrics work on, and the two divisions that know what "undefined" is: NaN."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Codes = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]


def ratio(part: npt.ArrayLike, whole: npt.ArrayLike) -> Floats:
    """Return ``part / whole``, NaN where ``whole`` is 0.

    >>> ratio([1, 1], [4, 0])
    array([0.25,  nan])
    """
    part, whole = np.broadcast_arrays(np.asarray(part, dtype=np.float64), np.asarray(whole, dtype=np.float64))
    result: Floats = np.full(whole.shape, np.nan)
    np.divide(part, whole, out=result, where=whole > 0)
    return result


def mean_defined(values: Floats | Sequence[float]) -> Floats:
    """Return the mean over the last axis, leaving NaN out; NaN where nothing is left.

    >>> mean_defined(np.array([[0.2, np.nan, 0.4], [np.nan, np.nan, np.nan]])).round(3)
    array([0.3, nan])
    """
    values = np.asarray(values, dtype=np.float64)
    defined = ~np.isnan(values)
    return ratio(np.where(defined, values, 0.0).sum(-1), defined.sum(-1))
