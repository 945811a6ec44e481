"""Whether an address is this machine: nothing about a patient goes elsewhere unless the user allowed it."""

from __future__ import annotations

import ipaddress
import os
from collections.abc import Iterable
from urllib.parse import unquote, urlparse
from urllib.request import proxy_bypass_environment  # type: ignore[attr-defined]


def is_loopback(address: str) -> bool:
    """Tell whether an address, with or without scheme and port, is a loopback one or ``localhost``.

    Both the address and what it becomes once its percent signs are decoded must be, since clients decode it.
    """
    return all(_loopback_host(host_of(form)) for form in (address, unquote(address)))


def host_of(address: str) -> str:
    """Return the host of an address, with or without scheme and port; empty where there is none."""
    try:
        return urlparse(address if "//" in address else f"//{address}").hostname or ""
    except ValueError:  # brackets that hold no IPv6 address
        return ""


def keep_off_proxies(addresses: Iterable[str]) -> None:
    """Make HTTP clients of this process talk to these hosts themselves, whatever proxy the environment names.

    ``HTTP_PROXY`` holds for loopback addresses too: without this the proxy would get the media.
    """
    for host in map(host_of, addresses):
        if host and not proxy_bypass_environment(host):
            for name in ("no_proxy", "NO_PROXY"):
                known = os.environ.get(name, "")
                os.environ[name] = f"{known},{host}" if known else host


def _loopback_host(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
