"""HTTP clients for servers of language models: no redirect is followed, and loopback addresses know no proxy.

A server of this machine that answers with a redirect would otherwise get the client to send the same pictures on
to wherever it names, and ``HTTP_PROXY`` would hand them to a proxy on the way.
"""

from __future__ import annotations

from typing import Any

from semiology.privacy.addresses import is_loopback


class ElsewhereError(ValueError):
    """A client for this machine was about to send a request to another one."""


def http_client(address: str) -> Any:
    """Return an ``httpx.Client`` for a server.

    If the address is loopback, each request's own address must be too (ElsewhereError), and the environment's
    proxies do not exist for it. A remote one, which the caller allowed, keeps the environment's proxies.
    """
    from openai import DefaultHttpxClient

    if not is_loopback(address):
        return DefaultHttpxClient(follow_redirects=False)
    return DefaultHttpxClient(follow_redirects=False, trust_env=False, event_hooks={"request": [_refuse]})


def async_http_client(address: str) -> Any:
    """Return an ``httpx.AsyncClient`` for a server; see `http_client`."""
    from openai import DefaultAsyncHttpxClient

    if not is_loopback(address):
        return DefaultAsyncHttpxClient(follow_redirects=False)
    hooks = {"request": [_refuse_later]}
    return DefaultAsyncHttpxClient(follow_redirects=False, trust_env=False, event_hooks=hooks)


def guard_client_of(lm: Any) -> None:
    """Give the OpenAI client of an lmms-eval model class the HTTP client of this file in place of its own.

    LiteLLM, which makes its clients itself, is told to use such clients.
    """
    client = getattr(lm, "client", None)
    if client is None:
        return
    from openai import AsyncOpenAI, OpenAI

    address = str(getattr(client, "base_url", ""))
    if isinstance(client, AsyncOpenAI):
        lm.client = client.copy(http_client=async_http_client(address))
    elif isinstance(client, OpenAI):
        lm.client = client.copy(http_client=http_client(address))
    elif type(client).__module__.endswith(".litellm"):
        import litellm

        # Only classes with a loopback address come here unless the user allowed more.
        served = client.chat.completions._base_url or ""
        litellm.client_session = http_client(served)
        litellm.aclient_session = async_http_client(served)


def _refuse(request: Any) -> None:
    if not is_loopback(str(request.url.copy_with(query=None, fragment=None))):
        raise ElsewhereError(f"a request to {request.url.host} was not sent: it is not this machine")


async def _refuse_later(request: Any) -> None:
    _refuse(request)
