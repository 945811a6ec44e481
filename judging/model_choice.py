"""From what a user names to a language model that reads text: a server, a checkpoint, lmms-eval or DSPy."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from semiology.backends.journal import failure_of
from semiology.backends.text.served import TIMEOUT_S, TextModelError, served_text_model
from semiology.data.cache import cache_directory
from semiology.judging.asking import Asked
from semiology.privacy.model_hub import hub_folder, only_from_here

MAX_TOKENS = 1024
"""Longest reply of a judge; its object needs fewer than 400 tokens, reasoning models need more."""


class JudgeChoiceError(ValueError):
    """No language model can be made of what was chosen; the message says what to give."""


def served(
    address: str,
    name: str,
    *,
    at_once: int = 8,
    max_tokens: int = MAX_TOKENS,
    timeout_s: float = TIMEOUT_S,
    key_variable: str | None = None,
    setting: str = "--judge",
) -> Asked:
    """Return a model on an OpenAI-compatible server, such as one of vLLM, llama.cpp, Ollama or SGLang.

    The arguments are those of `semiology.backends.text.served.served_text_model`; ``key_variable`` is the
    environment variable that holds the server's key.

    Raises:
        JudgeChoiceError: the variable is not set.
        SettingsError: the address is not this machine's and not allowed.
    """
    key = os.environ.get(key_variable, "") if key_variable else "none"
    if not key:
        raise JudgeChoiceError(
            f"--api-key-variable {key_variable}: the variable is not set → export it first"
        )
    model = served_text_model(
        name, address, setting=setting, max_tokens=max_tokens, timeout_s=timeout_s, api_key=key
    )
    settings = {"temperature": 0.0, "max_tokens": max_tokens}
    return Asked(model, f"{name}@{address.rstrip('/')}", settings, at_once)


def checkpoint(
    folder: str, *, download: bool = False, at_once: int = 1, max_tokens: int = MAX_TOKENS
) -> Asked:
    """Return a checkpoint, a folder or a name on the model hub, that transformers loads in this process.

    With ``download`` a named one that is not on this machine may be fetched from the hub. More than one prompt
    ``at_once`` can change the last bits of the scores, and so a reply.

    Raises:
        JudgeChoiceError: it is not on this machine and may not be fetched, or it cannot be loaded.
    """
    from semiology.backends.checkpoint_stamp import FILES, checkpoint_stamp
    from semiology.backends.text.checkpoint import CheckpointModel

    here = Path(folder).expanduser()
    named = not here.is_dir()
    if named:
        try:
            here = hub_folder(folder, FILES, download=download)
        except ValueError as error:  # begins with the name
            raise JudgeChoiceError(f"--judge-checkpoint {error}") from error
    try:
        stamp = checkpoint_stamp(folder, cache_directory())
        # By its folder: given the name, transformers asks the hub for an adapter even if told not to.
        with only_from_here():
            model = CheckpointModel(here, max_tokens=max_tokens)
    except (ValueError, OSError) as error:
        raise JudgeChoiceError(
            f"--judge-checkpoint {folder}: {error}{_fix(download or not named)}"
        ) from error
    return Asked(model, stamp, {"do_sample": False, "max_tokens": max_tokens}, at_once)


def lmms_eval_model(
    name: str, model_args: str, *, download: bool = False, at_once: int = 16, max_tokens: int = MAX_TOKENS
) -> Asked:
    """Return a model class of lmms-eval with its arguments, asked without any picture or sound.

    With ``download`` what it loads may be fetched from the model hub.

    Raises:
        JudgeChoiceError: what it loads is not on this machine.
        ValueError: an address that is not this machine's, or a class that lmms-eval does not have.
    """
    from semiology.harness.asking import load_model

    try:
        with only_from_here(download=download):
            lm = load_model(name, model_args, setting="--judge-lmms-eval")
    except OSError as error:
        raise JudgeChoiceError(f"--judge-lmms-eval {name}: {error}{_fix(download)}") from error
    settings = {"temperature": 0, "do_sample": False, "max_tokens": max_tokens}
    return Asked(LmmsEvalTextModel(lm, max_tokens=max_tokens), f"{name}|{model_args}", settings, at_once)


class LmmsEvalTextModel:
    """Asks an lmms-eval model that is loaded through its own ``generate_until``, with no picture and no sound."""

    def __init__(self, lm: Any, *, max_tokens: int) -> None:
        self._lm, self._max_tokens = lm, max_tokens

    def __call__(self, prompt: str, /) -> str:
        """Return the reply to a prompt; see `many`."""
        return self.many([prompt])[0]

    def many(self, prompts: Sequence[str]) -> list[str]:
        """Return the replies in the order of the prompts.

        Raises:
            TextModelError: a prompt got no reply.
        """
        from semiology.harness.asking import ask_documents

        replies = ask_documents(
            self._lm,
            [{"prompt": prompt} for prompt in prompts],
            text=lambda document: str(document["prompt"]),
            messages=lambda document: [
                {"role": "user", "content": [{"type": "text", "text": document["prompt"]}]}
            ],
            visual=lambda document: [],
            settings={
                "max_new_tokens": self._max_tokens, "temperature": 0, "do_sample": False, "until": [],
            },
        )  # fmt: skip
        for reply in replies:
            if (failure := failure_of(reply)) is not None:
                raise TextModelError(f"lmms-eval got no reply: {failure[:200]}")
        return replies


def _fix(download: bool) -> str:
    return "" if download else "; nothing is downloaded unless --allow-download asks for it"


def dspy_model(lm: Callable[..., Any], *, name: str, at_once: int = 8) -> Asked:
    """Return a DSPy language model (a ``dspy.BaseLM``, made with temperature 0); its first reply counts.

    ``name`` tells its replies from those of another model. Where it sends what it is asked is its own affair: check
    its address by `semiology.backends.text.served.check_text_address` first.
    """

    def reply(prompt: str, /) -> str:
        try:
            first = lm(prompt)[0]
        except Exception as error:  # DSPy passes on the errors of every provider
            raise TextModelError(f"the DSPy model gave no reply ({error})") from error
        return str(first.get("text") or "") if isinstance(first, dict) else str(first)

    return Asked(reply, f"dspy|{name}", {"temperature": 0.0}, at_once)


def short_name(checkpoint_or_model: str) -> str:
    """Return the last part of a path or of ``organisation/name``, for tables."""
    return Path(checkpoint_or_model.rstrip("/")).name or checkpoint_or_model
