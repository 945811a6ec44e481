"""Nothing is fetched from the model hub unless it is allowed, and every message says how to allow it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from typer import BadParameter

from semiology.judging.model_choice import JudgeChoiceError, checkpoint, lmms_eval_model
from semiology.metrics.s3.text.bertscore import BertSimilarity, EncoderError
from semiology.privacy.model_hub import hub_folder, only_from_here
from semiology.reports.options import chosen_similarity

ABSENT = "nobody/no-such-model"


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """A hub without a model: for each time that files were wanted, whether only this machine was searched."""
    calls: list[bool] = []

    def refuse(name: str, *, allow_patterns: list[str], local_files_only: bool) -> str:
        calls.append(local_files_only)
        raise OSError(f"{name} is not here")

    monkeypatch.setattr("huggingface_hub.snapshot_download", refuse)
    return calls


def test_the_hub_is_asked_only_where_download_is_allowed(asked: list[bool]) -> None:
    with pytest.raises(ValueError, match=r"nothing is downloaded unless asked for\) → add --allow-download"):
        hub_folder(ABSENT, ["*.json"], download=False)
    with pytest.raises(ValueError, match=r"the model hub gives no model of that name \(OSError\) → give"):
        hub_folder(ABSENT, ["*.json"], download=True)
    assert asked == [True, False]


def test_a_path_is_not_taken_for_a_name_of_the_hub(tmp_path: Path) -> None:
    with pytest.raises(
        ValueError, match=r"no such folder, and it is no name of the model hub → give the folder"
    ):
        hub_folder(str(tmp_path / "judge"), ["*.json"], download=False)


@pytest.mark.parametrize("download", [False, True])
def test_encoders_and_judges_ask_as_they_are_told(asked: list[bool], download: bool) -> None:
    with pytest.raises(EncoderError, match=ABSENT):
        BertSimilarity(ABSENT, download=download)
    with pytest.raises(EncoderError, match=ABSENT):
        chosen_similarity(ABSENT, None, download=download)
    with pytest.raises(JudgeChoiceError, match=f"--judge-checkpoint {ABSENT}"):
        checkpoint(ABSENT, download=download)
    assert asked == [not download] * 3


def test_a_download_needs_a_name() -> None:
    assert chosen_similarity(None, None, download=False) is None
    with pytest.raises(BadParameter, match="--bertscore-encoder"):
        chosen_similarity(None, None, download=True)


@pytest.mark.parametrize("given", [None, "0"])
def test_libraries_fetch_nothing_until_they_may_again(
    given: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    from huggingface_hub import constants
    from huggingface_hub.errors import OfflineModeIsEnabled
    from huggingface_hub.utils import get_session

    monkeypatch.setenv("HF_HUB_OFFLINE", "0")
    if given is None:
        monkeypatch.delenv("HF_HUB_OFFLINE")
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    with only_from_here(download=True):
        assert not constants.HF_HUB_OFFLINE
    with only_from_here():
        assert os.environ["HF_HUB_OFFLINE"] == "1"  # what child processes read
        with pytest.raises(OfflineModeIsEnabled):
            get_session().get("http://192.0.2.1/")  # an address of documentation
    assert os.environ.get("HF_HUB_OFFLINE") == given
    assert not constants.HF_HUB_OFFLINE


def test_an_lmms_eval_judge_loads_what_is_here_or_says_how_to_fetch_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The class asks transformers for a checkpoint that is not on this machine."""
    from huggingface_hub import constants

    seen: list[bool] = []

    def load(name: str, model_args: str, *, setting: str) -> object:
        seen.append(constants.HF_HUB_OFFLINE)
        raise OSError(f"{name} cannot load {model_args}")

    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    monkeypatch.setattr("semiology.harness.asking.load_model", load)
    with pytest.raises(JudgeChoiceError, match="unless --allow-download asks for it"):
        lmms_eval_model("vllm", f"model={ABSENT}")
    with pytest.raises(JudgeChoiceError, match=f"cannot load model={ABSENT}$"):
        lmms_eval_model("vllm", f"model={ABSENT}", download=True)
    assert seen == [True, False]
