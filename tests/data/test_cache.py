from __future__ import annotations

import hashlib
import os
import stat
from pathlib import Path

import pytest

from semiology.data.cache import content_digest


def test_the_digest_is_that_of_the_content_wherever_it_lies(tmp_path: Path) -> None:
    first, copy = tmp_path / "Doe_Jane.mp4", tmp_path / "else.mp4"
    first.write_bytes(b"pictures" * 1000)
    copy.write_bytes(b"pictures" * 1000)
    cache = tmp_path / "cache"
    expected = hashlib.sha256(b"pictures" * 1000).hexdigest()
    assert content_digest(first, cache) == content_digest(copy, cache) == expected
    files = [path for path in cache.rglob("*") if path.is_file()]
    assert len(files) == 2
    assert all("Doe" not in path.name and b"Doe" not in path.read_bytes() for path in files)
    assert {stat.S_IMODE(path.stat().st_mode) for path in (cache, cache / "digests")} == {0o700}


def test_a_changed_file_is_read_again_and_an_unchanged_one_is_not(tmp_path: Path) -> None:
    path, cache = tmp_path / "a.mp4", tmp_path / "cache"
    path.write_bytes(b"one")
    before = content_digest(path, cache)
    state = path.stat()
    path.write_bytes(b"two")
    os.utime(path, ns=(state.st_atime_ns, state.st_mtime_ns))
    assert content_digest(path, cache) == before  # same size and time: the price of not reading all again
    os.utime(path, ns=(state.st_atime_ns, state.st_mtime_ns + 1))
    assert content_digest(path, cache) == hashlib.sha256(b"two").hexdigest()


def test_a_missing_file_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        content_digest(tmp_path / "none.mp4", tmp_path / "cache")
