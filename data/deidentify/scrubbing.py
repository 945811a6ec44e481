"""Removing what may identify a person from free text."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable, Sequence

from semiology.data.deidentify.identifying_patterns import FIRST, PATTERNS
from semiology.features import FEATURES

_SUBTITLE_TIMES = re.compile(r"\s{0,9}[\d:.,]{1,20}\s{1,9}-->\s{1,9}[\d:.,]{1,20}\s{0,9}$")
_EVERYDAY = """
    video videos clip seizure segment recording record patient audio camera event film copy final edited room
    left right both head face arms legs hand hands eyes mouth body epileptic focal generalized bilateral motor
    onset offset start test train movement night sleep with from then the and for nes part pose crop
    transcript sound speech day new old cut date time phone email number name
"""
_HARMLESS = {*_EVERYDAY.split(), *"_".join(FEATURES).split("_")}
_MIN_PART = 3


_LONG_WORD = re.compile(r"\S{121,}")
_LONG_BLANK = re.compile(r"[^\S\n]{9,}")
_WIDE = {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)}
_AGAIN = re.compile(r"(.{1,12}?)\1{29,}", re.DOTALL)
MOST_CHARACTERS = 50_000
"""Of a text; what is longer is no justification, report or line of a transcript, and is cut there."""
_VARIANTS = {
    "ä": "(?:ä|ae|a)", "ö": "(?:ö|oe|o)", "ü": "(?:ü|ue|u)", "ß": "(?:ß|ss|s)", "ø": "(?:ø|oe|o)", "æ": "(?:æ|ae)",
}  # fmt: skip
_SPELLED = {"ae": "(?:ae|ä)", "oe": "(?:oe|ö|ø)", "ue": "(?:ue|ü)", "ss": "(?:ss|ß)"}
_ENDING = r"(?:['’]?s|['’])?"
# Words of two letters or more outside of Latin; single Greek letters are measures and rhythms. Years of eras and dates
# in characters keep theirs for the patterns of dates.
_OTHER_SCRIPT = re.compile(
    r"(?:(?![年月日号년월일歳岁歲세昭平令大民])[\u0370-\u1dbf\u1f00-\u1fff\u2c00-\u2dff\u3040-\ua4ff\ua500-\ud7ff\uf900-\ufaff\ufb1d-\ufdff\ufe70-\ufeff]){2,40}"
)
Findings = Callable[[str], Iterable[tuple[int, int, str]]]
"""Finds further pieces of a text: start, end and kind of each."""


class Scrubber:
    """Replaces dates, ages, addresses, numbers, people with titles, ids and names by ``[date]``, ``[age]``, ….

    Letters come in composed form, and characters without width, which could hide a name, are removed. A text is
    read in linear time. ``replaced`` counts the pieces by kind.

    Args:
        identifying: Old ids and file names; they and their parts (of three characters or more, without
            everyday words of the field such as "left") are replaced by ``[id]``.
        names: Words to replace by ``[name]``: whole, and each part of two letters or more by itself, whatever the
            case of their letters, with umlauts in every spelling and with a genitive's ending.
        further: Finds more, such as a recogniser of names (`semiology.data.deidentify.presidio`).
    """

    def __init__(
        self, identifying: Iterable[str] = (), names: Sequence[str] = (), further: Findings | None = None
    ) -> None:
        identifying = [clear_text(text) for text in identifying]
        wholes = {text for text in identifying if _telling(text)}
        parts = {part for text in identifying for part in re.split(r"[\W_]+", text) if _telling(part)}
        people = {" ".join(clear_text(name).split()) for name in names if name.strip()}
        alone = {part for name in people for part in re.split(r"[\s.,_-]+", name) if _name_alone(part)}
        self.replaced: Counter[str] = Counter()
        self._further = further
        self._rules = [
            *PATTERNS[:FIRST],
            ("id", _any_of(wholes)),
            ("name", _any_of(people, spelled=True)),
            ("name", _any_of(alone, spelled=True)),
            *PATTERNS[FIRST:],
            ("id", _any_of(parts)),
        ]

    def scrub(self, text: str) -> str:
        """Return ``text`` without what may identify; time lines of subtitles (``-->``) are kept.

        Words of more than 120 characters, what is repeated 30 times and what goes beyond `MOST_CHARACTERS` become
        ``[long]``.
        """
        cut = text[MOST_CHARACTERS:]
        clear, again = _AGAIN.subn("[long]", clear_text(text[:MOST_CHARACTERS]))
        self.replaced["long"] += again + bool(cut)
        lines = (clear + ("\n[long]" if cut else "")).split("\n")
        return "\n".join(line if _SUBTITLE_TIMES.match(line) else self._line(line) for line in lines)

    def _line(self, line: str) -> str:
        line, count = _LONG_WORD.subn("[long]", line)
        self.replaced["long"] += count
        line = _LONG_BLANK.sub(" ", line)
        if not line.strip():
            return line
        line = self._without_other_scripts(line)
        for kind, pattern in self._rules:
            if pattern is not None:
                line, count = pattern.subn(f"[{kind}]", line)
                self.replaced[kind] += count
        if self._further is not None:
            for start, end, kind in sorted(self._further(line), reverse=True):
                line = f"{line[:start]}[{kind}]{line[end:]}"
                self.replaced[kind] += 1
        self.replaced = +self.replaced
        return line

    def _without_other_scripts(self, line: str) -> str:
        """Return a line in Latin letters without words in others: amid them stand names and places."""
        words = _OTHER_SCRIPT.findall(line)
        if not words or 2 * sum(map(len, words)) > sum(map(str.isalpha, line)):
            return line
        self.replaced["name"] += len(words)
        return _OTHER_SCRIPT.sub("[name]", line)


def clear_text(text: str) -> str:
    """Return text in composed form (NFC), full-width letters as usual ones, without characters of no width."""
    composed = unicodedata.normalize("NFC", text).translate(_WIDE)
    return "".join(
        letter if letter.isascii() or not letter.isdecimal() else str(unicodedata.decimal(letter))
        for letter in composed
        if letter.isascii() or unicodedata.category(letter) not in ("Cf", "Co", "Cs")
    )


def _telling(text: str) -> bool:
    """Return whether a piece of a name may be sought in free text: long enough, no everyday word."""
    return (
        len(text) >= _MIN_PART
        and text.lower() not in _HARMLESS
        and not re.fullmatch(r"v?\d{1,3}", text.lower())
    )


def _name_alone(part: str) -> bool:
    """Return whether a part of a name is sought by itself."""
    return len(part) >= 2 and part.lower() not in _HARMLESS | {
        "de",
        "van",
        "von",
        "der",
        "den",
        "la",
        "di",
        "dr",
        "el",
    }


def _any_of(words: set[str], *, spelled: bool = False) -> re.Pattern[str] | None:
    if not words:
        return None
    ordered = sorted(words, key=lambda word: (-len(word), word))
    forms = [_spellings(word) if spelled else re.escape(word) for word in ordered]
    ending = _ENDING if spelled else ""
    return re.compile(rf"(?<![^\W_])(?:{'|'.join(forms)}){ending}(?![^\W_])", re.IGNORECASE)


def _spellings(name: str) -> str:
    """Return a pattern for a name with its umlauts and accents in every spelling, its parts joined in any way."""
    pattern, position, lower = "", 0, name.lower()
    while position < len(name):
        pair, letter = lower[position : position + 2], lower[position]
        if pair in _SPELLED:
            pattern, position = pattern + _SPELLED[pair], position + 2
            continue
        base = unicodedata.normalize("NFD", letter)[0]
        if letter in _VARIANTS:
            pattern += _VARIANTS[letter]
        elif letter.isspace() or letter in "-._":
            pattern += r"[\s._-]{0,3}"
        else:
            pattern += re.escape(letter) if base == letter else f"[{letter}{base}]"
        position += 1
    return pattern
