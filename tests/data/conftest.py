"""Small recording sets on disk; media are placeholders unless a test makes real ones (`zoo`)."""

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))  # lets tests import `media_zoo`

from media_zoo import MediaZoo

RECORDINGS = """video_id,patient_id,video,duration_s,diagnosis,split,fold
P001_V01,P001,videos/P001_V01.mp4,60,ES,train,1
P001_V02,P001,videos/P001_V02.mp4,90.5,ES,train,1
P002_V01,P002,videos/P002_V01.mp4,,NES,test,0
"""
ANNOTATIONS = """video_id,feature,present,onset_s,offset_s,side,justification
P001_V01,tonic,yes,10,20.5,left,"stiff, then relaxed"
P001_V01,clonic,no,,,,
P001_V02,tonic,na,,,,
P002_V01,head_turning,yes,3,4,right,
"""
REPORTS = 'video_id,report\nP001_V01,"Stiffens, then\nrelaxes."\n'
METADATA = "name: little\nversion: 1\nsource: made by hand\n"


@pytest.fixture
def make_set(tmp_path: Path) -> Callable[..., Path]:
    """Write a valid little set; keyword arguments replace whole files (text or bytes, None: no file)."""

    def make(**replaced: str | bytes | None) -> Path:
        folder = tmp_path / "little"
        (folder / "videos").mkdir(parents=True, exist_ok=True)
        for name in ("P001_V01", "P001_V02", "P002_V01"):
            (folder / "videos" / f"{name}.mp4").write_bytes(b"placeholder")
        contents: dict[str, str | bytes | None] = {
            "recordings": RECORDINGS,
            "annotations": ANNOTATIONS,
            "reports": REPORTS,
            "dataset": METADATA,
            **replaced,
        }
        for stem, content in contents.items():
            path = folder / (f"{stem}.yaml" if stem == "dataset" else f"{stem}.csv")
            if content is not None:
                path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return folder

    return make


@pytest.fixture(scope="session")
def zoo(tmp_path_factory: pytest.TempPathFactory) -> MediaZoo:
    """Tiny real recordings of many kinds, each made on first use."""
    return MediaZoo(tmp_path_factory.mktemp("zoo"))
