"""Onset lobe, onset side and seizure type in recordings.csv: read, written, and what else a column may be called."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from semiology.data.recording_set import Recording
from semiology.data.simulated.script.script import draw_look, draw_script
from semiology.data.tables.reading import read_folder, read_recording_set
from semiology.data.tables.writing import write_recording_set


def folder_with(tmp_path: Path, columns: str, cells: str) -> Path:
    (tmp_path / "recordings.csv").write_text(f"video_id,patient_id,video,{columns}\nv1,p1,v1.mp4,{cells}\n")
    (tmp_path / "annotations.csv").write_text("video_id,feature,present\n")
    (tmp_path / "dataset.yaml").write_text("name: emu\nversion: 1\n")
    return tmp_path


def test_conclusions_are_read_in_any_case_and_written_again(tmp_path: Path) -> None:
    folder = folder_with(
        tmp_path, "onset_lobe,onset_side,seizure_type", "Temporal,LEFT,focal to bilateral tonic-clonic"
    )
    read = read_folder(folder, require_media=False)
    assert read.problems == []
    assert not any("onset" in each.message for each in read.warnings)
    (found,) = read_recording_set(folder, require_media=False).recordings
    expected = ("temporal", "left", "focal to bilateral tonic-clonic")
    assert (found.onset_lobe, found.onset_side, found.seizure_type) == expected
    write_recording_set(tmp_path / "new", [Recording("v1", "p1", tmp_path / "new" / "v1.mp4", onset_lobe="frontal")],
                        [], {}, {"name": "a", "version": "1"})  # fmt: skip
    assert (tmp_path / "new" / "recordings.csv").read_text().splitlines()[
        0
    ] == "video_id,patient_id,video,onset_lobe"


@pytest.mark.parametrize(
    ("column", "cell", "told"),
    [
        ("onset_lobe", "mesial temporal", "did you mean 'temporal'?"),
        ("onset_side", "L", "did you mean 'left'?"),
        ("seizure_type", "PNES", "did you mean 'functional'?"),
        ("seizure_type", "Dr. Smith's type", "is not one of focal"),
    ],
)
def test_another_word_is_a_problem_with_its_row(tmp_path: Path, column: str, cell: str, told: str) -> None:
    (problem,) = read_folder(folder_with(tmp_path, column, cell), require_media=False).problems
    assert (problem.file, problem.row) == ("recordings.csv", 2)
    assert told in problem.message


def test_a_column_of_ones_own_is_not_taken_for_a_misspelt_one(tmp_path: Path) -> None:
    read = read_folder(folder_with(tmp_path, "onset_zone,onset_s", "insula,12"), require_media=False)
    assert read.problems == []
    assert sum("is not used" in each.message for each in read.warnings) == 2


def test_the_simulated_side_is_that_which_versions_and_figure_4_point_away_from() -> None:
    sides, types = set(), set()
    for seed in range(200):
        rng = np.random.default_rng(seed)
        script = draw_script(rng, 45.0, draw_look(rng))
        types.add((script.diagnosis, script.seizure_type))
        if script.onset_side is None:
            continue
        sides.add(script.onset_side)
        assert script.diagnosis == "ES"
        if script.of("figure4"):
            assert script.side("arm_straightening") != script.onset_side == script.side("arm_flexion")
        if script.of("tonic") and script.side("head_turning") in ("left", "right"):
            assert script.side("head_turning") != script.onset_side
    assert sides == {"left", "right"}
    assert types == {("ES", "focal"), ("ES", "focal to bilateral tonic-clonic"), ("NES", "functional")}
