"""From a reply to the text of a report: what remains without reasoning, wrappers and labels."""

from __future__ import annotations

import re

from semiology.tasks.answers.cleaning import clean
from semiology.tasks.s3.answers.reply_fields import field_values, plain

_LABEL = re.compile(
    r"^(?:here is [^\n:]{0,80}:|(?:semiology )?(?:report|description)(?: of [^\n:]{0,40})?:|answer:)\s*",
    re.IGNORECASE,
)
_WORD = re.compile(r"[^\W\d_]{2,}")


def parse_report(text: str | None) -> str | None:
    """Return the report's text on one line, or None where the reply holds no word; never raises.

    A reply that ends inside its reasoning, or is longer than any report (``LONGEST_REPLY``), is None too.
    What is wrong with a text (another language, one word again and again) is for the scores to tell.
    """
    rest = clean(text) if isinstance(text, str) else None
    if not rest:
        return None
    rest = plain(rest)
    if rest.startswith("{"):
        fields = field_values(rest, ("report", "description", "semiology", "text"))
        rest = fields[0] if fields else rest
    rest = _LABEL.sub("", rest).strip().strip('"').strip()
    return re.sub(r"\s+", " ", rest) if _WORD.search(rest) else None
