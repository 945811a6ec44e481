"""``semiology ablate`` changes one thing, asks only what differs, goes on after a stop, and tells differences."""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from semiology.cli import main
from semiology.harness.options import RunOptions
from semiology.optimization.ablation.plan import AblationError, conditions
from semiology.optimization.ablation.tables import FeatureDifferences, feature_document
from semiology.render.table import markdown
from semiology.reports.compare.comparison import Options, compare_conditions
from semiology.reports.compare.sides import ANSWER_COLUMNS, Condition
from semiology.tasks.settings import window_named
from tests.conftest import Ended
from tests.optimization.supervised.conftest import write_film

PATIENTS = 12
PROGRAM = """
import json, sys
for line in sys.stdin:
    asked = json.loads(line)
    with open(sys.argv[0] + ".log", "a") as log:
        log.write(f"{asked['video']} {asked.get('start_s')} {asked.get('end_s')} {asked['prompt'][:40]!r}\\n")
    prompt = asked["prompt"].lower()
    length = float(asked.get("end_s") or 0) - float(asked.get("start_s") or 0)
    number = int("".join(c for c in asked["video"].rsplit("/", 1)[-1].split(".")[0] if c.isdigit()) or 0)
    if "told: nothing of the kind" in prompt:
        text = "NES"
    elif "epilep" in prompt:
        text = "ES"
    elif "mm:ss" in prompt or "when" in prompt or "timestamp" in prompt:
        text = "00:02"
    else:
        text = "yes" if length < 3 or number % 2 else "no"
    print(json.dumps({"id": asked["id"], "text": text}), flush=True)
"""


@pytest.fixture(scope="session")
def timed_set(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One recording of each patient; every second one is NES, with a report that says so."""
    folder = tmp_path_factory.mktemp("timed") / "set"
    (folder / "videos").mkdir(parents=True)
    tables: dict[str, list[list[object]]] = {
        "recordings.csv": [["video_id", "patient_id", "video", "diagnosis"]],
        "annotations.csv": [["video_id", "feature", "present", "onset_s", "offset_s"]],
        "reports.csv": [["video_id", "report"]],
    }
    for patient in range(PATIENTS):
        name, other = f"V{patient:02}", patient % 2 == 0
        write_film(folder / "videos" / f"{name}.mp4", patient % 2 == 1, patient)
        tables["recordings.csv"].append(
            [name, f"person{patient:02}", f"videos/{name}.mp4", "NES" if other else "ES"]
        )
        present = "yes" if patient % 3 else "no"
        times = [1 + patient / 10, 3.5] if patient % 3 else ["", ""]
        tables["annotations.csv"].append([name, "tonic", present, *times])
        tables["reports.csv"].append(
            [name, "Told: nothing of the kind." if other else "Told: a tonic phase."]
        )
    for file, rows in tables.items():
        with (folder / file).open("w", newline="") as stream:
            csv.writer(stream).writerows(rows)
    (folder / "dataset.yaml").write_text("name: timed\nversion: '1'\nsource: drawn for a test\n")
    return folder


@pytest.fixture
def ablate(
    timed_set: Path, tmp_path: Path, command_here: Callable[..., Ended]
) -> Callable[..., tuple[Ended, list[str]]]:
    """Call ``semiology ablate`` on the set with the program, and return what was asked too."""
    program, log = (
        tmp_path / "program.py",
        tmp_path / "program.py.log",
    )  # named nowhere, so no part of the model
    program.write_text(PROGRAM)

    def call(kind: str, *more: str) -> tuple[Ended, list[str]]:
        log.write_text("")
        command = f"command={sys.executable} {program}"
        ended = command_here(
            main, "semiology", "ablate", kind, "--model=semiology_jsonl", f"--model-args={command}",
            f"--data={timed_set}", f"--out={tmp_path / kind}", *more,
        )  # fmt: skip
        return ended, log.read_text().splitlines()

    return call


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as stream:
        return list(csv.DictReader(stream))


def test_windows_that_two_conditions_share_are_asked_once(
    ablate: Callable[..., tuple[Ended, list[str]]], tmp_path: Path
) -> None:
    asked_for = ("window", "--features=tonic", "--levels=4x0,2x0,2x1")
    ended, asked = ablate(*asked_for)
    assert ended.returncode == 0, ended.stderr
    windows = {tuple(line.split()[1:3]) for line in asked}
    # 4x0 has one window, 2x0 two, and 2x1 shares two of its three with 2x0.
    assert len(asked) == len(set(asked)) == PATIENTS * 4
    assert len(windows) == 4
    (row, macro) = rows_of(tmp_path / "window" / "ablation.csv")
    # Short windows are always answered yes: F1 is that of always-yes.
    positives = sum(patient % 3 > 0 for patient in range(PATIENTS))
    always = 2 * positives / (PATIENTS + positives)
    hits = sum(patient % 3 > 0 and patient % 2 == 1 for patient in range(PATIENTS))
    base = 2 * hits / (PATIENTS // 2 + positives)
    assert float(row["4 s, overlap 0 s F1"]) == pytest.approx(base)
    assert float(row["2 s, overlap 0 s F1"]) == pytest.approx(always)
    gain = next(value for name, value in row.items() if "2 s, overlap 1 s minus base" in name)
    assert float(gain.split()[0]) == pytest.approx(always - base, abs=0.01)
    assert macro["feature"].startswith("mean of 1 feature")
    again, asked = ablate(*asked_for)
    assert again.returncode == 0
    assert not asked
    assert "done before" in again.stderr
    other, _ = ablate("window", "--features=tonic", "--levels=4x0,2x0")
    assert other.returncode == 2
    assert "holds an ablation of other conditions" in other.stderr


def test_an_ablation_that_was_stopped_goes_on(
    ablate: Callable[..., tuple[Ended, list[str]]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from semiology.optimization.ablation import run as ablation

    real, runs = ablation.run, []

    def stop(*told: object, **more: object) -> Path:
        runs.append(1)
        if len(runs) == 2:
            raise KeyboardInterrupt
        return real(*told, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(ablation, "run", stop)
    asked_for = ("window", "--features=tonic", "--levels=4x0,2x0")
    ended, asked = ablate(*asked_for)
    assert ended.returncode == 130
    assert len(asked) == PATIENTS
    assert json.loads((tmp_path / "window" / "ablation.json").read_text())["done"] == ["4x0"]
    ended, asked = ablate(*asked_for)
    assert ended.returncode == 0, ended.stderr
    assert len(asked) == 2 * PATIENTS
    assert (tmp_path / "window" / "ablation.md").exists()


@pytest.mark.slow
def test_whole_recordings_and_reports_are_compared_on_their_tasks(
    ablate: Callable[..., tuple[Ended, list[str]]], tmp_path: Path
) -> None:
    ended, _ = ablate("full-video")
    assert ended.returncode == 0, ended.stderr
    rows = {row["measure"]: row for row in rows_of(tmp_path / "full-video" / "ablation.csv")}
    errors = [abs(2 - (1 + patient / 10)) for patient in range(PATIENTS) if patient % 3]
    expected = sum(errors) / len(errors)  # films are shorter than a clip: both show them whole
    assert float(rows["MAE, s"]["Centred clip"]) == pytest.approx(expected, abs=0.01)
    assert float(rows["MAE, s"]["Full video"]) == pytest.approx(expected, abs=0.01)
    ended, _ = ablate("report")
    assert ended.returncode == 0, ended.stderr
    rows = {row["measure"]: row for row in rows_of(tmp_path / "report" / "ablation.csv")}
    assert float(rows["accuracy"]["without report"]) == pytest.approx(0.5)
    assert float(rows["accuracy"]["with report"]) == pytest.approx(1.0)
    assert float(rows["accuracy"]["difference [95 %]"]) == 0.5


def test_conditions_change_one_thing() -> None:
    options = RunOptions(
        "semiology_hf", "pretrained=x,fps=2,min_pixels=200704", Path("d"), Path("o"), "semiology_tonic"
    )
    fps = conditions("fps", options, ())
    assert [each.label for each in fps] == ["2 FPS", "4 FPS", "10 FPS"]
    assert fps[2].options.model_args == "pretrained=x,fps=10,min_pixels=200704,max_num_frames=300"
    windows = conditions("window", options, ("30x5", "20x5"))
    assert [each.options.window for each in windows] == ["30x5", "20x5"]
    assert windows[1].options.model_args == "pretrained=x,fps=2,min_pixels=200704,max_num_frames=40"
    sizes = conditions("size", options, ("300000", "100000"))
    assert sizes[0].options.model_args == "pretrained=x,fps=2,min_pixels=200704,max_pixels=300000"
    assert sizes[1].options.model_args == "pretrained=x,fps=2,min_pixels=100000,max_pixels=100000"
    assert [each.options.onset_clips for each in conditions("full-video", options, ())] == [
        "centred",
        "whole",
    ]
    tasks = [each.options.tasks for each in conditions("report", options, ())]
    assert tasks == ["s3_diagnosis", "s3_diagnosis_with_report"]
    for kind, levels, words in (
        ("fps", ("2",), "name two or more"),
        ("fps", ("2", "2"), "each once"),
        ("fps", ("2", "many"), "takes numbers above 0"),
        ("report", ("a", "b"), "no other levels"),
    ):
        with pytest.raises(AblationError, match=words):
            conditions(kind, options, levels)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="unknown window"):
        conditions("window", options, ("30x5", "half"))


def test_a_window_of_ones_own_has_a_name() -> None:
    found = window_named("20x2.5")
    assert (found.window_s, found.overlap_s, found.max_frames) == (20.0, 2.5, 40)
    with pytest.raises(ValueError, match="overlap_s must be at least 0 and below"):
        window_named("5x5")


def test_features_that_no_patient_shows_have_a_row_and_no_mean() -> None:
    rows = [(f"v{i}", f"p{i}", name, "no", "no") for i in range(3) for name in ("tonic", "clonic")]
    frame = pd.DataFrame(rows, columns=list(ANSWER_COLUMNS))
    sides = [Condition("model", "s3", "none", frame) for _ in range(2)]
    compared = compare_conditions(*sides, Options(features=("tonic", "clonic")))
    shown = markdown(feature_document("Ablation", FeatureDifferences(["2 FPS", "4 FPS"], [compared])))
    assert "| tonic |" in shown
    assert "| clonic |" in shown
    assert "mean of" not in shown
