"""The transcript of a recording, as a file: utterances with times, and their words where they were timed.

Two forms are read: the JSON that the enhancement ``transcript`` writes, and the table (CSV with the columns
``start_s``, ``end_s``, ``text`` and perhaps ``speaker``) that a recording set may bring.
"""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from semiology.data.media.probe import display_name
from semiology.enhancements.pipeline.step import JsonValue

FORMAT = "semiology-transcript"
FORM_VERSION = 1


class TranscriptError(ValueError):
    """A file is not a transcript; the message names the file, the place and the fix."""


@dataclass(frozen=True)
class Word:
    """One word between two times, s from the start of the recording; ``probability`` is the recogniser's."""

    start_s: float
    end_s: float
    text: str
    probability: float = 1.0


@dataclass(frozen=True)
class Utterance:
    """What was said between two times, s from the start of the recording, in words on one line.

    Attributes:
        words: each with its times; empty where nobody timed them.
        speaker: who spoke, where that is known; recognizers do not know it.
        average_log_probability: mean over the tokens, the recognizer's own doubt.
        no_speech_probability: the recognizer's, that nobody spoke.
        compression_ratio: length of the text over its length compressed; above 2.4 the same words come again and
            again, which a patient may do and a recognizer too.
    """

    start_s: float
    end_s: float
    text: str
    words: tuple[Word, ...] = ()
    speaker: str | None = None
    average_log_probability: float | None = None
    no_speech_probability: float | None = None
    compression_ratio: float | None = None


def write_transcript(path: Path, utterances: Sequence[Utterance], facts: Mapping[str, JsonValue]) -> None:
    """Write a transcript as JSON.

    Args:
        utterances: by start.
        facts: how it was made (model, language, length, ...); kept in the file, not read back here.
    """
    segments = [
        {
            "start_s": round(item.start_s, 3),
            "end_s": round(item.end_s, 3),
            "text": item.text,
            "average_log_probability": _rounded(item.average_log_probability),
            "no_speech_probability": _rounded(item.no_speech_probability),
            "compression_ratio": _rounded(item.compression_ratio),
            "words": [
                [round(word.start_s, 3), round(word.end_s, 3), word.text, round(word.probability, 3)]
                for word in item.words
            ],
        }
        for item in utterances
    ]
    whole = {"format": FORMAT, "format_version": FORM_VERSION, **facts, "segments": segments}
    path.write_text(json.dumps(whole, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


def read_transcript(path: Path) -> tuple[Utterance, ...]:
    """Return the utterances of a transcript by start.

    Args:
        path: JSON of this module, or a table in CSV.

    Raises:
        TranscriptError: it is neither, or an entry is wrong.
        OSError: it cannot be read.
    """
    name = display_name(path)
    try:
        content = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise TranscriptError(f"{name} is not text in UTF-8: save it as UTF-8") from None
    found = _from_json(name, content) if content.lstrip().startswith("{") else _from_table(name, content)
    return tuple(sorted(found, key=lambda item: (item.start_s, item.end_s)))


def _from_json(name: str, content: str) -> list[Utterance]:
    try:
        whole = json.loads(content)
    except json.JSONDecodeError as error:
        raise TranscriptError(f"{name}:{error.lineno}: broken JSON; make the transcript again") from None
    if whole.get("format") != FORMAT or whole.get("format_version") != FORM_VERSION:
        raise TranscriptError(
            f"{name} is not a transcript of this version ({FORMAT} {FORM_VERSION}): make it again"
        )
    found = []
    for number, row in enumerate(whole.get("segments", []), 1):
        place = f"{name}, segment {number}"
        try:
            words = tuple(Word(float(a), float(b), str(text), float(p)) for a, b, text, p in row["words"])
            found.append(
                Utterance(
                    *_times(place, row["start_s"], row["end_s"]),
                    " ".join(str(row["text"]).split()),
                    words,
                    None,
                    row.get("average_log_probability"),
                    row.get("no_speech_probability"),
                    row.get("compression_ratio"),
                )
            )
        except (KeyError, TypeError, ValueError) as error:
            if isinstance(error, TranscriptError):
                raise
            raise TranscriptError(f"{place} lacks times, text or words: make the transcript again") from None
    return found


def _from_table(name: str, content: str) -> list[Utterance]:
    rows = csv.DictReader(io.StringIO(content))
    missing = {"start_s", "end_s", "text"} - set(rows.fieldnames or ())
    if missing:
        raise TranscriptError(
            f"{name}:1: no column {', '.join(sorted(missing))}; a transcript has start_s, end_s, text "
            "and perhaps speaker"
        )
    return [
        Utterance(
            *_times(f"{name}:{number}", row["start_s"], row["end_s"]),
            " ".join((row["text"] or "").split()),
            speaker=(row.get("speaker") or "").strip() or None,
        )
        for number, row in enumerate(rows, 2)
    ]


def _times(place: str, start: Any, end: Any) -> tuple[float, float]:
    try:
        start_s, end_s = float(start), float(end)
    except (TypeError, ValueError):
        start_s = end_s = math.nan
    if not 0 <= start_s <= end_s < math.inf:
        raise TranscriptError(
            f"{place}: from {start!r} to {end!r} s; give seconds from the start of the recording, the end "
            "not before the start"
        )
    return start_s, end_s


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 3)
