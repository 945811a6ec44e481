"""The options of a command as the fields of one dataclass, whose annotations hold each option with its help."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Collection, Mapping
from dataclasses import MISSING, fields
from typing import Annotated, Any, get_args, get_type_hints

REQUIRED: Any = inspect.Parameter.empty


def with_options(
    kind: type[Any],
    argument: str,
    *,
    defaults: Mapping[str, Any] | None = None,
    without: Collection[str] = (),
) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Give a command the fields of a dataclass as options; it gets them together as its ``argument``.

    A field that holds words (``tuple[str, ...]``) is given as text with commas.

    Args:
        defaults: by field, where the command's default is another than the dataclass's; `REQUIRED` for none.
        without: fields that are no options of this command.
    """
    hints = get_type_hints(kind, include_extras=True)
    shared, words = [], set()
    for each in fields(kind):
        annotation = hints[each.name]
        default = REQUIRED if each.default is MISSING else each.default
        if each.name not in without and get_args(annotation)[:1] == (tuple[str, ...],):
            words.add(each.name)
            annotation, default = Annotated[(str, *get_args(annotation)[1:])], ",".join(default)
        default = (defaults or {}).get(each.name, default)
        option = inspect.Parameter(
            each.name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=annotation
        )
        shared += [] if each.name in without else [option]

    def decorated(command: Callable[..., None]) -> Callable[..., None]:
        signature = inspect.signature(command, eval_str=True)
        parameters: list[inspect.Parameter] = []
        for name, each in signature.parameters.items():
            own = [each.replace(kind=inspect.Parameter.KEYWORD_ONLY)]
            parameters += shared if name == argument else own

        def called(**given: Any) -> None:
            options = {each.name: given.pop(each.name) for each in shared}
            for name in words:
                options[name] = tuple(part.strip() for part in options[name].split(",") if part.strip())
            command(**{argument: kind(**options)}, **given)

        called.__name__, called.__doc__ = command.__name__, command.__doc__
        called.__annotations__ = {each.name: each.annotation for each in parameters}
        called.__signature__ = signature.replace(parameters=parameters)  # type: ignore[attr-defined]
        return called

    return decorated
