"""Whether metrics of reports rank them as experts do: rank correlation with expert ratings (S3, Table 10)."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from semiology.data.tables.cells import plain_number
from semiology.metrics.agreement.expert_ranking import ranking_estimates
from semiology.metrics.coverage import UNPARSED
from semiology.metrics.s3.recording_answers import recording_answers
from semiology.metrics.s3.text.readers import TextReader
from semiology.metrics.s3.text.scores import TextTools
from semiology.metrics.statistics.intervals import RESAMPLES, Estimate
from semiology.render.text import counted
from semiology.reports.agreement.annotators import RatingsError, doubtful_patients, read_table
from semiology.reports.read.lmms_eval_files import ResultsError
from semiology.reports.read.s3_answers import read_s3_results
from semiology.reports.summary.s3_cases import report_values

if TYPE_CHECKING:
    from semiology.metrics.s3.text.bertscore import BertSimilarity

NAMES = ("model", "video_id", "patient_id", "rater")
MEASURES = ("pearson", "spearman", "kendall", "pairwise_accuracy")


def rated_reports(
    ratings: Path,
    runs: Sequence[Path] = (),
    *,
    rating: str = "expert",
    similarity: BertSimilarity | None = None,
) -> tuple[pd.DataFrame, list[str], list[str]]:
    """Return a row for each rated report, its metrics beside its rating (S3 Table 11); the metrics' names; and notes.

    Args:
        ratings: CSV file: ``video_id``, the ratings, ``model`` where several models' reports were rated,
            ``patient_id`` where no run tells it, and metrics of the same reports in further columns. Several
            ratings of one report (rows, told apart by ``rater``) are averaged.
        runs: folders with answers to s3_report; BLEU, ROUGE, Seizure-RQI and stated findings of the rated
            reports are computed from them.
        rating: column of the ratings.
        similarity: adds BERTScore.

    Raises:
        RatingsError: the table cannot be used, or no rated report is in the runs.
    """
    frame = _read_ratings(ratings, rating)
    notes: list[str] = []
    computed: list[str] = []
    if runs:
        rated = len(frame)
        frame, computed = _with_metrics(frame, runs, similarity, ratings)
        if len(frame) < rated:
            notes.append(
                f"{ratings.name}: {counted(rated - len(frame), 'rated report')} not in the runs left out"
            )
    if "patient_id" not in frame.columns:
        raise RatingsError(
            f"{ratings.name}:1: has no column 'patient_id' → intervals need to know which reports share a "
            "patient; add it, or name the runs"
        )
    given = [name for name in frame.columns if name not in (*NAMES, rating, *computed)]
    partly = [name for name in given if frame[name].notna().any() and frame[name].isna().any()]
    notes += [
        f"{ratings.name}: {name} left out: {counted(int(frame[name].isna().sum()), 'report')} without a number"
        for name in partly
    ]
    metrics = [*computed, *(name for name in given if frame[name].notna().all())]
    notes += doubtful_patients(map(str, frame["patient_id"]))
    if not metrics:
        raise RatingsError(
            f"{ratings.name}: no metric to compare with the ratings → add columns of numbers, or "
            "name the runs"
        )
    return frame, metrics, notes


def agreement_of_reports(
    frame: pd.DataFrame, metrics: Sequence[str], rating: str, *, resamples: int = RESAMPLES, seed: int = 0
) -> dict[str, dict[str, Estimate]]:
    """Return how far each metric ranks the reports of `rated_reports` as experts rated them."""
    patients = frame["patient_id"].tolist()
    return {
        name: ranking_estimates(
            frame[name].tolist(), frame[rating].tolist(), patients, resamples=resamples, seed=seed
        )
        for name in metrics
    }


def _read_ratings(path: Path, rating: str) -> pd.DataFrame:
    """Return one row per rated report, ratings averaged and other columns as numbers (NaN for text)."""
    frame = read_table(path, ("video_id", rating), NAMES)
    others = [name for name in frame.columns if name not in NAMES]
    written = frame[rating]
    frame = frame.assign(**{name: _numbers(frame[name], path.name, name == rating) for name in others})
    if bool(frame[rating].isna().any()):
        row = int(frame[rating].isna().to_numpy().argmax())
        raise RatingsError(
            f"{path.name}:{frame.index[row]}: {rating} is {written.iloc[row][:20]!r}, no number → correct it"
        )
    named = [name for name in ("model", "video_id", "rater") if name in frame.columns]
    again = frame.duplicated(named) if "rater" in named else frame["video_id"] == ""
    if bool(again.any()):
        row = frame.index[int(again.to_numpy().argmax())]
        raise RatingsError(
            f"{path.name}:{row}: one rater rates a report twice, or it has no name → keep one row"
        )
    keys = [name for name in ("model", "video_id") if name in frame.columns]
    first = {name: "first" for name in frame.columns if name not in (*keys, rating, "rater")}
    return frame.groupby(keys, sort=True, as_index=False).agg({rating: "mean", **first})


def _numbers(cells: pd.Series, file: str, needed: bool) -> pd.Series:
    """Return cells as numbers, NaN where they hold none; a decimal comma is one where no cell has a point.

    Raises:
        RatingsError: most cells are numbers and one is something else, so that the column would be left out for it.
    """
    filled = cells[cells != ""]
    commas = not bool(filled.str.contains(".", regex=False).any())
    numbers = [plain_number(cell, decimal_comma=commas, exponent=True) for cell in cells]
    odd = [row for row, number in zip(cells.index, numbers, strict=True) if number is None and cells[row]]
    if odd and not needed and 2 * len(odd) <= len(filled):
        raise RatingsError(
            f"{file}:{odd[0]}: {cells.name} is {cells[odd[0]][:20]!r}, where other rows have numbers → correct it, "
            "or empty the cell"
        )
    return pd.Series(numbers, index=cells.index, dtype=float)


def _with_metrics(
    frame: pd.DataFrame, runs: Sequence[Path], similarity: BertSimilarity | None, path: Path
) -> tuple[pd.DataFrame, list[str]]:
    """Add the metrics of the rated reports; return the rows that have one, and the names added."""
    results = read_s3_results(runs)
    records = [] if results is None else [row for row in results.records if row["kind"] == "report"]
    if results is None or not records:
        raise ResultsError(f"{', '.join(map(str, runs))}: no answers to s3_report → name a run of that task")
    parts = []
    for model in sorted({row["model"] for row in records}):
        own = [row for row in records if row["model"] == model]
        answers = recording_answers("report", own, results.texts.merger_of(model))
        told = answers[answers["answer"] != UNPARSED]
        if len(told):
            reader = results.texts.reader_of(model)
            parts.append(_values(told, reader, similarity).assign(model=model))
    values = pd.concat(parts, ignore_index=True)
    keys = ["video_id"]
    if "model" in frame.columns:
        keys.append("model")
    elif values["model"].nunique() > 1:
        raise RatingsError(
            f"{path.name}:1: the runs are of several models → add a column 'model', or name one run"
        )
    else:
        values = values.drop(columns="model")
    names = [name for name in values.columns if name not in NAMES]
    kept = frame.drop(columns=[name for name in ("patient_id", *names) if name in frame.columns])
    both = kept.merge(values, on=keys)
    if both.empty:
        raise RatingsError(
            f"{path.name}: no rated report is in the runs → compare `video_id` (and `model`) with the report"
        )
    return both, names


def _values(told: pd.DataFrame, reader: TextReader, similarity: BertSimilarity | None) -> pd.DataFrame:
    texts, references = told["answer"].tolist(), told["truth"].tolist()
    rows = report_values(texts, references, told["shown"].tolist(), TextTools(reader, similarity))
    names = ["rqi", "stated_findings", "bleu", "rouge1", "rouge_l"]
    values = pd.DataFrame(rows, index=told.index)[names if similarity is None else [*names, "bertscore"]]
    return told[["video_id", "patient_id"]].join(values)
