"""What is installed beside the package, and installations that must work without the tested versions."""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from setuptools import find_packages

ROOT = Path(__file__).resolve().parents[1]
BESIDE = ROOT / "semiology_torchvision.py"


def test_the_file_that_torch_imports_needs_nothing_of_the_package() -> None:
    imported = {
        name
        for node in ast.walk(ast.parse(BESIDE.read_text("utf-8")))
        for name in (
            [alias.name for alias in node.names]
            if isinstance(node, ast.Import)
            else [node.module or ""]
            if isinstance(node, ast.ImportFrom)
            else []
        )
    }
    assert {name.partition(".")[0] for name in imported} <= {
        "__future__",
        "importlib",
        "pathlib",
        "typing",
        "torch",
    }


def test_torch_loads_that_file_and_no_other() -> None:
    tomllib = pytest.importorskip("tomllib")
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    assert set(project["entry-points"]["torch.backends"].values()) == {f"{BESIDE.stem}:declare"}


def test_every_file_of_a_package_is_installed_with_it() -> None:
    """Files that are no modules need a pattern in ``pyproject.toml``; a wheel without one lacks them silently."""
    tomllib = pytest.importorskip("tomllib")
    patterns = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["setuptools"][
        "package-data"
    ]
    packages = find_packages(str(ROOT), exclude=("tests*", "benchmarks*", "tools*", "docs*", "build*"))
    installed = {
        path
        for package, globs in patterns.items()
        for pattern in globs
        for path in ROOT.joinpath(*package.split(".")[1:]).glob(pattern)
    }
    modules = {ROOT.joinpath(*package.split(".")) for package in packages}
    rooms = {ROOT / package for package in packages if "." not in package}
    here = [
        path
        for room in rooms
        for path in room.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts and not path.name.startswith(".")
    ]
    assert len(here) > 300
    missing = [
        path
        for path in here
        if path not in installed and not (path.suffix == ".py" and path.parent in modules)
    ]
    assert [str(path.relative_to(ROOT)) for path in missing if path.name != "README.md"] == []


@pytest.mark.slow
def test_torch_is_imported_where_an_editable_checkout_has_moved(tmp_path: Path) -> None:
    """The metadata of a moved checkout stays behind; ``import torch`` must not mind."""
    checkout, moved, environment = tmp_path / "checkout", tmp_path / "moved", tmp_path / "environment"
    subprocess.run(["git", "clone", "-q", str(ROOT), str(checkout)], check=True)
    subprocess.run([sys.executable, "-m", "venv", "--system-site-packages", str(environment)], check=True)
    python = environment / "bin" / "python"
    parent = next(path for path in sys.path if path.endswith("site-packages"))
    site = next((environment / "lib").glob("python*/site-packages"))
    (site / "parent.pth").write_text(f"{parent}\n", encoding="utf-8")
    subprocess.run([python, "-m", "pip", "install", "-q", "--no-deps", "-e", str(checkout)], check=True)
    checkout.rename(moved)
    code = "import importlib.util, torch; print(importlib.util.find_spec('semiology_torchvision').origin)"
    ran = subprocess.run([python, "-c", code], capture_output=True, text=True, check=False, cwd=tmp_path)
    assert ran.returncode == 0, ran.stderr[-2000:]
    assert ran.stdout.strip() == str(site / "semiology_torchvision.py")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The package as it would be published, built from what git knows."""
    folder = tmp_path_factory.mktemp("wheel")
    checkout = folder / "checkout"
    subprocess.run(["git", "clone", "-q", str(ROOT), str(checkout)], check=True)
    build = [sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "-w", str(folder), str(checkout)]
    subprocess.run(build, check=True)
    (built,) = folder.glob("*.whl")
    return built


def _pinned_torch() -> list[str]:
    """Return the tested versions of PyTorch alone: without them pip fetches gigabytes of CUDA for no gain here."""
    text = (ROOT / "constraints.txt").read_text("utf-8")
    return re.findall(r"^torch(?:vision)?==.*$", text, flags=re.MULTILINE)


@pytest.mark.slow
@pytest.mark.parametrize("constrained", [True, False])
def test_the_wheel_runs_in_a_clean_environment(constrained: bool, wheel: Path, tmp_path: Path) -> None:
    """With the tested versions, and with whatever pip picks today."""
    environment = tmp_path / "environment"
    subprocess.run([sys.executable, "-m", "venv", str(environment)], check=True)
    python, semiology = (str(environment / "bin" / name) for name in ("python", "semiology"))
    chosen = ["--constraint", str(ROOT / "constraints.txt")] if constrained else _pinned_torch()
    installed = subprocess.run(
        [python, "-m", "pip", "install", "-q", *chosen, str(wheel)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert installed.returncode == 0, installed.stderr[-3000:]
    clean = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    clean |= {"SEMIOLOGY_CACHE": str(tmp_path / "cache"), "SEMIOLOGY_QUIET": "1"}

    def ran(*command: str) -> str:
        done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, env=clean, check=False)
        assert done.returncode == 0, f"{command}: {done.stdout[-1000:]}{done.stderr[-3000:]}"
        return done.stdout

    ran(python, "-m", "pip", "check")
    assert re.search(r"\d+\.\d+", ran(semiology, "--version"))
    ran(semiology, "data", "simulate", "ward", "--patients", "1", "--size", "160x120", "--fps", "15")
    asked = [
        "--model",
        "embedded",
        "--data",
        "ward",
        "--tasks",
        "semiology_tonic",
        "--limit",
        "1",
        "--out",
        "runs",
    ]
    ran(semiology, "run", *asked)
    assert list((tmp_path / "runs").rglob("*_samples_semiology_tonic.jsonl"))
