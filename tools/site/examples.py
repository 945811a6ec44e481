"""Examples in docstrings get a section of their own on the site, where they would else be read as running text."""

from __future__ import annotations

from typing import Any

import griffe


class ExampleSections(griffe.Extension):
    """Puts ``Examples:`` before the first ``>>>`` of a docstring, and what follows below it."""

    def on_package(self, *, pkg: griffe.Module, **kwargs: Any) -> None:
        """Change the docstrings of a package and all that it holds; griffe calls this once it has read them."""
        del kwargs
        _with_sections(pkg)


def _with_sections(obj: griffe.Object) -> None:
    if obj.docstring is not None:
        lines = obj.docstring.value.splitlines()
        first = next((i for i, line in enumerate(lines) if line.startswith(">>>")), None)
        if first is not None:
            examples = [f"    {line}" if line.strip() else "" for line in lines[first:]]
            obj.docstring.value = "\n".join([*lines[:first], "Examples:", *examples])
    for member in obj.members.values():
        if not member.is_alias:
            _with_sections(member)
