"""``semiology train`` from films to result files, and what it refuses."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from semiology.backends.supervised import learning
from semiology.backends.supervised.trained_folder import read_training
from semiology.cli import main
from semiology.optimization.supervised.options import TrainOptions
from semiology.optimization.supervised.train import train
from semiology.reports.compare.comparison import Options, compare_sides
from semiology.reports.compare.sides import read_side
from semiology.reports.read.feature_answers import read_results
from tests.conftest import Ended
from tests.optimization.supervised.conftest import BRIGHT, CHANCE, PATIENTS

SMALL = (
    "--size=16", "--clips=2", "--frames=2", "--width=0.07", "--epochs=4", "--batch=8", "--least-patients=2",
    "--learning-rate=0.003",
)  # fmt: skip


def words(data: Path, out: Path, *others: str) -> tuple[str, ...]:
    return ("semiology", "train", f"--data={data}", f"--out={out}", *SMALL, *others)


def test_networks_answer_like_any_model_for_patients_they_never_saw(
    bright_set: Path, tmp_path: Path, command_here: Callable[..., Ended]
) -> None:
    out = tmp_path / "r3d"
    asked = words(bright_set, out, f"--features={BRIGHT},{CHANCE}", "--folds=3")
    ended = command_here(main, *asked)
    assert ended.returncode == 0, ended.stderr
    assert "r3d_18 on cpu; weights: random, none were given" in ended.stderr
    assert "24 recordings answered for by networks that never saw the patient" in ended.stdout
    training = read_training(out)
    assert len(training.units) == 3
    assert not list((out / "unfinished").iterdir())
    rows = list(csv.DictReader((out / "scores.csv").open()))
    assert {(row["feature"], row["pooling"]) for row in rows} == {
        (name, pooling) for name in (BRIGHT, CHANCE) for pooling in ("max", "mean", "noisy_or")
    }
    results = read_results([out / "results"])
    answers = results.answers[results.answers["feature"] == BRIGHT]
    assert answers["video_id"].nunique() == 2 * PATIENTS
    assert set(answers["model"]) == {"r3d"}
    # What lmms-eval logged is what the fold's network said of a patient whom it never saw.
    predicted = {
        (row["video_id"], row["feature"]): float(row["p_yes"])
        for row in csv.DictReader((out / "predictions.csv").open())
    }
    for row in results.answers.itertuples():
        assert row.p_yes == pytest.approx(predicted[row.video_id, row.feature], abs=2e-6)
        unit = training.unit_of(training.fold_of_patient[row.patient_id], row.feature)
        assert unit is not None
        assert (row.answer == "yes") == (row.p_yes > unit.thresholds[row.feature]["max"])
    truth = (answers["truth"] == "yes").to_numpy()
    assert np.mean((answers["answer"] == "yes").to_numpy() == truth) > 0.9  # brightness is easy
    compared = compare_sides(
        read_side("always-yes"), read_side(str(out / "results")), Options(features=(BRIGHT,))
    )
    assert compared.n_recordings == 2 * PATIENTS
    # The same command trains nothing again; another setting is refused.
    before = {path: path.stat().st_mtime_ns for path in out.glob("*.safetensors")}
    assert command_here(main, *asked).returncode == 0
    assert before == {path: path.stat().st_mtime_ns for path in out.glob("*.safetensors")}
    other = command_here(main, *asked, "--seed=1")
    assert other.returncode == 2
    assert "holds a training of other settings" in other.stderr
    ended = command_here(
        main, "semiology", "run", "--model=semiology_supervised", f"--model-args=pretrained={out}",
        f"--data={bright_set}", f"--out={tmp_path / 'runs'}", "--tasks=semiology_figure4",
    )  # fmt: skip
    assert ended.returncode == 2
    assert f"nothing was trained on figure4 → ask --tasks semiology_{BRIGHT}" in ended.stderr


@pytest.mark.slow
def test_a_patient_whom_nobody_saw_is_answered_for_by_all_and_no_patient_by_a_network_that_saw_them(
    bright_set: Path, changed_set: Callable[..., Path], tmp_path: Path, command_here: Callable[..., Ended]
) -> None:
    splits = ["train"] * 8 + ["test"] * 4
    data, out = changed_set(splits=splits), tmp_path / "mc3"
    ended = command_here(
        main, *words(data, out, f"--features={BRIGHT}", "--model=mc3_18", "--one-per-feature")
    )
    assert ended.returncode == 0, ended.stderr
    training = read_training(out)
    assert set(training.fold_of_patient) == {f"person{n:02}" for n in range(8)}
    for patient, fold in training.fold_of_patient.items():
        assert [unit.fold for unit in training.units_for(patient, "", BRIGHT)] == [fold]
    film = next(iter(training.patient_of_film))
    owner = training.fold_of_patient[training.patient_of_film[film]]
    assert [unit.fold for unit in training.units_for("renamed", film, BRIGHT)] == [owner]
    stranger = next(p for p, fold in training.fold_of_patient.items() if fold != owner)
    assert training.units_for(stranger, film, BRIGHT) == ()
    assert len(training.units_for("person09", "", BRIGHT)) == 3
    ended = command_here(
        main, "semiology", "run", "--model=semiology_supervised", f"--model-args=pretrained={out}",
        f"--data={data}", f"--out={tmp_path / 'runs'}", f"--tasks=semiology_{BRIGHT}", "--split=test",
    )  # fmt: skip
    assert ended.returncode == 0, ended.stderr
    answers = read_results([tmp_path / "runs"]).answers
    assert set(answers["patient_id"]) == {f"person{n:02}" for n in range(8, 12)}
    assert answers["p_yes"].notna().all()


def test_a_training_that_stops_goes_on_with_the_same_command(
    bright_set: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SEMIOLOGY_CACHE", str(tmp_path / "cache"))
    out = tmp_path / "r3d"
    keep, epochs = learning._keep, []

    def stop(*told: object) -> None:
        keep(*told)  # type: ignore[arg-type]
        epochs.append(1)
        if len(epochs) == 6:  # the second network's second epoch
            raise KeyboardInterrupt

    monkeypatch.setattr(learning, "_keep", stop)
    options = TrainOptions(
        bright_set, out, features=BRIGHT, folds=3, size=16, clips=1, frames=2, width=0.07, epochs=4, patience=0,
        least_patients=2,
    )  # fmt: skip
    with pytest.raises(KeyboardInterrupt):
        train(options, lambda told: None)
    assert len(read_training(out).units) == 1
    training, _, predicted = train(options, lambda told: None)
    assert len(epochs) == 12  # three networks of four epochs, none twice
    assert len(training.units) == 3
    assert len(predicted) == 2 * PATIENTS
    monkeypatch.setenv("WORLD_SIZE", "2")
    with pytest.raises(ValueError, match="runs in one process"):
        train(options, lambda told: None)


def test_what_cannot_be_trained_ends_in_a_sentence(
    bright_set: Path, tmp_path: Path, command_here: Callable[..., Ended]
) -> None:
    for more, told in (
        (("--features=ictal_vocalization",), "heard, not seen"),
        (("--features=figure4", "--least-patients=6"), "3 patients with it, fewer than 6"),
        (("--features=tonicc",), "unknown feature or group 'tonicc'"),
        (("--folds=40",), "12 patients cannot fill 40 folds"),
        (("--device=cuda",), "--device cuda: there is none on this machine"),
        (("--weights=weights.pth",), "weights.pth: there is no such folder"),
        (("--frames=1",), "--frames 1: must be 2 or more"),
        (("--window=long",), "--window long: unknown"),
    ):
        ended = command_here(main, *words(bright_set, tmp_path / "no", *more))
        assert told in ended.stderr, (more, ended.stderr)
        assert ended.returncode == 2
    assert not (tmp_path / "no").exists()


def test_a_folder_of_something_else_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"holds no training\.json"):
        read_training(tmp_path)
    (tmp_path / "training.json").write_text(json.dumps({"units": []}))
    with pytest.raises(ValueError, match="cannot be understood"):
        read_training(tmp_path)
