"""The networks that the package ``mediapipe`` carries (Apache-2.0): one person's pose, and faces.

Version 0.10.21 is the last whose wheel holds the models; later ones fetch them. Its wheels are for Python 3.9 to 3.12,
and what it declares (NumPy below 2, protobuf below 5, desktop OpenCV) contradicts this package: it is installed with
``pip install --no-deps mediapipe==0.10.21``, which the tests do. Where that fails, ``SEMIOLOGY_MEDIAPIPE`` names an
environment of its own, in which the networks run as a process of their own.
"""

from __future__ import annotations

import json
import subprocess
import weakref
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from importlib.metadata import distributions
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from semiology.data.problems import SettingsError
from semiology.enhancements.pipeline.cache import installed_version
from semiology.enhancements.pose import mediapipe_networks
from semiology.enhancements.pose.keypoints import KeypointsUnavailableError
from semiology.enhancements.pose.mediapipe_networks import SIZE, NoModelsError, network
from semiology.settings import MEDIAPIPE

VERSION = "0.10.21"
_INSTALL = f"pip install --no-deps mediapipe=={VERSION} absl-py flatbuffers (Python 3.9 to 3.12)"
_OWN = f"an environment of its own with mediapipe=={VERSION} in {MEDIAPIPE}"
_LAST = 600
"""Characters of what the process said last, for the message."""


def mediapipe_version() -> str | None:
    """Return the version that will look at pictures, or None where there is none."""
    folder = MEDIAPIPE.folder()
    if folder is None:
        return installed_version("mediapipe")
    paths = [str(path) for path in (*folder.glob("lib/python*/site-packages"), folder / "Lib/site-packages")]
    found = [each.version for each in distributions(name="mediapipe", path=paths)]
    return found[0] if found else None


def open_network(kind: str, score: float) -> Network:
    """Return what looks at pictures; ``pose`` and ``faces`` are told in `mediapipe_networks.network`.

    Raises:
        KeypointsUnavailableError: the package is missing, lacks a package itself, fails beside what is installed, or
            carries no models.
        SettingsError: ``SEMIOLOGY_MEDIAPIPE`` names no environment.
    """
    folder = MEDIAPIPE.folder()
    if folder is not None:
        return _OwnProcess(_python_of(folder), kind, score)
    try:
        return _Here(*network(kind, score))
    except Exception as error:  # noqa: BLE001 - old generated code fails as it likes over newer libraries
        raise _unavailable(type(error).__name__, str(error), getattr(error, "name", None)) from None


class Network(Protocol):
    """Looks at pictures, uint8, (height, width, 3), red first, until it is closed."""

    def __call__(self, picture: NDArray[np.uint8], /) -> NDArray[np.float64]:
        """Return the rows that it finds; no row where there is nobody.

        Raises:
            KeypointsUnavailableError: its process ended.
        """

    def close(self) -> None:
        """Free what it holds."""


@dataclass(frozen=True)
class _Here:
    """A network in this process."""

    rows_of: Callable[[Any], mediapipe_networks.Rows]
    close: Callable[[], None]

    def __call__(self, picture: NDArray[np.uint8], /) -> NDArray[np.float64]:
        return np.asarray(self.rows_of(picture), dtype=np.float64)


def _unavailable(kind: str, message: str, missing: str | None) -> KeypointsUnavailableError:
    """Return what is to be told where the networks cannot be opened, here or in another process."""
    own = MEDIAPIPE.folder()
    fix = f"pip install mediapipe=={VERSION} in {own}" if own else _INSTALL
    if kind in ("ImportError", "ModuleNotFoundError"):
        return KeypointsUnavailableError(
            f"mediapipe cannot be used, {missing or 'a part of it'} is not installed: {fix}, "
            + ("" if own else f"{_OWN}, ")
            + "or another source of keypoints"
        )
    if kind == NoModelsError.__name__:
        found = mediapipe_version() or message
        return KeypointsUnavailableError(f"mediapipe {found} carries no models, unlike {VERSION}: {fix}")
    if own:
        return KeypointsUnavailableError(f"mediapipe cannot be used in {own} ({message}): {fix}")
    beside = " and ".join(f"{name} {installed_version(name)}" for name in ("numpy", "protobuf"))
    return KeypointsUnavailableError(
        f"mediapipe cannot be used beside {beside} ({message}): name {_OWN}, or give another source of keypoints"
    )


def _python_of(folder: Path) -> Path:
    for each in (folder / "bin" / "python", folder / "Scripts" / "python.exe"):
        if each.exists():
            return each
    raise SettingsError(
        f"{MEDIAPIPE}={folder}: there is no bin/python → python3.12 -m venv {folder}; "
        f"{folder}/bin/pip install mediapipe=={VERSION}"
    )


class _OwnProcess:
    """A network in a process of another Python; it ends with this object."""

    def __init__(self, python: Path, kind: str, score: float) -> None:
        command = [str(python), str(mediapipe_networks.__file__), kind, str(score)]
        self._said = TemporaryFile()  # noqa: SIM115 - open as long as the process
        self._process = subprocess.Popen(  # noqa: S603 - the interpreter that the user named, and our own file
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._said
        )
        self.close = weakref.finalize(self, _end, self._process)
        first = self._reply()
        if "error" in first:
            self.close()
            raise _unavailable(first["error"], first["message"], first["missing"])

    def __call__(self, picture: NDArray[np.uint8], /) -> NDArray[np.float64]:
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(SIZE.pack(*picture.shape[:2]) + picture.tobytes())
            self._process.stdin.flush()
        except BrokenPipeError:
            pass  # it ended: the missing reply says so
        return np.asarray(self._reply(), dtype=np.float64)

    def _reply(self) -> Any:
        assert self._process.stdout is not None
        if line := self._process.stdout.readline():
            return json.loads(line)
        self._said.seek(0)
        last = self._said.read().decode(errors="replace").strip()[-_LAST:]
        raise KeypointsUnavailableError(f"the process of mediapipe in {MEDIAPIPE.folder()} ended: {last}")


def _end(process: subprocess.Popen[bytes]) -> None:
    process.kill()
    for each in (process.stdin, process.stdout):
        with suppress(BrokenPipeError):
            if each is not None:
                each.close()
    process.wait()
