"""How much of the prompts a server found in its prefix cache, from its ``/metrics`` page."""

from __future__ import annotations

import re
import time
from collections.abc import Callable

COUNTERS = (
    ("vllm:prefix_cache_hits_total", "vllm:prefix_cache_queries_total"),
    ("sglang:cached_tokens_total", "sglang:prompt_tokens_total"),
)
"""Prompt tokens that were found, and all prompt tokens, by engine."""
LOOK_EVERY_S = 10.0


class CacheHits:
    """Prompt tokens found in the cache since this was made; ``page`` gives the text of the server's metrics."""

    def __init__(self, page: Callable[[], str], now: Callable[[], float] = time.monotonic) -> None:
        self._page, self._now = page, now
        self._start = counted(page())
        self._looked, self._last = now(), ""

    def words(self, *, at_once: bool = False) -> str:
        """Return the share so far in words, looked up every few seconds; empty where the server does not tell."""
        if self._start is None or not (at_once or self._now() - self._looked >= LOOK_EVERY_S):
            return self._last
        self._looked = self._now()
        counts = counted(self._page())
        if counts is not None:
            found, asked = counts[0] - self._start[0], counts[1] - self._start[1]
            self._last = (
                f"{found / asked:.0%} of {asked:,.0f} prompt tokens found in the server's cache"
                if asked > 0
                else ""
            )
        return self._last


def counted(page: str) -> tuple[float, float] | None:
    """Return the tokens found and all of them that a metrics page tells, summed over engines and models."""
    for names in COUNTERS:
        totals = [
            [
                float(value)
                for value in re.findall(rf"^{re.escape(name)}(?:{{.*}})? (\S+)", page, re.MULTILINE)
            ]
            for name in names
        ]
        if all(totals):
            return sum(totals[0]), sum(totals[1])
    return None
