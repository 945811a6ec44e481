"""Yes and no in other languages, read where a whole reply (or a whole ``answer`` field) is that word.

The question asks for 'yes' or 'no'; a model that answers "Nein." has understood it and can be read. Longer replies
in another language are ``unparsed``: their grammar of negation is not known here.
"""

from __future__ import annotations

import re
from typing import Literal

WORDS: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "German": (("ja", "jawohl"), ("nein", "nee")),
    "Spanish": (("sí", "si"), ("no",)),
    "French": (("oui",), ("non",)),
    "Italian": (("sì", "si"), ("no",)),
    "Portuguese": (("sim",), ("não", "nao")),
    "Chinese": (
        ("是", "是的", "有", "对", "對", "存在"),
        ("否", "不是", "不", "没有", "沒有", "无", "無", "不存在"),
    ),
    "Japanese": (("はい", "ええ"), ("いいえ", "いえ")),
    "Korean": (("예", "네"), ("아니요", "아니오", "아뇨")),
}
"""Language to its words for yes and its words for no."""

_LABELS = re.compile(
    r"^(?:antwort|respuesta|réponse|reponse|risposta|resposta|答案(?:是|为)?|回答(?:是)?|答え|回答|答|정답|답변|답)"
    r"\s?(?::|は|은|는|ist|es|est|è|é)?\s?:?\s?(?=\S)",
    re.IGNORECASE,
)
_BILINGUAL = re.compile(
    r"^(?P<foreign>[^\s()/,\[\]]{1,6})\s?[(/,\[]\s?(?P<english>yes|no)\s?[)\]]?$", re.IGNORECASE
)
_BILINGUAL_BACK = re.compile(
    r"^(?P<english>yes|no)\s?[(/,\[]\s?(?P<foreign>[^\s()/,\[\]]{1,6})\s?[)\]]?$", re.IGNORECASE
)
_EDGES = " \t\n.,;:!?\"'*_()[]{}。！？"

# "No" is a filler that affirms in Polish and Czech ("No, tak."), and "na" is one in German ("Na, ich sehe …").
_NOT_ENGLISH = re.compile(
    r"^(?:no|na)\b[\s,.!]*(?:tak|ano|jo|jasne|pewnie|oczywi|w[łl]a[śs]nie|pacjent|ich\b|ja\b|und\b|dann\b"
    r"|gut\b|klar\b|also\b"
    r"|wir\b|der\b|die\b|das\b|es\b|bitte\b|nun\b|nein\b|wie\b|so\b\s(?:was|ein)|h[öo]r\b|komm\b|sch[öo]n\b"
    r"|sicher\b)"
    r"|[ąęłśżźćńěřůőű]",
    re.IGNORECASE,
)

_TWO_LANGUAGES = re.compile(r"^\W*(?P<english>yes|no)\b\W{1,4}(?P<foreign>\w{1,8})\W*$", re.IGNORECASE)

Language = str


def foreign_answer(text: str) -> tuple[Literal["yes", "no"], Language] | None:
    """Return the answer and its language where a text is nothing but a word for yes or no, else None.

    ``Sí / Yes`` and ``是 (Yes)`` count if both words agree.

    Example:
        >>> foreign_answer("Nein.")
        ('no', 'German')
        >>> foreign_answer("Ja, beide Arme sind gestreckt.") is None
        True
    """
    if "?" in text or "？" in text:
        return None
    word = text.strip(_EDGES)
    word = _LABELS.sub("", word).strip(_EDGES) if len(word) < 40 else ""
    english = None
    if (pair := _BILINGUAL.match(word) or _BILINGUAL_BACK.match(word)) and pair["foreign"].casefold() not in (
        "yes",
        "no",
    ):
        word, english = pair["foreign"].strip(_EDGES), pair["english"].casefold()
    found = _ANSWERS.get(word.casefold())
    if found is None or (english is not None and found[0] != english):
        return None
    return found


def english_no_or_na(text: str) -> bool:
    """Tell whether a reply that begins with "no" or "na" can be English, and no other language speaks against it.

    Example:
        >>> english_no_or_na("No, 是"), english_no_or_na("Yes (no sé)")
        (False, True)
    """
    pair = _TWO_LANGUAGES.match(text[:300])
    other = _ANSWERS.get(pair["foreign"].casefold()) if pair else None
    contradicted = other is not None and pair is not None and other[0] != pair["english"].casefold()
    return not contradicted and not _NOT_ENGLISH.search(text[:300])


def _answers() -> dict[str, tuple[Literal["yes", "no"], Language]]:
    found: dict[str, tuple[Literal["yes", "no"], Language]] = {}
    for language, (affirming, denying) in WORDS.items():
        for word in affirming:
            found.setdefault(word, ("yes", language))
        for word in denying:
            found.setdefault(word, ("no", language))
    # The English word is read as such.
    found.pop("no", None)
    return found


_ANSWERS = _answers()
