"""S3 tasks by subgroup of recordings: every task scored again on the recordings with each value of a column.

As with features, all of it is exploratory. Nothing is tested: intervals of the subgroups stand beside each other.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from semiology.metrics.statistics.intervals import MIN_POSITIVE_PATIENTS, RESAMPLES
from semiology.render.text import counted
from semiology.reports.read.s3_answers import S3Results
from semiology.reports.summary.s3 import S3Run, summarise_s3
from semiology.reports.summary.subgroups import Grouping


@dataclass(frozen=True)
class S3Subgroup:
    """The recordings with one value of a column; without runs where ``reason`` says why."""

    column: str
    name: str
    runs: tuple[S3Run, ...] = ()
    reason: str | None = None


def s3_subgroups(
    results: S3Results, groupings: Sequence[Grouping], *, resamples: int = RESAMPLES, seed: int = 0
) -> tuple[S3Subgroup, ...]:
    """Score every run by every grouping that is not refused.

    A subgroup in which fewer than 10 patients were asked about is named and not scored.

    Args:
        results: answers. groupings: of `semiology.reports.summary.subgroups.read_groupings`.
        resamples, seed: of the patient bootstrap.
    """
    found = []
    for each in groupings:
        for name in sorted(set(each.values.values())) if each.refused is None else ():
            own = tuple(r for r in results.records if each.values.get(str(r["video_id"])) == name)
            patients = len({record["patient_id"] for record in own})
            if patients < MIN_POSITIVE_PATIENTS:
                told = counted(patients, "patient")
                why = f"{told}, fewer than {MIN_POSITIVE_PATIENTS}: not scored"
                found.append(S3Subgroup(each.column, name, reason=why))
                continue
            summary = summarise_s3(replace(results, records=own), resamples=resamples, seed=seed)
            found.append(S3Subgroup(each.column, name, summary.runs))
    return tuple(found)
