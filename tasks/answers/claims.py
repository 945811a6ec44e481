"""Yes, no or NA in running text: which answers a reply claims, and what forbids to believe the claim.

A claim is an answer word at the beginning of a line that ends there or goes on as an explanation
(``Yes, the arms bend.``), or a statement (``The answer is no.``). All claims must agree. An opposite answer
word that stands as a clause of its own anywhere, an echoed choice (``yes or no``) or a confession that the
model cannot tell take the claim back. "No" as an ordinary word (``no other limb moves``) does neither.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from typing import Literal

Claim = Literal["yes", "no", "na"]

# The whole vocabulary. "Yeah", "nope", "affirmative", "present", "1" and the like are not answers to a
# question that asked for 'yes' or 'no'.
_WORD = r"(?P<word>yes|no|n\s?/\s?a\b|n\.a\.?(?!\w)|na|not applicable)(?!\w)"
_GOES_ON = (
    r"because|since|the|there|it|he|she|they|this|that|i|we|his|her|their|both"
    r"|justification|explanation|reason|reasoning|rationale"
)
_ENDS = r"(?=\s?(?:$|[.,;:!\n(){}\[\]]|[-–—](?:\s|$)|[–—]))"
# "No. 4" is a number, "Yes, if …" and "yes, or …" are no answers yet.
_NOT_AN_ANSWER = r"(?!\.\s?\d)(?!,?\s(?:if|unless|or|either)\b)"
_RIGHT = rf"{_NOT_AN_ANSWER}(?:{_ENDS}|(?=\s(?:{_GOES_ON})\b))"

_LINE = re.compile(rf"(?:^|\n)\s?{_WORD}{_RIGHT}", re.IGNORECASE)
_ANSWER_IS = (
    r"\banswer(?:\sto\s(?:the|this|that|your)\squestion)?\s?"
    r"(?:is|was|would\sbe|should\sbe|must\sbe|:|=)\s?:?\s?[(\[]?"
)
_STATEMENT = re.compile(rf"{_ANSWER_IS}{_WORD}{_RIGHT}", re.IGNORECASE)
_LOOSE_STATEMENT = re.compile(rf"{_ANSWER_IS}{_WORD}", re.IGNORECASE)
_FIRST_WORD = re.compile(rf"{_WORD}", re.IGNORECASE)
_CLAUSE = re.compile(rf"[.!?:;]\s?[(\"']?{_WORD}(?:{_ENDS}|(?=\s(?:{_GOES_ON})\b))", re.IGNORECASE)
_ASIDE = re.compile(
    r"(?:[,(\-–—]|\b(?:but|actually|rather|then|so|maybe|perhaps|well|hence|therefore|thus|is)\b),?\s?"
    rf"{_WORD}(?=\s?(?:$|[.,;:!?\n)]))",
    re.IGNORECASE,
)
_OBJECTIONS = (_CLAUSE, _ASIDE, _LOOSE_STATEMENT)
_CHOICE = re.compile(
    r"\b(?:yes\b[\s\"'(),]{0,6}(?:\bor\b|/|\||\bvs\b)[\s\"'()]{0,6}no|no\b[\s\"'(),]{0,6}(?:\bor\b|/|\|)[\s\"'()]{0,6}yes)\b"
    r"|\byes\b[\s\"',&-]{1,6}(?:and\b[\s\"']{0,3})?no(?=\s?(?:$|[.,;:!?\"')\n|/]))"
    r"|\bno\b[\s\"',&-]{1,6}(?:and\b[\s\"']{0,3})?yes(?=\s?(?:$|[.,;:!?\"')\n|/]))",
    re.IGNORECASE,
)
_DENIED_WORD = re.compile(r"\b(?:not|isn't) (?:a )?(?:yes|no)\b", re.IGNORECASE)
_CANNOT_TELL = re.compile(
    r"\b(?:can\s?not|can't|could\snot|couldn't|impossible\sto|not\spossible\sto|hard\sto)\s(?:\w{1,12}\s)?"
    r"(?:determine|tell|say|decide|judge)\b"
    r"|\b(?:can\s?not|can't)\sbe\s(?:\w{1,12}\s)?(?:determined|told|said|decided|judged|answered|assessed)\b"
    r"|\bi(?:'m|\sam)\s(?:not\ssure|unsure|not\scertain|uncertain|unable\sto|not\sable\sto)\b"
    r"|\bi\s(?:can\s?not|can't|could\snot|couldn't|do\snot|don't)\s(?:\w{1,12}\s)?"
    r"(?:answer|assess|confirm|provide|know|help|assist)\b",
    re.IGNORECASE,
)
_UNKNOWN = re.compile(
    r"\b(?:unknown|not\ssure|unsure|uncertain|unclear|undetermined|indeterminate|inconclusive|no\sidea"
    r"|cannot\sdetermine|insufficient\s(?:information|evidence)|not\senough\s(?:information|evidence))\b",
    re.IGNORECASE,
)
_CONDITION = re.compile(
    r"\b(?:if|unless|whether|suppose|assuming|wrong|incorrect|previous|opposite)\b", re.IGNORECASE
)
_DENIAL = re.compile(
    r"(?:\bnot|n't|\bnever|\bcannot)"
    r"(?:\s(?:think|believe|say|mean|know|conclude|confirm|claim|sure|certain|that|the|my|final|correct|right))*\s?$",
    re.IGNORECASE,
)

_MARKDOWN = re.compile(r"[*$~]|(?<![^\W_])_+|_+(?![^\W_])|(?:^|(?<=\n))[ \t]{0,8}(?:#{1,6}|>|[-•·+–])[ \t]")
_QUOTED_WORD = re.compile(r"([\"'])\s?(yes|no|n/?a)([.!]?)\s?\1", re.IGNORECASE)
_QUOTATION = re.compile(r"\"[^\"\n]{0,300}\"|(?<!\w)'[^'\n]{0,300}'(?!\w)")
_PUNCTUATION = " .,;:!-–—)\n"
_ANSWERS_ONLY = re.compile(r"(?:\W|\b(?:yes|no|na)\b)*", re.IGNORECASE)
_ENCLOSURES = (('"', '"'), ("'", "'"), ("[", "]"), ("(", ")"))


@dataclass(frozen=True)
class Claims:
    """What a text claims.

    ``answers`` are the claimed ones, ``objections`` all that stand as clauses of their own, claimed or not;
    ``refused`` means an echoed choice, a condition or "I cannot tell"; ``rest`` is the text around the claim.
    """

    answers: frozenset[Claim]
    objections: frozenset[Claim]
    refused: bool
    rest: str

    @property
    def single(self) -> Claim | None:
        """The one answer that is claimed and not taken back, if so."""
        return next(iter(self.answers)) if len(self.answers) == 1 and self.agrees_with(self.answers) else None

    def agrees_with(self, answers: Collection[str]) -> bool:
        """Tell whether nothing in the text speaks against these answers."""
        return not self.refused and self.answers.union(self.objections).issubset(answers)


def find_claims(text: str) -> Claims:
    """Return what a cleaned reply claims in running text."""
    text = _plain(text)
    spoken = _QUOTATION.sub('""', text)
    statements = list(_STATEMENT.finditer(spoken))
    claims = [*_LINE.finditer(spoken), *statements]
    refused = bool(_CHOICE.search(text) or _CANNOT_TELL.search(spoken)) or any(
        _taken_back(spoken, match) for match in statements
    )
    return Claims(
        answers=frozenset(_value(match) for match in claims),
        objections=_objections(spoken),
        refused=refused,
        rest=_around(min(claims, key=re.Match.start), text, spoken) if claims else "",
    )


def _around(claim: re.Match[str], text: str, spoken: str) -> str:
    """Return what follows a claim, or else the whole sentences before it.

    ``spoken`` is ``text`` without quotations, in which the claim was found.
    """
    if text.startswith(spoken[: claim.end()]):
        spoken = text
    after, before = spoken[claim.end() :], spoken[: claim.start()]
    if claim.re is _STATEMENT:
        before = before[: max(before.rfind(end) for end in ".!?\n") + 1]
    for part in (after, before):
        words = part.lstrip(_PUNCTUATION).rstrip()
        if not _ANSWERS_ONLY.fullmatch(words):
            return words
    return ""


def bare_boolean(text: str) -> Claim | None:
    """Return the answer where a whole text is ``true`` or ``false``, as JSON writes it."""
    word = _plain(text).strip(" .!\n").casefold()
    return "yes" if word == "true" else "no" if word == "false" else None


def says_unknown(text: str) -> bool:
    """Tell whether a text says that the answer cannot be told."""
    return bool(_CANNOT_TELL.search(text) or _UNKNOWN.search(text))


def _plain(text: str) -> str:
    """Return text without markdown, without quotes around answer words, with single spaces."""
    text = re.sub(r"[^\S\n]+", " ", _MARKDOWN.sub("", re.sub(r"[^\S\n]+", " ", text)))
    text = re.sub(r" ?\n[ \n]*", "\n", text).strip()
    for start, end in _ENCLOSURES:
        if len(text) > 2 and text.startswith(start) and text.endswith(end) and start not in text[1:-1]:
            text = text[1:-1].strip()
    text = _QUOTED_WORD.sub(r"\2\3", text)
    # "…, not yes" says nothing beyond the no before it, and "is not yes" is no answer.
    return _DENIED_WORD.sub("", text)


def _objections(text: str) -> frozenset[Claim]:
    """Return the answer words that stand as clauses of their own, whether or not they count as claims."""
    found = {_value(match) for pattern in _OBJECTIONS for match in pattern.finditer(text)}
    first = _FIRST_WORD.match(text)
    return frozenset(found | ({_value(first)} if first else set()))


def _taken_back(text: str, statement: re.Match[str]) -> bool:
    """Tell whether a statement of the answer is conditional or denied (``if``, ``I do not think``)."""
    before = re.split(r"[.!?\n]", text[max(0, statement.start() - 300) : statement.start()])[-1]
    return bool(_CONDITION.search(before) or _DENIAL.search(before))


def _value(match: re.Match[str]) -> Claim:
    """Return the answer that a matched word stands for."""
    word = match["word"].casefold()
    return "yes" if word == "yes" else "no" if word == "no" else "na"
