"""A simulated set must be a real one: playable, readable, repeatable, and never half-written."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import av
import numpy as np
import pytest

from semiology.data.media.audio import read_audio
from semiology.data.media.probe import probe
from semiology.data.simulated import simulate
from semiology.data.simulated import write as writing
from semiology.data.simulated.script.script import draw_look, draw_script
from semiology.data.simulated.sound.sound import soundtrack, spoken
from semiology.data.simulated.sound.voice import RATE, groan, say
from semiology.data.tables.reading import read_recording_set
from semiology.features import FEATURES

SMALL = {
    "recordings_per_patient": 1,
    "duration_s": (30.0, 31.0),
    "size": (128, 96),
    "fps": 10,
    "progress": False,
}
TABLES = ("recordings.csv", "annotations.csv", "reports.csv", "dataset.yaml")


@pytest.fixture(scope="module")
def simulated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("ward") / "set"
    simulate(directory, patients=3, seed=4, **SMALL)
    return directory


def test_the_set_reads_back_without_a_problem_and_states_all_features(simulated: Path) -> None:
    found = read_recording_set(simulated)
    assert [r.video_id for r in found.recordings] == ["P001_V01", "P002_V01", "P003_V01"]
    assert len(found.annotations) == 3 * len(FEATURES)
    assert set(found.reports) == {r.video_id for r in found.recordings}
    assert "imulated" in (simulated / "dataset.yaml").read_text()


def test_the_annotations_are_the_script(simulated: Path) -> None:
    planned = {
        p.video_id: p.script for p in writing.plan(writing.Settings(3, 4, 1, (30.0, 31.0), (128, 96), 10))
    }
    for row in read_recording_set(simulated).annotations:
        script = planned[row.video_id]
        assert row.present == script.present(row.feature)
        interval = script.interval(row.feature)
        if row.onset_s is not None:
            assert interval is not None
            assert (row.onset_s, row.offset_s) == pytest.approx(interval, abs=0.051)
        else:
            assert interval is None or row.present != "yes"


def test_the_videos_have_the_stated_rate_length_size_and_sound(simulated: Path) -> None:
    for recording in read_recording_set(simulated).recordings:
        info = probe(recording.video)
        assert info.fps == pytest.approx(10)
        assert info.duration_s == pytest.approx(recording.duration_s, abs=0.15)
        assert (info.width, info.height, info.has_audio) == (128, 96, True)
        assert not info.variable_frame_rate
        with av.open(str(recording.video)) as container:
            assert container.streams.video[0].codec_context.name == "h264"
            assert container.streams.audio[0].codec_context.name == "aac"
        sound = read_audio(recording.video, None, None)
        assert len(sound) / 16_000 == pytest.approx(recording.duration_s, abs=0.2)


def test_the_tables_are_the_same_bytes_for_the_same_seed(simulated: Path, tmp_path: Path) -> None:
    simulate(tmp_path / "again", patients=3, seed=4, **SMALL)
    for name in TABLES:
        assert (tmp_path / "again" / name).read_bytes() == (simulated / name).read_bytes()


def test_a_second_run_makes_only_what_is_missing(simulated: Path) -> None:
    videos = sorted((simulated / "videos").glob("*.mp4"))
    before = [v.stat().st_mtime_ns for v in videos]
    videos[1].unlink()
    simulate(simulated, patients=3, seed=4, **SMALL)
    after = [v.stat().st_mtime_ns for v in videos]
    assert (after[0], after[2]) == (before[0], before[2])
    assert after[1] != before[1]


def test_a_folder_that_holds_something_else_is_refused(simulated: Path, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="other settings"):
        simulate(simulated, patients=3, seed=5, **SMALL)
    (tmp_path / "letter.txt").write_text("dear all")
    with pytest.raises(ValueError, match="not empty"):
        simulate(tmp_path, patients=1, seed=0, **SMALL)
    assert not list(tmp_path.glob("*.csv"))


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"patients": 0}, "at least 1"),
        ({"duration_s": (10, 20)}, "30 <="),
        ({"size": (101, 72)}, "even"),
        ({"workers": 0}, "at least 1"),
    ],
)
def test_settings_that_make_no_sense_are_refused(
    wrong: dict[str, object], message: str, tmp_path: Path
) -> None:
    with pytest.raises(ValueError, match=message):
        simulate(tmp_path / "new", **{"patients": 1, "seed": 0, **SMALL, **wrong})
    assert not (tmp_path / "new").exists()


def test_a_run_that_fails_leaves_no_half_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> np.ndarray:
        raise RuntimeError("the lamp went out")

    monkeypatch.setattr(writing, "render", broken)
    with pytest.raises(RuntimeError, match="lamp"):
        simulate(tmp_path / "set", patients=1, seed=0, **SMALL)
    assert list((tmp_path / "set" / "videos").iterdir()) == []


def test_a_killed_run_can_be_taken_up_again(tmp_path: Path) -> None:
    directory = tmp_path / "set"
    code = (
        "from pathlib import Path; from semiology.data.simulated import simulate; "
        f"simulate(Path({str(directory)!r}), patients=2, seed=1, **{SMALL!r})"
    )
    process = subprocess.Popen([sys.executable, "-c", code], env={**os.environ, "OMP_NUM_THREADS": "1"})
    deadline = time.monotonic() + 60
    while not list(directory.glob("videos/*.mp4")) and time.monotonic() < deadline:
        time.sleep(0.02)
    process.kill()
    process.wait()
    assert not (directory / "annotations.csv").exists()
    simulate(directory, patients=2, seed=1, **SMALL)
    assert len(read_recording_set(directory).recordings) == 2
    assert not list((directory / "videos").glob(".*"))


@pytest.mark.slow
def test_two_workers_write_the_same_tables(simulated: Path, tmp_path: Path) -> None:
    simulate(tmp_path / "two", patients=3, seed=4, workers=2, **SMALL)
    assert (tmp_path / "two" / "annotations.csv").read_bytes() == (simulated / "annotations.csv").read_bytes()
    assert len(list((tmp_path / "two" / "videos").glob("*.mp4"))) == 3


def test_a_patient_keeps_the_look_and_does_not_depend_on_how_many_there_are() -> None:
    few = writing.plan(writing.Settings(2, 9, 2))
    many = writing.plan(writing.Settings(5, 9, 2))
    assert few == many[:4]
    assert few[0].script.look == few[1].script.look
    assert few[0].script.look != few[2].script.look


def test_groans_and_speech_are_heard_where_the_script_says_so() -> None:
    checked = set()
    for seed in range(60):
        rng = np.random.default_rng(seed)
        script = draw_script(rng, 40.0, draw_look(rng))
        sound = soundtrack(script)
        assert len(sound) == 40 * RATE
        assert np.abs(sound).max() <= 1
        voiced = script.of("address", "verbal_responsiveness", "ictal_vocalization", "talk")
        loud = np.sqrt(np.convolve(sound.astype(float) ** 2, np.full(800, 1 / 800), "same"))[::800]
        clock = np.arange(len(loud)) * 800 / RATE
        quiet = np.ones(len(loud), bool)
        for event in voiced:
            inside = (clock >= event.onset_s) & (clock <= event.offset_s)
            assert loud[inside].max() > 0.05, event
            quiet &= ~((clock >= event.onset_s - 0.1) & (clock <= event.offset_s + 0.15))
            checked.add(event.feature)
        assert loud[quiet].max() < 0.05
        if len(checked) == 4:
            return
    raise AssertionError(f"only {checked} were drawn")


def test_a_question_has_words_and_a_groan_has_none() -> None:
    rng = np.random.default_rng(1)
    scripts = [draw_script(rng, 40.0, draw_look(rng)) for _ in range(40)]
    words = [spoken(e) for s in scripts for e in s.of("address")]
    assert words
    assert all(words)
    assert {spoken(e) is None for s in scripts for e in s.of("ictal_vocalization")} == {True, False}


def test_a_voice_has_the_asked_pitch_and_length() -> None:
    rng = np.random.default_rng(0)
    sound = say("aaaa", 1.0, 120.0, rng, rise=0.0)
    assert len(sound) == pytest.approx(RATE, abs=400)
    assert np.abs(sound).max() == pytest.approx(1)
    middle = sound[4000:8000]
    lags = np.correlate(middle, middle, "full")[len(middle) - 1 :]
    period = 60 + int(lags[60:300].argmax())
    assert RATE / period == pytest.approx(120, rel=0.12)
    assert len(groan(1.5, 120.0, rng)) == pytest.approx(1.5 * RATE, abs=400)
