"""Faults of YAML content: place, what is wrong, what to do."""

from __future__ import annotations

from typing import Annotated, Any

import pytest
from pydantic import BaseModel, BeforeValidator, Field, StrictStr

from semiology.render.validation import faults_of, one_of


def _twice(value: Any) -> Any:
    raise ValueError("is odd; make it even\nis small; make it large")


class Inner(BaseModel, extra="forbid"):
    name: StrictStr
    kind: Annotated[str, one_of(("plain", "fancy"))] = "plain"
    level: Annotated[int, BeforeValidator(_twice)] = 0


class Outer(BaseModel, extra="forbid"):
    items: Annotated[list[Inner], Field(min_length=1)]
    texts: dict[str, Inner] = {}


@pytest.mark.parametrize(
    ("content", "place", "message", "fix"),
    [
        (None, (), "holds no 'key: value' lines", ""),
        ({}, (), "'items' is missing", "items"),
        ({"items": []}, ("items",), "is empty", "one entry"),
        ({"items": "x"}, ("items",), "is not a list", "list"),
        ({"items": [{"name": 4}]}, ("items", 0, "name"), "is 4, not a text", "write a text"),
        (
            {"items": [{"name": "a", "nam": "b"}]},
            ("items", 0),
            "did you mean 'name'",
            "use: name, kind, level",
        ),
        (
            {"items": [{"name": "a"}], "texts": {"b": {"name": "a", "x": 1}}},
            ("texts", "b"),
            "'x'",
            "use: name",
        ),
        (
            {"items": [{"name": "a", "kind": "plane"}]},
            ("items", 0, "kind"),
            "'plane' is unknown",
            "plain, fancy",
        ),
    ],
)
def test_a_fault_names_place_and_fix(content: Any, place: tuple[Any, ...], message: str, fix: str) -> None:
    (fault,) = faults_of(Outer, content)
    assert fault.place == place
    assert message in fault.message
    assert fix in fault.fix


def test_a_validator_may_tell_several_faults_and_a_right_content_has_none() -> None:
    told = faults_of(Outer, {"items": [{"name": "a", "level": 3}]})
    assert [(f.message, f.fix) for f in told] == [("is odd", "make it even"), ("is small", "make it large")]
    assert faults_of(Outer, {"items": [{"name": "a"}]}) == []
    assert faults_of(dict[str, Inner], {"b": {"name": 1}})[0].place == ("b", "name")
