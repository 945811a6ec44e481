"""Code from checkpoints does not run, and torchvision loads beside any PyTorch."""

from __future__ import annotations

import subprocess
import sys

import pytest

GUARDED = """
from semiology.remote_code import refuse_remote_code
from transformers.models.auto import auto_factory
print(refuse_remote_code(), refuse_remote_code())
try:
    auto_factory.resolve_trust_remote_code(True, "some/model", has_local_code=False, has_remote_code=True)
except ValueError as error:
    print("refused")
print(auto_factory.resolve_trust_remote_code(True, "some/model", has_local_code=True, has_remote_code=True))
"""


def test_trust_remote_code_is_ignored_even_when_a_model_class_sets_it() -> None:
    done = subprocess.run([sys.executable, "-c", GUARDED], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["True", "True", "refused", "False"]


def test_the_user_can_allow_code_from_checkpoints(monkeypatch: pytest.MonkeyPatch) -> None:
    from semiology.remote_code import refuse_remote_code

    monkeypatch.setenv("SEMIOLOGY_TRUST_REMOTE_CODE", "1")
    assert refuse_remote_code() is False


def test_torchvision_loads() -> None:
    code = "import torchvision, torch; print(torch.ops.torchvision.nms)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-1000:]
    assert "nms" in done.stdout
