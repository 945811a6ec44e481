"""The transcript of a recording, as a file: utterances with times, and their words where they were timed.

Two forms are read: the JSON that the enhancement ``transcript`` writes, and the table (CSV with the columns
``start_s``, ``end_s``, ``text`` and perhaps ``speaker``) that a recording set may bring.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from semiology.data.media.probe import display_name
from semiology.data.tables.cells import CellError, parse_seconds
from semiology.data.tables.csv_tables import read_table

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


def write_transcript(path: Path, utterances: Sequence[Utterance], facts: Mapping[str, Any]) -> None:
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
    name, content = display_name(path), path.read_bytes().removeprefix(b"\xef\xbb\xbf").lstrip()
    if b"-->" in content[:4096] and not content.startswith(b"{"):
        raise TranscriptError(
            f"{name} holds subtitles (SRT or WebVTT): write a table (CSV) with start_s, end_s, text and perhaps speaker"
        )
    found = _from_json(name, content) if content.startswith(b"{") else _from_table(name, path)
    return tuple(sorted(found, key=lambda item: (item.start_s, item.end_s)))


def _from_json(name: str, content: bytes) -> list[Utterance]:
    try:
        whole = json.loads(content.decode("utf-8"))
    except UnicodeDecodeError:
        raise TranscriptError(f"{name} is not text in UTF-8: save it as UTF-8") from None
    except json.JSONDecodeError as error:
        raise TranscriptError(f"{name}:{error.lineno}: broken JSON; make the transcript again") from None
    except RecursionError:
        raise TranscriptError(f"{name}: broken JSON; make the transcript again") from None
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


def _from_table(name: str, path: Path) -> list[Utterance]:
    table = read_table(path, name)
    if table.problems:
        raise TranscriptError(str(table.problems[0]))
    missing = {"start_s", "end_s", "text"} - set(table.columns)
    if missing:
        raise TranscriptError(
            f"{name}:1: no column {', '.join(sorted(missing))}; a transcript is a table (CSV) with start_s, end_s, "
            "text and perhaps speaker"
        )
    comma = table.delimiter != ","
    found = []
    for row in table.rows:
        try:
            times = [parse_seconds(row[column], decimal_comma=comma) for column in ("start_s", "end_s")]
        except CellError as error:
            raise TranscriptError(f"{name}:{row.number}: {error}; {error.fix}") from None
        text = " ".join(row["text"].split())
        found.append(Utterance(*_times(f"{name}:{row.number}", *times), text, speaker=row["speaker"] or None))
    return found


def _times(place: str, start: Any, end: Any) -> tuple[float, float]:
    numbers = all(isinstance(each, int | float) and not isinstance(each, bool) for each in (start, end))
    start_s, end_s = (float(start), float(end)) if numbers else (math.nan, math.nan)
    if not 0 <= start_s <= end_s < math.inf:
        raise TranscriptError(
            f"{place}: from {start!r} to {end!r} s; give seconds from the start of the recording, the end "
            "not before the start"
        )
    return start_s, end_s


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 3)
