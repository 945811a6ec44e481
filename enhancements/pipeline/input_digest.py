"""What an enhancement's input holds, as a digest: a file, a folder of files, or nothing."""

from __future__ import annotations

import hashlib
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from semiology.data.cache import cache_directory, content_digest, private_folder, written_whole

MISSING = "missing"


def input_digest(path: Path, memory: Path) -> str:
    """Return the SHA-256 of a file's content, or of the names and contents of all files in a folder.

    A file that does not exist gives ``missing``, since its absence decides what a step can do.

    Args:
        path: file or folder; folders are read at any depth, file names count (they number the frames).
        memory: folder that remembers digests by path, size and time of change, so that nothing is read twice.

    Raises:
        OSError: something in it cannot be read.
    """
    if path.is_dir():
        return _folder_digest(path, memory)
    return content_digest(path, memory) if path.exists() else MISSING


def _folder_digest(folder: Path, memory: Path) -> str:
    """Digest a folder whole: one note for all its files, of which OpenPose writes one per frame."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    state = hashlib.sha256(str(folder.resolve()).encode())
    for path in files:
        known = path.stat()
        state.update(f"\0{path.relative_to(folder)}\0{known.st_size}\0{known.st_mtime_ns}".encode())
    note = memory / "digests" / f"{state.hexdigest()}.txt"
    if note.exists():
        return note.read_text(encoding="ascii")
    digest = hashlib.sha256()
    for path in files:
        name, content = path.relative_to(folder).as_posix().encode(), path.read_bytes()
        digest.update(f"{len(name)}:{len(content)}:".encode() + name + content)
    private_folder(memory)
    private_folder(note.parent)
    with written_whole(note) as unfinished:
        unfinished.write_text(digest.hexdigest(), encoding="ascii")
    return digest.hexdigest()


def weights_digest(path: Path | None) -> str | None:
    """Return the digest of a file of weights; ``missing`` where there is none at that path."""
    if path is None:
        return None
    return content_digest(path, cache_directory()) if path.is_file() else "missing"


def installed_version(package: str) -> str | None:
    """Return the version of an installed package, or None."""
    try:
        return version(package)
    except PackageNotFoundError:
        return None
