"""What is installed beside the package, and installations in clean environments, as the pages tell to make them."""

from __future__ import annotations

import ast
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from setuptools import find_packages

ROOT = Path(__file__).resolve().parents[1]
BESIDE = ROOT / "semiology_torchvision.py"
OLDEST, NEWEST = 10, 13
"""Python 3 releases that the package is for."""


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


def pythons() -> dict[str, str]:
    """Return the interpreters of this machine that the package is for, by release: on the path, and pyenv's."""
    found = {}
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    for minor in range(OLDEST, NEWEST + 1):
        release = f"3.{minor}"
        own = sys.executable if sys.version_info[:2] == (3, minor) else None
        there = [own, shutil.which(f"python{release}"), *map(str, pyenv.glob(f"{release}.*/bin/python"))]
        works = (each for each in there if each and not subprocess.run([each, "-c", "import venv, ensurepip"],
                                                                       capture_output=True).returncode)  # fmt: skip
        if python := next(works, None):
            found[release] = python
    return found


class Environment:
    """A clean environment in a folder; commands run in it without what this process has set."""

    def __init__(self, python: str, folder: Path) -> None:
        self.folder = folder
        subprocess.run([python, "-m", "venv", str(folder)], check=True)

    @property
    def packages(self) -> Path:
        return next((self.folder / "lib").glob("python*/site-packages"))

    def ran(self, *command: str, at: Path | None = None) -> str:
        """Run a command, with the environment's programs first on the path; return what it printed."""
        clean = {
            name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "VIRTUAL_ENV")
        }
        clean |= {"PATH": os.pathsep.join([str(self.folder / "bin"), clean["PATH"]]), "SEMIOLOGY_QUIET": "1"}
        clean |= {"SEMIOLOGY_CACHE": str(self.folder / "cache"), "PIP_QUIET": "1", "PIP_NO_COMPILE": "1"}
        at = at or self.folder
        done = subprocess.run(command, capture_output=True, text=True, cwd=at, env=clean, check=False)
        assert done.returncode == 0, f"{command}: {done.stdout[-1500:]}{done.stderr[-3000:]}"
        return done.stdout


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What git knows, in a folder of its own."""
    folder = tmp_path_factory.mktemp("checkout") / "semiology"
    subprocess.run(["git", "clone", "-q", str(ROOT), str(folder)], check=True)
    return folder


@pytest.fixture(scope="module")
def wheel(checkout: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The package as it would be published."""
    folder = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "-w", str(folder), str(checkout)]
    subprocess.run(build, check=True)
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """A folder for gigabytes, which pytest would keep."""
    yield tmp_path
    shutil.rmtree(tmp_path)


def _pinned_torch() -> list[str]:
    """Return the tested versions of PyTorch alone: without them pip fetches gigabytes of CUDA for no gain here."""
    text = (ROOT / "constraints.txt").read_text("utf-8")
    return re.findall(r"^torch(?:vision)?==.*$", text, flags=re.MULTILINE)


@pytest.mark.slow
@pytest.mark.parametrize("constrained", [True, False])
@pytest.mark.parametrize("release", [f"3.{minor}" for minor in range(OLDEST, NEWEST + 1)])
def test_the_wheel_runs_in_a_clean_environment(
    release: str, constrained: bool, wheel: Path, folder: Path
) -> None:
    """With the tested versions, and with whatever pip picks today, for every Python of this machine."""
    if constrained and release == "3.10":
        pytest.skip("the tested versions need Python 3.11")
    if release not in (here := pythons()):
        pytest.skip(f"there is no Python {release} here")
    environment = Environment(here[release], folder / "environment")
    own = sys.version_info[:2] == tuple(map(int, release.split(".")))
    free = _pinned_torch() if own else []
    chosen = ["--constraint", str(ROOT / "constraints.txt")] if constrained else free
    environment.ran("python", "-m", "pip", "install", *chosen, str(wheel))
    environment.ran("python", "-m", "pip", "check")
    assert re.search(r"\d+\.\d+", environment.ran("semiology", "--version"))
    environment.ran("semiology", "demo", "--patients", "2", "--out", "shown", at=folder)
    assert (folder / "shown" / "report" / "report.html").stat().st_size > 50_000
    (samples,) = (folder / "shown").rglob("*_samples_semiology_tonic.jsonl")
    assert samples.stat().st_size


def install_lines() -> list[tuple[str, list[str]]]:
    """Return what README and docs tell to install: the page, and the commands of one paragraph or row together."""
    found = []
    for page in [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md")), ROOT / "CONTRIBUTING.md"]:
        for paragraph in re.split(r"\n\s*\n|\n(?=\|)|\n(?=- )", page.read_text("utf-8")):
            typed = re.findall(r"^(pip install .*)$", paragraph, flags=re.MULTILINE)
            typed += re.findall(r"`(pip install [^`]*)`", paragraph)
            if typed:
                found.append((page.name, [shlex.split(command, comments=True) for command in typed]))
    return found


def test_every_extra_has_a_line_that_installs_it() -> None:
    tomllib = pytest.importorskip("tomllib")
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    lines = [word for _, commands in install_lines() for words in commands for word in words]
    assert len(lines) > 30
    told = {extra for word in lines for extra in re.findall(r"\[([\w,]+)\]", word)}
    assert {each for extra in told for each in extra.split(",")} == set(project["optional-dependencies"]) - {
        "dev"
    }


LOADS = """
import re, sys
from importlib import import_module
from importlib.metadata import distribution, packages_distributions, requires
names = lambda texts: [re.match(r"[\\w.-]+", text).group() for text in texts]
wanted = []
for word in sys.argv[1:]:
    extras = re.findall(r"\\[([\\w,]+)\\]", word)
    needs = requires("semiology-eval") if extras else []
    wanted += [need for each in extras for extra in each.split(",") for need in needs if f'extra == "{extra}"' in need]
    wanted += [] if extras or word == "." else [word]
assert wanted
modules = packages_distributions()
plain = lambda name: re.sub(r"[-_.]+", "-", name).lower()
public = lambda module: module.isidentifier() and not module.startswith("_")
for name in {plain(each) for each in names(wanted)}:
    tops = [top for top, owners in modules.items() if name in map(plain, owners) and public(top)]
    assert distribution(name).version and tops, name
    for top in tops:
        import_module(top)
    print(name, tops)
import cv2, semiology
"""
"""Imports what was asked for by name, or by the extra that was asked for."""


@pytest.fixture(scope="module")
def base(checkout: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Environment]:
    """A clean environment with the package alone, by the README's first line, typed in a checkout."""
    (_, (line,)), *_ = install_lines()
    environment = Environment(sys.executable, tmp_path_factory.mktemp("base") / "environment")
    environment.ran(*line, at=checkout)
    yield environment
    shutil.rmtree(environment.folder)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("page", "commands"), [each for each in install_lines() if each[1] != install_lines()[0][1]]
)
def test_install_lines_run_as_typed(
    page: str, commands: list[list[str]], base: Environment, checkout: Path, folder: Path
) -> None:
    """In an environment that holds the package (`base`) and nothing else but what the same paragraph installs."""
    environment = Environment(sys.executable, folder / "environment")
    (environment.packages / "base.pth").write_text(f"import site; site.addsitedir({str(base.packages)!r})\n")
    for words in commands:
        environment.ran(*words, at=checkout)
    asked = [word for words in commands for word in words[2:] if not word.startswith("-")]
    environment.ran("python", "-c", LOADS, *asked)
    environment.ran(str(base.folder / "bin" / "semiology"), "--version")
