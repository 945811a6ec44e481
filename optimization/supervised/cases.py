"""Who is trained on, who tells when to stop, who is answered for; and the label of every window.

Patients come through the plan of a run for the purpose ``develop``, so nobody of the splits test and confirm is here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from semiology.backends.supervised.frames import parts_of
from semiology.backends.supervised.recipe import Recipe
from semiology.data.recording_set import Annotation, RecordingSet
from semiology.data.windows.sliding import Segment
from semiology.features import AUDIO_FEATURES, FEATURES, FIRST_SEGMENT_ONLY
from semiology.metrics.arrays import Codes, Floats
from semiology.optimization.folds.draw import FoldError, draw_folds, folds_of, natural, protected_notes
from semiology.render.text import counted
from semiology.tasks.plan import Plan

INNER_PARTS = 4
"""One of so many parts of a fold's training patients tells when to stop, and chooses thresholds."""
ENOUGH_S = 1.0
"""A window shows a feature if it holds this much of the annotated time, s, or half of it."""


class CasesError(ValueError):
    """Nothing can be trained on these patients; the message says what is missing."""


@dataclass(frozen=True)
class Window:
    """A part of a segment of a recording: begin and end in s, and its number in the segment."""

    video_id: str
    patient_id: str
    segment: Segment
    part: int
    start_s: float
    end_s: float


@dataclass(frozen=True)
class Part:
    """The patients of one fold: to learn from, to tell when to stop, and to answer for."""

    fold: str
    fit: frozenset[str]
    inner: frozenset[str]
    held_out: frozenset[str]


@dataclass(frozen=True)
class Cases:
    """Everything that a training learns from and answers.

    Attributes:
        windows: parts of the segments of all usable recordings, in the set's order.
        features: those that can be learned.
        labels: shape (windows, features): 1, 0, or NaN where nobody knows.
        truths: "yes" or "no" by recording and feature.
        fold_of_patient: fold by patient.
        parts: by fold.
        notes: what was left out and why, in sentences.
    """

    windows: tuple[Window, ...]
    features: tuple[str, ...]
    labels: Floats
    truths: Mapping[tuple[str, str], str]
    fold_of_patient: Mapping[str, str]
    parts: tuple[Part, ...]
    notes: tuple[str, ...]

    def places(self, patients: frozenset[str], columns: Sequence[int] | None = None) -> Codes:
        """Return the places of the windows of some patients, of those alone that have a label in some columns."""
        labels = self.labels if columns is None else self.labels[:, list(columns)]
        known = set(np.flatnonzero(np.isfinite(labels).any(axis=1)).tolist())
        found = [
            place
            for place, each in enumerate(self.windows)
            if each.patient_id in patients and (columns is None or place in known)
        ]
        return np.asarray(found, np.int64)


def make_cases(
    plan: Plan, features: Sequence[str], recipe: Recipe, *, folds: int | None, seed: int, least: int
) -> Cases:
    """Return windows, labels and folds.

    Args:
        plan: of a run for the purpose ``develop``.
        features: those that were asked for.
        recipe: decides whether windows take their labels from annotated times.
        folds: how many to draw (3), where the set has none.
        seed: of folds that are drawn, and of the inner parts.
        least: patients with and without a feature that it takes to learn it.

    Raises:
        FoldError: a patient is in two folds, or folds do not fit.
        CasesError: no feature can be learned.
    """
    heard = [name for name in features if name in AUDIO_FEATURES]
    notes = [f"{name}: heard, not seen; these networks see pictures alone → left out" for name in heard]
    fold_of, told = _folds(plan.recording_set, folds, seed)
    recordings = [each for each in plan.recordings.values() if each.recording.patient_id in fold_of]
    windows = tuple(
        Window(each.recording.video_id, each.recording.patient_id, segment, part, start, end)
        for each in recordings
        for segment in each.segments
        for part, (start, end) in enumerate(parts_of(segment.start_s, segment.end_s, recipe))
    )
    used = {each.patient_id for each in windows}
    fold_of = {patient: fold for patient, fold in fold_of.items() if patient in used}
    parts = tuple(_parts(plan.recording_set, fold_of, seed))
    seen = [name for name in features if name not in AUDIO_FEATURES]
    truths = {(v, name): found for name in seen for v, found in plan.truths(name).items() if found != "na"}
    kept = []
    for name in seen:
        if reason := _not_learnable(name, windows, truths, parts, least):
            notes.append(f"{name}: {reason} → left out")
        else:
            kept.append(name)
    if not kept:
        raise CasesError("no feature can be learned:\n" + "\n".join(notes))
    notes += [f"{video} is left out: {reason}" for video, reason in sorted(plan.excluded.items())]
    handed = plan.handed_out.notes() if plan.handed_out else []
    labels = _labels(plan.recording_set, windows, kept, truths, recipe)
    return Cases(windows, tuple(kept), labels, truths, fold_of, parts, (*handed, *told, *notes))


def _folds(recording_set: RecordingSet, folds: int | None, seed: int) -> tuple[dict[str, str], list[str]]:
    """Return the folds of the set, or else drawn ones, and what must be said of them."""
    there = folds_of(recording_set)
    if not there:
        drawn = draw_folds(recording_set, folds or 3, seed=seed)
        return drawn, [f"{folds or 3} folds drawn with seed {seed}, as `semiology data folds` does"]
    names = sorted(set(there.values()), key=natural)
    if folds is not None and folds != len(names):
        raise FoldError(
            f"--folds {folds}: recordings.csv has {counted(len(names), 'fold')} ({', '.join(names)}) → leave --folds "
            "out, or draw others with `semiology data folds --replace`"
        )
    if len(names) < 2:
        raise FoldError(f"recordings.csv: all patients are in the fold {names[0]} → draw two folds or more")
    without = [patient for patient in recording_set.patients if patient not in there]
    notes = [f"{counted(len(names), 'fold')} of recordings.csv", *protected_notes(recording_set, there)]
    if without:
        notes.append(
            f"{counted(len(without), 'patient')} without a fold: neither learned from nor answered for"
        )
    return there, notes


def _parts(recording_set: RecordingSet, fold_of: Mapping[str, str], seed: int) -> list[Part]:
    """Return for each fold who is left out, and who of the others tells when to stop."""
    found = []
    for fold in sorted(set(fold_of.values()), key=natural):
        others = {patient for patient, own in fold_of.items() if own != fold}
        if len(others) < 2:
            raise CasesError(
                f"fold {fold}: {counted(len(others), 'patient')} to learn from → use more patients, or more folds"
            )
        inside = tuple(each for each in recording_set.recordings if each.patient_id in others)
        videos = {each.video_id for each in inside}
        narrow = replace(
            recording_set,
            recordings=inside,
            annotations=tuple(each for each in recording_set.annotations if each.video_id in videos),
        )
        inner_of = draw_folds(narrow, min(INNER_PARTS, len(others)), seed=seed)
        inner = frozenset(patient for patient, part in inner_of.items() if part == "0")
        held_out = frozenset(patient for patient, own in fold_of.items() if own == fold)
        found.append(Part(fold, frozenset(others) - inner, inner, held_out))
    return found


def _not_learnable(
    feature: str,
    windows: Sequence[Window],
    truths: Mapping[tuple[str, str], str],
    parts: Sequence[Part],
    least: int,
) -> str | None:
    """Return why a feature cannot be learned, or None."""
    by_truth: dict[str, set[str]] = {"yes": set(), "no": set()}
    for each in windows:
        truth = truths.get((each.video_id, feature))
        if truth is not None:
            by_truth[truth].add(each.patient_id)
    for truth, words in (("yes", "with"), ("no", "without")):
        number = len(by_truth[truth])
        if number < least:
            return (
                f"{counted(number, 'patient')} {words} it, fewer than {least}: P(yes) would say more about these "
                "people than about the feature (--least-patients)"
            )
        empty = [part.fold for part in parts if not by_truth[truth] & part.fit]
        if empty:
            return f"nobody {words} it to learn from where fold {', '.join(empty)} is left out"
    return None


def _labels(
    recording_set: RecordingSet,
    windows: Sequence[Window],
    features: Sequence[str],
    truths: Mapping[tuple[str, str], str],
    recipe: Recipe,
) -> Floats:
    labels = np.full((len(windows), len(features)), np.nan)
    for row, window in enumerate(windows):
        for column, name in enumerate(features):
            truth = truths.get((window.video_id, name))
            if truth is None or (name in FIRST_SEGMENT_ONLY and window.segment.index > 0):
                continue
            annotation = recording_set.annotation(window.video_id, name)
            shows = annotation is None or not recipe.annotated_times or _shows(window, annotation)
            labels[row, column] = float(truth == "yes" and shows)
    return labels


def _shows(window: Window, annotation: Annotation) -> bool:
    """Return whether a window holds enough of the annotated time; true where there is none."""
    if annotation.onset_s is None:
        return True
    offset = annotation.offset_s if annotation.offset_s is not None else float("inf")
    held = min(window.end_s, offset) - max(window.start_s, annotation.onset_s)
    return held > 0 and held >= min(ENOUGH_S, (offset - annotation.onset_s) / 2)


def shuffled(cases: Cases, part: Part, seed: int) -> Floats:
    """Return the labels with those of a fold's training recordings dealt out among them at random.

    Whole recordings change their answers, so every feature keeps its share; windows take the recording's.
    """
    rng = np.random.default_rng([seed, int.from_bytes(part.fold.encode(), "big") % 2**32])
    patients = part.fit | part.inner
    videos = list(dict.fromkeys(each.video_id for each in cases.windows if each.patient_id in patients))
    giver = dict(zip(videos, rng.permutation(np.asarray(videos, dtype=object)).tolist(), strict=True))
    labels = cases.labels.copy()
    for row, window in enumerate(cases.windows):
        for column, name in enumerate(cases.features):
            if window.video_id in giver and not np.isnan(labels[row, column]):
                truth = cases.truths.get((giver[window.video_id], name))
                labels[row, column] = np.nan if truth is None else float(truth == "yes")
    return labels


def wanted_features(text: str) -> tuple[str, ...]:
    """Return the features that a list of features and groups names, in the usual order.

    Raises:
        ValueError: a name is unknown, or there is none.
    """
    from semiology.reports.compare.commands import feature_names

    found = feature_names(text)
    if not found:
        raise ValueError(f"--features {text}: names no feature → give one of {', '.join(FEATURES)}")
    return found
