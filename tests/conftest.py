"""Fixtures that several folders share."""

from __future__ import annotations

import copy
import csv
import os
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import av
import numpy as np
import pytest
from hypothesis import settings

from semiology.features import FEATURES

# A busy machine is no defect: examples are judged by what they find, not by how long they take.
# Each run draws other examples; `pytest --hypothesis-profile=thorough` draws many at once.
settings.register_profile("semiology", deadline=None, max_examples=50)
settings.register_profile("thorough", deadline=None, max_examples=500)
settings.load_profile("semiology")


NARROW_FILMS = str(Path(__file__).parent / "narrow_films")
"""A decord that refuses the widths that it refuses on some processor: every test runs with it, on any machine."""

if NARROW_FILMS not in sys.path:
    sys.path.insert(0, NARROW_FILMS)
    os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, [NARROW_FILMS, os.environ.get("PYTHONPATH")]))

BROWSER = (
    "tests/reports/page/test_page_in_chromium.py",
    "tests/reports/page/test_charts_in_chromium.py",
    "tests/reports/review/test_page.py",
)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Give a file of tests to one process, and all that drive a browser to the same: it is started once."""
    if config.getoption("dist") != "loadfile":
        return None
    from xdist.scheduler import LoadFileScheduling

    class Files(LoadFileScheduling):
        def _split_scope(self, nodeid: str) -> str:
            file = super()._split_scope(nodeid)
            return "browser" if file in BROWSER else file

    return Files(config, log)


@pytest.fixture(scope="session")
def simulated_set(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two short simulated recordings of two patients."""
    from semiology.data.simulated import simulate

    folder = tmp_path_factory.mktemp("simulated")
    simulate(
        folder, patients=2, seed=5, recordings_per_patient=1, duration_s=(31.0, 33.0), size=(160, 120), fps=15
    )
    return folder


@pytest.fixture(scope="session")
def one_task_index() -> Iterator[None]:
    """Let lmms-eval read a folder of task files once in this process, not for each run: it takes seconds."""
    from lmms_eval.tasks import TaskManager

    read = TaskManager._get_task_and_group
    known: dict[str, Any] = {}

    def read_once(manager: TaskManager, folder: str) -> Any:
        if folder not in known:
            known[folder] = read(manager, folder)
        return copy.deepcopy(known[folder])  # a run may take tasks out of its index

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(TaskManager, "_get_task_and_group", read_once)
        yield


class Ended(NamedTuple):
    """How a command ended: its exit status, and what it wrote."""

    returncode: int
    stdout: str
    stderr: str


@pytest.fixture
def command_here(
    one_task_index: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> Callable[..., Ended]:
    """Call the entry point of a command in this process: ``command_here(main, "semiology", "run", …)``.

    A process of its own spends some ten seconds on loading lmms-eval and what it needs, here they are loaded
    once. That a command also works as a process is tested once for each. Its cache is a new one, and what it
    changes in the environment is taken back.
    """
    from semiology.harness.faulty_files import Unanswered

    monkeypatch.setenv("SEMIOLOGY_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(sys, "excepthook", sys.excepthook)  # Typer puts its own there

    def call(main: Callable[[], None], *words: str) -> Ended:
        monkeypatch.setattr(sys, "argv", list(words))
        monkeypatch.setattr(Unanswered, "count", 0)  # a process begins with none
        before = dict(os.environ)
        capfd.readouterr()
        status = 0
        try:
            main()
        except SystemExit as end:
            status = end.code if isinstance(end.code, int) else int(end.code is not None)
            if isinstance(end.code, str):
                sys.stderr.write(end.code)
        finally:
            os.environ.clear()
            os.environ.update(before)
            _forget_log()
        return Ended(status, *capfd.readouterr())

    return call


def _forget_log() -> None:
    """Take away the log's handlers: they write to a stream that is closed after the test."""
    from loguru import logger

    logger.remove()


DURATION_S = 70
FPS = 4
SIZE = (64, 48)
RECORDINGS = (("A1", "A"), ("A2", "A"), ("B1", "B"))
SILENT = "B1"


def write_video(path: Path, seconds: int = DURATION_S, sound: bool = True) -> None:
    """Write a flickering picture with a tone, ``FPS`` frames a second."""
    with av.open(str(path), "w") as container:
        video = container.add_stream("libx264", rate=FPS)
        video.width, video.height, video.pix_fmt = *SIZE, "yuv420p"
        audio = container.add_stream("aac", rate=16_000, layout="mono") if sound else None
        for index in range(seconds * FPS):
            picture = np.full((SIZE[1], SIZE[0], 3), (index * 7) % 255, np.uint8)
            for packet in video.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")):
                container.mux(packet)
        if audio is not None:
            for packet in _tone(audio, seconds):
                container.mux(packet)
        for packet in video.encode():
            container.mux(packet)


def _tone(stream: av.AudioStream, seconds: int) -> Iterator[av.Packet]:
    wave = (0.2 * np.sin(np.arange(seconds * 16_000) * 0.1)).astype(np.float32)
    for start in range(0, len(wave), 1024):
        frame = av.AudioFrame.from_ndarray(wave[None, start : start + 1024], format="fltp", layout="mono")
        frame.sample_rate, frame.pts = 16_000, start
        yield from stream.encode(frame)
    yield from stream.encode(None)


@pytest.fixture(scope="session")
def original_set(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("set")
    (folder / "videos").mkdir()
    for video_id, _ in RECORDINGS:
        write_video(folder / "videos" / f"{video_id}.mp4", sound=video_id != SILENT)
    with (folder / "recordings.csv").open("w", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(["video_id", "patient_id", "video"])
        writer.writerows([video_id, patient, f"videos/{video_id}.mp4"] for video_id, patient in RECORDINGS)
    with (folder / "annotations.csv").open("w", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(["video_id", "feature", "present"])
        for video_id, _ in RECORDINGS:
            writer.writerows([video_id, feature, "yes" if video_id == "A1" else "no"] for feature in FEATURES)
    (folder / "dataset.yaml").write_text("name: small\nversion: '1'\nsource: drawn for a test\n")
    return folder


@pytest.fixture
def small_set(original_set: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A private copy of the set, chosen as the active one, with a cache of its own."""
    folder = tmp_path / "set"
    shutil.copytree(original_set, folder)
    monkeypatch.setenv("SEMIOLOGY_DATA", str(folder))
    monkeypatch.setenv("SEMIOLOGY_CACHE", str(tmp_path / "cache"))
    for name in ("SEMIOLOGY_WINDOW", "SEMIOLOGY_PROMPT", "SEMIOLOGY_SOUND", "SEMIOLOGY_ONLY"):
        monkeypatch.setenv(name, "")  # so that what a test sets is taken back, then
        monkeypatch.delenv(name)
    return folder
