"""What an importer found, and writing it as a recording set."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from semiology.data.cache import write_whole
from semiology.data.importers.wide import stem_of
from semiology.data.problems import Problem
from semiology.data.recording_set import Annotation, Recording
from semiology.data.tables.laterality import LATERALITY, LATERALITY_COLUMNS
from semiology.data.tables.writing import table_text, write_new_secret, write_recording_set


@dataclass(frozen=True)
class ImportOutcome:
    """The content of a published table in the types of this package.

    Attributes:
        recordings: Their videos follow the convention ``videos/<video_id>.mp4`` and may not exist.
        reports: Clinical report text by video id. metadata: Content for ``dataset.yaml``.
        unused: Every cell or row that could not be used, with the reason; nothing is dropped silently.
        doubts: Every value that was used, but might mean something else.
        notes: Remarks on whole columns and files.
        source_names: Original file name by video id (empty where the source is already opaque).
        laterality: Rows of the laterality table (a side file: not every side belongs to one of the features).
    """

    recordings: tuple[Recording, ...]
    annotations: tuple[Annotation, ...]
    reports: Mapping[str, str]
    metadata: Mapping[str, object]
    unused: tuple[Problem, ...] = ()
    doubts: tuple[Problem, ...] = ()
    notes: tuple[str, ...] = ()
    source_names: Mapping[str, str] = field(default_factory=dict)
    laterality: tuple[Mapping[str, str], ...] = ()

    @property
    def patients(self) -> int:
        """Number of patients."""
        return len({recording.patient_id for recording in self.recordings})


def write_outcome(
    outcome: ImportOutcome, directory: Path, videos: Path | Mapping[str, Path] | None = None
) -> int:
    """Write an import as a recording set; return the number of recordings whose video is in place.

    Original videos that are found in the folder ``videos``, or are given by video id, are hard-linked (or copied, on
    another disk) to ``videos/<video_id>`` of the set, with their own suffix.
    """
    directory = directory.expanduser().absolute()
    given = videos if isinstance(videos, Mapping) else {}
    found = _find_videos(outcome, videos) if isinstance(videos, Path) else given
    recordings: list[Recording] = []
    for recording in outcome.recordings:
        target = directory / "videos" / f"{recording.video_id}.mp4"
        if source := found.get(recording.video_id):
            target = target.with_suffix(source.suffix.lower())
            if not target.exists():
                target.parent.mkdir(parents=True, exist_ok=True)
                try:
                    os.link(source, target)
                except OSError:
                    shutil.copyfile(source, target)
        recordings.append(replace(recording, video=target))
    write_recording_set(directory, recordings, outcome.annotations, outcome.reports, outcome.metadata)
    if outcome.laterality:
        write_whole(directory / LATERALITY, table_text(LATERALITY_COLUMNS, outcome.laterality))
    return sum(recording.video.is_file() for recording in recordings)


def _find_videos(outcome: ImportOutcome, videos: Path) -> dict[str, Path]:
    """Match files to recordings by original name or id, whatever the suffix and the case of letters."""
    files = {stem_of(path.name): path for path in sorted(videos.rglob("*")) if _may_be_film(path)}
    names = {
        item.video_id: outcome.source_names.get(item.video_id, item.video_id) for item in outcome.recordings
    }
    stems = {video_id: Path(name).stem.lower() for video_id, name in names.items()}
    return {video_id: files[stem] for video_id, stem in stems.items() if stem in files}


def _may_be_film(path: Path) -> bool:
    """Return whether a file is not sound alone, which may lie beside the film under its name."""
    return path.is_file() and path.suffix.lower() != ".wav"


def write_key(outcome: ImportOutcome, path: Path) -> None:
    """Write the table of new ids and original file names, readable by its owner alone (mode 0600).

    Raises:
        FileExistsError: There is such a file already.
    """
    rows = [{"video_id": key, "file_name": name} for key, name in sorted(outcome.source_names.items())]
    write_new_secret(path, table_text(("video_id", "file_name"), rows))
