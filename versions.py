"""Which versions of the packages that read, ask and score are installed: every run records them."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from importlib.metadata import PackageNotFoundError, version

RECORDED_PACKAGES = (
    "semiology-eval",
    "lmms-eval",
    "torch",
    "transformers",
    "decord2",
    "av",
    "qwen-vl-utils",
    "numpy",
    "pandas",
)


def installed_versions(packages: Iterable[str] = RECORDED_PACKAGES) -> dict[str, str | None]:
    """Return the version of each package; None where one is not installed."""
    return {name: _version(name) for name in packages}


def version_line() -> str:
    """Return the version of Semiology and, in brackets, of what it stands on; nothing heavy is imported."""
    found = installed_versions()
    own = found.pop("semiology-eval")
    return f"semiology {own} ({', '.join(f'{name} {known}' for name, known in found.items() if known)})"


@cache
def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None
