"""How one sheet is read: a file that people can edit, the questions that are open, and every change that was made."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import yaml
from pydantic import BaseModel, ConfigDict

from semiology.data.cache import write_whole
from semiology.data.problems import Problem, RecordingSetError
from semiology.data.sheets.terms import PARTS, key_of, terms
from semiology.features import FEATURES, suggest_feature
from semiology.render.validation import did_you_mean, faults_of

GENERAL_ROLES = (
    "video", "patient", "feature", "present", "onset", "offset", "span", "side", "justification", "diagnosis",
    "onset_lobe", "onset_side", "seizure_type", "split", "fold", "duration", "start_clock", "report", "ignore",
)  # fmt: skip
_HEAD = """\
# How semiology reads {file}. Edit it and give it with --map.
# columns: heading: video, patient, a feature, or feature.onset, .offset, .span, .side, .justification; or ignore
# values:  what a word in a feature's cell means: yes, no, na (cannot be judged) or unannotated
"""


class SheetMapping(BaseModel):
    """How a sheet is read; what is None or absent is found out, or asked.

    Attributes:
        sheet: name of the sheet in a workbook.
        encoding, delimiter: of a CSV file.
        header: rows of the header, as a spreadsheet shows them (one or two).
        layout: a row per recording and a column per feature; a row per feature of a recording; or features as rows.
        video: heading of the column that names the recordings, where that is not clear.
        columns: role by heading. units: of plain numbers, by heading.
        values: meaning of words in the cells of features. numbers: whether other numbers are onsets or codes.
        empty: what an empty cell, or a feature that a list does not name, means.
        times: what three groups such as 0:12:30 mean. two_groups: what two mean. fps: for frames.
        patient: where no column has the patient: ``each`` recording is one of its own, or a pattern (regular
            expression) whose first group is the patient in the recording's name.
        blank_ids: whether an empty id repeats the one ``above``, or its row is to be left out (``skip``).
        zeros: whether ids that differ by leading zeros alone are the ``same`` or ``different``.
        ids: whether ids are kept, or new ones are drawn.
    """

    model_config = ConfigDict(extra="forbid")

    sheet: str | None = None
    encoding: str | None = None
    delimiter: str | None = None
    header: list[int] | None = None
    layout: Literal["wide", "long", "turned"] | None = None
    video: str | None = None
    columns: dict[str, str] = {}
    units: dict[str, Literal["s", "ms", "min", "frames"]] = {}
    values: dict[str, Literal["yes", "no", "na", "unannotated"]] = {}
    numbers: Literal["onset", "codes"] | None = None
    empty: Literal["no", "unannotated"] | None = None
    times: Literal["h:mm:ss", "mm:ss:ff", "mm:ss:cc", "clock"] | None = None
    two_groups: Literal["mm:ss", "h:mm"] | None = None
    fps: float | None = None
    patient: str | None = None
    blank_ids: Literal["above", "skip"] | None = None
    zeros: Literal["same", "different"] | None = None
    ids: Literal["keep", "new"] | None = None


@dataclass(frozen=True)
class Question:
    """Something that the sheet does not tell.

    Attributes:
        key: of the mapping: ``empty``, or ``values.2`` for an entry.
        text: the question with its reason.
        choices: what may be answered, and what that means; none: any value, as ``text`` says.
    """

    key: str
    text: str
    choices: tuple[tuple[str, str], ...] = ()


@dataclass
class Notes:
    """What reading a sheet has to tell.

    Attributes:
        changes: how often something that was found was taken for something else: (where, found, taken for) to
            (times, first row).
        unused: every cell or row that was not used, with the reason.
        questions: what is open; nothing is written while there is one.
        remarks: sentences on whole columns and files.
    """

    file: str
    changes: dict[tuple[str, str, str], tuple[int, int | None]] = field(default_factory=dict)
    unused: list[Problem] = field(default_factory=list)
    questions: dict[str, Question] = field(default_factory=dict)
    remarks: list[str] = field(default_factory=list)

    def change(self, where: str, found: str, taken_for: str, row: int | None = None) -> None:
        """Note that something was taken for something else."""
        times, first = self.changes.get((where, found, taken_for), (0, row))
        self.changes[where, found, taken_for] = times + 1, first

    def remark(self, sentence: str) -> None:
        """Note a sentence on a whole column or file, once."""
        if sentence not in self.remarks:
            self.remarks.append(sentence)

    def not_used(self, row: int | None, message: str, fix: str) -> None:
        """Note a cell, row or column that is not used."""
        self.unused.append(Problem(self.file, row, message, fix))

    def ask(self, key: str, text: str, *choices: tuple[str, str]) -> None:
        """Ask; the first of several questions with the same key counts."""
        self.questions.setdefault(key, Question(key, text, choices))


def read_mapping(path: Path) -> SheetMapping:
    """Read a mapping file.

    Raises:
        RecordingSetError: it has faults; all are listed.
    """
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8-sig")) or {}
    except (OSError, ValueError, yaml.YAMLError) as error:
        raise RecordingSetError(
            [Problem(path.name, None, f"is no mapping ({error})", "correct it")]
        ) from None
    faults = [
        Problem(
            path.name, None, f"{'.'.join(map(str, fault.place))}: {fault.message}".lstrip(": "), fault.fix
        )
        for fault in faults_of(SheetMapping, content)
    ]
    if faults:
        raise RecordingSetError(faults)
    mapping = SheetMapping.model_validate(content)
    if wrong := [role_problem(role) for role in mapping.columns.values() if role_problem(role)]:
        raise RecordingSetError(
            [Problem(path.name, None, f"columns: {text}", "correct it") for text in wrong]
        )
    return mapping


def role_problem(role: str) -> str:
    """Return why a word is no role of a column, or an empty text."""
    name, _, part = role.partition(".")
    if role in GENERAL_ROLES or (name in FEATURES and part in ("", *PARTS)):
        return ""
    meant = suggest_feature(name) or did_you_mean(role, GENERAL_ROLES)
    return f"{role!r} is no role of a column{meant}; use a feature or one of {', '.join(GENERAL_ROLES)}"


def answered(mapping: SheetMapping, answers: Mapping[str, str]) -> SheetMapping:
    """Return the mapping with answers to questions, by key.

    Raises:
        ValueError: a key or a value is not known.
    """
    content = mapping.model_dump()
    for key, value in answers.items():
        name, dot, entry = key.partition(".")
        known = list(SheetMapping.model_fields)
        if name not in known:
            raise ValueError(f"--choose {key}={value}: no such choice{did_you_mean(name, known)}")
        if dot and isinstance(content[name], dict):
            if name == "columns" and (wrong := role_problem(_role(value))):
                raise ValueError(f"--choose {key}={value}: {wrong}")
            content[name][entry] = _role(value) if name == "columns" else value
        else:
            content[name] = [int(part) for part in value.split(",")] if name == "header" else value
    if faults := faults_of(SheetMapping, content):
        raise ValueError("; ".join(f"--choose {fault.place[0]}: {fault.message}" for fault in faults))
    return SheetMapping.model_validate(content)


def _role(value: str) -> str:
    return terms().features.get(key_of(value), value)


def write_mapping(mapping: SheetMapping, path: Path, file: str) -> None:
    """Write a mapping for the next time."""
    content = {key: value for key, value in mapping.model_dump().items() if value not in (None, {}, [])}
    body = yaml.safe_dump(content, sort_keys=False, allow_unicode=True, width=110)
    write_whole(path, _HEAD.format(file=file) + body)
