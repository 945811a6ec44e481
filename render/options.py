"""The options of a command as the fields of one dataclass, whose annotations hold each option with its help."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Collection
from dataclasses import fields
from typing import Annotated, Any, get_args, get_type_hints


def with_options(
    kind: type[Any], argument: str, required: Collection[str] = ()
) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Give a command every field of a dataclass as an option; it gets them together as its ``argument``.

    A field that holds words (``tuple[str, ...]``) is given as text with commas, or as ``none``.

    Args:
        required: fields that must be given although they have a default.
    """
    hints = get_type_hints(kind, include_extras=True)
    words = {name for name, hint in hints.items() if get_args(hint)[:1] == (tuple[str, ...],)}
    shared = []
    for each in fields(kind):
        annotation, default = hints[each.name], each.default
        if each.name in words:
            annotation, default = Annotated[(str, *get_args(annotation)[1:])], ",".join(default)  # type: ignore[arg-type]
        default = inspect.Parameter.empty if each.name in required else default
        shared.append(
            inspect.Parameter(
                each.name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=annotation
            )
        )

    def decorated(command: Callable[..., None]) -> Callable[..., None]:
        signature = inspect.signature(command, eval_str=True)
        parameters: list[inspect.Parameter] = []
        for name, each in signature.parameters.items():
            own = [each.replace(kind=inspect.Parameter.KEYWORD_ONLY)]
            parameters += shared if name == argument else own

        def called(**given: Any) -> None:
            options = {each.name: given.pop(each.name) for each in shared}
            for name in words:
                parts = tuple(part.strip() for part in options[name].split(",") if part.strip())
                options[name] = () if parts == ("none",) else parts
            command(**{argument: kind(**options)}, **given)

        called.__name__, called.__doc__ = command.__name__, command.__doc__
        called.__annotations__ = {each.name: each.annotation for each in parameters}
        called.__signature__ = signature.replace(parameters=parameters)  # type: ignore[attr-defined]
        return called

    return decorated
