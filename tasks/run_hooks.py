"""Hooks for lmms-eval's table where a measure needs all records of a task, not a number from each.

lmms-eval aggregates each metric of a task by itself and logs what each sample gave it. So the first metric carries
the records, and every other one their names alone: its hook looks the records up and computes all measures once.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from typing import Any

Record = Mapping[str, Any]
Measures = Callable[[Sequence[Record]], Mapping[str, float]]
UNDEFINED = "undefined"


class _Run:
    """The records of a task in the run that is being aggregated, and their measures once asked for."""

    def __init__(self, records: Sequence[Record], names: Sequence[str], measures: Measures) -> None:
        self.names = sorted(names)
        self._records, self._measures = records, measures

    @cached_property
    def values(self) -> Mapping[str, float]:
        return self._measures(self._records)


class RunHooks:
    """The metrics of one suite of tasks.

    Args:
        record: name of the metric that carries the whole record into the sample file.
        identity: gives a record's name, which begins with its task and a slash.
        measures: gives every measure of the records of one task; NaN where one is undefined.
    """

    def __init__(self, record: str, identity: Callable[[Record], str], measures: Measures) -> None:
        self._record, self._identity, self._measures = record, identity, measures
        self._latest: dict[str, _Run] = {}

    def metric_list(self, better: Mapping[str, bool | None]) -> list[dict[str, Any]]:
        """Return lmms-eval's ``metric_list``: the record, counted, and every measure with whether higher is better."""
        return [
            {"metric": self._record, "aggregation": self.questions, "higher_is_better": None},
            *(
                {"metric": name, "aggregation": self._hook(name), "higher_is_better": higher}
                for name, higher in better.items()
            ),
        ]

    def questions(self, items: Sequence[Record]) -> float:
        """Return how many questions were asked, and keep their records for the hooks of the measures.

        lmms-eval aggregates the metrics of a task in the order of the sample, in which the record is the first.
        """
        if items:
            names = [self._identity(record) for record in items]
            self._latest[items[0]["task"]] = _Run(tuple(items), names, self._measures)
        return float(len(items))

    def _hook(self, name: str) -> Callable[[Sequence[str]], float | str]:
        """Return the function that lmms-eval calls with the names of a task's records.

        It raises RuntimeError where they are not those of the records that were aggregated last.
        """

        def aggregate(items: Sequence[str]) -> float | str:
            run = self._latest.get(items[0].split("/")[0])
            if run is None or run.names != sorted(items):
                raise RuntimeError(f"{name}: the records of {items[0]} were not aggregated before it")
            value = run.values.get(name, math.nan)
            return UNDEFINED if math.isnan(value) else value

        aggregate.__name__ = name
        return aggregate
