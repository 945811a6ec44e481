"""How good is a report: Seizure-RQI and its components (S3 task 6).

Two things make the published index unsound, and both are shown beside it. Locations that neither report
states count as agreeing (`none` = `none`), so an empty report scores up to 25; and its temporal part is
`sequence.measures.position_share`, which rewards long answers. `stated_findings_score` counts only
what one of the two reports states, and scores order by pairs.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from semiology.metrics.s3.sequence.measures import (
    first_mentions,
    position_share,
    sign_f1,
    temporal_relation_scores,
)

LengthRule = Literal["linear", "power"]
HazardRule = Literal["zero", "cap_50"]

SECTIONS: tuple[str, ...] = ("onset", "propagation", "postictal")
LOCATIONS: tuple[str, ...] = (
    "head_turning",
    "first_motor_laterality",
    "asymmetric_posturing",
    "figure4",
)
NOT_STATED = "none"
WEIGHTS: Mapping[str, float] = {"sections": 15.0, "coverage": 35.0, "locations": 25.0, "order": 25.0}
FREE_WORDS = 100
STEP_WORDS = 50
HAZARD_CAP = 50.0


@dataclass(frozen=True)
class ReportFindings:
    """What was read from one report, by a judge or by `semiology.metrics.s3.text.report_rules`.

    Attributes:
        sections: those of `SECTIONS` that the report has.
        features: features in the order reported, repeats kept.
        locations: side or kind by name of `LOCATIONS`; an absent name is ``none``.
        hazardous: whether it gives a hazardous recommendation.
        off_topic: whether it speaks of staff, devices or other things that are not the seizure.
        words: length in words.
    """

    sections: Collection[str] = ()
    features: Sequence[str] = ()
    locations: Mapping[str, str] = field(default_factory=dict)
    hazardous: bool = False
    off_topic: bool = False
    words: int = 0


@dataclass(frozen=True)
class ReportQuality:
    """Seizure-RQI and every part of it.

    Attributes:
        value: the index, 0 to 100.
        base: weighted sum of the four components, 0 to 100, before penalties.
        sections, coverage, locations, order: components, each 0 to 1.
        hallucination, off_topic, length, hazard: factors, each 0 to 1 (``hazard`` is 1 under ``cap_50``).
        hallucinated: reported features that the recording does not show, repeats counted.
    """

    value: float
    base: float
    sections: float
    coverage: float
    locations: float
    order: float
    hallucination: float
    off_topic: float
    length: float
    hazard: float
    hallucinated: int


def length_penalty(words: int, rule: LengthRule = "linear") -> float:
    """Return the factor for the length of a report: 1 up to 100 words, then per full 50 words beyond.

    ``linear``: 1 - 0.2 per step, at least 0 (the rule behind the published numbers); ``power``: 0.8 per step
    (as printed in arXiv 2605.21852, equation 5).
    """
    steps = max(0, (words - FREE_WORDS) // STEP_WORDS)
    return max(0.0, 1 - 0.2 * steps) if rule == "linear" else 0.8**steps


def seizure_rqi(
    report: ReportFindings,
    reference: ReportFindings,
    shown: Collection[str] | None,
    *,
    length_rule: LengthRule = "linear",
    hazard_rule: HazardRule = "zero",
) -> ReportQuality:
    """Return the Seizure-RQI of a report against the clinical report of the same recording, as published.

    base = 15 S + 35 C + 25 L + 25 T. S: share of the sections of the reference that the report has; C:
    share of its distinct features that the report names (both 0 if the reference has none); L: share of the
    four locations with identical strings, ``none`` = ``none`` included; T: `position_share` of the two
    lists of features (0 if just one is empty, 1 if both are). Factors: 0.95 per reported feature (repeats
    counted) that is not in ``shown``; 0.8 if off topic; `length_penalty`; hazard.

    Args:
        report, reference: findings.
        shown: features annotated in the recording; None if it has no annotated feature, which by the published rule
            charges nothing.
        length_rule: ``linear`` (data) or ``power`` (paper).
        hazard_rule: ``zero`` (equation 6: factor 0) or ``cap_50`` (its text: at most 50).

    Source: arXiv 2605.21852, appendix D, equations 1-7, and the metric files of its repository.

    >>> reference = ReportFindings(sections=("onset",), features=("tonic", "clonic"), words=40)
    >>> round(seizure_rqi(reference, reference, {"tonic", "clonic"}).value, 2)
    100.0
    >>> seizure_rqi(ReportFindings(), reference, {"tonic", "clonic"}).value
    25.0
    """
    sections = _covered(report.sections, reference.sections)
    coverage = _covered(report.features, reference.features)
    named = [_location(report, name) == _location(reference, name) for name in LOCATIONS]
    locations = sum(named) / len(LOCATIONS)
    one_is_empty = bool(report.features) != bool(reference.features)
    order = 0.0 if one_is_empty else position_share(report.features, reference.features)
    w = WEIGHTS
    base = (
        w["sections"] * sections + w["coverage"] * coverage + w["locations"] * locations + w["order"] * order
    )
    hallucinated = 0 if shown is None else sum(feature not in shown for feature in report.features)
    hallucination, off_topic = 0.95**hallucinated, 0.8 if report.off_topic else 1.0
    length = length_penalty(report.words, length_rule)
    hazard = 0.0 if report.hazardous and hazard_rule == "zero" else 1.0
    value = base * hallucination * off_topic * length * hazard
    if report.hazardous and hazard_rule == "cap_50":
        value = min(value, HAZARD_CAP)
    parts = (sections, coverage, locations, order, hallucination, off_topic, length, hazard)
    return ReportQuality(value, base, *parts, hallucinated)


def stated_findings_score(report: ReportFindings, reference: ReportFindings) -> dict[str, float]:
    """Return a score of a report that an empty or an endless report cannot earn; each part 0 to 1 or NaN.

    sections: F1 of the sections; features: F1 of the distinct features, so that invented ones cost as much as
    missed ones; locations: of the locations stated in either report, the share stated identically in both;
    order: F1 of `temporal_relation_scores`. ``value``: their mean with the published weights (15, 35, 25,
    25) over the parts that are defined, times 100. A part is NaN where neither report states anything of
    it; an empty report about a recording with findings has value 0; equal reports score 100; symmetric.

    Source: ours.

    >>> reference = ReportFindings(sections=("onset",), features=("tonic", "clonic"), words=40)
    >>> stated_findings_score(ReportFindings(), reference)["value"]
    0.0
    """
    stated = [
        name for name in LOCATIONS if {_location(report, name), _location(reference, name)} != {NOT_STATED}
    ]
    same = sum(_location(report, name) == _location(reference, name) for name in stated)
    relation = temporal_relation_scores(first_mentions(reference.features), first_mentions(report.features))
    nan = float("nan")
    parts = {
        "sections": _f1_if_any([*report.sections], [*reference.sections]),
        "coverage": _f1_if_any(report.features, reference.features),
        "locations": same / len(stated) if stated else nan,
        "order": relation.f1,
    }
    defined = {name: value for name, value in parts.items() if value == value}
    weight = sum(WEIGHTS[name] for name in defined)
    total = sum(WEIGHTS[name] * value for name, value in defined.items())
    return {
        "value": 100 * total / weight if weight else nan,
        "sections": parts["sections"],
        "features": parts["coverage"],
        "locations": parts["locations"],
        "order": parts["order"],
    }


def _f1_if_any(found: Sequence[str], wanted: Sequence[str]) -> float:
    return sign_f1(found, wanted) if found or wanted else float("nan")


def _covered(found: Collection[str], wanted: Collection[str]) -> float:
    distinct = set(wanted)
    return len(distinct & set(found)) / len(distinct) if distinct else 0.0


def _location(findings: ReportFindings, name: str) -> str:
    return findings.locations.get(name) or NOT_STATED
