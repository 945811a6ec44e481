"""Whether published answers and a run are about the same recordings: ids alone do not tell.

``P001_V01`` is the first recording of many sets. Where the annotations of the two differ in too many
places the recordings are taken for other ones that happen to have the same ids.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

LEAST_EQUAL = 0.9
"""Share of annotations that must be equal; room for a few that were corrected since the publication."""
SIMULATED_REASON = "the recordings of these runs are simulated, the published ones are not"
CHECKED_KINDS = frozenset({"diagnosis", "region", "side"})


def other_recordings(
    records: Mapping[str, Mapping[str, Any]], own: Sequence[str], published: Sequence[str]
) -> str | None:
    """Return why published answers cannot be about a run's recordings, or None if they can.

    Args:
        records: facts of the runs by model.
        own: the runs' annotations of the questions that both share.
        published: those behind the published answers, in the same order.
    """
    if any(record.get("simulated") for record in records.values()):
        return SIMULATED_REASON
    if not own:
        return None
    equal = sum(mine == theirs for mine, theirs in zip(own, published, strict=True))
    if equal >= LEAST_EQUAL * len(own):
        return None
    return (
        f"only {equal} of {len(own)} annotations of the recordings with the same ids are equal (at least "
        f"{LEAST_EQUAL:.0%} are asked for), so that these are other recordings"
    )
