"""Agreement between annotators of the same recordings, from one table of annotations each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import TYPE_CHECKING, Any

from semiology.metrics.agreement.coefficients import (
    COEFFICIENTS,
    agreement_estimates,
    distribution_similarity,
)
from semiology.metrics.statistics.intervals import RESAMPLES, Estimate

if TYPE_CHECKING:
    import pandas as pd

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
    """

    annotators: tuple[str, ...]
    features: dict[str, dict[str, Estimate]]
    items: dict[str, int]
    unrated: int
    distributions: dict[str, dict[str, float]]

    def rows(self) -> list[dict[str, Any]]:
        """Return one flat row per coefficient, for machines."""
        found = []
        for feature, estimates in self.features.items():
            for name in COEFFICIENTS:
                if name in estimates:
                    one = estimates[name]
                    found.append(
                        {
                            "feature": feature,
                            "coefficient": name,
                            "value": None if one.value != one.value else one.value,
                            "low": one.low,
                            "high": one.high,
                            "items": one.n,
                            "patients": one.n_patients,
                            "reason": one.reason or one.caution,
                        }
                    )
        return found


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
    import pandas as pd

    if len(paths) < 2:
        raise RatingsError("agreement needs two or more annotators → give one table or recording set of each")
    names = _names(paths)
    tables = [read_annotations(path) for path in paths]
    patients, wide = _patients(pd.concat(tables)), _side_by_side(names, tables)
    rated = wide.notna().sum(axis=1)
    both = wide[rated > 1]
    if both.empty:
        raise RatingsError(
            "no recording and feature was rated by two annotators → are the video_ids the same?"
        )
    drawing = {"resamples": resamples, "seed": seed}
    groups = {str(feature): part for feature, part in both.groupby(level="feature", sort=True)}
    if len(groups) > 1:
        groups[ALL] = both
    features = {
        feature: agreement_estimates(
            part.astype(object).where(part.notna(), None).to_numpy().tolist(),
            [patients[video] for video, _ in part.index],
            **drawing,
        )
        for feature, part in groups.items()
    }
    return AnnotatorAgreement(
        tuple(names),
        features,
        {feature: len(part) for feature, part in groups.items()},
        int((rated == 1).sum()),
        _distributions(both, names),
    )


def read_annotations(path: Path) -> pd.DataFrame:
    """Return the annotations of one annotator: columns video_id, feature, present, patient_id.

    Raises:
        RatingsError: a column or a patient is missing, or an item is rated twice.
    """
    table = path / "annotations.csv" if path.is_dir() else path
    frame = read_table(table)
    if path.is_dir() and "patient_id" not in frame.columns:
        recordings = read_table(path / "recordings.csv")
        require(recordings, ("video_id", "patient_id"), path / "recordings.csv")
        known = recordings.drop_duplicates("video_id").set_index("video_id")["patient_id"]
        frame = frame.assign(patient_id=frame["video_id"].map(known).fillna(""))
    require(frame, (*KEYS, "present", "patient_id"), table)
    frame = frame[frame["present"] != ""]
    for problem, rows in (
        ("has no patient_id → intervals need to know which recordings share a patient",
         frame["patient_id"] == ""),
        ("rates a recording and feature a second time → keep one of the rows", frame.duplicated(list(KEYS))),
    ):  # fmt: skip
        if bool(rows.any()):
            raise RatingsError(f"{table.name}:{frame.index[int(rows.to_numpy().argmax())] + 2}: {problem}")
    return frame


def read_table(path: Path) -> pd.DataFrame:
    """Read a CSV table, every cell as text.

    Raises:
        RatingsError: there is no such file, or it is no table.
    """
    import pandas as pd

    if not path.is_file():
        raise RatingsError(
            f"{path}: there is no such file → give a CSV table or the folder of a recording set"
        )
    try:
        return pd.read_csv(path, dtype=str, keep_default_na=False, encoding="utf-8-sig")
    except (pd.errors.ParserError, pd.errors.EmptyDataError, UnicodeDecodeError) as error:
        raise RatingsError(f"{path.name}: is no CSV table ({error}) → save it as comma-separated") from error


def require(frame: pd.DataFrame, columns: Sequence[str], path: Path) -> None:
    """Check that a table has some columns.

    Raises:
        RatingsError: it lacks one.
    """
    absent = [name for name in columns if name not in frame.columns]
    if absent:
        raise RatingsError(f"{path.name}:1: has no column {absent[0]!r} → it needs {', '.join(columns)}")


def _side_by_side(names: Sequence[str], tables: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """Return one row per recording and feature, one column per annotator, NaN where one rated nothing."""
    import pandas as pd

    columns = [
        table.set_index(list(KEYS))["present"].rename(name) for name, table in zip(names, tables, strict=True)
    ]
    return pd.concat(columns, axis=1).sort_index()


def _patients(frame: pd.DataFrame) -> dict[str, str]:
    """Return the patient of each recording.

    Raises:
        RatingsError: annotators name different ones.
    """
    pairs = frame[["video_id", "patient_id"]].drop_duplicates()
    twice = pairs[pairs.duplicated("video_id")]
    if len(twice):
        raise RatingsError(f"{twice.iloc[0]['video_id']} belongs to two patients → correct one of the tables")
    return dict(zip(pairs["video_id"], pairs["patient_id"], strict=True))


def _names(paths: Sequence[Path]) -> list[str]:
    short = [path.stem if path.is_file() else path.name for path in paths]
    return [name if short.count(name) == 1 else f"{name} ({i})" for i, name in enumerate(short, start=1)]


def _distributions(both: pd.DataFrame, names: Sequence[str]) -> dict[str, dict[str, float]]:
    """Return how alike the shares of "yes" are, feature by feature, over what each pair rated together."""
    found = {}
    for first, second in combinations(names, 2):
        shared = both[[first, second]].dropna()
        if len(shared):
            shares = (shared == "yes").groupby(level="feature").mean()
            found[f"{first} / {second}"] = distribution_similarity(
                shares[first].tolist(), shares[second].tolist()
            )
    return found
