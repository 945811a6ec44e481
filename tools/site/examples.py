"""Examples in docstrings get a section of their own on the site, where they would else be read as running text."""

from __future__ import annotations

from typing import Any

import griffe


class ExampleSections(griffe.Extension):
    """Puts ``Examples:`` before the first ``>>>`` of a docstring, and what follows below it."""

    def on_object(self, *, obj: griffe.Object, **kwargs: Any) -> None:
        """Change the docstring of one object; griffe calls this for each."""
        del kwargs
        if obj.docstring is None:
            return
        lines = obj.docstring.value.splitlines()
        first = next((i for i, line in enumerate(lines) if line.startswith(">>>")), None)
        if first is not None:
            examples = [f"    {line}" if line.strip() else "" for line in lines[first:]]
            obj.docstring.value = "\n".join([*lines[:first], "Examples:", *examples])
