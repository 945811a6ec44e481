"""The demo's last line is the headline as it is, brackets included."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from semiology.harness import demo as module


@pytest.mark.parametrize(
    "line",
    [
        "macro F1 (visual, 16 features): 0.79 [6 patients: interval in the table]; always-yes 0.40 (above always-yes)",
        "macro F1: 0.79 [not estimable]",
    ],
)
def test_the_last_line_keeps_its_brackets(
    line: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def nothing(*given: Any, **named: Any) -> Any:
        del given, named

    reports = "semiology.reports"
    for name in ("commands.report", "summary.features.summarise", "read.feature_answers.read_results"):
        monkeypatch.setattr(f"{reports}.{name}", nothing)
    monkeypatch.setattr(f"{reports}.summary.features.headline", lambda summary: line)
    monkeypatch.setattr(module, "_ask", lambda *given: tmp_path)
    module.demo(tmp_path / "out", tmp_path, 2, 0)
    assert capsys.readouterr().out.splitlines()[-1] == line
