"""The wordings of S3 tasks 3-7: as published, complete, and faults told."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from semiology.features import TIMED_FEATURES
from semiology.prompts import s3_library
from semiology.prompts.s3_library import check_task_file, fill, load_task_prompts
from semiology.tasks.s3.task_list import TASKS

PUBLISHED = Path(__file__).parents[3] / "shared" / "benchmark" / "published_prompts.yaml"
QUOTES = str.maketrans({"‘": "'", "’": "'", "“": '"', "”": '"', "…": "..."})
PRINTED = {
    "s3_head_turning_side": "task3_head_turning",
    "s3_arm_movement_side": "task3_arm_movement",
    "s3_onset_region": "task3_onset_body_part",
    "s3_sequence": "task5_sequence",
    "s3_report": "task6_report",
    "s3_diagnosis": "task7_video_only",
}


def printed() -> dict[str, str]:
    if not PUBLISHED.exists():
        pytest.skip("the published prompts are not at hand (../shared/benchmark)")
    return dict(yaml.safe_load(PUBLISHED.read_text(encoding="utf-8"))["tasks"])


@pytest.mark.parametrize(("task", "key"), PRINTED.items())
def test_the_reference_is_the_published_wording(task: str, key: str) -> None:
    assert load_task_prompts(task).prompt("s3").text == printed()[key].translate(QUOTES)


def test_start_and_end_are_the_halves_of_the_published_line() -> None:
    line = printed()["task4_seizure_start_end"].translate(QUOTES)
    assert load_task_prompts("s3_seizure_start").prompt("s3").text == line.replace("start/end", "start")
    assert load_task_prompts("s3_seizure_end").prompt("s3_table").text == line.replace("start/end", "end")


def test_the_published_wording_on_onsets_and_reports_is_completed_at_its_end() -> None:
    known = printed()
    onset = load_task_prompts("s3_onset_time").prompt("s3").text
    assert onset.startswith(known["task4_feature_start"])
    report = load_task_prompts("s3_diagnosis_with_report").prompt("s3").text
    assert report.startswith(known["task7_video_and_report"].translate(QUOTES))
    assert report.endswith("Seizure report: {report}")


def test_every_task_but_the_justification_has_wordings_of_its_kind() -> None:
    own = {name for name in s3_library._read() if name.startswith("s3_")}
    assert own == set(TASKS) - {"s3_justification"}
    assert all(load_task_prompts(name).answer == TASKS[name].answer for name in own)


def test_every_wording_on_onsets_describes_every_feature() -> None:
    for prompt in load_task_prompts("s3_onset_time").prompts:
        assert prompt.descriptions is not None
        assert set(prompt.descriptions) == set(TIMED_FEATURES)


def test_filling_leaves_json_braces_and_braces_of_values_alone() -> None:
    prompt = load_task_prompts("s3_onset_time").prompt("s3")
    text = fill(prompt, {"description": "does {this}."})
    assert "a patient does {this}. Output" in text
    assert text.endswith('{"timestamp": "MM:SS"}')
    with pytest.raises(KeyError):
        fill(prompt, {})


def test_an_unknown_wording_or_task_is_told_with_those_there_are() -> None:
    with pytest.raises(KeyError, match="it has s3, s3_repository"):
        load_task_prompts("s3_report").prompt("x")
    with pytest.raises(KeyError, match="s3_sequence"):
        load_task_prompts("s3_reports")


def entry(**changes: Any) -> dict[str, Any]:
    prompt = {"id": "s3", "text": "What is seen?", "provenance": "authored", "source": "a test"}
    return {"task": "s3_report", "answer": "report", "prompts": [{**prompt, **changes}]}


def test_a_right_file_has_no_faults() -> None:
    assert check_task_file(entry(), "s3_report.yaml") == []


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ({"task": "s3_report"}, "'answer' is missing"),
        (entry(text="“Seen?”"), "typographic quotes"),
        (entry(provenance="somebody"), "provenance: 'somebody' is unknown"),
        (entry(id="mine"), "the reference 's3'"),
        (entry(hint="x"), "unknown key 'hint'"),
        (entry(text="When {description}?"), "names one of the sets of descriptions"),
        ({**entry(), "answer": "essay"}, "answer: 'essay' is unknown"),
        ({**entry(), "task": "s3_sequence"}, "is not the name of the file"),
    ],
)
def test_a_fault_of_a_file_is_told(content: Any, told: str) -> None:
    assert any(told in str(problem) for problem in check_task_file(content, "s3_report.yaml"))
