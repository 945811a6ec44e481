"""Everything that `semiology report --out DIR` writes: page, tables, figures and provenance."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from semiology.data.cache import private_folder, write_texts
from semiology.data.owned_folder import written_together
from semiology.data.protection.splits import TEST
from semiology.features import FEATURES
from semiology.render.table import Document, Table, csv_of, markdown, table_csv
from semiology.render.text import json_text
from semiology.reports.compare.enhancements import enhancement_effects
from semiology.reports.figures import figure_files
from semiology.reports.inputs import ReportInputs
from semiology.reports.page.content import ReportScores, page_content
from semiology.reports.page.lineage import read_lineages
from semiology.reports.page.recordings import recording_set_facts
from semiology.reports.page.writing import MAX_BYTES, render_page
from semiology.reports.provenance import provenance
from semiology.reports.read.run_provenance import run_provenances
from semiology.reports.s3_figures import s3_figure_files
from semiology.reports.summary.features import Summary, labelled_recordings, summarise
from semiology.reports.summary.probabilities import probability_summaries, write_probabilities
from semiology.reports.summary.run_labels import shown_runs
from semiology.reports.summary.s3 import S3Summary, summarise_s3
from semiology.reports.summary.s3_cases import case_tables
from semiology.reports.summary.s3_timelines import TIMELINES, TimeLine, time_line_rows, time_lines
from semiology.reports.summary.wordings import wording_strips
from semiology.reports.tables.features import write_files
from semiology.reports.tables.page_tables import content_tables, published_layouts
from semiology.reports.tables.s3 import write_s3_files

if TYPE_CHECKING:
    from semiology.metrics.s3.text.bertscore import BertSimilarity

PAGE = "report.html"
PROVENANCE = "provenance.json"
TABLES = "tables"
FIGURES = "figures"
CASES = "cases"
KEEP_LOCAL = "KEEP_LOCAL.txt"
LOCAL_NOTE = (
    "These tables hold texts of experts and of models and the recordings' own ids. Keep this folder on the machine of "
    "the recordings, and take it out before you pass the report on.\n"
)
FEW_RESAMPLES = 100
"""Enough where only the values are printed."""


@dataclass(frozen=True)
class ReportOptions:
    """What a report holds beside the scores.

    Attributes:
        title: of the page.
        data: folder of the recording set, for the times of features; None without.
        videos: link the set's videos by relative paths.
        keep_ids: show recordings under their own ids even if these are not opaque.
        lineage: files or folders of searches for wordings.
        command: the words of the command, for the record.
        rehab: section on stroke rehabilitation (`semiology.reports.strokerehab.write.section_of`); None without.
        similarity: gives BERTScore of single texts; None without.
        subgroups: tables of subgroups, by `semiology.reports.tables.subgroups`.
        layouts: further tables in the layouts of publications.
    """

    title: str = "Seizure semiology report"
    data: Path | None = None
    videos: bool = False
    keep_ids: bool = False
    lineage: Sequence[Path] = ()
    command: Sequence[str] = ()
    rehab: Mapping[str, Any] | None = None
    similarity: BertSimilarity | None = None
    subgroups: Sequence[Document] = ()
    layouts: Sequence[Table] = ()


def write_report(
    out: Path,
    paths: Sequence[Path],
    inputs: ReportInputs,
    features: Summary | None,
    s3: S3Summary | None,
    options: ReportOptions,
) -> list[Path]:
    """Write page, tables, figures and provenance into a folder; return the paths of what was written.

    Args:
        out: the folder.
        paths: the runs, as given.
        inputs: their answers. features, s3: their scores.
        options: what else the report holds.

    Raises:
        ValueError: the recording set has faults.
    """
    scores = report_scores(out, paths, inputs, features, s3, options)
    content, data = page_content(
        scores, title=options.title, software=version("semiology-eval"), keep_ids=options.keep_ids
    )
    page = render_page(content, data)
    if len(page.encode("utf-8")) > MAX_BYTES:
        data, content = _without_texts(data, content)
        page = render_page(content, data)
    answers = scores.results.answers if scores.results else None
    layouts = published_layouts(features, s3, _of_test_split(inputs, scores), scores.records, options.layouts)
    with written_together(out):
        written = write_files(features, out) if features else []
        written += write_probabilities(scores.probabilities, out, scores.choice)
        written += write_s3_files(s3, out) if s3 else []
        written += _write_cases(scores.cases, out / CASES)
        written += write_texts(
            content_tables(content) | layouts | _documents(options.subgroups), out / TABLES
        )
        written += write_texts(figure_files(content) | s3_figure_files(content, s3), out / FIGURES)
        written = [*write_texts({PAGE: page}, out), *written]
        record = provenance(scores.provenance, answers, features, s3, options.command)
        record["files"] = sorted(path.relative_to(out).as_posix() for path in written)
        _remove_older(out, set(record["files"]))
        written += write_texts({PROVENANCE: json_text(record) + "\n"}, out)
    return written


def _write_cases(cases: Mapping[str, Sequence[Mapping[str, Any]]], folder: Path) -> list[Path]:
    """Write the S3 tasks case by case into a folder that its owner alone may read; nothing where none was asked."""
    if not cases:
        return []
    private_folder(folder)
    texts = {f"cases_{task}.csv": csv_of(rows) for task, rows in sorted(cases.items())}
    return write_texts(texts | {KEEP_LOCAL: LOCAL_NOTE}, folder)


def _documents(documents: Sequence[Document]) -> dict[str, str]:
    """Return each document as Markdown, and each of its tables as CSV, by file name."""
    files = {f"{each.title.lower().replace(' ', '_')}.md": markdown(each) for each in documents}
    tables = [part for each in documents for part in each.parts if isinstance(part, Table)]
    return files | {f"{table.stem}.csv": table_csv(table) for table in tables}


def _remove_older(out: Path, written: set[str]) -> None:
    """Remove what an earlier report in this folder wrote and this one did not, lest two reports mix."""
    try:
        earlier = json.loads((out / PROVENANCE).read_text(encoding="utf-8"))["files"]
        stale = [name for name in earlier if re.fullmatch(r"((tables|figures|cases)/)?[\w-]+\.\w+", name)]
    except (OSError, ValueError, KeyError, TypeError):
        return
    for name in set(stale) - written:
        (out / name).unlink(missing_ok=True)


def _of_test_split(
    inputs: ReportInputs, scores: ReportScores
) -> tuple[Summary | None, S3Summary | None] | None:
    """Return the scores on the split ``test`` of the recording set; None where it has none."""
    videos = {
        video for video, split in (scores.facts.splits if scores.facts else {}).items() if split == TEST
    }
    if not videos:
        return None
    features = s3 = None
    if scores.results is not None and scores.features is not None:
        answers = scores.results.answers
        part = replace(scores.results, answers=answers[answers["video_id"].isin(videos)])
        if len(part.answers):
            features = summarise(part, policy=scores.features.policy, resamples=FEW_RESAMPLES)
    if inputs.s3 is not None:
        records = tuple(record for record in inputs.s3.records if record["video_id"] in videos)
        if records:
            s3 = summarise_s3(replace(inputs.s3, records=records), resamples=FEW_RESAMPLES)
    return features, s3


def report_scores(
    out: Path,
    paths: Sequence[Path],
    inputs: ReportInputs,
    features: Summary | None,
    s3: S3Summary | None,
    options: ReportOptions,
) -> ReportScores:
    """Return everything that the files are made from; arguments as in `write_report`."""
    records: dict[str, Mapping[str, Any]] = dict(inputs.s3.records_of_runs if inputs.s3 else {})
    facts = None
    if options.data is not None:
        facts = recording_set_facts(options.data, out, with_videos=options.videos)
    made = run_provenances(paths) if paths else []
    lineage = read_lineages(options.lineage)
    results = inputs.features
    cases: dict[str, list[dict[str, Any]]] = {}
    lines: tuple[TimeLine, ...] = ()
    if inputs.s3:
        cases = case_tables(inputs.s3, results, options.similarity)
        lines = time_lines(inputs.s3, *((facts.bars, facts.lengths) if facts else ()))
        cases |= {TIMELINES: time_line_rows(lines)} if lines else {}
    if results is None or features is None:
        return ReportScores(
            results,
            *(features, s3, None, (), (), (), records, made, lineage, facts),
            rehab=options.rehab,
            subgroups=options.subgroups,
            cases=cases,
            timelines=lines,
        )
    records |= results.records
    known = results.answers["feature"].isin(FEATURES)
    results = replace(results, answers=results.answers[known])
    recordings = labelled_recordings(results.answers)
    drawing: dict[str, Any] = {name: getattr(features, name) for name in ("policy", "resamples", "seed")}
    return ReportScores(
        results,
        features,
        s3,
        recordings,
        shown_runs(features.runs, records),
        wording_strips(results.answers, recordings, **drawing),
        enhancement_effects(recordings, policy=features.policy, seed=features.seed),
        records,
        made,
        lineage,
        facts,
        probability_summaries(results, inputs.choice),
        inputs.choice,
        options.rehab,
        options.subgroups,
        cases,
        lines,
    )


def _without_texts(data: dict[str, Any], content: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Leave out what models wrote, and say so, where a page would grow too large to open at once."""
    count = sum(
        len(windows)
        for features in data.get("texts", {}).values()
        for recordings in features.values()
        for windows in recordings.values()
    )
    left_out = data.get("texts_left_out", 0) + count
    return data | {"texts": {}, "texts_left_out": left_out}, content | {"texts_left_out": left_out}
