"""Sweeps crossed with enhancements: every wording about the original and about the derived media."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from semiology.data.problems import SettingsError
from semiology.tasks import documents
from semiology.tasks.sweep import scores


def rows(feature: str) -> list[dict[str, object]]:
    table = documents.questions(f"sweep_semiology_{feature}")["data_files"]["test"]
    return [json.loads(line) for line in Path(table).open()]


@pytest.fixture(autouse=True)
def two_wordings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SEMIOLOGY_SWEEP_PROMPTS", "s3,negated")
    monkeypatch.setenv("SEMIOLOGY_SWEEP_ENHANCEMENTS", "none,pose")


def test_every_wording_is_asked_with_and_without(enhanced_set: Path) -> None:
    found = rows("tonic")
    asked = {
        name: [
            (row["video_id"], row["segment"], row["prompt_id"]) for row in found if row["enhancement"] == name
        ]
        for name in ("none", "pose")
    }
    assert asked["none"] == asked["pose"]
    assert len(asked["pose"]) == 9 * 2
    plain, pose = found[0], next(row for row in found if row["enhancement"] == "pose")
    assert plain["prompt_hash"] == pose["prompt_hash"]
    assert plain["video"] != pose["video"]
    assert (plain["enhancement_key"], plain["transcript_hash"]) == ("", "")
    assert pose["enhancement_key"]


def test_a_feature_for_which_it_is_not_meant_is_asked_without_it_alone(enhanced_set: Path) -> None:
    assert {row["enhancement"] for row in rows("blank_stare")} == {"none"}


def test_lmms_eval_figures_are_those_of_the_unenhanced_answers(enhanced_set: Path) -> None:
    replies = {"none": {"positive": "yes", "negative": "no"}, "pose": {"positive": "?", "negative": "?"}}
    items = [
        scores.process_results(row, [replies[str(row["enhancement"])][str(row["polarity"])]])
        for row in rows("tonic")
    ]
    assert {item["semiology"]["enhancement"] for item in items} == {"none", "pose"}
    assert all(
        bool(i["semiology"]["enhancement_key"]) == (i["semiology"]["enhancement"] == "pose") for i in items
    )
    assert scores.yes_rate([item["yes_rate"] for item in items]) == 1
    assert scores.unparsed_rate([item["unparsed_rate"] for item in items]) == 0


def test_media_that_are_not_made_yet_are_told(small_set: Path) -> None:
    with pytest.raises(SettingsError, match="semiology enhance"):
        documents.questions("sweep_semiology_tonic")
