"""How alike two sources call features present, in ES, NES and both: S3 Table 5."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from semiology.data.tables.reading import RECORDINGS, read_recording_set
from semiology.features import FEATURES
from semiology.metrics.agreement.distributions import DistributionSimilarity, compare_distributions
from semiology.render.table import Column, Document, Row, Table
from semiology.render.text import counted
from semiology.reports.agreement.annotators import RatingsError, read_annotations
from semiology.reports.protected import ScoredSet, scored_set, unrecorded_looks
from semiology.reports.read.feature_answers import read_results
from semiology.reports.summary.features import labelled_recordings

GROUPS, BOTH = ("ES", "NES"), "ES and NES"
OVER_FEATURES = (
    "Over the share of recordings in which each feature is called present; ES and NES: both distributions one after "
    "the other. EMD as published, between the values after each is divided by its sum, whatever feature they belong "
    "to; total variation compares feature by feature."
)
P_VALUES = (
    "p of Pearson: of no correlation over features, as published; of cosine: by permuting features. Both ask whether "
    "the sources have nothing in common. p of EMD and total variation: of no difference, by exchanging the sources of "
    "patients; a small one says that the sources differ, a large one not that they are alike."
)


@dataclass(frozen=True)
class Distributions:
    """Two sources.

    Attributes:
        names: of both. features: those that both labelled. found: by group, `GROUPS` and `BOTH` as far as known, else
            ``all``.
        sizes: recordings and patients of both sources by group. notes: what a reader must know.
    """

    names: tuple[str, str]
    features: tuple[str, ...]
    found: Mapping[str, DistributionSimilarity]
    sizes: Mapping[str, tuple[tuple[int, int], tuple[int, int]]]
    notes: tuple[str, ...]


def distributions(
    first: Path, second: Path, data: Path | None = None, *, draws: int = 2000, seed: int = 0
) -> Distributions:
    """Compare two sources of labels.

    Args:
        first, second: a recording set, a CSV file as for `annotator_agreement`, or a results folder of one model.
        data: recording set that knows diagnoses, where the sources do not.
        draws, seed: of the permutations.

    A model's answers about protected patients are a look at them: the ledger of the set among ``data``, ``first`` and
    ``second`` holds it, and answers about patients of the split ``confirm`` are left out.

    Raises:
        RatingsError: a source cannot be used, or the two share no feature.
        OSError: the ledger cannot be written.
    """
    names = (first.stem, second.stem) if first.stem != second.stem else (str(first), str(second))
    folder = next((path for path in (data, first, second) if path and (path / RECORDINGS).is_file()), None)
    scored = scored_set(folder, None) if folder else None
    notes: list[str] = []
    tables = [_labels(path, scored, notes) for path in (first, second)]
    diagnosis: dict[str, str] = {}
    for path in (data, first, second):
        if path is not None and (path / RECORDINGS).is_file():
            recordings = read_recording_set(path, require_media=False).recordings
            diagnosis |= {each.video_id: each.diagnosis for each in recordings if each.diagnosis}
    shared = [f for f in FEATURES if all((table["feature"] == f).any() for table in tables)]
    if not shared:
        raise RatingsError(f"{names[0]} and {names[1]} share no feature → give labels of the same features")
    groups = {group: [table["video_id"].map(diagnosis) == group for table in tables] for group in GROUPS}
    known = {group: rows for group, rows in groups.items() if all(bool(part.any()) for part in rows)}
    if not known:
        notes.append(
            "no diagnosis of these recordings is known: all are compared together → --data SET gives ES and NES"
        )
        known = {"all": [pd.Series(data=True, index=table.index) for table in tables]}
    else:
        for name, table in zip(names, tables, strict=True):
            unknown = table.loc[~table["video_id"].map(diagnosis).isin(GROUPS), "video_id"].nunique()
            if unknown:
                notes.append(f"{name}: {counted(unknown, 'recording')} without ES or NES left out")
        notes += [
            f"{group}: only one of the two has recordings of it" for group in GROUPS if group not in known
        ]
    patients = sorted({str(p) for table in tables for p in table["patient_id"]})
    counts = {group: _counts(tables, rows, patients, shared) for group, rows in known.items()}
    if len(counts) == len(GROUPS):
        counts[BOTH] = tuple(np.concatenate([counts[g][i] for g in GROUPS], axis=-1) for i in (0, 1))  # type: ignore[assignment]
    found = {group: compare_distributions(*both, draws=draws, seed=seed) for group, both in counts.items()}
    sizes = {}
    for group, rows in known.items():
        own = [table[part] for table, part in zip(tables, rows, strict=True)]
        one, two = ((part["video_id"].nunique(), part["patient_id"].nunique()) for part in own)
        sizes[group] = (one, two)
    common = len(set(tables[0]["video_id"]) & set(tables[1]["video_id"]))
    notes.append(f"{counted(common, 'recording')} labelled by both")
    return Distributions(names, tuple(shared), found, sizes, tuple(notes))


def _labels(path: Path, scored: ScoredSet | None, notes: list[str]) -> pd.DataFrame:
    """Return video_id, patient_id, feature and present of a source; of a run its answers by recording.

    Answers of a run about protected patients are entered in the ledger; ``notes`` takes what it says, and who is left
    out.
    """
    if path.is_file() or (path / "annotations.csv").is_file():
        return read_annotations(path)
    results = read_results([path])
    answers = labelled_recordings(results.answers)
    runs = answers[["model", "enhancement", "prompt_id"]].drop_duplicates()
    if len(runs) > 1:
        raise RatingsError(
            f"{path}: holds {len(runs)} models, wordings or enhancements → give the folder of one"
        )
    labels = answers.rename(columns={"answer": "present"})[["video_id", "patient_id", "feature", "present"]]
    if scored is None:
        notes += unrecorded_looks(results.records)
        return labels
    notes += scored.notes(labels["video_id"])
    labels = labels[labels["video_id"].isin(scored.kept(labels["video_id"]))]
    notes += scored.enter(
        "agreement distributions", labels, {"source": sorted(map(str, answers["model"].unique()))}
    )
    return labels


def _counts(
    tables: list[pd.DataFrame], rows: list[pd.Series], patients: list[str], features: list[str]
) -> tuple[np.ndarray, np.ndarray]:
    """Return recordings called present, and labelled yes or no, by source, patient and feature."""
    shape = (2, len(patients), len(features))
    yes, rated = np.zeros(shape), np.zeros(shape)
    at, place = {p: i for i, p in enumerate(patients)}, {f: i for i, f in enumerate(features)}
    for source, (table, kept) in enumerate(zip(tables, rows, strict=True)):
        own = table[kept & table["feature"].isin(features) & table["present"].isin(["yes", "no"])]
        index = (own["patient_id"].astype(str).map(at).to_numpy(), own["feature"].map(place).to_numpy())
        np.add.at(rated[source], index, 1)
        np.add.at(yes[source], index, (own["present"] == "yes").to_numpy(dtype=float))
    return yes, rated


def distribution_rows(found: Distributions) -> list[dict[str, Any]]:
    """Return one flat row per group, for machines; undefined is None."""
    names = [
        f"{name}{ending}" for name in ("pearson", "cosine", "emd", "total_variation") for ending in ("", "_p")
    ]
    rows: list[dict[str, Any]] = []
    for group, each in found.found.items():
        values = {name: float(getattr(each, name)) for name in names}
        known = {name: None if math.isnan(value) else value for name, value in values.items()}
        rows.append({"comparison": group, "features": each.n_features, **known})
    return rows


def distribution_document(found: Distributions) -> Document:
    """Return the layout of S3 Table 5."""
    columns = (
        Column("Comparison"),
        Column("features"),
        Column("Pearson r", ".3f"),
        Column("p", "p", group="Pearson"),
        Column("Cosine", ".3f"),
        Column("p", "p", group="cosine"),
        Column("EMD", ".5f"),
        Column("p", "p", group="EMD"),
        Column("Total variation", ".3f"),
        Column("p", "p", group="variation"),
    )
    rows = tuple(
        Row(
            (
                group, each.n_features, each.pearson, each.pearson_p, each.cosine, each.cosine_p, each.emd, each.emd_p,
                each.total_variation, each.total_variation_p,
            )
        )
        for group, each in found.found.items()
    )  # fmt: skip
    told = [
        f"{group}: {found.names[0]} {counted(one[0], 'recording')} of {counted(one[1], 'patient')}, {found.names[1]} "
        f"{counted(two[0], 'recording')} of {counted(two[1], 'patient')}"
        for group, (one, two) in found.sizes.items()
    ]
    title = f"Features called present, {found.names[0]} and {found.names[1]}, in the layout of S3 Table 5"
    table = Table(title, columns, rows, stem="distributions")
    return Document(
        "How alike features are called present",
        (table,),
        remarks=(OVER_FEATURES, P_VALUES),
        notes=(*told, *found.notes),
    )
