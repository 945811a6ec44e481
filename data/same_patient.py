"""Patients of a set who may be one: ids that differ in form alone, and one film under two patients.

Whoever is drawn into two folds under two ids is trained on and tested on. Such pairs are told by ``data check`` and
refused by whatever divides patients, unless the user says that they are different people.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from semiology.data.cache import cache_directory, content_digest
from semiology.data.problems import Problem, RecordingSetError
from semiology.data.protection.splits import CONFIRM
from semiology.data.recording_set import Recording
from semiology.data.tables.alike_names import alike_names
from semiology.data.tables.reading import RECORDINGS, read_folder

Rows = Sequence[tuple[int, Recording]]
"""Recordings with the numbers of their rows."""

FLAG = "--distinct-patients"


def look_alike_ids(recordings: Rows) -> list[Problem]:
    """Return a problem for each patient id that differs from an earlier one in form alone (``007`` and ``7``)."""
    problems = []
    for row, own, before_row, before in alike_names((row, each.patient_id) for row, each in recordings):
        message = f"patient {own!r} is written like {before!r} in row {before_row}: are they one person?"
        fix = f"give one person one id; different people need ids that differ by more, or {FLAG}"
        problems.append(Problem(RECORDINGS, row, message, fix))
    return problems


def shared_films(recordings: Rows, *, within_patients: bool = True) -> list[Problem]:
    """Return a problem for each video or sound file whose content an earlier row has as well.

    Only files of the same size are read. ``within_patients`` also tells of one film in two rows of a patient.
    """
    problems = []
    for column in ("video", "audio"):
        files = [(row, item, getattr(item, column)) for row, item in recordings]
        present = [(row, item, path) for row, item, path in files if path is not None and path.is_file()]
        for group in _same_content(present):
            (first_row, first), *others = group
            for row, item in others:
                same = item.patient_id == first.patient_id
                if same and not within_patients:
                    continue
                whose = "this patient" if same else f"patient {first.patient_id!r}"
                message = (
                    f"{item.video_id}: its {column} has the same content as that of {first.video_id} in row "
                    f"{first_row}, of {whose}"
                )
                fix = "name the right file, or delete one of the rows"
                if not same:
                    fix += f"; if two people are in one film, {FLAG}"
                problems.append(Problem(RECORDINGS, row, message, fix))
    return problems


def shared_pictures(recordings: Rows, *, surely: bool = False) -> list[Problem]:
    """Return a problem for each video that shows what one of another patient shows, though the files differ.

    ``surely`` leaves out those that only seem to, such as films that were encoded again.
    """
    from semiology.data.media.alike_films import alike_films

    present = [(row, item) for row, item in recordings if item.video.is_file()]
    same = {
        id(item)
        for group in _same_content((row, item, item.video) for row, item in present)
        for _, item in group
    }
    problems = []
    for one, other, equal in alike_films([item.video for _, item in present]):
        (first_row, first), (row, item) = present[one], present[other]
        if first.patient_id == item.patient_id or {id(first), id(item)} <= same or (surely and not equal):
            continue
        shows = "shows the same pictures as" if equal else "seems to show the same as"
        message = (
            f"{item.video_id}: its video {shows} that of {first.video_id} in row {first_row}, of patient "
            f"{first.patient_id!r}"
        )
        fix = f"look at both; name the right file, or delete one of the rows; if two people are in one film, {FLAG}"
        problems.append(Problem(RECORDINGS, row, message, fix))
    return problems


def _same_content(
    files: Iterable[tuple[int, Recording, Path]],
) -> list[list[tuple[int, Recording]]]:
    by_size: dict[int, list[tuple[int, Recording, Path]]] = {}
    for item in files:
        by_size.setdefault(item[2].stat().st_size, []).append(item)
    found: dict[str, list[tuple[int, Recording]]] = {}
    for group in by_size.values():
        if len(group) > 1:
            for row, recording, path in group:
                digest = content_digest(path, cache_directory())
                found.setdefault(digest, []).append((row, recording))
    return [group for group in found.values() if len(group) > 1]


def refuse_doubtful_patients(directory: Path, *, distinct: bool = False) -> None:
    """Refuse to divide the patients of a set while two of them may be one.

    ``distinct``: the user says that they are different people. Pictures of confirm recordings are not looked at here,
    which nobody has opened yet; ``data check`` compares them too.

    Raises:
        RecordingSetError: ids look alike, or one film stands under two patients; every such row is named.
    """
    if distinct:
        return
    recordings = read_folder(directory, require_media=False).recordings
    problems = [*look_alike_ids(recordings), *shared_films(recordings, within_patients=False)]
    kept_back = {
        item.patient_id for _, item in recordings if item.split == CONFIRM
    }  # a patient's split is named once
    problems += shared_pictures(
        [each for each in recordings if each[1].patient_id not in kept_back], surely=True
    )
    if problems:
        raise RecordingSetError(problems)
