"""The list of all free text that a de-identified set kept, for a person to read before the set is called clean.

No program finds every name. So a set with free text is not clean until somebody has read the list and confirmed it:
``semiology data confirm-texts DIR LIST``. A change of the texts after that takes the confirmation back.
"""

from __future__ import annotations

import csv
import hashlib
import io
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from semiology.data.cache import write_whole
from semiology.data.problems import Problem, RecordingSetError
from semiology.data.tables.csv_tables import guarded_cell
from semiology.data.tables.reading import ANNOTATIONS, REPORTS, read_recording_set

STATE = "deidentification.json"
"""Beside the tables of a de-identified set: whether it is clean, and why not."""
COLUMNS = ("file", "video_id", "place", "text", "words_with_a_capital")


@dataclass(frozen=True)
class KeptText:
    """A piece of free text in the new set: file, recording, place in it (feature, line), and the text."""

    file: str
    video_id: str
    place: str
    text: str


def kept_texts(directory: Path) -> list[KeptText]:
    """Return all free text of a recording set: justifications, reports, and each line of its transcripts."""
    found: list[KeptText] = []
    recording_set = read_recording_set(directory)
    for item in recording_set.annotations:
        if item.justification:
            found.append(KeptText(ANNOTATIONS, item.video_id, item.feature, item.justification))
    found += [KeptText(REPORTS, video_id, "report", text) for video_id, text in recording_set.reports.items()]
    for recording in recording_set.recordings:
        if recording.transcript:
            name = recording.transcript.relative_to(recording_set.directory).as_posix()
            lines = recording.transcript.read_text(encoding="utf-8").splitlines()
            found += [
                KeptText(name, recording.video_id, f"line {number}", line)
                for number, line in enumerate(lines, 1)
                if any(letter.isalpha() for letter in line)
            ]
    return found


def digest_of(texts: Iterable[KeptText]) -> str:
    """Return what tells one list of texts from another, 64 hexadecimal digits."""
    rows = [[each.file, each.video_id, each.place, each.text] for each in texts]
    return hashlib.sha256(json.dumps(rows).encode()).hexdigest()


def audit_table(texts: Sequence[KeptText]) -> str:
    """Return the list as a table (CSV); the last column names the words within sentences that begin with a capital."""
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(COLUMNS)
    for each in texts:
        words = each.text.replace("[", " [").split()
        capital = [word.strip(".,;:!?()\"'") for word in words[1:] if word[:1].isupper()]
        cells = (each.file, each.video_id, each.place, each.text, " ".join(dict.fromkeys(capital)))
        writer.writerow([guarded_cell(cell) for cell in cells])
    return stream.getvalue()


def write_state(directory: Path, texts: Sequence[KeptText], *, confirmed: bool = False) -> None:
    """Write whether a set is clean: it is if it holds no free text, or a person has read it."""
    state = {"texts": len(texts), "digest": digest_of(texts), "clean": confirmed or not texts}
    write_whole(directory / STATE, json.dumps(state, indent=1) + "\n")


def unclean_reason(directory: Path) -> str | None:
    """Return why a de-identified set is not clean; None for a clean one and for any other set."""
    path = directory / STATE
    if not path.is_file():
        return None
    try:
        state = json.loads(path.read_text(encoding="utf-8"))
        texts = kept_texts(directory)
        if state["digest"] != digest_of(texts):
            return "its free text was changed after it was de-identified"
        return None if state["clean"] is True else f"{len(texts)} free texts were not read by a person"
    except (ValueError, KeyError, TypeError, RecordingSetError):
        return f"{STATE} cannot be read"


def confirm(directory: Path, audit: Path) -> int:
    """Mark a set as clean because a person has read the list of its texts; return how many they are.

    Raises:
        RecordingSetError: the list is not the one of this set as it is now.
    """
    texts = kept_texts(directory)
    if not (directory / STATE).is_file():
        fix = "only sets that `semiology data deidentify` wrote can be confirmed"
        raise RecordingSetError([Problem(str(directory / STATE), None, "is missing", fix)])
    if audit.read_text(encoding="utf-8") != audit_table(texts):
        fix = "the texts, or the list, were changed: run `semiology data deidentify` again and read the new list"
        raise RecordingSetError([Problem(str(audit), None, "is not the list of this set's texts", fix)])
    write_state(directory, texts, confirmed=True)
    return len(texts)
