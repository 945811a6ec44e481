"""Small faults put into the metrics one at a time: which do the tests not notice?

    python benchmarks/mutants.py                              # the named faults and 120 drawn with seed 0
    python benchmarks/mutants.py --room paired --count 40 --workers 2
    python benchmarks/mutants.py --seed 1 --show              # only list the mutants

A mutant changes one comparison, sign, operator, number, condition, pair of arguments, sum over patients or degree of
freedom of one file; the kinds are drawn evenly. The tests run once to see which of them run which lines. Of each
mutant those that run its statement are run, the fastest first, until one fails or the time limit is reached (an endless
loop is noticed too); a mutant that no test fails on survives. Each runs in a fork of a process that has collected the
tests already and only exchanges the code of the changed function; what runs as a module is imported is imported anew.
Tests that start processes of their own do not see a mutant. All this happens in a copy of the tree below ``--work``,
where results are kept: a run that was broken off goes on, and what killed a mutant before is asked first.

`mutants_equivalent.yaml` names the mutants that compute the same and says why; they are told, and are not counted.
"""

from __future__ import annotations

import gc
import importlib.abc
import importlib.util
import json
import os
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import CodeType, FrameType, FunctionType, ModuleType
from typing import Any

import yaml
from measuring import CONSOLE, parser, print_table
from mutant_sites import KINDS, Mutant, drawn, mutant_at, named, sites_of

ROOT = Path(__file__).resolve().parents[1]
ROOMS = (
    "statistics", "paired", "scores", "robustness", "s3", "agreement", "diagnosis", "strokerehab", "published_rules",
    "coverage", "arrays",
)  # fmt: skip
TESTS = ("tests/metrics",)
OPTIONS = ("-q", "--assert=plain", "-p", "no:cacheprovider", "-m", "not slow", "--hypothesis-seed=0")
EQUIVALENT = Path(__file__).with_name("mutants_equivalent.yaml")

Lines = dict[str, set[int]]


@dataclass(frozen=True)
class Touched:
    """What one test runs: the lines of each file of the metrics, and in how many seconds (traced)."""

    lines: Lines
    seconds: float


class Copy:
    """The copy of the tree in which mutants run, and what is known of its tests and of mutants from earlier runs."""

    def __init__(self, work: Path) -> None:
        """Copy the tracked files into ``work/semiology``."""
        self.work, self.root = work, work / "semiology"
        self.root.mkdir(parents=True, exist_ok=True)
        git = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
        listed = subprocess.run(git, cwd=ROOT, capture_output=True, text=True, check=True)  # noqa: S603
        for name in filter(None, listed.stdout.split("\0")):
            source, target = ROOT / name, self.root / name
            if not source.is_file():
                target.unlink(missing_ok=True)
            elif not target.exists() or source.read_bytes() != target.read_bytes():
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(source, target)
        shared = ROOT.parent / "shared"
        if shared.is_dir() and not (work / "shared").exists():
            (work / "shared").symlink_to(shared)
        self._results = work / "results.jsonl"

    def digest(self, files: Sequence[str]) -> str:
        """Return a digest of files."""
        return sha256(b"".join((self.root / name).read_bytes() for name in sorted(files))).hexdigest()[:16]

    def known(self) -> dict[str, dict[str, Any]]:
        """Return the results of earlier runs by the mutant's key; the last one of each counts."""
        if not self._results.exists():
            return {}
        rows = [
            json.loads(line) for line in self._results.read_text("utf-8").splitlines() if line.endswith("}")
        ]
        return {row["key"]: row for row in rows}

    def keep(self, row: dict[str, Any]) -> None:
        """Keep a result."""
        with self._results.open("a", encoding="utf-8") as file:
            file.write(json.dumps(row) + "\n")

    def touched(self, wanted: Sequence[str], workers: int) -> dict[str, Touched]:
        """Return what each test runs, and under the name of its file what importing that runs; each file is run once.

        Raises:
            SystemExit: a test fails on the code as it is.
        """
        folder = self.work / "touched"
        folder.mkdir(exist_ok=True)
        metrics = sorted((self.root / "metrics").rglob("*.py"))
        sources = self.digest([path.relative_to(self.root).as_posix() for path in metrics])
        names = [path.relative_to(self.root).as_posix() for of in wanted for path in _tests(self.root / of)]
        made = {name: folder / f"{self.digest([name])}{sources}.json" for name in names}
        waiting, running = [name for name in names if not made[name].exists()], dict[int, str]()
        while waiting or running:
            while waiting and len(running) < workers:
                name = waiting.pop(0)
                CONSOLE.print(f"which lines does {name} run? {len(waiting)} files to go")
                running[_forked(lambda name=name: _record(name, self.root, made[name]))] = name  # type: ignore[misc]
            child, status = os.wait()
            if os.waitstatus_to_exitcode(status) != 0:
                raise SystemExit(
                    f"{running[child]}: its tests fail on the code as it is → run pytest on it first"
                )
            del running[child]
        return {
            test: Touched({file: set(numbers) for file, numbers in told["lines"].items()}, told["seconds"])
            for path in made.values()
            for test, told in json.loads(path.read_text("utf-8")).items()
        }


def _tests(path: Path) -> list[Path]:
    return [path] if path.is_file() else sorted(path.rglob("test_*.py"))


def _forked(function: Callable[[], int]) -> int:
    """Run a function in a silent fork, which ends with what it returns; return the fork's id."""
    child = os.fork()
    if child == 0:
        out = os.open(os.devnull, os.O_WRONLY)
        os.dup2(out, 1)
        os.dup2(out, 2)
        try:
            os._exit(function())
        finally:
            os._exit(70)
    return child


class _Recorder:
    """Plug-in of pytest that notes which lines of the metrics run in each test.

    What runs while fixtures of a whole file are made counts for every test of the file.
    """

    def __init__(self, name: str, root: Path) -> None:
        self._name = name
        self._metrics, self._start = str(root / "metrics"), len(str(root)) + 1
        self._now: Lines = defaultdict(set)
        self._setup: Lines = defaultdict(set)
        self._imported: Lines = defaultdict(set)
        self.tests: dict[str, Lines] = {}
        self._seconds: dict[str, float] = defaultdict(float)

    def trace(self, frame: FrameType, event: str, argument: object) -> Callable[..., Any] | None:
        """Return what is called at each line of a frame of the metrics, None for other frames."""
        name = frame.f_code.co_filename
        if not name.startswith(self._metrics):
            return None
        lines = self._now[name[self._start :]]
        lines.add(frame.f_lineno)

        def each(frame: FrameType, event: str, argument: object) -> Callable[..., Any]:
            lines.add(frame.f_lineno)
            return each

        return each

    def _phase(self, test: str, into: Lines) -> Iterator[None]:
        _forget()
        self._now = into
        began = time.perf_counter()
        sys.settrace(self.trace)
        yield
        sys.settrace(None)
        self._seconds[test] += time.perf_counter() - began

    def pytest_collection(self) -> Any:
        """Note what runs as modules are imported."""
        yield from self._phase(self._name, self._imported)

    def pytest_runtest_setup(self, item: Any) -> Any:
        """Note what fixtures run."""
        yield from self._phase(item.nodeid, self._setup)

    def pytest_runtest_call(self, item: Any) -> Any:
        """Note what the test runs."""
        yield from self._phase(item.nodeid, self.tests.setdefault(item.nodeid, defaultdict(set)))

    def written(self) -> dict[str, dict[str, Any]]:
        """Return the lines of each test by file, and its seconds; what importing runs under the name of the file."""

        def told(test: str, lines: Lines, more: Lines) -> dict[str, Any]:
            every = {name: sorted(lines.get(name, set()) | more.get(name, set())) for name in {*lines, *more}}
            return {"lines": every, "seconds": round(self._seconds[test], 3)}

        tests = {test: told(test, lines, self._setup) for test, lines in self.tests.items()}
        return {**tests, self._name: told(self._name, self._imported, {})}


def _forget() -> None:
    """Empty the caches of the metrics."""
    for module in [each for name, each in sys.modules.items() if name.startswith("semiology.metrics")]:
        for value in vars(module).values():
            if hasattr(value, "cache_clear"):
                value.cache_clear()


def _record(name: str, root: Path, out: Path) -> int:
    """Run a file of tests and write which of them run which lines of the metrics; return pytest's status."""
    import pytest

    for hook in ("pytest_collection", "pytest_runtest_setup", "pytest_runtest_call"):
        setattr(_Recorder, hook, pytest.hookimpl(hookwrapper=True)(getattr(_Recorder, hook)))
    os.chdir(root)
    recorder = _Recorder(name, root)
    status = int(pytest.main([*OPTIONS, name], plugins=[recorder]))
    if status in (0, 5):  # 5: every test of the file is slow
        half = out.with_suffix(".half")
        half.write_text(json.dumps(recorder.written()), encoding="utf-8")
        half.replace(out)
    return 0 if status == 5 else status


def _runs(mutant: Mutant, lines: Lines) -> bool:
    """Whether the statement of a mutant is among the lines run; its file, where the statement is none of a function."""
    file, span = mutant.file, mutant.lines
    return file in lines if span is None else any(span[0] <= line <= span[1] for line in lines.get(file, ()))


def tests_of(mutant: Mutant, touched: dict[str, Touched]) -> list[str]:
    """Return the tests that run the statement of a mutant, the fastest first.

    What runs as a module is imported, a table of settings say, is seen by tests that run nothing of the module too:
    then every test counts whose file imports it.
    """

    def sees(test: str) -> bool:
        imported = mutant.lines is None and _runs(mutant, touched[test.split("::")[0]].lines)
        return imported or _runs(mutant, touched[test].lines)

    return sorted(
        filter(sees, (test for test in touched if "::" in test)), key=lambda test: touched[test].seconds
    )


def loaded_tests(mutant: Mutant, touched: dict[str, Touched], root: Path) -> list[str]:
    """Return those tests of a mutant for which it does not matter that all was imported without it."""
    if mutant.lines is None or exchanged(mutant, root) is None:
        return []
    return [
        test for test in tests_of(mutant, touched) if not _runs(mutant, touched[test.split("::")[0]].lines)
    ]


class _Mutated(importlib.abc.MetaPathFinder, importlib.abc.InspectLoader):
    """Imports one module from a given source."""

    def __init__(self, mutant: Mutant, root: Path) -> None:
        self._mutant, self._root = mutant, root

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Return the spec of the mutated module, None of every other."""
        if fullname != self._mutant.module:
            return None
        return importlib.util.spec_from_loader(fullname, self, origin=str(self._root / self._mutant.file))

    def get_source(self, fullname: str) -> str:
        """Return the mutated source."""
        return self._mutant.source


def _try(mutant: Mutant, root: Path, tests: Sequence[str], killer: Path, seconds: int) -> int:
    """Run tests on a mutant until one fails, and write which; return pytest's status.

    The limit is one of processor seconds, so that a busy machine kills no mutant.
    """
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds + 1))
    import pytest

    class Told:
        def pytest_runtest_logreport(self, report: Any) -> None:
            if report.failed:
                killer.write_text(report.nodeid, encoding="utf-8")

    os.chdir(root)
    sys.meta_path.insert(0, _Mutated(mutant, root))
    # File by file, as a whole run would import every file before the first test; those of the mutant's own room first.
    files = sorted(
        dict.fromkeys(test.split("::")[0] for test in tests), key=lambda name: f"/{mutant.room}/" not in name
    )
    for file in files:
        own = [test for test in tests if test.split("::")[0] == file]
        if status := int(pytest.main(["-x", *OPTIONS, *own], plugins=[Told()])):
            return status
    return 0


def _functions(code: CodeType) -> list[CodeType]:
    """Return the codes of the functions inside a code, in order; a comprehension comes with the one that holds it."""
    inside = [each for each in code.co_consts if isinstance(each, CodeType)]
    own = [code] if code.co_name == "<lambda>" or not code.co_name.startswith("<") else []
    return [*own, *(each for one in inside for each in _functions(one))]


def exchanged(mutant: Mutant, root: Path) -> dict[tuple[str, int], CodeType] | None:
    """Return the mutant's code of each function by its name and first line; None where names do not tell them."""
    file = root / mutant.file
    before = _functions(compile(file.read_text("utf-8"), str(file), "exec"))
    after = _functions(compile(mutant.source, str(file), "exec"))
    found = {(old.co_name, old.co_firstlineno): new for old, new in zip(before, after, strict=False)}
    alike = len(before) == len(after) == len(found) and all(
        old.co_name == new.co_name and old.co_freevars == new.co_freevars
        for old, new in zip(before, after, strict=False)
    )
    return found if alike else None


def _try_loaded(mutant: Mutant | None, root: Path, items: Sequence[Any], killer: Path, seconds: int) -> int:
    """Exchange the code of the functions of the mutant's file, run tests until one fails, and write which.

    Without a mutant the tests run on the code as it is.
    """
    from _pytest.runner import runtestprotocol

    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds + 1))
    if mutant is not None:
        codes, file = exchanged(mutant, root), str(root / mutant.file)
        assert codes is not None
        gc.unfreeze()  # the collector lists no frozen object
        for each in gc.get_objects():
            if isinstance(each, FunctionType) and each.__code__.co_filename == file:
                each.__code__ = codes[each.__code__.co_name, each.__code__.co_firstlineno]
    _forget()
    for item in items:
        for report in runtestprotocol(item, nextitem=None, log=False):
            if report.failed:
                killer.write_text(report.nodeid, encoding="utf-8")
                return 1
    return 0


Asked = tuple[Mutant, list[str], bool]
"""A mutant, tests to run on it, and whether they are the last ones."""


def judged(
    mutants: Sequence[Mutant], copy: Copy, touched: dict[str, Touched], workers: int, seconds: int
) -> Iterator[tuple[Mutant, dict[str, Any]]]:
    """Yield each mutant with its result: killed, by which test, and after how many seconds.

    A process that has collected the tests comes first; what it leaves alive is imported anew for the other tests.
    """
    waiting, known = list[Mutant](), copy.known()
    for mutant in mutants:
        row = _earlier(mutant, copy, tests_of(mutant, touched), known)
        if row is None:
            waiting.append(mutant)
        else:
            yield mutant, row
    tests = {mutant.key: tests_of(mutant, touched) for mutant in waiting}
    loaded = {mutant.key: loaded_tests(mutant, touched, copy.root) for mutant in waiting}
    first = [(each, loaded[each.key], loaded[each.key] == tests[each.key]) for each in waiting]
    child = os.fork()
    if child == 0:
        os._exit(_with_tests_loaded([one for one in first if one[1]], copy, workers, seconds))
    if os.waitpid(child, 0)[1]:
        raise SystemExit("the pass with the tests loaded was broken off → see what is told above")
    known = copy.known()
    rest: list[Asked] = []
    for mutant in waiting:
        row = _earlier(mutant, copy, tests[mutant.key], known)
        if row is None:
            left = [test for test in tests[mutant.key] if test not in loaded[mutant.key]]
            rest.append((mutant, left, True))
        else:
            yield mutant, row

    def anew(mutant: Mutant, tests: list[str], killer: Path) -> int:
        return _try(mutant, copy.root, tests, killer, seconds)

    yield from _forks(rest, copy, tests, workers, anew)


def _with_tests_loaded(asked: Sequence[Asked], copy: Copy, workers: int, seconds: int) -> int:
    """Collect the tests once and try mutants in forks; return 0, or what went wrong."""
    import pytest

    if not asked:
        return 0
    failed = copy.work / "fails_without_mutant"
    failed.unlink(missing_ok=True)

    class Loop:
        def pytest_runtestloop(self, session: Any) -> bool:
            items = {item.nodeid: item for item in session.items}
            killers, every = set[str](), {mutant.key: tests for mutant, tests, _ in asked}

            def loaded(mutant: Mutant, tests: list[str], killer: Path) -> int:
                return _try_loaded(mutant, copy.root, [items[test] for test in tests], killer, seconds)

            for i, (mutant, row) in enumerate(_forks(asked, copy, every, workers, loaded)):
                CONSOLE.print(
                    f"{i + 1} of {len(asked)}: {'killed' if row['killed'] else 'lives'}: {mutant.told}"
                )
                killers.add(row["by"])
            whole = [item for test, item in items.items() if test in killers]
            child = _forked(lambda: _try_loaded(None, copy.root, whole, failed, 3600))
            os.waitpid(child, 0)
            return True

    os.chdir(copy.root)
    status = pytest.main(
        ["-s", *OPTIONS, *sorted({test.split("::")[0] for _, tests, _ in asked for test in tests})],
        plugins=[Loop()],
    )
    if failed.exists():
        CONSOLE.print(f"{failed.read_text('utf-8')}: fails without a mutant too → what it killed is none")
        return 1
    return 0 if status in (0, 5) else int(status)


def _earlier(
    mutant: Mutant, copy: Copy, tests: list[str], known: dict[str, dict[str, Any]]
) -> dict[str, Any] | None:
    """Return the result of an earlier run where it still holds, None where the mutant is to be tried."""
    before = known.get(mutant.key)
    if before is None:
        return None
    # Once killed, a mutant stays killed while the file of the test that did it is as it was.
    asked = [before["by"]] if before["by"] in tests else tests
    return before if before["tests"] == _digest(copy, asked) else None


def _digest(copy: Copy, tests: Sequence[str]) -> str:
    return copy.digest([*{test.split("::")[0] for test in tests}])


def _forks(
    asked: Sequence[Asked],
    copy: Copy,
    every: dict[str, list[str]],
    workers: int,
    attempt: Callable[[Mutant, list[str], Path], int],
) -> Iterator[tuple[Mutant, dict[str, Any]]]:
    """Try each mutant in a fork, keep what is decided, of ``every`` test of it, and yield both, as they end."""
    known, running = copy.known(), dict[int, tuple[Asked, float, Path]]()
    waiting = list(asked)
    gc.collect()
    gc.freeze()
    while waiting or running:
        while waiting and len(running) < workers:
            mutant, tests, last = waiting.pop(0)
            killer = copy.work / f"killer_{mutant.key}"
            before = known.get(mutant.key, {}).get("by", "")
            tests.sort(key=lambda test, by=before: test != by)  # type: ignore[misc]  # what killed it will again
            child = _forked(lambda m=mutant, t=tests, k=killer: attempt(m, t, k) if t else 0)  # type: ignore[misc]
            running[child] = ((mutant, tests, last), time.monotonic(), killer)
        child, status = os.wait()
        (mutant, tests, last), began, killer = running.pop(child)
        code = os.waitstatus_to_exitcode(status)
        by = killer.read_text("utf-8") if killer.exists() else ""
        killer.unlink(missing_ok=True)
        if (
            code not in (0, 1, 2, 4) and code > 0
        ):  # a failed test is 1, an import that fails 2, or 4 of a named test
            raise SystemExit(
                f"{mutant.told}: could not be tried, status {code} → run it alone with --workers 1"
            )
        if not by and code:
            by = (
                "the time limit" if code in (-signal.SIGXCPU, -signal.SIGKILL) else "an error before any test"
            )
        spent = round(time.monotonic() - began, 1)
        digest = _digest(copy, [by] if "::" in by else every[mutant.key])
        row = {"key": mutant.key, "tests": digest, "killed": code != 0, "by": by, "seconds": spent}
        if code or last:
            copy.keep(row)
        yield mutant, row


def equivalent_reasons() -> dict[tuple[str, str, str, str], str]:
    """Return why mutants compute the same, by file, text of the line, what stood there and what stands there."""
    listed = yaml.safe_load(EQUIVALENT.read_text("utf-8"))
    return {(each["file"], each["line"], each["before"], each["after"]): each["reason"] for each in listed}


def table(results: Sequence[tuple[Mutant, bool]]) -> Iterator[list[object]]:
    """Yield the rows of a table: killed of how many by room and kind, and all."""
    kinds = [kind for kind in KINDS if any(mutant.kind == kind for mutant, _ in results)]
    yield ["room", *kinds, "all", "share"]
    rooms = [room for room in ROOMS if any(mutant.room == room for mutant, _ in results)]
    for room in [*rooms, ""]:
        own = [(mutant, killed) for mutant, killed in results if room in ("", mutant.room)]
        parts = [[killed for mutant, killed in own if mutant.kind == kind] for kind in kinds]
        every = [killed for _, killed in own]
        cells = [f"{sum(part)}/{len(part)}" if part else "" for part in [*parts, every]]
        yield [room or "all", *cells, f"{sum(every) / len(every):.0%}"]


def main() -> None:
    """Print each mutant and which test kills it, the survivors, and a table by room and kind."""
    described = parser(__doc__)
    described.add_argument("--count", type=int, default=120, help="mutants drawn besides the named ones")
    described.add_argument("--seed", type=int, default=0)
    described.add_argument("--room", nargs="*", default=list(ROOMS), choices=ROOMS)
    described.add_argument("--workers", type=int, default=1)
    described.add_argument(
        "--seconds", type=int, default=240, help="processor seconds that a mutant may take"
    )
    described.add_argument("--tests", nargs="*", default=list(TESTS), help="files and folders of tests")
    described.add_argument("--work", type=Path, default=Path(tempfile.gettempdir()) / "semiology_mutants")
    described.add_argument("--show", action="store_true", help="only list the mutants")
    options = described.parse_args()
    files = [path for room in options.room for path in _files(ROOT / "metrics" / room)]
    every = [site for path in files for site in sites_of(path)]
    first = [mutant for mutant in named(ROOT) if mutant.room in options.room]
    chosen = first + [mutant_at(site, ROOT) for site in drawn(every, options.count, options.seed, ROOT)]
    CONSOLE.print(
        f"{len(first)} named, {len(chosen) - len(first)} drawn of {len(every)} mutants of {len(files)} files"
    )
    if options.show:
        for mutant in chosen:
            CONSOLE.print(mutant.told)
        return
    copy = Copy(options.work)
    sys.path.insert(0, str(options.work))
    import pandas  # noqa: F401 - loaded once, before the forks
    import pytest  # noqa: F401
    import scipy.stats  # noqa: F401
    import sklearn.metrics  # noqa: F401
    import statsmodels.api  # noqa: F401

    touched, reasons = copy.touched(options.tests, options.workers), equivalent_reasons()
    results, same = [], []
    for mutant, row in judged(chosen, copy, touched, options.workers, options.seconds):
        told = mutant.told
        reason = (
            None if row["killed"] else reasons.get((mutant.file, mutant.text, mutant.before, mutant.after))
        )
        if reason is not None:
            same.append(f"{told}\n    {reason}")
        else:
            results.append((mutant, bool(row["killed"])))
        word = "killed  " if row["killed"] else "SURVIVES" if reason is None else "same    "
        done = len(results) + len(same)
        CONSOLE.print(f"[{done}/{len(chosen)}] {word} {told}" + (f"   {row['by']}" if row["killed"] else ""))
    for line in same:
        CONSOLE.print(f"computes the same: {line}")
    columns, *rows = table(results)
    print_table([str(each) for each in columns], rows)
    killed = sum(alive for _, alive in results)
    CONSOLE.print(
        f"{killed} of {len(results)} killed ({killed / len(results):.1%}); {len(same)} compute the same"
    )


def _files(room: Path) -> list[Path]:
    """Return the files of a room, which may be one file."""
    one = room.with_suffix(".py")
    return (
        [one] if one.exists() else sorted(path for path in room.rglob("*.py") if path.name != "__init__.py")
    )


if __name__ == "__main__":
    main()
