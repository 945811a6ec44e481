"""A small YAML file cannot grow without end, and a key written twice is told."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
import yaml

from semiology.data.tables.reading import read_folder
from semiology.render.strict_yaml import MOST_BYTES, parse_yaml, read_yaml

LAUGHS = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 15)
)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (LAUGHS, "more than 100 aliases"),
        ("a: " + "[" * 5000 + "]" * 5000, "more than 40 levels"),
        ("a: &a [*a]\nb: 1\nb: 2", "twice"),
        ("a: " + "x" * MOST_BYTES, "bytes"),
        ("name: s\nname: t\nversion: 1", "'name' stands twice"),
    ],
)
def test_what_would_grow_or_be_lost_is_refused_at_once(content: str, said: str, tmp_path: Path) -> None:
    path = tmp_path / "dataset.yaml"
    path.write_text(content)
    before = time.process_time()
    with pytest.raises(yaml.YAMLError, match=said):
        parse_yaml(path)
    with pytest.raises(ValueError, match=said):
        read_yaml(path)
    assert any(said in problem.message for problem in read_folder(tmp_path).problems)
    assert time.process_time() - before < 2


def test_a_usual_file_is_read_with_its_aliases(tmp_path: Path) -> None:
    path = tmp_path / "a.yaml"
    path.write_text("name: set\nsame: &s [1, 2]\nagain: *s\n")
    assert parse_yaml(path) == {"name": "set", "same": [1, 2], "again": [1, 2]}
