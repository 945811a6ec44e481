"""Long lists of problems stay readable for people."""

from __future__ import annotations

import pytest

from semiology.data.problems import Problem
from semiology.data.views import print_problems


def test_repeats_of_one_kind_are_told_in_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    missing = [
        Problem(
            "recordings.csv", row, f"video: the file 'videos/P{row:03d}_V01.mp4' does not exist", "copy it"
        )
        for row in range(2, 440)
    ]
    other = Problem("annotations.csv", 3, "unknown feature 'tonik'", "write tonic")
    print_problems([*missing, other])
    printed = capsys.readouterr().err
    assert printed.count("does not exist") == 10
    assert "tonik" in printed
    assert "428 more" in printed


def test_a_short_list_is_shown_whole(capsys: pytest.CaptureFixture[str]) -> None:
    print_problems([Problem("annotations.csv", row, "present is empty", "fill it") for row in range(2, 12)])
    assert capsys.readouterr().err.count("present is empty") == 10
