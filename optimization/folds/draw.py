"""Folds of patients for cross-validation: balanced over features and diagnosis, seeded, patients whole.

scikit-learn's ``StratifiedGroupKFold`` balances one class per recording; a recording has up to twenty features
and a diagnosis at once. So its rule (largest groups first, each into the fold that it unbalances least) is
applied here to a table with one column for each of them, followed by single moves as long as they help.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from semiology.data.protection.splits import DEVELOP, PROTECTED, PURPOSES, hand_out, split_of_patients
from semiology.data.recording_set import Recording, RecordingSet
from semiology.features import FEATURES
from semiology.metrics.arrays import Codes, Floats
from semiology.metrics.s3.categorical import DIAGNOSES
from semiology.render.text import counted

STARTS = 20
# Spread of the random factors on patient sizes that let each start place patients in another order.
_JITTER = 0.3


class FoldError(ValueError):
    """Folds cannot be made of these patients, or do not fit them; the message says what to change."""


@dataclass(frozen=True)
class Parts:
    """Patients by part, none in two of them, and in words how they were divided.

    Attributes:
        train: for the search itself. development: select among candidates. test: asked once, at the end.
    """

    train: tuple[str, ...]
    development: tuple[str, ...]
    test: tuple[str, ...]
    source: str


@dataclass(frozen=True)
class FoldCounts:
    """What a fold holds: patients, recordings, recordings by diagnosis, and recordings with each feature."""

    fold: str
    patients: int
    recordings: int
    diagnoses: Mapping[str, int]
    positives: Mapping[str, int]
    negatives: Mapping[str, int]


@dataclass(frozen=True)
class FoldBalance:
    """How folds came out.

    Attributes:
        imbalance: sum over features, diagnoses and recordings of the squared deviations from equal shares over
            their expectation (a chi-square distance): 0 is perfect balance.
        warnings: what a user must know, in sentences (a feature missing in a fold, one class only).
    """

    folds: tuple[FoldCounts, ...]
    imbalance: float
    warnings: tuple[str, ...]


def draw_folds(
    recording_set: RecordingSet, folds: int = 5, *, seed: int = 0, purpose: str = DEVELOP
) -> dict[str, str]:
    """Put patients into folds named "0", "1", …; the same set, number and seed give the same folds.

    Args:
        seed: of the order in which patients are placed.
        purpose: whose patients get a fold, one of `semiology.data.protection.splits.PURPOSES`; by default those
            to develop on, which are all where the set has no splits.

    Returns:
        Fold by patient id, in the set's order of patients.

    Raises:
        FoldError: fewer than two folds, or fewer patients than folds.
        ValueError: no patient is of the purpose.
    """
    recordings = hand_out(recording_set.recordings, purpose).recordings
    patients = list(dict.fromkeys(item.patient_id for item in recordings))
    if not 2 <= folds <= len(patients):
        whole = len(recordings) == len(recording_set.recordings)
        where = "" if whole else f" of the split {' or '.join(PURPOSES[purpose])}"
        few = "folds need two patients or more"
        fix = f"use 2 to {len(patients)} folds" if len(patients) > 1 else few
        raise FoldError(
            f"{counted(len(patients), 'patient')}{where} cannot fill {counted(folds, 'fold')} → {fix}"
        )
    table = _patient_table(recording_set, recordings, patients)
    table = table[:, table.sum(0) > 0]
    rng = np.random.default_rng(seed)
    found = [_improved(_placed(table, folds, rng), table, folds) for _ in range(STARTS)]
    best = min(found, key=lambda fold: _imbalance(fold, table, folds))
    return {patient: str(fold) for patient, fold in zip(patients, best.tolist(), strict=True)}


def fold_balance(recording_set: RecordingSet, fold_of_patient: Mapping[str, str]) -> FoldBalance:
    """Count what each fold holds, and say what is missing in it.

    Raises:
        FoldError: no patient of the set has a fold.
    """
    recordings = [item for item in recording_set.recordings if fold_of_patient.get(item.patient_id)]
    if not recordings:
        raise FoldError("no patient of the recording set has a fold → draw folds first")
    names = sorted({fold_of_patient[item.patient_id] for item in recordings}, key=natural)
    patients = list(dict.fromkeys(item.patient_id for item in recordings))
    table = _patient_table(recording_set, recordings, patients)
    fold = np.array([names.index(fold_of_patient[patient]) for patient in patients], dtype=np.int64)
    counts = tuple(_counts(recording_set, recordings, fold_of_patient, name) for name in names)
    shown = table[:, table.sum(0) > 0]
    return FoldBalance(counts, _imbalance(fold, shown, len(names)), tuple(_warnings(counts)))


def nested_splits(fold_of_patient: Mapping[str, str]) -> dict[str, Parts]:
    """Return for each fold the parts if it is the test: the next one is development, the rest is for training.

    Raises:
        FoldError: there are fewer than three folds.
    """
    names = sorted(set(fold_of_patient.values()), key=natural)
    if len(names) < 3:
        raise FoldError(
            f"{counted(len(names), 'fold')} → train, development and test parts need at least three"
        )
    splits = {}
    for test, development in zip(names, [*names[1:], names[0]], strict=True):
        parts: dict[str, list[str]] = {"train": [], "development": [], "test": []}
        for patient, fold in sorted(fold_of_patient.items()):
            parts["test" if fold == test else "development" if fold == development else "train"].append(
                patient
            )
        patients = {part: tuple(members) for part, members in parts.items()}
        splits[test] = Parts(**patients, source=f"test {test}, development {development}")
    return splits


def folds_fingerprint(fold_of_patient: Mapping[str, str]) -> str:
    """Return the SHA-256 of who is in which fold, independent of order; for the record of a search."""
    text = json.dumps(sorted(fold_of_patient.items()), ensure_ascii=False)
    return hashlib.sha256(text.encode("utf-8")).hexdigest()


def protected_notes(recording_set: RecordingSet, fold_of_patient: Mapping[str, str]) -> list[str]:
    """Return in sentences which patients of protected splits have no fold, or one that nothing is trained on."""
    notes = []
    splits = split_of_patients(recording_set.recordings)
    for name in PROTECTED:
        patients = [patient for patient, split in splits.items() if split == name]
        inside = sum(patient in fold_of_patient for patient in patients)
        if len(patients) > inside:
            left = counted(len(patients) - inside, "patient")
            notes.append(f"{left} of the split {name} got no fold → --split {name} draws folds among them")
        if inside:
            notes.append(
                f"{counted(inside, 'patient')} of the split {name} with a fold: searches and training never use "
                "them, whatever their fold"
            )
    return notes


def folds_of(recording_set: RecordingSet) -> dict[str, str]:
    """Return the folds that a recording set carries, by patient id; patients without one are left out.

    Raises:
        FoldError: a patient is in two folds.
    """
    found: dict[str, str] = {}
    for item in recording_set.recordings:
        if item.fold and found.setdefault(item.patient_id, item.fold) != item.fold:
            raise FoldError(
                f"recordings.csv: patient {item.patient_id!r} is in the folds {found[item.patient_id]!r} and "
                f"{item.fold!r} → put all recordings of a patient into one fold"
            )
    return found


def _patient_table(
    recording_set: RecordingSet, recordings: Sequence[Recording], patients: Sequence[str]
) -> Floats:
    """Return per patient the number of recordings with each feature, of each diagnosis, and of all."""
    place = {patient: i for i, patient in enumerate(patients)}
    patient_of = {item.video_id: place[item.patient_id] for item in recordings}
    column = {name: i for i, name in enumerate((*FEATURES, *DIAGNOSES))}
    table = np.zeros((len(patients), len(column) + 1))
    for item in recordings:
        table[place[item.patient_id], -1] += 1
        if item.diagnosis:
            table[place[item.patient_id], column[item.diagnosis]] += 1
    for annotation in recording_set.annotations:
        if annotation.present == "yes" and annotation.video_id in patient_of:
            table[patient_of[annotation.video_id], column[annotation.feature]] += 1
    return table


def _placed(table: Floats, folds: int, rng: np.random.Generator) -> Codes:
    """Put patients, the heaviest first, each where it adds least imbalance; empty folds are filled first."""
    target = table.sum(0) / folds
    weight = 1 / target
    heaviness = (table**2 * weight).sum(1) * np.exp(rng.normal(0, _JITTER, len(table)))
    sums, fold = np.zeros((folds, table.shape[1])), np.zeros(len(table), dtype=np.int64)
    order = np.argsort(-heaviness, kind="stable")
    for rank, patient in enumerate(order):
        added = _added(sums, table[patient], target, weight)
        left = len(order) - rank
        empty = sums[:, -1] == 0
        if empty.sum() >= left:
            added = np.where(empty, added, np.inf)
        fold[patient] = int(np.argmin(added))
        sums[fold[patient]] += table[patient]
    return fold


def _improved(fold: Codes, table: Floats, folds: int) -> Codes:
    """Move single patients to other folds as long as that lowers the imbalance and empties no fold."""
    target = table.sum(0) / folds
    weight = 1 / target
    sums = _fold_sums(fold, table, folds)
    sizes = np.bincount(fold, minlength=folds)
    moved = True
    while moved:
        moved = False
        for patient in range(len(table)):
            here = fold[patient]
            if sizes[here] == 1:
                continue
            without = sums[here] - table[patient]
            freed = _added(without[None], table[patient], target, weight)[0]
            added = _added(sums, table[patient], target, weight)
            added[here] = np.inf
            there = int(np.argmin(added))
            if added[there] < freed - 1e-9:
                sums[here], sums[there] = without, sums[there] + table[patient]
                sizes[here], sizes[there] = sizes[here] - 1, sizes[there] + 1
                fold[patient], moved = there, True
    return fold


def _added(sums: Floats, patient: Floats, target: Floats, weight: Floats) -> Floats:
    """Return how much imbalance a patient adds to each fold."""
    return np.asarray((((sums + patient - target) ** 2 - (sums - target) ** 2) * weight).sum(1))


def _fold_sums(fold: Codes, table: Floats, folds: int) -> Floats:
    sums = np.zeros((folds, table.shape[1]))
    np.add.at(sums, fold, table)
    return sums


def _imbalance(fold: Codes, table: Floats, folds: int) -> float:
    target = table.sum(0) / folds
    return float(((_fold_sums(fold, table, folds) - target) ** 2 / target).sum())


def _counts(
    recording_set: RecordingSet, recordings: Sequence[Recording], fold_of: Mapping[str, str], name: str
) -> FoldCounts:
    inside = [item for item in recordings if fold_of[item.patient_id] == name]
    videos = {item.video_id for item in inside}
    marked = Counter(
        (item.feature, item.present) for item in recording_set.annotations if item.video_id in videos
    )
    diagnoses = {name: sum(item.diagnosis == name for item in inside) for name in DIAGNOSES}
    positives, negatives = ({each: marked[each, value] for each in FEATURES} for value in ("yes", "no"))
    patients = len({item.patient_id for item in inside})
    return FoldCounts(name, patients, len(inside), diagnoses, positives, negatives)


def _warnings(counts: Sequence[FoldCounts]) -> list[str]:
    warnings = []
    for feature in FEATURES:
        positives = {each.fold: each.positives[feature] for each in counts}
        negatives = {each.fold: each.negatives[feature] for each in counts}
        if not any(positives.values()) and not any(negatives.values()):
            continue
        for values, what in ((positives, "with"), (negatives, "without")):
            empty = [fold for fold, count in values.items() if not count]
            if len(empty) == len(values):
                warnings.append(
                    f"{feature}: no recording {what} the feature in any fold; its F1 says nothing"
                )
            elif empty:
                warnings.append(f"{feature}: no recording {what} the feature in fold {', '.join(empty)}")
    for diagnosis in DIAGNOSES:
        known = {each.fold: each.diagnoses[diagnosis] for each in counts}
        empty = [fold for fold, count in known.items() if not count]
        if empty and any(sum(each.diagnoses.values()) for each in counts):
            warnings.append(f"no {diagnosis} recording in fold {', '.join(empty)}")
    return warnings


def natural(name: str) -> tuple[int, str]:
    """Return what sorts names of folds: numbers by value, before words."""
    return (int(name), name) if name.isdigit() else (10**9, name)
