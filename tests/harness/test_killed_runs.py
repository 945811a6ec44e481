"""A killed ``semiology run`` goes on with any model class, asks nothing twice and gives the same answers."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from semiology import cli
from semiology.harness import asking

SMALL_GROUPS = (
    "import sys\n"
    "from semiology.harness import asking\n"
    "asking.REQUESTS_AT_ONCE = 1\n"
    "sys.argv[0] = 'semiology'\n"
    "from semiology.cli import main\n"
    "main()\n"
)
BACKEND = """
import json, os, pathlib, signal, sys
folder = pathlib.Path(__file__).parent
for line in sys.stdin:
    request = json.loads(line)
    with (folder / "asked.txt").open("a") as stream:
        stream.write(request["prompt"][:60].strip() + f"|{request['video']}|{request['start_s']}\\n")
    asked = len((folder / "asked.txt").read_text().splitlines())
    if asked == 6 and (folder / "kill").exists():
        os.kill(os.getppid(), signal.SIGKILL)
        break
    print(json.dumps({"id": request["id"], "text": "yes" if request["start_s"] == 0 else "no"}), flush=True)
"""


@pytest.fixture(autouse=True)
def environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("SEMIOLOGY_DATA", "SEMIOLOGY_WINDOW", "SEMIOLOGY_PROMPT", "SEMIOLOGY_ONLY"):
        monkeypatch.setenv(name, "")  # so that what a command sets is taken back
        monkeypatch.delenv(name)
    monkeypatch.setenv("SEMIOLOGY_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("SEMIOLOGY_QUIET", "1")


def answers(out: Path) -> dict[tuple[str, int], Any]:
    found = {}
    for path in out.rglob("*_samples_*.jsonl"):
        for line in path.open(encoding="utf-8"):
            sample = json.loads(line)
            found[path.name.rpartition("_samples_")[2], sample["doc_id"]] = (
                sample["semiology"], sample.get("token_counts")
            )  # fmt: skip
    return found


def test_a_command_that_answers_in_json_lines(simulated_set: Path, tmp_path: Path) -> None:
    script = tmp_path / "backend.py"
    script.write_text(BACKEND)
    journals = tmp_path / "cache/run_journals"

    def run(out: str) -> subprocess.CompletedProcess[str]:
        words = [
            "run", "--model", "semiology_jsonl", "--data", str(simulated_set), "--out", str(tmp_path / out),
            "--model-args", f"command={sys.executable} {script},in_flight=1", "--tasks",
            "semiology_tonic,semiology_clonic",
        ]  # fmt: skip
        return subprocess.run(
            [sys.executable, "-c", SMALL_GROUPS, *words], capture_output=True, text=True, check=False
        )

    (tmp_path / "kill").touch()
    assert run("out").returncode < 0
    (kept,) = journals.glob("*/answers-*.jsonl")
    assert len(kept.read_text().splitlines()) == 4  # two recordings of two segments, two features
    (tmp_path / "kill").unlink()
    done = run("out")
    assert done.returncode == 0, done.stderr[-2000:]
    asked = (tmp_path / "asked.txt").read_text().splitlines()
    assert len(asked) == 6 + 4
    assert len(set(asked)) == 8  # the two that were under way when the run was killed are asked again
    assert not list(journals.iterdir())  # all is answered: the next run asks afresh
    assert run("whole").returncode == 0
    assert len((tmp_path / "asked.txt").read_text().splitlines()) == 10 + 8
    assert answers(tmp_path / "out") == answers(tmp_path / "whole")


@pytest.mark.parametrize("model", ["embedded_audio", "semiology_constant"])
def test_classes_of_either_protocol(
    model: str,
    simulated_set: Path,
    tmp_path: Path,
    command_here: Callable[..., Any],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from semiology.backends.constant import ConstantAnswer
    from semiology.backends.qwen2_audio_cpu import Qwen2AudioOnCpu

    monkeypatch.setattr(asking, "REQUESTS_AT_ONCE", 1)
    kind = Qwen2AudioOnCpu if model == "embedded_audio" else ConstantAnswer
    original, calls, killed = kind.generate_until, [0], [True]

    def generate_until(lm: Any, requests: Sequence[Any]) -> Any:
        if killed[0] and calls[0]:
            raise KeyboardInterrupt
        calls[0] += len(requests)
        return original(lm, requests)

    monkeypatch.setattr(kind, "generate_until", generate_until)
    tasks = "semiology_ictal_vocalization,semiology_verbal_responsiveness"
    words = ["--model", model, "--tasks", tasks, "--data", str(simulated_set)]
    stopped = command_here(cli.main, "semiology", "run", *words, "--out", str(tmp_path / "out"))
    assert stopped.returncode not in (0, 2)
    assert calls == [4]  # the first recording: two segments, two features
    killed[0] = False
    for out, asked in (("out", 8), ("whole", 16)):
        done = command_here(cli.main, "semiology", "run", *words, "--out", str(tmp_path / out))
        assert done.returncode == 0, done.stderr[-2000:]
        assert calls == [asked]
    assert answers(tmp_path / "out") == answers(tmp_path / "whole")


def test_a_request_without_reply_is_asked_again(
    simulated_set: Path,
    tmp_path: Path,
    command_here: Callable[..., Any],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from semiology.backends.constant import ConstantAnswer
    from semiology.backends.journal import FAILED

    original, calls, broken = ConstantAnswer.generate_until, [0], [True]

    def generate_until(lm: Any, requests: Sequence[Any]) -> Any:
        calls[0] += len(requests)
        replies = original(lm, requests)
        if broken[0]:
            replies[0].text = f"{FAILED}: no server]"
        return replies

    monkeypatch.setattr(ConstantAnswer, "generate_until", generate_until)
    words = ["--model", "semiology_constant", "--tasks", "semiology_tonic", "--data", str(simulated_set)]
    done = command_here(cli.main, "semiology", "run", *words, "--out", str(tmp_path / "out"))
    assert done.returncode == 3
    assert "1 of 4 requests" in done.stderr
    broken[0] = False
    done = command_here(cli.main, "semiology", "run", *words, "--out", str(tmp_path / "out"))
    assert done.returncode == 0, done.stderr[-2000:]
    assert calls == [4 + 1]
