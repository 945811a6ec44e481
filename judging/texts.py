"""Which texts of finished runs a judge has to read, and which groups of texts are to be merged."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from semiology.judging.prompts import ANSWER_WORDS
from semiology.metrics.coverage import UNPARSED
from semiology.metrics.s3.merge_windows import extract
from semiology.metrics.s3.recording_answers import recording_answers
from semiology.metrics.s3.text.scores import is_compared
from semiology.reports.read.lmms_eval_files import S3_PREFIX, find_result_files
from semiology.reports.read.s3_answers import S3Results

TEXT_KINDS = ("justification", "report")


@dataclass
class TextsToRead:
    """Texts, each once, in a fixed order: justifications by feature and text, and reports."""

    justifications: dict[tuple[str, str], None] = field(default_factory=dict)
    reports: dict[str, None] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.justifications) + len(self.reports)


class MergeGroup(NamedTuple):
    """Texts on one recording that are to become one; as `semiology.metrics.s3.merge_windows.TextMerger`."""

    texts: tuple[str, ...]
    feature: str | None
    answer: str


def texts_to_read(results: S3Results) -> TextsToRead:
    """Return the merged texts and references that the scores of tasks 2 and 6 depend on.

    A justification counts only where the answer is right and the expert gave one: every other score is 0 or
    rests on nothing that is read.
    """
    texts = TextsToRead()
    for (kind, model), records in _by_run(results):
        rows = recording_answers(kind, records, results.texts.merger_of(model)).to_dict("records")
        for row in rows:
            answer, said = row["answer"], row.get("justification")
            if kind == "report":
                if isinstance(answer, str) and answer not in ("", UNPARSED):
                    texts.reports |= {answer: None, str(row["truth"]): None}
            # A missing text among others is NaN in a pandas frame of strings, which is true.
            elif (
                isinstance(said, str)
                and said
                and ANSWER_WORDS.get(row["feature"])
                and is_compared(answer, row["truth"], row["reference"])
            ):
                texts.justifications |= {(row["feature"], text): None for text in (said, row["reference"])}
    return texts


def merge_groups(results: S3Results) -> list[MergeGroup]:
    """Return the groups of window texts that a language model would merge, each once."""
    groups: dict[MergeGroup, None] = {}

    def collect(texts: Sequence[str], feature: str | None, answer: str) -> str:
        groups[MergeGroup(tuple(texts), feature, answer)] = None
        return extract(texts)

    for (kind, _), records in _by_run(results):
        recording_answers(kind, records, collect)
    return list(groups)


def s3_folders(paths: Sequence[Path]) -> list[Path]:
    """Return the folders among and below those given that hold answers to S3 tasks.

    Raises:
        ResultsError: a path does not exist.
    """
    runs = find_result_files(paths, [])
    return sorted({run.folder for run in runs if any(task.startswith(S3_PREFIX) for task in run.samples)})


def _by_run(results: S3Results) -> list[tuple[tuple[Any, str], list[Mapping[str, Any]]]]:
    runs: dict[tuple[str, ...], list[Mapping[str, Any]]] = defaultdict(list)
    for record in results.records:
        if record["kind"] in TEXT_KINDS:
            names = ("task", "model", "prompt_id", "enhancement")
            runs[tuple(record[name] for name in names)].append(record)
    return [((rows[0]["kind"], key[1]), rows) for key, rows in sorted(runs.items())]
