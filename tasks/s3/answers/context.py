"""What stands around a label in running text: a denial, a doubt, another person, or the frame instead of the patient.

Rules in the manner of ConText (Harkema et al., 2009): a trigger before or behind a word counts within its clause.
"""

from __future__ import annotations

import re

_CLAUSE = re.compile(
    r"[.;!?\n]|,\s(?=(?:the|this|his|her|and|so|it|event|episode|attack|seizure)\b)|,?\s\b(?:but|however|whereas|while|although|though|since|because)\b",
    re.IGNORECASE,
)
_DENIED_BEFORE = re.compile(
    r"\b(?:no|not|never|without|neither|nor|cannot|can\s?not|isn't|aren't|wasn't|weren't|doesn't|don't|didn't"
    r"|can't"
    r"|couldn't|won't|hasn't|haven't|rul(?:es?|ed|ing)\sout|exclud(?:es?|ed|ing)|unlikely|improbable|doubtful"
    r"|rather\sthan|instead\sof"
    r"|lack(?:s|ing)?|absence\sof|absent|den(?:y|ies|ied)|against|negative\sfor|free\sof|fails?\sto|unable"
    r"|opposed\sto|doubt|wouldn't|would\snot|shouldn't|no\slonger|inconsistent\swith"
    r"|incompatible\swith|insufficient)\b",
    re.IGNORECASE,
)
_DENIED_BEHIND = re.compile(
    r"^[^,]{0,40}?\b(?:(?:is|are|was|were|does|do|did|has|have|can|could|seems?|appears?)\s(?:\w+\s)?(?:not"
    r"|never|no)\b"
    r"|isn't|aren't|wasn't|weren't|doesn't|don't|didn't|can't|cannot|hasn't"
    r"|(?:is|are|was|were|seems?|appears?|can\sbe|has\sbeen)\s(?:\w+ly\s|very\s|less\s|highly\s)?(?:unlikely"
    r"|ruled\sout|excluded|absent|improbable|doubtful|unaffected|uninvolved|normal|covered|hidden|obscured"
    r"|closed|restrained)"
    r"|(?:stays?|remains?|lies?|is|are|rests?)\s(?:completely\s|entirely\s)?(?:still|immobile|motionless"
    r"|relaxed|at\srest|unchanged|unaffected|uninvolved|limp|quiet)\b)",
    re.IGNORECASE,
)
_DENIED_AT_ONCE = re.compile(
    r"^\s?,?\s?(?:ruled\sout|excluded|unlikely|improbable|absent|negative)\b", re.IGNORECASE
)
_DENIED_LABEL = re.compile(r"^\s?[:=-]\s?(?:no|not|absent|false|unlikely|0)\b", re.IGNORECASE)
_DOUBTED = re.compile(
    r"\bdifferential diagnosis:?|\b(?:could|may|might|maybe|perhaps|possibl[ey]|whether|if|unless|suppose"
    r"|assuming|suspicio\w+"
    r"|consider(?:ed)?|differential|question\sof|would\sbe|needed|required?|requires|confirm|to diagnose"
    r"|exclusion|history\sof|previous|known|referred|medications?"
    r"|(?:probability|likelihood|chances?|odds|risk)\s(?:of|for|that)|mimic\w*|imitat\w*|resembl\w*"
    r"|treated|treatment|therapy|mentions?|says?|states?|e\.g|example|hard\sto\ssay)\b",
    re.IGNORECASE,
)
_DOUBTED_BEHIND = re.compile(
    r"^\s?-?mimics?\b|^[^.;!?\n]{0,30}\b(?:(?:is|remains|seems)\s(?:possible|uncertain|unclear|open|conceivable"
    r"|a\sdiagnosis\sof)|requires?|if|needs?)\b",
    re.IGNORECASE,
)
_OTHERS = re.compile(
    r"\b(?:nurse|staff|caregiver|carer|technician|doctor|physician|clinician|mother|father|parent|relative"
    r"|visitor|someone|somebody|another\sperson|assistant)s?\b",
    re.IGNORECASE,
)
_MARK = r"(?:\[ ?[xX✓]? ?\]|[☐☑☒✅❌⬜])"
_ONE_ITEM = re.compile(rf"{_MARK}[^\[☐☑☒✅❌⬜\n]{{1,40}}")
_ONE_LINE = re.compile(rf"^\s*(?:{_MARK}[^\[☐☑☒✅❌⬜\n]{{1,40}}){{2,12}}$")
_QUESTION = re.compile(r"[^.!?\n]{1,400}\?")


def without_questions(text: str) -> str:
    """Return a text without the questions in it, which name labels and claim none."""
    return _QUESTION.sub(" ", text)


def clause_around(text: str, start: int, end: int) -> tuple[str, str]:
    """Return the parts of the clause before and behind a stretch of text."""
    before = text[max(0, start - 300) : start]
    breaks = [match.end() for match in _CLAUSE.finditer(before)]
    before = before[breaks[-1] :] if breaks else before
    behind = text[end : end + 300]
    stop = _CLAUSE.search(behind)
    return before, behind[: stop.start()] if stop else behind


def denied(text: str, start: int, end: int) -> bool:
    """Tell whether the words at a place are denied in their clause.

    Example:
        >>> text = "No evidence of ES."
        >>> denied(text, 15, 17)
        True
    """
    before, behind = clause_around(text, start, end)
    return bool(
        _DENIED_BEFORE.search(before)
        or any(rule.search(behind) for rule in (_DENIED_BEHIND, _DENIED_AT_ONCE, _DENIED_LABEL))
    )


def doubted(text: str, start: int, end: int) -> bool:
    """Tell whether the words at a place are only considered (``could be``, ``possible``)."""
    _, behind = clause_around(text, start, end)
    before = re.split(
        r"[.;!?\n]|\b(?:but|however)\b"
        r"|,\s(?=(?:the |this |present |current )?(?:event|episode|attack|seizure)s? (?:is|was)\b)",
        text[max(0, start - 300) : start],
        flags=re.IGNORECASE,
    )[-1]
    return bool(_DOUBTED.search(before) or _DOUBTED_BEHIND.search(behind))


def unchecked_items_dropped(text: str) -> str:
    """Return a text without the open items of a check list (``[ ] ES``), if it holds a chosen one."""
    if _ONE_LINE.match(text):
        text = "\n".join(match[0] for match in _ONE_ITEM.finditer(text))
    if not re.search(r"^[ \t]*(?:[-*+][ \t]*)?(?:\[[xX✓]\]|[☑☒✅])", text, re.MULTILINE):
        return text
    kept = re.sub(r"^[ \t]*(?:[-*+][ \t]*)?(?:\[ ?\]|[☐❌⬜]).*$", "", text, flags=re.MULTILINE)
    return re.sub(r"^[ \t]*(?:[-*+][ \t]*)?(?:\[[xX✓]\]|[☑☒✅])[ \t]*", "", kept, flags=re.MULTILINE)


def of_another_person(text: str, start: int, end: int) -> bool:
    """Tell whether the clause of a place speaks of somebody who is not the patient."""
    before, behind = clause_around(text, start, end)
    return bool(_OTHERS.search(before + behind))
