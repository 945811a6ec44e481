"""The exact text of every question is on record: a changed byte is a changed experiment and must be meant."""

from __future__ import annotations

import difflib
from pathlib import Path

import pytest
import yaml

from semiology.features import FEATURES
from semiology.prompts.library import load_library, prompt_hash, render

SNAPSHOTS = Path(__file__).parent / "snapshots"
PUBLISHED = Path(__file__).parents[3] / "shared/benchmark/published_prompts.yaml"
ASCII_QUOTES = str.maketrans({"’": "'", "‘": "'", "“": '"', "”": '"'})
HOW_TO_ACCEPT = (
    "If this change of what models are asked is meant, accept it with "
    "`pytest tests/prompts --accept-prompt-drift` and commit the snapshot."
)


def rendered(feature: str) -> str:
    """Return all questions of a feature as the snapshot holds them."""
    prompts = load_library().feature(feature).prompts
    texts = {prompt.id: render(prompt) for prompt in prompts}
    record = {name: {"sha256": prompt_hash(text), "text": text} for name, text in texts.items()}
    return yaml.safe_dump(record, sort_keys=False, allow_unicode=True, width=10**6)


@pytest.fixture(autouse=True)
def no_extension(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SEMIOLOGY_PROMPTS", raising=False)


@pytest.mark.parametrize("feature", FEATURES)
def test_every_question_reads_as_recorded(feature: str, request: pytest.FixtureRequest) -> None:
    path = SNAPSHOTS / f"{feature}.yaml"
    now = rendered(feature)
    if request.config.getoption("--accept-prompt-drift", default=False):
        path.write_text(now, encoding="utf-8")
    recorded = path.read_text(encoding="utf-8") if path.exists() else ""
    diff = "\n".join(
        difflib.unified_diff(recorded.splitlines(), now.splitlines(), "recorded", "now", lineterm="")
    )
    assert now == recorded, f"the questions about {feature} have changed:\n{diff}\n{HOW_TO_ACCEPT}"


def test_there_is_no_snapshot_of_a_feature_that_no_longer_exists() -> None:
    assert {path.stem for path in SNAPSHOTS.glob("*.yaml")} == set(FEATURES)


def test_a_snapshot_holds_the_hash_of_its_own_text() -> None:
    for path in SNAPSHOTS.glob("*.yaml"):
        for name, entry in yaml.safe_load(path.read_text(encoding="utf-8")).items():
            assert entry["sha256"] == prompt_hash(entry["text"]), f"{path.stem}/{name}"


@pytest.mark.parametrize("feature", FEATURES)
def test_the_reference_question_is_the_published_one(feature: str) -> None:
    if not PUBLISHED.exists():
        pytest.skip(f"the published prompts are not at {PUBLISHED}")
    published = yaml.safe_load(PUBLISHED.read_text(encoding="utf-8"))["features"][feature]
    entry = load_library().feature(feature)
    assert render(entry.reference) == published["task1"].translate(ASCII_QUOTES)
    assert entry.group == published["group"]
    assert entry.questions == tuple(question.translate(ASCII_QUOTES) for question in published["questions"])
    assert entry.context == (published["context"] and published["context"].translate(ASCII_QUOTES))
    assert entry.importance == published["importance"].translate(ASCII_QUOTES)
    assert entry.citation == published["citation"].translate(ASCII_QUOTES)
