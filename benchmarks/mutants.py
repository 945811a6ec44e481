"""Small faults put into the metrics one at a time: which do the tests not notice?

    python benchmarks/mutants.py                       # 120 mutants, drawn with seed 0
    python benchmarks/mutants.py --count 300 --rooms metrics/paired
    python benchmarks/mutants.py --show                # only list the mutants

A mutant changes one comparison, sign, constant, condition, pair of arguments or choice of patients of one file. The
tests that import the file are run on it, in a forked process whose libraries are loaded already, and stop at the first
failure; a mutant that no test fails on survives. Tests that start processes of their own do not see it.
"""

from __future__ import annotations

import ast
import importlib.abc
import importlib.util
import os
import signal
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType

import numpy as np
from measuring import CONSOLE, parser

ROOT = Path(__file__).resolve().parents[1]
ROOMS = (
    "metrics/statistics",
    "metrics/paired",
    "metrics/scores",
    "metrics/robustness",
    "metrics/s3",
    "metrics/agreement",
)
COMPARISONS: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt, ast.Eq: ast.NotEq, ast.NotEq: ast.Eq,
}  # fmt: skip
OPERATORS: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Div, ast.Div: ast.Mult,
}  # fmt: skip
NAMES = {"maximum": "minimum", "minimum": "maximum", "max": "min", "min": "max", "any": "all", "all": "any"}
SKIPPED = ("ValueError", "KeyError", "TypeError")
SECONDS = 240


@dataclass(frozen=True)
class Mutant:
    """One change: file below the root, line, what it was and what it is, and the whole source of the mutant."""

    file: str
    line: int
    before: str
    after: str
    source: str

    @property
    def module(self) -> str:
        """Name of the module."""
        return ".".join(("semiology", *Path(self.file).with_suffix("").parts))


def sites(tree: ast.Module) -> Iterator[tuple[ast.AST, str]]:
    """Yield every node that can be changed, with the kind of change; annotations, texts and errors are left alone."""
    for node in _walk(tree):
        if isinstance(node, ast.Compare) and type(node.ops[0]) in COMPARISONS and len(node.ops) == 1:
            yield node, "comparison"
        elif isinstance(node, ast.BinOp) and type(node.op) in OPERATORS and not _text(node):
            yield node, "operator"
        elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
            yield node, "sign"
        elif isinstance(node, ast.Constant) and type(node.value) in (int, float):
            yield node, "constant"
        elif isinstance(node, ast.Attribute | ast.Name) and isinstance(node.ctx, ast.Load):
            if (node.attr if isinstance(node, ast.Attribute) else node.id) in NAMES:
                yield node, "name"
        elif isinstance(node, ast.If | ast.IfExp):
            yield node, "condition"
        elif isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Compare):
            yield node, "selection"
        if (
            isinstance(node, ast.Call)
            and len(node.args) > 1
            and not any(isinstance(a, ast.Starred) for a in node.args)
        ):
            yield node, "arguments"


def _walk(node: ast.AST) -> Iterator[ast.AST]:
    """Yield nodes in order, without annotations, raised errors, texts and assertions."""
    for name, value in ast.iter_fields(node):
        if name in ("annotation", "returns", "decorator_list", "type_params", "type_comment"):
            continue
        for child in value if isinstance(value, list) else [value]:
            if isinstance(child, ast.Raise | ast.JoinedStr | ast.Assert | ast.Import | ast.ImportFrom):
                continue
            if isinstance(child, ast.If) and ast.unparse(child.test) == "TYPE_CHECKING":
                continue
            if isinstance(child, ast.AST):
                yield child
                yield from _walk(child)


def _text(node: ast.AST) -> bool:
    return any(isinstance(each, ast.JoinedStr | ast.Constant) and isinstance(getattr(each, "value", ""), str)
               for each in ast.walk(node))  # fmt: skip


def changed(node: ast.AST, kind: str) -> None:
    """Change a node in place; `_undone` is not needed, as each mutant parses its file anew."""
    if kind == "comparison" and isinstance(node, ast.Compare):
        node.ops[0] = COMPARISONS[type(node.ops[0])]()
    elif kind == "operator" and isinstance(node, ast.BinOp):
        node.op = OPERATORS[type(node.op)]()
    elif kind == "sign" and isinstance(node, ast.UnaryOp):
        node.op = ast.UAdd()
    elif kind == "constant" and isinstance(node, ast.Constant):
        assert isinstance(node.value, int | float)
        node.value = node.value + 1 if isinstance(node.value, int) else node.value * 2 + 0.01
    elif kind == "name" and isinstance(node, ast.Attribute):
        node.attr = NAMES[node.attr]
    elif kind == "name" and isinstance(node, ast.Name):
        node.id = NAMES[node.id]
    elif kind == "condition" and isinstance(node, ast.If | ast.IfExp):
        node.test = ast.UnaryOp(ast.Not(), node.test)
    elif kind == "selection" and isinstance(node, ast.Subscript):
        node.slice = ast.Slice()
    elif kind == "arguments" and isinstance(node, ast.Call):
        node.args[:2] = node.args[1::-1]


def mutants_of(path: Path) -> list[Mutant]:
    """Return every mutant of a file."""
    source = path.read_text(encoding="utf-8")
    found = []
    for place in range(len(list(sites(ast.parse(source))))):
        tree = ast.parse(source)
        node, kind = list(sites(tree))[place]
        before, line = ast.unparse(_shown(node)), getattr(node, "lineno", 0)
        changed(node, kind)
        after = ast.unparse(_shown(node))
        if after == before:
            continue
        made = ast.unparse(ast.fix_missing_locations(tree))
        found.append(Mutant(path.relative_to(ROOT).as_posix(), line, before, after, made))
    return found


def _shown(node: ast.AST) -> ast.AST:
    return node.test if isinstance(node, ast.If) else node


def tests_of(module: str) -> list[str]:
    """Return the test files that import a module, those of its own room first."""
    room = module.split(".")[1:-1]
    names = {module, ".".join(module.split(".")[:-1]) + " import " + module.split(".")[-1]}
    found = []
    for path in sorted((ROOT / "tests/metrics").rglob("test_*.py")):
        text = path.read_text(encoding="utf-8")
        if any(f"from {name}" in text for name in names) or f"import {module}" in text:
            found.append(path)
    own = ROOT / "tests" / Path(*room)
    near = [path for path in sorted(own.glob("test_*.py")) if path not in found]
    return [str(path) for path in [*found, *near]]


class _Mutated(importlib.abc.MetaPathFinder, importlib.abc.InspectLoader):
    """Imports one module from a given source."""

    def __init__(self, mutant: Mutant) -> None:
        self._mutant = mutant

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Return the spec of the mutated module, None of every other."""
        if fullname != self._mutant.module:
            return None
        return importlib.util.spec_from_loader(fullname, self, origin=str(ROOT / self._mutant.file))

    def get_source(self, fullname: str) -> str:
        """Return the mutated source."""
        return self._mutant.source


def survives(mutant: Mutant | None, tests: Sequence[str], seconds: int = SECONDS) -> bool:
    """Run tests on a mutant (None: on the code as it is) in a fork; return whether all of them pass."""
    child = os.fork()
    if child == 0:
        out = os.open(os.devnull, os.O_WRONLY)
        os.dup2(out, 1)
        os.dup2(out, 2)
        import pytest

        if mutant is not None:
            sys.meta_path.insert(0, _Mutated(mutant))
        options = ["-x", "-q", "-p", "no:cacheprovider", "-m", "not slow", "--hypothesis-seed=0"]
        os._exit(int(pytest.main([*options, *tests])))
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            return os.waitstatus_to_exitcode(status) == 0
        time.sleep(0.05)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return False


def main() -> None:
    """Print each mutant and whether it survives, then how many of how many were killed."""
    described = parser(__doc__)
    described.add_argument("--count", type=int, default=120)
    described.add_argument("--seed", type=int, default=0)
    described.add_argument("--rooms", nargs="*", default=list(ROOMS))
    described.add_argument("--show", action="store_true")
    options = described.parse_args()
    files = [path for room in options.rooms for path in _files(ROOT / room)]
    every = [mutant for path in files for mutant in mutants_of(path)]
    drawn = [every[i] for i in np.random.default_rng(options.seed).permutation(len(every))[: options.count]]
    CONSOLE.print(f"{len(drawn)} of {len(every)} mutants of {len(files)} files")
    if options.show:
        for mutant in drawn:
            CONSOLE.print(f"{mutant.file}:{mutant.line}: {mutant.before} -> {mutant.after}")
        return
    import pandas  # noqa: F401 - loaded once, before the forks
    import pytest  # noqa: F401
    import scipy.stats  # noqa: F401
    import sklearn.metrics  # noqa: F401
    import statsmodels.api  # noqa: F401

    os.chdir(ROOT)
    alive, sound = 0, set[str]()
    for mutant in drawn:
        tests = tests_of(mutant.module)
        if mutant.file not in sound and not survives(None, tests):
            CONSOLE.print(f"{mutant.file}: its tests fail on the code as it is: {' '.join(tests)}")
            raise SystemExit(1)
        sound.add(mutant.file)
        lives = survives(mutant, tests)
        alive += lives
        told = "SURVIVES" if lives else "killed  "
        CONSOLE.print(f"{told} {mutant.file}:{mutant.line}: {mutant.before} -> {mutant.after}")
    CONSOLE.print(f"{len(drawn) - alive} of {len(drawn)} killed ({1 - alive / len(drawn):.0%})")


def _files(room: Path) -> list[Path]:
    return [room] if room.is_file() else sorted(p for p in room.rglob("*.py") if p.name != "__init__.py")


if __name__ == "__main__":
    main()
