"""Who was recorded: patients with epileptic and with non-epileptic seizures, from any columns of recordings.csv.

The layout is that of S3 Table 4. Everything but the number of recordings is told and tested by patient: a patient with
many recordings counts once. Numbers that change from recording to recording (an age) are averaged; words that change
are no property of the patient, and are left out and counted.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from semiology.data.tables.cells import one_spelling, plain_number, says_nothing
from semiology.data.tables.csv_tables import read_table
from semiology.data.tables.reading import OPTIONAL_COLUMNS, RECORDINGS, REQUIRED_COLUMNS, read_recording_set
from semiology.metrics.statistics.adjust import adjusted
from semiology.metrics.statistics.group_tests import GroupTest, category_test, number_test
from semiology.render.table import Cell, Column, Document, Row, Table
from semiology.render.text import counted

GROUPS = ("ES", "NES")
MOST_VALUES = 8
"""A column of more different words is free text or ids."""
NUMBERS = 5
"""A column of numbers with fewer different values is taken for categories, such as 0 and 1."""
NO_COLUMNS = (
    "recordings.csv has no columns but those that the software reads → add any that hold for a patient, such as sex, "
    "age, age_of_onset or depression; each becomes rows of this table"
)
TESTS = (
    "p: two-sided, by patient, ES against NES. Numbers: Mann-Whitney U. Categories: Fisher's exact test (of more than "
    "two values with random tables of its margins). Holm: adjusted for all tests of this table."
)
_THOUSANDS = re.compile(r"[+-]?\d{1,3}(?:,\d{3})+")
COUNTED = "Patients (% of the group) or mean ± standard deviation (median); a patient counts once."


@dataclass(frozen=True)
class Trait:
    """A column, one value a patient.

    Attributes:
        name: heading. values: by patient, numbers or words; those without one are missing.
        numeric: whether they are numbers.
    """

    name: str
    values: Mapping[str, float | str]
    numeric: bool


@dataclass(frozen=True)
class Demographics:
    """The patients of a set by diagnosis.

    Attributes:
        recordings: number by diagnosis (``""``: none or unknown).
        patients: their patients by diagnosis; those with recordings of both are in neither.
        traits: of the columns that could be used, in their order.
        tests: of each trait. notes: what was left out, and why.
    """

    recordings: Mapping[str, int]
    patients: Mapping[str, tuple[str, ...]]
    per_patient: Mapping[str, int]
    traits: tuple[Trait, ...]
    tests: Mapping[str, GroupTest]
    notes: tuple[str, ...]


def demographics(directory: Path) -> Demographics:
    """Read who was recorded from the tables of a set.

    Raises:
        RecordingSetError: the tables have faults.
    """
    found = read_recording_set(directory, require_media=False)
    diagnoses: dict[str, set[str]] = {}
    for each in found.recordings:
        diagnoses.setdefault(each.patient_id, set()).add(each.diagnosis or "")
    notes = []
    both = sorted(patient for patient, own in diagnoses.items() if own >= set(GROUPS))
    if both:
        notes.append(f"{counted(len(both), 'patient')} with recordings of ES and of NES: in neither group")
    unknown = sum(not own & set(GROUPS) for own in diagnoses.values())
    if unknown:
        notes.append(f"{counted(unknown, 'patient')} without a diagnosis of ES or NES: in no group")
    patients = {
        group: tuple(sorted(p for p, own in diagnoses.items() if group in own and p not in both))
        for group in GROUPS
    }
    table = read_table(directory / RECORDINGS)
    owner = {each.video_id: each.patient_id for each in found.recordings}
    known = {*REQUIRED_COLUMNS[RECORDINGS], *OPTIONAL_COLUMNS[RECORDINGS]}
    traits = []
    for name, heading in zip(table.columns, table.headings, strict=True):
        if name and name not in known:
            cells = [
                (owner[row["video_id"]], row[name].strip()) for row in table.rows if row["video_id"] in owner
            ]
            trait = _trait(heading, cells, notes)
            traits += [trait] if trait else []
    if not traits:
        notes.append(NO_COLUMNS)
    tests = {each.name: _test(each, patients) for each in traits}
    recordings = Counter(str(each.diagnosis or "") for each in found.recordings)
    per_patient = Counter(each.patient_id for each in found.recordings)
    return Demographics(recordings, patients, per_patient, tuple(traits), tests, tuple(notes))


def _trait(heading: str, cells: Sequence[tuple[str, str]], notes: list[str]) -> Trait | None:
    """Return a column by patient; None, and a note, where it tells nothing of patients."""
    given: dict[str, list[str]] = {}
    nothing = [cell for _, cell in cells if cell and says_nothing(cell)]
    if nothing:
        notes.append(f"{heading}: {counted(len(nothing), 'cell')} such as {nothing[0]!r} counted as missing")
    spelling = one_spelling(cell for _, cell in cells if not says_nothing(cell))
    for patient, cell in cells:
        if not says_nothing(cell):
            given.setdefault(patient, []).append(spelling[cell])
    if not given:
        notes.append(f"{heading}: the column is empty")
        return None
    values = [cell for own in given.values() for cell in own]
    thousands = next((cell for cell in values if _THOUSANDS.fullmatch(cell)), None)
    if thousands:
        notes.append(
            f"{heading}: {thousands!r} has a comma for thousands or decimals → write it with a point or none"
        )
        return None
    numbers = [_number(cell) for cell in values]
    odd = [cell for cell, number in zip(values, numbers, strict=True) if number is None]
    if odd and 2 * len(odd) <= len(values):
        notes.append(
            f"{heading}: {odd[0]!r} is no number, so that the column counts as words → correct it if need be"
        )
    if all(number is not None for number in numbers) and len(set(numbers)) >= NUMBERS:
        mean = {p: float(np.mean([float(_number(cell) or 0.0) for cell in own])) for p, own in given.items()}
        varied = sum(len(set(own)) > 1 for own in given.values())
        if varied:
            notes.append(
                f"{heading}: differs between recordings of {counted(varied, 'patient')}: their mean counts"
            )
        return Trait(heading, mean, numeric=True)
    if len({cell.lower() for cell in values}) > MOST_VALUES:
        notes.append(
            f"{heading}: more than {MOST_VALUES} different values that are not all numbers look like free text or "
            "ids → write groups, or numbers alone, to have them told"
        )
        return None
    spelt = {cell.lower(): cell for cell in reversed(values)}
    constant = {
        p: spelt[own[0].lower()] for p, own in given.items() if len({cell.lower() for cell in own}) == 1
    }
    varied = len(given) - len(constant)
    if varied:
        notes.append(
            f"{heading}: differs between recordings of {counted(varied, 'patient')}, so that it is no property of "
            "these: missing here"
        )
    return Trait(heading, constant, numeric=False) if constant else None


def _number(cell: str) -> float | None:
    return plain_number(cell, decimal_comma=True, exponent=True)


def _test(trait: Trait, patients: Mapping[str, Sequence[str]]) -> GroupTest:
    first, second = ([trait.values[p] for p in patients[group] if p in trait.values] for group in GROUPS)
    if trait.numeric:
        return number_test([float(v) for v in first], [float(v) for v in second])
    return category_test([str(v) for v in first], [str(v) for v in second])


def demographics_document(found: Demographics) -> Document:
    """Return the layout of S3 Table 4."""
    sizes = {group: len(found.patients[group]) for group in GROUPS}
    total = sum(sizes.values())
    columns = (
        Column("", left=True),
        *(Column(f"{group} (n={sizes[group]})", (".0f", ".1f"), "{} ({} %)") for group in GROUPS),
        Column(f"Total (n={total})", (".0f", ".1f"), "{} ({} %)"),
        Column("missing"),
        Column("test", left=True),
        Column("p", "p"),
        Column("Holm", "p"),
    )
    every = sum(found.recordings[group] for group in GROUPS)
    videos = [(found.recordings[g], 100 * found.recordings[g] / every if every else math.nan) for g in GROUPS]
    rows = [
        Row(("Recordings (% of recordings)", *videos, (every, 100.0 if every else math.nan), "", "", "", ""))
    ]
    amounts = {g: [float(found.per_patient[p]) for p in found.patients[g]] for g in GROUPS}
    spread = [_spread(amounts[g]) for g in GROUPS]
    tests = [number_test(*amounts.values()), *found.tests.values()]
    holm = iter(adjusted(np.array([each.p for each in tests]), "holm").tolist())
    together = _spread([v for own in amounts.values() for v in own])
    rows.append(
        Row(("Recordings of a patient", *spread, together, 0, *_told(tests[0], next(holm))), ends=True)
    )
    for trait in found.traits:
        rows += _trait_rows(trait, found, sizes, _told(found.tests[trait.name], next(holm)))
    untested = {name: test.reason for name, test in found.tests.items() if test.reason}
    reasons = [f"{name}: not tested, {reason}" for name, reason in untested.items()]
    table = Table(
        "Patients with epileptic (ES) and non-epileptic seizures (NES), in the layout of S3 Table 4",
        columns,
        tuple(rows),
        stem="demographics",
    )
    return Document("Who was recorded", (table,), remarks=(COUNTED, TESTS), notes=(*found.notes, *reasons))


def _told(test: GroupTest, holm: float) -> tuple[Cell, ...]:
    return (test.name, test.p, holm) if test.reason is None else ("not tested", None, None)


def _trait_rows(
    trait: Trait, found: Demographics, sizes: Mapping[str, int], told: tuple[Cell, ...]
) -> list[Row]:
    own = {group: [trait.values[p] for p in found.patients[group] if p in trait.values] for group in GROUPS}
    missing = sum(sizes.values()) - sum(map(len, own.values()))
    if trait.numeric:
        numbers = {group: [float(value) for value in values] for group, values in own.items()}
        spread = [_spread(numbers[group]) for group in GROUPS]
        together = _spread([value for values in numbers.values() for value in values])
        return [Row((trait.name, *spread, together, missing, *told), ends=True)]
    rows = []
    categories = sorted({str(value) for values in own.values() for value in values})
    for number, category in enumerate(categories):
        cells: list[Cell] = [f"{trait.name}: {category}"]
        amounts = [sum(value == category for value in own[group]) for group in GROUPS]
        for amount, size in zip(
            (*amounts, sum(amounts)), (*sizes.values(), sum(sizes.values())), strict=True
        ):
            cells.append((amount, 100 * amount / size if size else math.nan))
        cells += [missing, *told] if number == 0 else ["", "", "", ""]
        rows.append(Row(tuple(cells), ends=number == len(categories) - 1))
    return rows


def _spread(values: Sequence[float]) -> str:
    """Return mean ± standard deviation (median); a dash without values."""
    if not values:
        return "–"
    deviation = f" ± {np.std(values, ddof=1):.1f}" if len(values) > 1 else ""
    return f"{np.mean(values):.1f}{deviation} ({np.median(values):.1f})"
