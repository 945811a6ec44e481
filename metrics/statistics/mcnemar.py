"""McNemar's test, for comparison with the literature only: it takes recordings for independent.

On the cluster sizes of seizure recordings its false-positive rate is 11 to 20 % instead of 5 %
(`benchmarks/error_rates/paired_tests_error.py` measures it); nothing in this package concludes from it.
"""

from __future__ import annotations

from scipy.stats import binom


def mcnemar_mid_p(only_first: int, only_second: int) -> float:
    """Return the two-sided mid-p value of McNemar's exact test; 1 without discordant recordings.

    The counts are of recordings that only the first, or only the second condition answers rightly. Source:
    Fagerland, Lydersen and Laake, BMC Medical Research Methodology 13 (2013) 91, section "mid-p".

    Raises:
        ValueError: a count is negative.

    >>> round(mcnemar_mid_p(1, 8), 4)
    0.0215
    """
    if only_first < 0 or only_second < 0:
        raise ValueError(f"counts of recordings cannot be negative: {only_first}, {only_second}")
    n, fewer = only_first + only_second, min(only_first, only_second)
    if n == 0:
        return 1.0
    if only_first == only_second:
        return float(1 - binom.pmf(fewer, n, 0.5) / 2)
    return float(min(1.0, 2 * binom.cdf(fewer, n, 0.5) - binom.pmf(fewer, n, 0.5)))
