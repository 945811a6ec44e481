"""Merging the answers of windows: the published rules, and that no looping answer is a burden."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from semiology.metrics.s3.merge_windows import extract, merge_justifications, merge_reports, merge_sequences
from semiology.tasks.s3.merging import instructed

SIGNS = st.lists(st.sampled_from("abc"), max_size=6)


def by_definition(windows: list[list[str]]) -> list[str]:
    """Join by trying every length of the overlap, the longest first."""
    merged: list[str] = []
    for window in windows:
        lengths = range(min(len(merged), len(window)), 0, -1)
        overlap = next((k for k in lengths if merged[-k:] == window[:k]), 0)
        merged = merged + window[overlap:]
    return merged


@given(st.lists(SIGNS, max_size=5))
def test_sequences_are_joined_at_the_longest_overlap(windows: list[list[str]]) -> None:
    assert merge_sequences(windows) == by_definition(windows)


def test_an_overlap_is_written_once() -> None:
    assert merge_sequences([["tonic", "clonic"], ["clonic", "figure4"]]) == ["tonic", "clonic", "figure4"]


def test_looping_sequences_of_thousands_of_items_are_joined() -> None:
    merged = merge_sequences([["tonic"] * 5000, ["tonic"] * 5000, ["tonic"] * 4999 + ["clonic"]])
    assert merged == ["tonic"] * 5000 + ["clonic"]


def test_where_windows_disagree_only_the_reasons_for_yes_count() -> None:
    windows = [("no", "The arms lie still."), ("yes", "The left arm bends."), ("unparsed", None)]
    assert merge_justifications("arm_flexion", windows) == ("yes", "The left arm bends.")


def test_where_all_windows_agree_all_reasons_count() -> None:
    windows = [("no", "The arms lie still."), ("no", "Nothing moves.")]
    assert merge_justifications("arm_flexion", windows) == ("no", "The arms lie still. Nothing moves.")


def test_sleep_looks_at_the_first_window_only() -> None:
    windows = [("no", "The eyes are open."), ("yes", "The eyes are closed.")]
    assert merge_justifications("occur_during_sleep", windows) == ("no", "The eyes are open.")


def test_an_unparsed_window_beside_a_no_leaves_the_recording_unparsed() -> None:
    assert merge_justifications("tonic", [("no", "Relaxed."), ("unparsed", None)]) == ("unparsed", None)


def test_a_statement_made_twice_is_written_once() -> None:
    texts = [
        "The head turns left. The arm bends",
        "the head turns LEFT! Then clonic jerking.",
        "The arm bends.",
    ]
    assert extract(texts) == "The head turns left. The arm bends. Then clonic jerking."


def test_reports_of_windows_without_one_add_nothing() -> None:
    assert merge_reports([None, "Tonic.", None]) == "Tonic."
    assert merge_reports([None, None]) is None


def test_a_language_model_gets_the_published_instruction_and_every_text_once() -> None:
    asked: list[str] = []

    def model(instruction: str) -> str:
        asked.append(instruction)
        return " merged \n"

    windows = [("yes", "A {segments} b."), ("yes", "C."), ("yes", "C.")]
    assert merge_justifications("head_turning", windows, instructed(model)) == ("yes", "merged")
    assert "the patient exhibits the symptom of [head turning]" in asked[0]
    assert "\n- A {segments} b.\n- C. Merge them" in asked[0]
    assert merge_reports(["One.", "Two."], instructed(model)) == "merged"
    assert "bulleted list below: \n- One.\n- Two. Merge them" in asked[1]


def test_a_language_model_is_not_asked_to_merge_one_text() -> None:
    def refuse(instruction: str) -> str:
        raise AssertionError(instruction)

    assert merge_reports(["One.", None, "One."], instructed(refuse)) == "One."


def test_a_recording_without_a_window_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one"):
        merge_justifications("tonic", [])
