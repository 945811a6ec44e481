"""``semiology train``: every fold in turn, then result files like those of any model, and a table of scores."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from semiology.backends.supervised.frames import window_pictures
from semiology.backends.supervised.learning import (
    Clips,
    Places,
    device_for,
    predict,
    train_network,
    trained_network,
)
from semiology.backends.supervised.networks import backbone_of, build, find_weights, start_from
from semiology.backends.supervised.recipe import Recipe
from semiology.backends.supervised.trained_folder import FILE, Training, Unit, read_training, write_training
from semiology.data.cache import cache_directory, content_digest, write_whole
from semiology.data.media.streaming import Pictures
from semiology.data.owned_folder import owned_folder
from semiology.data.protection.splits import DEVELOP
from semiology.data.same_patient import refuse_doubtful_patients
from semiology.metrics.arrays import Floats
from semiology.optimization.supervised.cases import Cases, Part, make_cases, shuffled, wanted_features
from semiology.optimization.supervised.options import TrainOptions
from semiology.optimization.supervised.scores import best_thresholds
from semiology.render.progress import RunProgress
from semiology.render.table import csv_of
from semiology.render.text import counted
from semiology.settings import PROMPT, processes
from semiology.tasks.plan import Plan, current_plan
from semiology.tasks.settings import WINDOWS, Settings

PREDICTIONS = "predictions.csv"
Tell = Callable[[str], None]


class TrainError(ValueError):
    """A training cannot start; the message says what to change."""


@dataclass(frozen=True)
class Job:
    """One network that is to be trained: a fold, and the columns of its features in the labels."""

    part: Part
    columns: tuple[int, ...]
    features: tuple[str, ...]
    name: str


def train(options: TrainOptions, tell: Tell) -> tuple[Training, Cases, pd.DataFrame]:
    """Train every network that is not ready yet, and predict for the patients that each never saw.

    Args:
        tell: hears sentences on what is done and left out.

    Returns:
        What was trained, on what, and P(yes) of every window by a network that never saw its patient (`predictions`).

    Raises:
        ValueError: patients, folds, features, weights or the folder do not fit; nothing was trained.
        TrainingError: a training stopped; what was trained is kept, and the same command goes on.
    """
    if processes() > 1:
        raise TrainError("training runs in one process → start it without torchrun or accelerate launch")
    refuse_doubtful_patients(options.data, distinct=options.distinct_patients)
    window = options.window or "standard"
    if window not in WINDOWS:
        raise TrainError(f"--window {window}: unknown → use one of {', '.join(WINDOWS)}")
    settings = Settings(options.data.resolve(), cache_directory(), PROMPT.text(), window, DEVELOP)
    plan = current_plan(settings)
    recipe, weights = options.recipe(), None
    if options.weights is not None:
        weights = find_weights(options.weights, download=options.allow_download)
        recipe = replace(recipe, backbone=backbone_of(weights, recipe))
    cases = make_cases(
        plan, wanted_features(options.features), recipe, folds=options.folds, seed=options.seed,
        least=options.least_patients,
    )  # fmt: skip
    device = device_for(options.device, recipe.precision)
    if weights is not None:  # refused before anything takes long
        start_from(build(recipe, 1), weights, recipe)
    with owned_folder(options.out):
        training = _begun(options, plan, cases, recipe, weights)
        for sentence in _introduction(training, cases, str(device.device)):
            tell(sentence)
        cases, pictures = _pictures(plan, cases, recipe, tell)
        training = _train_all(training, cases, pictures, options, weights, device)
        predicted = predictions(training, cases, pictures, options.out, device)
        rows = [dict(zip(predicted.columns, row, strict=True)) for row in predicted.itertuples(index=False)]
        write_whole(options.out / PREDICTIONS, csv_of(rows), private=True)
    return training, cases, predicted


def _introduction(training: Training, cases: Cases, device: str) -> Iterator[str]:
    yield f"{training.recipe.model} on {device}; weights: {training.weights}"
    yield f"features: {', '.join(training.features)}"
    patients = counted(len(cases.fold_of_patient), "patient")
    yield f"{patients}, {counted(len(cases.windows), 'window')}, {counted(len(cases.parts), 'fold')}"
    if training.shuffled:
        yield "control: labels of training patients are dealt out at random"
    yield from cases.notes


def _begun(options: TrainOptions, plan: Plan, cases: Cases, recipe: Recipe, weights: Path | None) -> Training:
    """Return the training of the folder, or a new one.

    Raises:
        TrainError: the folder holds a training of other settings, patients or labels.
    """
    cache = cache_directory()
    film_of = {
        content_digest(each.recording.video, cache): each.recording.patient_id
        for each in plan.recordings.values()
        if each.recording.patient_id in cases.fold_of_patient
    }
    origin = "random, none were given"
    if weights is not None:
        origin = f"{weights.name} ({content_digest(weights, cache)[:12]})"
    told = {
        "recipe": recipe.as_dict(),
        "features": cases.features,
        "folds": sorted(cases.fold_of_patient.items()),
        "inner": [sorted(part.inner) for part in cases.parts],
        "windows": [(each.video_id, each.start_s, each.end_s) for each in cases.windows],
        "labels": np.nan_to_num(cases.labels, nan=-1).tolist(),
        "films": sorted(film_of),
        "weights": origin,
        "shuffled": options.shuffle_labels,
    }
    identity = hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()
    name = f"{plan.recording_set.name} {plan.recording_set.version}".strip()
    simulated = plan.recording_set.metadata.get("simulated") is True
    fresh = Training(
        name, simulated, recipe, cases.features, dict(cases.fold_of_patient), film_of, origin,
        options.shuffle_labels, identity, cases.notes,
    )  # fmt: skip
    if (options.out / FILE).exists():
        found = read_training(options.out)
        if found.identity != identity:
            raise TrainError(
                f"{options.out}: holds a training of other settings, patients, films or labels → give another --out, "
                "or delete the folder"
            )
        return found
    write_training(fresh, options.out)
    return fresh


def _pictures(plan: Plan, cases: Cases, recipe: Recipe, tell: Tell) -> tuple[Cases, list[Pictures]]:
    """Return the pictures of every window; those that cannot be read are told, and lose their labels."""
    by_video: dict[str, list[int]] = {}
    for place, window in enumerate(cases.windows):
        by_video.setdefault(window.video_id, []).append(place)
    found: dict[int, Pictures] = {}
    labels = cases.labels.copy()
    with RunProgress(len(by_video), title="reading films", noun="films") as progress:
        for video_id, places in by_video.items():
            windows = [(cases.windows[p].start_s, cases.windows[p].end_s) for p in places]
            pictures, faults = window_pictures(plan.recordings[video_id].recording.video, windows, recipe)
            for number, place in enumerate(places):
                found[place] = pictures[number]
                if number in faults:
                    labels[place] = np.nan
                    began = f"{cases.windows[place].start_s:.1f} s"
                    tell(f"{video_id}, the window at {began} is left out: {faults[number]}")
            progress.answered()
    return replace(cases, labels=labels), [found[place] for place in range(len(cases.windows))]


def jobs(cases: Cases, recipe: Recipe) -> list[Job]:
    """Return the networks to train: one for each fold, or for each fold and feature."""
    every = tuple(range(len(cases.features)))
    groups = [every] if recipe.together else [(column,) for column in every]
    found = []
    for part in cases.parts:
        for columns in groups:
            names = tuple(cases.features[column] for column in columns)
            place = cases.parts.index(part)
            name = f"fold_{place}" if recipe.together else f"fold_{place}-{names[0]}"
            found.append(Job(part, columns, names, name))
    return found


def _train_all(
    training: Training,
    cases: Cases,
    pictures: Sequence[Pictures],
    options: TrainOptions,
    weights: Path | None,
    device: Any,
) -> Training:
    """Train the networks that are not ready; each is entered as soon as it is."""
    recipe = training.recipe
    wanted = jobs(cases, recipe)
    sizes = {job.name: len(cases.places(job.part.fit, job.columns)) * recipe.epochs for job in wanted}

    def begin(network: Any) -> None:
        if weights is not None:
            start_from(network, weights, recipe)

    with RunProgress(sum(sizes.values()), title="training", noun="clips") as progress:
        for number, job in enumerate(wanted, start=1):
            if training.unit_of(job.part.fold, job.features[0]) is not None:
                progress.answered(sizes[job.name], from_journal=True)
                continue
            labels = shuffled(cases, job.part, recipe.seed) if training.shuffled else cases.labels
            clips = Clips(pictures, labels[:, list(job.columns)], recipe.neutral)
            fit, inner = (cases.places(each, job.columns) for each in (job.part.fit, job.part.inner))
            places = Places(
                options.out / f"{job.name}.safetensors",
                options.out / "unfinished" / f"{job.name}.safetensors",
                options.out / "logs" / job.name,
            )

            def seen(clips: int, words: str, at: str = f"network {number} of {len(wanted)}") -> None:
                progress.remark(", ".join(filter(None, (at, words))))
                progress.answered(clips)

            done = train_network(
                recipe, job.features, clips, fit, inner, places, device=device, begin=begin, seen=seen
            )
            network = trained_network(places.checkpoint, recipe, device)
            held = replace(cases, labels=labels)
            thresholds = best_thresholds(
                held, job.columns, inner, predict(network, clips, inner, recipe, device)
            )
            if not recipe.own_threshold:
                thresholds = {name: dict.fromkeys(found, 0.5) for name, found in thresholds.items()}
            unit = Unit(
                job.part.fold, job.features, places.checkpoint.name, thresholds, done.best, len(done.epochs),
                round(done.inner_loss, 5), len(job.part.fit), len(job.part.inner),
            )  # fmt: skip
            training = replace(training, units=(*training.units, unit))
            write_training(training, options.out)
            places.state.unlink(missing_ok=True)
    return training


def predictions(
    training: Training, cases: Cases, pictures: Sequence[Pictures], folder: Path, device: Any
) -> pd.DataFrame:
    """Return P(yes) of every segment and feature, the highest of its parts, by the network that left its patient out.

    Columns video_id, patient_id, feature, segment, start_s, end_s, truth, fold, p_yes; what cannot be read, or does
    not count (sleep after the first segment), is left out.
    """
    rows = []
    for job in jobs(cases, training.recipe):
        unit = training.unit_of(job.part.fold, job.features[0])
        if unit is None:
            continue
        clips = Clips(pictures, cases.labels[:, list(job.columns)])
        own = cases.places(job.part.held_out, job.columns)
        network = trained_network(folder / unit.checkpoint, training.recipe, device)
        found: Floats = predict(network, clips, own, training.recipe, device)
        for place, values in zip(own, found, strict=True):
            window = cases.windows[place]
            for column, name, value in zip(job.columns, job.features, values, strict=True):
                truth = cases.truths.get((window.video_id, name))
                if truth is None or np.isnan(cases.labels[place, column]):
                    continue
                segment = window.segment
                rows.append(
                    (
                        window.video_id, window.patient_id, name, segment.index, segment.start_s, segment.end_s,
                        truth, job.part.fold, round(float(value), 6),
                    )
                )  # fmt: skip
    columns = ["video_id", "patient_id", "feature", "segment", "start_s", "end_s", "truth", "fold", "p_yes"]
    parts = pd.DataFrame(rows, columns=columns)
    return parts.groupby(columns[:-1], sort=False)["p_yes"].max().reset_index()
