"""What a model said, before it is read as an answer about rehabilitation: without its reasoning, refusals and offers.

The ``paper`` profile reads replies as they came. Everything else reads what this leaves of them, so that a thought, a
refusal ("No, I can't view videos.") or an offer is never taken for an answer.
"""

from __future__ import annotations

from semiology.tasks.answers.claims import has_second_thoughts
from semiology.tasks.answers.cleaning import CUT
from semiology.tasks.answers.parse import parse_reply
from semiology.tasks.answers.reasoning import without_reasoning
from semiology.tasks.answers.refusals import says_no_look, without_offers

YES_NO = frozenset({"yes_no", "gate", "stays", "deviation", "fault", "closing"})
"""Kinds of question that are answered by yes or no."""


def said(reply: str | None, kind: str) -> str:
    """Return what a reply says; "" where it says nothing that could be an answer.

    Args:
        reply: as the model wrote it.
        kind: of the question; what is in `YES_NO` becomes the bare word where it can be read.

    >>> said("<think>No, it rests.</think>Yes, it moves.", "yes_no"), said("Yes. Sorry, I meant no.", "yes_no")
    ('yes', 'no')
    >>> said("No, I can't view videos.", "yes_no"), said("<think>Score 2", "rating")
    ('', '')
    """
    rest = without_reasoning((reply or "").replace(CUT, ""))
    if rest is None or says_no_look(rest):
        return ""
    rest = rest.strip()
    if kind not in YES_NO:
        return rest
    parsed = parse_reply(reply)
    if parsed.answer in ("yes", "no"):
        return parsed.answer
    if parsed.why in ("cut", "unknown", "refused") or has_second_thoughts(rest):
        return ""
    return without_offers(rest)[0].strip()
