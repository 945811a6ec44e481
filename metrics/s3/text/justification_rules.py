"""Reading a justification into answers to a feature's questions by rules, without a judge model (S3 task 2).

One reader per published question (arXiv 2605.21852, Tables 6-8), in their order, the core manifestation
first.
An answer is a word of a small vocabulary, or None where the text does not say: yes, no; left, right, both;
unilateral, bilateral; sustained, brief; frequency, amplitude, both; or body parts with or without sides,
sorted and joined by ``|``.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import partial

from semiology.metrics.s3.text.phrases import (
    BODY_PARTS,
    SIGNS,
    asserted,
    body_parts,
    denied,
    nearest_side,
    one_side,
    plain,
    sides,
    stated,
    unnegated,
    words,
)

Reader = Callable[[str], str | None]

_SUSTAINED = words(
    r"sustain\w*|prolonged|maintain\w*|persist\w*|continu\w+|held|holds?|throughout|lasting"
    r"|(?:for|over) (?:at least |more than |about |several |many |a few |\d+ ?|some )*(?:seconds?|secs?|s|minutes?)"
    r"|several seconds"
)
_BRIEF = words(r"brief\w*|momentar\w+|short(?:-lived)?|transient\w*|fleeting\w*|intermittent\w*")
_REPETITIVE = words(r"repet\w+|repeat\w*|rhythmic\w*|stereotyp\w+|again and again|continuous\w*")
_UNILATERAL = words(r"unilateral\w*|one[ -]sided?|on one side|only the (?:left|right)|focal\w*")
_BILATERAL = words(r"bilateral\w*|both|generali[sz]ed|(?:whole|full|entire) body|all (?:four )?limbs")
_FREQUENCY = words(r"frequenc\w+|rhythm\w*|rates?|speeds?|tempo")
_AMPLITUDE = words(r"amplitude\w*|intensit\w+|magnitude\w*|force|vigou?r\w*")
_BENT = words(r"flex\w*|bent|bend\w*")
_STRETCHED = words(r"exten\w+|straighten\w*|straight|outstretch\w*")
_FORCED = words(r"forc\w+|stiff\w*|versi\w+|tonic\w*|sustain\w*")
_OPEN_EYES = words(r"eyes?.{0,20}\bopen\w*|open eyes?|star(?:e|es|ing)|gaz\w+")
_SHUT_EYES = words(r"eyes?.{0,20}\b(?:closed|shut)")
_FIXED = words(r"fix\w+|unmoving|immobile|motionless|still|star(?:e|es|ing)|unblinking")
_SQUEEZED = words(r"squeez\w+|tight\w*|force\w*|clench\w*|scrunch\w*")
_FAST = words(r"rapid\w*|fast|quick\w*|flutter\w*|frequent\w*|[1-9]\d* ?hz")
_ADDRESSED = words(
    r"ask\w*|address\w*|call\w*|speak\w* to|spoke\w* to|talk\w* to|question\w*|instruct\w*|commands?"
    r"|conversation"
)
_COHERENT = words(r"coherent\w*|appropriate\w*|answers?|responds?|repl(?:y|ies|ied)|convers\w+")
_INCOHERENT = words(r"incoherent\w*|unrespons\w+|no (?:response|answer|reply)|mumbl\w+")
_SOUND = words(r"groan\w*|moan\w*|gut+[ue]ral\w*|grunt\w*|vocali[sz]\w+|cry|scream\w*")
_TOGETHER = words(r"simultaneous\w*|at the same time|together|synchron\w+|both arms|in unison")
_APART = words(r"asynchron\w*|one arm\b.{0,30}\b(?:first|before|then)|out of (?:phase|sync)|independent\w*")
_VARIED = words(r"non-?stereotyp\w+|irregular\w*|vari\w+|chaotic\w*|disorgani[sz]ed|thrash\w*")
_SHAKING_LIMB = words(r"shak\w+|jerk\w*|mov\w+|thrash\w*|flail\w*|clonic")
_ONE_EACH = words(r"while|other|opposite|figure[ -]?(?:4|four)")


def _states(text: str, *, yes: re.Pattern[str], no: re.Pattern[str] | None = None) -> str | None:
    if no is not None and asserted(no, text) is not None:
        return "no"
    if asserted(yes, text) is not None:
        return "yes"
    return "no" if denied(yes, text) else None


def _either(
    text: str, *, first: re.Pattern[str], second: re.Pattern[str], answers: tuple[str, str]
) -> str | None:
    for pattern, word in ((first, answers[0]), (second, answers[1])):
        if asserted(pattern, text) is not None:
            return word
    return None


def _side_with(text: str, *, of: re.Pattern[str]) -> str | None:
    found = (nearest_side(clause.text, place) for clause, place in unnegated(of, text))
    return one_side([side for side in found if side is not None])


def _parts(text: str, *, of: re.Pattern[str], sided: bool = False) -> str | None:
    found: set[str] = set()
    for clause, _ in stated(of, text):
        side = one_side(sides(clause)) if sided else None
        found |= {f"{side} {part}" if side else part for part in body_parts(clause)}
    return "|".join(sorted(found)) or None


def _varying(text: str) -> str | None:
    frequency, amplitude = (asserted(p, text) is not None for p in (_FREQUENCY, _AMPLITUDE))
    if frequency and amplitude:
        return "both"
    return "frequency" if frequency else "amplitude" if amplitude else None


def _one_bent_one_stretched(text: str) -> str | None:
    if asserted(_BENT, text) is None:
        return None
    other = asserted(_STRETCHED, text) is not None or asserted(SIGNS["figure4"], text) is not None
    return "yes" if other and (_ONE_EACH.search(text) or len(set(sides(text))) > 1) else "no"


def _kept(yes: re.Pattern[str], no: re.Pattern[str] | None = None) -> Reader:
    return partial(_states, yes=yes, no=no)


_LASTING = _kept(_SUSTAINED, _BRIEF)
_FACE = BODY_PARTS["face"]

READERS: Mapping[str, tuple[Reader, ...]] = {
    "face_twitching": (_kept(_REPETITIVE), partial(_side_with, of=_FACE)),
    "face_pulling": (partial(_side_with, of=_FACE), _LASTING),
    "tonic": (
        _kept(SIGNS["tonic"]),
        partial(_parts, of=SIGNS["tonic"]),
        partial(_parts, of=SIGNS["tonic"], sided=True),
    ),
    "clonic": (
        partial(_parts, of=SIGNS["clonic"]),
        partial(_either, first=_BILATERAL, second=_UNILATERAL, answers=("bilateral", "unilateral")),
        partial(_either, first=_SUSTAINED, second=_BRIEF, answers=("sustained", "brief")),
    ),
    "occur_during_sleep": (),
    "arm_flexion": (_one_bent_one_stretched, partial(_side_with, of=_BENT)),
    "arm_straightening": (partial(_side_with, of=_STRETCHED), _LASTING),
    "figure4": (partial(_side_with, of=_BENT), partial(_side_with, of=_STRETCHED), _LASTING),
    "head_turning": (_kept(_FORCED), partial(_side_with, of=BODY_PARTS["head"])),
    "blank_stare": (_kept(_OPEN_EYES, _SHUT_EYES), _kept(_FIXED)),
    "oral_automatisms": (_kept(SIGNS["oral_automatisms"]),),
    "limb_automatisms": (
        _kept(re.compile(rf"{_REPETITIVE.pattern}|{SIGNS['limb_automatisms'].pattern}")),
        partial(
            _parts, of=re.compile(rf"{BODY_PARTS['arm'].pattern}|{BODY_PARTS['leg'].pattern}"), sided=True
        ),
    ),
    "pelvic_thrusting": (_kept(SIGNS["pelvic_thrusting"]),),
    "asynchronous_movement": (
        partial(_parts, of=_SHAKING_LIMB),
        _varying,
        _kept(_VARIED),
        _kept(SIGNS["asynchronous_movement"]),
    ),
    "arms_move_simultaneously": (_kept(_TOGETHER, _APART),),
    "full_body_shaking": (_kept(SIGNS["full_body_shaking"]),),
    "close_eyes": (_kept(_SQUEEZED),),
    "eye_blinking": (_kept(_FAST), _LASTING),
    "verbal_responsiveness": (
        _kept(_ADDRESSED),
        _kept(_COHERENT, _INCOHERENT),
    ),
    "ictal_vocalization": (_kept(_SOUND), _kept(_REPETITIVE)),
}


def extract_answers(feature: str, justification: str) -> tuple[str | None, ...]:
    """Return the answers to the questions of a feature, core first, as read from a justification.

    Any text is read; an empty one gives None throughout. occur_during_sleep has no question.

    Raises:
        KeyError: No rules read the justifications of ``feature``.
    """
    if feature not in READERS:
        raise KeyError(
            f"no rules read justifications of {feature!r} → add them to READERS in justification_rules.py, or use "
            f"one of {', '.join(sorted(READERS))}"
        )
    text = plain(justification)
    return tuple(read(text) for read in READERS[feature])
