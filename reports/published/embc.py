"""The published EMBC tables, computed again: Table IV from answers, Tables II and III from whole numbers.

Of the visual models only the metrics were published. Their consistency check asks whether whole-number
confusion counts exist that give all four printed metrics, when the positive and negative events are those of
the annotations; it is no repeat of the experiment.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from semiology.features import THREE_CLASSES
from semiology.metrics.paired.feature_counts import FeatureCount, count_features
from semiology.metrics.published_rules import published_s3_task1_scores
from semiology.metrics.scores.classification import BinaryCounts, accuracy, f1, precision, recall
from semiology.reports.published.answers import EMBC_MODEL
from semiology.reports.tables.feature_counts import count_sentence

TABLES = ("annotations", "af3_outputs", "published_tables")
METRICS = ("precision", "recall", "f1", "accuracy")
# Half a unit of the third decimal, as printed, with room for the last bit.
HALF_UNIT = 0.0005 + 1e-9
LABELS_DROPPED = frozenset({"close_eyes", "eye_blinking"})
"""Features whose events without a label were left out; elsewhere an empty label counted as absent."""
POSE_SETS = {"InternVL": "in_internvl_pose_set", "Qwen": "in_qwen_pose_set"}
"""Column of the annotations that tells which events the published pose-overlay scores of a model cover."""
CONDITIONS = {"none": "raw"}
"""Names of the conditions in ``af3_outputs`` where they differ from the enhancement in the tables."""


def embc_cells(tables: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Return one row per published cell with what is computed again.

    Columns: table, scope (``events``), task (the sheet's part: face, limb and body, audio), model, item
    (feature and enhancement), metric, published, recomputed (NaN where nothing can be), equal (to the third
    decimal, as printed), status as the release states it, and from (``answers`` or ``whole counts``).
    """
    rows = []
    keys = ["table", "feature", "model", "enhancement"]
    for (table, feature, model, enhancement), part in tables["published_tables"].groupby(keys, sort=False):
        if (part["status"] == "not_checkable").all():
            values: Mapping[str, float] = {}
            source = ""
        elif model == EMBC_MODEL:
            values, source = _from_answers(tables, str(feature), str(enhancement)), "answers"
        else:
            printed = dict(zip(part["metric"], part["value"].astype(float), strict=True))
            positive, negative = event_totals(
                tables["annotations"], str(feature), str(model), str(enhancement)
            )
            values, source = whole_count_scores(printed, positive, negative), "whole counts"
        for cell in part.itertuples():
            rows.append((table, model, f"{feature}, {enhancement}", cell.metric, float(str(cell.value)),
                         values.get(str(cell.metric), np.nan), cell.status, source))  # fmt: skip
    names = ["table", "model", "item", "metric", "published", "recomputed", "status", "from"]
    frame = pd.DataFrame(rows, columns=names)
    task = frame["table"].map({"II": "face", "III": "limb and body", "IV": "audio"})
    frame.insert(1, "scope", "events")
    frame.insert(2, "task", task)
    frame["equal"] = (frame["published"] - frame["recomputed"]).abs() <= HALF_UNIT
    return frame


CLASSIFIERS = ("CNN", "ViViT")
"""Models that the study trained on the features."""


def embc_counts(published: pd.DataFrame) -> dict[str, FeatureCount]:
    """Return the study's counts of features, from the F1 that its tables print, and the same counted more strictly.

    Keys: ``above_classifiers`` (the best F1 of any language model and input above that of the classifiers, "13 of
    18"), ``above_classifiers_plain`` (recordings as they are alone), ``improved`` (F1 of some model rises by some
    enhancement, "10 of 20"), ``improved_best`` (the best enhanced F1 above the best plain one), ``improved_each`` (each
    model by itself, its best enhancement against plain: model and feature pairs).

    Args:
        published: the released ``published_tables``.
    """
    f1 = published[published["metric"] == "f1"].astype({"value": float})
    trained = f1["model"].isin(CLASSIFIERS)
    classifiers = f1[trained].groupby("feature")["value"].max()
    plain, enhanced = (f1[~trained & ((f1["enhancement"] == "none") == own)] for own in (True, False))
    best, best_plain, best_enhanced = (
        rows.groupby("feature")["value"].max() for rows in (f1[~trained], plain, enhanced)
    )
    pairs = ["feature", "model"]
    change = enhanced.groupby(pairs)["value"].max() - plain.groupby(pairs)["value"].max()
    found = {
        "above_classifiers": best - classifiers,
        "above_classifiers_plain": best_plain - classifiers,
        "improved": change.groupby("feature").max(),
        "improved_best": best_enhanced - best_plain,
        "improved_each": change,
    }
    return {name: count_features(values.dropna().tolist()) for name, values in found.items()}


def embc_count_notes(published: pd.DataFrame) -> tuple[str, ...]:
    """Return the study's two counts of features beside stricter ones, a sentence each with its sign test."""
    found = embc_counts(published)
    above, improved = found["above_classifiers"], found["improved"]
    better = (
        f"features on which language models are better than CNN and ViViT: {above.better} of {above.features} by "
        "printed F1 (the paper: 13 of 18), which takes the best of two models with and without enhancement."
    )
    risen = (
        f"features that enhancement improves: {improved.better} of {improved.features} by printed F1 (the paper: 10 of "
        "20), where one of the models suffices; with two models that enhancement leaves as they are, three features in "
        "four would count."
    )
    by_patient = (
        "Answers by patient were released of the audio model alone: `semiology compare embc::enhancement=none "
        "embc::enhancement=transcript` tests its two features."
    )
    trained, plain = "the better classifier", "the better language model without enhancement"
    each = "F1, each model and feature by itself"
    return (
        better,
        count_sentence(above, "F1", "the best of those", trained),
        count_sentence(found["above_classifiers_plain"], "F1", plain, trained),
        risen,
        count_sentence(found["improved_best"], "F1", "the best with enhancement", "the best without"),
        count_sentence(found["improved_each"], each, "with enhancement", "without"),
        by_patient,
    )


def event_totals(annotations: pd.DataFrame, feature: str, model: str, enhancement: str) -> tuple[int, int]:
    """Return how many events of a published table show a feature and how many do not.

    The release's rules: pose-overlay rows cover a subset per model; empty labels are left out for
    `LABELS_DROPPED` and count as absent elsewhere.
    """
    rows = annotations
    column = next((name for start, name in POSE_SETS.items() if model.startswith(start)), None)
    if enhancement == "pose" and column is not None:
        rows = rows[rows[column] == "1"]
    labels = rows[feature]
    if feature in LABELS_DROPPED:
        labels = labels[labels != ""]
    positive = int((labels == "1").sum())
    return positive, len(labels) - positive


def whole_count_scores(printed: Mapping[str, float], positive: int, negative: int) -> dict[str, float]:
    """Return the metrics of the confusion counts that fit most of the printed ones (then: come closest).

    Every number of true positives from 0 to ``positive`` and of false positives from 0 to ``negative`` is
    tried; an undefined ratio is 0, as published.
    """
    tp, fp = (grid.ravel().astype(np.float64) for grid in np.mgrid[0 : positive + 1, 0 : negative + 1])
    counts = BinaryCounts(tp=tp, fp=fp, fn=positive - tp, tn=negative - fp)
    measures = {"precision": precision, "recall": recall, "f1": f1, "accuracy": accuracy}
    values = {name: np.nan_to_num(measures[name](counts)) for name in printed}
    errors = np.array([np.abs(values[name] - value) for name, value in printed.items()])
    fitting = (errors <= HALF_UNIT).sum(0)
    # The largest misfit is left out, so that one misprint does not move the counts.
    rest = errors.sum(0) - errors.max(0)
    best = np.lexsort((rest, -fitting))[0]
    return {name: float(value[best]) for name, value in values.items()}


def _from_answers(tables: Mapping[str, pd.DataFrame], feature: str, enhancement: str) -> dict[str, float]:
    labels = tables["annotations"].set_index("event_id")[feature].map({"1": "yes", "0": "no", "": ""})
    answers = tables["af3_outputs"]
    condition = CONDITIONS.get(enhancement, enhancement)
    part = answers[(answers["feature"] == feature) & (answers["condition"] == condition)]
    return published_s3_task1_scores(
        part["event_id"].map(labels).tolist(),
        part["answer"].tolist(),
        three_classes=feature in THREE_CLASSES,
    )
