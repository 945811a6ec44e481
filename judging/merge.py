"""A language model merges the window texts of finished runs, kept beside them for ``semiology report``."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from semiology.backends.journal import Journal
from semiology.backends.text.served import MAX_TOKENS, chosen_text_model, merge_choice
from semiology.judging.asking import Asked, replies_to
from semiology.judging.judge import journal_folder
from semiology.judging.model_choice import short_name
from semiology.judging.texts import merge_groups, s3_folders
from semiology.prompts.s3_library import load_task_prompts
from semiology.render.progress import RunProgress
from semiology.reports.read.lmms_eval_files import ResultsError
from semiology.reports.read.run_texts import Maker, MergedTexts, merge_key, read_merged, write_merged
from semiology.reports.read.s3_answers import read_s3_results
from semiology.tasks.s3.merging import merge_prompt


@dataclass(frozen=True)
class MergingSummary:
    """What a language model merged: groups of texts of several windows; those not merged are merged extractively.

    ``from_journal`` counts replies of earlier runs of the command; one file is written per folder with answers to
    S3 tasks.
    """

    model: str
    groups: int
    merged: int
    from_journal: int
    files: tuple[str, ...]


def merge_runs(paths: Sequence[Path], asked: Asked, name: str) -> MergingSummary:
    """Let a language model merge the texts of several windows as published, and write what it made of them.

    Raises:
        ResultsError: no run has answers to S3 tasks.
        TextModelError: the model gives no replies.
    """
    results = read_s3_results(paths)
    if results is None:
        raise ResultsError(f"{', '.join(map(str, paths))}: no answers to S3 tasks → run them first")
    groups = merge_groups(results)
    prompts = [merge_prompt(*group) for group in groups]
    with (
        Journal(journal_folder()) as journal,
        RunProgress(title=f"{name} merges", noun="prompts") as progress,
    ):
        replies = replies_to(prompts, asked, journal, progress)
        kept = progress.tally.from_journal
    instructions = {
        kind: hashlib.sha256(load_task_prompts(task).prompt("s3").text.encode()).hexdigest()
        for kind, task in (("justification", "merge_justifications"), ("report", "merge_reports"))
    }
    merged = MergedTexts(Maker(name, instructions))
    for group, prompt in zip(groups, prompts, strict=True):
        if text := replies.get(prompt, "").strip():
            merged.texts[merge_key(*group)] = text
    files = [_write(folder, merged) for folder in s3_folders(paths)] if groups else []
    return MergingSummary(name, len(groups), len(merged.texts), kept, tuple(map(str, files)))


def merge_as_chosen(folder: Path) -> MergingSummary | None:
    """Let the model of ``SEMIOLOGY_MERGE_MODEL`` merge the texts of one run; None where none is chosen.

    Raises:
        ResultsError: the run has no answers to S3 tasks.
        SettingsError: the variable is not understood, or its address is not allowed.
        TextModelError: the model gives no replies.
    """
    chosen, model = merge_choice(), chosen_text_model()
    if chosen is None or model is None:
        return None
    name, address = chosen
    settings = {"temperature": 0.0, "max_tokens": MAX_TOKENS}
    # As in `semiology merge`, so that neither asks what the other has asked.
    asked = Asked(model, f"{name}@{address.rstrip('/')}", settings)
    return merge_runs([folder], asked, short_name(name))


def _write(folder: Path, merged: MergedTexts) -> Path:
    """Write merged texts beside a run, with what the same model merged there before."""
    before = read_merged(folder, [])
    kept = before.texts if before is not None and before.model == merged.model else {}
    return write_merged(folder, MergedTexts(merged.model, {**kept, **merged.texts}))
