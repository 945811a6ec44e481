"""Agreement between annotators of the same recordings, from one table of annotations each."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import Any

import pandas as pd

from semiology.data.tables import csv_tables
from semiology.data.tables.alike_names import alike_names
from semiology.data.tables.cells import PRESENCE, CellError, parse_choice
from semiology.features import FEATURES
from semiology.metrics.agreement.coefficients import (
    COEFFICIENTS,
    agreement_estimates,
    distribution_similarity,
)
from semiology.metrics.statistics.intervals import RESAMPLES, Estimate

KEYS = ("video_id", "feature")
ALL = "all features"


class RatingsError(ValueError):
    """A table of ratings cannot be used; the message names file, row and fix."""


@dataclass(frozen=True)
class AnnotatorAgreement:
    """How far annotators agree.

    Attributes:
        annotators: their names.
        features: coefficients by feature, and of all items together under ``all features``.
        items: how many items of a feature two or more of them rated.
        unrated: how many items only one of them rated.
        distributions: similarity of how often each feature is called present, by pair of annotators.
        notes: what should be looked at, in sentences.
    """

    annotators: tuple[str, ...]
    features: dict[str, dict[str, Estimate]]
    items: dict[str, int]
    unrated: int
    distributions: dict[str, dict[str, float]]
    notes: tuple[str, ...] = ()

    def rows(self) -> list[dict[str, Any]]:
        """Return one flat row per coefficient, for machines."""
        return flat_rows(self.features, COEFFICIENTS, ("feature", "coefficient", "items"))


def flat_rows(
    found: Mapping[str, Mapping[str, Estimate]], names: Sequence[str], titles: tuple[str, str, str]
) -> list[dict[str, Any]]:
    """Return one row per estimate, NaN as None.

    Args:
        found: estimates by feature or metric, then by name. names: those wanted, in order.
        titles: columns of the feature or metric, of the name, and of the number of items.
    """
    return [
        {
            titles[0]: key,
            titles[1]: name,
            "value": None if math.isnan(one.value) else one.value,
            "low": one.low,
            "high": one.high,
            titles[2]: one.n,
            "patients": one.n_patients,
            "reason": one.reason or one.caution,
        }
        for key, estimates in found.items()
        for name, one in ((name, estimates[name]) for name in names if name in estimates)
    ]


def annotator_agreement(
    paths: Sequence[Path], *, resamples: int = RESAMPLES, seed: int = 0
) -> AnnotatorAgreement:
    """Return how far the annotators behind several tables agree, by feature and over all.

    Args:
        paths: one per annotator: a recording set (its annotations.csv and recordings.csv are read), or a CSV
            file with the columns ``video_id``, ``feature``, ``present`` and ``patient_id``.
        resamples, seed: of the draws of patients.

    Raises:
        RatingsError: there are fewer than two tables, or one cannot be used.
    """
    if len(paths) < 2:
        raise RatingsError("agreement needs two or more annotators → give one table or recording set of each")
    short = [path.stem if path.is_file() else path.name for path in paths]
    names = [name if short.count(name) == 1 else f"{name} ({i})" for i, name in enumerate(short, start=1)]
    tables = [read_annotations(path) for path in paths]
    return agreement_of(dict(zip(names, tables, strict=True)), resamples=resamples, seed=seed)


def agreement_of(
    annotators: Mapping[str, pd.DataFrame], *, resamples: int = RESAMPLES, seed: int = 0
) -> AnnotatorAgreement:
    """Return how far annotators agree, by feature and over all.

    Args:
        annotators: by name, columns video_id, feature, present and patient_id, each recording and feature once.
        resamples, seed: of the draws of patients.

    Raises:
        RatingsError: a recording has two patients, an id or a feature is written in two forms, or nothing was rated by
            two.
    """
    names, tables = list(annotators), list(annotators.values())
    pairs = pd.concat(tables)[["video_id", "patient_id"]].drop_duplicates()
    twice = pairs[pairs.duplicated("video_id")]
    if len(twice):
        raise RatingsError(f"{twice.iloc[0]['video_id']} belongs to two patients → correct one of the tables")
    patients = dict(zip(pairs["video_id"], pairs["patient_id"], strict=True))
    _refuse_two_forms(annotators)
    columns = [table.set_index(list(KEYS))["present"] for table in tables]
    # One row per recording and feature, one column per annotator; NaN where one rated nothing.
    wide = pd.concat(columns, axis=1, keys=names).sort_index()
    rated = wide.notna().sum(axis=1)
    both = wide[rated > 1]
    if both.empty:
        raise RatingsError(
            "no recording and feature was rated by two annotators → are the video_ids the same?"
        )
    groups = {str(feature): part for feature, part in both.groupby(level="feature", sort=True)}
    if len(groups) > 1:
        groups[ALL] = both
    features = {
        feature: agreement_estimates(
            part.astype(object).where(part.notna(), None).to_numpy().tolist(),
            [patients[video] for video, _ in part.index],
            resamples=resamples,
            seed=seed,
        )
        for feature, part in groups.items()
    }
    distributions = {}  # how alike the shares of "yes" are by feature, over what each pair rated together
    for first, second in combinations(names, 2):
        shared = both[[first, second]].dropna()
        if len(shared):
            yes = (shared == "yes").groupby(level="feature").mean()
            similar = distribution_similarity(yes[first].tolist(), yes[second].tolist())
            distributions[f"{first} / {second}"] = similar
    return AnnotatorAgreement(
        tuple(names),
        features,
        {feature: len(part) for feature, part in groups.items()},
        int((rated == 1).sum()),
        distributions,
        tuple(doubtful_patients(patients.values())),
    )


def _refuse_two_forms(annotators: Mapping[str, pd.DataFrame]) -> None:
    """Refuse recordings and features that annotators write in two forms: they would pass for rated by one alone.

    Raises:
        RatingsError: names the first of them.
    """
    for column in KEYS:
        names = [
            (source, str(name)) for source, table in annotators.items() for name in table[column].unique()
        ]
        for source, name, before, first in alike_names(names):
            raise RatingsError(
                f"{source}: {column} {name!r} is written like {first!r} of {before} → write it in one form"
            )


def doubtful_patients(patients: Iterable[str]) -> list[str]:
    """Return a sentence for each patient id that differs from another in form alone (``007`` and ``7``)."""
    return [
        f"patient {name!r} is written like {first!r}: if they are one person, give one id; intervals take them for two"
        for _, name, _, first in alike_names((None, name) for name in sorted(set(patients)))
    ]


def read_annotations(path: Path) -> pd.DataFrame:
    """Return the annotations of one annotator: columns video_id, feature, present, patient_id.

    Raises:
        RatingsError: a cell, a column or a patient is missing or not understood, or an item is rated twice; or a
            feature is one of ours in another spelling.
    """
    table = path / "annotations.csv" if path.is_dir() else path
    needed = (*KEYS, "present")
    frame = read_table(table, needed if path.is_dir() else (*needed, "patient_id"), ("patient_id",))
    frame = frame[frame["present"] != ""]
    frame = frame.assign(present=presences(frame, table.name))
    _refuse_misspelt(frame, table.name)
    if "patient_id" not in frame.columns:
        recordings = read_table(path / "recordings.csv", ("video_id", "patient_id"))
        known = recordings.drop_duplicates("video_id").set_index("video_id")["patient_id"]
        frame = frame.assign(patient_id=frame["video_id"].map(known).fillna(""))
    for problem, rows in (
        ("has no patient_id → intervals need to know which recordings share a patient",
         frame["patient_id"] == ""),
        ("rates a recording and feature a second time → keep one of the rows", frame.duplicated(list(KEYS))),
    ):  # fmt: skip
        if bool(rows.any()):
            raise RatingsError(f"{table.name}:{frame.index[int(rows.to_numpy().argmax())]}: {problem}")
    return frame


def _refuse_misspelt(frame: pd.DataFrame, file: str) -> None:
    """Refuse a feature that is one of ours in other letters; names of the annotators' own are theirs.

    Raises:
        RatingsError: there is one.
    """
    for row, text in frame["feature"].items():
        known = re.sub(r"[\s-]+", "_", text.lower())
        if known in FEATURES and text != known:
            raise RatingsError(
                f"{file}:{row}: feature {text!r} is not known; did you mean {known!r}? → write it so"
            )


def presences(frame: pd.DataFrame, file: str) -> list[str]:
    """Return the column ``present`` of annotations as yes, no or na, spelt as ``data check`` accepts it.

    Raises:
        RatingsError: a cell is not understood.
    """
    found = []
    for row, text in frame["present"].items():
        try:
            found.append(parse_choice(text, ("yes", "no", "na"), PRESENCE))
        except CellError as error:
            raise RatingsError(f"{file}:{row}: present: {error} → {error.fix}") from None
    return found


def read_table(path: Path, columns: Sequence[str] = (), also: Sequence[str] = ()) -> pd.DataFrame:
    """Return a table that has some columns as the reader of recording sets reads it, every cell as text.

    The index holds the rows' numbers as a spreadsheet shows them. The columns asked for, and those of ``also`` where
    they are there, are found whatever the case of their letters; others are called as the table does.

    Raises:
        RatingsError: there is no such file, it is no table, or it lacks a column.
    """
    if not path.is_file():
        raise RatingsError(
            f"{path}: there is no such file → give a CSV table or the folder of a recording set"
        )
    table = csv_tables.read_table(path)
    if table.problems:
        raise RatingsError("\n".join(map(str, table.problems[:10])))
    absent = [name for name in columns if name.lower() not in table.columns]
    if absent:
        raise RatingsError(f"{path.name}:1: has no column {absent[0]!r} → it needs {', '.join(columns)}")
    asked = {name.lower(): name for name in (*columns, *also)}
    names = {
        name: asked.get(name, heading)
        for name, heading in zip(table.columns, table.headings, strict=True)
        if name
    }
    rows = [[row[name] for name in names] for row in table.rows]
    return pd.DataFrame(
        rows, index=[row.number for row in table.rows], columns=list(names.values()), dtype=str
    )
