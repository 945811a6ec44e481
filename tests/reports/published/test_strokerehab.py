"""`semiology reproduce strokerehab`: every published figure, and folders that hold other runs or only parts."""

from __future__ import annotations

import gzip
import shutil
from pathlib import Path

import pandas as pd
import pytest
from typer.testing import CliRunner

from semiology.reports.published.commands import reproduce_app
from semiology.reports.published.reproduction import Reproduction, headline
from semiology.reports.published.strokerehab import CELL_COLUMNS, reproduce_strokerehab

PUBLISHED = Path(__file__).parents[4] / "shared" / "strokerehab_published"
needs_answers = pytest.mark.skipif(
    not PUBLISHED.is_dir(), reason="the published answers are not on this machine"
)

VIDEO = "S1_drinking1_1"
LABELS = """video_id,run,primitive,start_s,end_s
S1_drinking1_1,0,idle,0.0,1.0
S1_drinking1_1,1,reach,1.0,2.0
S1_drinking1_1,2,transport,2.0,3.0
"""
AXES = """run,video_id,window,motion,grasp
zoo/new,S1_drinking1_1,0,No.,no
zoo/new,S1_drinking1_1,1,YES,I do not know
zoo/new,S1_drinking1_1,2,yes,yes
"""
VIDEOS = """video_id,subject,group,severity,activity_raw,activity,fps,width,height,duration_s
S1_drinking1_1,S1,S,mild,drinking,drinking,8,96,64,3.0
"""
RUNS = """run,task,format,model,sampling_fps,frames
zoo/new,primitives,two_axes,new_3b,8,8
"""


def write(folder: Path, **tables: str) -> Path:
    for name, text in tables.items():
        path = folder / f"{name.replace('__', '/')}.csv.gz"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(gzip.compress(text.encode()))
    return folder


@pytest.fixture(scope="module")
def reproduction() -> Reproduction:
    return reproduce_strokerehab([PUBLISHED])


@needs_answers
def test_every_figure_that_can_be_recomputed_is_equal_as_printed(reproduction: Reproduction) -> None:
    cells = reproduction.cells
    assert tuple(cells.columns) == CELL_COLUMNS
    printed = cells[cells["source"] == "printed"]
    assert printed["status"].value_counts().to_dict() == {"equal": 997, "no input": 119, "slip": 2}
    assert set(printed.loc[printed["status"] == "slip", "run"]) == {"list/15_15"}
    slip = printed[(printed["status"] == "slip") & (printed["metric"] == "relative_counting_error")]
    assert slip["recomputed"].item() == pytest.approx(5.32, abs=0.005)
    assert (printed.loc[printed["status"] == "no input", "reason"] != "").all()


@needs_answers
def test_every_value_in_the_logs_is_equal(reproduction: Reproduction) -> None:
    cells = reproduction.cells
    for source, number in (("logs", 980), ("logs, per video", 4090 * 5)):
        assert cells.loc[cells["source"] == source, "status"].value_counts().to_dict() == {"equal": number}


@needs_answers
def test_labels_in_another_folder_are_found(tmp_path: Path, reproduction: Reproduction) -> None:
    answers = tmp_path / "answers"
    (answers / "predictions").mkdir(parents=True)
    shutil.copy(PUBLISHED / "predictions" / "primitive.csv.gz", answers / "predictions")
    labels = tmp_path / "labels"
    (labels / "labels").mkdir(parents=True)
    shutil.copy(PUBLISHED / "labels" / "primitives.csv.gz", labels / "labels")
    shutil.copy(PUBLISHED / "videos.csv.gz", labels)
    found = reproduce_strokerehab([answers, labels]).cells.set_index(["run", "item", "metric"])["recomputed"]
    whole = reproduction.cells[reproduction.cells["source"] == "printed"].set_index(["run", "item", "metric"])
    key = ("state_machine/crop", "all", "edit_score")
    assert found[key] == pytest.approx(whole.loc[key, "recomputed"])


def test_a_run_that_is_printed_nowhere_is_scored_without_stored_windows(tmp_path: Path) -> None:
    folder = write(tmp_path, labels__primitives=LABELS, predictions__two_axes=AXES, videos=VIDEOS, runs=RUNS)
    done = reproduce_strokerehab([folder])
    found = done.cells.set_index(["run", "metric"])
    assert found.loc[("zoo/new", "edit_score"), "recomputed"] == 100
    assert found.loc[("zoo/new", "edit_score"), "status"] == "not published"
    assert found.loc[("zoo/new", "edit_score"), "model"] == "new_3b"
    assert any("windows/8_8" in note for note in done.notes)


@pytest.mark.parametrize(
    ("printed", "status", "code"), [("100.00", "equal", 0), ("99.99", "differs", 1), ("n/a", "differs", 1)]
)
def test_a_figure_is_compared_as_printed(tmp_path: Path, printed: str, status: str, code: int) -> None:
    expected = f"table,run,item,metric,printed,source\nmodel_zoo,zoo/new,all,edit_score,{printed},x[1]\n"
    folder = write(
        tmp_path, labels__primitives=LABELS, predictions__two_axes=AXES, videos=VIDEOS, runs=RUNS,
        expected_metrics=expected,
    )  # fmt: skip
    out = tmp_path / "cells.csv"
    result = CliRunner().invoke(reproduce_app, ["strokerehab", "--data", str(folder), "--out", str(out)])
    assert result.exit_code == code
    cells = pd.read_csv(out)
    assert cells.loc[cells["source"] == "printed", "status"].tolist() == [status]


def test_nothing_is_an_exception_and_everything_absent_is_told(tmp_path: Path) -> None:
    done = reproduce_strokerehab([tmp_path])
    assert done.cells.empty
    assert "labels/primitives.csv.gz: absent or empty" in done.notes
    assert headline(done) is not None
    broken = write(
        tmp_path / "broken",
        labels__primitives="video_id,run,primitive\nx,0,idle\n",
        predictions__one_word="run,video_id,window,answer\nr/1_1,v,zero,IDLE\nr/1_1,v,1,IDLE\n",
        predictions__two_axes=AXES,
        stored_metrics="run,metric,value\nzoo/new,edit_score,abc\n",
    )
    (broken / "runs.csv.gz").write_bytes(b"no gzip")
    notes = "\n".join(reproduce_strokerehab([broken]).notes)
    for part in ("has no column start_s", "1 rows without a window", "runs.csv.gz", "when the windows begin"):
        assert part in notes
