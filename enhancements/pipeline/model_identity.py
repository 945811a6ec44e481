"""By what a cache tells one network from another: the content of its weights, the version of its package."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from semiology.data.cache import cache_directory, content_digest


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
