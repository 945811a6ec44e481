"""A judge reads the texts of finished runs, and what it read is kept beside them for ``semiology report``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from semiology.backends.journal import Journal
from semiology.data.cache import cache_directory
from semiology.judging.asking import Asked, Question, ask_all
from semiology.judging.prompts import instruction_hashes, justification_prompt, report_prompt
from semiology.judging.replies import read_answers, read_findings
from semiology.judging.texts import TextsToRead, s3_folders, texts_to_read
from semiology.metrics.s3.text.readers import text_digest
from semiology.render.progress import RunProgress
from semiology.reports.read.lmms_eval_files import ResultsError
from semiology.reports.read.run_texts import Maker, Readings, read_readings, write_readings
from semiology.reports.read.s3_answers import read_s3_results

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class JudgingSummary:
    """What a judge read.

    Attributes:
        instructions: hash of what it was told, by kind of text.
        texts: texts that the scores depend on.
        retried: those whose first reply could not be used.
        malformed: those whose second reply could not be used either; they are read by rules.
        no_reply: those without a reply; they are read by rules.
        from_journal: replies of earlier runs of the command.
        files: files written, one per folder with answers to S3 tasks.
    """

    judge: str
    instructions: dict[str, str]
    texts: int
    read: int
    retried: int
    malformed: int
    no_reply: int
    from_journal: int
    files: tuple[str, ...]


def journal_folder() -> Path:
    """Return the folder that keeps the replies of judges and merging models (``SEMIOLOGY_CACHE``)."""
    return cache_directory() / "text_models"


def judge_runs(
    paths: Sequence[Path], asked: Asked, name: str, *, baselines: pd.DataFrame | None = None
) -> JudgingSummary:
    """Let a judge read every text of finished runs that a score depends on, and write what it read.

    ``name`` is how it is called in tables. The reports of published answers (``baselines``) on the same recordings
    are read too.

    Raises:
        ResultsError: there is no answer to a task with texts.
        TextModelError: the judge gives no replies.
    """
    results = read_s3_results(paths)
    if results is not None and baselines is not None:
        from semiology.reports.published.baselines import beside_s3

        results = beside_s3(results, baselines)
    texts = texts_to_read(results) if results is not None else TextsToRead()
    if not len(texts):
        raise ResultsError(
            f"{', '.join(map(str, paths))}: no text to read → a judge reads answers to s3_report, and to "
            "s3_justification where annotations.csv has the expert's `justification`"
        )
    readings = Readings(Maker(name, instruction_hashes()))
    with Journal(journal_folder()) as journal, RunProgress(title=f"{name} reads", noun="prompts") as progress:
        summary = _read_all(texts, asked, journal, progress, readings)
        kept = progress.tally.from_journal
    files = [_write(folder, readings) for folder in s3_folders(paths)]
    return JudgingSummary(
        name,
        dict(readings.judge.instructions),
        len(texts),
        **summary,
        from_journal=kept,
        files=tuple(map(str, files)),
    )


def _read_all(
    texts: TextsToRead, asked: Asked, journal: Journal, progress: RunProgress, readings: Readings
) -> dict[str, int]:
    """Read the texts into ``readings``; return the counts of the summary."""
    justifications, reports = list(texts.justifications), list(texts.reports)
    questions: list[Question[Any]] = [
        Question(justification_prompt(feature, text), partial(read_answers, feature))
        for feature, text in justifications
    ]
    questions += [Question(report_prompt(text), read_findings) for text in reports]
    outcomes = ask_all(questions, asked, journal, progress)
    named = [*justifications, *((None, text) for text in reports)]
    for (about, text), outcome in zip(named, outcomes, strict=True):
        digest = text_digest(text)
        if outcome.value is None:
            readings.unread.add(digest)
        elif about is None:
            readings.findings[digest] = outcome.value
        else:
            readings.answers[about, digest] = outcome.value
    states = [outcome.state for outcome in outcomes]
    return {
        "read": states.count("read"),
        "retried": sum(outcome.retried for outcome in outcomes),
        "malformed": states.count("malformed"),
        "no_reply": states.count("no_reply"),
    }


def _write(folder: Path, readings: Readings) -> Path:
    """Write readings beside a run, with what the same judge read there before."""
    before = read_readings(folder, [])
    whole = Readings(readings.judge)
    if before is not None and before.judge == readings.judge:
        whole.answers.update(before.answers)
        whole.findings.update(before.findings)
        whole.unread.update(before.unread)
    whole.answers.update(readings.answers)
    whole.findings.update(readings.findings)
    read = {digest for _, digest in whole.answers} | set(whole.findings)
    whole.unread = (whole.unread | readings.unread) - read
    return write_readings(folder, whole)
