"""Read published answers of the stroke-rehabilitation study, or of other runs, in the normalised layout.

A folder may hold any part of the layout: other models, other sizes, no labels, no expected figures. What is absent is
told, never an exception. Several folders are read as one, the first one's rows where both have the same.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import numpy as np
import pandas as pd

from semiology.strokerehab import Run, Window

RUNS, VIDEOS, PRIMITIVES, ITEMS, CLIPS = (
    "runs",
    "videos",
    "labels/primitives",
    "labels/fugl_meyer_items",
    "fugl_meyer_clips",
)
EXPECTED, STORED, STORED_PER_VIDEO = "expected_metrics", "stored_metrics", "stored_per_video"
ANSWERS = ("two_axes", "one_word", "word_list", "primitive", "identification", "left_right_hand")
_WINDOW_COLUMNS = ("video_id", "window", "start_s", "end_s")
_COLUMNS: Mapping[str, tuple[str, ...]] = {
    RUNS: ("run", "task", "format", "model", "sampling_fps", "frames"),
    VIDEOS: ("video_id", "subject", "group", "severity", "activity", "fps", "duration_s"),
    PRIMITIVES: ("video_id", "run", "primitive", "start_s", "end_s"),
    ITEMS: ("subject", "item", "score"),
    CLIPS: ("subject", "first_item", "last_item", "laterality", "view", "duration_s"),
    EXPECTED: ("table", "run", "item", "metric", "printed", "source"),
    STORED: ("run", "metric", "value"),
    STORED_PER_VIDEO: (
        "run", "video_id", "edit_score", "action_error_rate", "mae_avg", "count_pred", "count_truth",
    ),
    "predictions/two_axes": ("run", "video_id", "window", "motion", "grasp"),
    "predictions/one_word": ("run", "video_id", "window", "answer"),
    "predictions/word_list": ("run", "video_id", "window", "answer"),
    "predictions/primitive": ("run", "video_id", "window", "primitive"),
    "predictions/identification": ("run", "video_id", "first_answer", "last_answer", "n_answer_lines"),
    "predictions/left_right_hand": ("video_id", "start_s"),
}  # fmt: skip
"""The columns that each table needs; more may be there."""
_KEYS: Mapping[str, tuple[str, ...]] = {
    RUNS: ("run",),
    VIDEOS: ("video_id",),
    PRIMITIVES: ("video_id", "run"),
    ITEMS: ("subject", "item"),
    CLIPS: ("subject", "first_item", "last_item", "laterality", "view"),
    EXPECTED: ("table", "run", "item", "metric", "source"),
    STORED: ("run", "metric"),
    STORED_PER_VIDEO: ("run", "video_id"),
    "predictions/identification": ("run", "video_id"),
    "predictions/left_right_hand": ("video_id", "start_s"),
}
DEFAULT_SAMPLING = (15.0, 8)
"""Frames a second and frames of a window of a run that neither ``runs`` nor its name describes."""


@dataclass
class PublishedFolder:
    """The tables of one or more folders, every cell as text.

    Attributes:
        folders: where they were read.
        tables: by name, as `RUNS` ...; an absent one has its columns and no row.
        notes: what is absent or was left out, for the user.
    """

    folders: tuple[Path, ...]
    tables: Mapping[str, pd.DataFrame]
    notes: list[str] = field(default_factory=list)
    _samplings: dict[str, tuple[float, int]] = field(default_factory=dict)
    _windows: dict[tuple[float, int], dict[str, dict[int, Window]]] = field(default_factory=dict)

    def note(self, text: str) -> None:
        """Tell something once."""
        if text not in self.notes:
            self.notes.append(text)

    @cached_property
    def labels(self) -> dict[str, list[Run]]:
        """The labelled runs of each video, in order."""
        table = self.tables[PRIMITIVES]
        rows = pd.DataFrame(
            {
                "video_id": table["video_id"],
                "run": pd.to_numeric(table["run"], errors="coerce"),
                "primitive": table["primitive"].str.strip().str.lower(),
                "start_s": pd.to_numeric(table["start_s"], errors="coerce"),
                "end_s": pd.to_numeric(table["end_s"], errors="coerce"),
            }
        )
        good = rows.dropna()
        if len(good) < len(rows):
            self.note(
                f"{PRIMITIVES}: {len(rows) - len(good)} rows without a number or primitive are left out"
            )
        good = good.sort_values(["video_id", "run"], kind="stable")
        found: dict[str, list[Run]] = {}
        for video, primitive, start, end in zip(
            good["video_id"], good["primitive"], good["start_s"], good["end_s"], strict=True
        ):
            found.setdefault(video, []).append(Run(primitive, start, end))
        return found

    @cached_property
    def videos(self) -> pd.DataFrame:
        """The table of videos by id; ``fps`` and ``duration_s`` as numbers."""
        table = self.tables[VIDEOS].set_index("video_id").copy()
        for column in ("fps", "duration_s"):
            table[column] = pd.to_numeric(table[column], errors="coerce")
        return table

    @cached_property
    def _rates(self) -> dict[str, tuple[float, float]]:
        """Frame rate and length of each video."""
        table = self.videos
        numbers = zip(table["fps"].tolist(), table["duration_s"].tolist(), strict=True)
        return dict(zip(table.index.tolist(), numbers, strict=True))

    @cached_property
    def item_scores(self) -> dict[str, dict[int, int]]:
        """The rated Fugl-Meyer score by subject and item."""
        found: dict[str, dict[int, int]] = {}
        for row in self.tables[ITEMS].to_dict("records"):
            try:
                found.setdefault(row["subject"], {})[int(row["item"])] = int(row["score"])
            except ValueError:
                self.note(f"{ITEMS}: a row of {row['subject']} holds no whole number and is left out")
        return found

    def sampling(self, run: str) -> tuple[float, int]:
        """Return frames a second and frames of a window of a run, from ``runs``, its name or the default."""
        if run not in self._samplings:
            self._samplings[run] = self._find_sampling(run)
        return self._samplings[run]

    def _find_sampling(self, run: str) -> tuple[float, int]:
        known = self.tables[RUNS]
        row = known[known["run"] == run]
        try:
            return float(row["sampling_fps"].iloc[0]), int(row["frames"].iloc[0])
        except (ValueError, IndexError):
            pass
        parts = run.rpartition("/")[2].split("_")
        if len(parts) == 2 and all(part.isdigit() for part in parts):
            return float(parts[0]), int(parts[1])
        self.note(f"{run}: {RUNS} does not tell its sampling; {DEFAULT_SAMPLING[0]:g} frames a second and windows "
                  f"of {DEFAULT_SAMPLING[1]} frames are taken")  # fmt: skip
        return DEFAULT_SAMPLING

    def windows(self, fps: float, frames: int) -> dict[str, dict[int, Window]]:
        """Return the windows of a sampling by video and number; {} where no folder has them."""
        key = (fps, frames)
        if key not in self._windows:
            found: dict[str, dict[int, Window]] = {}
            for folder in self.folders:
                table = read_table(folder, f"windows/{fps:g}_{frames}", _WINDOW_COLUMNS, self.notes)
                for video, number, start, end in _numbers(table, _WINDOW_COLUMNS):
                    found.setdefault(video, {}).setdefault(int(number), Window(start, end))
            self._windows[key] = found
        return self._windows[key]

    def windows_of(self, run: str, video: str, numbers: Sequence[int]) -> tuple[Window | None, ...]:
        """Return windows of a run: as stored, else by the stride rule from the video's rate; None if neither."""
        fps, frames = self.sampling(run)
        stored = self.windows(fps, frames).get(video, {})
        return tuple(stored.get(number) or self._by_stride(video, number, fps, frames) for number in numbers)

    def _by_stride(self, video: str, number: int, fps: float, frames: int) -> Window | None:
        rate, duration = self._rates.get(video, (0.0, 0.0))
        if not (rate > 0 and duration > 0):
            return None
        self.note(f"windows/{fps:g}_{frames}: absent for some videos; computed from their frame rate")
        step = max(1, round(rate / fps)) * frames
        return Window(number * step / rate, min((number + 1) * step / rate, duration))


def read_folders(folders: Sequence[Path]) -> PublishedFolder:
    """Read every table of the layout; absent ones are told.

    Args:
        folders: at least one; with several, a row that an earlier one has too is dropped.
    """
    notes: list[str] = []
    tables = {}
    for name, columns in _COLUMNS.items():
        parts = [read_table(folder, name, columns, notes) for folder in folders]
        given = [part for part in parts if len(part)]
        if not given:
            tables[name] = parts[0].reindex(columns=list(columns))
            notes.append(f"{name}.csv.gz: absent or empty")
            continue
        together = pd.concat(given, ignore_index=True) if len(given) > 1 else given[0]
        key = list(_KEYS.get(name, columns[:3]))
        twice = together.duplicated(key)
        if len(given) == 1 and bool(twice.any()):
            notes.append(
                f"{name}.csv.gz: {int(twice.sum())} rows repeat {' and '.join(key)}; the first counts"
            )
        tables[name] = together[~twice].reset_index(drop=True)
    return PublishedFolder(tuple(folders), tables, notes)


def read_table(folder: Path, name: str, columns: Sequence[str], notes: list[str]) -> pd.DataFrame:
    """Read a table, plain or compressed, every cell as text; empty with these columns where it cannot be read."""
    empty = pd.DataFrame(columns=list(columns), dtype=str)
    for path in (folder / f"{name}.csv.gz", folder / f"{name}.csv"):
        if not path.is_file():
            continue
        try:
            table = pd.read_csv(path, dtype=str, keep_default_na=False)
        except (ValueError, OSError, EOFError) as error:  # pandas' own errors are ValueErrors
            notes.append(f"{path}: is no readable table ({error})")
            return empty
        absent = [column for column in columns if column not in table.columns]
        if absent:
            notes.append(f"{path}: has no column {', '.join(absent)}; the table is left out")
            return empty
        return table
    return empty


def _numbers(table: pd.DataFrame, columns: Sequence[str]) -> Iterator[tuple[str, float, float, float]]:
    """Yield the rows of a window table whose numbers are numbers."""
    name, *rest = columns
    values = [pd.to_numeric(table[column], errors="coerce").to_numpy(dtype=np.float64) for column in rest]
    for video, *row in zip(table[name], *values, strict=True):
        if not any(math.isnan(value) for value in row):
            yield video, row[0], row[1], row[2]
