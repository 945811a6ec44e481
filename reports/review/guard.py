"""Who may speak to the local page: this machine, under its own name, with the token of the address."""

from __future__ import annotations

import hmac
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from typing import Any
from urllib.parse import urlsplit

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

HOSTS = frozenset({"127.0.0.1", "localhost"})
LONGEST_BODY = 64_000
_CHANGING = frozenset({"PUT", "POST", "PATCH", "DELETE"})
HEADERS = {
    "content-security-policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; media-src 'self'; connect-src 'self'; "
        "img-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "cross-origin-resource-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cache-control": "no-store",
}


class Guard:
    """Passes on only requests that name this machine and carry the token, and sets the headers of all.

    A page elsewhere on the web can make a browser send requests to 127.0.0.1, also under another name that
    resolves to it; hence the checks of ``Host``, of ``Origin`` and of the token, which it cannot know.
    """

    def __init__(self, app: App, token: str) -> None:
        self._app, self._token = app, token

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer or refuse one request."""
        if scope["type"] != "http":
            if scope["type"] == "lifespan":
                await self._app(scope, receive, send)
            return
        headers = {
            name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]
        }
        refusal = self._refusal(scope, headers)
        if refusal is not None:
            await _refuse(send, refusal)
            return

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                kept = [pair for pair in message.get("headers", []) if pair[0].decode() not in HEADERS]
                message["headers"] = [*kept, *_encoded(HEADERS.items())]
            await send(message)

        await self._app(scope, receive, with_headers)

    def _refusal(self, scope: Scope, headers: MutableMapping[str, str]) -> int | None:
        """Return the status of a refusal, or None."""
        if _host(headers.get("host", "")) not in HOSTS:
            return 421
        given = str(scope["path"]).split("/")[1] if "/" in str(scope["path"]) else ""
        if not hmac.compare_digest(given.encode(), self._token.encode()):
            return 404
        if scope["method"] in _CHANGING:
            if headers.get("origin", f"http://{headers['host']}") != f"http://{headers['host']}":
                return 403
            if headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
                return 403
            if not headers.get("content-type", "").startswith("application/json"):
                return 415
            length = headers.get("content-length", "")
            if not length.isdigit():
                return 411
            if int(length) > LONGEST_BODY:
                return 413
        return None


async def _refuse(send: Send, status: int) -> None:
    headers = [*_encoded(HEADERS.items()), (b"content-type", b"text/plain; charset=utf-8")]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": b"refused\n"})


def _encoded(pairs: Iterable[tuple[str, str]]) -> list[tuple[bytes, bytes]]:
    return [(name.encode(), value.encode()) for name, value in pairs]


def _host(text: str) -> str:
    try:
        return urlsplit(f"//{text}").hostname or ""
    except ValueError:
        return ""
