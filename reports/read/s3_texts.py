"""Who merged and who read the texts of each model of a report, and whether it was played sound."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from semiology.metrics.s3.text.readers import RULES, TextReader
from semiology.reports.read.lmms_eval_files import S3_PREFIX, ResultFiles, mapping
from semiology.reports.read.run_facts import sound_given
from semiology.reports.read.run_texts import Maker, MergedTexts, Readings, read_merged, read_readings

TEXT_TASKS = ("s3_justification", "s3_report")


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
            whole = readings[name] = by_judge.setdefault(_key(read.judge), Readings(read.judge))
            whole.answers.update(read.answers)
            whole.findings.update(read.findings)
            whole.unread.update(read.unread)
    texts = {
        name for run, name in zip(runs, names, strict=True) if any(task in TEXT_TASKS for task in run.samples)
    }
    for name in sorted(texts - set(readings)) if readings else ():
        notes.append(f"{name}: no judge read its texts, as one did those of others → do not compare them")
    if len({_key(one.judge) for one in readings.values()}) > 1:
        notes.append("the texts of different models were read by different judges → do not compare them")
    return RunTexts(merged, readings)


def heard(run: ResultFiles, task: str) -> bool:
    """Return whether the model of a run was played the sound that a task hands over."""
    sound = sound_given(
        mapping(mapping(run.record, "configs"), task), str(mapping(run.record, "config").get("model"))
    )
    return isinstance(sound, str) and sound != "none"


def _key(judge: Maker) -> str:
    return repr((judge.name, sorted(judge.instructions.items())))
