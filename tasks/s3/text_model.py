"""The language model that merges texts of several windows, if the user chose one.

``SEMIOLOGY_MERGE_MODEL=NAME@http://127.0.0.1:8000/v1`` names a model and the address of the OpenAI-compatible
server (vLLM, llama.cpp, Ollama, SGLang) that has it. The texts describe patients: an address that is not this
machine is refused unless ``SEMIOLOGY_ALLOW_REMOTE=1``. Without the variable texts are merged extractively,
which needs no model.
"""

from __future__ import annotations

import os

from semiology.loopback import ALLOW_REMOTE_VARIABLE, is_loopback
from semiology.tasks.s3.merge_instructions import TextModel
from semiology.tasks.settings import SettingsError

VARIABLE = "SEMIOLOGY_MERGE_MODEL"
MAX_TOKENS = 1024
"""Longest merged text, as published."""


class TextModelError(RuntimeError):
    """The server of the merging model gave no reply; the message says why."""


def chosen_text_model() -> TextModel | None:
    """Return the model named by ``SEMIOLOGY_MERGE_MODEL``, or None where none is.

    Raises:
        SettingsError: The variable is not understood, or the address is not this machine's and not allowed.
    """
    chosen = os.environ.get(VARIABLE)
    if not chosen:
        return None
    name, at, address = chosen.partition("@")
    if not (name and at and address):
        raise SettingsError(f"{VARIABLE}={chosen}: give model@address, such as NAME@http://127.0.0.1:8000/v1")
    if not is_loopback(address) and os.environ.get(ALLOW_REMOTE_VARIABLE) != "1":
        raise SettingsError(
            f"{VARIABLE}={chosen} would send what was said about every patient to {address}. Use a server on "
            f"this machine, or, if your ethics approval covers it, set {ALLOW_REMOTE_VARIABLE}=1"
        )
    return _served(name, address)


def _served(name: str, address: str) -> TextModel:
    """Return a function that asks the server, greedily; it raises TextModelError where no reply comes."""
    from openai import OpenAI, OpenAIError

    client = OpenAI(base_url=address, api_key="none")

    def reply(instruction: str) -> str:
        try:
            said = client.chat.completions.create(
                model=name,
                messages=[{"role": "user", "content": instruction}],
                temperature=0.0,
                max_tokens=MAX_TOKENS,
            )
        except OpenAIError as error:
            raise TextModelError(f"{name} at {address} gave no reply ({error})") from error
        return said.choices[0].message.content or ""

    return reply
