"""The model hub is asked for weights only where the user allows it; else what lies on this machine is used.

A hub learns which model is fetched, and from where. No text, picture or sound is ever sent to it.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from pathlib import Path

from semiology.privacy.staying_here import fetching

_OFFLINE = "HF_HUB_OFFLINE"


def hub_folder(name: str, patterns: Sequence[str], *, download: bool) -> Path:
    """Return the folder on this machine that holds the files of a model on the hub (``owner/model``).

    ``patterns`` are those of the files that are needed, such as ``*.safetensors``; with ``download`` files that are
    not on this machine may be fetched.

    Raises:
        ValueError: they are not on this machine and may not be fetched, or the hub does not give them.
    """
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError, LocalEntryNotFoundError

    try:
        with fetching() if download else nullcontext():
            return Path(snapshot_download(name, allow_patterns=list(patterns), local_files_only=not download))
    except (HFValidationError, HfHubHTTPError, LocalEntryNotFoundError, OSError) as error:
        if isinstance(error, HFValidationError):
            reason, fix = "it is no name of the model hub", ""
        elif download:
            reason, fix = f"the model hub gives no model of that name ({type(error).__name__})", ""
        else:
            reason = "no model of that name is on this machine (nothing is downloaded unless asked for)"
            fix = "add --allow-download, or "
        raise ValueError(
            f"{name}: there is no such folder, and {reason} → {fix}give the folder of a downloaded one"
        ) from error


@contextmanager
def only_from_here(*, download: bool = False) -> Iterator[None]:
    """Let libraries that load models, and processes that they start meanwhile, fetch nothing from the hub.

    With ``download`` it is allowed after all.
    """
    if download:
        with fetching():
            yield
        return
    from huggingface_hub import constants

    known, given = constants.HF_HUB_OFFLINE, os.environ.get(_OFFLINE)
    constants.HF_HUB_OFFLINE, os.environ[_OFFLINE] = True, "1"
    try:
        yield
    finally:
        constants.HF_HUB_OFFLINE = known
        if given is None:
            del os.environ[_OFFLINE]
        else:
            os.environ[_OFFLINE] = given
