"""What a language model made of the texts of a run, kept beside the run's files.

``semiology_merged.jsonl`` holds texts of several windows merged into one, ``semiology_readings.jsonl`` what a
judge read from justifications and reports. The first line of each says which model made them and by which
instructions; the others stand under a digest of what they were made from, so that none can be taken for that
of another text. Lines that cannot be used are left out and noted.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from semiology.data.cache import write_whole
from semiology.metrics.s3.merge_windows import extract
from semiology.metrics.s3.text.readers import RULES, Answers, TextReader
from semiology.metrics.s3.text.seizure_rqi import LOCATIONS, ReportFindings
from semiology.reports.read.lmms_eval_files import S3_PREFIX, ResultFiles

READINGS = "semiology_readings.jsonl"
MERGED = "semiology_merged.jsonl"
TEXT_TASKS = ("s3_justification", "s3_report")
VERSION = 1
"""Of the form of both files."""


@dataclass(frozen=True)
class Maker:
    """The language model that made the contents of a file.

    Attributes:
        name: of the model, as the user named it.
        instructions: hash of the instructions that it was given, by kind of text.
    """

    name: str
    instructions: Mapping[str, str]

    @property
    def identity(self) -> str:
        """What tells makers apart: name and whole hashes."""
        return repr((self.name, sorted(self.instructions.items())))

    @property
    def label(self) -> str:
        """Name and instructions in short, for tables."""
        hashes = ", ".join(f"{kind} {digest[:8]}" for kind, digest in sorted(self.instructions.items()))
        return f"{self.name} (instructions: {hashes})"


@dataclass
class Readings:
    """What a judge read.

    Attributes:
        judge: who.
        answers: to the questions of a feature, by feature and digest of the justification.
        findings: by digest of the report.
        unread: digests of texts that it was asked about in vain; they are read by rules.
    """

    judge: Maker
    answers: dict[tuple[str, str], Answers] = field(default_factory=dict)
    findings: dict[str, ReportFindings] = field(default_factory=dict)
    unread: set[str] = field(default_factory=set)


@dataclass
class MergedTexts:
    """Texts merged by a language model; itself a merger of texts, which takes any other text extractively.

    Attributes:
        model: who merged them; None for nobody.
        texts: by `merge_key`.
        by_model, extractive: how often either was used since it was made.
    """

    model: Maker | None = None
    texts: dict[str, str] = field(default_factory=dict)
    by_model: int = 0
    extractive: int = 0

    def __call__(self, texts: Sequence[str], feature: str | None, answer: str) -> str:
        """Return the merged text, as `semiology.metrics.s3.merge_windows.TextMerger`."""
        found = self.texts.get(merge_key(texts, feature, answer))
        self.by_model += found is not None
        self.extractive += found is None
        return extract(texts) if found is None else found


def merge_key(texts: Sequence[str], feature: str | None, answer: str) -> str:
    """Return the name under which the merging of some texts is kept."""
    parts = json.dumps([list(texts), feature, answer])
    return hashlib.sha256(parts.encode()).hexdigest()


def write_readings(folder: Path, readings: Readings) -> Path:
    """Write what a judge read beside a run, replacing what another read before; return the file."""
    rows: list[dict[str, Any]] = [
        {"kind": "justification", "feature": feature, "text": digest, "answers": list(answers)}
        for (feature, digest), answers in sorted(readings.answers.items())
    ]
    rows += [
        {"kind": "report", "text": digest}
        | {name: value for name, value in asdict(found).items() if name != "words"}  # those of the text
        for digest, found in sorted(readings.findings.items())
    ]
    rows += [{"kind": "unread", "text": digest} for digest in sorted(readings.unread)]
    return _write(folder / READINGS, readings.judge, rows)


def write_merged(folder: Path, merged: MergedTexts) -> Path:
    """Write merged texts beside a run, replacing those of another model; return the file.

    Raises:
        ValueError: nobody merged them.
    """
    if merged.model is None:
        raise ValueError("the merged texts have no maker")
    rows = [{"key": key, "text": text} for key, text in sorted(merged.texts.items())]
    return _write(folder / MERGED, merged.model, rows)


def read_readings(folder: Path, notes: list[str]) -> Readings | None:
    """Return what a judge read from the texts of a run, or None if none did; remarks go to ``notes``."""
    found = _read(folder / READINGS, notes)
    if found is None:
        return None
    readings = Readings(found[0])
    for number, row in found[1]:
        try:
            _take(readings, row)
        except (KeyError, TypeError, ValueError):
            notes.append(f"{READINGS}:{number}: is no reading of a text → row left out")
    return readings


def read_merged(folder: Path, notes: list[str]) -> MergedTexts | None:
    """Return the merged texts of a run, or None if no model merged any; remarks are added to ``notes``."""
    found = _read(folder / MERGED, notes)
    if found is None:
        return None
    merged = MergedTexts(found[0])
    for number, row in found[1]:
        key, text = row.get("key"), row.get("text")
        if isinstance(key, str) and isinstance(text, str):
            merged.texts[key] = text
        else:
            notes.append(f"{MERGED}:{number}: is no merged text → row left out")
    return merged


@dataclass(frozen=True)
class RunTexts:
    """What language models made of the texts of several models' runs.

    Attributes:
        merged: texts merged by a language model, by the name of the model that wrote them.
        readings: what a judge read, in the same way.
    """

    merged: Mapping[str, MergedTexts] = field(default_factory=dict)
    readings: Mapping[str, Readings] = field(default_factory=dict)

    def merger_of(self, model: str) -> MergedTexts:
        """Return a merger for a model's texts, which counts; without a merging model it is extractive."""
        known = self.merged.get(model)
        return MergedTexts() if known is None else MergedTexts(known.model, known.texts)

    def reader_of(self, model: str) -> TextReader:
        """Return the reader of a model's texts: its judge, or the rules.

        Published answers, which have no run, are read by the judge of the runs if there is just one; so is
        what it read of a run that lies elsewhere.
        """
        found = self.readings.get(model)
        judges = list(self.readings.values())
        if found is None and judges and all(one.judge == judges[0].judge for one in judges):
            found = judges[0]
        if found is None:
            return RULES
        return TextReader(found.judge.label, found.answers, found.findings)


def texts_of_runs(runs: Sequence[ResultFiles], names: Sequence[str], notes: list[str]) -> RunTexts:
    """Return the merged texts and readings that lie beside runs; remarks are added to ``notes``.

    What one judge read beside several runs is put together; where several judges read a model's runs, the
    judge of the newest run counts.

    Args:
        runs: oldest first.
        names: name of each run's model.
        notes: remarks are added here.
    """
    merged: dict[str, MergedTexts] = {}
    readings: dict[str, Readings] = {}
    by_judge: dict[str, Readings] = {}
    seen: dict[Path, tuple[MergedTexts | None, Readings | None]] = {}
    for run, name in zip(runs, names, strict=True):
        if not any(task.startswith(S3_PREFIX) for task in run.samples):
            continue
        if run.folder not in seen:
            seen[run.folder] = read_merged(run.folder, notes), read_readings(run.folder, notes)
        own, read = seen[run.folder]
        if own is not None:
            before = merged.get(name)
            kept = before.texts if before is not None and before.model == own.model else {}
            merged[name] = MergedTexts(own.model, {**kept, **own.texts})
        if read is not None:
            whole = readings[name] = by_judge.setdefault(read.judge.identity, Readings(read.judge))
            whole.answers.update(read.answers)
            whole.findings.update(read.findings)
            whole.unread.update(read.unread)
    texts = {
        name for run, name in zip(runs, names, strict=True) if any(task in TEXT_TASKS for task in run.samples)
    }
    for name in sorted(texts - set(readings)) if readings else ():
        notes.append(f"{name}: no judge read its texts, as one did those of others → do not compare them")
    if len({one.judge.identity for one in readings.values()}) > 1:
        notes.append("the texts of different models were read by different judges → do not compare them")
    return RunTexts(merged, readings)


def _take(readings: Readings, row: Mapping[str, Any]) -> None:
    """Add one row.

    Raises:
        KeyError, TypeError, ValueError: it is no reading.
    """
    digest = str(row["text"])
    if row["kind"] == "justification":
        answers = tuple(row["answers"])
        if not all(answer is None or isinstance(answer, str) for answer in answers):
            raise ValueError("an answer is no word")
        readings.answers[str(row["feature"]), digest] = answers
    elif row["kind"] == "report":
        locations = {name: str(row["locations"][name]) for name in LOCATIONS}
        readings.findings[digest] = ReportFindings(
            sections=tuple(map(str, row["sections"])),
            features=list(map(str, row["features"])),
            locations=locations,
            hazardous=row["hazardous"] is True,
            off_topic=row["off_topic"] is True,
        )
    elif row["kind"] == "unread":
        readings.unread.add(digest)
    else:
        raise ValueError("unknown kind")


def _write(path: Path, maker: Maker, rows: Iterable[Mapping[str, Any]]) -> Path:
    head = {"version": VERSION, "model": maker.name, "instructions": dict(maker.instructions)}
    lines = [json.dumps(row, ensure_ascii=False) for row in (head, *rows)]
    write_whole(path, "\n".join(lines) + "\n")
    return path


def _read(path: Path, notes: list[str]) -> tuple[Maker, list[tuple[int, dict[str, Any]]]] | None:
    """Return the maker of a file and its rows with their numbers; None if there is no usable file."""
    if not path.is_file():
        return None
    rows: list[tuple[int, dict[str, Any]]] = []
    for number, line in enumerate(path.read_bytes().split(b"\n"), start=1):
        try:
            row = json.loads(line) if line.strip() else None
        except ValueError:
            row = [] if number > 1 else None
        if isinstance(row, dict):
            rows.append((number, row))
        elif row is not None:
            notes.append(f"{path.name}:{number}: is not readable as JSON → row left out")
    head = rows[0][1] if rows and rows[0][0] == 1 else {}
    instructions = head.get("instructions")
    if head.get("version") != VERSION or not isinstance(instructions, dict):
        notes.append(f"{path.name}: its first line does not say who made it → file ignored")
        return None
    return Maker(str(head.get("model")), {str(k): str(v) for k, v in instructions.items()}), rows[1:]
