"""The ledger of looks: counted, chained, written by one at a time, and honest about what it cannot know."""

from __future__ import annotations

import json
import multiprocessing
import os
from dataclasses import replace
from pathlib import Path

import pytest

from semiology.data.cache import write_whole
from semiology.data.protection import ledger
from semiology.data.protection.ledger import (
    EARLIER,
    LEDGER,
    Look,
    digest_of_rows,
    enter,
    enter_found,
    looks_at,
    protected_patients,
)

LOOK = Look("report", {"test": frozenset({"P1", "P2"})}, {"models": ["a"]}, "q")


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("SEMIOLOGY_CACHE", str(tmp_path / "cache"))
    folder = tmp_path / "set"
    folder.mkdir()
    return folder


def lines(folder: Path) -> list[str]:
    return (folder / LEDGER).read_text().splitlines()


def test_an_entry_says_when_who_what_and_on_whom(data: Path) -> None:
    enter(data, LOOK)
    (entry,) = map(json.loads, lines(data))
    assert {"at", "look", "command", "patients", "chosen", "questions", "previous"} == set(entry)
    assert (entry["command"], entry["chosen"], entry["questions"]) == ("report", {"models": ["a"]}, "q")
    assert len(entry["patients"]["test"]) == 2
    assert "P1" not in lines(data)[0]  # the copy leaves the folder of the recordings


def test_looks_are_counted_by_patient_and_told_apart(data: Path) -> None:
    enter(data, LOOK)
    enter(data, LOOK)
    (found,) = enter(data, replace(LOOK, command="optimize", chosen={"seed": 1}))
    assert (found.count, found.distinct) == (3, 2)
    assert "The 2 test patients were opened" in found.sentence
    assert "3 times, this one included (2 different: 1 by optimize, 2 by report)" in found.sentence
    assert "too high" in found.sentence
    assert looks_at(data, "test", ["P2", "P9"]).count == 3
    assert looks_at(data, "test", ["P9"]).count == 0
    assert looks_at(data, "confirm", ["P1"]).count == 0
    other = enter(data, replace(LOOK, patients={"test": frozenset({"P1"}), "confirm": frozenset({"P7"})}))
    assert [(each.split, each.count) for each in other] == [("confirm", 1), ("test", 4)]


def test_what_only_asks_is_entered_and_not_counted_and_nobody_protected_is_no_look(data: Path) -> None:
    (found,) = enter(data, replace(LOOK, command="run"))
    assert found.count == 0
    assert enter(data, replace(LOOK, patients={})) == []
    assert len(lines(data)) == 1


def test_what_was_found_belongs_to_its_look(data: Path) -> None:
    enter(data, LOOK)
    enter_found(data, LOOK, {"tonic": 1})
    found = looks_at(data, "test", ["P1"])
    assert found.count == 1
    assert list(found.found.values()) == [{"tonic": 1}]
    assert looks_at(data, "test", ["P9"]).found == {}


def test_a_changed_shortened_or_removed_ledger_is_noticed(data: Path) -> None:
    for name in "abc":
        (found,) = enter(data, replace(LOOK, chosen={"name": name}))
    assert (found.count, found.distinct, found.altered) == (3, 3, False)
    (data / LEDGER).write_text(lines(data)[0] + "\n")
    (found,) = enter(data, LOOK)
    assert (found.count, found.altered) == (4, True)
    assert "changed by other means" in found.sentence
    (data / LEDGER).unlink()
    assert enter(data, LOOK)[0].altered


def test_an_edited_line_is_noticed_and_stays_noticed(data: Path) -> None:
    enter(data, LOOK)
    enter(data, LOOK)
    (data / LEDGER).write_text((data / LEDGER).read_text().replace('"a"', '"b"'))
    assert enter(data, LOOK)[0].altered
    assert enter(data, LOOK)[0].altered


def test_the_chain_tells_of_an_edit_where_there_is_no_copy(
    data: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name in "ab":
        enter(data, replace(LOOK, chosen={"name": name}))
    monkeypatch.setenv("SEMIOLOGY_CACHE", str(tmp_path / "elsewhere"))
    (data / LEDGER).write_text((data / LEDGER).read_text().replace('"name": "a"', '"name": "c"'))
    assert looks_at(data, "test", ["P1"]).altered


def test_a_set_opened_on_another_machine_is_no_change(
    data: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    enter(data, LOOK)
    monkeypatch.setenv("SEMIOLOGY_CACHE", str(tmp_path / "elsewhere"))
    (found,) = enter(data, LOOK)
    assert (found.count, found.altered) == (2, False)


def test_a_folder_that_cannot_be_written_is_counted_in_the_cache(
    data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(target: Path, text: str, *, private: bool = False) -> None:
        if target.parent == data:
            raise PermissionError(13, "may not be written", str(target))
        write_whole(target, text, private=private)

    # root, who runs this somewhere, may write anywhere
    monkeypatch.setattr(ledger, "write_whole", refuse)
    monkeypatch.setattr(os, "access", lambda path, mode: Path(path) != data)
    enter(data, LOOK)
    (found,) = enter(data, LOOK)
    assert (found.count, found.altered) == (2, False)
    assert not (data / LEDGER).exists()


def test_a_set_without_a_folder_is_counted_in_the_cache(data: Path) -> None:
    enter(data / "gone", LOOK)
    (found,) = enter(data / "gone", LOOK)
    assert (found.count, found.altered) == (2, False)
    assert not (data / "gone").exists()


def test_the_record_of_earlier_versions_still_counts(data: Path) -> None:
    old = [{"at": "2026", "comparison": name, "command": "compare"} for name in ("x", "y")]
    (data / EARLIER).write_text("".join(json.dumps(each) + "\n" for each in old))
    (found,) = enter(data, replace(LOOK, patients={"confirm": frozenset({"P7"})}))
    assert (found.count, found.distinct) == (3, 3)
    assert "confirm less" in found.sentence


def _enter_some(folder: Path, name: int) -> None:
    for number in range(5):
        enter(folder, replace(LOOK, chosen={"process": name, "number": number}))


def test_writers_at_the_same_time_lose_nothing_and_keep_the_chain(data: Path) -> None:
    context = multiprocessing.get_context("fork")
    processes = [context.Process(target=_enter_some, args=(data, name)) for name in range(4)]
    for each in processes:
        each.start()
    for each in processes:
        each.join(60)
        assert each.exitcode == 0
    found = looks_at(data, "test", ["P1"])
    assert (found.count, found.distinct, found.altered) == (20, 20, False)


def test_rows_in_another_order_are_the_same_and_only_protected_patients_are_entered() -> None:
    assert digest_of_rows([("a", 1), ("b", 2)]) == digest_of_rows([("b", 2), ("a", 1)])
    assert digest_of_rows([("a", 1)]) != digest_of_rows([("a", 2)])
    pairs = [("test", "P1"), ("train", "P2"), (None, "P3"), ("confirm", "P4"), ("test", "P1")]
    assert protected_patients(pairs) == {"test": {"P1"}, "confirm": {"P4"}}
