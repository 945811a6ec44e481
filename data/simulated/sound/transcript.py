"""Who says what, and when, in a simulated recording. Groans have no words and are not in a transcript."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from semiology.data.simulated.script.script import Script
from semiology.data.simulated.sound.sound import phrase_turns, spoken
from semiology.data.tables.writing import table_text

TRANSCRIPT_COLUMNS = ("start_s", "end_s", "speaker", "text")


@dataclass(frozen=True)
class Utterance:
    """Words between two times, in seconds from the start of the recording."""

    start_s: float
    end_s: float
    speaker: Literal["patient", "caregiver"]
    text: str


def utterances(script: Script) -> tuple[Utterance, ...]:
    """Return everything that is said, by start: questions, answers, small talk and every repeated phrase."""
    said = []
    for event in script.of("address", "verbal_responsiveness", "talk", "ictal_vocalization"):
        words = spoken(event)
        if words is not None:
            repeated = event.feature == "ictal_vocalization"
            speaker: Literal["patient", "caregiver"] = (
                "caregiver" if event.feature == "address" else "patient"
            )
            for start, stop in phrase_turns(event) if repeated else ((event.onset_s, event.offset_s),):
                end = min(stop, script.duration_s)
                said.append(Utterance(round(start, 2), round(end, 2), speaker, words))
    return tuple(sorted(said, key=lambda item: (item.start_s, item.speaker)))


def transcript(script: Script) -> str:
    """Return the transcript as a table (CSV); only the header where nobody speaks."""
    rows = []
    for item in utterances(script):
        cells = (f"{item.start_s:.2f}", f"{item.end_s:.2f}", item.speaker, item.text)
        rows.append(dict(zip(TRANSCRIPT_COLUMNS, cells, strict=True)))
    return table_text(TRANSCRIPT_COLUMNS, rows)
