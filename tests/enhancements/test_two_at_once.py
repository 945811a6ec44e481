"""Two commands that begin in one folder at the same time do not stand in each other's way."""

from __future__ import annotations

import multiprocessing
from pathlib import Path

from semiology.data.problems import RecordingSetError
from semiology.enhancements.enhance import _check_home


def look(home: Path, faults: multiprocessing.Queue[str]) -> None:
    for _ in range(300):
        try:
            _check_home(home, own=True)
        except RecordingSetError as error:
            faults.put(str(error))
            return
    faults.put("")


def test_looking_at_the_folder_of_the_manifest_disturbs_nobody(tmp_path: Path) -> None:
    processes = multiprocessing.get_context("fork")
    faults = processes.Queue()
    both = [processes.Process(target=look, args=(tmp_path / "out", faults)) for _ in range(2)]
    for each in both:
        each.start()
    told = [faults.get(timeout=60) for _ in both]
    for each in both:
        each.join()
    assert told == ["", ""]
    assert list((tmp_path / "out").iterdir()) == []
