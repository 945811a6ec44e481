"""S3 Table 2, "2-stages": fitted again on the published answers, since no fitted classifier was released.

The paper's forest, its seed and its vectors are not published. Here the published answers of each model on
the features are the vectors, the published five folds the parts, and
`semiology.metrics.s3.two_stage` the classifier. The test split is fold 0: its diagnoses come from a forest
fitted on folds 1 to 4, as in the paper; all recordings together are diagnosed out of fold.
"""

from __future__ import annotations

from collections.abc import Iterator

import pandas as pd

from semiology.features import VISUAL_FEATURES
from semiology.metrics.published_rules import published_diagnosis_scores
from semiology.metrics.s3.categorical import DIAGNOSES
from semiology.reports.published.s3 import Cell, Scope, Tables

TWO_STAGE = "two_stage"
"""The item of these cells in the released table of metrics."""
METRICS = ("precision", "recall", "f1", "accuracy")


def two_stage_cells(tables: Tables) -> Iterator[Cell]:
    """Yield the four scores of each model that answered the visual features, on both scopes.

    Recordings without a diagnosis (clips called ``sample``) or without published answers are not counted.
    """
    videos = tables["videos"]
    truth = dict(zip(videos["video_id"], videos["diagnosis"], strict=True))
    tested = set(videos.loc[videos["test_patient"] == "1", "video_id"])
    for model, rows in tables["task1_video"].groupby("model"):
        found = _diagnoses(rows, videos)
        scopes: dict[Scope, list[str]] = {"whole": list(found), "test": [v for v in found if v in tested]}
        for scope, shown in scopes.items() if found else ():
            values = published_diagnosis_scores([truth[v] for v in shown], [found[v] for v in shown])
            for metric in METRICS:
                yield scope, "task7", str(model), TWO_STAGE, metric, values[metric]


def _diagnoses(rows: pd.DataFrame, videos: pd.DataFrame) -> dict[str, str]:
    """Return ES or NES by recording; nothing for a model that was not asked every visual feature."""
    from semiology.metrics.s3.two_stage import feature_vectors, two_stage_diagnoses

    answers = rows.drop(columns="model").melt("video_id", var_name="feature", value_name="answer")
    answers = answers[answers["answer"] != ""]
    if not set(VISUAL_FEATURES) <= set(answers["feature"]):
        return {}
    known = videos[videos["diagnosis"].isin(DIAGNOSES)]
    diagnosis, patients, folds = (
        dict(zip(known["video_id"], known[name], strict=True)) for name in ("diagnosis", "patient_id", "fold")
    )
    folds = {video: fold for video, fold in folds.items() if fold}
    return two_stage_diagnoses(feature_vectors(answers), diagnosis, patients, folds)
