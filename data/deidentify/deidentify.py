"""De-identification of a recording set by whitelist: what is not known to tell nothing is left out.

Ids are drawn anew, known fields alone are kept, media are copied without metadata and without user data, free text is
scrubbed and listed for a person to read. This is no anonymisation. Faces and voices stay in the media, and how a
seizure looks may identify a person.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from semiology.data.cache import write_whole
from semiology.data.check import Exclusion
from semiology.data.deidentify.audit import KeptText, audit_table, kept_texts, write_state
from semiology.data.deidentify.known_fields import (
    NEUTRAL_NAME,
    known_metadata,
    neutral_groups,
    pose_text,
    transcript_text,
)
from semiology.data.deidentify.opaque_ids import OpaqueIds, opaque_ids
from semiology.data.deidentify.scrubbing import Findings, Scrubber
from semiology.data.media.remux import RemuxError, remux
from semiology.data.problems import Problem, RecordingSetError
from semiology.data.recording_set import Recording, RecordingSet
from semiology.data.tables.reading import (
    ANNOTATIONS,
    METADATA,
    RECORDINGS,
    REPORTS,
    keypoint_files,
    read_recording_set,
)
from semiology.data.tables.writing import (
    key_problems,
    make_folder,
    table_text,
    write_new_secret,
    write_recording_set,
)

KEY_COLUMNS = ("video_id", "patient_id", "old_video_id", "old_patient_id", "old_video")
UNFINISHED = "UNFINISHED.txt"
"""Stands in the folder while it is written, which has another name until all is done."""


@dataclass(frozen=True)
class Choices:
    """How a set is de-identified.

    Attributes:
        names: Further words to remove from free text, such as names of patients and staff.
        seed: Draws the new ids; ``None`` (better) takes the system's randomness.
        set_name: Name of the new set, which is not scrubbed.
        texts: Whether scrubbed free text is kept at all; without it the set is clean at once.
        further: Finds more in free text, such as `semiology.data.deidentify.presidio`.
    """

    names: Sequence[str] = ()
    seed: int | None = None
    set_name: str = NEUTRAL_NAME
    texts: bool = True
    further: Findings | None = None


@dataclass(frozen=True)
class Deidentified:
    """What was done.

    Attributes:
        recordings, patients: Numbers of those written.
        replaced: How many pieces of free text were replaced, by kind.
        dropped_streams: How many streams (data, subtitles, pictures) were left out of the media.
        excluded: Recordings that are not in the new set because their media could not be rewritten.
        not_copied: Files of the old folder that belong to no recording and to no table of the format.
        key: Where the key was written, if anywhere.
        texts: All free text of the new set.
        audit: Where it is listed for a person to read; None where there is none.
    """

    recordings: int
    patients: int
    replaced: Mapping[str, int]
    dropped_streams: int
    excluded: tuple[Exclusion, ...]
    not_copied: tuple[str, ...]
    key: Path | None
    texts: tuple[KeptText, ...]
    audit: Path | None


def deidentify(
    source: Path,
    destination: Path,
    *,
    key: Path | None = None,
    choices: Choices | None = None,
    dry_run: bool = False,
    on_recording: Callable[[int, int], None] | None = None,
) -> Deidentified:
    """Write a copy of a recording set with opaque ids; docs/start/deidentification.md says what is and is not removed.

    The set is written under another name beside ``destination`` and renamed when all of it is there.

    Args:
        source: The set; it must be valid, but its ids may be anything (names, for instance).
        destination: New folder (it may exist if it is empty). The list of kept texts is written beside it.
        key: New file for the table of old and new ids, outside of ``destination``; by default none.
        choices: See `Choices`.
        dry_run: Do everything, then remove what was written.
        on_recording: Called with (done, all) after each recording.

    Raises:
        RecordingSetError: The set is not valid, a path is not acceptable, or the folder cannot be made.
    """
    choices = choices or Choices()
    source, destination = source.expanduser().absolute(), destination.expanduser().absolute()
    key = key.expanduser().absolute() if key else None
    audit = destination.with_name(f"{destination.name}-texts-to-read.csv")
    _refuse_paths(source, destination, key)
    if not dry_run and audit.exists():
        fix = "move it, or choose another folder; a list that was read is not overwritten"
        raise RecordingSetError([Problem(str(audit), None, "exists already", fix)])
    old = read_recording_set(source, any_ids=True)
    ids = opaque_ids([(item.patient_id, item.video_id) for item in old.recordings], choices.seed)
    scrubber = Scrubber(_identifying(old), choices.names, choices.further)
    make_folder(destination.parent)
    unfinished = Path(tempfile.mkdtemp(prefix=f".{destination.name}.unfinished-", dir=destination.parent))
    try:
        (unfinished / UNFINISHED).write_text(
            "This copy was not finished. Remove it and run the command again.\n"
        )
        media = _MediaCopy(unfinished, ids, scrubber, choices.texts)
        for done, recording in enumerate(old.recordings, 1):
            media.add(recording)
            if on_recording:
                on_recording(done, len(old.recordings))
        _write_tables(unfinished, old, media, ids, scrubber, choices)
        texts = kept_texts(unfinished) if media.recordings else []
        write_state(unfinished, texts)
        not_copied = _not_copied(old)
        if not dry_run:
            _publish(unfinished, destination)
            if texts:
                write_whole(audit, audit_table(texts), private=True)
            if key:
                _write_key(key, old, media, ids)
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)
    return Deidentified(
        recordings=len(media.recordings),
        patients=len({item.patient_id for item in media.recordings}),
        replaced=dict(sorted(scrubber.replaced.items())),
        dropped_streams=media.dropped_streams,
        excluded=tuple(media.excluded),
        not_copied=not_copied,
        key=key,
        texts=tuple(texts),
        audit=audit if texts and not dry_run else None,
    )


def _publish(unfinished: Path, destination: Path) -> None:
    """Give the finished folder its name and the permissions of any new folder."""
    (unfinished / UNFINISHED).unlink()
    mask = os.umask(0)
    os.umask(mask)
    unfinished.chmod(0o777 & ~mask)
    if destination.is_dir():
        destination.rmdir()  # it is empty
    unfinished.rename(destination)


def _refuse_paths(source: Path, destination: Path, key: Path | None) -> None:
    real_source, real_destination = source.resolve(), destination.resolve()
    faults = key_problems(key, destination) if key else []
    if real_source in (real_destination, *real_destination.parents):
        fix = "choose a new folder outside of it"
        faults.append(Problem(str(destination), None, "lies in the set itself", fix))
    elif real_destination in real_source.parents or (
        destination.exists() and (not destination.is_dir() or any(destination.iterdir()))
    ):
        faults.append(Problem(str(destination), None, "is not an empty folder", "choose a new folder"))
    if faults:
        raise RecordingSetError(faults)


def _identifying(old: RecordingSet) -> set[str]:
    found: set[str] = set()
    for item in old.recordings:
        found |= {item.video_id, item.patient_id}
        found |= {path.stem for path in (item.video, item.audio, item.pose, item.transcript) if path}
    return found


def _not_copied(old: RecordingSet) -> tuple[str, ...]:
    used = {old.directory / name for name in (RECORDINGS, ANNOTATIONS, REPORTS, METADATA)}
    for item in old.recordings:
        used |= set(_files(item))
    files = (path for path in sorted(old.directory.rglob("*")) if path.is_file() and path not in used)
    return tuple(path.relative_to(old.directory).as_posix() for path in files)


def _files(item: Recording) -> list[Path]:
    """Return the files of a recording that are copied."""
    paths = [path for path in (item.video, item.audio, item.transcript) if path]
    if item.pose is None:
        return paths
    frames = [path for _, path in keypoint_files(item.pose)] if item.pose.is_dir() else [item.pose]
    return [*paths, *frames]


class _MediaCopy:
    """Copies the files of recordings under their new names."""

    def __init__(self, destination: Path, ids: OpaqueIds, scrubber: Scrubber, texts: bool) -> None:
        self.destination, self.ids, self.scrubber, self.texts = destination, ids, scrubber, texts
        self.recordings: list[Recording] = []
        self.excluded: list[Exclusion] = []
        self.dropped_streams = 0

    def add(self, old: Recording) -> None:
        video_id = self.ids.videos[old.video_id]
        written: list[Path] = []
        try:
            new = replace(
                old,
                video_id=video_id,
                patient_id=self.ids.patients[old.patient_id],
                video=self._media(old.video, "videos", video_id, written),
                audio=self._media(old.audio, "audio", video_id, written) if old.audio else None,
                pose=self._pose(old.pose, video_id, written) if old.pose else None,
                transcript=self._text(old.transcript, video_id, written)
                if old.transcript and self.texts
                else None,
                sha256=None,  # it is of the original film, and would lead back to it
            )
        except (RemuxError, UnicodeDecodeError) as error:
            for path in written:
                if path.is_dir():
                    path.rmdir()
                else:
                    path.unlink(missing_ok=True)
            self.excluded.append(Exclusion(old.video_id, str(error)))
        else:
            self.recordings.append(new)

    def _target(self, old: Path, folder: str, video_id: str, written: list[Path]) -> Path:
        target = self.destination / folder / f"{video_id}{old.suffix.lower()}"
        target.parent.mkdir(exist_ok=True)
        written.append(target)
        return target

    def _media(self, old: Path, folder: str, video_id: str, written: list[Path]) -> Path:
        target = self._target(old, folder, video_id, written)
        copied = remux(old, target)
        written.append(copied.path)
        self.dropped_streams += copied.dropped
        return copied.path

    def _pose(self, old: Path, video_id: str, written: list[Path]) -> Path:
        if not old.is_dir():
            target = self._target(old.with_suffix(".json"), "pose", video_id, written)
            target.write_text(pose_text(old), encoding="utf-8")
            return target
        folder = self.destination / "pose" / video_id
        folder.mkdir(parents=True)
        written.append(folder)
        for number, path in keypoint_files(old):
            written.insert(-1, folder / f"{video_id}_{number:012d}_keypoints.json")
            written[-2].write_text(pose_text(path), encoding="utf-8")
        return folder

    def _text(self, old: Path, video_id: str, written: list[Path]) -> Path:
        text = transcript_text(old, self.scrubber.scrub)
        target = self._target(old, "transcripts", video_id, written)
        target.write_text(text, encoding="utf-8")
        return target


def _write_tables(
    destination: Path,
    old: RecordingSet,
    media: _MediaCopy,
    ids: OpaqueIds,
    scrubber: Scrubber,
    choices: Choices,
) -> None:
    splits = neutral_groups([item.split for item in old.recordings if item.split], "split")
    folds = neutral_groups([item.fold for item in old.recordings if item.fold], "fold")
    recordings = [
        replace(
            item,
            split=splits[item.split] if item.split else None,
            fold=folds[item.fold] if item.fold else None,
        )
        for item in sorted(media.recordings, key=lambda item: item.video_id)
    ]
    kept = {item.video_id for item in recordings}
    annotations = [
        replace(
            item,
            video_id=ids.videos[item.video_id],
            justification=scrubber.scrub(item.justification)
            if item.justification and choices.texts
            else None,
        )
        for item in old.annotations
        if ids.videos[item.video_id] in kept
    ]
    annotations.sort(key=lambda item: (item.video_id, item.feature))
    reports = {
        ids.videos[video_id]: scrubber.scrub(text)
        for video_id, text in old.reports.items()
        if ids.videos[video_id] in kept and choices.texts
    }
    metadata = known_metadata(old.metadata, choices.set_name)
    write_recording_set(destination, recordings, annotations, dict(sorted(reports.items())), metadata)


def _write_key(key: Path, old: RecordingSet, media: _MediaCopy, ids: OpaqueIds) -> None:
    kept = {item.video_id for item in media.recordings}
    rows = [
        {
            "video_id": ids.videos[item.video_id],
            "patient_id": ids.patients[item.patient_id],
            "old_video_id": item.video_id,
            "old_patient_id": item.patient_id,
            "old_video": item.video.relative_to(old.directory).as_posix(),
        }
        for item in old.recordings
        if ids.videos[item.video_id] in kept
    ]
    rows.sort(key=lambda row: row["video_id"])
    write_new_secret(key, table_text(KEY_COLUMNS, rows))
