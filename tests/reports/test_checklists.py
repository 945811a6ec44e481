"""Reporting checklists: every item is there once, and none claims more than the record holds."""

from __future__ import annotations

import re
from typing import Any

from semiology.reports.checklists.filled import MI_CLEAR, TRIPOD, checklist_items

FACTS: dict[str, Any] = {
    "recordings": 48, "patients": 24, "wordings": 9, "provenances": {"epileptologist"}, "software": "0.1",
    "resamples": 2000, "seed": 0, "unparsed": 3, "answers": 432, "s3_tasks": 0,
}  # fmt: skip
NOTHING = FACTS | {
    "recordings": 0,
    "patients": 0,
    "wordings": 0,
    "provenances": set(),
    "unparsed": 0,
    "answers": 0,
}
RUN = {
    "model": "m", "model_class": "qwen2_5_vl", "revision": "abc", "date": "20260102_030405", "window": "30 s",
    "data": "ward", "seconds": 12.0, "generation": {"temperature": [0.0]},
}  # fmt: skip
# Table 2 of the guideline without 10, 11 and 18, which do not arise.
LETTERS = {
    "3": "ab",
    "5": "abcde",
    "6": "abcde",
    "7": "abcde",
    "8": "abc",
    "9": "ab",
    "14": "abcdef",
    "16": "abcd",
    "19": "abcdefg",
}
SINGLE = {"1", "2", "4", "12", "13", "15", "17"}


def labels(item: str) -> set[str]:
    """Return the labels at the beginning of an item, ranges such as ``14a to 14d`` written out."""
    found = re.match(r"(\d+[a-g]?(?:(?:, | to )\d+[a-g]?)*) ", item)
    assert found, item
    out: set[str] = set()
    for part in found[1].split(", "):
        first, _, last = part.partition(" to ")
        letters = range(ord(first[-1]), ord((last or first)[-1]) + 1)
        out |= {first[:-1] + chr(letter) for letter in letters} if last else {first}
    return out


def test_every_item_of_tripod_llm_is_there_once() -> None:
    items = [item.item for item in checklist_items([RUN], FACTS) if item.checklist == TRIPOD]
    found = [label for item in items for label in labels(item)]
    assert len(found) == len(set(found))
    assert set(found) == SINGLE | {
        number + letter for number, letters in LETTERS.items() for letter in letters
    }


def test_every_item_of_mi_clear_llm_is_there_once() -> None:
    items = [item.item for item in checklist_items([RUN], FACTS) if item.checklist == MI_CLEAR]
    assert [item.split()[0] for item in items] == [str(number) for number in range(1, 9)]
    earlier = [number for item in items for number in re.findall(r"\d", item.partition("2024:")[2])]
    assert set(earlier) == set("123456")


def test_what_the_record_holds_is_in_the_text() -> None:
    texts = " ".join(item.text for item in checklist_items([RUN], FACTS))
    for part in ("qwen2_5_vl", "abc", "2026-01-02", "30 s", "ward", "12 s", "temperature 0.0", "3 of 432"):
        assert part in texts


def test_a_revision_is_told_of_the_model_that_names_it() -> None:
    other = {**RUN, "model": "n"}
    del other["revision"]
    texts = [item.text for item in checklist_items([RUN, other], FACTS)]
    told = "m (revision: abc); n (revision: not named in the run)"
    assert sum(told in text for text in texts) == 2


def test_one_is_told_in_the_singular() -> None:
    facts = FACTS | {"recordings": 1, "patients": 1, "wordings": 1}
    texts = " ".join(item.text for item in checklist_items([RUN], facts))
    assert "1 recording of 1 patient;" in texts
    assert "1 text in full" in texts


def test_nothing_is_said_of_signs_where_s3_tasks_alone_were_run() -> None:
    items = {item.item.split()[0]: item for item in checklist_items([RUN], NOTHING | {"s3_tasks": 3})}
    texts = " ".join(item.text for item in items.values())
    assert not re.search(r"(?<!\S)0 (?:recordings|texts|of|answers)", texts)
    assert (items["6d"].status, items["6e"].status) == ("filled", "for the authors")
    assert "beside each task" in items["6d"].text
    neither = {item.item.split()[0]: item.status for item in checklist_items([], NOTHING)}
    assert neither["5b"] == neither["6d"] == neither["6e"] == "for the authors"


def test_without_a_run_its_items_are_left_to_the_authors() -> None:
    status = {f"{i.checklist} {i.item.split()[0]}": i.status for i in checklist_items([], NOTHING)}
    for label in (
        "MI-CLEAR-LLM 1",
        "MI-CLEAR-LLM 3",
        "MI-CLEAR-LLM 7",
        "TRIPOD-LLM 6a",
        "TRIPOD-LLM 6c",
        "TRIPOD-LLM 12",
    ):
        assert status[label] == "for the authors"
    assert all(item.text for item in checklist_items([], NOTHING))


def test_asking_once_is_not_enough_for_randomness_and_no_item_answers_for_the_authors() -> None:
    status = {i.item: i.status for i in checklist_items([RUN], FACTS)}
    assert status["7 randomness (2024: 2)"] == "partly"
    for item in (
        "13 ethics approval",
        "15 patient and public involvement",
        "8 independence of the test data (2024: 6)",
    ):
        assert status[item] == "for the authors"
