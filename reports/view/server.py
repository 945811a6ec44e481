"""The viewer as an application: a list that renews itself, and the report of each run. For this machine alone."""

from __future__ import annotations

import hashlib
import subprocess
import sys
import threading
from dataclasses import asdict
from pathlib import Path
from typing import Any

from fastapi import HTTPException
from fastapi.responses import HTMLResponse, Response

from semiology.data.cache import cache_directory, private_folder
from semiology.reports.local.app import local_app
from semiology.reports.local.guard import Guard
from semiology.reports.view.runs import PAGE, Listed, listed

PAGES = {"": "view.html", "view.css": "view.css", "view.js": "view.js"}
FRAMING = "frame-ancestors 'none'"
"""Beside the policy that a report carries itself, which allows its own scripts by their hashes and nothing else."""


def view_app(root: Path, token: str, data: Path | None = None) -> Guard:
    """Return the viewer as an ASGI application.

    Args:
        root: folder with results, looked through anew for each list.
        token: first part of every address.
        data: recording set, for the times of features in the reports that are made.
    """
    app = local_app("semiology.reports.view", PAGES)
    one_at_a_time = threading.Lock()

    @app.get("/{token}/api/runs")
    def runs() -> dict[str, Any]:
        return {"folder": root.name, "runs": [_shown(each) for each in listed(root)]}

    @app.get("/{token}/report/{key}")
    def report_page(key: str) -> Response:
        run = next((each for each in listed(root) if each.key == key and each.state == "finished"), None)
        if run is None:
            raise HTTPException(404, "no such run; it may have been moved")
        with one_at_a_time:
            made = run.page or made_report(run, data)
        return HTMLResponse(made.read_bytes(), headers={"content-security-policy": FRAMING})

    return Guard(app, token)


def made_report(run: Listed, data: Path | None) -> Path:
    """Return the page of a run that has none yet; it is made once and kept in the cache.

    Raises:
        HTTPException: it cannot be made; the message says why.
    """
    state = "|".join(f"{file.name} {file.stat().st_mtime_ns}" for file in sorted(run.folder.glob("*.json*")))
    digest = hashlib.sha256(f"{run.folder.resolve()}|{data}|{state}".encode()).hexdigest()[:16]
    out = cache_directory() / "view" / digest
    if not (out / PAGE).is_file():
        private_folder(out.parent)
        words = [sys.executable, "-m", "semiology.cli", "report", str(run.folder), "--out", str(out)]
        words += ["--data", str(data)] if data else []
        done = subprocess.run(words, capture_output=True, text=True, check=False)  # noqa: S603
        if not (out / PAGE).is_file():
            raise HTTPException(500, done.stderr.strip()[-2000:] or "the report could not be made")
    return out / PAGE


def _shown(each: Listed) -> dict[str, Any]:
    told = asdict(each)
    return {
        **{name: told[name] for name in told if name not in ("folder", "page")},
        "has_page": each.page is not None,
    }
