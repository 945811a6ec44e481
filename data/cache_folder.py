"""Where files made from recordings and answers lie: one folder, readable by its owner alone."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

CACHE_VARIABLE = "SEMIOLOGY_CACHE"


def cache_directory() -> Path:
    """Return the folder for derived files, created for this user alone."""
    chosen = os.environ.get(CACHE_VARIABLE)
    folder = Path(chosen).expanduser() if chosen else Path.home() / ".cache" / "semiology"
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    return folder.resolve()


def private_folder(folder: Path) -> None:
    """Make a folder, or change it, so that its owner alone may look into it."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    folder.chmod(0o700)


@contextmanager
def written_whole(target: Path) -> Iterator[Path]:
    """Give a file of a fresh name to write to, and rename it to ``target`` only when all went well."""
    handle, name = tempfile.mkstemp(dir=target.parent, suffix=".part")  # readable for the owner alone
    os.close(handle)
    unfinished = Path(name)
    try:
        yield unfinished
        unfinished.replace(target)
    finally:
        unfinished.unlink(missing_ok=True)
