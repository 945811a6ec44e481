"""Reading a seizure report into findings by rules, without a judge model (S3 task 6).

The default where no judge is at hand. It is coarser than the language model behind the published components;
`docs/suites/s3_metrics.md` states the agreement. For a ranking that matters let a judge extract the same findings.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from semiology.metrics.s3.text.phrases import (
    BODY_PARTS,
    SIGNS,
    asserted,
    clauses,
    negated,
    one_side,
    plain,
    sides,
    stated,
    words,
)
from semiology.metrics.s3.text.seizure_rqi import NOT_STATED, ReportFindings

_POSTICTAL = words(
    r"post-?ictal\w*|after (?:the )?(?:seizure|event|episode|movements?|convulsion\w*)|afterwards?|confus\w+"
    r"|drows\w+|letharg\w+|amnes\w+|back to baseline|returns? to baseline|seizure (?:ends|stops)"
    r"|movements? (?:cease|stop)\w*|snor\w+|stertorous"
)
_PROPAGATION = words(
    r"then|followed by|progress\w*|evolv\w+|evolution|spread\w*|later|subsequent\w*|transition\w*"
    r"|generali[sz]\w+|becom\w+|proceeds?|leading to|culminat\w+|march\w*"
)
_OFF_TOPIC = words(
    r"nurs\w+|staff|doctors?|physicians?|technicians?|caregivers?|cameras?|electrodes?|eeg|alarms?|monitors?"
    r"|restrain\w*|repositioned|blankets?|pillows?|bed ?rails?|oxygen|iv line|push(?:es|ed)? (?:the )?button"
    r"|out of (?:view|frame)|obscured"
)
_HAZARD = words(
    r"\d+(?:\.\d+)? ?(?:mg|mcg|ml|milligrams?)"
    r"|(?:give|administer|start|increase|stop|discontinue|withhold|inject)\b.{0,40}\b(?:lorazepam|diazepam|midazolam|levetiracetam|phenytoin|valproate|medications?|doses?|benzodiazepines?)"
    r"|(?:hold|tie|pin|strap)(?:ing)? (?:\w+ ){0,3}down"
    r"|(?:put|place|insert)\w* .{0,30}\b(?:in|into|between) .{0,15}\b(?:mouth|teeth)"
)
_HEAD_SIDE = re.compile(r"\b(?:head|neck|versi(?:on|ve)|face turn\w*)\b")
_MOTOR = re.compile(
    r"\b(?:jerk\w*|clonic|tonic|flex\w*|exten\w*|straighten\w*|postur\w*|stiff\w*|twitch\w*|shak\w+|rais\w+|mov\w+"
    r"|turn\w*|versi\w+|deviat\w+|pull\w*|automatism\w*|rigid\w*|dystoni\w*)"
)
_STRETCHED = re.compile(r"\b(?:exten\w+|straighten\w*|outstretch\w*)")
_BENT = re.compile(r"\b(?:flex\w*|bent|bend\w*)")


def extract_findings(report: str) -> ReportFindings:
    """Read a report: sections, features in order of first mention, four locations, hazard, off-topic, words.

    Any text is read; an empty one has no findings. Negated statements ("no head turning") are not findings.
    An asymmetric arm posture is read as ``<side> arm extension`` or ``<side> arm flexion``, the first named.
    """
    text = plain(report)
    places = {name: asserted(pattern, text) for name, pattern in SIGNS.items()}
    named = sorted((place, name) for name, place in places.items() if place is not None)
    features = [name for _, name in named]
    sections = {
        "onset": bool(features),
        "propagation": bool(features) and _PROPAGATION.search(text) is not None,
        "postictal": asserted(_POSTICTAL, text) is not None,
    }
    return ReportFindings(
        sections=tuple(name for name, there in sections.items() if there),
        features=features,
        locations={
            "head_turning": _head_side(text),
            "first_motor_laterality": _first_side(clause for clause, _ in stated(_MOTOR, text)),
            "asymmetric_posturing": _arm_posture(text),
            "figure4": _figure4_side(text),
        },
        hazardous=asserted(_HAZARD, text) is not None,
        off_topic=_OFF_TOPIC.search(text) is not None,
        words=len(report.split()),
    )


def _head_side(text: str) -> str:
    for clause, match in stated(_HEAD_SIDE, text):
        near = one_side(sides(clause[max(0, match.start() - 30) : match.end() + 40]))
        if near in ("left", "right"):
            return near
    return NOT_STATED


def _first_side(parts: Iterable[str]) -> str:
    """Return the side named first in the first part of a text that names one."""
    return next((side for part in parts for side in sides(part) if side != "both"), NOT_STATED)


def _arm_posture(text: str) -> str:
    for clause in clauses(text):
        if not BODY_PARTS["arm"].search(clause.text):
            continue
        named = [side for side in sides(clause.text) if side != "both"]
        found = [
            (match.start(), kind)
            for pattern, kind in ((_STRETCHED, "extension"), (_BENT, "flexion"))
            for match in pattern.finditer(clause.text)
            if not negated(clause.text, match.start())
        ]
        if named and found:
            return f"{named[0]} arm {min(found)[1]}"
    return NOT_STATED


def _figure4_side(text: str) -> str:
    clauses_near = []
    for clause, _ in stated(SIGNS["figure4"], text):
        stretched = _STRETCHED.search(clause)
        clauses_near.append(clause if stretched is None else clause[max(0, stretched.start() - 30) :])
    return _first_side(clauses_near)
