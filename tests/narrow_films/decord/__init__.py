"""decord as it is on processors with AVX-512, AVX2 and SSE at once, for the tests: it refuses narrow films.

``tests/conftest.py`` puts this folder first on the path, in child processes too. The real package is loaded in
its place; its reader then refuses every width that decord2 3.4.0 was seen to refuse on some processor.
"""

import importlib.util
import sys
from importlib.machinery import PathFinder
from pathlib import Path
from typing import Any

REFUSED = (2, 4, 6, 8, 12, 16, 24, 32, 36, 48, 72, 96, 144)

_elsewhere = [folder for folder in sys.path if Path(folder).resolve() != Path(__file__).resolve().parents[1]]
_spec = PathFinder.find_spec("decord", _elsewhere)
if _spec is None or _spec.loader is None:
    raise ImportError("decord2 is not installed")
_real: Any = importlib.util.module_from_spec(_spec)
sys.modules["decord"] = _real
_spec.loader.exec_module(_real)


class _Narrow(_real.VideoReader):  # type: ignore[misc]
    def _shown(self, pictures: Any) -> Any:
        height, width, colours = pictures.shape[-3:]
        if width in REFUSED:
            raise _real.DECORDError(
                "/project/src/runtime/ndarray.cc:171: Check failed: from_size == to_size "
                f"({height * width * (colours + 1)} vs. {height * width * colours}) "
                "DECORDArrayCopyFromTo: The size must exactly match"
            )
        return pictures

    def get_batch(self, indices: Any) -> Any:
        return self._shown(super().get_batch(indices))

    def next(self) -> Any:
        return self._shown(super().next())

    def __getitem__(self, index: Any) -> Any:
        return self._shown(super().__getitem__(index))


_Narrow.__name__ = _Narrow.__qualname__ = "VideoReader"
_real.VideoReader = _Narrow
