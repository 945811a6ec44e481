"""``semiology diagnose --target``: onset side, lobe or any column, by classifiers and by cited rules."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from semiology.cli import main
from semiology.features import FEATURES, VISUAL_FEATURES
from semiology.reports.diagnosis.inputs import EXPERTS, of_runs
from semiology.reports.diagnosis.literature import LITERATURE, read_rules
from semiology.reports.diagnosis.scoring import CROSS_VALIDATION, RULES, score_diagnoses

TARGET = ("--classifiers", "lr,rules", "--settings", "published", "--resamples", "100")


def recording_set(tmp_path: Path) -> Path:
    """24 patients, two recordings each: onset side, lobe (occipital of one patient), a free column, no type.

    Heads turn away from the side of onset; the experts of the first patient gave no side.
    """
    folder = tmp_path / "emu"
    folder.mkdir()
    lines = ["video_id,patient_id,video,diagnosis,onset_side,onset_lobe,comment,night"]
    sides = ["video_id,head_turning_side,arm_movement_side"]
    for p in range(24):
        side, lobe = ("left", "right")[p % 2], ("temporal", "Frontal", "frontal")[p % 3]
        for v in range(2):
            video = f"P{p:03d}_V{v}"
            told = "occipital" if p == 0 else lobe
            lines.append(f"{video},P{p:03d},{video}.mp4,ES,{side},{told},note {p},{'yes' if p % 2 else 'no'}")
            if p:
                sides.append(f"{video},{('right', 'left')[p % 2]},")
    (folder / "recordings.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    (folder / "laterality.csv").write_text("\n".join(sides) + "\n", encoding="utf-8")
    (folder / "annotations.csv").write_text("video_id,feature,present\n", encoding="utf-8")
    return folder


def truth_of(p: int, feature: str) -> bool:
    """Heads turn in every seizure and are followed by a tonic phase; oral automatisms are temporal."""
    return feature in ("head_turning", "tonic") or (feature == "oral_automatisms" and p % 3 == 0)


@pytest.fixture
def run_folder(tmp_path: Path, write_run: Callable[..., Path], sample: Callable[..., dict[str, Any]]) -> Path:
    """A run that repeats the experts on signs, and gives the wrong side for every fourth patient."""
    rows, asked = [], []
    for p in range(24):
        for v in range(2):
            place = {"video_id": f"P{p:03d}_V{v}", "patient_id": f"P{p:03d}"}
            for feature in VISUAL_FEATURES:
                said = "yes" if truth_of(p, feature) else "no"
                rows.append(sample(feature, 0, 0, said, said) | place)
            if p:
                side = ("right", "left")[p % 2]
                given = {"right": "left", "left": "right"}[side] if p % 4 == 0 else side
                record = {"task": "s3_head_turning_side", "kind": "side", "feature": "head_turning"} | place
                record |= {"truth": side, "answer": given, "clip_form": None, "segment": 0, "prompt_id": "s3"}
                asked.append({"doc_id": len(asked), "s3": record, "filtered_resps": [given]})
    folder = write_run(rows)
    (results,) = folder.rglob("*_results.json")
    record = json.loads(results.read_text(encoding="utf-8"))
    record["configs"]["s3_head_turning_side"] = {"metadata": {}}
    record["n-samples"]["s3_head_turning_side"] = {"original": len(asked), "effective": len(asked)}
    results.write_text(json.dumps(record), encoding="utf-8")
    stamp = results.name.removesuffix("_results.json")
    text = "".join(json.dumps(line) + "\n" for line in asked)
    (results.parent / f"{stamp}_samples_s3_head_turning_side.jsonl").write_text(text, encoding="utf-8")
    return folder


def test_onset_side_by_classifier_and_by_rules_beside_most_frequent_class_and_ceiling(
    tmp_path: Path, run_folder: Path, command_here: Callable[..., Any]
) -> None:
    data, out = recording_set(tmp_path), tmp_path / "out"
    words = ("--data", str(data), "--target", "onset_side", *TARGET, "--out", str(out))
    ended = command_here(main, "semiology", "diagnose", str(run_folder), *words)
    assert ended.returncode == 0, ended.stderr
    assert "no onset side concluded here is validated for patients" in " ".join(ended.stdout.split())
    rows = list(csv.DictReader((out / "diagnosis.csv").open()))
    assert [(row["features_from"], row["classifier"]) for row in rows] == [
        (EXPERTS, "lr"), ("Qwen2.5-VL-7B", "lr"), (EXPERTS, "rules"), ("Qwen2.5-VL-7B", "rules"),
    ]  # fmt: skip
    assert {row["most_frequent_balanced_accuracy"] for row in rows} == {"0.5"}
    ceiling, model = rows[2], rows[3]
    # Of 24 patients the first has no side, which rules leave undecided and which counts as wrong.
    assert (int(ceiling["undecided"]), int(model["undecided"])) == (2, 2)
    assert float(ceiling["accuracy"]) == pytest.approx(46 / 48)
    assert float(model["accuracy"]) == pytest.approx(36 / 48)  # five of them on the wrong side
    assert float(model["balanced_accuracy_minus_ceiling"]) == pytest.approx(-10 / 24 / 2)
    assert float(model["balanced_accuracy_minus_ceiling_high"]) < 0
    assert float(model["kappa"]) > 0.5
    told = list(csv.DictReader((out / "conclusions.csv").open()))
    assert len(told) == 4 * 48
    first = {
        row["video_id"]: row for row in told if row["classifier"] == RULES and row["features_from"] == EXPERTS
    }
    assert first["P000_V0"]["answer"] == "undecided"
    assert first["P001_V0"]["answer"] == "right"
    assert float(first["P001_V0"]["p_right"]) == pytest.approx(5.83 / 6.83, abs=1e-4)
    assert first["P001_V0"]["rules"] == "head turning with a tonic phase"
    counts = [row for row in csv.DictReader((out / "confusion.csv").open()) if row["classifier"] == RULES]
    assert sum(int(row["recordings"]) for row in counts) == 2 * 48
    assert {row["class"] for row in csv.DictReader((out / "calibration.csv").open())} == {"left", "right"}
    cited = list(csv.DictReader((out / "rules.csv").open()))
    assert any("35 of 41" in row["numbers"] and "doi:10.1111" in row["source"] for row in cited)
    assert (out / "two_stages_0.svg").stat().st_size > 5000
    assert not (out / "decision_curve.csv").exists()
    assert "P001" not in (out / "diagnosis.md").read_text(encoding="utf-8")


def test_a_class_of_one_patient_is_left_out_and_spellings_are_one_class(
    tmp_path: Path, run_folder: Path
) -> None:
    inputs, _ = of_runs([run_folder], None, recording_set(tmp_path), None, column="onset_lobe")
    assert inputs.cohort.target.classes in (("Frontal", "temporal"), ("frontal", "temporal"))
    assert (
        "onset_lobe 'occipital': 1 patient to learn from, fewer than two → its 2 recordings left out"
        in inputs.notes
    )
    rules = [each.rule for each in read_rules()["onset_lobe"]]
    found = score_diagnoses(inputs, ["lr", RULES], rules=rules, settings="published", resamples=100)
    learned, ruled = (next(row for row in found.rows if row.classifier == name) for name in ("lr", RULES))
    assert learned.scope == CROSS_VALIDATION
    assert learned.scores.estimates["balanced_accuracy"].value == 1
    assert ruled.scores.estimates["accuracy"].value == pytest.approx(
        14 / 46
    )  # without oral automatisms: undecided
    assert any("32 of 46 recordings undecided" in note for note in found.notes)


def test_sides_count_only_where_the_source_says_that_the_sign_is_there(
    tmp_path: Path, run_folder: Path
) -> None:
    for path in run_folder.rglob("*_samples_semiology_head_turning.jsonl"):
        text = path.read_text(encoding="utf-8")
        path.write_text(re.sub(r'"answer": "yes"', '"answer": "no"', text), encoding="utf-8")
    inputs, _ = of_runs([run_folder], None, recording_set(tmp_path), None, column="onset_side")
    (model,) = inputs.models
    assert model.vectors["head_turning_side"].isna().all()
    assert inputs.experts.vectors["head_turning_side"].notna().sum() == 46


def test_a_column_without_rules_keeps_the_classifiers_and_says_so(
    tmp_path: Path, run_folder: Path, command_here: Callable[..., Any]
) -> None:
    data = recording_set(tmp_path)
    words = ("--data", str(data), "--target", "night", *TARGET)
    ended = command_here(main, "semiology", "diagnose", str(run_folder), *words, "--json")
    assert ended.returncode == 0, ended.stderr
    told = json.loads(ended.stdout)
    assert {row["classifier"] for row in told["rows"]} == {"lr"}
    assert told["target"] == "night"
    assert any("validated for patients" in each for each in told["caveats"])
    own = tmp_path / "own.yaml"
    text = LITERATURE.read_text(encoding="utf-8").replace("  onset_lobe:", "  night:")
    own.write_text(text.replace("{frontal:", '{"yes":').replace("{temporal:", '{"no":'), encoding="utf-8")
    ended = command_here(
        main, "semiology", "diagnose", str(run_folder), *words, "--rules", str(own), "--json"
    )
    assert ended.returncode == 0, ended.stderr
    assert {row["classifier"] for row in json.loads(ended.stdout)["rows"]} == {"lr", "rules"}


@pytest.mark.parametrize(
    ("target", "told"),
    [
        ("comment", "24 different values in 48 recordings look like free text"),
        ("seizure_type", "--target seizure_type: recordings.csv has no such column"),
        ("diagnosis2", "did you mean 'diagnosis'?"),
        ("video", "look like free text"),
    ],
)
def test_a_target_that_is_none_is_a_sentence(
    tmp_path: Path, run_folder: Path, command_here: Callable[..., Any], monkeypatch: pytest.MonkeyPatch,
    target: str, told: str,
) -> None:  # fmt: skip
    monkeypatch.setenv("COLUMNS", "300")
    words = ("--data", str(recording_set(tmp_path)), "--target", target, *TARGET)
    ended = command_here(main, "semiology", "diagnose", str(run_folder), *words)
    assert ended.returncode == 2
    assert told in " ".join(ended.stderr.replace("│", " ").split())


def test_published_answers_have_no_lobe(
    tmp_path: Path, command_here: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "300")
    table = tmp_path / "published.csv"
    columns = [
        "model",
        "enhancement",
        "prompt_id",
        "prompt_hash",
        "video_id",
        "patient_id",
        "task",
        "feature",
    ]
    row = ["m", "none", "s3_repository", "", "P1_V1", "P1", "feature", "tonic", "yes", "yes"]
    pd.DataFrame([row], columns=[*columns, "answer", "truth"]).to_csv(table, index=False)
    ended = command_here(main, "semiology", "diagnose", "--baselines", str(table), "--target", "onset_lobe")
    assert ended.returncode == 2
    assert "published answers come with no onset_lobe" in " ".join(ended.stderr.replace("│", " ").split())


def test_every_rule_of_the_literature_is_about_features_and_cited() -> None:
    rules = read_rules()
    assert set(rules) == {"onset_side", "onset_lobe", "seizure_type", "diagnosis"}
    for each in (rule for found in rules.values() for rule in found):
        assert set(each.rule.when) <= set(FEATURES)
        assert re.search(r"(19|20)\d\d|epilepsydiagnosis.org", each.source), each
        assert len(each.numbers) > 10


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ('{figure4: "yes"}', '{figur4: "yes"}', "unknown feature 'figur4'; did you mean 'figure4'?"),
        ("source: ebner1995", "source: ebner", "there is no source 'ebner'"),
        ("times: 8.75", "times: 0", "targets.onset_side.0.times"),
        ("side_of: arm_straightening", "side_of: leg", "side_of 'leg' is unknown"),
        ("basis: published", "basis: guess", "targets.onset_side.0.basis"),
    ],
)
def test_a_faulty_rule_is_named_with_its_place(tmp_path: Path, old: str, new: str, told: str) -> None:
    path = tmp_path / "rules.yaml"
    path.write_text(LITERATURE.read_text(encoding="utf-8").replace(old, new, 1), encoding="utf-8")
    with pytest.raises(ValueError, match=re.escape(told)):
        read_rules(path)
