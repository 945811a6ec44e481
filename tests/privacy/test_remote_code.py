"""Code from checkpoints does not run, and torchvision loads beside any PyTorch."""

from __future__ import annotations

import pytest


def test_trust_remote_code_is_ignored_even_when_a_model_class_sets_it() -> None:
    from transformers.models.auto import auto_factory

    from semiology.privacy.remote_code import refuse_remote_code

    assert refuse_remote_code()
    assert refuse_remote_code()
    resolve = auto_factory.resolve_trust_remote_code
    with pytest.raises(ValueError, match="trust_remote_code=True"):
        resolve(True, "some/model", has_local_code=False, has_remote_code=True)
    assert resolve(True, "some/model", has_local_code=True, has_remote_code=True) is False


def test_the_user_can_allow_code_from_checkpoints(monkeypatch: pytest.MonkeyPatch) -> None:
    from semiology.privacy.remote_code import refuse_remote_code

    monkeypatch.setenv("SEMIOLOGY_TRUST_REMOTE_CODE", "1")
    assert refuse_remote_code() is False


def test_torchvision_loads() -> None:
    import torch
    import torchvision  # fails where its operators are not known to this PyTorch

    assert "nms" in str(torch.ops.torchvision.nms)
    assert torchvision.ops.nms is not None
