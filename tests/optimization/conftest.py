from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from semiology.features import FEATURES
from semiology.settings import VARIABLES

sys.path.insert(0, str(Path(__file__).parent))  # lets tests import `synthetic`

SHARED = Path(__file__).parents[2].parent / "shared"
MakeSet = Callable[..., Path]


@pytest.fixture
def shared() -> Path:
    """The folder of the published tables; skips where it is not at hand."""
    if not (SHARED / "s3_published" / "ground_truth").is_dir():
        pytest.skip("the published tables are not at hand")
    return SHARED


@pytest.fixture
def make_set(tmp_path: Path) -> MakeSet:
    """Write a recording set without media: patients with one to four recordings, random features."""

    def make(patients: int = 30, seed: int = 0, extra: str = "", name: str = "set") -> Path:
        rng = np.random.default_rng(seed)
        folder = tmp_path / name
        folder.mkdir()
        rows, annotations = [], []
        for patient in range(patients):
            diagnosis = "NES" if patient % 3 == 0 else "ES"
            split = "test" if patient % 5 == 0 else "train"
            for video in range(int(rng.integers(1, 5))):
                video_id = f"P{patient:03}_V{video:02}"
                rows.append(f"{video_id},P{patient:03},videos/{video_id}.mp4,{diagnosis},{split}{extra}")
                for place, feature in enumerate(FEATURES):
                    present = "yes" if rng.random() < (place + 1) / 40 else "no"
                    annotations.append(f"{video_id},{feature},{present}")
        header = "video_id,patient_id,video,diagnosis,split" + (",room" if extra else "")
        (folder / "recordings.csv").write_text("\n".join([header, *rows]) + "\n")
        (folder / "annotations.csv").write_text("\n".join(["video_id,feature,present", *annotations]) + "\n")
        (folder / "dataset.yaml").write_text("name: drawn\nversion: '1'\nsource: drawn for a test\n")
        return folder

    return make


@pytest.fixture
def no_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing of `semiology.settings` is chosen but a new cache; what a command sets is taken back."""
    for variable in VARIABLES:
        monkeypatch.setenv(variable.name, "")
        monkeypatch.delenv(variable.name)
    monkeypatch.setenv("SEMIOLOGY_CACHE", str(tmp_path / "cache"))
