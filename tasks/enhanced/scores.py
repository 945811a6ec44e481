"""From a reply to an enhanced question to the record that every report reads."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from semiology.tasks import scores as single

ENHANCEMENT_FIELDS = ("enhancement_key", "transcript_hash")


def process_results(document: Mapping[str, Any], results: Sequence[str | None]) -> dict[str, Any]:
    """Turn one reply into the record of `semiology.tasks.scores`, with what the media were made from.

    Args:
        document: a row of the question table.
        results: the model's reply, as lmms-eval hands it over (a list of one).
    """
    scored = single.process_results(document, results)
    scored["semiology"] |= {name: document[name] for name in ENHANCEMENT_FIELDS}
    return scored
