"""What is added to the environment of vLLM, and what is pinned in it."""

from __future__ import annotations

import re
from importlib.metadata import distributions
from pathlib import Path

from tools.engines.environment import PINNED, add_what_is_missing


def test_the_build_for_cpus_is_found_as_vllm_and_declares_the_operators(tmp_path: Path) -> None:
    add_what_is_missing(tmp_path)
    (found,) = distributions(path=[str(tmp_path)])
    assert (found.name, found.version) == ("vllm", "0.32.0+cpu")
    (entry,) = found.entry_points
    assert entry.group == "torch.backends"
    module, _, function = entry.value.partition(":")
    assert f"def {function}" in (tmp_path / f"{module}.py").read_text()


def test_every_version_is_pinned_once_and_none_needs_a_graphics_card() -> None:
    lines = [line for line in PINNED.read_text().splitlines() if not line.startswith("#")]
    assert all(re.fullmatch(r"[A-Za-z0-9_.-]+==[\w.+!]+", line) for line in lines)
    names = [line.partition("==")[0].lower() for line in lines]
    assert len(set(names)) == len(names) > 100
    assert not [
        name
        for name in names
        if name.startswith(("nvidia", "cuda")) or name in ("torchaudio", "torchcodec", "triton")
    ]
    assert "torch==2.13.0+cpu" in lines
