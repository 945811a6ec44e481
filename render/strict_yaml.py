"""Reading YAML without YAML's surprises: a key written twice is an error, and a small file cannot grow without end.

Aliases that repeat aliases ("billion laughs"), deep nesting and large files are refused before anything is built.
"""

from __future__ import annotations

from collections.abc import Hashable
from pathlib import Path
from typing import Any

import yaml

MOST_BYTES, MOST_ALIASES, MOST_DEPTH = 2_000_000, 100, 40


class _StrictLoader(yaml.SafeLoader):
    """Safe YAML in which each key of a mapping may stand once, with few aliases and levels."""

    def __init__(self, stream: str) -> None:
        super().__init__(stream)
        self._aliases, self._depth = 0, 0

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        mark = self.peek_event().start_mark  # type: ignore[no-untyped-call]
        self._aliases += self.check_event(yaml.AliasEvent)
        self._depth += 1
        if self._aliases > MOST_ALIASES:
            raise yaml.MarkedYAMLError(problem=f"more than {MOST_ALIASES} aliases (*name)", problem_mark=mark)
        if self._depth > MOST_DEPTH:
            raise yaml.MarkedYAMLError(problem=f"more than {MOST_DEPTH} levels", problem_mark=mark)
        node = super().compose_node(parent, index)
        self._depth -= 1
        return node

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        seen: set[Any] = set()
        for key_node, _ in node.value:
            key = self.construct_object(key_node, deep=True)
            if isinstance(key, Hashable) and key in seen:
                raise yaml.MarkedYAMLError(
                    problem=f"the key {key!r} stands twice", problem_mark=key_node.start_mark
                )
            seen.add(key)
        return super().construct_mapping(node, deep=deep)


def parse_yaml(path: Path) -> Any:
    """Return the content of a YAML file, with YAML's own errors.

    Raises:
        yaml.YAMLError: The file is not YAML, is too large, or has the same key twice.
        UnicodeDecodeError: It is not UTF-8.
        OSError: It cannot be read.
    """
    if path.stat().st_size > MOST_BYTES:
        raise yaml.YAMLError(f"the file has more than {MOST_BYTES:,} bytes")
    # The loader extends SafeLoader: no tag can build an object.
    return yaml.load(path.read_text(encoding="utf-8-sig"), Loader=_StrictLoader)  # noqa: S506


def read_yaml(path: Path) -> Any:
    """Return the content of a YAML file.

    Raises:
        ValueError: The file is not UTF-8, not YAML, or has the same key twice; the message names the line.
        OSError: The file cannot be read.
    """
    try:
        return parse_yaml(path)
    except UnicodeDecodeError as error:
        raise ValueError(f"is not UTF-8 text (byte {error.start})") from error
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else "?"
        raise ValueError(f"line {line}: {error.problem or 'is not YAML'}") from error
    except yaml.YAMLError as error:
        raise ValueError(f"is not YAML: {error}") from error
