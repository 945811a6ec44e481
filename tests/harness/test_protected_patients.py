"""No command opens, asks or trains on a patient it was not given: the real commands, watched from outside.

Films are watched by the kernel (inotify), so that whatever opens one is seen, whichever library it is; questions are
seen by the model that is asked.
"""

from __future__ import annotations

import contextlib
import ctypes
import hashlib
import json
import os
import shutil
import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from lmms_eval.api.instance import GenerationResult

from semiology import cli
from semiology.backends.constant import ConstantAnswer
from semiology.data.protection.ledger import LEDGER
from semiology.harness import console_script

IN_OPEN = 0x20
SPLITS = {
    "train": ("P00", "P01", "P02", "P03"),
    "dev": ("P04", "P05", "P06", "P07"),
    "test": ("P08", "P09", "P10", "P11"),
    "confirm": ("P12", "P13", "P14"),
}
SPELLED = {"train": "Train", "dev": "development", "test": "TEST", "confirm": "Confirm"}
MODEL = ("--model", "semiology_constant", "--model-args", "build_messages=True")
TASK = ("--tasks", "semiology_tonic")


def split_of(video: str) -> str:
    return next(split for split, patients in SPLITS.items() if video.partition("_")[0] in patients)


@dataclass
class Watched:
    """A set, what was asked about it (video, question, whether the ledger was there), and which films were opened."""

    data: Path
    asked: list[tuple[str, str, bool]] = field(default_factory=list)
    _handle: int = -1
    _names: dict[int, str] = field(default_factory=dict)

    def videos(self) -> set[str]:
        return {video for video, _, _ in self.asked}

    def splits_asked(self) -> set[str]:
        return {split_of(video) for video in self.videos()}

    def splits_opened(self) -> set[str]:
        """The splits of the films that were opened since the last call."""
        found = set()
        with contextlib.suppress(BlockingIOError):
            while events := os.read(self._handle, 65536):
                while events:
                    watch, _, _, length = struct.unpack_from("iIII", events)
                    found.add(split_of(self._names[watch]))
                    events = events[16 + length :]
        return found

    def ledger(self) -> list[dict[str, Any]]:
        path = self.data / LEDGER
        return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []

    def forget(self) -> None:
        self.asked.clear()
        self.splits_opened()


@pytest.fixture
def watched(original_set: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Watched]:
    """Fifteen patients in four splits; the last of each split has two recordings, and names its split once."""
    for name in ("DATA", "WINDOW", "PROMPT", "SPLIT", "ONLY", "SWEEP_PROMPTS"):
        monkeypatch.setenv(f"SEMIOLOGY_{name}", "")
        monkeypatch.delenv(f"SEMIOLOGY_{name}")
    monkeypatch.setenv("SEMIOLOGY_CACHE", str(tmp_path / "cache"))
    data = tmp_path / "ward"
    (data / "videos").mkdir(parents=True)
    rows, marks = ["video_id,patient_id,video,split"], ["video_id,feature,present"]
    for split, patients in SPLITS.items():
        for number, patient in enumerate(patients):
            for take in range(2 if patient == patients[-1] else 1):
                name = f"{patient}_V{take}"
                path = data / "videos" / f"{name}.mp4"
                shutil.copy(original_set / "videos" / "B1.mp4", path)
                # Another content, or an answer would be known from another film; another size, or the check that no
                # film stands under two patients would compare bytes.
                filling = name.encode() + bytes(len(rows))
                with path.open("ab") as stream:
                    stream.write(struct.pack(">I4s", 8 + len(filling), b"free") + filling)
                rows.append(f"{name},{patient},videos/{name}.mp4,{SPELLED[split] if take == 0 else ''}")
                marks.append(f"{name},tonic,{'yes' if number % 2 else 'no'}")
                marks.append(f"{name},clonic,{'yes' if number % 2 == 0 else 'no'}")
    (data / "recordings.csv").write_text("\n".join(rows) + "\n")
    (data / "annotations.csv").write_text("\n".join(marks) + "\n")
    (data / "dataset.yaml").write_text("name: ward\nversion: '1'\nsource: drawn for a test\n")
    libc = ctypes.CDLL(None, use_errno=True)
    handle = libc.inotify_init1(os.O_NONBLOCK)
    if handle < 0:
        pytest.skip("this machine gives no inotify instance, so nobody can watch the films")
    this = Watched(data, _handle=handle)
    for path in (data / "videos").iterdir():
        watch = libc.inotify_add_watch(handle, os.fsencode(path), IN_OPEN)
        assert watch >= 0
        this._names[watch] = path.stem

    def answer(model: ConstantAnswer, requests: list[Any]) -> list[GenerationResult]:
        replies = []
        for request in requests:
            _, messages, _, number, task, split = request.args
            document = model.task_dict[task][split][number]
            messages(document)
            question = str(document["question"])
            this.asked.append((document["video_id"], question, bool(this.ledger())))
            drawn = hashlib.sha256(f"{document['video_id']}{question}".encode()).digest()[0]
            replies.append(GenerationResult(text="Yes." if drawn % 2 else "No."))
        return replies

    monkeypatch.setattr(ConstantAnswer, "generate_until", answer)
    yield this
    os.close(handle)


Call = Callable[..., Any]


def semiology(call: Call, *words: object) -> Any:
    done = call(cli.main, "semiology", *map(str, words))
    assert done.returncode == 0, done.stdout[-1500:] + done.stderr[-3000:]
    return done


def test_a_run_leaves_the_confirm_patients_alone_unless_they_are_named(
    watched: Watched, tmp_path: Path, command_here: Call
) -> None:
    done = semiology(command_here, "run", *MODEL, *TASK, "--data", watched.data, "--out", tmp_path / "one")
    assert watched.splits_opened() == watched.splits_asked() == {"train", "dev", "test"}
    assert len(watched.videos()) == 15
    assert "4 recordings of the split confirm left out" in done.stderr
    summary = (tmp_path / "one" / "report" / "summary.md").read_text()
    assert "The 4 test patients were opened once, now" in summary
    assert [entry["command"] for entry in watched.ledger()] == ["run", "report"]
    assert all(set(entry["patients"]) == {"test"} for entry in watched.ledger())
    watched.forget()
    out = tmp_path / "two"
    done = semiology(
        command_here, "run", *MODEL, *TASK, "--data", watched.data, "--out", out, "--split", "confirm"
    )
    assert watched.splits_opened() == watched.splits_asked() == {"confirm"}
    assert "P14_V1" in watched.videos()  # its own cell is empty; its patient is protected
    assert "4 recordings of the split confirm opened" in done.stderr
    summary = (out / "report" / "summary.md").read_text()
    assert "The 3 confirm patients were opened once, now" in summary
    assert "4 recordings of the split confirm: each look confirms less" in summary
    assert json.loads((out / "semiology_run.json").read_text())["split"] == "confirm"


def test_lmms_evals_own_command_leaves_them_alone_too(
    watched: Watched, tmp_path: Path, command_here: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = ["--model", "semiology_constant", "--tasks", "semiology_tonic", "--log_samples"]
    monkeypatch.setenv("SEMIOLOGY_DATA", str(watched.data))
    done = command_here(console_script.main, "lmms_eval", *words, "--output_path", str(tmp_path / "runs"))
    assert done.returncode == 0, done.stderr[-3000:]
    assert watched.splits_opened() == watched.splits_asked() == {"train", "dev", "test"}
    assert [entry["command"] for entry in watched.ledger()] == ["lmms_eval"]
    monkeypatch.setenv("SEMIOLOGY_SPLIT", "Training")
    watched.forget()
    done = command_here(console_script.main, "lmms_eval", *words, "--output_path", str(tmp_path / "more"))
    assert done.returncode == 0, done.stderr[-3000:]
    assert watched.splits_opened() <= watched.splits_asked() == {"train"}
    assert len(watched.ledger()) == 1


def test_a_sweep_leaves_them_alone_and_is_a_look_at_the_test(
    watched: Watched, tmp_path: Path, command_here: Call
) -> None:
    words = ("sweep", *MODEL, "--data", watched.data, "--features", "tonic", "--yes")
    done = semiology(command_here, *words, "--prompts", "s3,minimal", "--out", tmp_path / "sweep")
    assert watched.splits_opened() == watched.splits_asked() == {"train", "dev", "test"}
    assert "4 recordings of the split confirm left out" in done.stdout
    assert "The 4 test patients were opened once, now (1 different: 1 by sweep)" in done.stderr
    watched.forget()
    more = ("--prompts", "s3,negated", "--split", "develop", "--out", tmp_path / "developed")
    semiology(command_here, *words, *more)
    assert watched.splits_opened() <= watched.splits_asked() == {"train", "dev"}
    assert [entry["command"] for entry in watched.ledger()] == ["sweep"]


def search(call: Call, watched: Watched, out: Path, *more: object) -> dict[str, Any]:
    watched.forget()
    given = ("--features", "tonic,clonic", "--budget", 12, "--begin-with", "role", "--seeds", "none")
    done = semiology(call, "optimize", *MODEL, "--data", watched.data, "--out", out, *given, "--json", *more)
    found: dict[str, Any] = json.loads(done.stdout[done.stdout.index("{") :])
    return found


def with_folds(data: Path) -> None:
    """Give every patient a fold, those of the test and confirm splits too, as a published table does."""
    head, *rows = (data / "recordings.csv").read_text().splitlines()
    folds = [f"{row},{int(row[1:3]) % 3}" for row in rows]
    (data / "recordings.csv").write_text("\n".join([f"{head},fold", *folds]) + "\n")


@pytest.mark.parametrize("folds", ["none", "drawn", "carried by all"])
def test_a_search_trains_on_no_protected_patient_and_asks_the_test_last(
    folds: str, watched: Watched, tmp_path: Path, command_here: Call
) -> None:
    if folds == "drawn":
        done = semiology(command_here, "data", "folds", watched.data, "--folds", 3)
        assert "4 patients of the split test got no fold" in done.stdout
        assert "3 patients of the split confirm got no fold" in done.stdout
    elif folds == "carried by all":
        with_folds(watched.data)
    found = search(command_here, watched, tmp_path / "out")
    assert watched.splits_opened() == watched.splits_asked() == {"train", "dev", "test"}
    assert "split 'test'; split 'dev'" in found["parts"]
    questions = {(video, text) for video, text, _ in watched.asked}
    tested = {text for video, text in questions if split_of(video) == "test"}
    assert len(tested) <= 4  # the first and the chosen wording of two features
    assert all(entered for video, _, entered in watched.asked if split_of(video) == "test")
    assert not any(entered for video, _, entered in watched.asked if split_of(video) == "train")
    for result in found["results"]:
        lineage = json.loads((tmp_path / "out" / result["feature"] / "lineage.json").read_text())
        assert "P12" not in json.dumps(lineage)
    test, came = watched.ledger()
    assert test["command"] == "optimize"
    assert set(test["patients"]) == {"test"}
    assert len(test["patients"]["test"]) == 4
    assert test["chosen"]["wordings"] == {
        each["feature"]: [each["begun_text"], each["chosen"]] for each in found["results"]
    }
    assert came["of"] == test["look"]
    assert set(came["found"]) == {"tonic", "clonic"}


@pytest.mark.slow
def test_searches_on_one_test_are_counted_and_corrected(
    watched: Watched, tmp_path: Path, command_here: Call
) -> None:
    first = search(command_here, watched, tmp_path / "0", "--seed", 0)
    alone = {each["feature"]: each["test_corrected"] for each in first["results"]}
    assert {each["comparisons"] for each in alone.values()} == {2}  # two features of one search
    for each in first["results"]:
        p = sorted(other["test"]["p_value"]["f1"] for other in first["results"])
        own = each["test"]["p_value"]["f1"]
        adjusted = min(1.0, 2 * p[0]) if own == p[0] else min(1.0, max(2 * p[0], own))
        assert each["test_corrected"]["p_adjusted"]["f1"] == pytest.approx(adjusted)
    again = search(command_here, watched, tmp_path / "0", "--seed", 0)  # the same search, shown again
    assert [each["test_corrected"] for each in again["results"]] == list(alone.values())
    assert not watched.asked
    later = [search(command_here, watched, tmp_path / str(seed), "--seed", seed) for seed in (1, 2)][-1]
    notes = " ".join(later["notes"])
    assert "were opened 3 times, this one included (3 different: 3 by optimize)" in notes
    compared = {
        (each["feature"], each["chosen"])
        for seed in "012"
        for each in json.loads((tmp_path / seed / "summary.json").read_text())["results"]
    }
    for each in later["results"]:
        assert each["test_corrected"]["comparisons"] == len(compared)
        assert each["test_corrected"]["searches"] == 3
        assert each["test_corrected"]["p_adjusted"]["f1"] >= each["test"]["p_value"]["f1"]
    if any(each["test_corrected"]["best_gain"] is not None for each in later["results"]):
        assert "best of 3, corrected" in notes
    assert f"corrected (Holm) for {len(compared)} comparisons" in notes


def test_the_seed_of_a_search_draws_no_other_test_patients(
    watched: Watched, tmp_path: Path, command_here: Call
) -> None:
    rows = (watched.data / "recordings.csv").read_text().splitlines()
    bare = [",".join([*row.split(",")[:3]]) for row in rows]
    (watched.data / "recordings.csv").write_text("\n".join(bare) + "\n")
    for seed in (0, 1):
        search(command_here, watched, tmp_path / str(seed), "--seed", seed)
    first, second = (entry for entry in watched.ledger() if "of" not in entry)
    assert first["patients"] == second["patients"]
    assert first["look"] != second["look"]


def test_a_named_test_fold_is_refused_where_the_split_names_the_test(
    watched: Watched, tmp_path: Path, command_here: Call
) -> None:
    with_folds(watched.data)
    words = ("optimize", *MODEL, "--data", str(watched.data), "--features", "tonic", "--test-fold", "1")
    done = command_here(cli.main, "semiology", *words, "--out", str(tmp_path / "out"))
    assert done.returncode == 2
    assert "folds never overrule a split" in done.stderr
    assert not watched.asked


def test_scores_of_confirm_patients_are_told_and_entered_wherever_they_are_read(
    watched: Watched, tmp_path: Path, command_here: Call
) -> None:
    for prompt in ("s3", "minimal"):
        out = tmp_path / prompt
        words = ("run", *MODEL, *TASK, "--data", watched.data, "--out", out, "--prompt", prompt)
        done = semiology(command_here, *words, "--split", "all")
        assert "4 recordings of the split confirm opened" in done.stderr
    runs = [tmp_path / "s3", tmp_path / "minimal"]
    before = len(watched.ledger())
    semiology(command_here, "report", runs[0], "--out", tmp_path / "plain", "--data", watched.data)
    told = (tmp_path / "plain" / "summary.md").read_text()
    assert "4 recordings of the split confirm left out" in told
    assert "| 15 |" in told or "15 recordings" in told
    (entry,) = watched.ledger()[before:]
    assert (entry["command"], set(entry["patients"])) == ("report", {"test"})
    semiology(command_here, "report", runs[0], "--out", tmp_path / "bare")
    assert "4 recordings of the split confirm: each look" in (tmp_path / "bare" / "summary.md").read_text()
    done = semiology(command_here, "compare", *runs, "--data", watched.data)
    assert "Both answered 15 recordings" in done.stdout
    assert "The 4 test patients were opened 4 times" in done.stdout
    done = semiology(command_here, "compare", *runs, "--data", watched.data, "--split", "confirm")
    assert "Both answered 4 recordings" in done.stdout
    assert "The 3 confirm patients were opened 3 times" in done.stdout
    assert watched.ledger()[-1]["chosen"]["first"] != watched.ledger()[-1]["chosen"]["second"]
