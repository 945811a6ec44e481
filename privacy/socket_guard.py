"""The last line of defence: this process, and the Python processes that it starts, connect to this machine alone.

An audit hook of Python (PEP 578) sees every connection, datagram and look-up of a name that Python code wants,
whichever library asks, and refuses what is not loopback, naming who asked. Native code that opens sockets by
itself (gRPC, NCCL) is not seen; the switches of `semiology.privacy.staying_here` are for that.

Only the standard library is imported: each child process loads this file first (``child_guard/sitecustomize.py``).
"""

from __future__ import annotations

import ipaddress
import os
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

CHILD_FOLDER = Path(__file__).with_name("child_guard")
_CONNECTS = frozenset({"socket.connect", "socket.sendto", "socket.sendmsg"})
_LOOKUPS = frozenset({"socket.getaddrinfo", "socket.gethostbyname", "socket.gethostbyaddr"})
# Files that only carry out what somebody else asked for.
_CARRIERS = (
    "socket",
    "ssl",
    "http",
    "urllib",
    "asyncio",
    "selectors",
    "concurrent",
    "threading",
    "contextlib",
)
_LIBRARIES = (
    "urllib3",
    "requests",
    "httpx",
    "httpcore",
    "anyio",
    "aiohttp",
    "aiohappyeyeballs",
    "openai",
    "h2",
)


class RefusedConnectionError(ConnectionRefusedError):
    """A connection to another machine was refused; the message says to where, and who asked."""


class _State:
    def __init__(self) -> None:
        self.hooked, self.refuses = False, False
        self.allowed: set[str] = set()
        self.told: set[str] = set()


_state = _State()


def refuse_other_machines() -> None:
    """Refuse, from now on, what is not loopback; children that are Python do so from their start."""
    if not _state.hooked:
        sys.addaudithook(_hook)
        _state.hooked = True
    _state.refuses = True
    paths = [path for path in os.environ.get("PYTHONPATH", "").split(os.pathsep) if path]
    if str(CHILD_FOLDER) not in paths:
        os.environ["PYTHONPATH"] = os.pathsep.join([str(CHILD_FOLDER), *paths])


def allow_other_machines() -> None:
    """Refuse nothing any more, in this process and in children that start from now on."""
    _state.refuses = False
    paths = os.environ.get("PYTHONPATH", "").split(os.pathsep)
    kept = [path for path in paths if path and path != str(CHILD_FOLDER)]
    if kept:
        os.environ["PYTHONPATH"] = os.pathsep.join(kept)
    elif "PYTHONPATH" in os.environ:
        del os.environ["PYTHONPATH"]


def refuses_other_machines() -> bool:
    """Return whether connections to other machines are refused now."""
    return _state.refuses


def allow_host(host: str) -> None:
    """Let this process talk to one more machine, which the user named and allowed."""
    _state.allowed.add(host)
    try:
        with other_machines_allowed():
            _state.allowed |= {str(found[4][0]) for found in socket.getaddrinfo(host, None)}
    except OSError:  # unknown: the connection will say so
        return


@contextmanager
def other_machines_allowed() -> Iterator[None]:
    """Refuse nothing while this lasts, such as a download that the user asked for."""
    before = _state.refuses
    if before:
        allow_other_machines()
    try:
        yield
    finally:
        if before:
            refuse_other_machines()


def _hook(event: str, arguments: tuple[object, ...]) -> None:
    if not event.startswith("socket.") or not _state.refuses:
        return
    if event in _CONNECTS:
        made, address = arguments[0], arguments[1]
        if (
            address is None
            or getattr(made, "family", None) == socket.AF_UNIX
            or isinstance(address, (str, bytes))
        ):
            return
        if isinstance(address, tuple) and address and isinstance(address[0], (str, bytes)):
            host, port = _text(address[0]), address[1] if len(address) > 1 else None
            if not _stays(host):
                _refuse(f"{host}:{port}")
    elif event in _LOOKUPS:
        name = arguments[0]
        if isinstance(name, (str, bytes)) and not _is_number(_text(name)) and not _stays(_text(name)):
            _refuse(_text(name))


def _text(value: str | bytes) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else value


def _stays(host: str) -> bool:
    # An empty host and 0.0.0.0 are this machine for the kernel.
    if host in ("", "localhost", "0.0.0.0", "::", "<broadcast>") or host in _state.allowed:  # noqa: S104
        return host != "<broadcast>"
    try:
        found = ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return False
    mapped = getattr(found, "ipv4_mapped", None)
    return (mapped or found).is_loopback


def _is_number(host: str) -> bool:
    try:
        ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return False
    return True


def _refuse(target: str) -> None:
    asker = _asker(sys._getframe(2))
    message = (
        f"a connection to {target} was refused: {asker} asked for it while nothing may leave this machine"
    )
    if (key := f"{target} {asker}") not in _state.told:
        _state.told.add(key)
        print(f"semiology: {message}", file=sys.stderr)  # noqa: T201
    raise RefusedConnectionError(13, message)


def _asker(frame: FrameType | None) -> str:
    """Return the nearest file on the stack that is no mere carrier, as ``package/file.py:line``."""
    first = ""
    while frame is not None:
        name = str(frame.f_globals.get("__name__", ""))
        package = name.partition(".")[0]
        place = f"{name or frame.f_code.co_filename}:{frame.f_lineno}"
        if name != __name__ and not package.startswith("_frozen") and name != "semiology_socket_guard":
            first = first or place
            if package not in _CARRIERS and package not in _LIBRARIES:
                return place
        frame = frame.f_back
    return first or "an unknown part of the program"
