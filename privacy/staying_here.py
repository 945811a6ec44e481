"""A command beside patient media keeps to this machine: libraries' own calls are off, connections are refused.

Libraries look for weights, count downloads, report usage and probe clouds when they are imported, so their switches
are set before. Weights that are not on this machine are fetched only with ``SEMIOLOGY_ALLOW_DOWNLOAD=1``, and then
while the model is loaded, before the first question.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from semiology.privacy import socket_guard
from semiology.settings import ALLOW_DOWNLOAD, ALLOW_REMOTE

SILENT = {
    "HF_UPDATE_DOWNLOAD_COUNTS": "0",  # `datasets` counts each load_dataset on a server
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "DO_NOT_TRACK": "1",
    "VLLM_NO_USAGE_STATS": "1",
    "VLLM_DO_NOT_TRACK": "1",
    "RAY_USAGE_STATS_ENABLED": "0",  # its report also probes the metadata addresses of clouds
    "LITELLM_LOCAL_MODEL_COST_MAP": "True",  # fetches a list of prices otherwise
    "OTEL_SDK_DISABLED": "true",
    "ANONYMIZED_TELEMETRY": "False",
}
"""Reports of libraries to their makers, off in every command, whatever is allowed."""
OFFLINE = {
    "HF_HUB_OFFLINE": "1",
    "HF_DATASETS_OFFLINE": "1",
    "TRANSFORMERS_OFFLINE": "1",
    "HF_EVALUATE_OFFLINE": "1",
}
"""The model hub is not asked."""
LOOPBACK = {"VLLM_HOST_IP": "127.0.0.1", "no_proxy": "*", "NO_PROXY": "*"}
"""Engines find their own address without asking, and no proxy exists."""


_ABOUT_THE_HUB = ("OfflineMode", "LocalEntryNotFound", "connect to 'https://huggingface.co'", "offline mode")


def stay_here() -> None:
    """Set the switches of libraries, and refuse connections to other machines unless the user allowed some.

    What is imported already is switched too. A second call is harmless.
    """
    os.environ |= SILENT
    config: Any = sys.modules.get("datasets.config")
    if config is not None:
        config.HF_UPDATE_DOWNLOAD_COUNTS = False
    if ALLOW_REMOTE.is_on() or ALLOW_DOWNLOAD.is_on():
        return
    os.environ |= OFFLINE
    if config is not None:
        config.HF_HUB_OFFLINE = config.HF_DATASETS_OFFLINE = True
    constants: Any = sys.modules.get("huggingface_hub.constants")
    if constants is not None:
        constants.HF_HUB_OFFLINE = True
    _close()


def nothing_leaves_now() -> None:
    """Refuse connections from here on, downloads too: the weights are loaded, the recordings come next."""
    if not ALLOW_REMOTE.is_on():
        _close()


def download_hint(error: Exception) -> str:
    """Return how to get weights that are not on this machine, where that is what an error is about; else nothing."""
    text = f"{type(error).__name__} {error}"
    if ALLOW_DOWNLOAD.is_on() or not any(mark in text for mark in _ABOUT_THE_HUB):
        return ""
    return (
        f" → nothing is downloaded beside patient media: fetch the weights first (`hf download NAME`) or set "
        f"{ALLOW_DOWNLOAD}=1, which shuts the connection again before the first recording is read"
    )


@contextmanager
def fetching() -> Iterator[None]:
    """Let this process reach the model hub while this lasts, because the user asked for a download by name."""
    if not socket_guard.refuses_other_machines():
        yield
        return
    from huggingface_hub import constants

    ours = {**OFFLINE, **LOOPBACK}
    before, known = {name: os.environ.pop(name, None) for name in ours}, constants.HF_HUB_OFFLINE
    constants.HF_HUB_OFFLINE = False
    try:
        with socket_guard.other_machines_allowed():
            yield
    finally:
        os.environ |= {name: value for name, value in before.items() if value is not None}
        constants.HF_HUB_OFFLINE = known


def _close() -> None:
    os.environ |= LOOPBACK
    socket_guard.refuse_other_machines()
