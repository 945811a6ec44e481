"""Texts of a megabyte are cleaned and read in less than a second, whatever is repeated in them."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest

from semiology.reports.read.path_scrubbing import without_paths
from semiology.tasks.answers.parse import parse_answer

UNITS = [
    *"a1A-. /\\@:<[{(=,;'\"\n~*_#|`",
    "a ",
    "/a ",
    "~a",
    "../",
    "http://a@",
    "token",
    "key=",
    "a,",
    "a=",
    "/a b c ",
]


@pytest.mark.parametrize("read", [without_paths, parse_answer])
def test_a_megabyte_takes_less_than_a_second(read: Callable[[str], object]) -> None:
    for unit in UNITS:
        text = unit * (1_000_000 // len(unit))
        before = time.process_time()
        read(text)
        assert time.process_time() - before < 1, repr(unit)
