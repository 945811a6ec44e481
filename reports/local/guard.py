"""Who may speak to the local page: this machine, under its own name, with the token of the address."""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

HOSTS = frozenset({"127.0.0.1", "localhost"})
LONGEST_BODY = 64_000
_CHANGING = frozenset({"PUT", "POST", "PATCH", "DELETE"})
POLICY = "content-security-policy"
HEADERS = {
    POLICY: (
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

    def __init__(self, app: ASGIApp, token: str) -> None:
        self._app, self._token = app, token

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer or refuse one request."""
        if scope["type"] != "http":
            if scope["type"] == "lifespan":
                await self._app(scope, receive, send)
            return
        refusal = self._refusal(scope, Headers(scope=scope))
        if refusal is not None:
            await PlainTextResponse("refused\n", refusal, HEADERS)(scope, receive, send)
            return

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                own = MutableHeaders(scope=message)
                own.update(
                    {name: value for name, value in HEADERS.items() if name != POLICY or name not in own}
                )
            await send(message)

        await self._app(scope, receive, with_headers)

    def _refusal(self, scope: Scope, headers: Mapping[str, str]) -> int | None:
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


def _host(text: str) -> str:
    try:
        return urlsplit(f"//{text}").hostname or ""
    except ValueError:
        return ""
