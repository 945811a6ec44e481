"""The viewer: what it lists, who is let in, and that a report opens with its own policy."""

from __future__ import annotations

import json
import os
import sys
import time
import warnings
from pathlib import Path
from typing import Any

import pytest

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from starlette.testclient import TestClient

sys.path.insert(0, str(Path(__file__).parent.parent / "page"))
from report_examples import rows_of, write_run

from semiology.render.progress import STATUS_FILE, STATUS_OLD_S, RunProgress, status_kept
from semiology.reports.read.lmms_eval_files import ResultsError
from semiology.reports.view.runs import listed
from semiology.reports.view.server import view_app

TOKEN = "t" * 32
BASE = "http://127.0.0.1:8764"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A folder with a finished run."""
    return write_run(tmp_path / "runs", rows_of("tonic", skill=0.9, seed=0, videos=24), "lab/first")


def client(root: Path) -> TestClient:
    return TestClient(view_app(root, TOKEN), base_url=BASE)


def shown(root: Path) -> list[dict[str, Any]]:
    answer = client(root).get(f"/{TOKEN}/api/runs")
    assert answer.status_code == 200
    return list(answer.json()["runs"])


def test_a_finished_run_is_listed(root: Path) -> None:
    (run,) = shown(root)
    assert (run["state"], run["model"], run["tasks"], run["seconds"]) == ("finished", "lab/first", 1, 12.5)
    assert str(root) not in json.dumps(run)


def test_a_run_that_goes_on_is_followed_and_leaves_nothing_behind(root: Path) -> None:
    folder = root / "next"
    folder.mkdir()
    clock = iter(range(0, 1000, 5))
    with (
        status_kept(folder),
        RunProgress(10, 5, now=lambda: float(next(clock)), stream=sys.stderr) as progress,
    ):
        progress.answered(4, from_journal=True)
        progress.answered(2)
        progress.answered(1, failed=True)
        run = shown(root)[0]
        assert (run["state"], run["name"]) == ("running", "next")
        told = run["progress"]
        assert (told["answered"], told["questions"], told["failed"], told["from_journal"]) == (7, 10, 1, 4)
        assert told["remaining_s"] == pytest.approx(3 / told["rate"])
    assert not (folder / STATUS_FILE).exists()
    assert [run["state"] for run in shown(root)] == ["finished"]


def test_a_killed_run_is_told(root: Path) -> None:
    status = root / STATUS_FILE

    def killed() -> None:
        with status_kept(root):
            status.write_text(json.dumps({"answered": 1, "questions": 2}))
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        killed()
    old = time.time() - STATUS_OLD_S - 60
    os.utime(status, (old, old))
    run = shown(root)[0]
    assert run["state"] == "stopped"
    assert "the same command goes on" in run["note"]
    status.write_text("{")
    assert [run["state"] for run in shown(root)] == ["finished"]


def test_one_faulty_run_costs_itself(root: Path) -> None:
    other = write_run(root / "other", rows_of("tonic", skill=0.9, seed=0, videos=24), "lab/second")
    record = next(other.rglob("*_results.json"))
    content = json.loads(record.read_text()) | {
        "n-samples": {"semiology_tonic": {"original": 99, "effective": 99}}
    }
    record.write_text(json.dumps(content))
    states = {run["name"]: run["state"] for run in shown(root)}
    assert states == {"lab__first": "finished", "other/lab__second": "faulty"}


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ResultsError, match="there is no such folder"):
        listed(tmp_path / "nothing")


def test_nobody_else_gets_in(root: Path) -> None:
    with client(root) as made:
        assert made.get(f"/{TOKEN}/").status_code == 200
        assert made.get("/x/").status_code == 404
        assert made.get(f"/{TOKEN}/", headers={"host": "evil.example"}).status_code == 421
        assert made.get(f"/{TOKEN}/report/{'0' * 16}").status_code == 404
        assert made.get(f"/{TOKEN}/report/..%2f..%2fetc%2fpasswd").status_code == 404


def test_a_report_opens_with_its_own_policy(root: Path) -> None:
    """The page's scripts are allowed by its own policy; the viewer's would forbid them."""
    (run,) = shown(root)
    folder = root / "lab__first" / "report"
    folder.mkdir()
    (folder / "report.html").write_text("<!DOCTYPE html><title>made</title>")
    answer = client(root).get(f"/{TOKEN}/report/{run['key']}")
    assert answer.status_code == 200
    assert "made" in answer.text
    assert answer.headers["content-security-policy"] == "frame-ancestors 'none'"
    assert "default-src 'none'" in client(root).get(f"/{TOKEN}/").headers["content-security-policy"]


@pytest.mark.slow
def test_a_report_that_was_not_made_is_made_once(root: Path) -> None:
    (run,) = shown(root)
    first = client(root).get(f"/{TOKEN}/report/{run['key']}")
    assert first.status_code == 200, first.text
    assert "What the answers are worth" in first.text
    started = time.monotonic()
    assert client(root).get(f"/{TOKEN}/report/{run['key']}").text == first.text
    assert time.monotonic() - started < 2
