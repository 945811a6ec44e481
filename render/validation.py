"""Faults of YAML content as sentences: pydantic models say what is allowed, this says what is wrong and what to do.

A model forbids unknown keys where a misspelt one would be lost (``extra="forbid"``). A validator that raises
``ValueError("what is wrong; what to do")`` gives both halves itself, a line for each of several faults.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

from pydantic import BaseModel, BeforeValidator, TypeAdapter, ValidationError, ValidationInfo
from pydantic_core import ErrorDetails


@dataclass(frozen=True)
class Fault:
    """One fault: the keys and list places (from 0) that lead to it, what is wrong, and what to do."""

    place: tuple[int | str, ...]
    message: str
    fix: str


def faults_of(model: Any, content: Any, context: Mapping[str, Any] | None = None) -> list[Fault]:
    """Return all faults of some content; none if it fits.

    Args:
        model: a pydantic model, or any type that pydantic knows.
        content: as YAML gives it.
        context: what the validators of the model need to know beside it.
    """
    try:
        TypeAdapter(model).validate_python(content, context=context)
    except ValidationError as error:
        return [fault for details in error.errors() for fault in _faults(model, details)]
    return []


def one_of(known: Sequence[str] | Callable[[Any], Sequence[str]]) -> BeforeValidator:
    """Return a validator for a value that must be one of some words, or of those that the context gives."""

    def check(value: Any, info: ValidationInfo) -> Any:
        words = known(info.context) if callable(known) else known
        if value not in words:
            meant = did_you_mean(value, words)
            raise ValueError(f"{value!r} is unknown{meant}; use: {', '.join(words)}")
        return value

    return BeforeValidator(check)


def did_you_mean(name: Any, known: Sequence[str]) -> str:
    """Return ``; did you mean 'x'?`` for a misspelt name, or nothing."""
    near = get_close_matches(str(name), known, n=1, cutoff=0.6)
    return f"; did you mean {near[0]!r}?" if near else ""


def _faults(model: Any, details: ErrorDetails) -> list[Fault]:
    place, kind, value = details["loc"], details["type"], details["input"]
    if kind == "value_error":
        lines = str(details["ctx"]["error"]).split("\n")
        return [Fault(place, what, fix) for what, _, fix in (line.rpartition("; ") for line in lines)]
    if kind == "extra_forbidden":
        known = _keys(model, place[:-1])
        message = f"unknown key {place[-1]!r}{did_you_mean(place[-1], known)}"
        return [Fault(place[:-1], message, f"use: {', '.join(known)}")]
    if kind == "missing":
        return [Fault(place[:-1], f"{place[-1]!r} is missing", f"add `{place[-1]}: …`")]
    if kind == "string_type" or value == "":
        return [Fault(place, f"is {value!r}, not a text", "write a text, in quotes if need be")]
    if kind in {"model_type", "dict_type", "model_attributes_type", "dataclass_type"}:
        return [Fault(place, "holds no 'key: value' lines", "write the keys, one a line")]
    if kind in {"list_type", "tuple_type"}:
        return [Fault(place, "is not a list", "write a list ([] for none)")]
    if kind == "too_short":
        return [Fault(place, "is empty", "write at least one entry")]
    return [Fault(place, f"is {value!r}: {details['msg']}", "correct the value")]


def _keys(model: Any, place: Sequence[int | str]) -> list[str]:
    """Return the keys that a model, or the one inside it at a place, knows."""
    for step in place:
        if isinstance(step, str) and isinstance(model, type) and issubclass(model, BaseModel):
            model = model.model_fields[step].annotation
        else:
            model = getattr(model, "__args__", (None,))[-1 if isinstance(step, str) else 0]
    return list(model.model_fields) if hasattr(model, "model_fields") else []
