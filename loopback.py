"""Whether an address is this machine: nothing about a patient goes elsewhere unless the user allowed it."""

from __future__ import annotations

import ipaddress
from urllib.parse import urlparse

ALLOW_REMOTE_VARIABLE = "SEMIOLOGY_ALLOW_REMOTE"


def is_loopback(address: str) -> bool:
    """Tell whether an address, with or without scheme and port, is a loopback one or ``localhost``."""
    host = urlparse(address if "//" in address else f"//{address}").hostname or ""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
