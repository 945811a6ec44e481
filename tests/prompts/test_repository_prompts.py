"""What the public programs sent can be asked again, byte for byte."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from semiology.features import AUDIO_FEATURES, FEATURES
from semiology.prompts.library import load_library, render
from semiology.tasks.documents import choose_prompt

SENT = Path(__file__).parents[3] / "shared/benchmark/repository_prompts.yaml"
QWEN, AUDIO_FLAMINGO, INTERNVL = range(3)


@pytest.fixture(scope="module")
def sent() -> list[dict[str, Any]]:
    if not SENT.exists():
        pytest.skip(f"the published programs' texts are not at {SENT}")
    return list(yaml.safe_load(SENT.read_text(encoding="utf-8"))["sets"])


def test_every_wording_of_the_public_programs_reads_as_it_was_sent(sent: list[dict[str, Any]]) -> None:
    tails = sent[QWEN]["tails"]
    library = load_library()
    assert set(sent[QWEN]["stems"]) == set(FEATURES)
    for feature, stem in sent[QWEN]["stems"].items():
        prompt = library.feature(feature).prompt("s3_repository")
        assert render(prompt) == f"{stem} {tails['format_prompt_no_time']}", feature
        if prompt.separator is None:
            assert render(prompt, "s3_repository_time") == f"{stem} {tails['format_prompt_time']}", feature
    for number, name in ((INTERNVL, "s3_repository_internvl"), (AUDIO_FLAMINGO, "s3_repository_af3")):
        for feature, text in sent[number]["stems"].items():
            assert render(library.feature(feature).prompt(name)) == text, feature
        having = {each.feature for each in library if each.id == name}
        assert having == set(sent[number]["stems"])


@pytest.mark.parametrize("study", ["embc", "s3_repository"])
def test_the_wording_of_a_study_in_a_program_s_format_is_what_that_program_sent(
    study: str, sent: list[dict[str, Any]]
) -> None:
    tail = sent[QWEN]["tails"]["format_prompt_no_time"]
    for feature in (name for name in FEATURES if name not in AUDIO_FEATURES):
        chosen = {name: choose_prompt(feature, study, name) for name in ("embc_qwen", "embc_internvl")}
        assert render(chosen["embc_qwen"], "embc_qwen") == f"{sent[QWEN]['stems'][feature]} {tail}", feature
        assert render(chosen["embc_internvl"], "embc_internvl") == sent[INTERNVL]["stems"][feature], feature


def test_only_what_the_source_calls_so_is_by_epileptologists() -> None:
    found = {
        prompt.id: prompt.provenance for prompt in load_library() if prompt.id.startswith("s3_repository")
    }
    assert found == {
        "s3_repository": "epileptologist",
        "s3_repository_internvl": "epileptologist",
        "s3_repository_af3": "published",
    }
