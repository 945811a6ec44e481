"""What the benchmarks share: seconds, memory, options, tables."""

from __future__ import annotations

import argparse
import resource
import sys
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import suppress
from multiprocessing import get_context
from pathlib import Path
from time import perf_counter, process_time
from types import TracebackType
from typing import Any

from rich.console import Console

CONSOLE = Console(width=400, markup=False, highlight=False)


class Clock:
    """Adds up wall and processor seconds of what runs inside it (``with``), or of a function that it wraps."""

    def __init__(self) -> None:
        self.wall = self.processor = 0.0
        self._began: list[tuple[float, float]] = []

    def __enter__(self) -> Clock:
        self._began.append((perf_counter(), process_time()))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        wall, processor = self._began.pop()
        self.wall += perf_counter() - wall
        self.processor += process_time() - processor

    def __call__(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """Return the function, timed."""

        def timed(*arguments: Any, **keywords: Any) -> Any:
            with self:
                return function(*arguments, **keywords)

        return timed


def used_mib() -> float:
    """Return the memory in use by this process, MiB (elsewhere than on Linux its peak)."""
    return _status("VmRSS")


def peak_mib() -> float:
    """Return the peak memory of this process since `forget_peak` (or since its start), MiB."""
    return _status("VmHWM")


def forget_peak() -> None:
    """Let the peak of memory start anew; Linux only."""
    with suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5")


def _status(name: str) -> float:
    status = Path("/proc/self/status")
    if status.exists():
        for line in status.read_text().splitlines():
            if line.startswith(f"{name}:"):
                return int(line.split()[1]) / 1024
    scale = 2**20 if sys.platform == "darwin" else 2**10
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / scale


def parser(description: str | None) -> argparse.ArgumentParser:
    """Return a parser of options whose help is the text of a module as it stands."""
    return argparse.ArgumentParser(
        description=description, formatter_class=argparse.RawDescriptionHelpFormatter
    )


def run_parts(
    description: str | None,
    parts: dict[str, Callable[..., object]],
    read: Callable[[Path], Any] | None = None,
) -> None:
    """Run the parts of a benchmark that are named on the command line, all of them without a name.

    Args:
        read: reads the folder that is named before the parts; every part is given what it returns.
    """
    options = parser(description)
    if read is not None:
        options.add_argument("folder", metavar="FOLDER", type=Path)
    options.add_argument("parts", nargs="*", metavar="PART", help=f"{', '.join(parts)}; default: all")
    given = options.parse_args()
    if unknown := [name for name in given.parts if name not in parts]:
        options.error(f"{unknown[0]}: name some of {', '.join(parts)}")
    read_once = [] if read is None else [read(given.folder)]
    for name in given.parts or parts:
        CONSOLE.print(f"\n## {name}\n")
        parts[name](*read_once)


def in_own_process(function: Callable[..., Any], *arguments: Any) -> Any:
    """Return what a function returns in a fresh process, so that peaks of memory do not mix."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        return pool.submit(function, *arguments).result()


def print_table(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Print a Markdown table."""
    for line in (columns, ["---"] * len(columns), *rows):
        CONSOLE.print(f"| {' | '.join(map(str, line))} |", soft_wrap=True)
