"""What the words of a sheet mean: names of features and columns, yes and no, sides, in four languages."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files

import yaml

from semiology.features import FEATURES, RECORDS

PARTS = ("onset", "offset", "span", "side", "justification", "present")
"""What a column may hold about one feature; ``span`` holds onset and offset in one cell."""
_TRANSCRIBED = {"ä": "ae", "ö": "oe", "ü": "ue", "ß": "ss"}


def key_of(text: str) -> str:
    """Return a term as it is compared: small letters without accents, one blank between its words.

    Signs that are a whole cell, such as ``+`` or ``?``, stay.
    """
    plain = unicodedata.normalize("NFKD", text.strip().casefold())
    plain = "".join(letter for letter in plain if not unicodedata.combining(letter)).replace("ß", "ss")
    words = re.sub(r"[^\w]+|_", " ", plain).strip()
    return words or text.strip().casefold()


def _keys(terms: Iterable[object]) -> set[str]:
    """Return the keys of terms, umlauts also as they are typed without them."""
    found = set()
    for term in map(str, terms):
        found |= {key_of(term), key_of("".join(_TRANSCRIBED.get(letter, letter) for letter in term))}
    return found


@dataclass(frozen=True)
class Terms:
    """The table of terms, by key; ``unclear`` has the features that a term may mean.

    ``conclusions`` has the words for diagnoses, lobes, sides and types of seizures by the column that they stand in;
    ``no_conclusion`` those that say that none is known.
    """

    features: Mapping[str, str]
    unclear: Mapping[str, tuple[str, ...]]
    columns: Mapping[str, str]
    present: Mapping[str, str]
    sides: Mapping[str, str]
    no_side: frozenset[str]
    conclusions: Mapping[str, Mapping[str, str]]
    no_conclusion: frozenset[str]
    units: Mapping[str, str]
    joiners: frozenset[str]


@lru_cache(maxsize=1)
def terms() -> Terms:
    """Return the table of terms of this package."""
    content = yaml.safe_load(files(__package__).joinpath("terms.yaml").read_text(encoding="utf-8"))

    def named(words_of: Mapping[str, Iterable[object]]) -> dict[str, str]:
        return {key: str(name) for name, words in words_of.items() for key in _keys(words)}

    def by_key(part: str) -> dict[str, str]:
        return named(content[part])

    own = {key_of(alias): record.name for record in RECORDS for alias in (record.name, *record.aliases)}
    return Terms(
        features={key: name for key, name in by_key("features").items() if name in FEATURES} | own,
        unclear={key: tuple(names) for term, names in content["unclear"].items() for key in _keys([term])},
        columns=by_key("columns"),
        present=by_key("present"),
        sides=by_key("sides"),
        no_side=frozenset(_keys(content["no_side"])),
        conclusions={
            "diagnosis": by_key("diagnoses"),
            "onset_lobe": by_key("lobes"),
            "onset_side": by_key("hemispheres") | by_key("sides"),
            "seizure_type": by_key("seizure_types"),
        },
        no_conclusion=frozenset(_keys(content["no_conclusion"])),
        units=by_key("units"),
        joiners=frozenset(_keys(content["joiners"])),
    )


@dataclass(frozen=True)
class Heading:
    """What a heading means.

    Attributes:
        role: ``video``, ``patient``, …, or a feature, or ``feature.part`` with one of `PARTS`; "" if it is unknown.
        unit: of times, if the heading names one: ``s``, ``ms``, ``min`` or ``frames``.
        choices: the roles that it may mean, if that is not clear.
    """

    role: str = ""
    unit: str = ""
    choices: tuple[str, ...] = ()


def heading_of(text: str) -> Heading:
    """Return what a heading means, such as ``Kopfwendung: Beginn (s)``: head_turning.onset in seconds."""
    known = terms()
    choice = re.fullmatch(r".*\(choice=(.+)\)\s*", text.strip(), re.IGNORECASE)
    checkbox = re.fullmatch(r"(.+)___(.+)", text.strip())
    for inner in (choice and choice[1], checkbox and checkbox[2]):
        if inner and (found := heading_of(inner)).role in FEATURES:
            return found
    key = key_of(text)
    plain = _without_unit(text)
    for candidate, unit in ((key, ""), plain):
        role = known.columns.get(candidate) or known.features.get(candidate)
        if role:
            return Heading(role, unit)
        if candidate in known.unclear:
            return Heading("", unit, known.unclear[candidate])
    words = plain[0].split()
    for at in range(1, len(words)):
        first, rest = " ".join(words[:at]), " ".join(words[at:])
        for feature, part in ((first, rest), (rest, first)):
            if placed := _placed(feature, part):
                return Heading(placed, plain[1])
    return Heading("", plain[1])


def _placed(feature: str, part: str) -> str:
    known = terms()
    name, held = known.features.get(_bare(feature)), known.columns.get(_bare(part))
    return f"{name}.{held}" if name and held in PARTS else ""


def _bare(text: str) -> str:
    """Return a term without the words that join it to another one."""
    words = text.split()
    while len(words) > 1 and words[-1] in terms().joiners:
        words.pop()
    while len(words) > 1 and words[0] in terms().joiners:
        words.pop(0)
    return " ".join(words)


def _without_unit(text: str) -> tuple[str, str]:
    """Return the key of a heading without a unit at its end, and the unit: ``onset (ms)``."""
    units = terms().units
    bracket = re.fullmatch(r"(.+?)\s*[\[(]\s*(?:in\s+)?([^\])]+?)\s*[\])]\s*", text.strip(), re.DOTALL)
    if bracket and key_of(bracket[2]) in units:
        return key_of(bracket[1]), units[key_of(bracket[2])]
    words = key_of(text).split()
    if len(words) > 1 and words[-1] in units:
        rest = words[:-2] if len(words) > 2 and words[-2] == "in" else words[:-1]
        return " ".join(rest), units[words[-1]]
    return key_of(text), ""
