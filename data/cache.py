"""The folder of derived files, digests of what files hold, and the one way to write a file whole or not at all."""

from __future__ import annotations

import errno
import fcntl
import hashlib
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from semiology.data.problems import SettingsError
from semiology.settings import CACHE


def cache_directory() -> Path:
    """Return the folder for derived files, created for this user alone."""
    try:
        folder = CACHE.folder() or Path.home() / ".cache" / "semiology"
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        if not os.access(folder, os.W_OK | os.X_OK):
            raise PermissionError(errno.EACCES, "it may not be written")
    except (OSError, RuntimeError) as error:  # RuntimeError: there is no home folder
        where = CACHE.folder() or "~/.cache/semiology"
        reason = getattr(error, "strerror", None) or error
        raise SettingsError(
            f"{where}: the folder for derived files cannot be used ({reason}) → set {CACHE} to a folder of your own"
        ) from None
    return folder.resolve()


def private_folder(folder: Path) -> None:
    """Make a folder, or change it, so that its owner alone may look into it."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    folder.chmod(0o700)


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Be the only one to write into a folder while this lasts; others who ask for it wait."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


UNFINISHED_FILE = (".semiology-", ".part")
"""Beginning and end of the name of a file in the writing; a killed process leaves it behind."""


@contextmanager
def written_whole(target: Path, *, private: bool = True) -> Iterator[Path]:
    """Give a file of a fresh name to write to; rename it to ``target``, in a folder that exists, when all went well.

    It is readable for the owner alone, or, if not ``private``, gets the permissions of any new file.
    """
    prefix, suffix = UNFINISHED_FILE
    handle, name = tempfile.mkstemp(dir=target.parent, prefix=prefix, suffix=suffix)  # for the owner alone
    os.close(handle)
    unfinished = Path(name)
    try:
        yield unfinished
        if not private:
            mask = os.umask(0)
            os.umask(mask)
            unfinished.chmod(0o666 & ~mask)
        unfinished.replace(target)
    finally:
        unfinished.unlink(missing_ok=True)


def write_whole(target: Path, text: str, *, private: bool = False) -> None:
    """Write UTF-8 text with the line ends it has, so that ``target`` never holds half of it."""
    with written_whole(target, private=private) as unfinished:
        unfinished.write_text(text, encoding="utf-8", newline="")


def write_texts(contents: Mapping[str, str | bytes], folder: Path) -> list[Path]:
    """Write texts and bytes by file name into a folder, each whole or not at all; return their paths."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in contents.items():
        with written_whole(folder / name, private=False) as unfinished:
            unfinished.write_bytes(content.encode("utf-8") if isinstance(content, str) else content)
    return [folder / name for name in contents]


def file_digest(path: Path) -> str:
    """Return the SHA-256 of what a file holds now, 64 hexadecimal digits; it is read whole.

    Raises:
        OSError: the file cannot be read.
    """
    digest = hashlib.sha256()
    with path.open("rb") as stream:
        while block := stream.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def content_digest(path: Path, cache: Path) -> str:
    """Return the SHA-256 of a file, 64 hexadecimal digits; large files are read once.

    ``cache/digests``, readable for its owner alone, remembers it under a hash of the file's path, size and time of
    change: only a hash, since the paths of recordings may name patients.

    Raises:
        OSError: the file cannot be read.
    """
    state = path.stat()
    identity = f"{path.resolve()}\0{state.st_size}\0{state.st_mtime_ns}"
    note = cache / "digests" / f"{hashlib.sha256(identity.encode()).hexdigest()}.txt"
    if note.exists():
        return note.read_text(encoding="ascii")
    digest = file_digest(path)
    private_folder(cache)
    private_folder(note.parent)
    with written_whole(note) as unfinished:
        unfinished.write_text(digest, encoding="ascii")
    return digest


def keep_copy(path: Path) -> Path:
    """Copy a file beside itself, under a free name, before it is changed; return the copy's path."""
    number = 1
    while (copy := path.with_name(f"{path.name}.bak{number}")).exists():
        number += 1
    shutil.copy2(path, copy)
    return copy
