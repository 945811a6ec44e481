"""An OpenAI-compatible server: what it says of itself, and requests that end in a reply or in a sentence."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import httpx
from loguru import logger
from openai import (
    APIConnectionError,
    APIStatusError,
    APITimeoutError,
    DefaultHttpxClient,
    OpenAI,
    OpenAIError,
)

from semiology.backends.shared_prefix.questions import UnansweredError
from semiology.privacy.addresses import is_loopback, keep_off_proxies
from semiology.render.text import first_line

CONNECT_S = 10.0
LOOK_AGAIN_S = 2.0
COMEBACKS = 3
"""How often one request is sent again because the server was away in between: it may be what ends the server."""

NOT_UP = (502, 503, 504)
"""What a server, or what stands before it, says while the model is being loaded."""

_CONTEXT = re.compile(
    r"context|max_model_len|maximum model length|max_seq_len|prompt is too long|too many tokens"
    r"|longer than the (?:model|maximum)",
    re.IGNORECASE,
)

WEIGHTS = ("ftype", "n_params", "size")
"""What llama.cpp's server tells of a model's weights."""


class ServerError(ValueError):
    """A server cannot be used at all; the message says why and what to do."""


@dataclass(frozen=True)
class Served:
    """What a server says of the model.

    Attributes:
        model: the name under which it is asked.
        engine: what serves it, with its version where it tells it: ``vllm 0.32.0``.
        root: folder or hub name of the checkpoint, where the server tells it; empty else (llama.cpp, Ollama).
        weights: what else it tells of the weights; llama.cpp their type, how many they are and their bytes.
    """

    model: str
    engine: str
    root: str
    weights: str = ""


class Server:
    """Sends requests to one server, from several threads.

    Args:
        address: such as ``http://127.0.0.1:8000/v1``.
        timeout_s: longest wait for one reply, s.
        retries: how often a request is sent again after 429, 5xx, a time-out or a lost connection, with growing
            pauses (the client library's own).
        patience_s: how long to wait, after these retries, for a server that went away, s.
        sleep: waits; replaced in tests.

    Attributes:
        client: of the library; its ``base_url`` is what the guard of remote addresses looks at.
        bytes_sent: of all requests so far, retries included.
    """

    def __init__(
        self,
        address: str,
        *,
        api_key: str = "none",
        timeout_s: float = 600.0,
        retries: int = 4,
        patience_s: float = 300.0,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        here = is_loopback(address)
        if here:
            keep_off_proxies([address])
        self.address = address
        self.bytes_sent = 0
        self._counting = threading.Lock()
        # A server of this machine must be reached directly, and must not be able to send the media on to another.
        self._http = DefaultHttpxClient(
            trust_env=not here, follow_redirects=False, event_hooks={"request": [self._count]}
        )
        self.client = OpenAI(
            base_url=address,
            api_key=api_key,
            timeout=httpx.Timeout(timeout_s, connect=CONNECT_S),
            max_retries=retries,
            http_client=self._http,
        )
        self._patience_s, self._sleep = patience_s, sleep
        self._waiting = threading.Lock()
        self._given_up = False

    def _count(self, request: httpx.Request) -> None:
        with self._counting:
            self.bytes_sent += int(request.headers.get("content-length", 0))

    def describe(self, wanted: str = "") -> Served:
        """Return what the server says of the model that is wanted, or of its only one.

        Raises:
            ServerError: no server answers, it is none of this kind, or it does not serve this model.
        """
        try:
            listed = list(self.client.with_options(max_retries=1).models.list())
        except APIConnectionError:
            raise ServerError(
                f"no server answers at {self.address} → start one (`semiology serve-command MODEL` prints how) or "
                "correct base_url"
            ) from None
        except OpenAIError as error:
            raise ServerError(f"{self.address} does not list its models: {sentence_of(error)}") from None
        except (AttributeError, TypeError, ValueError):
            listed = []
        named = {each.id: each for each in listed if getattr(each, "id", None)}
        if not named:
            raise ServerError(f"{self.address} lists no models: it is no OpenAI-compatible server (…/v1)")
        if (wanted or len(named) > 1) and wanted not in named:
            asked = f"model={wanted}: " if wanted else ""
            raise ServerError(
                f"{asked}{self.address} serves {', '.join(sorted(named))} → give model= one of them"
            )
        found = named[wanted or next(iter(named))]
        engine = str(getattr(found, "owned_by", "") or "")
        version = self.text("version") if engine == "vllm" else ""
        told = re.search(r'"version":\s*"([^"]+)"', version)
        root, meta = str(getattr(found, "root", "") or ""), getattr(found, "meta", None)
        weights = [str(meta[name]) for name in WEIGHTS if name in meta] if isinstance(meta, dict) else []
        return Served(found.id, f"{engine} {told[1]}" if told else engine, root, " ".join(weights))

    def text(self, page: str) -> str:
        """Return a page beside ``/v1``, such as ``metrics``; empty where there is none."""
        try:
            found = self._http.get(self.client.base_url.join(f"../{page}"), timeout=CONNECT_S)
        except httpx.HTTPError:
            return ""
        return found.text if found.status_code == httpx.codes.OK else ""

    def complete(self, request: Mapping[str, Any]) -> Any:
        """Return the server's chat completion.

        Raises:
            UnansweredError: it refuses the request or does not answer; the message says why and what to do.
        """
        for _ in range(COMEBACKS):
            client = self.client.with_options(max_retries=0) if self._given_up else self.client
            try:
                said = client.chat.completions.create(**request)
            except APITimeoutError:
                raise UnansweredError(
                    f"the server did not answer within {client.timeout.read:g} s → give it longer (timeout=) or fewer "  # type: ignore[union-attr]
                    "questions at once (num_concurrent=)"
                ) from None
            except APIConnectionError:
                lost = f"the server at {self.address} does not answer any more → start it and run the same command"
            except APIStatusError as error:
                if error.status_code not in NOT_UP:
                    raise UnansweredError(sentence_of(error)) from None
                lost = sentence_of(error)
            except (OpenAIError, AttributeError, TypeError, ValueError) as error:
                raise UnansweredError(
                    f"the server's reply cannot be read ({first_line(error)[:200]}) → look into its log"
                ) from None
            else:
                self._given_up = False
                return said
            if not self._is_back():
                raise UnansweredError(lost)
        raise UnansweredError(f"{lost}; it went away {COMEBACKS} times with this request under way")

    def _is_back(self) -> bool:
        """Wait for a server that went away; once it stayed away too long, only look whether it is there."""
        with self._waiting:
            until = time.monotonic() + (0 if self._given_up else self._patience_s)
            told = False
            while not self._is_up():
                if time.monotonic() >= until:
                    self._given_up = True
                    return False
                if not told:
                    told = True
                    logger.warning(
                        f"the server at {self.address} is away; waiting for it up to {self._patience_s:g} s"
                    )
                self._sleep(LOOK_AGAIN_S)
            self._given_up = False
            return True

    def _is_up(self) -> bool:
        try:
            self.client.with_options(max_retries=0, timeout=CONNECT_S).models.list()
        except OpenAIError:
            return False
        return True

    def close(self) -> None:
        """Close the connections."""
        self.client.close()


def sentence_of(error: OpenAIError) -> str:
    """Return what a server's refusal means, and what to do, as one sentence."""
    if not isinstance(error, APIStatusError):
        return first_line(error)
    said = (_message_of(error).strip().splitlines() or [type(error).__name__])[0][:300]
    code = error.status_code
    if code in (400, 413, 422, 500) and _CONTEXT.search(said):
        return (
            f"the context of the served model is too small for this segment and question ({said}) → serve it with a "
            "larger one (vLLM: --max-model-len, SGLang: --context-length, llama.cpp: --ctx-size), or show fewer or "
            "smaller pictures (fps=, max_frames=, max_pixels=)"
        )
    fix = {
        301: "give the address itself as base_url; redirects are not followed",
        302: "give the address itself as base_url; redirects are not followed",
        307: "give the address itself as base_url; redirects are not followed",
        308: "give the address itself as base_url; redirects are not followed",
        401: "give the server's key in the variable OPENAI_API_KEY",
        403: "give the server's key in the variable OPENAI_API_KEY",
        404: "check base_url (it ends in /v1) and model=",
        413: "show fewer or smaller pictures (fps=, max_frames=, max_pixels=), or let the server take larger requests",
        429: "ask fewer questions at once (num_concurrent=) or more patiently (max_retries=)",
    }.get(code, "look into the server's log" if code >= 500 else "")
    return f"the server refuses with status {code} ({said})" + (f" → {fix}" if fix else "")


def _message_of(error: APIStatusError) -> str:
    body = error.body
    if isinstance(body, Mapping):
        inner = body.get("error", body)
        message = inner.get("message") if isinstance(inner, Mapping) else inner
        if message:
            return str(message)
    return str(error.message)
