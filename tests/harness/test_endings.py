"""What the machine does to a run: signals, full disks, folders of others, half characters, clocks set back."""

# ruff: noqa: E501
from __future__ import annotations

import errno
import json
import multiprocessing
import os
import signal
import subprocess
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from semiology.cli import main
from semiology.data import owned_folder as owned
from semiology.data.cache import UNFINISHED_FILE, cache_directory
from semiology.data.owned_folder import UNFINISHED, FolderError, owned_folder, written_together
from semiology.data.problems import SettingsError
from semiology.harness.machine.ending import machine_fault
from semiology.harness.machine.whole_characters import escaped, whole_characters
from semiology.harness.run import BEGUN_FILE, RunError, _result_folder, remove_half_written, result_files
from semiology.reports.read.lmms_eval_files import ResultsError, find_result_files

STAMP = "20260101_120000"


def ends_with(
    code: str, *, kill: signal.Signals | None = None, **settings: Any
) -> subprocess.CompletedProcess[str]:
    """Run code as a command of ours; with ``kill`` it gets that signal once it says it waits."""
    # Whoever starts the tests in the background of a script has them ignore Ctrl-C, and their children with them.
    heard = "import signal\nsignal.signal(signal.SIGINT, signal.default_int_handler)\n"
    whole = f"{heard}from semiology.harness.machine.ending import end_in_a_sentence\ndef command():\n{code}\nend_in_a_sentence(command)"
    process = subprocess.Popen(
        [sys.executable, "-c", whole], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **settings
    )
    if kill is not None:
        assert process.stdout is not None
        process.stdout.readline()
        process.send_signal(kill)
    out, err = process.communicate(timeout=120)
    return subprocess.CompletedProcess([], process.returncode, out, err)


def test_sigterm_ends_like_an_interrupt_and_says_so() -> None:
    code = (
        "    import time\n    try:\n        print('waits', flush=True); time.sleep(60)\n"
        "    finally:\n        print('closed', flush=True)"
    )
    done = ends_with(code, kill=signal.SIGTERM)
    assert (done.returncode, done.stdout) == (143, "closed\n")
    assert "ended by SIGTERM" in done.stderr
    assert ends_with(code, kill=signal.SIGINT).returncode == 130


@pytest.mark.parametrize(
    ("number", "said"),
    [(errno.ENOSPC, "the disk is full"), (errno.EDQUOT, "share of the disk"), (errno.EROFS, "read-only")],
)
def test_a_fault_of_the_machine_is_a_sentence_however_it_was_wrapped(number: int, said: str) -> None:
    code = f"    try:\n        raise OSError({number}, 'x', '/out/a')\n    except OSError as e:\n        raise TypeError('deep') from e"
    done = ends_with(code)
    assert done.returncode == 2
    assert said in done.stderr
    assert "/out/a" in done.stderr
    assert "Traceback" not in done.stderr
    full = OSError(number, "x")
    attempt = SimpleNamespace(exception=lambda: full)
    retried = RuntimeError("again and again")
    retried.last_attempt = attempt  # type: ignore[attr-defined]
    assert said in str(machine_fault(retried))
    assert machine_fault(ValueError("mine")) is None


def test_what_may_not_be_written_is_told_with_its_fix() -> None:
    done = ends_with("    raise PermissionError(13, 'Permission denied', '/theirs/set')")
    assert done.returncode == 2
    assert "/theirs/set: Permission denied → ask for access" in done.stderr


def test_a_file_where_a_folder_is_meant_is_told_with_its_fix(tmp_path: Path) -> None:
    (tmp_path / "there").write_text("a file", encoding="utf-8")
    done = ends_with(f"    from pathlib import Path\n    Path({str(tmp_path / 'there')!r}).mkdir()")
    assert done.returncode == 2
    assert "there: File exists → choose another place" in done.stderr
    assert "Errno" not in done.stderr


def test_a_program_fault_stays_a_traceback() -> None:
    done = ends_with("    raise TypeError('a fault of ours')")
    assert done.returncode == 1
    assert "Traceback" in done.stderr


def test_a_closed_standard_output_is_no_fault() -> None:
    code = "    print('a'); import sys; sys.stdout.flush(); sys.exit(0)"
    # Whoever starts the tests in the background of a script has them ignore Ctrl-C, and their children with them.
    heard = "import signal\nsignal.signal(signal.SIGINT, signal.default_int_handler)\n"
    whole = f"{heard}from semiology.harness.machine.ending import end_in_a_sentence\ndef command():\n{code}\nend_in_a_sentence(command)"
    done = subprocess.run(
        ["sh", "-c", 'exec "$0" -c "$1" >&-', sys.executable, whole], capture_output=True, text=True
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_a_run_owns_its_folder(tmp_path: Path) -> None:
    folder, started, ended = tmp_path / "runs", threading.Event(), threading.Event()

    def hold() -> None:
        with owned_folder(folder):
            started.set()
            ended.wait(20)

    holder = threading.Thread(target=hold)
    holder.start()
    started.wait(20)
    with pytest.raises(FolderError, match="another command writes there"), owned_folder(folder):
        pass
    ended.set()
    holder.join()
    assert not folder.exists()  # it held nothing
    with owned_folder(folder):
        (folder / "a").write_text("x")
    assert [path.name for path in folder.iterdir()] == ["a"]


def test_files_that_belong_together_are_marked_until_all_are_there(tmp_path: Path) -> None:
    folder = tmp_path / "report"
    with suppress(KeyboardInterrupt), written_together(folder):
        (folder / "page.html").write_text("x")
        raise KeyboardInterrupt
    assert {path.name for path in folder.iterdir()} == {"page.html", UNFINISHED}
    with written_together(folder):
        assert (folder / UNFINISHED).exists()
        other = (
            "import pathlib, semiology.data.owned_folder as owned\n"
            f"with owned.written_together(pathlib.Path({str(folder)!r})): pass"
        )
        done = subprocess.run([sys.executable, "-c", other], capture_output=True, text=True, check=False)
        assert "FolderError" in done.stderr
        assert "another command writes there now" in done.stderr
    assert {path.name for path in folder.iterdir()} == {"page.html"}


def test_a_folder_that_cannot_be_used_is_told_before_anything_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("x")
    for bad in (tmp_path / "file", tmp_path / "file" / "within"):
        with pytest.raises(FolderError, match="cannot be written"), owned_folder(bad):
            pass
    monkeypatch.setattr(owned.shutil, "disk_usage", lambda path: SimpleNamespace(free=24_000))
    with pytest.raises(FolderError, match="23 KiB left"), owned_folder(tmp_path / "new"):
        pass


@pytest.mark.parametrize(
    "words",
    [
        "power SET --out PLACE/p.json", "compare RUN always-yes --out PLACE", "report RUN --out PLACE",
        "diagnose RUN --out PLACE", "repeat RUN RUN --out PLACE", "run --model m --data SET --out PLACE/runs",
        "export sft --data SET --out PLACE", "finetune sft --samples SET --checkpoint m --out PLACE",
        "train --data SET --out PLACE", "agreement annotators SET SET --out PLACE/k.csv",
        "leaderboard export RUN --out PLACE/l.json", "reproduce embc --data SET --out PLACE/r.csv",
        "review export RUN --out PLACE", "data describe SET --out PLACE",
        "optimize --model m --data SET --preset published --out PLACE", "enhance run SET --with pose --out PLACE",
    ],
)  # fmt: skip
@pytest.mark.parametrize("fault", ["a file", "full"])
def test_no_command_begins_where_it_cannot_write(
    words: str, fault: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command_here: Any
) -> None:
    (tmp_path / "set").mkdir()
    place = tmp_path / "place" / "below"
    if fault == "a file":
        (tmp_path / "place").write_text("x")
    else:
        monkeypatch.setattr(owned.shutil, "disk_usage", lambda path: SimpleNamespace(free=24_000))
    given = words.replace("SET", str(tmp_path / "set")).replace("RUN", str(tmp_path / "set"))
    ended = command_here(main, "semiology", *given.replace("PLACE", str(place)).split())
    assert ended.returncode == 2
    assert ("is no folder" if fault == "a file" else "23 KiB left") in ended.stderr
    assert "Traceback" not in ended.stderr
    assert not place.exists()


def test_a_cache_that_cannot_be_used_is_a_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("x")
    monkeypatch.setenv("SEMIOLOGY_CACHE", str(tmp_path / "file"))
    with pytest.raises(SettingsError, match="SEMIOLOGY_CACHE"):
        cache_directory()
    monkeypatch.delenv("SEMIOLOGY_CACHE")

    def homeless() -> Path:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.setattr(Path, "home", homeless)
    with pytest.raises(SettingsError, match=r"home directory.*SEMIOLOGY_CACHE"):
        cache_directory()


def test_new_results_are_found_though_the_clock_was_set_back(tmp_path: Path) -> None:
    old = tmp_path / f"{STAMP}_results.json"
    old.write_text("{}")
    before = result_files(tmp_path)
    with pytest.raises(RunError, match="no results file"):
        _result_folder(tmp_path, set(), before)
    new = tmp_path / "20250101_000000_results.json"
    new.write_text("{}")
    yesterday = time.time() - 86_400
    os.utime(new, (yesterday, yesterday))
    assert _result_folder(tmp_path, set(), before) == tmp_path


def test_half_a_surrogate_pair_is_written_out() -> None:
    class Model:
        def generate_until(self, requests: list[Any]) -> list[Any]:
            return ["yes \ud83d", SimpleNamespace(text="no \udc00"), "fine 😀"]

    model = Model()
    with whole_characters(model):
        first, second, third = model.generate_until([1, 2, 3])
    assert (first, second.text, third) == ("yes \\ud83d", "no \\udc00", "fine 😀")
    escaped("\ud83d").encode()
    assert model.generate_until([])[0] == "yes \ud83d"


def results(folder: Path, rows: list[str], effective: int) -> Path:
    folder.mkdir()
    record = {"n-samples": {"semiology_tonic": {"original": effective, "effective": effective}}}
    (folder / f"{STAMP}_results.json").write_text(json.dumps(record))
    (folder / f"{STAMP}_samples_semiology_tonic.jsonl").write_text("".join(f"{row}\n" for row in rows))
    return folder


def test_a_sample_file_that_is_empty_short_or_of_two_runs_is_an_error(tmp_path: Path) -> None:
    rows = [f'{{"doc_id": {number}}}' for number in range(4)]
    assert find_result_files([results(tmp_path / "whole", rows, 4)], [])
    for name, found, said in (
        ("empty", [], "holds 0 of the 4 samples"),
        ("short", rows[:3], "holds 3 of the 4 samples"),
        ("mixed", rows + rows, "two runs wrote into one folder"),
    ):
        with pytest.raises(ResultsError, match=said):
            find_result_files([results(tmp_path / name, found, 4)], [])


def test_a_machine_without_semaphores_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where /dev/shm cannot be written, the system's error names no file."""

    def refused(*given: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("multiprocessing.synchronize._multiprocessing.SemLock", refused)
    with pytest.raises(PermissionError) as caught:
        multiprocessing.Lock()
    assert "/dev/shm" in str(machine_fault(caught.value))
    assert machine_fault(PermissionError(13, "Permission denied")) is None


def test_what_a_killed_run_left_half_written_goes_and_the_rest_stays(tmp_path: Path) -> None:
    def files(stamp: str, samples: int, *, results: str | None = None) -> list[Path]:
        counted = {"n-samples": {"semiology_tonic": {"original": 2, "effective": 2}}}
        written = tmp_path / f"{stamp}_results.json"
        written.write_text(json.dumps(counted) if results is None else results)
        lines = [json.dumps({"doc_id": number}) + "\n" for number in range(samples)]
        if samples:
            (tmp_path / f"{stamp}_samples_semiology_tonic.jsonl").write_text("".join(lines))
        return list(tmp_path.glob(f"{stamp}_*"))

    earlier, whole = files("20260101_120000", 1), files("20260102_120000", 2)
    begun = tmp_path / BEGUN_FILE
    remove_half_written(tmp_path)  # no run of ours was killed here: nothing is touched
    assert all(path.exists() for path in earlier)
    begun.write_text(json.dumps(["20260101_120000_results.json"]))
    torn = [
        *files("20260103_120000", 1),
        *files("20260104_120000", 0),
        *files("20260105_120000", 2, results="{"),
    ]
    remove_half_written(tmp_path)
    assert not [path for path in torn if path.exists()]
    assert all(path.exists() for path in [*earlier, *whole])


def test_what_a_killed_command_left_in_the_writing_goes_with_the_next(tmp_path: Path) -> None:
    (tmp_path / "tables").mkdir()
    begin, end = UNFINISHED_FILE
    left = [tmp_path / f"{begin}1{end}", tmp_path / "tables" / f"{begin}2{end}"]
    own = tmp_path / "tmp1.part"
    for path in (*left, own):
        path.write_text("half")
    with owned_folder(tmp_path):
        assert not [path for path in left if path.exists()]
    assert own.exists()
