"""Where media and answers of a run would go: an address that is not this machine's is refused unless allowed by name.

Knows how each of lmms-eval's server classes finds its address (argument, environment, Azure), and which
arguments spread an engine such as vLLM over other machines. `check_address` looks before a model class is
imported; `check_client` looks again at the address that the class really chose, before the first request.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Mapping
from typing import Any

from semiology.privacy.addresses import is_loopback, keep_off_proxies
from semiology.settings import ALLOW_REMOTE

# lmms-eval classes that send the media to a server; the address decides whether that is this machine.
SERVER_MODELS = frozenset(
    {
        "async_openai",
        "async_openai_compatible",
        "async_openai_compatible_chat",
        "litellm",
        "litellm_chat",
        "litellm_compatible",
        "openai",
        "openai_compatible",
        "openai_compatible_chat",
        "semiology_openai",
        "srt_api",
    }
)
# Classes whose service is always somebody else's machine.
CLOUD_MODELS = frozenset(
    {
        "batch_gpt4",
        "claude",
        "cosmos_wm",
        "gemini",
        "gemini_api",
        "gpt4o_audio",
        "gpt4v",
        "qwen_vl_api",
        "reka",
    }
)
HOST_MODELS = frozenset({"srt_api"})
"""Server classes that take ``host``; all others read ``base_url`` and ignore other names of an address."""

ADDRESS_ARGUMENTS = frozenset({"api_base", "azure_endpoint", "base_url", "host", "url"})
ADDRESS_VARIABLES = ("OPENAI_API_BASE", "OPENAI_BASE_URL")
AZURE_VARIABLE = "AZURE_OPENAI_API_BASE"
# Arguments that vLLM and SGLang take on in process: with these they send the media to further machines.
PEER_ARGUMENTS = frozenset({"data_parallel_address", "dist_init_addr", "master_addr"})
CLUSTER_ARGUMENTS = frozenset({"data_parallel_backend", "distributed_executor_backend"})
OFFLINE_MODES = frozenset({"offline", "disabled", "dryrun", "local"})
"""Of trackers that keep a run on this machine."""


class RemoteError(ValueError):
    """A run would send patient media to another machine; the message says where and what to do."""


def check_address(model: str, model_args: str | Mapping[str, Any]) -> None:
    """Refuse to send patient media to another machine unless the user allowed it by name.

    A server of this machine is kept away from a proxy that the environment names, and an address from the
    environment is fixed there, so that a ``.env`` file read later cannot replace it. Arguments of the model are as
    typed or by name.

    Raises:
        RemoteError: The class talks to an address that is not loopback, or spreads over machines, and
            ``SEMIOLOGY_ALLOW_REMOTE=1`` is not set.
    """
    if ALLOW_REMOTE.is_on():
        return
    arguments = _pairs(model_args)
    if model not in SERVER_MODELS | CLOUD_MODELS:
        _check_engine(model, arguments)
        return
    addresses = list(_addresses(model, arguments))
    foreign = [address for address in addresses if not is_loopback(address)]
    if foreign or not addresses or model in CLOUD_MODELS:
        _refuse(model, ", ".join(foreign) or "the provider of that service")
    keep_off_proxies(addresses)


def check_client(lm: Any) -> None:
    """Refuse a model class whose client, now that it is made, talks to an address that is not loopback.

    Raises:
        RemoteError: It does, and ``SEMIOLOGY_ALLOW_REMOTE=1`` is not set.
    """
    address = getattr(getattr(lm, "client", None), "base_url", None)
    if address is None or ALLOW_REMOTE.is_on():
        return
    if not is_loopback(str(address)):
        _refuse(type(lm).__name__, str(address))


def _refuse(model: str, target: str) -> None:
    raise RemoteError(
        f"--model {model} would send the frames (and the sound) of every recording to {target}. Use a server "
        f"on this machine (base_url=http://127.0.0.1:8000/v1), or, if your ethics approval covers it, set "
        f"{ALLOW_REMOTE}=1"
    )


def _addresses(model: str, arguments: list[tuple[str, str]]) -> Iterator[str]:
    """Yield every address that a server class may use, and every other one that is typed."""
    read = "host" if model in HOST_MODELS else "base_url"
    given = [(key, value) for key, value in arguments if key in ADDRESS_ARGUMENTS]
    yield from (value for key, value in given if key == read or not is_loopback(value))
    # as lmms-eval reads an argument as true
    if any(
        key == "azure_openai" and value.lower() not in ("", "false", "0", "0.0") for key, value in arguments
    ):
        yield os.environ.get(AZURE_VARIABLE) or "the Azure OpenAI service"
    if any(key == read for key, _ in given) or model in HOST_MODELS:
        return
    found = [os.environ[name] for name in ADDRESS_VARIABLES if os.environ.get(name)]
    yield from found
    if found and all(is_loopback(address) for address in found):
        os.environ.setdefault(ADDRESS_VARIABLES[0], found[0])


def _check_engine(model: str, arguments: list[tuple[str, str]]) -> None:
    """Refuse arguments with which an engine in this process hands the media to further machines.

    Raises:
        RemoteError: There is such an argument.
    """
    for key, value in arguments:
        several = key == "nnodes" and value not in ("", "1")
        cluster = key in CLUSTER_ARGUMENTS and "ray" in value.lower()
        if several or cluster or (key in PEER_ARGUMENTS and value and not is_loopback(value)):
            _refuse(model, f"every machine of the cluster that {key}={value} joins")


def _pairs(model_args: str | Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return the arguments as pairs of stripped texts, however often each is given."""
    if isinstance(model_args, Mapping):
        return [(str(key).strip(), str(value).strip()) for key, value in model_args.items()]
    parts = [part.partition("=") for part in model_args.split(",")]
    return [(key.strip(), value.strip()) for key, _, value in parts if value.strip()]


def check_uploads(tracker: Any) -> None:
    """Refuse a run whose answers lmms-eval would upload when it ends, to services elsewhere.

    Samples hold recordings' ids, annotations and justifications, so an upload needs the same word of the user as
    sending the media does. The tracker is lmms-eval's ``EvaluationTracker`` (``--hf_hub_log_args``), or None; runs
    that Weights and Biases (``--wandb_args``) or SwanLab (``--swanlab_args``) already record are found in their
    packages.

    Raises:
        RemoteError: There is an upload, and ``SEMIOLOGY_ALLOW_REMOTE=1`` is not set.
    """
    if ALLOW_REMOTE.is_on():
        return
    pushed = [
        kind for kind in ("results", "samples") if getattr(tracker, f"push_{kind}_to_hub", False) is not False
    ]
    if pushed:
        _refuse_upload(
            "--hf_hub_log_args", f"{' and '.join(pushed)} to the Hugging Face hub", "drop push_*_to_hub"
        )
    for package in ("wandb", "swanlab"):
        if _records_online(sys.modules.get(package)):
            _refuse_upload(
                f"--{package}_args", f"the results to the service of {package}", "add mode=offline"
            )


def _records_online(package: Any) -> bool:
    """Tell whether a tracking package that is loaded has a run that is not kept on this machine."""
    run = getattr(package, "run", None)
    if run is None and callable(getattr(package, "get_run", None)):
        run = package.get_run()
    if run is None:
        return False
    settings = getattr(run, "settings", None)
    modes = [getattr(settings, name, None) for name in ("mode", "_mode")] + [getattr(run, "mode", None)]
    return not any(str(mode).lower() in OFFLINE_MODES for mode in modes if mode is not None)


def _refuse_upload(option: str, what: str, fix: str) -> None:
    raise RemoteError(
        f"{option} would send {what}, with recordings' ids and annotations. Keep them here ({fix}), or, if "
        f"your ethics approval covers it, set {ALLOW_REMOTE}=1"
    )
