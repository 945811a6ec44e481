"""Answers of readers as result files, each reader one more model that is marked as a person, and their agreement.

The files are laid out as lmms-eval's, so that `report`, `compare` and the page take them beside runs of models.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pandas as pd

from semiology.data.cache import private_folder, written_whole
from semiology.metrics.scores.aggregation import recording_answers
from semiology.render.text import counted
from semiology.reports.agreement.annotators import AnnotatorAgreement, RatingsError, agreement_of
from semiology.reports.read.lmms_eval_files import FEATURE_KEY, HUMAN_READER, RESULTS
from semiology.reports.review.readers.answers import CHOICES, STORE, Answer, AnswerStore
from semiology.reports.review.readers.study import Item, Study, read_study
from semiology.reports.review.sheet import ReviewError

LABEL = "human reader"
CANNOT_TELL = "cannot_tell"


@dataclass(frozen=True)
class ReaderAnswers:
    """What one reader answered.

    Attributes:
        reader: name. answers: all that were given, by item.
        whole: items of recordings and features whose every segment was answered; only these count.
        asked: how many items there are.
    """

    reader: str
    answers: Mapping[str, Answer]
    whole: tuple[Item, ...]
    asked: int

    @property
    def sentence(self) -> str:
        """How far the reader came, how long it took, and what is left out."""
        seconds = [each.seconds for each in self.answers.values()]
        unsure = sum(each.answer == CANNOT_TELL for each in self.answers.values())
        told = (
            f"{LABEL} {self.reader}: {len(seconds)} of {counted(self.asked, 'question')} answered, {unsure} of them "
            f"by 'cannot tell'; median {pd.Series(seconds).median():.1f} s"
        )
        if len(seconds) == self.asked:
            return told
        lost = len(seconds) - len(self.whole)
        return f"{told}; stopped half-way: {lost} answers on recordings not answered whole are left out"


def read_answers(folders: Sequence[Path]) -> tuple[Study, list[ReaderAnswers]]:
    """Read the answers of a study, of which further folders may be copies on other machines.

    Raises:
        ReviewError: a folder holds no study or another one, two readers have one name, or nobody answered.
    """
    study = read_study(folders[0])
    found: dict[str, tuple[Path, list[Answer]]] = {}
    known = {item.item for item in study.items}
    for folder in folders:
        if read_study(folder) != study:
            raise ReviewError(f"{folder}: is another study than {folders[0]} → import each by itself")
        if not (folder / STORE).is_file():
            continue
        store = AnswerStore(folder)
        given = [answer for answer in store.latest() if answer.item in known]
        store.close()
        for reader in sorted({answer.reader for answer in given}):
            if reader in found:
                raise ReviewError(
                    f"{folder}: reader {reader!r} answered in {found[reader][0]} too → two readers need two names; "
                    "if it is one person, give one of the folders"
                )
            found[reader] = (folder, [answer for answer in given if answer.reader == reader])
    if not found:
        raise ReviewError(
            f"{folders[0]}: nobody has answered anything yet → semiology review serve {folders[0]} --rater INITIALS"
        )
    return study, [_of_reader(study, reader, given) for reader, (_, given) in sorted(found.items())]


def write_results(study: Study, readers: Sequence[ReaderAnswers], out: Path) -> list[Path]:
    """Write the answers of each reader as one run; return the folders. A reader without a whole recording has none.

    Raises:
        ReviewError: no reader has answered a recording whole.
    """
    private_folder(out)
    written = []
    for reader in readers:
        if reader.whole:
            folder = out / f"human_reader_{reader.reader}"
            private_folder(folder)
            _write_run(study, reader, folder)
            written.append(folder)
    if not written:
        raise ReviewError("no reader has answered every segment of a recording → nothing can be scored yet")
    return written


def reader_agreement(
    readers: Sequence[ReaderAnswers], *, resamples: int, seed: int = 0
) -> AnnotatorAgreement | None:
    """Return how far readers agree about recordings, patient-clustered; None where no two answered one.

    'Cannot tell' is no category: a recording without a yes in which a segment was so answered is missing.
    """
    tables: dict[str, pd.DataFrame] = {}
    for reader in readers:
        if reader.whole:
            segments = pd.DataFrame([_record(item, reader.answers[item.item]) for item in reader.whole])
            answers = recording_answers(segments)
            answers = answers[answers["answer"] != "unparsed"]
            tables[reader.reader] = answers.rename(columns={"answer": "present"})
    if len(tables) < 2:
        return None
    try:
        return agreement_of(tables, resamples=resamples, seed=seed)
    except RatingsError:  # no recording in common
        return None


def _of_reader(study: Study, reader: str, given: Sequence[Answer]) -> ReaderAnswers:
    answers = {answer.item: answer for answer in given}
    open_ = {(item.video_id, item.feature) for item in study.items if item.item not in answers}
    whole = tuple(item for item in study.items if (item.video_id, item.feature) not in open_)
    return ReaderAnswers(reader, answers, whole, len(study.items))


def _record(item: Item, answer: Answer) -> dict[str, Any]:
    unsure = answer.answer == CANNOT_TELL
    names = (
        "feature",
        "prompt_id",
        "prompt_hash",
        "video_id",
        "patient_id",
        "segment",
        "start_s",
        "end_s",
        "truth",
    )
    return {
        **{name: getattr(item, name) for name in names},
        "enhancement": "none",
        "answer": "unparsed" if unsure else answer.answer,
        "raw": CHOICES[answer.answer],
        "justification": None,
        "unparsed_because": "unknown" if unsure else None,
        "seconds": answer.seconds,
    }


def _write_run(study: Study, reader: ReaderAnswers, folder: Path) -> None:
    stamp = datetime.now(timezone.utc).strftime("%Y%m%d_%H%M%S")
    for old in folder.glob(
        f"*{RESULTS}"
    ):  # the same reader imported again: the newer answers hold all of the older
        for file in folder.glob(f"{old.name.removesuffix(RESULTS)}_*"):
            file.unlink()
    features = sorted({item.feature for item in reader.whole})
    configs: dict[str, Any] = {}
    counts: dict[str, Any] = {}
    for feature in features:
        items = [item for item in reader.whole if item.feature == feature]
        lines = []
        for number, item in enumerate(items):
            record = _record(item, reader.answers[item.item])
            sample = {
                "doc_id": number,
                "target": item.truth,
                "filtered_resps": record["raw"],
                "input": item.question,
            }
            lines.append(json.dumps({**sample, FEATURE_KEY: record}) + "\n")
        task = f"semiology_{feature}"
        with written_whole(folder / f"{stamp}_samples_{task}.jsonl") as part:
            part.write_text("".join(lines), encoding="utf-8")
        sound = "array" if items[0].heard else "none"
        configs[task] = {"task": task, "metadata": {**study.about.get(feature, {}), "sound": sound}}
        counts[task] = {"original": len(items), "effective": len(items)}
    content = {
        "results": {task: {} for task in configs},
        "configs": configs,
        "n-samples": counts,
        "config": {
            "model": HUMAN_READER,
            "model_args": "",
            "reader": {"answered": len(reader.answers), "asked": reader.asked},
        },
        "model_name": f"{LABEL} {reader.reader}",
    }
    with written_whole(folder / f"{stamp}{RESULTS}") as part:
        part.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
