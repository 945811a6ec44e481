"""Language models that read and write text on servers: the one that merges texts, and judges.

``SEMIOLOGY_MERGE_MODEL=NAME@http://127.0.0.1:8000/v1`` names a model and the address of the OpenAI-compatible
server (vLLM, llama.cpp, Ollama, SGLang) that has it. The texts describe patients: an address that is not this
machine is refused unless ``SEMIOLOGY_ALLOW_REMOTE=1``, a server of this machine is kept away from proxies,
and nobody is followed to another address. Without the variable texts are merged extractively, by no model.
"""

from __future__ import annotations

from collections.abc import Callable

from semiology.data.problems import SettingsError
from semiology.privacy.addresses import is_loopback, keep_off_proxies
from semiology.privacy.http_clients import http_client
from semiology.settings import ALLOW_REMOTE, MERGE_MODEL

MAX_TOKENS = 1024
"""Longest merged text, as published."""
TIMEOUT_S = 600.0
_replies: dict[tuple[str, str, str], str] = {}


class TextModelError(RuntimeError):
    """The server of a language model gave no reply; the message says why."""


class SlowModelError(TextModelError):
    """The server is there, but its reply took longer than was allowed."""


def chosen_text_model() -> TextModel | None:
    """Return the model named by ``SEMIOLOGY_MERGE_MODEL``, or None where none is.

    What it was asked once in this process is not asked again: first lmms-eval's table wants the merged texts,
    then the report.

    Raises:
        SettingsError: The variable is not understood, or the address is not this machine's and not allowed.
    """
    chosen = merge_choice()
    if chosen is None:
        return None
    ask = served_text_model(*chosen, setting=str(MERGE_MODEL))

    def reply(instruction: str) -> str:
        key = (*chosen, instruction)
        if key not in _replies:
            _replies[key] = ask(instruction)
        return _replies[key]

    return reply


def merge_choice() -> tuple[str, str] | None:
    """Return name and address of the model that ``SEMIOLOGY_MERGE_MODEL`` names, or None where none is.

    Raises:
        SettingsError: The variable is not understood.
    """
    chosen = MERGE_MODEL.text()
    if not chosen:
        return None
    name, at, address = chosen.partition("@")
    if not (name and at and address):
        raise SettingsError(
            f"{MERGE_MODEL}={chosen}: give model@address, such as NAME@http://127.0.0.1:8000/v1"
        )
    return name, address


def served_text_model(
    name: str,
    address: str,
    *,
    setting: str,
    max_tokens: int = MAX_TOKENS,
    timeout_s: float = TIMEOUT_S,
    api_key: str = "none",
    retries: int = 2,
) -> TextModel:
    """Return a function that asks a model on an OpenAI-compatible server, greedily.

    It raises TextModelError, and SlowModelError where the time ran out.

    Args:
        name: of the model on the server.
        address: of the server, such as ``http://127.0.0.1:8000/v1``.
        setting: where the user chose it, for messages.
        max_tokens: longest reply.
        timeout_s: how long a reply may take, s.
        api_key: for servers that want one.
        retries: how often a request that failed or took too long is sent again, after growing pauses.

    Raises:
        SettingsError: The address is not this machine's and not allowed.
    """
    check_text_address(address, setting)
    from openai import APITimeoutError, OpenAI, OpenAIError

    client = OpenAI(
        base_url=address,
        api_key=api_key,
        timeout=timeout_s,
        max_retries=retries,
        http_client=http_client(address),
    )

    def reply(instruction: str) -> str:
        try:
            said = client.chat.completions.create(
                model=name,
                messages=[{"role": "user", "content": instruction}],
                temperature=0.0,
                max_tokens=max_tokens,
            )
            text = said.choices[0].message.content or ""
            empty = not text.strip()
        except APITimeoutError as error:
            raise SlowModelError(
                f"{name} at {address} gave no reply within {timeout_s:g} s, asked {retries + 1} times → give it "
                "longer (--timeout) or fewer prompts at a time (--at-once)"
            ) from error
        except (OpenAIError, IndexError, TypeError, AttributeError) as error:
            # The last three: a reply that is JSON and not in OpenAI's form.
            raise TextModelError(f"{name} at {address} gave no reply ({error})") from error
        if empty:  # no text to keep: a server that failed may say so in its log alone
            raise TextModelError(
                f"{name} at {address} sent an empty reply → look into the server's log, and whether its reasoning "
                "used up the tokens"
            )
        return text

    return reply


def check_text_address(address: str, setting: str) -> None:
    """Refuse to send what was said about patients to another machine unless the user allowed it.

    Raises:
        SettingsError: The address is not this machine's and not allowed.
    """
    if is_loopback(address):
        keep_off_proxies([address])
    elif not ALLOW_REMOTE.is_on():
        raise SettingsError(
            f"{setting}: {address} would be sent what was said about every patient. Use a server on "
            f"this machine, or, if your ethics approval covers it, set {ALLOW_REMOTE}=1"
        )


TextModel = Callable[[str], str]
"""A language model: an instruction in, its reply out."""
