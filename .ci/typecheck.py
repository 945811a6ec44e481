"""Run mypy on the package under its import name.

mypy cannot follow the mapping of the repository root to the package ``semiology``, so the check runs in a
temporary folder that holds a symbolic link of that name.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
NOT_CHECKED = {"benchmarks", "docs", "tests", "tools"}
PACKAGES = sorted(
    path.parent.name for path in ROOT.glob("*/__init__.py") if path.parent.name not in NOT_CHECKED
)


def main() -> int:
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "semiology").symlink_to(ROOT)
        targets = [f"semiology/{name}" for name in PACKAGES]
        targets += [f"semiology/{path.name}" for path in sorted(ROOT.glob("*.py")) if path.name != "setup.py"]
        command = [
            sys.executable,
            "-m",
            "mypy",
            "--config-file",
            str(ROOT / "pyproject.toml"),
            "--cache-dir",
            str(ROOT / ".mypy_cache"),
            "--namespace-packages",
            "--explicit-package-bases",
            *targets,
        ]
        environment = {**os.environ, "MYPYPATH": folder}
        return subprocess.run(command, cwd=folder, env=environment, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
