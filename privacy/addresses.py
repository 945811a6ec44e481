"""Whether an address is this machine: nothing about a patient goes elsewhere unless the user allowed it."""

from __future__ import annotations

import ipaddress
import os
import re
from collections.abc import Iterable
from urllib.parse import urlsplit
from urllib.request import proxy_bypass_environment  # type: ignore[attr-defined]

_READ_OTHERWISE = re.compile(r"[^\x21-\x7e]|[%\\@?#]")
"""What one client reads in another way than the next: percent signs, zone ids, user names, spaces, letters of IDNA."""


def is_loopback(address: str) -> bool:
    """Tell whether an HTTP address, or a host with or without a port, is this machine's loopback interface.

    Strict: another scheme than HTTP's, a user name, a percent sign (``::1%25eth0``) or anything else that two
    clients may read differently makes it none.
    """
    if _READ_OTHERWISE.search(address):
        return False
    if is_loopback_host(address):
        return True
    scheme, mark, rest = address.partition("://")
    if mark and scheme.lower() not in ("http", "https"):
        return False
    try:
        parts = urlsplit(f"//{rest if mark else address}")
        _ = parts.port  # raises where it is no number
    except ValueError:  # brackets that hold no IPv6 address
        return False
    return is_loopback_host(parts.hostname or "")


def is_loopback_host(host: str) -> bool:
    """Tell whether a bare host, without scheme and port, is ``localhost`` or a loopback address in its usual form."""
    if host == "localhost":
        return True
    try:
        return "%" not in host and ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def host_of(address: str) -> str:
    """Return the host of an address, with or without scheme and port; empty where there is none."""
    try:
        return urlsplit(address if "//" in address else f"//{address}").hostname or ""
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
