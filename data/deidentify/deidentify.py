"""De-identification of a recording set: opaque ids, media without metadata, scrubbed free text.

This is no anonymisation. Faces and voices stay in the media, and how a seizure looks may identify a person.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from semiology.data.check import Exclusion
from semiology.data.deidentify.opaque_ids import OpaqueIds, opaque_ids
from semiology.data.deidentify.scrubbing import Scrubber
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
_TRANSCRIPT_LIMIT_BYTES = 10_000_000


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
    """

    recordings: int
    patients: int
    replaced: Mapping[str, int]
    dropped_streams: int
    excluded: tuple[Exclusion, ...]
    not_copied: tuple[str, ...]
    key: Path | None


def deidentify(
    source: Path,
    destination: Path,
    *,
    key: Path | None = None,
    seed: int | None = None,
    names: Sequence[str] = (),
    on_recording: Callable[[int, int], None] | None = None,
) -> Deidentified:
    """Write a copy of a recording set with opaque ids.

    Media are stream-copied without any container metadata; justifications, reports, transcripts and
    ``dataset.yaml`` are scrubbed (see `Scrubber`). Pose files are copied as they are; of a folder those that
    OpenPose wrote, under the new id.

    Args:
        source: The set; it must be valid.
        destination: New folder (it may exist if it is empty).
        key: New file for the table of old and new ids, outside of ``destination``; by default none.
        seed: Draws the new ids; ``None`` (better) takes the system's randomness.
        names: Further words to remove from free text, such as names of patients and staff.
        on_recording: Called with (done, all) after each recording.

    Raises:
        RecordingSetError: The set is not valid, a path is not acceptable, or the folder cannot be made.
    """
    source, destination = source.expanduser().absolute(), destination.expanduser().absolute()
    key = key.expanduser().absolute() if key else None
    _refuse_paths(source, destination, key)
    old = read_recording_set(source)
    ids = opaque_ids([(item.patient_id, item.video_id) for item in old.recordings], seed)
    scrubber = Scrubber(_identifying(old), names)
    make_folder(destination)
    media = _MediaCopy(destination, ids, scrubber)
    for done, recording in enumerate(old.recordings, 1):
        media.add(recording)
        if on_recording:
            on_recording(done, len(old.recordings))
    _write_tables(destination, old, media, ids, scrubber)
    if key:
        _write_key(key, old, media, ids)
    return Deidentified(
        recordings=len(media.recordings),
        patients=len({item.patient_id for item in media.recordings}),
        replaced=dict(sorted(scrubber.replaced.items())),
        dropped_streams=media.dropped_streams,
        excluded=tuple(media.excluded),
        not_copied=_not_copied(old),
        key=key,
    )


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

    def __init__(self, destination: Path, ids: OpaqueIds, scrubber: Scrubber) -> None:
        self.destination, self.ids, self.scrubber = destination, ids, scrubber
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
                transcript=self._text(old.transcript, video_id, written) if old.transcript else None,
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
        self.dropped_streams += remux(old, target)
        return target

    def _pose(self, old: Path, video_id: str, written: list[Path]) -> Path:
        if not old.is_dir():
            target = self._target(old, "pose", video_id, written)
            shutil.copyfile(old, target)
            return target
        folder = self.destination / "pose" / video_id
        folder.mkdir(parents=True)
        for number, path in keypoint_files(old):
            written.append(folder / f"{video_id}_{number:012d}_keypoints.json")
            shutil.copyfile(path, written[-1])
        written.append(folder)
        return folder

    def _text(self, old: Path, video_id: str, written: list[Path]) -> Path:
        target = self._target(old, "transcripts", video_id, written)
        if old.stat().st_size > _TRANSCRIPT_LIMIT_BYTES:
            raise RemuxError(f"the transcript {old.name} is too long to be text")
        target.write_text(self.scrubber.scrub(old.read_text(encoding="utf-8-sig")), encoding="utf-8")
        return target


def _write_tables(
    destination: Path, old: RecordingSet, media: _MediaCopy, ids: OpaqueIds, scrubber: Scrubber
) -> None:
    recordings = sorted(media.recordings, key=lambda item: item.video_id)
    kept = {item.video_id for item in recordings}
    annotations = [
        replace(
            item,
            video_id=ids.videos[item.video_id],
            justification=scrubber.scrub(item.justification) if item.justification else None,
        )
        for item in old.annotations
        if ids.videos[item.video_id] in kept
    ]
    annotations.sort(key=lambda item: (item.video_id, item.feature))
    reports = {
        ids.videos[video_id]: scrubber.scrub(text)
        for video_id, text in old.reports.items()
        if ids.videos[video_id] in kept
    }
    metadata = _scrubbed(old.metadata, scrubber)
    assert isinstance(metadata, dict)
    metadata["version"] = old.version
    write_recording_set(destination, recordings, annotations, dict(sorted(reports.items())), metadata)


def _scrubbed(value: object, scrubber: Scrubber) -> object:
    if isinstance(value, Mapping):
        return {key: _scrubbed(item, scrubber) for key, item in value.items()}
    if isinstance(value, list):
        return [_scrubbed(item, scrubber) for item in value]
    if value is None or isinstance(value, (bool, int, float)):
        return value
    return scrubber.scrub(str(value))


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
