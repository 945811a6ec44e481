"""The sample of justifications that people rate, and the sheet on which they rate it.

Protocol of Zhang et al., EMBC 2025: justifications of correct answers only, all true positives of a feature
and as many of its true negatives, drawn at random. A case is a recording; a segment with the recording's
answer stands for it. Models are hidden from raters, and the order is mixed.
"""

from __future__ import annotations

import csv
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd

from semiology.data.cache import private_folder, written_whole
from semiology.data.owned_folder import owned_folder
from semiology.metrics.coverage import is_missing
from semiology.metrics.scores.aggregation import FIRST_SEGMENT_ONLY, recording_answers
from semiology.prompts.library import load_library
from semiology.render.text import neutral
from semiology.reports.read.asked import Asked
from semiology.reports.read.feature_answers import COLUMNS, Results, read_results
from semiology.reports.read.lmms_eval_files import NoAnswersError
from semiology.reports.read.s3_answers import S3Results, read_s3_results
from semiology.reports.review.subjects import JUSTIFICATION, SUBJECTS, Subject

CASES, KEY, SHEET = "cases.json", "key.csv", "ratings"
"""In a review folder: what is rated, which model said it, and the sheet to fill in (csv or xlsx)."""
FORMAT = "semiology review 1"
TASK_2 = "s3_justification"
LONGEST = 20_000
"""Characters of a justification that are shown; longer ones are cut, and say so."""
SHOWN = ("item", "feature", "question", "video_id", "start_s", "end_s", "answer", "justification")
"""What a rater may see of a case: not the model, not the patient."""
_RUN = ["model", "enhancement", "prompt_id", "prompt_hash"]


class ReviewError(ValueError):
    """A review cannot be drawn, read or served; the message says what to do."""


@dataclass(frozen=True)
class Case:
    """One justification to be rated.

    Attributes:
        item: id, the same for the same case in any draw.
        feature, question: what was asked. video_id: the recording. start_s, end_s: the segment.
        answer: yes or no, which is right. justification: what the model gave as its reason.
        kind: ``true positive`` or ``true negative``; of a report, whose expert's is the question: ``report``.
        model, enhancement, prompt_id, patient_id: kept in the key, hidden from raters.
    """

    item: str
    feature: str
    question: str
    video_id: str
    start_s: float
    end_s: float
    answer: str
    justification: str
    kind: Literal["true positive", "true negative", "report"]
    model: str
    enhancement: str
    prompt_id: str
    patient_id: str


@dataclass(frozen=True)
class Sample:
    """Cases to rate, in the order shown, and remarks on what could not be drawn.

    ``caveats`` limit what the ratings can say (simulated recordings, say) and stay with the review, as does the
    ``subject``: justifications or reports.
    """

    cases: tuple[Case, ...]
    notes: tuple[str, ...]
    seed: int
    caveats: tuple[str, ...] = ()
    subject: Subject = JUSTIFICATION


def read_justifications(runs: Sequence[Path]) -> Results:
    """Read the answers of feature tasks and of ``s3_justification`` in the folders given.

    Raises:
        NoAnswersError: there are none.
        ResultsError: a path is missing, or the runs are about different recording sets.
    """
    s3 = read_s3_results(runs)
    asked = _of_task_2(s3) if s3 is not None else None
    try:
        results = read_results(runs)
    except NoAnswersError:
        if asked is None:
            raise
        return asked
    if asked is None:
        return results
    both = pd.concat([results.answers, asked.answers], ignore_index=True)
    caveats = tuple(dict.fromkeys((*results.caveats, *asked.caveats)))
    return replace(results, answers=both, caveats=caveats, notes=(*results.notes, *asked.notes))


def _of_task_2(s3: S3Results) -> Results | None:
    found = [record for record in s3.records if record["task"] == TASK_2]
    if not found:
        return None
    rows = [{name: record.get(name) for name in COLUMNS} for record in found]
    for row in rows:
        # The same wording in two tasks is asked with and without a reason: two conditions.
        row["prompt_id"] = f"{row['prompt_id'] or 's3'} ({TASK_2})"
        row["prompt_hash"] = row["prompt_hash"] or ""
    return Results(pd.DataFrame(rows, columns=list(COLUMNS)), s3.caveats, s3.notes, s3.records_of_runs)


def draw_sample(
    results: Results, features: Sequence[str], *, seed: int = 0, most: int | None = None
) -> Sample:
    """Draw all true positives and as many true negatives of each model and feature.

    Args:
        results: answers with justifications (wordings that ask for JSON with a justification).
        features: those to draw.
        seed: of the draws and of the order.
        most: at most so many true positives of each model and feature, drawn too; None for all.

    Raises:
        ReviewError: no correct answer has a justification.
    """
    rng = np.random.default_rng(seed)
    rows = results.answers[results.answers["feature"].isin(features)]
    # A later segment has no say in a feature that looks at the first one.
    rows = rows[~rows["feature"].isin(FIRST_SEGMENT_ONLY) | (rows["segment"] == 0)]
    keys = [*_RUN, "video_id", "patient_id", "feature"]
    truths = recording_answers(rows)[[*keys, "answer", "truth"]]
    right = truths[(truths["answer"] == truths["truth"]) & truths["truth"].isin(["yes", "no"])]
    segments = rows.merge(right[[*keys, "answer"]], on=[*keys, "answer"])
    reasoned = segments[
        [not is_missing(text) and bool(str(text).strip()) for text in segments["justification"]]
    ]
    notes: list[str] = []
    cases: list[Case] = []
    for (model, enhancement, prompt, feature), group in reasoned.groupby(
        ["model", "enhancement", "prompt", "feature"], sort=True, dropna=False
    ):
        label = f"{Asked(str(model), str(prompt), str(enhancement)).label}, {feature}"
        cases += _drawn(group, label, rng, most, notes)
    lost = len(right) - len(reasoned[keys].drop_duplicates())
    if lost:
        notes.append(f"{lost} correct answers on recordings carry no justification → they cannot be rated")
    if not cases:
        raise ReviewError(
            "no correct answer has a justification → ask with a wording that wants one (answer format "
            "yes_no_json)"
        )
    order = rng.permutation(len(cases))
    return Sample(tuple(cases[i] for i in order), tuple(notes), seed, tuple(results.caveats))


def write_review(sample: Sample, folder: Path, *, form: Literal["csv", "xlsx"] = "csv") -> list[Path]:
    """Write cases, key and rating sheet into a folder that its owner alone may read.

    Raises:
        ReviewError: the folder holds another review, whose ratings would be orphaned.
        FolderError: it cannot be written, or another process writes there.
    """
    content = {
        "format": FORMAT,
        "seed": sample.seed,
        "caveats": list(sample.caveats),
        **({} if sample.subject is JUSTIFICATION else {"subject": sample.subject.name}),
        "cases": [asdict(case) for case in sample.cases],
    }
    text = json.dumps(content, indent=1, ensure_ascii=False) + "\n"
    target = folder / CASES
    if target.exists() and target.read_text(encoding="utf-8") != text:
        raise ReviewError(f"{folder}: holds another review → choose a new folder, so that no rating is lost")
    private_folder(folder)
    with owned_folder(folder):
        return _write_files(sample, folder, text, form)


def _write_files(sample: Sample, folder: Path, text: str, form: str) -> list[Path]:
    """Write cases, key and rating sheet, each whole."""
    target = folder / CASES
    with written_whole(target) as part:
        part.write_text(text, encoding="utf-8")
    hidden = ("item", "model", "enhancement", "prompt_id", "patient_id", "kind")
    with written_whole(folder / KEY) as part:
        _write_csv(part, hidden, [[getattr(case, name) for name in hidden] for case in sample.cases])
    sheet = folder / f"{SHEET}.{form}"
    if not sheet.exists():  # a sheet may be half filled in
        columns = [*sample.subject.columns.values(), "rating", "comment"]
        rows = [[*(getattr(case, name) for name in sample.subject.columns), "", ""] for case in sample.cases]
        with written_whole(sheet) as part:
            (_write_xlsx if form == "xlsx" else _write_csv)(part, columns, rows)
    return [target, folder / KEY, sheet]


def read_sample(folder: Path) -> Sample:
    """Read the cases of a review folder with what limits their ratings; remarks of the draw are not kept.

    Raises:
        ReviewError: there are none, or the file is not ours.
    """
    path = folder / CASES
    if not path.is_file():
        raise ReviewError(f"{path}: there is no such file → `semiology review export` draws a sample")
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        if content["format"] != FORMAT:
            raise ValueError(f"of the format {content['format']!r}, not {FORMAT!r}")
        names = {field.name for field in fields(Case)}
        cases = tuple(Case(**{key: case[key] for key in names}) for case in content["cases"])
        caveats = tuple(map(str, content.get("caveats", ())))
        subject = SUBJECTS[content.get("subject", JUSTIFICATION.name)]
        return Sample(cases, (), int(content["seed"]), caveats, subject)
    except (ValueError, KeyError, TypeError) as error:
        raise ReviewError(f"{path}: is no file of cases ({error}) → export again") from error


def question_text(feature: str, prompt_id: str) -> str:
    """Return the question as it was worded, or its id where the library does not know it."""
    try:
        return load_library().feature(feature).prompt(prompt_id.partition(" ")[0]).text
    except (KeyError, ValueError):
        return f"{feature} (wording {prompt_id})"


def _drawn(
    group: pd.DataFrame, label: str, rng: np.random.Generator, most: int | None, notes: list[str]
) -> list[Case]:
    picked: list[Case] = []
    positives = _one_segment_each(group[group["answer"] == "yes"], rng)
    negatives = _one_segment_each(group[group["answer"] == "no"], rng)
    if most is not None and len(positives) > most:
        positives = positives.iloc[np.sort(rng.choice(len(positives), most, replace=False))]
    wanted = min(len(positives), len(negatives))
    if wanted < len(positives):
        notes.append(
            f"{label}: {len(positives)} true positives, only {wanted} true negatives to set beside them"
        )
    if wanted:
        negatives = negatives.iloc[np.sort(rng.choice(len(negatives), wanted, replace=False))]
        picked += [_case(row, "true negative") for row in negatives.to_dict("records")]
    return picked + [_case(row, "true positive") for row in positives.to_dict("records")]


def _one_segment_each(rows: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    """Keep one segment of each recording, drawn at random."""
    ordered = rows.sort_values(["video_id", "segment"], kind="stable")
    mixed = ordered.iloc[rng.permutation(len(ordered))]
    return mixed.drop_duplicates("video_id").sort_values("video_id", kind="stable")


def _case(row: Mapping[Any, Any], kind: Literal["true positive", "true negative"]) -> Case:
    parts = [str(row[name]) for name in (*_RUN, "feature", "video_id", "segment")]
    digest = hashlib.sha256("\n".join(parts).encode()).hexdigest()
    text = str(row["justification"])
    cut = f"{text[:LONGEST]} […]" if len(text) > LONGEST else text
    start, end = (0.0 if is_missing(row[k]) else round(float(row[k]), 3) for k in ("start_s", "end_s"))
    names = ("feature", "video_id", "answer", "model", "enhancement", "prompt_id", "patient_id")
    return Case(
        # A letter in front: spreadsheets take 120034567890 or 12345e678901 for numbers and round them.
        item=f"r{digest[:12]}",
        question=question_text(str(row["feature"]), str(row["prompt_id"])),
        start_s=start,
        end_s=end,
        justification=cut,
        kind=kind,
        **{name: str(row[name]) for name in names},
    )


def _write_csv(path: Path, columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    # The byte order mark makes spreadsheets read umlauts and other scripts rightly.
    with path.open("w", encoding="utf-8-sig", newline="") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(columns)
        writer.writerows([neutral(cell) for cell in row] for row in rows)


def _write_xlsx(path: Path, columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    from openpyxl import Workbook
    from openpyxl.styles import Alignment, Font
    from openpyxl.worksheet.datavalidation import DataValidation

    book = Workbook()
    sheet = book.active
    sheet.title = "ratings"
    sheet.append(list(columns))
    for row in rows:
        sheet.append([neutral(cell) for cell in row])
    sheet.freeze_panes = "A2"
    widths = {
        "question": 50,
        "justification": 90,
        "report": 90,
        "expert_report": 90,
        "comment": 40,
        "feature": 22,
    }
    for number, name in enumerate(columns, start=1):
        sheet.cell(1, number).font = Font(bold=True)
        sheet.column_dimensions[sheet.cell(1, number).column_letter].width = widths.get(name, 14)
    for cells in sheet.iter_rows(min_row=2):
        for cell in cells:
            cell.alignment = Alignment(wrap_text=True, vertical="top")
    rule = DataValidation(type="whole", operator="between", formula1="1", formula2="5", allow_blank=True)
    rule.error, rule.errorTitle = "Whole numbers from 1 (wrong) to 5 (fully correct)", "Rating"
    sheet.add_data_validation(rule)
    letter = sheet.cell(1, columns.index("rating") + 1).column_letter
    rule.add(f"{letter}2:{letter}{len(rows) + 1}")
    book.save(path)
