"""What the ratings of a review say."""

from __future__ import annotations

from dataclasses import dataclass

from semiology.metrics.agreement.ratings import (
    RaterAgreement,
    RatingSummary,
)


@dataclass(frozen=True)
class ReviewSummary:
    """What the ratings say.

    Attributes:
        rows: (kind of group, group, summary), the whole first.
        agreement: of the raters.
        n_cases, n_unrated: items in all, and items that nobody rated.
        caveats: of the review.
    """

    rows: tuple[tuple[str, str, RatingSummary], ...]
    agreement: RaterAgreement
    n_cases: int
    n_unrated: int
    caveats: tuple[str, ...] = ()
