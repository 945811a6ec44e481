"""Who says what, and when, in a simulated recording. Groans have no words and are not in a transcript."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from semiology.data.simulated.script.events import Event
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
    said = [
        Utterance(round(start, 2), round(min(stop, script.duration_s), 2), _speaker(event), words)
        for event in script.of("address", "verbal_responsiveness", "talk", "ictal_vocalization")
        if (words := spoken(event)) is not None
        for start, stop in _times(event)
    ]
    return tuple(sorted(said, key=lambda item: (item.start_s, item.speaker)))


def transcript(script: Script) -> str:
    """Return the transcript as a table (CSV); only the header where nobody speaks."""
    rows = [
        {
            "start_s": f"{item.start_s:.2f}",
            "end_s": f"{item.end_s:.2f}",
            "speaker": item.speaker,
            "text": item.text,
        }
        for item in utterances(script)
    ]
    return table_text(TRANSCRIPT_COLUMNS, rows)


def _times(event: Event) -> tuple[tuple[float, float], ...]:
    if event.feature == "ictal_vocalization":
        return phrase_turns(event)
    return ((event.onset_s, event.offset_s),)


def _speaker(event: Event) -> Literal["patient", "caregiver"]:
    return "caregiver" if event.feature == "address" else "patient"
