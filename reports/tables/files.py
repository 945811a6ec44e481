"""Several files of a report, each whole or absent."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from semiology.data.cache import written_whole


def write_texts(contents: Mapping[str, str | bytes], folder: Path) -> list[Path]:
    """Write texts and bytes by file name into a folder; return their paths."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in contents.items():
        with written_whole(folder / name, private=False) as unfinished:
            unfinished.write_bytes(content.encode("utf-8") if isinstance(content, str) else content)
    return [folder / name for name in contents]
