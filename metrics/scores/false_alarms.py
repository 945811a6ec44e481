"""False alarms per hour of recordings without an event.

An alarm is a stretch of recording that a model answers yes about and an expert no: windows that touch or overlap and
are all answered yes are one alarm. Alarms are counted over the hours that were asked about, each second once.

The interval is the exact one of Poisson counts (Garwood, Biometrika 28 (1936) 437), with alarms and hours divided by
how much more patients differ than chance lets them (the dispersion of a ratio of patient totals, at least 1), as Korn
and Graubard (Survey Methodology 24 (1998) 193) do it for proportions.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.special import gammaincinv

from semiology.metrics.arrays import Floats
from semiology.metrics.statistics.intervals import Estimate, few_patients, not_estimable

if TYPE_CHECKING:
    import pandas as pd

POISSON = "Poisson, by patient"
ANY = "any feature"
NO_ALARM = "without an alarm it cannot be told how far patients differ: taken as alike"


@dataclass(frozen=True)
class FalseAlarms:
    """Alarms of one feature, or of any (`ANY`), in recordings without an event.

    Attributes:
        feature: name. rate: alarms per hour with its interval. alarms, hours: their number, and what was asked about.
        n_recordings, n_patients: behind them. unparsed: windows that were answered neither yes nor no; not counted.
        windows: asked.
    """

    feature: str
    rate: Estimate
    alarms: int
    hours: float
    n_recordings: int
    n_patients: int
    windows: int
    unparsed: int


def rate_estimate(events: Floats, hours: Floats, *, n: int, level: float = 0.95) -> Estimate:
    """Return events per hour with an interval, from those of each patient, shape (P,); n recordings stand behind them.

    >>> found = rate_estimate(np.array([1.0, 0, 2, 1]), np.array([1.0, 1, 1, 1]), n=4)
    >>> found.value, round(found.low, 2), round(found.high, 2)
    (1.0, 0.27, 2.56)
    """
    events, hours = events[hours > 0], hours[hours > 0]
    patients, total, time = len(hours), float(events.sum()), float(hours.sum())
    if not patients:
        return not_estimable(float("nan"), POISSON, n, 0, "no recording without an event was asked about")
    value = total / time
    if patients < 2:
        return not_estimable(value, POISSON, n, patients, "all recordings come from one patient")
    spread = patients / (patients - 1) * float(((events - value * hours) ** 2).sum())
    factor = max(1.0, spread / total) if total else 1.0
    tail, count, effective = (1 - level) / 2, total / factor, time / factor
    low = float(gammaincinv(count, tail)) / effective if count else 0.0
    high = float(gammaincinv(count + 1, 1 - tail)) / effective
    caution = "; ".join(filter(None, (few_patients(patients), None if total else NO_ALARM))) or None
    return Estimate(value, low, high, POISSON, n, patients, caution=caution)


def false_alarms(segments: pd.DataFrame, features: Sequence[str]) -> tuple[FalseAlarms, ...]:
    """Return the false alarms of one run by feature, then of any.

    Args:
        segments: answers about windows of recordings without an event: columns video_id, patient_id, feature, start_s,
            end_s (s), answer, truth. Windows whose truth is not ``no`` are left out: sleep is no alarm.
        features: order of the features; those absent from the frame are skipped.
    """
    asked = segments[segments["truth"] == "no"]
    names = [name for name in features if name in set(asked["feature"])]
    groups = [(name, asked[asked["feature"] == name]) for name in names]
    groups += [(ANY, asked)] if len(names) > 1 else []
    return tuple(_of(name, rows) for name, rows in groups)


def _of(name: str, rows: pd.DataFrame) -> FalseAlarms:
    by_patient: dict[str, list[float]] = {}
    for (patient, _), own in rows.groupby(["patient_id", "video_id"], sort=True):
        said_yes = own[own["answer"] == "yes"]
        found = by_patient.setdefault(str(patient), [0.0, 0.0])
        found[0] += len(stretches(said_yes["start_s"].to_numpy(float), said_yes["end_s"].to_numpy(float)))
        every = stretches(own["start_s"].to_numpy(float), own["end_s"].to_numpy(float))
        found[1] += sum(end - start for start, end in every) / 3600
    counts = np.array(list(by_patient.values()), dtype=np.float64).reshape(-1, 2)
    n = int(rows["video_id"].nunique())
    return FalseAlarms(
        name,
        rate_estimate(counts[:, 0], counts[:, 1], n=n),
        int(counts[:, 0].sum()),
        float(counts[:, 1].sum()),
        n,
        len(by_patient),
        len(rows),
        int((~rows["answer"].isin(["yes", "no"])).sum()),
    )


def stretches(starts: Floats, ends: Floats) -> list[tuple[float, float]]:
    """Return windows joined where they touch or overlap, in order.

    >>> stretches(np.array([25.0, 0, 60]), np.array([55.0, 30, 90]))
    [(0.0, 55.0), (60.0, 90.0)]
    """
    joined: list[tuple[float, float]] = []
    for at in np.argsort(starts, kind="stable"):
        start, end = float(starts[at]), float(ends[at])
        if joined and start <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(end, joined[-1][1]))
        else:
            joined.append((start, end))
    return joined
