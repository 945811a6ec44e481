"""A short film on disk, and one miniature model per architecture, built once for all tests of this folder."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
import torch

sys.path.insert(0, str(Path(__file__).parent))  # lets tests import the modules beside this file

from scene import write_film

from semiology.backends.shared_prefix.loading import Checkpoint, family_of


@pytest.fixture(autouse=True, scope="session")
def _one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="session")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Sixteen seconds at 10 frames a second, 128 x 64 px, whose pictures differ."""
    return write_film(tmp_path_factory.mktemp("film") / "film.mp4")


@cache
def checkpoint_of(name: str) -> Checkpoint:
    """Return the miniature of an architecture as a loaded checkpoint."""
    from miniatures import BUILDERS

    model, processor = BUILDERS[name]()
    return Checkpoint(model, processor, family_of(model.config.model_type), name)


@pytest.fixture
def qwen() -> Checkpoint:
    """The miniature Qwen2.5-VL."""
    return checkpoint_of("qwen2_5_vl")


@pytest.fixture
def fresh_qwen() -> Checkpoint:
    """A miniature Qwen2.5-VL of a test's own, that it may change."""
    return checkpoint_of.__wrapped__("qwen2_5_vl")
