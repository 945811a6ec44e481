"""Training data: whom it is about, what each task shows, the forms, the manifest, and that it goes on."""

from __future__ import annotations

import csv
import errno
import json
import shutil
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from semiology.cli import main
from semiology.data.media.probe import probe
from semiology.data.protection.ledger import patient_mark
from semiology.data.protection.splits import hand_out
from semiology.data.protection.trained_on import (
    MANIFEST,
    TrainedOnError,
    form_mark,
    read_manifest,
    without_trained,
)
from semiology.data.tables.reading import read_recording_set
from semiology.data.windows.sliding import Segment
from semiology.features import label_of
from semiology.harness import preflight
from semiology.optimization.training.export import ExportOptions, export, training_plan
from semiology.optimization.training.rewards import PUBLISHED, SOUND
from semiology.optimization.training.sample_table import sample_table
from semiology.optimization.training.samples import report_of_window, samples
from semiology.settings import TRAINED_ON
from semiology.tasks.plan import make_plan
from semiology.tasks.settings import read_settings


@pytest.fixture
def ward(simulated_set: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two patients of the simulated ward, the second a test patient, with a cache of its own."""
    folder = tmp_path / "ward"
    shutil.copytree(simulated_set, folder)
    table = pd.read_csv(folder / "recordings.csv", dtype=str, keep_default_na=False)
    table["split"], table["fold"] = ["train", "test"], ["0", ""]
    table.to_csv(folder / "recordings.csv", index=False)
    monkeypatch.setenv("SEMIOLOGY_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("SEMIOLOGY_DATA", str(folder))
    return folder


def lines(file: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]


def test_every_task_gives_samples_whose_answers_earn_the_whole_reward(ward: Path) -> None:
    left_out: Counter[str] = Counter()
    plan = training_plan(ExportOptions("sft", ward))
    found = list(samples(plan, (1, 2, 3, 4, 5, 6, 7), window="standard", left_out=left_out))
    assert {sample.task for sample in found} == {1, 2, 3, 4, 5, 6, 7}
    counts = {row.cells[0]: row.cells[2] for row in sample_table(found).rows if row.cells[1] == "all"}
    assert counts["tasks 1 and 2"] == sum(sample.task in (1, 2) for sample in found)
    assert counts["all tasks"] == len(found)
    for sample in found:
        published = PUBLISHED[sample.task](sample.answer, sample.feature, sample.solution)
        ours = SOUND[sample.task](sample.answer, sample.feature, sample.solution)
        assert published == pytest.approx(1, abs=0.02), sample
        # Of a report and a justification only what the rules can read is paid for.
        assert ours == pytest.approx(1, abs=0.02) or sample.task in (2, 6), sample
        assert 0 <= ours <= 1


def test_clips_follow_the_published_rules(ward: Path) -> None:
    plan = training_plan(ExportOptions("sft", ward))
    (video,) = plan.recordings
    duration = plan.recordings[video].info.duration_s
    found = list(samples(plan, (1, 3, 4, 5, 6, 7), window="standard", left_out=Counter()))
    for sample in (each for each in found if each.task == 1):
        annotation = plan.recording_set.annotation(video, sample.feature)
        assert annotation is not None
        if annotation.present == "yes" and annotation.onset_s is not None and annotation.offset_s is not None:
            assert sample.segment.start_s <= annotation.onset_s
            assert sample.segment.end_s >= min(annotation.offset_s, duration) - 1e-6
            assert sample.segment.duration_s == pytest.approx(
                max(2.0, annotation.offset_s - annotation.onset_s), abs=0.6
            )
        assert sample.answer == {"yes": "yes", "no": "no", "na": "NA"}[annotation.present]
    for sample in (each for each in found if each.task == 4):
        seconds = sample.solution["answer"]
        assert 0 <= seconds <= sample.segment.duration_s <= 60
        assert sample.answer == json.dumps({"timestamp": f"00:{round(seconds):02d}"})
    windows = {sample.segment for sample in found if sample.task == 5}
    assert windows == set(plan.recordings[video].segments)
    for sample in (each for each in found if each.task == 5):
        for name in sample.solution["answer"]:
            annotation = plan.recording_set.annotation(video, name)
            assert annotation is not None
            assert annotation.onset_s is not None
            assert annotation.onset_s < sample.segment.end_s
            assert label_of(name) in sample.answer or name == "figure4"
    (whole,) = (each for each in found if each.task == 7)
    assert (whole.segment.start_s, whole.segment.end_s) == (0.0, duration)


def test_absent_features_are_shown_as_long_as_present_ones(original_set: Path, tmp_path: Path) -> None:
    folder = tmp_path / "set"
    shutil.copytree(original_set, folder)
    with (folder / "annotations.csv").open("w", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(["video_id", "feature", "present", "onset_s", "offset_s"])
        writer.writerow(["A1", "tonic", "yes", "10", "17"])
        writer.writerows([video, "tonic", "no", "", ""] for video in ("A2", "B1"))
        writer.writerow(["A1", "clonic", "yes", "20", ""])
    left_out: Counter[str] = Counter()
    plan = training_plan(ExportOptions("sft", folder))
    found = list(samples(plan, (1,), window="standard", left_out=left_out))
    assert {round(sample.segment.duration_s, 6) for sample in found} == {7.0}
    assert len({sample.segment.start_s for sample in found}) == 3
    assert left_out == {"clonic: present without onset and offset": 1}
    assert found == list(samples(plan, (1,), window="standard", left_out=Counter()))


def test_a_report_is_cut_to_the_window() -> None:
    report = (
        "A blank stare comes first. Then tonic stiffening of both arms. The patient is drowsy afterwards."
    )
    spans = {"blank_stare": (2.0, 8.0), "tonic": (40.0, 55.0)}
    first, second = Segment(0, 0.0, 30.0), Segment(1, 25.0, 55.0)
    assert report_of_window(report, spans, first) == (
        "A blank stare comes first. The patient is drowsy afterwards."
    )
    assert report_of_window(report, spans, second).startswith("Then tonic stiffening")
    assert report_of_window(report, {}, first) == report


def test_files_hold_training_patients_alone(
    ward: Path, tmp_path: Path, command_here: Callable[..., Any]
) -> None:
    out = tmp_path / "out"
    ended = command_here(
        main, "semiology", "export", "sft", "--data", str(ward), "--tasks", "1,3,7", "--out", str(out)
    )
    assert ended.returncode == 0, ended.stderr
    recordings = read_recording_set(ward).recordings
    trained, tested = (each.patient_id for each in recordings)
    told = json.loads((out / MANIFEST).read_text(encoding="utf-8"))
    assert told["patients"] == [patient_mark(trained)]
    assert told["simulated"] is True
    swift, trl = lines(out / "ms_swift.jsonl"), lines(out / "trl.jsonl")
    assert len(swift) == len(trl) == sum(told["samples"].values())
    rows = list(csv.DictReader((out / "samples.csv").open()))
    counts = {row["task"].split(":")[0]: int(row["samples"]) for row in rows if row["question"] == "all"}
    assert counts == {f"task {n}": count for n, count in told["samples"].items()} | {"all tasks": len(trl)}
    assert rows[-1]["patients"] == "1"
    assert "task 7: diagnosis" in ended.stdout
    assert "task 3: side and region" in ended.stdout
    for one, other in zip(swift, trl, strict=True):
        question = other["prompt"][0]["content"][1]["text"]
        assert one["messages"][0] == {"role": "user", "content": f"<video>{question}"}
        assert one["messages"][1]["content"] == other["completion"][0]["content"][0]["text"]
        assert one["videos"] == [other["prompt"][0]["content"][0]["video"]]
        assert json.loads(one["solution"])["answer"]
    clips = sorted((out / "clips").iterdir())
    assert {f"clips/{clip.name}" for clip in clips} == {one["videos"][0] for one in swift}
    whole = next(one for one in trl if one["task"] == 7)
    info = probe(out / whole["prompt"][0]["content"][0]["video"])
    assert info.fps == pytest.approx(whole["fps"], abs=0.01)
    everything = "".join(path.read_text("utf-8") for path in out.glob("*.json*"))
    names = (trained, tested, *(each.video_id for each in recordings))
    assert not [name for name in names if name in everything or any(name in clip.name for clip in clips)]
    assert (out / "ms_swift.jsonl").stat().st_mode & 0o077 == 0


def test_an_interrupted_export_goes_on_and_another_one_is_refused(ward: Path, tmp_path: Path) -> None:
    out, options = tmp_path / "out", ExportOptions("grpo", ward, (3, 7))

    def stop(done: int, of: int) -> None:
        if done == 1:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        export(options, out, on_clip=stop)
    first = {clip.name: clip.stat().st_mtime_ns for clip in (out / "clips").iterdir()}
    assert len(first) == 1
    assert not (out / MANIFEST).exists()
    export(options, out)
    again = {clip.name: clip.stat().st_mtime_ns for clip in (out / "clips").iterdir()}
    assert first.items() <= again.items()
    kept = (out / "trl.jsonl").read_bytes()
    assert all("completion" not in line for line in lines(out / "trl.jsonl"))
    export(options, out)
    assert (out / "trl.jsonl").read_bytes() == kept
    with pytest.raises(ValueError, match="holds another export"):
        export(ExportOptions("sft", ward, (3, 7)), out)


def test_a_full_disk_is_a_sentence_and_the_export_stays_unfinished(
    ward: Path, tmp_path: Path, command_here: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(target: Path, text: str, *, private: bool = False) -> None:
        raise OSError(errno.ENOSPC, "No space left on device", str(target))

    out, words = (
        tmp_path / "out",
        ("semiology", "export", "sft", "--data", str(ward), "--tasks", "7", "--out"),
    )
    with monkeypatch.context() as patched:
        patched.setattr("semiology.optimization.training.export.write_whole", full)
        ended = command_here(main, *words, str(out))
    assert ended.returncode == 2
    assert "the disk is full → make room, then run the same command again" in ended.stderr
    assert not (out / MANIFEST).exists()
    assert command_here(main, *words, str(out)).returncode == 0
    assert (out / MANIFEST).exists()


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"tasks": (8,)}, "--tasks 8: there is no such task"),
        ({"fold": "0"}, "--fold 0: every recording is in this fold"),
        ({"fold": "3"}, "--fold 3: no patient to develop on is in this fold → there are 0"),
    ],
)
def test_what_cannot_be_exported_is_a_sentence(
    ward: Path, tmp_path: Path, options: dict[str, Any], told: str
) -> None:
    with pytest.raises(ValueError, match=told):
        export(ExportOptions("sft", ward, **options), tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_fold_is_left_out(original_set: Path, tmp_path: Path) -> None:
    folder = tmp_path / "set"
    shutil.copytree(original_set, folder)
    table = pd.read_csv(folder / "recordings.csv", dtype=str)
    table["fold"] = table["patient_id"].map({"A": "0", "B": "1"})
    table.to_csv(folder / "recordings.csv", index=False)
    plan = training_plan(ExportOptions("sft", folder, fold="1"))
    assert {each.recording.patient_id for each in plan.recordings.values()} == {"A"}
    assert {each.video_id for each in plan.recording_set.annotations} == set(plan.recordings)


def manifest_of(folder: Path, patients: list[str], films: tuple[str, ...] = ()) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    told = {
        "form": "semiology-training-manifest-1", "recording_set": "s", "fold_left_out": None,
        "patients": [patient_mark(each) for each in patients], "films": [{"sha256": each} for each in films],
    }  # fmt: skip
    (folder / MANIFEST).write_text(json.dumps(told), encoding="utf-8")
    return folder / MANIFEST


def test_training_patients_are_not_asked_about(
    ward: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trained, tested = (each.patient_id for each in read_recording_set(ward).recordings)
    manifest = manifest_of(tmp_path / "model", [trained])
    monkeypatch.setenv(TRAINED_ON.name, str(manifest))
    plan = make_plan(read_settings())
    assert plan.recording_set.patients == (tested,)
    assert plan.handed_out is not None
    assert any(
        "1 recording left out, since the model was trained on" in note for note in plan.handed_out.notes()
    )
    manifest_of(tmp_path / "model", [trained, tested])
    with pytest.raises(TrainedOnError, match="trained on the patients of all 2 recordings"):
        make_plan(read_settings())


@pytest.mark.parametrize(("distinct", "found"), [(False, {"7", "007", "p-1"}), (True, {"007"})])
def test_training_patients_are_known_in_another_form(tmp_path: Path, distinct: bool, found: set[str]) -> None:
    trained = ["007", "P_01"]
    told = {
        "form": "semiology-training-manifest-1", "recording_set": "s", "fold_left_out": None, "films": [],
        "patients": [patient_mark(each) for each in trained], "distinct_patients": distinct,
        "forms": {patient_mark(each): form_mark(each) for each in trained},
    }  # fmt: skip
    (tmp_path / MANIFEST).write_text(json.dumps(told), encoding="utf-8")
    assert read_manifest(tmp_path).patients_of(["7", "007", "p-1", "P2"]) == found


def test_a_film_under_another_id_is_known_by_its_content(ward: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    export(ExportOptions("sft", ward, (7,)), out)
    table = (ward / "recordings.csv").read_text(encoding="utf-8")
    patient = read_recording_set(ward).recordings[0].patient_id
    (ward / "recordings.csv").write_text(table.replace(f",{patient},", ",renamed,"), encoding="utf-8")
    handed = without_trained(hand_out(read_recording_set(ward).recordings), read_manifest(out))
    assert [each.split for each in handed.recordings] == ["test"]
    assert handed.trained_on == 1


def test_a_checkpoint_that_carries_a_manifest_is_refused_until_its_patients_are_left_out(
    ward: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trained = read_recording_set(ward).recordings[0].patient_id
    manifest = manifest_of(tmp_path / "model", [trained])
    asked = {
        "model": "semiology_hf",
        "model_args": f"pretrained={tmp_path / 'model'}",
        "tasks": ["semiology_tonic"],
    }
    with pytest.raises(TrainedOnError, match=r"this run is about 1 patient .*--trained-on .*model"):
        preflight.prepare_run(dict(asked))
    monkeypatch.setenv(TRAINED_ON.name, str(manifest.parent))
    preflight.prepare_run(dict(asked))


def test_a_report_on_training_patients_is_refused(tmp_path: Path, command_here: Callable[..., Any]) -> None:
    folder = tmp_path / "run" / "m"
    folder.mkdir(parents=True)
    record = {
        "feature": "tonic", "enhancement": "none", "prompt_id": "s3", "prompt_hash": "ab" * 32, "video_id": "v1",
        "patient_id": "p1", "segment": 0, "start_s": 0.0, "end_s": 30.0, "truth": "yes", "answer": "yes", "raw": "yes",
    }  # fmt: skip
    sample = {"doc_id": 0, "target": "yes", "filtered_resps": "yes", "semiology": record}
    (folder / "20260101_120000_samples_semiology_tonic.jsonl").write_text(json.dumps(sample) + "\n")
    manifest = manifest_of(tmp_path / "model", ["p1"])
    words = ("semiology", "report", str(tmp_path / "run"), "--trained-on")
    ended = command_here(main, *words, str(manifest))
    assert ended.returncode == 2
    assert "a report on these runs is about 1 patient that the model was trained on" in ended.stderr
    other = manifest_of(tmp_path / "other", ["p2"])
    assert command_here(main, *words, str(other)).returncode == 0
    assert "is no manifest of training data" in command_here(main, *words, str(tmp_path)).stderr
