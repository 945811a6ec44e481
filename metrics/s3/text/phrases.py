"""Reading clinical free text by rules: clauses, negation, sides, body parts, and words for the 20 features.

The rules are written from clinical usage, not fitted to any collection of reports. They serve where no
judge model is at hand; `docs/suites/s3_metrics.md` states how far they agree with one.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import NamedTuple

LONGEST = 20_000


def words(pattern: str) -> re.Pattern[str]:
    """Return a pattern that finds alternatives as whole words."""
    return re.compile(rf"\b(?:{pattern})\b")


_CLAUSE = re.compile(r"[.;:!?\n]+|,|\bbut\b|\bhowever\b|\bthen\b|\bfollowed by\b|\bbefore\b|\bafter which\b")
_NEGATION = re.compile(
    r"\b(?:no|not|without|never|neither|nor|none|absent|absence|denies|lacks?|lacking|cannot|can't|"
    r"doesn't|didn't|isn't|aren't|wasn't|weren't|rather than|instead of|ruled? out)\b"
)
_SIDE = words(
    r"(left|right)(?:ward|wards|-sided?|sided)?|(l|r)(?= (?:arm|hand|leg|foot|face|side|upper|lower)\b)"
)
_BOTH = words(r"both|bilateral(?:ly)?|bimanual|generali[sz]ed|symmetric(?:al|ally)?")

_ARM = r"(?:arms?|hands?|elbows?|forearms?|wrists?|shoulders?|fingers?|upper (?:limbs?|extremit(?:y|ies))|[lr]ue)"
_LEG = r"(?:legs?|foot|feet|knees?|thighs?|ankles?|lower (?:limbs?|extremit(?:y|ies))|[lr]le)"
BODY_PARTS: Mapping[str, re.Pattern[str]] = {
    "head": words(r"heads?|neck"),
    "face": words(r"faces?|facial|cheeks?|mouth|lips?|jaws?|eyelids?"),
    "arm": words(_ARM),
    "leg": words(_LEG),
    "trunk": words(r"trunk|torso|axial|back|hips?|pelvi[sc]|abdomen|chest"),
    "body": words(r"(?:whole|full|entire) body|all (?:four )?(?:limbs|extremities)|generali[sz]ed"),
}
_ARM_STRETCHED = r"(?:exten(?:sion|ds?|ded|ding)|straighten\w*|outstretch\w*|stretch\w*)"
_ARM_BENT = r"(?:flex(?:ion|es|ed|ing)?|bent|bend\w*)"
_SHAKING = r"(?:shak\w+|jerk\w*|convuls\w+|tremor\w*|thrash\w*|flail\w*|trembl\w*)"


def _near(first: str, second: str, reach: int = 40) -> str:
    """Return a pattern for two phrases in either order, at most ``reach`` characters apart."""
    return rf"(?:\b{first}\b.{{0,{reach}}}\b{second}\b|\b{second}\b.{{0,{reach}}}\b{first}\b)"


SIGNS: Mapping[str, re.Pattern[str]] = {
    name: re.compile(pattern)
    for name, pattern in {
        "occur_during_sleep": r"\b(?:asleep|sleeping|during sleep|(?:from|out of|in) sleep|a?woke"
        r"|wakes?(?: up)?|awaken\w*|arous(?:al|es))\b",
        "arm_flexion": _near(_ARM, _ARM_BENT),
        "arm_straightening": _near(_ARM, _ARM_STRETCHED),
        "arms_move_simultaneously": _near(
            r"(?:both|bilateral) (?:arms?|hands?|upper (?:limbs?|extremit(?:y|ies)))",
            r"(?:mov\w+|jerk\w*|rais\w+|shak\w+|simultaneous\w*|same time|synchron\w+)",
        ),
        "figure4": r"\bfigure[ -]?(?:of[ -])?(?:4|four)\b|\b4 sign\b|\bfencer'?s?\b|\bfencing\b",
        "tonic": r"\btonic\b|\bstiff\w*|\brigid\w*|\bdystoni[ac]\b|\btonically\b|\bposturing\b",
        "clonic": r"\bclonic\b|\bmyoclon\w+|\brhythmic\w*.{0,20}jerk\w*|\bjerk\w*\b",
        "limb_automatisms": r"\bfumbl\w+|\bpicking\b|\brubb\w+|\bpatting\b|\bpedal\w+|\bcycling\b"
        r"|\bmanual automatism\w*|\b(?:hand|limb|arm|leg|bimanual) automatism\w*|\btapping\b|\bgrabb\w+",
        "asynchronous_movement": r"\basynchronous\w*|\bout[ -]of[ -]phase\b"
        r"|\birregular\w*.{0,20}(?:movement\w*|shak\w+|jerk\w*)|\bthrash\w*|\bflail\w*|\bnon-?rhythmic\w*",
        "pelvic_thrusting": r"\bpelvi[cs].{0,15}(?:thrust\w*|movement\w*|rock\w*)|\bhips?.{0,20}thrust\w*"
        r"|\bthrust\w*.{0,20}hips?\b",
        "full_body_shaking": _near(
            r"(?:(?:whole|full|entire) body|generali[sz]ed|all (?:four )?(?:limbs|extremities))", _SHAKING
        )
        + r"|\btonic[ -]clonic\b|\bconvulsions?\b|\bgtcs?\b|\bbtcs?\b",
        "blank_stare": r"\b(?:blank|vacant|fixed|empty)(?:ly)? (?:stare|staring|gaze|expression|look)\b"
        r"|\bstar(?:es|ing|e)\b|\bbehaviou?ral arrest\b",
        "close_eyes": r"\beyes?.{0,20}(?:closed?|shut)\b|\bclos(?:es|ed|ing|ure).{0,15}eyes?\b"
        r"|\beye closure\b",
        "eye_blinking": r"\bblink\w*|\beyelid (?:flutter\w*|myoclon\w+)|\beyes? flutter\w*",
        "face_pulling": _near(
            r"(?:face|facial|mouth|lips?)",
            r"(?:pull\w*|grimac\w+|deviat\w+|contract\w+|droop\w*|draw\w*|retract\w*)",
        )
        + r"|\bgrimac\w+",
        "face_twitching": _near(
            r"(?:face|facial|mouth|cheeks?|lips?|eyelids?)", r"(?:twitch\w*|clonic|jerk\w*|clonus)"
        ),
        "oral_automatisms": r"\b(?:oral|oro-?alimentary|alimentary|mouth) automatism\w*|\blip[ -]?smack\w*"
        r"|\bchew\w*|\bswallow\w*"
        r"|\bsmack\w*|\blick\w*|\b(?:repetitive|stereotyped).{0,20}(?:mouth|lip|tongue|oral) movement\w*",
        "head_turning": r"\bhead.{0,30}(?:turn\w*|version|versive|deviat\w+|rotat\w+|forced)"
        r"|\b(?:turn\w*|version|versive|deviat\w+|rotat\w+).{0,25}\bhead\b|\bversion\b|\bversive\b",
        "verbal_responsiveness": r"\b(?:answers?|responds?|responsive|replies|follows? commands?"
        r"|talk(?:s|ing)|speak(?:s|ing)|verbally)\b|\b(?:un|non-?)responsive\b",
        "ictal_vocalization": r"\bvocali[sz]\w+|\bgroan\w*|\bmoan\w*|\bgrunt\w*|\bictal cry\b|\bscream\w*"
        r"|\byell\w*|\bgut+[ue]ral\b|\bcries out\b|\bcrying out\b|\bsounds?\b",
    }.items()
}


class Clause(NamedTuple):
    """A part of a text between stops: its start in the text and its words, in lower case."""

    start: int
    text: str


def plain(text: str) -> str:
    """Return a text in lower case with ASCII quotes and dashes, cut at 20,000 characters."""
    return text[:LONGEST].lower().translate(str.maketrans("’‘“”–—−", "''\"\"---"))


def clauses(text: str) -> list[Clause]:
    """Split a `plain` text at stops, commas and words that open a new statement; empty parts are left out."""
    found, start = [], 0
    for stop in [*_CLAUSE.finditer(text), None]:
        end = stop.start() if stop else len(text)
        if text[start:end].strip():
            found.append(Clause(start, text[start:end]))
        start = stop.end() if stop else end
    return found


def negated(clause: str, position: int) -> bool:
    """Return whether a word of negation stands before ``position`` in the clause."""
    return any(match.start() < position for match in _NEGATION.finditer(clause))


def unnegated(pattern: re.Pattern[str], text: str) -> Iterator[tuple[Clause, int]]:
    """Yield where a pattern stands without negation in a `plain` text: the clause, and the place in it."""
    for clause in clauses(text):
        for match in pattern.finditer(clause.text):
            if not negated(clause.text, match.start()):
                yield clause, match.start()


def asserted(pattern: re.Pattern[str], text: str) -> int | None:
    """Return where a pattern is first stated without negation in a `plain` text, or None."""
    return next((clause.start + place for clause, place in unnegated(pattern, text)), None)


def stated(pattern: re.Pattern[str], text: str) -> Iterator[tuple[str, re.Match[str]]]:
    """Yield the clauses of a `plain` text whose first match of a pattern is not negated, and that match."""
    for clause in clauses(text):
        match = pattern.search(clause.text)
        if match and not negated(clause.text, match.start()):
            yield clause.text, match


def denied(pattern: re.Pattern[str], text: str) -> bool:
    """Return whether a pattern occurs in a `plain` text, and every time negated."""
    return asserted(pattern, text) is None and pattern.search(text) is not None


def sides(clause: str) -> list[str]:
    """Return the sides named in a clause, in order: left, right, and both (for "bilateral" and the like)."""
    return [side for _, side in _placed_sides(clause)]


def nearest_side(clause: str, position: int) -> str | None:
    """Return the side named nearest to a position of a clause, or None."""
    return min(_placed_sides(clause), key=lambda found: abs(found[0] - position), default=(0, None))[1]


def one_side(found: list[str]) -> str | None:
    """Return left, right, both (two sides or "bilateral"), or None if no side was named."""
    distinct = set(found)
    if not distinct:
        return None
    return distinct.pop() if len(distinct) == 1 else "both"


def body_parts(clause: str) -> frozenset[str]:
    """Return the body parts named in a clause, of `BODY_PARTS`."""
    return frozenset(part for part, pattern in BODY_PARTS.items() if pattern.search(clause))


def _placed_sides(clause: str) -> list[tuple[int, str]]:
    letters = {"l": "left", "r": "right"}
    found = [(match.start(), match[1] or letters[match[2]]) for match in _SIDE.finditer(clause)]
    found += [(match.start(), "both") for match in _BOTH.finditer(clause)]
    return sorted(found)
