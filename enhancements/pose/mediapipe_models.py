"""The networks that the package ``mediapipe`` carries (Apache-2.0): one person's pose, and faces.

Version 0.10.21 is the last whose wheel holds the models; later ones fetch them. Its wheels are for Python 3.9 to 3.12,
and what it declares (NumPy below 2, protobuf below 5, desktop OpenCV) contradicts this package: it is installed with
``pip install --no-deps mediapipe==0.10.21``, which the tests do.
"""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import Any

from semiology.enhancements.pipeline.cache import installed_version
from semiology.enhancements.pose.keypoints import KeypointsUnavailableError

VERSION = "0.10.21"
_FIX = f"pip install --no-deps mediapipe=={VERSION} absl-py flatbuffers (Python 3.9 to 3.12)"


def open_solutions(model: str) -> Any:
    """Return ``mediapipe.solutions`` after a look at the file of a model, given by folder and name without ending.

    Raises:
        KeypointsUnavailableError: the package is missing, lacks a package itself, fails beside what is installed, or
            carries no models.
    """
    try:
        package = import_module("mediapipe")
    except ImportError as error:
        missing = error.name or "a part of it"
        raise KeypointsUnavailableError(
            f"mediapipe cannot be used, {missing} is not installed: {_FIX}, or another source of keypoints"
        ) from None
    except Exception as error:  # noqa: BLE001 - old generated code fails as it likes over newer libraries
        beside = " and ".join(f"{name} {installed_version(name)}" for name in ("numpy", "protobuf"))
        raise KeypointsUnavailableError(
            f"mediapipe cannot be used beside {beside} ({error}): install the versions of constraints.txt, "
            "or give another source of keypoints"
        ) from None
    folder = Path(str(package.__file__)).parent / "modules"
    if not (folder / f"{model}.tflite").is_file() or not hasattr(package, "solutions"):
        found = installed_version("mediapipe") or getattr(package, "__version__", "of unknown version")
        raise KeypointsUnavailableError(f"mediapipe {found} carries no models, unlike {VERSION}: {_FIX}")
    return package.solutions
