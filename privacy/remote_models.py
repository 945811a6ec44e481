"""Where the media of a run would go: an address that is not this machine's is refused unless allowed by name.

Knows how each of lmms-eval's server classes finds its address (argument, environment, Azure), and which
arguments spread an engine such as vLLM over other machines. `check_address` looks before a model class is
imported; `check_client` looks again at the address that the class really chose, before the first request.
"""

from __future__ import annotations

import os
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


class RemoteError(ValueError):
    """A run would send patient media to another machine; the message says where and what to do."""


def allowed() -> bool:
    """Tell whether the user allowed other machines by name."""
    return ALLOW_REMOTE.is_on()


def check_address(model: str, model_args: str | Mapping[str, Any]) -> None:
    """Refuse to send patient media to another machine unless the user allowed it by name.

    A server of this machine is kept away from a proxy that the environment names, and an address from the
    environment is fixed there, so that a ``.env`` file read later cannot replace it.

    Args:
        model: lmms-eval model name.
        model_args: Its arguments, as typed or by name.

    Raises:
        RemoteError: The class talks to an address that is not loopback, or spreads over machines, and
            ``SEMIOLOGY_ALLOW_REMOTE=1`` is not set.
    """
    if allowed():
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
    if address is None or allowed():
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
    if any(key == "azure_openai" and _true(value) for key, value in arguments):
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


def _true(value: str) -> bool:
    """Tell whether lmms-eval reads an argument as true."""
    return value.lower() not in ("", "false", "0", "0.0")


def _pairs(model_args: str | Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return the arguments as pairs of stripped texts, however often each is given."""
    if isinstance(model_args, Mapping):
        return [(str(key).strip(), str(value).strip()) for key, value in model_args.items()]
    parts = [part.partition("=") for part in model_args.split(",")]
    return [(key.strip(), value.strip()) for key, _, value in parts if value.strip()]
