"""Fail where a Python file is longer than 600 lines or a function longer than 80.

An alarm for files and functions that do two things; nothing is split to satisfy a number. Data files are not
counted.
"""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

FILE_CAP = 600
FUNCTION_CAP = 80


def main() -> int:
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "*.py"],
        check=True,
        capture_output=True,
        text=True,
    ).stdout.split()
    problems = [problem for name in listed if Path(name).exists() for problem in problems_of(Path(name))]
    for problem in problems:
        print(problem)
    print(f"caps: {len(listed)} files checked, {len(problems)} over the cap")
    return 1 if problems or not listed else 0


def problems_of(path: Path) -> list[str]:
    text = path.read_text(encoding="utf-8")
    found = []
    lines = len(text.splitlines())
    if lines > FILE_CAP:
        found.append(f"{path}: {lines} lines, the cap is {FILE_CAP}; split it by what its parts do")
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            length = (node.end_lineno or node.lineno) - node.lineno + 1
            if length > FUNCTION_CAP:
                where = f"{path}:{node.lineno}"
                found.append(f"{where}: {node.name} has {length} lines, the cap is {FUNCTION_CAP}")
    return found


if __name__ == "__main__":
    sys.exit(main())
