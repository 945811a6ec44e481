"""Answers about patients are not uploaded unless the user says so."""

from __future__ import annotations

import sys
from types import SimpleNamespace

import pytest
from lmms_eval.loggers import EvaluationTracker

from semiology.harness import preflight
from semiology.privacy.remote_models import RemoteError, check_uploads


@pytest.fixture(autouse=True)
def _nothing_allowed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SEMIOLOGY_ALLOW_REMOTE", raising=False)
    for package in ("wandb", "swanlab"):
        monkeypatch.setitem(sys.modules, package, SimpleNamespace(run=None))


def test_a_tracker_that_keeps_everything_here_is_fine(tmp_path: object) -> None:
    check_uploads(None)
    check_uploads(EvaluationTracker(output_path=str(tmp_path)))


@pytest.mark.parametrize("kind", ["results", "samples"])
def test_the_hub_is_refused_before_anything_is_asked(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    tracker = EvaluationTracker(output_path="out")
    setattr(tracker, f"push_{kind}_to_hub", True)
    with pytest.raises(RemoteError, match=f"{kind} to the Hugging Face hub"):
        preflight.prepare_run(
            {"tasks": ["semiology_tonic"], "model": "semiology_constant", "evaluation_tracker": tracker}
        )
    monkeypatch.setenv("SEMIOLOGY_ALLOW_REMOTE", "1")
    check_uploads(tracker)


@pytest.mark.parametrize(
    ("package", "run", "refused"),
    [
        ("wandb", SimpleNamespace(run=SimpleNamespace(settings=SimpleNamespace(mode="online"))), True),
        ("wandb", SimpleNamespace(run=SimpleNamespace(settings=SimpleNamespace(mode="offline"))), False),
        ("swanlab", SimpleNamespace(get_run=lambda: SimpleNamespace(mode="cloud")), True),
        ("swanlab", SimpleNamespace(get_run=lambda: SimpleNamespace(mode="local")), False),
        ("swanlab", SimpleNamespace(get_run=lambda: None), False),
    ],
)
def test_tracking_services_are_refused_unless_they_are_offline(
    package: str, run: SimpleNamespace, refused: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, package, run)
    if not refused:
        check_uploads(None)
        return
    with pytest.raises(RemoteError, match=f"service of {package}"):
        check_uploads(None)
