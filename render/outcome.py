"""``--json`` of a command that makes files: what it made, as one JSON object for programs."""

from __future__ import annotations

import contextlib
import inspect
import math
import sys
from collections.abc import Callable, Iterator, Mapping
from contextvars import ContextVar
from typing import Annotated, Any

import typer

from semiology.render.text import json_text

_told: ContextVar[dict[str, Any] | None] = ContextVar("outcome", default=None)
_AS_JSON = Annotated[
    bool, typer.Option("--json", help="Print one JSON object; what is for people goes to standard error.")
]


def tell_outcome(**facts: Any) -> None:
    """Tell what a command made: folders and files, and how many of what; later facts are added to earlier ones.

    Paths become text. Without ``--json`` nothing comes of it.
    """
    told = _told.get()
    if told is not None:
        told.update({name: _as_json(value) for name, value in facts.items()})


def _as_json(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(key): _as_json(each) for key, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [_as_json(each) for each in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value if value is None or isinstance(value, (bool, int, float, str)) else str(value)


def with_json(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command the option ``--json``: what it tells by `tell_outcome` is printed, also where it fails later."""
    signature = inspect.signature(command, eval_str=True)
    named = [each.replace(kind=inspect.Parameter.KEYWORD_ONLY) for each in signature.parameters.values()]
    option = inspect.Parameter("as_json", inspect.Parameter.KEYWORD_ONLY, default=False, annotation=_AS_JSON)

    def called(*, as_json: bool = False, **given: Any) -> None:
        if not as_json:
            command(**given)
            return
        with _printed():
            command(**given)

    called.__name__, called.__doc__ = command.__name__, command.__doc__
    called.__annotations__ = {each.name: each.annotation for each in (*named, option)}
    called.__signature__ = signature.replace(parameters=[*named, option])  # type: ignore[attr-defined]
    return called


@contextlib.contextmanager
def _printed() -> Iterator[None]:
    """Send what is printed to standard error, and print what was told to standard output at the end."""
    told: dict[str, Any] = {}
    token = _told.set(told)
    out = sys.stdout
    try:
        with contextlib.redirect_stdout(sys.stderr):
            yield
    finally:
        _told.reset(token)
        if told:
            print(json_text(told), file=out)
