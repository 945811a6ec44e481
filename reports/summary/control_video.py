"""False alarms in control video: recordings whose ``diagnosis`` is none."""

from __future__ import annotations

from dataclasses import dataclass

from semiology.features import FEATURES
from semiology.metrics.scores.false_alarms import FalseAlarms, false_alarms
from semiology.reports.protected import ScoredSet
from semiology.reports.read.asked import Asked
from semiology.reports.read.feature_answers import Results


@dataclass(frozen=True)
class RunAlarms:
    """The false alarms of one run; ``n_untimed``: answers left out, which do not say what window they are about."""

    run: Asked
    alarms: tuple[FalseAlarms, ...]
    n_untimed: int


def control_alarms(results: Results, scored: ScoredSet) -> tuple[RunAlarms, ...]:
    """Return the false alarms of every run in the control video that may be scored; empty without any."""
    controls = {each.video_id for each in scored.handed_out.recordings if each.control}
    answers = results.answers[results.answers["video_id"].isin(controls)]
    found = []
    for (model, enhancement, prompt), rows in answers.groupby(["model", "enhancement", "prompt"], sort=True):
        timed = rows[rows["start_s"].notna() & rows["end_s"].notna()]
        run = Asked(str(model), str(prompt), str(enhancement))
        found.append(RunAlarms(run, false_alarms(timed, FEATURES), len(rows) - len(timed)))
    return tuple(found)
