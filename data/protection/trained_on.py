"""Whom a model was trained on: the manifest that training data carry, and its patients kept from being scored.

A score on patients that a model was trained on says nothing. `semiology export` writes a manifest beside the samples,
training copies it into the checkpoint's folder, and whoever scores that model leaves these patients out, or is refused.
Patients are named by marks that leave the machine safely; a film that was trained on under another id is known by its
content.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from semiology.data.cache import cache_directory, content_digest
from semiology.data.protection.ledger import patient_mark
from semiology.data.protection.splits import HandedOut
from semiology.data.recording_set import Recording
from semiology.data.tables.alike_names import name_key
from semiology.render.text import counted

MANIFEST = "training_manifest.json"
"""Name of the file beside exported samples, and in the folder of a checkpoint that was trained on them."""
FORM = "semiology-training-manifest-1"


class TrainedOnError(ValueError):
    """A manifest cannot be used, or a model would be scored on its training patients."""


@dataclass(frozen=True)
class TrainedOn:
    """Whom a model was trained on.

    Attributes:
        path: the manifest. recording_set: name and version of the set. fold: the fold that was left out, if any.
        patients: their marks (`semiology.data.protection.ledger.patient_mark`). films: SHA-256 of their films.
        forms: by patient's mark, that of the id without what differs in form alone; empty in manifests that lack it.
        shared: films of more than one patient. distinct: the user said that patients who look alike are not one.
    """

    path: Path
    recording_set: str
    fold: str | None
    patients: frozenset[str]
    films: frozenset[str]
    forms: Mapping[str, str] = field(default_factory=dict)
    shared: int = 0
    distinct: bool = False

    @property
    def doubts(self) -> list[str]:
        """What makes two training patients look like one, in sentences."""
        alike = len(self.forms) - len(set(self.forms.values()))
        told = [f"{counted(alike, 'patient')} written like another: are they one person?"] if alike else []
        return [*told, f"{counted(self.shared, 'film')} of two patients"] if self.shared else told

    def patients_of(self, patients: Iterable[str]) -> set[str]:
        """Return which of some patient ids are training patients, also in another form (``7`` for ``007``).

        In another form they are not where the user said that look-alike ids are different people.
        """
        forms = frozenset() if self.distinct else frozenset(self.forms.values())
        return {
            patient
            for patient in patients
            if patient_mark(patient) in self.patients or form_mark(patient) in forms
        }

    def recordings_of(self, recordings: Sequence[Recording]) -> frozenset[str]:
        """Return the video ids of those recordings whose patient, or film, was trained on.

        A film that was trained on makes its patient a training patient, under whatever id. Films are read once.
        """
        found = self.patients_of(each.patient_id for each in recordings)
        cache = cache_directory()
        for each in recordings:
            known = each.patient_id in found or not each.video.is_file()
            if not known and content_digest(each.video, cache) in self.films:
                found.add(each.patient_id)
        return frozenset(each.video_id for each in recordings if each.patient_id in found)


def read_manifest(path: Path) -> TrainedOn:
    """Read a manifest: the file, or the folder that holds it.

    Raises:
        TrainedOnError: it is none; nothing is then known of whom the model was trained on.
    """
    file = path / MANIFEST if path.is_dir() else path
    try:
        told = json.loads(file.read_text(encoding="utf-8"))
        if told["form"] != FORM:
            raise ValueError(f"its form is {told['form']!r}, not {FORM!r}")
        return TrainedOn(
            file,
            str(told["recording_set"]),
            told["fold_left_out"],
            frozenset(map(str, told["patients"])),
            frozenset(str(each["sha256"]) for each in told["films"]),
            {str(name): str(form) for name, form in told.get("forms", {}).items()},
            _of_two_patients(told["films"]),
            told.get("distinct_patients", False) is True,
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise TrainedOnError(
            f"{file}: is no manifest of training data ({error}) → name the {MANIFEST} that `semiology export` wrote"
        ) from None


def form_mark(patient: str) -> str:
    """Return what stands for all ids that differ from a patient's in form alone."""
    return patient_mark(name_key(patient))


def _of_two_patients(films: Iterable[Mapping[str, Any]]) -> int:
    owners: dict[str, set[str]] = {}
    for film in films:
        owners.setdefault(str(film["sha256"]), set()).add(str(film.get("patient")))
    return sum(len(each) > 1 for each in owners.values())


def without_trained(handed: HandedOut, manifest: TrainedOn) -> HandedOut:
    """Return what was handed out without the recordings of training patients.

    Raises:
        TrainedOnError: nothing is left.
    """
    trained = manifest.recordings_of(handed.recordings)
    kept = tuple(each for each in handed.recordings if each.video_id not in trained)
    if trained and not kept:
        raise TrainedOnError(
            f"{manifest.path}: the model was trained on the patients of all {counted(len(trained), 'recording')} "
            "that would be asked about → ask about others (--split test), or train without a fold"
        )
    return replace(handed, recordings=kept, trained_on=len(trained))


def manifest_of_checkpoint(folder: Any) -> Path | None:
    """Return the manifest in a checkpoint's folder, None where there is none."""
    file = Path(str(folder)) / MANIFEST
    return file if file.is_file() else None


def refuse_trained(manifest: Path, trained: Iterable[str], what: str) -> None:
    """Refuse to score a model on patients that it was trained on.

    Args:
        manifest: the file. trained: training patients among those that would be scored. what: that would do so.

    Raises:
        TrainedOnError: says how many, and what to do.
    """
    if found := set(trained):
        raise TrainedOnError(
            f"{what} is about {counted(len(found), 'patient')} that the model was trained on ({manifest}) → leave them "
            f"out: semiology run … --trained-on {manifest}"
        )
