"""How a command ends: what the user can fix is a sentence and status 2; SIGTERM ends like Ctrl-C, with status 143."""

from __future__ import annotations

import errno
import os
import signal
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any, NoReturn

from semiology.privacy.staying_here import download_hint

TERMINATED = 128 + signal.SIGTERM
_MACHINE = {
    errno.ENOSPC: "the disk is full → make room",
    errno.EDQUOT: "your share of the disk is full → make room",
    errno.EROFS: "the file system is read-only → choose another folder",
    errno.EIO: "the disk cannot be read or written → check it",
}

UNANSWERED_STATUS = 3
"""Of a run that has its results, some of whose requests got no reply."""


class _Ending:
    terminated = False


def _terminate(number: int, frame: FrameType | None) -> NoReturn:
    del number, frame
    _Ending.terminated = True
    raise KeyboardInterrupt


def end_in_a_sentence(command: Callable[[], None]) -> None:
    """Carry out a command and end the process; journals and files are closed as after Ctrl-C."""
    signal.signal(signal.SIGTERM, _terminate)
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:  # closed by the caller (``>&-``)
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: SIM115, PTH123
    try:
        command()
    except (KeyboardInterrupt, SystemExit) as error:
        if _Ending.terminated:
            _say("ended by SIGTERM; what was answered is kept, and the same command goes on")
            sys.exit(TERMINATED)
        if isinstance(error, SystemExit):
            raise
        sys.exit(128 + signal.SIGINT)
    except BrokenPipeError:  # nobody reads any more
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        sys.exit(128 + signal.SIGPIPE)
    except (ValueError, RuntimeError, OSError) as error:
        _say(machine_fault(error) or _of_a_place(error) or f"{error}{download_hint(error)}")
        sys.exit(getattr(error, "exit_status", 2))  # a run with some questions unanswered has its own
    except Exception as error:
        if (fault := machine_fault(error)) is None:
            raise
        _say(fault)
        sys.exit(2)


def machine_fault(error: BaseException) -> str | None:
    """Return what is wrong with the machine where that is behind an error, however it was wrapped; else None."""
    seen: set[int] = set()
    current: BaseException | None = error
    while current is not None and id(current) not in seen:
        seen.add(id(current))
        if isinstance(current, OSError) and current.errno in _MACHINE:
            where = f"{current.filename}: " if current.filename else ""
            return f"{where}{_MACHINE[current.errno]}, then run the same command again"
        if isinstance(current, OSError) and current.filename is None and _in_semaphores(current):
            return (
                f"processes side by side need shared memory, which this machine refuses ({current}) → let /dev/shm be "
                "written (in a container: mount it), then run the same command again"
            )
        attempt: Any = getattr(current, "last_attempt", None)  # tenacity's RetryError
        inner = attempt.exception() if hasattr(attempt, "exception") else None
        current = inner or current.__cause__ or current.__context__
    return None


def _of_a_place(error: BaseException) -> str | None:
    """Return which place may not be read or written, or is a file where a folder is meant; None for other errors."""
    if isinstance(error, PermissionError) and error.filename:
        return f"{error.filename}: {error.strerror} → ask for access, or choose a place where you may write"
    if isinstance(error, FileExistsError | NotADirectoryError | IsADirectoryError) and error.filename:
        return f"{error.filename}: {error.strerror} → choose another place, or move what is there"
    return None


def _in_semaphores(error: BaseException) -> bool:
    """Return whether an error comes from Python's semaphores, whose files the system does not name."""
    frames = traceback.extract_tb(error.__traceback__)
    return any(Path(frame.filename).parts[-2:] == ("multiprocessing", "synchronize.py") for frame in frames)


def _say(message: str) -> None:
    import typer

    typer.secho(f"semiology: {message}", fg=typer.colors.RED, err=True)
