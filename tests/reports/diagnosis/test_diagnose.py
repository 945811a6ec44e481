"""``semiology diagnose``: on published answers and on runs, with protected patients, and with what cannot be used."""

from __future__ import annotations

import csv
import errno
import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from semiology.cli import main
from semiology.data.protection.ledger import LEDGER
from semiology.features import VISUAL_FEATURES
from semiology.reports.diagnosis.inputs import EXPERTS, of_runs
from semiology.reports.diagnosis.scoring import CROSS_VALIDATION, score_diagnoses
from semiology.reports.published.answers import COLUMNS


def answers(patients: int = 24, *, seed: int = 0) -> list[dict[str, Any]]:
    """Rows of features: experts see tonic in ES alone, the model repeats them, or, once in four, what chance says."""
    rng = np.random.default_rng(seed)
    rows = []
    for p in range(patients):
        for v in range(2):
            es = p % 2 == 0
            for feature in VISUAL_FEATURES:
                truth = es if feature == "tonic" else bool(rng.random() < 0.3)
                said = truth if rng.random() < 0.75 else bool(rng.random() < 0.5)
                place = {"video_id": f"P{p:03d}_V{v}", "patient_id": f"P{p:03d}", "feature": feature}
                rows.append(place | {"truth": "yes" if truth else "no", "answer": "yes" if said else "no"})
    return rows


def published(tmp_path: Path) -> Path:
    """A table as ``semiology baselines import`` writes it."""
    rows = [row | {"task": "feature"} for row in answers()]
    for video in sorted({row["video_id"] for row in rows}):
        patient = video.partition("_")[0]
        truth = ("ES", "NES")[int(patient[1:]) % 2]
        about = {
            "video_id": video,
            "patient_id": patient,
            "feature": "diagnosis",
            "truth": truth,
            "answer": "ES",
        }
        rows.append(about | {"task": "s3_diagnosis"})
    frame = pd.DataFrame(rows).assign(model="m", enhancement="none", prompt_id="s3_repository")
    frame["fold"] = (frame["patient_id"].str[1:].astype(int) // 2 % 4).astype(str)
    frame.assign(prompt_hash="")[[*COLUMNS, "prompt_hash", "fold"]].to_csv(
        tmp_path / "published.csv", index=False
    )
    return tmp_path / "published.csv"


def recording_set(tmp_path: Path, *, confirm: int = 0) -> Path:
    """A set with diagnoses, its first patients in the split confirm."""
    folder = tmp_path / "emu"
    folder.mkdir()
    lines = ["video_id,patient_id,video,diagnosis,split"]
    for p in range(24):
        split = ("confirm" if p < confirm else "train") if confirm else ""
        lines += [
            f"P{p:03d}_V{v},P{p:03d},P{p:03d}_V{v}.mp4,{('ES', 'NES')[p % 2]},{split}" for v in range(2)
        ]
    (folder / "recordings.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    (folder / "annotations.csv").write_text("video_id,feature,present\n", encoding="utf-8")
    return folder


@pytest.fixture
def run_folder(write_run: Callable[..., Path], sample: Callable[..., dict[str, Any]]) -> Path:
    """A run with P(yes) that asked all visual features."""
    rows = []
    for row in answers():
        made = sample(row["feature"], 0, 0, row["answer"], row["truth"], polarity="positive")
        rows.append(made | {"video_id": row["video_id"], "patient_id": row["patient_id"]})
    folder = write_run(rows)
    for path in folder.rglob("*_samples_*.jsonl"):
        lines = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
        for line in lines:
            said = line["semiology"]["answer"]
            scores = {name: math.log(0.8 if name == said else 0.2) for name in ("yes", "no")}
            line["token_counts"] = [{"first_token_logprobs": scores}]
        path.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    return folder


def test_published_answers_stand_beside_always_es_and_the_ceiling(
    tmp_path: Path, command_here: Callable[..., Any]
) -> None:
    table, out = published(tmp_path), tmp_path / "out"
    words = ("--classifiers", "knn,lr", "--settings", "published", "--resamples", "100", "--out", str(out))
    ended = command_here(main, "semiology", "diagnose", "--baselines", str(table), *words)
    assert ended.returncode == 0, ended.stderr
    assert "beside always ES and the ceiling" in ended.stdout
    rows = list(csv.DictReader((out / "diagnosis.csv").open()))
    assert [(row["features_from"], row["classifier"]) for row in rows] == [
        (stage, name) for name in ("knn", "lr") for stage in (EXPERTS, "published: m")
    ]
    assert all(float(row["always_es_f1"]) == pytest.approx(2 / 3) for row in rows)
    ceiling, model = rows[2], rows[3]
    assert float(ceiling["f1"]) == 1
    assert ceiling["f1_minus_ceiling"] == ""
    assert float(model["f1"]) < 1
    assert float(model["f1_minus_ceiling"]) == pytest.approx(float(model["f1"]) - 1)
    assert float(model["f1_minus_always_es_low"]) < float(model["f1_minus_always_es"])
    folds = list(csv.DictReader((out / "s3_table_32_two_stages.csv").open()))
    assert [row["Model"] for row in folds] == ["KNN"] * 2 + ["Logistic Regression"] * 2 + ["always ES"] * 2
    own = [float(folds[3][f"Fold {fold}"]) for fold in range(4)]
    assert float(folds[3]["Mean"]) == pytest.approx(np.mean(own))
    assert float(folds[3]["Variance"]) == pytest.approx(np.var(own))
    looked = list(csv.DictReader((out / "s3_table_33_importances_0.csv").open()))
    assert looked[0]["Feature"] == "tonic"
    assert float(looked[0]["Logistic Regression permuted [95 %] low"]) > 0.2
    curve = list(csv.DictReader((out / "decision_curve.csv").open()))
    assert {row["threshold"] for row in curve} >= {"0.05", "0.5", "0.95"}
    assert sum(int(row["recordings"]) for row in csv.DictReader((out / "calibration.csv").open())) == 4 * 48
    assert (out / "two_stages_0.svg").stat().st_size > 5000
    assert "P001" not in (out / "diagnosis.md").read_text(encoding="utf-8")


def test_a_full_disk_is_a_sentence(
    tmp_path: Path, command_here: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(contents: Any, folder: Path) -> None:
        raise OSError(errno.ENOSPC, "No space left on device", str(folder))

    monkeypatch.setattr("semiology.data.cache.write_texts", full)
    words = (
        "--classifiers",
        "lr",
        "--settings",
        "published",
        "--resamples",
        "100",
        "--out",
        str(tmp_path / "out"),
    )
    ended = command_here(main, "semiology", "diagnose", "--baselines", str(published(tmp_path)), *words)
    assert ended.returncode == 2
    assert "the disk is full → make room, then run the same command again" in ended.stderr


def test_p_yes_is_a_first_stage_of_its_own(tmp_path: Path, run_folder: Path) -> None:
    inputs, _ = of_runs([run_folder], None, recording_set(tmp_path), None)
    assert [stage.label for stage in inputs.models] == ["Qwen2.5-VL-7B", "Qwen2.5-VL-7B, p(yes)"]
    plain, sure = (stage.vectors for stage in inputs.models)
    assert np.unique(sure.to_numpy().round(6)).tolist() == [0.2, 0.8]
    pd.testing.assert_frame_equal(plain, (sure > 0.5).astype(float))


def test_confirm_patients_are_opened_entered_and_never_learned_from(
    tmp_path: Path, run_folder: Path, command_here: Callable[..., Any]
) -> None:
    data = recording_set(tmp_path, confirm=8)
    closed, _ = of_runs([run_folder], None, data, None)
    assert not any(video < "P008" for video in closed.shown)
    words = ("--data", str(data), "--split", "all", "--classifiers", "lr", "--settings", "published")
    ended = command_here(main, "semiology", "diagnose", str(run_folder), *words, "--json")
    assert ended.returncode == 0, ended.stderr
    rows = json.loads(ended.stdout)["rows"]
    assert [(row["features_from"], row["scope"], row["recordings"]) for row in rows[:2]] == [
        (EXPERTS, CROSS_VALIDATION, 32),
        (EXPERTS, "confirm", 16),
    ]
    entry = json.loads((data / LEDGER).read_text(encoding="utf-8").splitlines()[-1])
    assert entry["command"] == "diagnose"
    assert len(entry["patients"]["confirm"]) == 8
    # Turned round, the diagnoses of confirm patients change no other number: nothing was learned from them.
    table = (data / "recordings.csv").read_text(encoding="utf-8").splitlines()
    turned = [
        line.replace(",ES,", ",?,").replace(",NES,", ",ES,").replace(",?,", ",NES,")
        if "confirm" in line
        else line
        for line in table
    ]
    (data / "recordings.csv").write_text("\n".join(turned) + "\n", encoding="utf-8")
    again, _ = of_runs([run_folder], None, data, "all")
    found = score_diagnoses(again, ["lr"], settings="published", resamples=100)
    kept = [row.scores.estimates["f1"].value for row in found.rows if row.scope == CROSS_VALIDATION]
    assert kept == pytest.approx([row["f1"] for row in rows if row["scope"] == CROSS_VALIDATION], abs=1e-6)
    (turned_ceiling,) = (r for r in found.rows if (r.stage, r.scope) == (EXPERTS, "confirm"))
    assert turned_ceiling.scores.estimates["f1"].value == 0


def test_a_fold_of_one_diagnosis_and_rare_features_are_told(tmp_path: Path, run_folder: Path) -> None:
    data = recording_set(tmp_path)
    table = pd.read_csv(data / "recordings.csv", dtype=str, keep_default_na=False)
    number = table["patient_id"].str[1:].astype(int)
    table["fold"] = np.where(number == 0, "alone", (number % 3).astype(str))
    table.to_csv(data / "recordings.csv", index=False)
    inputs, _ = of_runs([run_folder], None, data, None)
    rare = inputs.experts.vectors.assign(figure4=0.0)
    rare.iloc[:3, rare.columns.get_loc("figure4")] = 1.0
    vars(inputs.experts)["vectors"] = rare
    found = score_diagnoses(inputs, ["lr"], settings="published", resamples=100)
    assert (
        "fold alone: holds one diagnosis only → it has no F1, and is left out of mean and variance"
        in found.notes
    )
    assert any("figure4 (3)" in note for note in found.notes)


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--baselines", "published.csv", "--classifiers", "rg"], "--classifiers rg: there is no such classifier"),
        ([], "nothing to diagnose"),
        (["run"], "add --data DIR"),
        (["run", "--data", "undiagnosed"], "no recording that was asked about has a diagnosis"),
    ],
)  # fmt: skip
def test_what_cannot_be_used_is_a_sentence(
    tmp_path: Path, run_folder: Path, command_here: Callable[..., Any], monkeypatch: pytest.MonkeyPatch,
    words: list[str], told: str,
) -> None:  # fmt: skip
    published(tmp_path)
    data = recording_set(tmp_path).rename(tmp_path / "undiagnosed")
    text = (data / "recordings.csv").read_text(encoding="utf-8")
    (data / "recordings.csv").write_text(text.replace(",ES,", ",,").replace(",NES,", ",,"), encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "300")
    ended = command_here(main, "semiology", "diagnose", *words)
    assert ended.returncode == 2
    assert told in " ".join(ended.stderr.replace("│", " ").split())


def test_patients_who_may_be_one_are_refused(
    tmp_path: Path, run_folder: Path, command_here: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = recording_set(tmp_path)
    text = (folder / "recordings.csv").read_text(encoding="utf-8")
    (folder / "recordings.csv").write_text(
        text.replace(",P001,", ",p0,").replace(",P002,", ",P0,"), encoding="utf-8"
    )
    monkeypatch.chdir(tmp_path)
    ended = command_here(main, "semiology", "diagnose", str(run_folder), "--data", str(folder))
    assert ended.returncode == 2
    assert "--distinct-patients" in ended.stderr
