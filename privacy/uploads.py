"""Where the answers of a run would go: lmms-eval can upload results and samples to services elsewhere.

Samples hold recordings' ids, annotations and justifications, so an upload needs the same word of the user as
sending the media does.
"""

from __future__ import annotations

import sys
from typing import Any

from semiology.privacy.remote_models import RemoteError, allowed
from semiology.settings import ALLOW_REMOTE

OFFLINE_MODES = frozenset({"offline", "disabled", "dryrun", "local"})


def check_uploads(tracker: Any) -> None:
    """Refuse a run whose answers would be uploaded when it ends.

    Args:
        tracker: lmms-eval's ``EvaluationTracker`` (``--hf_hub_log_args``), or None. Runs that Weights and
            Biases (``--wandb_args``) or SwanLab (``--swanlab_args``) already record are found in their
            packages.

    Raises:
        RemoteError: There is an upload, and ``SEMIOLOGY_ALLOW_REMOTE=1`` is not set.
    """
    if allowed():
        return
    pushed = [
        kind for kind in ("results", "samples") if getattr(tracker, f"push_{kind}_to_hub", False) is not False
    ]
    if pushed:
        _refuse("--hf_hub_log_args", f"{' and '.join(pushed)} to the Hugging Face hub", "drop push_*_to_hub")
    for option, package, fix in (
        ("--wandb_args", "wandb", "add mode=offline"),
        ("--swanlab_args", "swanlab", "add mode=offline"),
    ):
        if _records_online(sys.modules.get(package)):
            _refuse(option, f"the results to the service of {package}", fix)


def _records_online(package: Any) -> bool:
    """Tell whether a tracking package that is loaded has a run that is not kept on this machine."""
    if package is None:
        return False
    run = getattr(package, "run", None)
    if run is None and callable(getattr(package, "get_run", None)):
        run = package.get_run()
    if run is None:
        return False
    settings = getattr(run, "settings", None)
    modes = [getattr(settings, name, None) for name in ("mode", "_mode")] + [getattr(run, "mode", None)]
    return not any(str(mode).lower() in OFFLINE_MODES for mode in modes if mode is not None)


def _refuse(option: str, what: str, fix: str) -> None:
    raise RemoteError(
        f"{option} would send {what}, with recordings' ids and annotations. Keep them here ({fix}), or, if "
        f"your ethics approval covers it, set {ALLOW_REMOTE}=1"
    )
