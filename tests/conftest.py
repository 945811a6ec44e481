"""Fixtures that several folders share."""

from __future__ import annotations

import copy
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from hypothesis import settings

# A busy machine is no defect: examples are judged by what they find, not by how long they take.
# Each run draws other examples; `pytest --hypothesis-profile=thorough` draws many at once.
settings.register_profile("semiology", deadline=None, max_examples=50)
settings.register_profile("thorough", deadline=None, max_examples=500)
settings.load_profile("semiology")


NARROW_FILMS = str(Path(__file__).parent / "narrow_films")
"""A decord that refuses the widths that it refuses on some processor: every test runs with it, on any machine."""

if NARROW_FILMS not in sys.path:
    sys.path.insert(0, NARROW_FILMS)
    os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, [NARROW_FILMS, os.environ.get("PYTHONPATH")]))

BROWSER = ("tests/reports/page/test_page_in_chromium.py", "tests/reports/review/test_page.py")


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Give a file of tests to one process, and all that drive a browser to the same: it is started once."""
    if config.getoption("dist") != "loadfile":
        return None
    from xdist.scheduler import LoadFileScheduling

    class Files(LoadFileScheduling):
        def _split_scope(self, nodeid: str) -> str:
            file = super()._split_scope(nodeid)
            return "browser" if file in BROWSER else file

    return Files(config, log)


@pytest.fixture(scope="session")
def simulated_set(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two short simulated recordings of two patients."""
    from semiology.data.simulated import simulate

    folder = tmp_path_factory.mktemp("simulated")
    simulate(
        folder, patients=2, seed=5, recordings_per_patient=1, duration_s=(31.0, 33.0), size=(160, 120), fps=15
    )
    return folder


@pytest.fixture(scope="session")
def one_task_index() -> Iterator[None]:
    """Let lmms-eval read a folder of task files once in this process, not for each run: it takes seconds."""
    from lmms_eval.tasks import TaskManager

    read = TaskManager._get_task_and_group
    known: dict[str, Any] = {}

    def read_once(manager: TaskManager, folder: str) -> Any:
        if folder not in known:
            known[folder] = read(manager, folder)
        return copy.deepcopy(known[folder])  # a run may take tasks out of its index

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(TaskManager, "_get_task_and_group", read_once)
        yield


class Ended(NamedTuple):
    """How a command ended: its exit status, and what it wrote."""

    returncode: int
    stdout: str
    stderr: str


@pytest.fixture
def command_here(
    one_task_index: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> Callable[..., Ended]:
    """Call the entry point of a command in this process: ``command_here(main, "semiology", "run", …)``.

    A process of its own spends some ten seconds on loading lmms-eval and what it needs, here they are loaded
    once. That a command also works as a process is tested once for each. Its cache is a new one, and what it
    changes in the environment is taken back.
    """
    monkeypatch.setenv("SEMIOLOGY_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(sys, "excepthook", sys.excepthook)  # Typer puts its own there

    def call(main: Callable[[], None], *words: str) -> Ended:
        monkeypatch.setattr(sys, "argv", list(words))
        before = dict(os.environ)
        capfd.readouterr()
        status = 0
        try:
            main()
        except SystemExit as end:
            status = end.code if isinstance(end.code, int) else int(end.code is not None)
            if isinstance(end.code, str):
                sys.stderr.write(end.code)
        finally:
            os.environ.clear()
            os.environ.update(before)
            _forget_log()
        return Ended(status, *capfd.readouterr())

    return call


def _forget_log() -> None:
    """Take away the log's handlers: they write to a stream that is closed after the test."""
    from loguru import logger

    logger.remove()
