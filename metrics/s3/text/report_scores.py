"""All report scores of one model over recordings, with intervals and baselines (S3 task 6)."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING, Any

from semiology.metrics.arrays import mean_defined
from semiology.metrics.coverage import AnswerCounts, is_missing, require_recordings
from semiology.metrics.s3.text.seizure_rqi import (
    HazardRule,
    LengthRule,
    ReportFindings,
    ReportQuality,
    seizure_rqi,
    stated_findings_score,
)
from semiology.metrics.statistics.bootstrap import TaskScores, mean_estimate
from semiology.metrics.statistics.intervals import RESAMPLES

if TYPE_CHECKING:
    import pandas as pd

COMPONENTS: tuple[str, ...] = tuple(name for name in ReportQuality.__dataclass_fields__ if name != "value")
MOST_PARTNERS = 10
STATED: tuple[str, ...] = ("value", "sections", "features", "locations", "order")


def other_patient_pairs(patients: Sequence[Any], most: int = MOST_PARTNERS) -> list[tuple[int, int]]:
    """Return pairs (i, j) of recordings of different patients, for what a text about somebody else scores.

    Each recording gets at most ``most`` partners, at even distances around the list, so that the pairs are
    the same every time; partners of the same patient are left out. Empty if there is one patient only.
    """
    n = len(patients)
    shifts = sorted({n * step // (most + 1) for step in range(1, most + 1)} - {0})
    pairs = [(i, (i + shift) % n) for i in range(n) for shift in shifts]
    return [(i, j) for i, j in pairs if str(patients[i]) != str(patients[j])]


def score_reports(
    frame: pd.DataFrame,
    *,
    length_rule: LengthRule = "linear",
    hazard_rule: HazardRule = "zero",
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> TaskScores:
    """Score the reports of one model.

    Args:
        frame: columns video_id, patient_id, report and reference (`ReportFindings`; a report may be None:
            missing) and shown (collection of annotated features, or None); one row per recording.
        length_rule, hazard_rule: see `seizure_rqi`.

    Estimates: rqi and ``rqi_<component>`` for each of its parts; stated_findings and
    ``stated_findings_<part>``. Baselines: ``empty_rqi`` and ``empty_stated_findings[_<part>]`` of a report without a
    word; ``other_rqi`` and ``other_stated_findings[_<part>]``, of the clinical reports of up to ten recordings of
    other patients handed in instead (NaN for one patient): what fluent reporting earns without looking.

    Raises:
        ValueError: a column is missing or a recording is there twice.
    """
    require_recordings(frame, ("video_id", "patient_id", "report", "reference", "shown"))
    replied = frame[[not is_missing(value) for value in frame["report"]]]
    counts = AnswerCounts(len(frame), len(replied), 0, len(frame) - len(replied))
    reports, references = replied["report"].tolist(), replied["reference"].tolist()
    shown, patients = replied["shown"].tolist(), replied["patient_id"].tolist()

    quality = [
        seizure_rqi(a, b, c, length_rule=length_rule, hazard_rule=hazard_rule)
        for a, b, c in zip(reports, references, shown, strict=True)
    ]
    findings = [stated_findings_score(a, b) for a, b in zip(reports, references, strict=True)]
    columns = {"rqi": [one.value for one in quality]}
    columns |= {f"rqi_{name}": [float(getattr(one, name)) for one in quality] for name in COMPONENTS}
    columns |= {
        "stated_findings" if name == "value" else f"stated_findings_{name}": [one[name] for one in findings]
        for name in STATED
    }
    estimates = {
        name: mean_estimate(values, patients, resamples=resamples, seed=seed)
        for name, values in columns.items()
    }
    pairs = other_patient_pairs(patients)
    return TaskScores(estimates, _baselines(references, shown, pairs, length_rule, hazard_rule), counts)


def _baselines(
    references: Sequence[ReportFindings],
    shown: Sequence[Collection[str] | None],
    pairs: Sequence[tuple[int, int]],
    length_rule: LengthRule,
    hazard_rule: HazardRule,
) -> dict[str, float]:
    """Score, against the reference of each recording, an empty report and those of other patients."""
    given = {
        "empty": [(ReportFindings(), i) for i in range(len(references))],
        "other": [(references[j], i) for i, j in pairs],
    }
    found = {}
    for label, reports in given.items():
        values = [
            seizure_rqi(
                report, references[i], shown[i], length_rule=length_rule, hazard_rule=hazard_rule
            ).value
            for report, i in reports
        ]
        found[f"{label}_rqi"] = float(mean_defined(values))
        stated = [stated_findings_score(report, references[i]) for report, i in reports]
        for name in STATED:
            key = f"{label}_stated_findings" + ("" if name == "value" else f"_{name}")
            found[key] = float(mean_defined([each[name] for each in stated]))
    return found
