"""A whole set enhanced: on one process, on several, after a kill, with recordings that fail."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile
from honest_steps import RATE, Softer

from semiology.data.problems import RecordingSetError
from semiology.data.tables.reading import read_recording_set
from semiology.enhancements.enhance import enhance
from semiology.enhancements.pipeline.manifest import (
    MANIFEST,
    Enhanced,
    read_manifest,
    source_state,
    write_manifest,
)
from semiology.enhancements.registry import EnhancementError, chosen

IDS = ("A1", "A2", "B1")


@pytest.fixture
def spoken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A set with sound files; B1 has none, and a video that holds no sound either."""
    monkeypatch.setenv("SEMIOLOGY_CACHE", str(tmp_path / "cache"))
    folder = tmp_path / "set"
    folder.mkdir()
    rows = ["video_id,patient_id,video,audio"]
    for number, name in enumerate(IDS):
        (folder / f"{name}.mp4").write_bytes(name.encode())
        if name != "B1":
            soundfile.write(folder / f"{name}.wav", np.full(RATE, 0.1 * (number + 1)), RATE)
        rows.append(f"{name},{name[0]},{name}.mp4,{'' if name == 'B1' else f'{name}.wav'}")
    (folder / "recordings.csv").write_text("\n".join(rows) + "\n")
    (folder / "annotations.csv").write_text("video_id,feature,present\nA1,tonic,yes\n")
    (folder / "dataset.yaml").write_text("name: spoken\nversion: '1'\nsource: made for a test\n")
    return folder


def statuses(folder: Path) -> dict[str, str]:
    return {video_id: row.status for (video_id, _), row in read_manifest(folder).items()}


def test_confirm_recordings_are_not_opened_unless_they_are_named(spoken: Path) -> None:
    table = (spoken / "recordings.csv").read_text().splitlines()
    splits = ["split", "train", "", "CONFIRM"]  # A2 is of the patient of A1
    (spoken / "recordings.csv").write_text(
        "\n".join(f"{row},{split}" for row, split in zip(table, splits, strict=True)) + "\n"
    )
    found = enhance(spoken, [Softer(raises_for="B1")])
    assert statuses(spoken) == {"A1": "done", "A2": "done"}
    assert dict(found.withheld) == {"confirm": 1}
    with pytest.raises(
        EnhancementError, match="B1: its patient is of the split confirm → add --split confirm"
    ):
        enhance(spoken, [Softer()], recordings=["B1"])
    enhance(spoken, [Softer()], purpose="confirm")
    assert statuses(spoken)["B1"] == "unavailable"


@pytest.mark.parametrize("workers", [1, 2])
def test_every_recording_gets_a_row_and_the_second_run_makes_nothing(workers: int, spoken: Path) -> None:
    first = enhance(spoken, [Softer()], workers=workers)
    second = enhance(spoken, [Softer()], workers=workers)
    assert statuses(spoken) == {"A1": "done", "A2": "done", "B1": "unavailable"}
    (step,) = first.steps
    assert (step.done, step.unavailable, step.failed, step.reused) == (2, 1, 0, 0)
    assert step.figures == {"seconds": 1.0, "how": "gain"}
    told = {"status": "unavailable", "sentence": "the recording has no sound", "recordings": 1}
    assert step.sentences == [told]
    assert second.steps[0].reused == 2
    assert first.complete
    row = read_manifest(spoken)["A2", "denoise"]
    assert row.file is not None
    assert np.abs(soundfile.read(row.file)[0]).max() == pytest.approx(0.1, abs=1e-3)


def test_one_that_fails_does_not_stop_the_others(spoken: Path) -> None:
    summary = enhance(spoken, [Softer(raises_for="A1")])
    assert statuses(spoken) == {"A1": "failed", "A2": "done", "B1": "unavailable"}
    assert not summary.complete


@pytest.mark.slow
def test_one_that_kills_its_process_does_not_stop_the_others(spoken: Path) -> None:
    summary = enhance(spoken, [Softer(kills_for="A1")], workers=2)
    assert statuses(spoken) == {"A1": "failed", "A2": "done", "B1": "unavailable"}
    assert "memory" in summary.steps[0].sentences[0]["sentence"]


def test_a_stopped_run_keeps_what_was_finished_and_goes_on(spoken: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        enhance(spoken, [Softer(stops_for="A2")])
    assert statuses(spoken) == {"A1": "done"}
    assert enhance(spoken, [Softer()]).steps[0].reused == 1
    assert statuses(spoken)["A2"] == "done"


def test_the_output_folder_holds_manifest_and_files_and_can_be_moved(spoken: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    enhance(spoken, [Softer()], out=out, recordings=["A1"])
    assert not (spoken / MANIFEST).exists()
    moved = out.rename(tmp_path / "moved")
    (row,) = read_manifest(moved).values()
    assert row.file is not None
    assert row.file.is_relative_to(moved)
    assert row.file.is_file()


def test_rows_of_other_recordings_and_enhancements_are_kept(spoken: Path) -> None:
    enhance(spoken, [Softer()], recordings=["A1"])
    enhance(spoken, [Softer(name="transcript")], recordings=["A1"])
    enhance(spoken, [Softer(gain=0.1)], recordings=["A2"])
    assert set(read_manifest(spoken)) == {("A1", "denoise"), ("A1", "transcript"), ("A2", "denoise")}


def test_progress_runs_from_nothing_to_all(spoken: Path) -> None:
    told: list[tuple[int, int, float]] = []
    enhance(spoken, [Softer()], told=lambda *state: told.append(state))
    assert told[-1] == (3, 3, 0.0)
    assert (0, 3, 0.5) in told
    assert [ended + share for ended, _, share in told] == sorted(ended + share for ended, _, share in told)


def test_an_unknown_recording_is_told(spoken: Path) -> None:
    with pytest.raises(EnhancementError, match="A9"):
        enhance(spoken, [Softer()], recordings=["A9"])


def test_a_folder_that_cannot_be_written_to_is_told_before_the_work(
    spoken: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(path: Path, *_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "touch", refuse)
    with pytest.raises(RecordingSetError, match="--out FOLDER"):
        enhance(spoken, [Softer()])


def test_the_source_state_follows_every_file_of_a_recording(spoken: Path) -> None:
    recording = read_recording_set(spoken).recording("A1")
    before = source_state(recording)
    assert source_state(recording) == before
    recording.video.write_bytes(b"another film")
    after = source_state(recording)
    assert after != before
    assert source_state(replace(recording, audio=None)) != after


def a_row(**changes: object) -> Enhanced:
    row = Enhanced(
        "A1", "pose", "failed", None, "=a sentence, with a comma", {"frames": 3}, "1", "p", "k", "s"
    )
    return replace(row, **changes)  # type: ignore[arg-type]


def test_a_manifest_reads_as_it_was_written(tmp_path: Path) -> None:
    rows = [
        a_row(),
        a_row(enhancement="crop", status="done", file=tmp_path / "derived" / "x.mp4", figures={}),
    ]
    write_manifest(tmp_path, rows)
    assert list(read_manifest(tmp_path).values()) == rows


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("failed", "perhaps", "the status is 'perhaps'"),
        (",pose,", ",blur,", "the enhancement is 'blur'"),
        (",failed,,", ",done,,", "a file is named if"),
        ('"{""frames"": 3}"', "three", "not a JSON object"),
        ("sentence", "remark", "missing"),
    ],
)
def test_a_manifest_with_a_fault_is_refused_with_row_and_mend(
    old: str, new: str, told: str, tmp_path: Path
) -> None:
    write_manifest(tmp_path, [a_row()])
    text = (tmp_path / MANIFEST).read_text()
    assert old in text
    (tmp_path / MANIFEST).write_text(text.replace(old, new, 1))
    with pytest.raises(RecordingSetError, match=told):
        read_manifest(tmp_path)


def test_names_of_enhancements_are_put_in_order_and_checked() -> None:
    assert chosen(["transcript,pose", "crop"]) == ("pose", "crop", "transcript")
    with pytest.raises(EnhancementError, match="did you mean 'denoise'"):
        chosen(["denoize"])
    with pytest.raises(EnhancementError, match="no enhancement is named"):
        chosen([" "])


@pytest.fixture
def ray_cluster(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("ray", reason="Ray is not installed: pip install 'semiology-eval[ray]'")
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parent))  # its workers import `honest_steps`


@pytest.mark.slow
@pytest.mark.usefixtures("ray_cluster")
def test_a_local_ray_cluster_does_the_same(spoken: Path) -> None:
    summary = enhance(spoken, [Softer(raises_for="A1")], workers=2, ray="local")
    assert statuses(spoken) == {"A1": "failed", "A2": "done", "B1": "unavailable"}, summary.steps
    file = read_manifest(spoken)["A2", "denoise"].file
    assert file is not None
    assert np.abs(soundfile.read(file)[0]).max() == pytest.approx(0.1, abs=1e-3)


@pytest.mark.slow
@pytest.mark.usefixtures("ray_cluster")
def test_a_ray_worker_that_dies_costs_its_own_recording_alone(spoken: Path) -> None:
    summary = enhance(spoken, [Softer(kills_for="A1")], workers=2, ray="local")
    assert any("Ray worker" in each["sentence"] for each in summary.steps[0].sentences)
    assert statuses(spoken) == {"A1": "failed", "A2": "done", "B1": "unavailable"}


def test_other_machines_are_refused_unless_allowed(spoken: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SEMIOLOGY_ALLOW_REMOTE", raising=False)
    with pytest.raises(EnhancementError, match="SEMIOLOGY_ALLOW_REMOTE=1"):
        enhance(spoken, [Softer()], ray="ray://192.0.2.1:10001")
