"""The public functions of the package: their examples run, in the order of a first session with the package."""

from __future__ import annotations

import doctest
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import semiology
from semiology.harness.run import RunError

ORDER = ("semiology", "read_recording_set", "load_library", "parse_answer", "run", "score_run", "compare")


@pytest.fixture
def empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Work in an empty folder, and take back what a run writes into the environment and the log."""
    from loguru import logger

    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SEMIOLOGY_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(sys, "argv", ["semiology"])
    before = dict(os.environ)
    yield tmp_path
    os.environ.clear()
    os.environ.update(before)
    logger.remove()


def test_every_public_function_has_an_example_that_runs(empty_folder: Path, one_task_index: None) -> None:
    examples = {
        test.name.removeprefix("semiology."): test
        for test in doctest.DocTestFinder(exclude_empty=True).find(semiology, "semiology")
        if test.examples
    }
    assert set(examples) == set(ORDER)
    assert set(semiology.__all__) - {"__version__"} == set(ORDER) - {"semiology"}
    runner = doctest.DocTestRunner(optionflags=doctest.NORMALIZE_WHITESPACE)
    for name in ORDER:
        runner.run(examples[name])
    assert runner.summarize(verbose=False).failed == 0


def test_importing_the_package_loads_nothing_heavy() -> None:
    code = (
        "import sys, semiology; print(sorted({'torch', 'pandas', 'lmms_eval', 'numpy'} & set(sys.modules)))"
    )
    ended = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert ended.stdout.strip() == "[]"


def test_an_unknown_model_is_an_error_of_the_package(empty_folder: Path) -> None:
    with pytest.raises((RunError, ValueError), match="no_such_model"):
        semiology.run("no_such_model", empty_folder, empty_folder / "runs")
