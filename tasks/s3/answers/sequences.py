"""From a reply to a sequence of features, in the order in which they are named.

Items stand between commas, semicolons, arrows, line breaks or in a JSON list; numbers, bullets and quotes
around them are taken off. Known names are those of the features in any spelling of blanks, hyphens and
underscores. What is not a known name stays in the sequence as it is written (it costs what a wrong item
costs); a reply in which no item is a known name is no sequence, unless it says that nothing is seen.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from semiology.features import FEATURES
from semiology.tasks.answers.claims import has_second_thoughts, says_unknown
from semiology.tasks.answers.cleaning import clean
from semiology.tasks.s3.answers.fields import plain

LONGEST_ITEM = 60
"""Characters of an unknown item that are kept."""

_EXPLAINED = re.compile(
    r"\n\s*(?:explanation|justification|reason(?:ing)?|note|rationale)\s?:.*\Z", re.IGNORECASE | re.DOTALL
)
_NO_SEQUENCE = re.compile(r"(?:for example|example|e\.g\.|none of|neither|either)\b", re.IGNORECASE)
_TABLE_HEAD = re.compile(r"\A[^\n]*\|[^\n]*\n\s*\|?[\s|:-]{3,}\|?\n")
_LEADING = re.compile(
    r"^(?:(?:\[|\()?\d{1,2}:\d{2}(?:\.\d{1,3})?(?:\]|\))?\s?[:–-]?\s|(?:and|first(?:ly)?|initially|finally|lastly|next)[,:]?\s"
    r"|(?:the|a) (?:order|sequence)(?: of \w+)? (?:is|was)\s|i (?:see|observe)\s)+",
    re.IGNORECASE,
)
_TIME_BEHIND = re.compile(
    r"\s*[(\[]\s?(?:at |from |~)?\d[\d:.,\s–-]*(?:to [\d:.]+)?\s?(?:s|sec|seconds?)?\s?[)\]]?$", re.IGNORECASE
)
_DENIED = re.compile(
    r"^(?:no|not|without)\s|[\s(](?:not (?:seen|present|observed|visible)|absent)$", re.IGNORECASE
)
_FILLING = re.compile(r"[\d#\s:.-]*")
_BREAKS = re.compile(r"[|,;，、\n]|->|=>|→|>|\bfollowed by\b|\bthen\b|\band then\b", re.IGNORECASE)
_NUMBER = re.compile(r"^\s*(?:\d{1,4}[.)]|\(\d{1,4}\))\s*")
_EDGES = " \t\"'[](){}."
_NOTHING = re.compile(
    r"(?:none|nothing|no (?:visible |observed |observable |seizure |such )*(?:symptoms?|signs?|features?)"
    r"(?: (?:is|are|was|were) (?:seen|observed|visible|present|detected|identified))?"
    r"(?: in (?:the|this) video)?)",
    re.IGNORECASE,
)
_KNOWN = {re.sub(r"[_\W]+", "", name): name for name in FEATURES}


@dataclass(frozen=True)
class SequenceAnswer:
    """The items of a sequence: feature names, and unknown items with blanks written as underscores."""

    items: tuple[str, ...]

    @property
    def unknown(self) -> int:
        """How many items are not the name of a feature."""
        return sum(item not in FEATURES for item in self.items)


def parse_sequence(text: str | None) -> SequenceAnswer | None:
    """Return the sequence that a reply gives, or None where it gives none; never raises.

    An empty reply is None: some model classes turn a failed request into one.
    """
    rest = clean(text) if isinstance(text, str) else None
    if not rest:
        return None
    said = plain(rest)
    rest = _without_opening(_EXPLAINED.sub("", _TABLE_HEAD.sub("", said)))
    if (
        rest.rstrip().endswith("?")
        or _NO_SEQUENCE.match(said)
        or has_second_thoughts(rest)
        or says_unknown(said)
    ):
        return None
    if re.fullmatch(r"\[\s*\]", rest) or _NOTHING.fullmatch(rest.strip(_EDGES)):
        return SequenceAnswer(())
    items = tuple(item for part in _BREAKS.split(rest) if (item := _item(part)))
    answer = SequenceAnswer(items)
    return answer if answer.unknown < len(items) else None


def _without_opening(text: str) -> str:
    """Return a reply without words such as "Here is the sequence:" before its first known feature."""
    head, colon, tail = text.partition(":")
    return (
        tail
        if colon
        and not head.strip("[(").isdigit()
        and len(head) < 200
        and _item(head) not in FEATURES
        and "," not in head
        else text
    )


def _item(part: str) -> str:
    """Return a feature's name, or the unknown item with underscores, or "" where nothing stands."""
    words = _NUMBER.sub("", part.strip(_EDGES)).strip(_EDGES)
    words = _TIME_BEHIND.sub("", _LEADING.sub("", words)).strip(_EDGES)
    if _FILLING.fullmatch(words):
        return ""
    if _DENIED.search(words) and re.sub(r"[_\W]+", "", _DENIED.sub("", words).casefold()) in _KNOWN:
        return ""
    folded = re.sub(r"[_\W]+", "", words.casefold())
    return _KNOWN.get(folded) or re.sub(r"\s+", "_", words.casefold())[:LONGEST_ITEM]
