"""The examples of CONTRIBUTING.md work as they are written: a new feature and a new enhancement, in a copy.

The copy of the package gets the files and lines of the examples and nothing else; then the commands of a whole
study run on it, in a process of its own.
"""

from __future__ import annotations

import csv
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
NEW, PLAIN, ENHANCED = "nose_wiping", "semiology_nose_wiping", "grey_semiology_nose_wiping"
LEFT_OUT = (
    ".*",
    "tests",
    "docs",
    "benchmarks",
    "tools",
    "build",
    "dist",
    "*.egg-info",
    "__pycache__",
    "demo_output",
)
DRIVER = """
import json, os, sys, traceback
from pathlib import Path
from typer.testing import CliRunner
from semiology.cli import app
import semiology
found = {"package": semiology.__file__}
for name, arguments in json.loads(Path("commands.json").read_text()).items():
    done = CliRunner().invoke(app, arguments)
    told = "".join(traceback.format_exception(done.exception)) if done.exit_code else ""
    found[name] = {"status": done.exit_code, "output": done.output + told}
from lmms_eval.tasks import TaskManager
from semiology.harness.plugin import add_tasks
add_tasks()
os.environ["SEMIOLOGY_ONLY"] = "1"
found["index"] = sorted(TaskManager().task_index)
from semiology.data.simulated.script.sentences import not_drawn_sentence
found["simulator"] = not_drawn_sentence()
Path("found.json").write_text(json.dumps(found))
"""


def examples() -> dict[str, str]:
    """Return the code blocks of CONTRIBUTING.md that name a file, by that file."""
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    blocks = re.findall(r"```(?:yaml|python)\n# (\S+)\n(.*?)```", text, flags=re.DOTALL)
    return dict(blocks)


def copied_package(folder: Path) -> Path:
    """Copy the package and follow CONTRIBUTING.md in the copy; return the folder for PYTHONPATH."""
    package = folder / "semiology"
    shutil.copytree(ROOT, package, ignore=shutil.ignore_patterns(*LEFT_OUT))
    for name, text in examples().items():
        file = package / name
        if name == "features.py":
            neighbour = '    Feature("blank_stare"'  # the first feature of the next group
            file.write_text(file.read_text().replace(neighbour, text + neighbour))
        elif name == "enhancements/registry.py":
            last = re.search(r'^        StepRecord\("transcript".*\n', file.read_text(), re.MULTILINE)
            assert last is not None
            file.write_text(file.read_text().replace(last[0], last[0] + text))
        else:
            assert not file.exists()
            file.write_text(text)
    return folder


def commands(data: Path) -> dict[str, list[str]]:
    """Return a small study of the new feature, command by command."""
    model = ["--model", "semiology_constant", "--data", str(data)]
    answer = ["--model-args", "answer=yes,build_messages=False"]
    plain, grey = ["run", *model, *answer, "--tasks"], ["--out", "grey"]
    return {
        "check": ["data", "check", str(data)],
        "run": [*plain, PLAIN, "--out", "plain"],
        "enhance": ["enhance", str(data), "--with", "grey"],
        "enhanced run": [*plain, ENHANCED, *grey],
        "sweep": ["sweep", *model, *answer, "--out", "swept", "--features", NEW, "--enhancements", "none,grey",
                  "--prompts", "s3,minimal", "--yes", "--no-probe"],
        "report": ["report", "plain", "grey", "--out", "report", "--resamples", "100"],
        "compare": ["compare", "plain", "always-no", "--flips", "100"],
        "enhancement": ["compare", "--base", "plain", "--enhanced", "grey", "--flips", "100"],
        "leaderboard": ["leaderboard", "export", "plain", "grey", "--out", "board.json", "--internal"],
    }  # fmt: skip


@pytest.fixture(scope="module")
def study(original_set: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    """Run the study once; return its folder and what the commands said."""
    folder = tmp_path_factory.mktemp("study")
    data = folder / "set"
    shutil.copytree(original_set, data)
    with (data / "annotations.csv").open("a", newline="") as stream:
        csv.writer(stream).writerows(
            [[name, NEW, "yes" if name != "B1" else "no"] for name in ("A1", "A2", "B1")]
        )
    (folder / "commands.json").write_text(json.dumps(commands(data)))
    kept = {name: value for name, value in os.environ.items() if not name.startswith("SEMIOLOGY_")}
    environment = kept | {
        "PYTHONPATH": str(copied_package(folder / "copy")),
        "SEMIOLOGY_CACHE": str(folder / "cache"),
        "HF_HUB_OFFLINE": "1",
    }
    subprocess.run(
        [sys.executable, "-c", DRIVER],
        cwd=folder,
        env=environment,
        check=True,
        timeout=900,
        capture_output=True,
    )
    found: dict[str, Any] = json.loads((folder / "found.json").read_text())
    assert found["package"] == str(folder / "copy" / "semiology" / "__init__.py")
    return folder, found


@pytest.mark.parametrize("command", commands(Path()))
def test_every_command_of_a_study_knows_them(command: str, study: tuple[Path, dict[str, Any]]) -> None:
    done = study[1][command]
    assert done["status"] == 0, done["output"]


def test_lmms_eval_knows_their_tasks_and_groups(study: tuple[Path, dict[str, Any]]) -> None:
    names = set(study[1]["index"])
    assert {PLAIN, ENHANCED, f"sweep_{PLAIN}", f"pose_{PLAIN}", "grey_semiology"} <= names
    assert "grey_semiology_head_turning" in names
    assert "grey_semiology_ictal_vocalization" not in names


def test_the_tables_hold_the_feature_with_and_without_the_enhancement(
    study: tuple[Path, dict[str, Any]],
) -> None:
    folder, found = study
    with (folder / "report" / "summary.csv").open() as stream:
        rows = [row for row in csv.DictReader(stream) if NEW in row.values()]
    assert {row["enhancement"] for row in rows} == {"none", "grey"}
    # Always yes, where two of three recordings have it: precision 2/3, recall 1.
    assert all(float(row["f1"]) == pytest.approx(0.8, abs=0.001) for row in rows)
    assert NEW in found["compare"]["output"]
    assert "grey" in found["enhancement"]["output"]
    entries = json.loads((folder / "board.json").read_text())["entries"]
    assert {entry["protocol"]["enhancement"] for entry in entries} == {"none", "grey"}
    assert {row["feature"] for entry in entries for row in entry["features"]} == {NEW}


def test_what_cannot_follow_says_so(study: tuple[Path, dict[str, Any]]) -> None:
    assert NEW in study[1]["simulator"]
