"""Where media and answers of a run would go: only what is known to stay on this machine is not refused.

Model classes and their arguments are on a list (`semiology.privacy.local_models`); addresses must be loopback.
Knows how each of lmms-eval's server classes finds its address (argument, environment, Azure), and which
arguments spread an engine such as vLLM over other machines. `check_address` looks before a model class is
imported; `check_client` looks again at the address that the class really chose, before the first request.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterator, Mapping
from typing import Any

from semiology.privacy.addresses import is_loopback, is_loopback_host, keep_off_proxies
from semiology.privacy.http_clients import guard_client_of
from semiology.privacy.local_models import (
    ENGINE_ARGUMENTS,
    IN_PROCESS,
    LITELLM_PROVIDERS,
    MODEL_ARGUMENTS,
    OURS,
    SERVER_ARGUMENTS,
    SERVERS,
)
from semiology.privacy.staying_here import nothing_leaves_now
from semiology.settings import ALLOW_MODELS, ALLOW_REMOTE

# Classes whose service is always somebody else's machine; without this they would be refused as unknown ones are.
CLOUD_MODELS = frozenset(
    {
        "batch_gpt4",
        "claude",
        "cosmos_wm",
        "gemini",
        "gemini_api",
        "generation_api",
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
_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]{0,30}://[^\s\"']*")
_TEXTS = frozenset({"chat_template", "generation_prompt_template", "reasoning_prompt", "system_prompt"})


class RemoteError(ValueError):
    """A run would send patient media to another machine; the message says where and what to do."""


def check_address(model: str, model_args: str | Mapping[str, Any]) -> None:
    """Refuse to send patient media to another machine unless the user allowed it by name.

    A server of this machine is kept away from a proxy that the environment names, and an address from the
    environment is fixed there, so that a ``.env`` file read later cannot replace it. Arguments of the model are as
    typed or by name.

    Raises:
        RemoteError: The class or an argument is not known to keep media here, it talks to an address that is not
            loopback, or spreads over machines, and ``SEMIOLOGY_ALLOW_REMOTE=1`` is not set.
    """
    if ALLOW_REMOTE.is_on():
        return
    arguments = _pairs(model_args)
    _check_machines(model)
    if model not in SERVERS | CLOUD_MODELS:
        _check_known(model, arguments)
        _check_engine(model, arguments)
        return
    if model not in CLOUD_MODELS:
        _check_names(model, arguments, SERVER_ARGUMENTS | MODEL_ARGUMENTS | ADDRESS_ARGUMENTS)
        _check_litellm(model, arguments)
    addresses = list(_addresses(model, arguments))
    own = is_loopback_host if model in HOST_MODELS else is_loopback
    foreign = [address for address in addresses if not own(address)]
    if foreign or not addresses or model in CLOUD_MODELS:
        _refuse(model, ", ".join(foreign) or "the provider of that service")
    keep_off_proxies(addresses)


def check_client(lm: Any) -> None:
    """Refuse a model class whose client talks to an address that is not loopback; guard the client of another.

    To be called once the model is loaded: from here on no connection leaves this machine, redirects are not followed
    and proxies do not exist (see `semiology.privacy.http_clients` and `socket_guard`).

    Raises:
        RemoteError: The address is not loopback, and ``SEMIOLOGY_ALLOW_REMOTE=1`` is not set.
    """
    address = getattr(getattr(lm, "client", None), "base_url", None)
    if address is not None and not ALLOW_REMOTE.is_on() and not is_loopback(str(address)):
        _refuse(type(lm).__name__, str(address))
    guard_client_of(lm)
    nothing_leaves_now()


def _check_known(model: str, arguments: list[tuple[str, str]]) -> None:
    """Refuse a class that is not on the list, an argument that is not, and another machine's address in any."""
    if model not in IN_PROCESS | OURS and model not in ALLOW_MODELS.words():
        raise RemoteError(
            f"--model {model} is not known to keep the recordings on this machine. If you have read it and know "
            f"that it does, set {ALLOW_MODELS}={model}; if it sends them elsewhere and your ethics approval covers "
            f"it, set {ALLOW_REMOTE}=1"
        )
    if model in OURS:
        return
    for key, value in arguments:
        for address in () if key in _TEXTS else _URL.findall(value):
            if not is_loopback(address):
                _refuse(model, f"{address} ({key})")
    if model not in ALLOW_MODELS.words():
        known = MODEL_ARGUMENTS | ENGINE_ARGUMENTS | PEER_ARGUMENTS | CLUSTER_ARGUMENTS | {"nnodes"}
        _check_names(model, arguments, known)


def _check_names(model: str, arguments: list[tuple[str, str]], known: frozenset[str]) -> None:
    for key, _ in arguments:
        if key not in known and model not in OURS | set(ALLOW_MODELS.words()):
            raise RemoteError(
                f"--model {model}: the argument {key} is not known to keep the recordings on this machine. Leave it "
                f"out; if you know that it does, set {ALLOW_MODELS}={model}; if it sends them elsewhere and your "
                f"ethics approval covers it, set {ALLOW_REMOTE}=1"
            )


def _check_litellm(model: str, arguments: list[tuple[str, str]]) -> None:
    """Refuse a provider of LiteLLM that has an address of its own, whatever ``base_url`` says."""
    if not model.startswith("litellm"):
        return
    named = [value for key, value in arguments if key in ("model", "model_version")] or ["openai/gpt-4o-mini"]
    for name in named:
        if name.partition("/")[0] not in LITELLM_PROVIDERS or "/" not in name:
            _refuse(model, f"the provider of {name}")


def _check_machines(model: str) -> None:
    """Refuse a torchrun that spreads over several machines: its processes pass the media on.

    Raises:
        RemoteError: It does.
    """
    machines = os.environ.get("GROUP_WORLD_SIZE", "1")
    if machines not in ("", "1"):
        _refuse(model, f"every one of the {machines} machines of this torchrun")


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
    urls = [url for key, value in arguments if key not in _TEXTS for url in _URL.findall(value)]
    yield from (url for url in urls if not is_loopback(url))
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
        cluster = key in CLUSTER_ARGUMENTS and value.lower().strip("\"'") not in ("", "mp", "uni", "none")
        if several or cluster or (key in PEER_ARGUMENTS and value and not is_loopback(value)):
            _refuse(model, f"every machine of the cluster that {key}={value} joins")


def _pairs(model_args: str | Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return the arguments as pairs of stripped texts, however often each is given, by their names in Python."""
    if isinstance(model_args, Mapping):
        pairs = [(str(key), str(value)) for key, value in model_args.items()]
    else:
        parts = [part.partition("=") for part in _parts(model_args)]
        pairs = [(key, value) for key, _, value in parts if value.strip()]
    return [(key.strip().lstrip("-").replace("-", "_"), value.strip()) for key, value in pairs]


def _parts(model_args: str) -> list[str]:
    """Return the arguments one by one, as lmms-eval separates them: commas within quotes and brackets separate none."""
    from lmms_eval.utils import _smart_comma_split

    return list(_smart_comma_split(model_args)) if model_args.strip() else []


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
