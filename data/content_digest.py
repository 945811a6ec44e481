"""What a file holds, as a digest: the same for a copy elsewhere, another after any change."""

from __future__ import annotations

import hashlib
from pathlib import Path

from semiology.data.cache_folder import private_folder, written_whole


def content_digest(path: Path, cache: Path) -> str:
    """Return the SHA-256 of a file, 64 hexadecimal digits.

    Large files are read once: the digest is remembered in ``cache/digests`` under the file's path, size and
    time of change.

    Args:
        path: the file.
        cache: folder that remembers; made readable for its owner alone. Only a hash of the path is stored,
            since the paths of recordings may name patients.

    Raises:
        OSError: the file cannot be read.
    """
    state = path.stat()
    identity = f"{path.resolve()}\0{state.st_size}\0{state.st_mtime_ns}"
    note = cache / "digests" / f"{hashlib.sha256(identity.encode()).hexdigest()}.txt"
    if note.exists():
        return note.read_text(encoding="ascii")
    digest = hashlib.sha256()
    with path.open("rb") as stream:
        while block := stream.read(1 << 20):
            digest.update(block)
    private_folder(cache)
    private_folder(note.parent)
    with written_whole(note) as unfinished:
        unfinished.write_text(digest.hexdigest(), encoding="ascii")
    return digest.hexdigest()
