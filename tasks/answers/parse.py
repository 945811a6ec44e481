"""From a model's reply to an answer: one parser for all tasks, total and strict.

Total: every text (and None) has an outcome, in bounded time. Strict: an answer is one of the words ``yes``,
``no``, ``NA`` (``N/A``, ``not applicable``), or ``true``/``false`` as JSON writes them, given once or several
times in agreement; everything else is ``unparsed``, which scores keep apart from "no". The rules:

1.  Reasoning (``<think>…</think>``) does not count; a reply that ends inside it is ``unparsed``.
2.  Where objects hold an ``answer`` field, the fields decide and must agree (a key that stands twice counts
    twice); the justification may say anything; text outside must not claim the opposite. A field that is cut
    off is ``unparsed``; a justification that is cut off after a complete field does no harm.
3.  Otherwise the answer word begins a line (``Yes, the arms bend.``) or follows ``answer is`` / ``answer:``.
4.  An opposite answer that stands as its own clause, an echo of the choice (``yes or no``, ``yes|no``), a
    condition (``Yes, if …``) or "I cannot tell" makes the reply ``unparsed``.
5.  ``The answer is no, not yes.`` is "no": denying the other answer does not contradict.
6.  "Yeah", "nope", "affirmative", "absent", "1" are ``unparsed``: a model that is asked for 'yes' or 'no' and
    says something else has not followed the format, and a guess at its meaning would hide that.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from semiology.tasks.answers.claims import Claims, bare_boolean, find_claims, says_unknown
from semiology.tasks.answers.cleaning import clean
from semiology.tasks.answers.fields import Fields, find_fields

Answer = Literal["yes", "no", "na", "unparsed"]

_LABELS = ("justification:", "explanation:", "reasoning:", "reason:", "rationale:")


@dataclass(frozen=True)
class Reply:
    """A parsed reply: the answer, and the model's reason in its own words (None where it gave none)."""

    answer: Answer
    justification: str | None


def parse_answer(text: str | None) -> Answer:
    """Return the answer that a reply gives: ``yes``, ``no``, ``na`` or ``unparsed``; never raises."""
    return parse_reply(text).answer


def parse_reply(text: str | None) -> Reply:
    """Return the answer and the justification of a reply; never raises.

    The justification is the field of that name, or in running text what follows the answer (what precedes
    it, if nothing follows). It is never made up: a reply without one has None.
    """
    rest = clean(text) if isinstance(text, str) else None
    if not rest:
        return Reply("unparsed", None)
    fields = find_fields(rest)
    if fields.answers:
        return Reply(_answer_of_fields(fields), fields.justification)
    boolean = bare_boolean(rest)
    if boolean:
        return Reply(boolean, None)
    claims = find_claims(fields.outside)
    answer = claims.single
    return Reply(answer, _explanation(claims)) if answer else Reply("unparsed", None)


def reply_says_unknown(text: str | None) -> bool:
    """Tell whether a reply is unparsed because the model itself says that it does not know.

    For counting: such replies are ``unparsed`` like any other, but they follow the question.
    """
    rest = clean(text) if isinstance(text, str) else None
    return bool(rest) and parse_answer(text) == "unparsed" and says_unknown(rest or "")


def _answer_of_fields(fields: Fields) -> Answer:
    """Return the answer in which all fields and the text outside agree."""
    values = {_answer_of_value(value) for value in fields.answers}
    agreed = len(values) == 1 and find_claims(fields.outside).agrees_with(values)
    return values.pop() if agreed else "unparsed"


def _answer_of_value(value: Any) -> Answer:
    """Return the answer that the value of one field gives."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if type(value) is list and len(value) == 1:
        return _answer_of_value(value[0])
    if not isinstance(value, str):
        return "unparsed"
    return bare_boolean(value) or find_claims(value).single or "unparsed"


def _explanation(claims: Claims) -> str | None:
    """Return the text around a claim as the model's reason."""
    rest = claims.rest
    for label in _LABELS:
        if rest.casefold().startswith(label):
            rest = rest[len(label) :].strip()
    return rest or None
