"""P(yes): how sure a model was that the feature is there, from the log-probabilities of its first token.

Only answers that were scored carry it (``score=logprob`` of the model class ``semiology_hf``).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Literal

import numpy as np
import numpy.typing as npt
from scipy.special import expit

from semiology.metrics.arrays import Floats
from semiology.metrics.scores.aggregation import FIRST_SEGMENT_ONLY

if TYPE_CHECKING:
    import pandas as pd


def probability_of_feature(logprobs: Mapping[str, float], polarity: str = "positive") -> float:
    """Return the probability that the feature is present, given that the answer is yes or no.

    Args:
        logprobs: natural logarithms by answer; needs ``yes`` and ``no`` (in any case), ignores others (NA).
        polarity: ``negative`` if "yes" says that the feature is absent.

    The two are scaled to sum to 1: what the model gives to other first words says nothing about the feature.
    NaN if either is missing or both are impossible.
    """
    found = {str(name).casefold(): float(value) for name, value in logprobs.items()}
    if "yes" not in found or "no" not in found:
        return math.nan
    yes, no = (found["yes"], found["no"]) if polarity != "negative" else (found["no"], found["yes"])
    # The logistic function of the difference, written so that neither exponential overflows. Of NaN, and of two
    # impossible answers, it is NaN.
    return 1 / (1 + math.exp(no - yes)) if yes >= no else math.exp(yes - no) / (1 + math.exp(yes - no))


def probabilities_of_feature(yes: Floats, no: Floats, polarity: npt.NDArray[np.object_]) -> Floats:
    """Return `probability_of_feature` of many answers.

    Args:
        yes, no: natural logarithms, shape (n,), NaN where unknown.
        polarity: ``positive`` or ``negative``, shape (n,); NaN is returned where it is neither.
    """
    sign = np.select([polarity == "positive", polarity == "negative"], [1.0, -1.0], np.nan)
    impossible = np.isneginf(yes) & np.isneginf(no)
    with np.errstate(invalid="ignore"):  # of an infinity minus itself, which is impossible
        difference = np.where(impossible, np.nan, yes - no)
    return np.asarray(expit(sign * difference), dtype=np.float64)


Pooling = Literal["max", "mean", "noisy_or"]
"""How a recording's score follows from its segments: the highest, the mean, or one minus the product of 1 - p, the
chance that some segment shows the feature if segments were independent."""


def recording_probabilities(
    segments: pd.DataFrame, keys: Sequence[str] = ("prompt_hash", "video_id"), pooling: Pooling = "max"
) -> pd.DataFrame:
    """Return P(yes) of each recording under each of the keys: the keys and p_yes.

    The highest of its segments goes with the any-yes rule of `scores.aggregation`: a recording is more likely yes than
    no if some segment is. Features that are judged by the first segment (number 0) take that one. NaN where a segment
    that counts has none, as a higher one may hide there.

    >>> import pandas as pd
    >>> rows = pd.DataFrame({"video_id": "v", "feature": "tonic", "segment": [0, 1], "p_yes": [0.5, 0.2]})
    >>> float(recording_probabilities(rows, ["video_id"], "noisy_or")["p_yes"].iloc[0])
    0.6
    """
    late = segments["feature"].isin(FIRST_SEGMENT_ONLY) & (segments["segment"] > 0)
    counted = segments.loc[~late, [*keys, "p_yes"]]
    p = counted["p_yes"].astype(np.float64)
    grouped = counted.assign(p_yes=1 - p if pooling == "noisy_or" else p).groupby(list(keys), sort=True)[
        "p_yes"
    ]
    if pooling == "noisy_or":
        found = 1 - grouped.prod()
    else:
        found = grouped.max() if pooling == "max" else grouped.mean()
    return found.where(grouped.count() == grouped.size()).reset_index()
