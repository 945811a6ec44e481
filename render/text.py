"""Text fit to be shown: counts with their nouns, numbers, and text from outside made harmless for its medium.

`plain` and `shown_text` are for people, `neutral` for CSV, `escaped` and `escaped_cell` for
Markdown, `latex_text` for LaTeX.
"""

from __future__ import annotations

import json
import math
import re
import unicodedata
from typing import Any

MISSING = "–"
"""Stands for a number that is undefined."""
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
_DIRECTION = re.compile(r"[\u200e\u200f\u202a-\u202e\u2066-\u2069]")
_NOT_PLAIN = re.compile(r"[\x00-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]")
_SURROGATE = re.compile(r"[\ud800-\udfff]")
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "|", "%")
_LATEX = {
    "\\": r"\textbackslash{}",
    **{sign: f"\\{sign}" for sign in "&%$#_{}"},
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    '"': "''",
    # After a line's end LaTeX would take these for options of the line break.
    "[": "{[}",
    "*": "{*}",
    "−": "$-$",
    "≥": r"$\geq$",
    "≤": r"$\leq$",
    "±": r"$\pm$",
    "×": r"$\times$",
    "→": r"$\rightarrow$",
    "Δ": r"$\Delta$",
    "µ": r"$\mu$",
    "·": r"$\cdot$",
    "…": r"\ldots{}",
    "–": "--",
    "—": "---",
    "‘": "`",
    "’": "'",
    "“": "``",
    "”": "''",
    "°": r"$^{\circ}$",
    "¹": r"\textsuperscript{1}",
    "²": r"\textsuperscript{2}",
    "³": r"\textsuperscript{3}",
    "†": r"\dag{}",
    "\u00a0": "~",
}


def counted(number: int, noun: str, plural: str | None = None) -> str:
    """Return a number with its noun: ``1 patient``, ``1,218 questions``.

    Args:
        number: how many; thousands are set off by commas.
        noun: in the singular.
        plural: of the noun; by default the noun with an ``s``.
    """
    return f"{number:,} {noun if number == 1 else plural or f'{noun}s'}"


def first_line(error: BaseException) -> str:
    """Return the first line of an error's text, or its type where it says nothing."""
    return (str(error).strip().splitlines() or [type(error).__name__])[0]


def number_text(value: float | None, form: str = ".2f") -> str:
    """Return a number as people read it, `MISSING` where it is None or NaN.

    Args:
        value: the number.
        form: a format specification of Python, or ``p`` for a p-value.
    """
    if value is None or math.isnan(value):
        return MISSING
    if form == "p":
        return "<0.001" if value < 0.001 else f"{value:.3f}"
    return format(value, form)


def rounded(value: float | None, decimals: int | None = None) -> float | None:
    """Return a number as tables for machines hold it: in full, or rounded where asked; None where it is undefined."""
    if value is None or math.isnan(value):
        return None
    return float(value) if decimals is None else round(float(value), decimals)


def json_text(content: Any) -> str:
    """Return content as JSON for people and machines, without a line end.

    Raises:
        ValueError: it holds a number that JSON has not (NaN).
    """
    return json.dumps(content, indent=2, ensure_ascii=False, allow_nan=False)


def plain(text: str) -> str:
    """Return text in one line, without control characters, direction marks and lone surrogates."""
    return _SURROGATE.sub("\ufffd", _NOT_PLAIN.sub(" ", text))


def shown_text(text: str, length: int | None = None) -> str:
    """Return text of several lines without control characters; marks of writing direction are named.

    Args:
        text: anything.
        length: characters to keep; what is cut off is counted at the end.
    """
    cut = 0
    if length is not None and len(text) > length:
        cut = len(text) - length
        text = text[:length]
    text = _SURROGATE.sub("\ufffd", _CONTROL.sub(" ", text))
    text = _DIRECTION.sub(lambda found: f"\u2329U+{ord(found.group()):04X}\u232a", text)
    return f"{text}… [{cut:,} more characters in the samples file]" if cut else text


def neutral(value: Any) -> Any:
    """Return a cell that no spreadsheet runs as a formula: such text gets a leading apostrophe."""
    if not isinstance(value, str):
        return value
    text = plain(value)
    return f"'{text}" if value.startswith(_FORMULA) or text.lstrip().startswith(_FORMULA) else text


def escaped(text: str) -> str:
    """Return text in which Markdown sees no markup."""
    return re.sub(r"([\\`*_<>|\[\]#])", r"\\\1", plain(text))


def escaped_cell(text: str) -> str:
    """Return text for a cell of a Markdown table; names with underscores stay readable as they are."""
    return re.sub(r"([\\`*<>|])", r"\\\1", plain(text))


def latex_text(text: str) -> str:
    """Return text in which LaTeX sees no command, and no letter that pdfLaTeX cannot set.

    Letters beyond Latin-1 lose their accents; those without a Latin letter beneath are named by code point.
    """
    return "".join(_LATEX.get(letter) or _latex_letter(letter) for letter in plain(text))


def _latex_letter(letter: str) -> str:
    # Eth and thorn are not in LaTeX's own encoding of fonts.
    if letter.isascii() or (letter.isalpha() and ord(letter) < 256 and letter not in "ªºÐðÞþ"):
        return letter
    bare = "".join(part for part in unicodedata.normalize("NFKD", letter).replace("⁄", "/") if part.isascii())
    if bare:
        return "".join(_LATEX.get(part, part) for part in bare)
    return "" if unicodedata.combining(letter) else rf"\texttt{{U+{ord(letter):04X}}}"
