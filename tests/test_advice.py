"""Advice is not circular: the command that a message names, run on that very case, removes the problem."""

from __future__ import annotations

import csv
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner

from semiology.cli import app
from semiology.data.tables.reading import read_recording_set
from semiology.optimization.folds.draw import FoldError
from semiology.optimization.search.examples import divide_patients
from semiology.optimization.supervised.cases import _folds
from semiology.optimization.training.export import ExportOptions, training_plan


def semiology(*words: str, status: int | None = 0) -> str:
    """Return what a command printed, with its lines joined; ``status`` None takes any."""
    done = CliRunner().invoke(app, list(words))
    text = " ".join((done.output + str(done.exception or "")).split())
    assert status is None or done.exit_code == status, text
    return text


def change(table: Path, edit: Callable[[list[dict[str, str]]], None]) -> None:
    """Edit the rows of a table in place."""
    with table.open(newline="", encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))
    edit(rows)
    with table.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.DictWriter(stream, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


def rename(folder: Path, old: str, new: str) -> None:
    for name in ("recordings.csv", "annotations.csv"):
        change(
            folder / name, lambda rows: [row.update(video_id=new) for row in rows if row["video_id"] == old]
        )


@pytest.mark.parametrize("named", ["Müller, Hans", "Hans Müller 12.03.1984", "A1 left"])
def test_ids_that_are_names(small_set: Path, tmp_path: Path, named: str) -> None:
    rename(small_set, "A1", named)
    told = semiology("data", "check", str(small_set), status=None)
    assert "is no opaque id" in told
    assert "semiology data deidentify" in told
    out = tmp_path / "opaque"
    semiology("data", "deidentify", str(small_set), str(out), "--key", str(tmp_path / "key.csv"), status=None)
    told = semiology("data", "check", str(out), status=None)
    assert "is no opaque id" not in told
    assert "can be used" in told
    assert len(read_recording_set(out).recordings) == 3


def test_a_date_in_an_id(small_set: Path, tmp_path: Path) -> None:
    rename(small_set, "A1", "A1_1984-03-12")
    assert "semiology data deidentify" in semiology("data", "check", str(small_set), status=None)
    out = tmp_path / "opaque"
    semiology("data", "deidentify", str(small_set), str(out), "--key", str(tmp_path / "key.csv"), status=None)
    assert "have a date" not in semiology("data", "check", str(out), status=None)


@pytest.mark.parametrize("there", [False, True])
def test_a_folder_that_is_not_there_or_empty(tmp_path: Path, there: bool) -> None:
    folder = tmp_path / "ward"
    if there:
        folder.mkdir()
    told = semiology("data", "check", str(folder), status=None)
    assert "semiology data simulate DIR" in told
    semiology("data", "simulate", str(folder), "--patients", "1", "--recordings", "1", "--size", "128x128")
    assert "can be used" in semiology("data", "check", str(folder), status=None)


def one_patient_each(folder: Path) -> None:
    for number, film in enumerate(sorted((folder / "videos").iterdir())):
        film.write_bytes(
            film.read_bytes() + b"\0\0\0\x08free" * (number + 1)
        )  # one film is not of two patients
    change(folder / "recordings.csv", lambda rows: [row.update(patient_id=row["video_id"]) for row in rows])


def test_no_fold_to_leave_out(small_set: Path) -> None:
    options = ExportOptions("trl", small_set, fold="0")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="semiology data folds DIR"):
        training_plan(options)
    semiology("data", "folds", str(small_set), "--folds", "2")
    fold = next(each.fold for each in read_recording_set(small_set).recordings if each.fold)
    assert training_plan(replace(options, fold=fold)).recording_set.recordings


def test_a_recording_without_a_fold(small_set: Path) -> None:
    semiology("data", "folds", str(small_set), "--folds", "2")
    change(small_set / "recordings.csv", lambda rows: rows[0].update(fold=""))
    fold = next(each.fold for each in read_recording_set(small_set).recordings if each.fold)
    options = ExportOptions("trl", small_set, fold=fold)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="semiology data folds DIR --replace"):
        training_plan(options)
    semiology("data", "folds", str(small_set), "--replace", "--folds", "2")
    assert training_plan(options).recording_set.recordings


def test_another_number_of_folds(small_set: Path) -> None:
    one_patient_each(small_set)
    semiology("data", "folds", str(small_set), "--folds", "2")
    with pytest.raises(FoldError, match="semiology data folds --replace"):
        _folds(read_recording_set(small_set), 3, 0)
    semiology("data", "folds", str(small_set), "--replace", "--folds", "3")
    assert len(set(_folds(read_recording_set(small_set), 3, 0)[0].values())) == 3


def test_a_test_fold_of_a_set_without_folds(small_set: Path) -> None:
    one_patient_each(small_set)
    with pytest.raises(FoldError, match="semiology data folds"):
        divide_patients(read_recording_set(small_set), test_fold="0")
    semiology("data", "folds", str(small_set), "--folds", "3")
    divided = read_recording_set(small_set)
    fold = min(each.fold for each in divided.recordings if each.fold)
    assert divide_patients(divided, test_fold=fold).test


def test_every_command_that_a_message_names_exists() -> None:
    """Words in backquotes in the sources that begin with ``semiology`` are commands of this version."""
    root = Path(__file__).resolve().parents[1]
    named = set()
    for path in root.glob("*/**/*.py"):
        if path.parts[len(root.parts)] in {"tests", "tools", "benchmarks", ".venv", "build"}:
            continue
        named |= set(
            re.findall(
                r"`semiology ((?:[a-z][a-z0-9-]*)(?: [a-z][a-z0-9-]*)?)", path.read_text(encoding="utf-8")
            )
        )
    assert len(named) > 20
    unknown = []
    for words in sorted(named):
        group = CliRunner().invoke(app, [words.split()[0], "--help"])
        if group.exit_code != 0:
            unknown.append(words)
    assert unknown == []
