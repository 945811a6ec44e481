"""From a model's reply to an answer: one parser for all tasks, total and strict.

Total: every text (and None) has an outcome, in bounded time. Strict: an answer is one of the words ``yes``,
``no``, ``NA`` (``N/A``, ``not applicable``), or ``true``/``false`` as JSON writes them, given once or several
times in agreement; everything else is ``unparsed``, which scores keep apart from "no". The rules:

1.  Reasoning (``<think>…</think>`` and the forms of other models) does not count; a reply that ends inside it is
    ``unparsed``. So is a reply that was stopped at the token limit (`cleaning.CUT`) before its final answer.
2.  Where objects hold an ``answer`` field, the fields decide and must agree (a key that stands twice counts
    twice); the justification may say anything; text outside must not claim the opposite. A field that is cut
    off is ``unparsed``; a justification that is cut off after a complete field does no harm.
3.  Otherwise the answer word begins a line (``Yes, the arms bend.``), follows ``answer is``, ``I would say`` or a
    label (``Verdict:``), is the chosen item of a list, or the last sentence.
4.  An opposite answer that stands as its own clause, an echo of the choice (``yes or no``, ``yes|no``), a
    condition (``Yes, if …``), second thoughts (``Yes. Wait, …``) or "I cannot tell" makes the reply ``unparsed``; an
    explicit correction (``Yes. Sorry, I meant no.``) is the answer.
5.  ``The answer is no, not yes.`` is "no": denying the other answer does not contradict.
6.  A model that saw no video, refuses or only offers its help ("Yes, of course! Please provide the video.") has
    not answered: ``unparsed``, counted as ``refused``.
7.  A whole reply (or field) that is a word for yes or no in one of eight other languages is read.
8.  "Yeah", "nope", "affirmative", "absent", "1" are ``unparsed``: a model that is asked for 'yes' or 'no' and
    says something else has not followed the format, and a guess at its meaning would hide that.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Literal

from semiology.tasks.answers.claims import Claims, bare_boolean, find_claims, says_unknown
from semiology.tasks.answers.cleaning import clean, was_cut
from semiology.tasks.answers.fields import Fields, find_fields
from semiology.tasks.answers.languages import foreign_answer
from semiology.tasks.answers.refusals import says_no_look

Answer = Literal["yes", "no", "na", "unparsed"]
Unparsed = Literal["empty", "reasoning", "cut", "refused", "unknown", "malformed"]
"""Why a reply is unparsed: nothing was said; it ended inside its reasoning; it was stopped at the token limit; the
model saw no video or refused; it said that it cannot tell; it did not follow the format or contradicted itself."""

_OTHERS_WORDS = re.compile(r"\"[^\"\n]{0,300}\"")
"""What somebody in the video says, in quotation marks."""
_EXAMPLE = re.compile(
    r"\b(?:(?:for|an|as an) example|e\.\s?g\.?|(?:example|sample)(?: (?:answer|output|response|reply|json|object))?"
    r"|such as|template)\s?[:,]?\s*(?:```\w*\s*)?$",
    re.IGNORECASE,
)
"""What stands before an object that only shows what an answer would look like."""
# Reasoning under a heading of its own, before an answer under another.
_LABELLED_REASONING = re.compile(
    r"(?:^|\n)[#* ]{0,6}(?:thinking|thoughts?(?: process)?|reasoning|analysis|chain of thought)[*: ]{0,4}[:\n*]"
    r"(?:(?!\n[#* ]{0,6}(?:final )?(?:answer|verdict|conclusion|decision|response)\b).){0,20000}"
    r"(?=\n[#* ]{0,6}(?:final )?(?:answer|verdict|conclusion|decision|response)\b)",
    re.IGNORECASE | re.DOTALL,
)
_LABELS = ("justification:", "explanation:", "reasoning:", "reason:", "rationale:")


@dataclass(frozen=True)
class Reply:
    """A parsed reply.

    Attributes:
        answer: what it answers.
        justification: the model's reason in its own words, None where it gave none.
        why: why it is unparsed, None where it is not.
        language: the language of the answer where it is not English.
    """

    answer: Answer
    justification: str | None
    why: Unparsed | None = None
    language: str | None = None


def parse_answer(text: str | None) -> Answer:
    """Return the answer that a reply gives: ``yes``, ``no``, ``na`` or ``unparsed``; never raises.

    Example:
        >>> parse_answer("Yes, both arms stiffen."), parse_answer("No, I can't view videos.")
        ('yes', 'unparsed')
    """
    return parse_reply(text).answer


def parse_reply(text: str | None) -> Reply:
    """Return the answer and the justification of a reply; never raises.

    The justification is the field of that name, or in running text what follows the answer (what precedes
    it, if nothing follows). It is never made up: a reply without one has None.

    Example:
        >>> parse_reply('{"answer": "no", "justification": "calm"}').justification
        'calm'
    """
    if not isinstance(text, str) or not text.strip():
        return Reply("unparsed", None, "empty")
    rest, cut = clean(text), was_cut(text)
    if not rest:
        return Reply("unparsed", None, "reasoning" if rest is None else "empty")
    fields = find_fields(rest)
    reason = fields.justification
    if says_no_look(_OTHERS_WORDS.sub('""', fields.outside)) or (reason and says_no_look(reason)):
        return Reply("unparsed", reason, "refused")
    if fields.answers and _EXAMPLE.search(rest.partition("{")[0]):
        return Reply("unparsed", reason, "malformed")
    if fields.answers:
        answer, language = _answer_of_fields(fields)
        return Reply(answer, reason, _why(rest, cut) if answer == "unparsed" else None, language)
    if boolean := bare_boolean(rest):
        return Reply(boolean, None)
    if foreign := foreign_answer(rest):
        return Reply(foreign[0], None, language=foreign[1])
    claims = find_claims(fields.outside, cut=cut)
    if claims.single is None and (final := _LABELLED_REASONING.sub("\n", fields.outside)) != fields.outside:
        claims = find_claims(final, cut=cut)
    answer_said = claims.single
    if answer_said:
        return Reply(answer_said, _explanation(claims))
    return Reply("unparsed", None, _why(rest, cut))


def _why(rest: str, cut: bool) -> Unparsed:
    return "cut" if cut else "unknown" if says_unknown(rest) else "malformed"


def _answer_of_fields(fields: Fields) -> tuple[Answer, str | None]:
    """Return the answer in which all fields and the text outside agree, and its language if not English."""
    values = {_answer_of_value(value) for value in fields.answers}
    if len(values) != 1:
        return "unparsed", None
    answer, language = values.pop()
    return (answer, language) if find_claims(fields.outside).agrees_with({answer}) else ("unparsed", None)


def _answer_of_value(value: Any) -> tuple[Answer, str | None]:
    """Return the answer that the value of one field gives, and its language if not English."""
    if isinstance(value, bool):
        return ("yes" if value else "no"), None
    if type(value) is list and len(value) == 1:
        return _answer_of_value(value[0])
    if isinstance(value, list) and len(value) == 1 and isinstance(value[0], tuple):
        return _answer_of_value(value[0][1])
    if not isinstance(value, str):
        return "unparsed", None
    return foreign_answer(value) or ((bare_boolean(value) or find_claims(value).single or "unparsed"), None)


def _explanation(claims: Claims) -> str | None:
    """Return the text around a claim as the model's reason."""
    rest = claims.rest
    for label in _LABELS:
        if rest.casefold().startswith(label):
            rest = rest[len(label) :].strip()
    return rest or None
