"""A recording of which every byte is known: frames without two alike, sound of random samples, one row of a table."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

FOLDER = Path(__file__).parent
# The miniature checkpoints and the server are kept beside.
sys.path[:0] = [str(FOLDER), str(FOLDER.parent / "shared_prefix"), str(FOLDER.parent / "served")]

from known_recording import KnownRecording, write_recording  # noqa: E402


@pytest.fixture(scope="session")
def recording(tmp_path_factory: pytest.TempPathFactory) -> KnownRecording:
    """Twenty seconds at 10 frames a second, 224 x 224 px, with a sound file of 16 kHz."""
    return write_recording(tmp_path_factory.mktemp("recording"))


@pytest.fixture(scope="session")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Folders of miniature random checkpoints by architecture, saved as published ones are."""
    from miniatures import BUILDERS

    folders = {}
    for name in ("qwen2_5_vl", "qwen3_vl", "qwen2_5_omni", "qwen3_omni", "internvl", "llava_onevision"):
        folders[name] = tmp_path_factory.mktemp(name)
        model, processor = BUILDERS[name]()
        model.save_pretrained(folders[name])
        processor.save_pretrained(folders[name])
    return folders
