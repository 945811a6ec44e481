"""Control video: recordings without an event, as tables hold them, are drawn and checked."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from semiology.data.simulated.script.script import draw_control, draw_look
from semiology.data.simulated.write import Settings, plan
from semiology.data.tables.consistency import STATES
from semiology.data.tables.reading import read_folder, read_recording_set
from semiology.data.tables.writing import write_recording_set
from semiology.features import FEATURES


@pytest.mark.parametrize("seed", range(40))
def test_control_video_shows_no_sign(seed: int) -> None:
    rng = np.random.default_rng(seed)
    script = draw_control(rng, 45.0, draw_look(rng))
    assert script.diagnosis == "none"
    assert not [name for name in FEATURES if script.present(name) == "yes" and name not in STATES]
    assert all(0 <= event.onset_s < event.offset_s <= 45.1 for event in script.events)


def test_controls_stand_beside_recordings_that_stay_as_they_are() -> None:
    plain, more = plan(Settings(3, 5)), plan(Settings(3, 5, controls=4))
    assert more[: len(plain)] == plain
    assert [each.video_id for each in more[len(plain) :]] == ["P001_C01", "P001_C02", "P002_C01", "P003_C01"]
    assert "controls" not in Settings(3, 5).stated()


def tables(folder: Path, annotations: str) -> Path:
    (folder / "recordings.csv").write_text(
        "video_id,patient_id,video,diagnosis\nv1,p1,v1.mp4,ES\nc1,p1,c1.mp4,None\n"
    )
    (folder / "annotations.csv").write_text(f"video_id,feature,present\nv1,tonic,yes\n{annotations}")
    (folder / "dataset.yaml").write_text("name: x\nversion: 1\n")
    return folder


def test_the_tables_take_none_and_keep_it(tmp_path: Path) -> None:
    found = read_recording_set(tables(tmp_path, "c1,tonic,no\n"), require_media=False)
    event, control = found.recordings
    assert (event.diagnosis, event.control) == ("ES", False)
    assert (control.diagnosis, control.control) == (None, True)
    write_recording_set(tmp_path, found.recordings, found.annotations, {}, found.metadata)
    assert read_recording_set(tmp_path, require_media=False).recordings == found.recordings


def test_signs_in_control_video_and_missing_annotations_are_warned_of(tmp_path: Path) -> None:
    told = read_folder(tables(tmp_path, "c1,tonic,yes\n"), require_media=False).warnings
    assert any(
        w.row == 3 and "c1 is control video (diagnosis none) and shows tonic" in w.message for w in told
    )
    told = read_folder(tables(tmp_path, ""), require_media=False).warnings
    assert any("1 recordings of control video have no annotation, such as c1" in w.message for w in told)
