from __future__ import annotations

import json
from collections import Counter
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from semiology.data.problems import SettingsError
from semiology.prompts.library import load_library
from semiology.tasks import documents


def rows(feature: str, prefix: str = "sweep_semiology_") -> list[dict[str, Any]]:
    table = documents.questions(prefix + feature)["data_files"]["test"]
    return [json.loads(line) for line in Path(table).open()]


def test_the_same_segments_are_asked_under_every_wording(small_set: Path) -> None:
    single = [(row["video_id"], row["segment"], row["start_s"], row["end_s"]) for row in rows("tonic", "")]
    by_wording: dict[str, list[tuple[Any, ...]]] = {}
    for row in rows("tonic"):
        window = (row["video_id"], row["segment"], row["start_s"], row["end_s"])
        by_wording.setdefault(row["prompt_id"], []).append(window)
    assert set(by_wording) == {prompt.id for prompt in load_library().feature("tonic").prompts}
    assert all(windows == single for windows in by_wording.values())


def test_the_reference_rows_are_those_of_the_single_task(small_set: Path) -> None:
    reference = [row for row in rows("tonic") if row["prompt_id"] == "s3"]
    for row in reference:
        assert (row.pop("family"), row.pop("answer_format")) == ("definition", "own")
        assert row.pop("provenance") == "epileptologist"
    assert reference == rows("tonic", "")


def test_questions_about_one_segment_stand_together(small_set: Path) -> None:
    windows = [(row["video_id"], row["segment"]) for row in rows("tonic")]
    changes = sum(a != b for a, b in pairwise(windows))
    assert changes == len(set(windows)) - 1
    assert set(Counter(windows).values()) == {len(load_library().feature("tonic").prompts)}


def test_the_choice_of_wordings_names_another_table(small_set: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    every = documents.questions("sweep_semiology_tonic")
    monkeypatch.setenv("SEMIOLOGY_SWEEP_PROMPTS", "s3,minimal")
    monkeypatch.setenv("SEMIOLOGY_SWEEP_FORMATS", "own,yes_no_json")
    assert documents.questions("sweep_semiology_tonic") != every
    asked = {(row["prompt_id"], row["answer_format"]) for row in rows("tonic")}
    assert asked == {(p, f) for p in ("s3", "minimal") for f in ("own", "yes_no_json")}


def test_the_description_lists_every_wording_by_hash(
    small_set: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SEMIOLOGY_PROMPT", "s3_context")  # of single tasks; tells a sweep nothing
    found = documents.description("sweep_semiology_arm_flexion")
    assert len(found["prompt"]) == len(load_library().feature("arm_flexion").prompts)
    assert {row["prompt_hash"] for row in rows("arm_flexion")} == {
        text.rsplit("/", 1)[1] for text in found["prompt"]
    }
    assert found["recordings"] == 3


def test_nothing_annotated_and_unknown_names_are_told(small_set: Path) -> None:
    table = small_set / "annotations.csv"
    table.write_text("".join(line for line in table.open() if ",tonic," not in line))
    with pytest.raises(SettingsError, match="leave sweep_semiology_tonic out"):
        documents.questions("sweep_semiology_tonic")
    with pytest.raises(AttributeError, match="did you mean 'tonic'"):
        documents.__getattr__("questions_about_tonik")
