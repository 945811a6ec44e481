from __future__ import annotations

import pytest

from semiology.render.text import counted


@pytest.mark.parametrize(
    ("number", "noun", "shown"),
    [(0, "patient", "0 patients"), (1, "patient", "1 patient"), (2, "metric call", "2 metric calls"),
     (1218, "question", "1,218 questions")],
)  # fmt: skip
def test_a_noun_follows_its_number(number: int, noun: str, shown: str) -> None:
    assert counted(number, noun) == shown
