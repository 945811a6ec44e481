"""A run or a report owns its folder: it can be written, has room, and no other process writes there meanwhile.

lmms-eval names its files by the second and appends to what it finds, so two runs in one folder can mix their answers.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from filelock import FileLock, Timeout

from semiology.data.cache import UNFINISHED_FILE, write_whole

LOCK = ".semiology.lock"
UNFINISHED = "UNFINISHED.txt"
LEAST_FREE_BYTES = 16 << 20
_FIX = "give --out a folder that you may write"


class FolderError(ValueError):
    """A folder cannot be used for results; the message says why and what to do."""


@contextmanager
def owned_folder(folder: Path) -> Iterator[None]:
    """Keep a folder for this process alone while this lasts; it is made, for its owner alone, where there is none.

    Raises:
        FolderError: it cannot be written, its disk is full, or another process writes there.
    """
    made = not folder.exists()
    check_room(folder)
    try:
        lock = FileLock(folder / LOCK, timeout=0, mode=0o600)
        lock.acquire()
    except Timeout:
        raise FolderError(
            f"{folder}: another command writes there now → give another --out, or wait for it"
        ) from None
    except NotImplementedError:  # a file system without locks
        yield
        return
    except OSError as error:
        raise FolderError(f"{folder}: cannot be written ({error.strerror}) → {_FIX}") from None
    _remove_left_behind(folder)
    try:
        yield
    finally:
        lock.release()
        (folder / LOCK).unlink(missing_ok=True)
        if made:
            with suppress(OSError):  # it holds something
                folder.rmdir()


def _remove_left_behind(folder: Path) -> None:
    """Remove what killed processes left in the writing, here and one folder down: nobody else writes here now."""
    name = "*".join(UNFINISHED_FILE)
    for path in (*folder.glob(name), *folder.glob(f"*/{name}")):
        with suppress(OSError):
            path.unlink()


@contextmanager
def written_together(folder: Path) -> Iterator[None]:
    """Own a folder while files that belong together are written; `UNFINISHED` lies in it until all of them are there.

    Raises:
        FolderError: as for `owned_folder`.
    """
    with owned_folder(folder):
        write_whole(folder / UNFINISHED, "These files are not all there yet: run the command again.\n")
        yield
        (folder / UNFINISHED).unlink()


def expect_room(folder: Path) -> None:
    """See that a folder can be made and written, without making it, before anything takes long.

    Raises:
        FolderError: it cannot, as far as the nearest folder that is there tells.
    """
    place = folder.expanduser().absolute()
    try:
        while not os.path.lexists(place):
            place = place.parent
        if not place.is_dir():
            raise FolderError(f"{folder}: cannot be written ({place} is no folder) → {_FIX}")
        if not os.access(place, os.W_OK | os.X_OK):
            raise FolderError(f"{folder}: cannot be written (Permission denied: {place}) → {_FIX}")
        free = shutil.disk_usage(place).free
    except OSError as error:
        raise FolderError(f"{folder}: cannot be written ({error.strerror}) → {_FIX}") from None
    _refuse_full(folder, free)


def check_room(folder: Path) -> None:
    """Make a folder and see that files can be written there, before anything takes long.

    Raises:
        FolderError: they cannot.
    """
    trial = folder / f"{LOCK}.trial"
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        trial.write_bytes(b"x")
        trial.unlink()
        free = shutil.disk_usage(folder).free
    except OSError as error:
        raise FolderError(f"{folder}: cannot be written ({error.strerror}) → {_FIX}") from None
    _refuse_full(folder, free)


def _refuse_full(folder: Path, free: int) -> None:
    if free < LEAST_FREE_BYTES:
        raise FolderError(
            f"{folder}: its disk has {free >> 10} KiB left, too little for results → make room, or {_FIX}"
        )
