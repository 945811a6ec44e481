"""What a sheet says of whole recordings: patient, film, split and fold, the diagnosis, what the seizure was called."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import cast

from semiology.data.recording_set import LOBES, SEIZURE_TYPES, Diagnosis, Recording, Side
from semiology.data.sheets.layout import Laid
from semiology.data.sheets.mapping import Notes
from semiology.data.sheets.names import Film
from semiology.data.sheets.rows import Line
from semiology.data.sheets.terms import key_of, terms
from semiology.data.tables.reading import NO_EVENT

_CHOICES: Mapping[str, tuple[str, ...]] = {
    "diagnosis": ("ES", "NES", NO_EVENT),
    "onset_lobe": LOBES,
    "onset_side": ("left", "right", "both"),
    "seizure_type": SEIZURE_TYPES,
}
OF_RECORDINGS = (*_CHOICES, "split", "fold", "report")
"""Roles of columns that say something of a recording beside its patient and film."""


def recordings_of(
    laid: Laid, lines: Sequence[Line], ids: Mapping[str, str], films: Mapping[str, Film], notes: Notes
) -> tuple[list[Recording], dict[str, str]]:
    """Return the recordings of a sheet in their order, and the reports by video id.

    A recording may have several rows: what stands in any of them counts, the first where they differ; the others are
    noted.

    Args:
        laid: the sheet.
        lines: its rows, each with the recording and the patient.
        ids: video id by name in the sheet. films: by name in the sheet, as far as there are any.
        notes: takes what is read otherwise or not used.
    """
    found: dict[str, Recording] = {}
    said: dict[str, dict[str, str]] = {}
    reports: dict[str, str] = {}
    for line in lines:
        video_id = ids[line.video]
        film = films.get(line.video)
        item = Recording(
            video_id, line.patient, film.path if film else Path("videos") / f"{video_id}.mp4",
            duration_s=film.duration_s if film else None,
        )  # fmt: skip
        if found.setdefault(video_id, item).patient_id != item.patient_id:
            message = f"{line.video}: has another patient above; the first was used"
            notes.not_used(line.number, message, "correct one of them")
        own = said.setdefault(video_id, {})
        for role, value in _stated(laid, line, notes).items():
            if own.setdefault(role, value) != value:
                message = f"{line.video}: {role} is {own[role]} above, used; {value} here"
                notes.not_used(line.number, message, "correct one of them")
        if (text := laid.text(line.row, "report")) and video_id not in reports:
            reports[video_id] = text
    return [_with(item, said[video_id]) for video_id, item in found.items()], reports


def _stated(laid: Laid, line: Line, notes: Notes) -> dict[str, str]:
    """Return what a row says of its recording, by role."""
    said = {"split": laid.text(line.row, "split").casefold(), "fold": laid.text(line.row, "fold")}
    for role, choices in _CHOICES.items():
        if text := laid.text(line.row, role):
            said[role] = _choice(role, text, choices, line, notes)
    return {role: value for role, value in said.items() if value}


def _choice(role: str, text: str, choices: Sequence[str], line: Line, notes: Notes) -> str:
    """Return which of some words a cell means, or an empty text; both are noted where the cell has another word."""
    key = key_of(text)
    meant = {key_of(choice): choice for choice in choices}.get(key) or terms().conclusions[role].get(key, "")
    if not meant and key not in terms().no_conclusion:
        *first, last = choices
        notes.not_used(
            line.number,
            f"{role}: {text!r} is none of {', '.join(choices)}",
            f"write {', '.join(first)} or {last}",
        )
    elif meant != text:
        notes.change(role, text, meant or "not stated", line.number)
    return meant


def _with(item: Recording, said: Mapping[str, str]) -> Recording:
    diagnosis = said.get("diagnosis")
    return replace(
        item,
        diagnosis=None if diagnosis == NO_EVENT else cast("Diagnosis | None", diagnosis),
        control=diagnosis == NO_EVENT,
        split=said.get("split"),
        fold=said.get("fold"),
        onset_lobe=said.get("onset_lobe"),
        onset_side=cast("Side | None", said.get("onset_side")),
        seizure_type=said.get("seizure_type"),
    )
