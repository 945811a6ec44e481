"""What identifies a checkpoint's weights, so that answers of one are never taken for those of another."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

from semiology.data.cache import content_digest

FILES = ("*.safetensors", "*.json", "*.jinja", "*.txt", "*.model")
"""What a checkpoint needs: weights, configuration, chat template and tokenizer."""

_COMMIT = re.compile(r"[0-9a-f]{40}")


def checkpoint_stamp(pretrained: str, cache: Path, *, revision: str | None = None) -> str:
    """Return a text that changes whenever a checkpoint, a folder or a name on the hub, does.

    A folder is told by the content of its files, which are read once and remembered in the folder ``cache``; a name
    on the model hub by the commit (of ``revision``, ``main`` by default) whose files lie on this machine. Nothing
    is asked of the hub.

    Raises:
        ValueError: the folder holds no weights, or the hub's files are not on this machine.
    """
    folder = Path(pretrained).expanduser()
    if not folder.is_dir():
        if revision and _COMMIT.fullmatch(revision):
            return f"{pretrained}@{revision}"
        from huggingface_hub import try_to_load_from_cache

        found = try_to_load_from_cache(pretrained, "config.json", revision=revision)
        if not isinstance(found, str):
            raise ValueError(
                f"{pretrained}: not on this machine yet; load the model first, or name its commit"
            )
        return f"{pretrained}@{Path(found).parent.name}"
    if folder.parent.name == "snapshots" and _COMMIT.fullmatch(folder.name):
        return f"commit {folder.name}"  # the hub's own cache: files there are named by their content
    files = sorted({path for pattern in FILES for path in folder.glob(pattern) if path.is_file()})
    if not any(path.suffix == ".safetensors" for path in files):
        raise ValueError(f"{folder.name}: the folder holds no *.safetensors file; give a checkpoint's folder")
    digest = hashlib.sha256()
    for path in files:
        digest.update(f"{path.name}\0{content_digest(path, cache)}\n".encode())
    return f"content {digest.hexdigest()}"
