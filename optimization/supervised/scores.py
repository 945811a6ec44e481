"""From P(yes) of windows to answers on recordings, by three poolings, and what these answers score."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, get_args

import numpy as np
import pandas as pd

from semiology.backends.supervised.trained_folder import Training
from semiology.metrics.arrays import Codes, Floats
from semiology.metrics.scores.discrimination import probability_scores
from semiology.metrics.scores.operating_points import best_threshold
from semiology.metrics.scores.probability import Pooling, recording_probabilities
from semiology.metrics.scores.run_scores import score_run
from semiology.optimization.supervised.cases import Cases
from semiology.render.table import Column, Document, Row, Table
from semiology.reports.read.run_facts import SIMULATED_CAVEAT
from semiology.reports.tables.estimates import number_of

POOLINGS: tuple[Pooling, ...] = get_args(Pooling)


def best_thresholds(
    cases: Cases, columns: Sequence[int], inner: Codes, found: Floats
) -> dict[str, dict[str, float]]:
    """Return the thresholds by feature and pooling with the highest F1 on the inner patients' recordings.

    One half where no inner recording has the feature. The truth of a recording is that of its windows together, so
    that shuffled labels stay shuffled.

    Args:
        inner: places of the inner windows. found: P(yes), shape (inner windows, columns).
    """
    thresholds: dict[str, dict[str, float]] = {}
    for number, column in enumerate(columns):
        name = cases.features[column]
        rows = pd.DataFrame(
            {
                "video_id": [cases.windows[place].video_id for place in inner],
                "feature": name,
                "segment": [cases.windows[place].segment.index for place in inner],
                "p_yes": found[:, number],
                "label": cases.labels[inner, column],
            }
        ).dropna(subset=["label"])
        rows = rows.groupby(["video_id", "feature", "segment"], sort=False, as_index=False).max()
        truth = rows.groupby("video_id", sort=True)["label"].max() == 1
        thresholds[name] = {
            pooling: _threshold(rows, np.asarray(truth, dtype=bool), pooling) for pooling in POOLINGS
        }
    return thresholds


def _threshold(rows: pd.DataFrame, truth: Any, pooling: Pooling) -> float:
    if rows.empty:
        return 0.5
    pooled = recording_probabilities(rows, ["video_id"], pooling)["p_yes"]
    return round(best_threshold(truth, np.asarray(pooled, np.float64)), 6)


def pooled_answers(training: Training, predicted: pd.DataFrame) -> pd.DataFrame:
    """Return the answers on recordings: columns pooling, video_id, patient_id, feature, fold, p_yes, answer, truth."""
    keys = ["video_id", "patient_id", "feature", "fold", "truth"]
    threshold = {
        (unit.fold, name, pooling): value
        for unit in training.units
        for name, by_pooling in unit.thresholds.items()
        for pooling, value in by_pooling.items()
    }
    found = []
    for pooling in POOLINGS:
        rows = pd.concat(
            recording_probabilities(own, [key for key in keys if key != "feature"], pooling).assign(
                feature=name
            )
            for name, own in predicted.groupby("feature", sort=False)
        )
        cut = [
            threshold[fold, name, pooling] for fold, name in zip(rows["fold"], rows["feature"], strict=True)
        ]
        answer = np.where(rows["p_yes"] > np.asarray(cut), "yes", "no")
        found.append(rows.assign(pooling=pooling, answer=answer))
    return pd.concat(found, ignore_index=True)[["pooling", *keys, "p_yes", "answer"]]


COLUMNS = (
    Column("feature"),
    Column("pooling"),
    Column("F1 [95 %]"),
    Column("always-yes"),
    Column("beside always-yes"),
    Column("precision", rank=2),
    Column("recall", rank=2),
    Column("bal. acc.", rank=1),
    Column("AUROC [95 %]"),
    Column("recordings", rank=2),
    Column("with feature", rank=1),
    Column("patients", rank=2),
)


def score_document(training: Training, answers: pd.DataFrame) -> Document:
    """Return the table of out-of-fold scores, a row for each feature and pooling."""
    rows = []
    runs = {
        pooling: {each.feature: each for each in score_run(own, training.features).features}
        for pooling, own in answers.groupby("pooling", sort=False)
    }
    for name in training.features:
        for pooling in POOLINGS:
            scores = runs[pooling].get(name)
            if scores is None:
                continue
            own = answers[(answers["pooling"] == pooling) & (answers["feature"] == name)]
            ranked = probability_scores(
                (own["truth"] == "yes").to_numpy(dtype=bool),
                own["p_yes"].to_numpy(dtype=np.float64),
                own["patient_id"].tolist(),
            )
            told = scores.against_always_yes["f1"]
            p = scores.p_always_yes["f1"]
            rows.append(
                Row(
                    (
                        name,
                        pooling,
                        number_of(scores.estimates["f1"]),
                        scores.always_yes_f1,
                        told if np.isnan(p) else f"{told} (p = {p:.3g})",
                        scores.estimates["precision"].value,
                        scores.estimates["recall"].value,
                        scores.estimates["balanced_accuracy"].value,
                        number_of(ranked.auroc),
                        scores.n,
                        scores.n_positive,
                        scores.n_patients,
                    ),
                    ends=pooling == POOLINGS[-1],
                )
            )
    table = Table(
        "Scores of patients whom the answering network never saw", COLUMNS, tuple(rows), stem="scores"
    )
    return Document(
        f"{training.recipe.model} trained on {training.data}",
        (table,),
        tuple(_caveats(training)),
        (
            "pooling: how a recording's P(yes) follows from its segments; max is the any-yes rule of result files.",
            "Thresholds were chosen on inner patients of each fold's training part, or are one half (published).",
            "beside always-yes: F1 against answering yes to all; patient sign-flip test, adjusted for all features.",
            "A cross-validation is no held-out test: folds share training patients, and intervals do not show that.",
        ),
        training.notes,
    )


def _caveats(training: Training) -> list[str]:
    found = [SIMULATED_CAVEAT] if training.simulated else []
    if training.shuffled:
        found.append(
            "Control: the labels of training patients were dealt out at random; scores are those of no knowledge."
        )
    if training.weights.startswith("random"):
        found.append("The networks began with random weights.")
    return found
