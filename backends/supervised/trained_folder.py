"""The folder of a training: what was trained on whom, which network answers for whom, and from which P(yes) on."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from semiology.backends.supervised.recipe import Recipe
from semiology.data.cache import write_whole

FILE = "training.json"


class TrainedFolderError(ValueError):
    """A folder is not that of a training, or of another one; the message says what to do."""


@dataclass(frozen=True)
class Unit:
    """One trained network: of a fold, for some features.

    Attributes:
        fold: the fold whose patients it never saw.
        features: of its outputs, in their order.
        checkpoint: file name.
        thresholds: by feature and pooling (max, mean, noisy_or); "yes" is above.
        best_epoch, epochs: which epoch was kept, and of how many.
        inner_loss: its loss on the inner patients.
        fit_patients, inner_patients: how many it learned from, and how many told when to stop and chose thresholds.
    """

    fold: str
    features: tuple[str, ...]
    checkpoint: str
    thresholds: Mapping[str, Mapping[str, float]]
    best_epoch: int
    epochs: int
    inner_loss: float
    fit_patients: int
    inner_patients: int


@dataclass(frozen=True)
class Training:
    """What `training.json` says.

    Attributes:
        data, simulated: name of the recording set, and whether it is.
        features: those that were learned.
        fold_of_patient: fold by patient id, of everybody whose recordings were used.
        patient_of_film: patient id by SHA-256 of the film.
        weights: where the first weights came from, in words.
        shuffled: whether labels were dealt out at random, as a control.
        identity: changes with everything that decides the weights.
        notes: what was left out and why.
        units: networks that are ready.
    """

    data: str
    simulated: bool
    recipe: Recipe
    features: tuple[str, ...]
    fold_of_patient: Mapping[str, str]
    patient_of_film: Mapping[str, str]
    weights: str
    shuffled: bool
    identity: str
    notes: tuple[str, ...] = ()
    units: tuple[Unit, ...] = field(default=())

    def unit_of(self, fold: str, feature: str) -> Unit | None:
        """Return the network of a fold that answers for a feature; None while there is none."""
        return next((each for each in self.units if each.fold == fold and feature in each.features), None)

    def units_for(self, patient_id: str, film: str, feature: str) -> tuple[Unit, ...]:
        """Return the networks that may answer for a patient: never one that learned from the patient or the film.

        For somebody whom no network saw these are all of them; their mean answers.
        """
        folds = {
            self.fold_of_patient[each]
            for each in (patient_id, self.patient_of_film.get(film, ""))
            if each in self.fold_of_patient
        }
        if len(folds) > 1:
            return ()
        return tuple(
            each for each in self.units if feature in each.features and (not folds or each.fold in folds)
        )


def write_training(training: Training, folder: Path) -> None:
    """Write `training.json`, whole or not at all."""
    told = {**asdict(training), "recipe": training.recipe.as_dict()}
    write_whole(folder / FILE, json.dumps(told, indent=2, ensure_ascii=False) + "\n", private=True)


def read_training(folder: Path) -> Training:
    """Read `training.json`.

    Raises:
        TrainedFolderError: it is not there, or cannot be understood.
    """
    path = folder / FILE
    try:
        told: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        units = tuple(Unit(**{**each, "features": tuple(each["features"])}) for each in told.pop("units"))
        recipe = Recipe(**told.pop("recipe"))
        told |= {name: tuple(told[name]) for name in ("features", "notes")}
        return Training(**{**told, "recipe": recipe, "units": units})
    except FileNotFoundError:
        raise TrainedFolderError(
            f"{folder}: holds no {FILE} → give the folder that `semiology train --out` wrote"
        ) from None
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise TrainedFolderError(f"{path}: cannot be understood ({error}) → train again") from None
