"""Calls of the ``semiology`` command that are killed at a chosen moment, with all of their children (SIGKILL).

A command spends most of its time importing torch. So the warm calls are forks of a process that has imported all of it:
what is killed is our own work. The cold ones are processes of their own, killed at any moment, the imports included.
"""

from __future__ import annotations

import atexit
import contextlib
import importlib
import mmap
import os
import signal
import struct
import subprocess
import sys
import time
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

START, WORK, WRITE = "start", "work", "write"
PHASES = (START, WORK, WRITE)
"""When a call is killed: in a cold process at any time; in a warm one at any time after it first wrote; just before it
opens a file for writing, renames or removes one, or makes or removes a folder."""
LONGEST_S = 900.0
"""A call that takes longer hangs, s."""

_POLL_S = 0.002
_STATE = struct.Struct("dq")  # time of the first write, number of writes
_WRITES = frozenset({"os.rename", "os.remove", "os.mkdir", "os.rmdir", "os.truncate", "os.link"})
_WRITING = os.O_WRONLY | os.O_RDWR


@dataclass(frozen=True)
class Kill:
    """When a call is killed.

    Attributes:
        phase: one of `PHASES`.
        after_s: `START`: so long after it began; `WORK`: after it first wrote, s.
        write: `WRITE`: before its write of this number, from 1.
    """

    phase: str
    after_s: float = 0.0
    write: int = 0


@dataclass(frozen=True)
class Ended:
    """How a call ended.

    Attributes:
        status: its exit status; None where it was killed.
        first_s, whole_s: until it first wrote under the folder that is watched, and in all.
        writes: how often it wrote there; 0 of a cold call.
    """

    status: int | None
    first_s: float
    whole_s: float
    writes: int


def call(
    words: tuple[str, ...], environment: Mapping[str, str], watched: Path, log: Path, kill: Kill | None
) -> Ended:
    """Run a command, killed or to its end; what it prints is added to ``log``.

    Raises:
        RuntimeError: it took longer than `LONGEST_S`.
    """
    if kill is not None and kill.phase == START:
        return _cold(words, environment, log, kill.after_s)
    shared = mmap.mmap(-1, _STATE.size)
    began = time.monotonic()
    child = os.fork()
    if child == 0:
        _be_the_command(words, environment, watched, log, shared, kill)
    killed_at = None
    while True:
        ended, status = os.waitpid(child, os.WNOHANG)
        first, writes = _STATE.unpack_from(shared)
        if ended:
            break
        now = time.monotonic()
        if kill is not None and kill.phase == WORK and first and now - first >= kill.after_s:
            killed_at = killed_at or now
            with contextlib.suppress(ProcessLookupError):
                os.killpg(child, signal.SIGKILL)
        if now - began > LONGEST_S:
            os.killpg(child, signal.SIGKILL)
            raise RuntimeError(f"{' '.join(words)} takes longer than {LONGEST_S:.0f} s")
        time.sleep(_POLL_S)
    whole = time.monotonic() - began
    return Ended(
        None if os.WIFSIGNALED(status) else os.waitstatus_to_exitcode(status),
        max(0.0, first - began),
        whole,
        writes,
    )


def _cold(words: tuple[str, ...], environment: Mapping[str, str], log: Path, after_s: float) -> Ended:
    began = time.monotonic()
    with log.open("ab") as stream:
        process = subprocess.Popen(  # noqa: S603 - our own command
            [sys.executable, "-m", "semiology.cli", *words], env=dict(environment), start_new_session=True,
            stdin=subprocess.DEVNULL, stdout=stream, stderr=stream,
        )  # fmt: skip
        try:
            status: int | None = process.wait(after_s)
        except subprocess.TimeoutExpired:
            status = None
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
    return Ended(status, 0.0, time.monotonic() - began, 0)


def _be_the_command(
    words: tuple[str, ...], environment: Mapping[str, str], watched: Path, log: Path, shared: mmap.mmap,
    kill: Kill | None,
) -> None:  # fmt: skip
    """Be a process that carries out a command; never returns."""
    status = 1
    try:
        os.setsid()
        out = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        for number, source in ((0, os.open(os.devnull, os.O_RDONLY)), (1, out), (2, out)):
            os.dup2(source, number)
        os.environ.clear()
        os.environ.update(environment)
        sys.argv = ["semiology", *words]
        _watch_writes(str(watched), shared, kill.write if kill and kill.phase == WRITE else 0)
        from semiology.cli import main

        main()
        status = 0
    except SystemExit as error:
        status = error.code if isinstance(error.code, int) else int(error.code is not None)
    except BaseException:  # noqa: BLE001 - what a process would print
        sys.excepthook(*sys.exc_info())
    finally:
        with contextlib.suppress(BaseException):
            atexit._run_exitfuncs()
            sys.stdout.flush()
            sys.stderr.flush()
        os._exit(status)


def _watch_writes(watched: str, shared: mmap.mmap, last: int) -> None:
    """Count what this process writes under a folder, and let it be killed just before write number ``last``."""
    me = os.getpid()

    def heard(event: str, given: tuple[object, ...]) -> None:
        if event == "open":
            _, mode, flags = given
            writes = (isinstance(mode, str) and mode.strip("rbt") != "") or (
                isinstance(flags, int) and bool(flags & _WRITING)
            )
        else:
            writes = event in _WRITES
        if not writes or os.getpid() != me:
            return
        path = given[0]
        if not isinstance(path, str | os.PathLike) or not os.fspath(path).startswith(watched):
            return
        first, count = _STATE.unpack_from(shared)
        _STATE.pack_into(shared, 0, first or time.monotonic(), count + 1)
        if count + 1 == last:
            os.killpg(0, signal.SIGKILL)

    sys.addaudithook(heard)


def import_what_it_needs(modules: list[str]) -> float:
    """Import modules, those that can be; return how long it took, s."""
    began = time.monotonic()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for name in modules:
            with contextlib.suppress(BaseException):
                importlib.import_module(name)
    return time.monotonic() - began


def modules_of(words: tuple[str, ...], environment: Mapping[str, str], note: Path) -> list[str]:
    """Carry out a command in a process of its own, undisturbed; return the modules that it imported."""
    code = (
        "import atexit, json, pathlib, sys\n"
        "from semiology.cli import main\n"
        f"atexit.register(lambda: pathlib.Path({str(note)!r}).write_text(json.dumps(sorted(sys.modules))))\n"
        f"sys.argv = ['semiology', *{list(words)!r}]\n"
        "main()\n"
    )
    import json

    done = subprocess.run(  # noqa: S603 - our own command
        [sys.executable, "-c", code], env=dict(environment), check=False, capture_output=True, text=True
    )
    if not note.exists():
        raise RuntimeError(done.stderr[-2000:])
    loaded: list[str] = json.loads(note.read_text())
    return loaded
