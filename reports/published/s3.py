"""The published S3 tables, computed again from published answers with the project's own metrics.

Works on any collection in the layout of the normalised S3 release, whichever models are in it. Every function
takes data frames of text cells and gives rows ``scope, task, model, item, metric, value``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd

from semiology.features import THREE_CLASSES, VISUAL_FEATURES
from semiology.metrics.coverage import refuse_duplicates
from semiology.metrics.published_rules import (
    published_diagnosis_scores,
    published_region_scores,
    published_s3_task1_scores,
    published_side_scores,
)
from semiology.metrics.s3.categorical import DIAGNOSES
from semiology.metrics.s3.onset_time import published_mae, published_seconds
from semiology.metrics.s3.sequence.measures import edit_distance, lcs_ratio, position_share, published_tokens
from semiology.metrics.s3.text.bleu_rouge import corpus_bleu, rouge
from semiology.metrics.s3.text.interpretation_score import published_interpretation_mean
from semiology.metrics.s3.text.seizure_rqi import ReportFindings, seizure_rqi

Scope = Literal["whole", "test"]
Cell = tuple[str, str, str, str, str, float]
Tables = Mapping[str, pd.DataFrame]

CELL_COLUMNS = ["scope", "task", "model", "item", "metric", "value"]
TRUTHS = ("annotations", "videos", "laterality", "task4_targets", "sequences", "reports")
ANSWERS = ("task1_video", "task2_scores", "task3", "task4", "task5", "task6", "task7")
# Half a unit of the second decimal, with room for the last bit.
HALF_UNIT = 0.005 + 1e-9
METRICS = ("precision", "recall", "f1", "accuracy")
TWO_STAGE = "two_stage"
"""Item of the cells of `two_stage_cells` in the released table of metrics."""
PAPER_METRIC_NAMES = {"bleu": "bleu_corpus", "bertscore_f1": "berts_f1"}
# Column of the released tables for each location of `semiology.metrics.s3.text.seizure_rqi`.
LOCATION_COLUMNS = {
    "head_turning": "loc_head_turning",
    "first_motor_laterality": "loc_first_motor_laterality",
    "asymmetric_posturing": "loc_asymmetric_posturing",
    "figure4": "loc_figure_4",
}


def read_s3_tables(folder: Path) -> dict[str, pd.DataFrame]:
    """Read the tables, every cell as text and empty cells as empty text.

    Raises:
        FileNotFoundError: a table is missing; the message names it.
    """
    tables = {}
    for part, names in (("ground_truth", TRUTHS), ("predictions", ANSWERS)):
        for name in names:
            path = folder / part / f"{name}.csv.gz"
            if not path.is_file():
                raise FileNotFoundError(f"{path} is missing → the folder needs {part}/{name}.csv.gz")
            tables[name] = pd.read_csv(path, dtype=str, keep_default_na=False)
    return tables


def s3_cells(
    tables: Tables, *, texts: bool = True, on_task: Callable[[str], None] | None = None
) -> pd.DataFrame:
    """Return every cell that can be recomputed, for both scopes.

    Args:
        tables: as of `read_s3_tables`.
        texts: also BLEU and ROUGE of the reports, which take most of the time and cannot be exact (see
            `task6_text_cells`).
        on_task: called with the name of each task before it is computed.

    Raises:
        ValueError: a model answers a recording twice.
    """
    makers = [task1_cells, task2_cells, task3_cells, task4_cells, task5_cells, task6_cells, task7_cells]
    if texts:
        makers.append(task6_text_cells)
    rows: list[Cell] = []
    for make in makers:
        if on_task is not None:
            on_task(make.__name__.removesuffix("_cells").replace("_", " "))
        rows += make(tables)
    return pd.DataFrame(rows, columns=CELL_COLUMNS)


def compare_cells(expected: pd.DataFrame, cells: pd.DataFrame) -> pd.DataFrame:
    """Put the published cells beside the recomputed ones.

    Args:
        expected: the released ``expected_metrics`` table: source, table, scope, task, model, item, metric,
        value.
        cells: as returned by `s3_cells`.

    Returns:
        One row per published cell: source, table, scope, task, model, item, metric, published, recomputed
        (NaN where nothing can be recomputed) and equal: they differ by at most half of the second decimal.
    """
    names = expected["metric"].where(
        ~(expected["task"] == "task6"), expected["metric"].replace(PAPER_METRIC_NAMES)
    )
    both = expected.assign(metric=names).merge(
        cells, on=CELL_COLUMNS[:-1], how="left", suffixes=("", "_recomputed"), validate="many_to_one"
    )
    both = both.rename(columns={"value": "published", "value_recomputed": "recomputed"})
    both["published"] = both["published"].astype(float)
    both["equal"] = (both["published"] - both["recomputed"]).abs() <= HALF_UNIT
    return both


def task1_cells(tables: Tables) -> Iterator[Cell]:
    """Presence of each feature per recording."""
    truth = tables["annotations"].set_index(["feature", "video_id"])["present"]
    for scope, model, rows in _by_model(tables, "task1_video"):
        refuse_duplicates(rows["video_id"])
        for feature in [name for name in rows.columns if name not in ("model", "video_id")]:
            true = truth[feature]
            known = rows[rows["video_id"].isin(true.index)]
            if not (known[feature] != "").any():
                continue
            values = published_s3_task1_scores(
                true.loc[known["video_id"]].tolist(),
                known[feature].tolist(),
                three_classes=feature in THREE_CLASSES,
            )
            for metric in METRICS:
                yield scope, "task1", model, feature, metric, values[metric]


def task2_cells(tables: Tables) -> Iterator[Cell]:
    """Mean interpretation score of each feature; the two scopes were judged in separate runs."""
    scores = tables["task2_scores"]
    features = [name for name in scores.columns if name not in ("model", "scope", "video_id")]
    for (model, scope), rows in scores.groupby(["model", "scope"]):
        for feature in features:
            given = rows[rows[feature] != ""]
            refuse_duplicates(given["video_id"])
            values = dict(zip(given["video_id"], given[feature].astype(float), strict=True))
            yield str(scope), "task2", str(model), feature, "score", published_interpretation_mean(values)


def task3_cells(tables: Tables) -> Iterator[Cell]:
    """Sides and onset region."""
    columns = {"head_turning": "head_turning_side", "arm_movement": "arm_movement_side"}
    truth = tables["laterality"].set_index("video_id")
    for scope, model, rows in _by_model(tables, "task3"):
        for item, part in rows.groupby("item"):
            refuse_duplicates(part["video_id"])
            known = part[part["video_id"].isin(truth.index)]
            true = truth.loc[known["video_id"], columns.get(str(item), str(item))].tolist()
            score = published_side_scores if item in columns else published_region_scores
            values = score(true, known["answer"].tolist())
            for metric in METRICS:
                yield scope, "task3", model, str(item), metric, values[metric]


def task4_cells(tables: Tables) -> Iterator[Cell]:
    """Mean absolute error of the onset of each visual feature, and of start and end of the seizure."""
    targets = tables["task4_targets"].astype({"target_s": float})
    for scope, model, rows in _by_model(tables, "task4"):
        both = rows.merge(targets, on=["video_id", "feature"])
        for feature, part in both.groupby("feature"):
            refuse_duplicates(part["video_id"])
            answers = [published_seconds(text) for text in part["timestamp"]]
            error = published_mae(part["target_s"].tolist(), answers)
            yield scope, "task4", model, str(feature), "mae_s", error


def task5_cells(tables: Tables) -> Iterator[Cell]:
    """Sequence scores; models whose name holds "omni" are compared with the audiovisual truth."""
    measures = {"edit_distance": edit_distance, "lcs_ratio": lcs_ratio, "temporal_f1": position_share}
    for scope, model, rows in _by_model(tables, "task5"):
        refuse_duplicates(rows["video_id"])
        truth = true_sequences(tables, model)
        pairs = [
            (published_tokens(text), truth[video])
            for video, text in zip(rows["video_id"], rows["sequence"], strict=True)
            if video in truth
        ]
        for metric, measure in measures.items():
            values = [measure(answer, true) for answer, true in pairs]
            yield scope, "task5", model, "", metric, float(np.mean(values)) if values else float("nan")


def task6_cells(tables: Tables) -> Iterator[Cell]:
    """Seizure-RQI from the components that a language model extracted."""
    truth = {row["video_id"]: released_findings(row) for row in tables["reports"].to_dict("records")}
    shown = _sequences(tables["sequences"], "audiovisual")
    for scope, model, rows in _by_model(tables, "task6"):
        refuse_duplicates(rows["video_id"])
        values = [
            seizure_rqi(released_findings(row), truth[row["video_id"]], shown.get(row["video_id"])).value
            for row in rows.to_dict("records")
            if row["video_id"] in truth
        ]
        yield scope, "task6", model, "", "rqi", float(np.mean(values)) if values else float("nan")


def task6_text_cells(tables: Tables) -> Iterator[Cell]:
    """BLEU and ROUGE of the reports; the released texts had names and places replaced after scoring."""
    truth = dict(zip(tables["reports"]["video_id"], tables["reports"]["report"], strict=True))
    tested = _test_recordings(tables)
    for model, rows in tables["task6"].groupby("model"):
        known = rows[rows["video_id"].isin(truth)]
        if known.empty:
            continue
        texts, references = known["report"].tolist(), [truth[video] for video in known["video_id"]]
        overlap = rouge(texts, references)
        in_test = known["video_id"].isin(tested).to_numpy(dtype=bool)
        for scope, kept in (("whole", np.ones(len(known), dtype=bool)), ("test", in_test)):
            if not kept.any():
                continue
            pairs = [(texts[i], references[i]) for i in np.flatnonzero(kept)]
            bleu = corpus_bleu([text for text, _ in pairs], [reference for _, reference in pairs])
            yield scope, "task6", str(model), "", "bleu_corpus", bleu
            yield scope, "task6", str(model), "", "rouge1_f1", float(overlap.rouge1[kept].mean())
            yield scope, "task6", str(model), "", "rougeL_f1", float(overlap.rouge_l[kept].mean())


def task7_cells(tables: Tables) -> Iterator[Cell]:
    """ES against NES with and without the report at hand."""
    truth = dict(zip(tables["videos"]["video_id"], tables["videos"]["diagnosis"], strict=True))
    for scope, model, rows in _by_model(tables, "task7"):
        refuse_duplicates(rows["video_id"])
        true = [truth.get(video, "") for video in rows["video_id"]]
        for item in ("with_report", "without_report"):
            values = published_diagnosis_scores(true, rows[item].tolist())
            for metric in METRICS:
                yield scope, "task7", model, item, metric, values[metric]


def released_findings(row: Mapping[Any, str]) -> ReportFindings:
    """Return the findings in one row of the released ``reports`` or ``task6`` table.

    Words are counted in the text: the released length of a clinical report is in characters, and that of each
    answer equals the count.
    """
    return ReportFindings(
        sections=[part for part in row["sections"].split("|") if part],
        features=[part for part in row["report_sequence"].split("|") if part],
        locations={name: row[column] for name, column in LOCATION_COLUMNS.items()},
        hazardous=row["has_safety_issues"] == "1",
        off_topic=row["includes_non_seizure"] == "1",
        words=len(row["report"].split()),
    )


def true_sequences(tables: Tables, model: str) -> dict[str, list[str]]:
    """Return the features by onset of each recording that a model is compared with."""
    return _sequences(tables["sequences"], "audiovisual" if "omni" in model.lower() else "visual")


def _sequences(frame: pd.DataFrame, variant: str) -> dict[str, list[str]]:
    rows = frame[frame["variant"] == variant]
    return {v: published_tokens(text) for v, text in zip(rows["video_id"], rows["sequence"], strict=True)}


def _by_model(tables: Tables, name: str) -> Iterator[tuple[Scope, str, pd.DataFrame]]:
    tested = _test_recordings(tables)
    for model, rows in tables[name].groupby("model"):
        yield "whole", str(model), rows
        yield "test", str(model), rows[rows["video_id"].isin(tested)]


def _test_recordings(tables: Tables) -> set[str]:
    videos = tables["videos"]
    return set(videos.loc[videos["test_patient"] == "1", "video_id"])


def two_stage_cells(tables: Tables) -> Iterator[Cell]:
    """Table 2, "2-stages", fitted again on the published answers, since no fitted classifier was released.

    The paper's forest, its seed and its vectors are not published. Here the published answers of each model on
    the features are the vectors, the published five folds the parts, and
    `semiology.metrics.s3.two_stage` the classifier. The test split is fold 0: its diagnoses come from a forest
    fitted on folds 1 to 4, as in the paper; all recordings together are diagnosed out of fold. Recordings
    without a diagnosis (clips called ``sample``) or without published answers are not counted.
    """
    from semiology.metrics.s3.two_stage import feature_vectors, two_stage_diagnoses

    videos, tested = tables["videos"], _test_recordings(tables)
    known = videos[videos["diagnosis"].isin(DIAGNOSES)]
    diagnosis, patients, folds = (
        dict(zip(known["video_id"], known[name], strict=True)) for name in ("diagnosis", "patient_id", "fold")
    )
    folds = {video: fold for video, fold in folds.items() if fold}
    for model, rows in tables["task1_video"].groupby("model"):
        answers = rows.drop(columns="model").melt("video_id", var_name="feature", value_name="answer")
        answers = answers[answers["answer"] != ""]
        if not set(VISUAL_FEATURES) <= set(answers["feature"]):
            continue
        found = two_stage_diagnoses(feature_vectors(answers), diagnosis, patients, folds)
        scopes: dict[Scope, list[str]] = {"whole": list(found), "test": [v for v in found if v in tested]}
        for scope, shown in scopes.items() if found else ():
            values = published_diagnosis_scores([diagnosis[v] for v in shown], [found[v] for v in shown])
            for metric in METRICS:
                yield scope, "task7", str(model), TWO_STAGE, metric, values[metric]
