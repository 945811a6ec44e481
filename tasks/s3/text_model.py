"""The language model that merges texts of several windows, if the user chose one.

``SEMIOLOGY_MERGE_MODEL=openai/NAME@http://127.0.0.1:8000/v1`` names a model as LiteLLM writes it and the
address of its server. The texts describe patients: an address that is not this machine is refused unless
``SEMIOLOGY_ALLOW_REMOTE=1``. Without the variable texts are merged extractively, which needs no model.
"""

from __future__ import annotations

import os

from semiology.loopback import ALLOW_REMOTE_VARIABLE, is_loopback
from semiology.tasks.s3.window_merging import TextModel
from semiology.tasks.settings import SettingsError

VARIABLE = "SEMIOLOGY_MERGE_MODEL"
MAX_TOKENS = 1024
"""Longest merged text, as published."""


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
        raise SettingsError(
            f"{VARIABLE}={chosen}: give model@address, such as openai/NAME@http://127.0.0.1:8000/v1"
        )
    if not is_loopback(address) and os.environ.get(ALLOW_REMOTE_VARIABLE) != "1":
        raise SettingsError(
            f"{VARIABLE}={chosen} would send what was said about every patient to {address}. Use a server on "
            f"this machine, or, if your ethics approval covers it, set {ALLOW_REMOTE_VARIABLE}=1"
        )
    return _served(name, address)


def _served(name: str, address: str) -> TextModel:
    """Return a function that asks the server, greedily."""
    import dspy

    model = dspy.LM(
        name, api_base=address, api_key="none", temperature=0.0, max_tokens=MAX_TOKENS, cache=False
    )

    def reply(instruction: str) -> str:
        said = model(messages=[{"role": "user", "content": instruction}])[0]
        return said if isinstance(said, str) else str(said.get("text", ""))

    return reply
