"""Answers about protected patients: which of them may be scored, and the entry of each look in the ledger."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from semiology.data.problems import Problem, RecordingSetError
from semiology.data.protection.ledger import Look, enter, protected_patients
from semiology.data.protection.splits import (
    ALL,
    DEVELOP,
    PROTECTED,
    SCORE,
    HandedOut,
    hand_out,
    parse_purpose,
)
from semiology.data.recording_set import Annotation, Recording, Side
from semiology.data.tables.laterality import Laterality, laterality_of
from semiology.data.tables.reading import ANNOTATIONS, RECORDINGS, read_folder
from semiology.render.text import counted
from semiology.reports.read.run_facts import RunFacts


@dataclass(frozen=True)
class ScoredSet:
    """The recording set that answers are about.

    Attributes:
        directory: its folder, beside whose tables the ledger lies.
        handed_out: the recordings that may be scored.
        known: video ids of the whole set.
        developing: the recordings that rules may be chosen on and classifiers learn from.
        annotations: of the recordings that may be scored. laterality: of those and of `developing`.
        sides: sides that experts gave with annotations of these, by recording and feature.
        faults: of annotations.csv, whose rows are missing among the annotations.
    """

    directory: Path
    handed_out: HandedOut
    known: frozenset[str]
    developing: tuple[Recording, ...] = ()
    annotations: tuple[Annotation, ...] = ()
    laterality: Mapping[str, Laterality] = field(default_factory=dict)
    sides: Mapping[tuple[str, str], Side] = field(default_factory=dict)
    faults: tuple[Problem, ...] = ()

    @property
    def folds(self) -> dict[str, str]:
        """The folds that the set names, by video id, of the recordings that may be scored or learned from."""
        return {r.video_id: r.fold for r in (*self.handed_out.recordings, *self.developing) if r.fold}

    @property
    def tested(self) -> frozenset[str]:
        """Video ids of protected patients, of those that may be scored."""
        return frozenset(each.video_id for each in self.handed_out.recordings if each.split in PROTECTED)

    @property
    def learners(self) -> frozenset[str] | None:
        """Video ids of development patients; None where the set names no split, so that all may learn in turn."""
        splits = any(each.split for each in (*self.handed_out.recordings, *self.developing))
        return frozenset(each.video_id for each in self.developing) if splits else None

    def kept(self, videos: Iterable[str]) -> frozenset[str]:
        """Return which of some recordings may be scored; those that the set does not know, unless a split is named."""
        mine = frozenset(each.video_id for each in self.handed_out.recordings)
        strangers = self.handed_out.purpose in (SCORE, ALL)
        return frozenset(
            video for video in videos if video in mine or (strangers and video not in self.known)
        )

    def notes(self, videos: Iterable[str]) -> list[str]:
        """Return in sentences which of the answered recordings are left out, or unknown to the set."""
        answered = frozenset(videos)
        told = []
        left = answered - self.kept(answered)
        if left:
            known = [each for each in self.handed_out.notes() if "left out" in each]
            told += known or [f"{counted(len(left), 'recording')} not scored: not in {RECORDINGS}"]
        strange = len(answered & self.kept(answered) - self.known)
        if strange:
            told.append(
                f"{counted(strange, 'recording')} answered and not in {self.directory / RECORDINGS}: their split is "
                "not known, and they are scored → is it the set that was asked?"
            )
        return told

    def enter(self, command: str, answers: pd.DataFrame, chosen: Mapping[str, Any]) -> list[str]:
        """Enter that protected patients are being scored, before a number is shown; return what the ledger says.

        Args:
            command: ``report``, ``compare``, ``diagnose`` or ``agreement distributions``.
            answers: what is scored, with the column video_id; its protected rows tell one look from another.
            chosen: what was chosen before.

        Raises:
            OSError: the ledger cannot be written.
        """
        videos = set(answers["video_id"])
        seen = [each for each in self.handed_out.recordings if each.video_id in videos]
        patients = protected_patients((each.split, each.patient_id) for each in seen)
        if not patients:
            return []
        protected = [each.video_id for each in seen if each.split in patients]
        rows = answers[answers["video_id"].isin(protected)]
        looks = enter(self.directory, Look(command, patients, chosen, _digest(rows)))
        return [each.sentence for each in looks]


def scored_set(data: Path, split: str | None, *, with_sides: bool = False) -> ScoredSet:
    """Read which recordings of a set may be scored; only recordings.csv has to be without faults.

    Args:
        data: its folder. split: as in ``--split``: a split, ``develop``, ``all``, or None for all but ``confirm``.
        with_sides: also read laterality and sides; then laterality.csv and annotations.csv must have no faults.

    Raises:
        ValueError: a table has faults, or no recording is of the split.
    """
    purpose = parse_purpose(split)
    reading = read_folder(data, require_media=False)
    problems = [each for each in reading.problems if each.file in (RECORDINGS, str(data.absolute()))]
    if problems:
        raise RecordingSetError(problems)
    recordings = [recording for _, recording in reading.recordings]
    known = frozenset(each.video_id for each in recordings)
    handed_out = hand_out(recordings, purpose)
    try:
        developing = hand_out(recordings, DEVELOP).recordings
    except ValueError:  # every patient is protected: nobody may choose or learn
        developing = ()
    mine = frozenset(each.video_id for each in handed_out.recordings)
    annotations = tuple(each for _, each in reading.annotations if each.video_id in mine)
    faults = tuple(each for each in reading.problems if each.file == ANNOTATIONS)
    found = ScoredSet(data, handed_out, known, developing, annotations, faults=faults)
    if not with_sides:
        return found
    if faults:
        raise RecordingSetError(faults)
    opened = dict.fromkeys([*mine, *(each.video_id for each in developing)])
    theirs = [each for _, each in reading.annotations if each.video_id in opened]
    sides = {(a.video_id, a.feature): a.side for a in theirs if a.side and a.present == "yes"}
    return replace(found, laterality=laterality_of(data, opened, known, theirs), sides=sides)


def unrecorded_looks(records: RunFacts) -> list[str]:
    """Return in a sentence that runs about protected patients are scored without their set, and so without its ledger.

    Args:
        records: facts of the runs by model. They name the set but not its folder, which never leaves the machine.
    """
    counts: dict[str, int] = {}
    for record in records.values():
        for split, number in (record.get("protected") or {}).items():
            counts[split] = max(number, counts.get(split, 0))
    if not counts:
        return []
    which = " and ".join(
        f"{counted(number, 'recording')} of the split {split}" for split, number in counts.items()
    )
    told = f"the runs were asked about {which}; results do not name the folder of their set"
    return [f"{told}, so this look is in no ledger → add --data DIR to have it counted"]


def _digest(rows: pd.DataFrame) -> str:
    """Return the SHA-256 of rows in whatever order."""
    # Orders of features are lists, which cannot be hashed as they are.
    told = rows.map(lambda cell: repr(cell) if isinstance(cell, list) else cell)
    hashes = pd.util.hash_pandas_object(told, index=False).to_numpy()
    return hashlib.sha256(np.sort(hashes).tobytes()).hexdigest()
