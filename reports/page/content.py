"""The content of the page: every section's values, and the data that its script reads."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import pandas as pd

from semiology.metrics.scores.aggregation import THREE_CLASSES
from semiology.render.table import Document
from semiology.render.text import counted
from semiology.reports.checklists.filled import checklist_items
from semiology.reports.compare.enhancements import EnhancementEffect
from semiology.reports.page.certainty import certainty_content
from semiology.reports.page.charts import page_charts
from semiology.reports.page.confusions import agreement_rows, confusion_rows
from semiology.reports.page.documents import shown_document
from semiology.reports.page.methods import method_paragraphs
from semiology.reports.page.prompt_texts import prompt_rows
from semiology.reports.page.recordings import RecordingSetFacts, opaque_names, recording_data
from semiology.reports.page.score_cells import METRICS, headline_rows, heatmap_rows, tested_cells
from semiology.reports.page.sections import case_sections, enhancement_sections, s3_sections, wording_sections
from semiology.reports.page.timelines import time_line_figures
from semiology.reports.page.verdicts import TRUSTED, example_errors, verdict_sections
from semiology.reports.read.feature_answers import Results
from semiology.reports.read.path_scrubbing import without_paths
from semiology.reports.summary.features import Summary
from semiology.reports.summary.probabilities import NONE_RECORDED, Choice, FeatureProbabilities
from semiology.reports.summary.run_labels import ShownRun
from semiology.reports.summary.s3 import S3Summary
from semiology.reports.summary.s3_timelines import TimeLine
from semiology.reports.summary.wordings import ModelWordings

SIMULATED_STAMP = "Simulated recordings: these numbers say nothing about patients."
EMBEDDED_STAMP = "“embedded model” marks the small models of this package, made to try the software."
SECTIONS = (
    ("answers", "Answers", "verdicts"),
    ("headline", "Headline", "headline"),
    ("heatmap", "Features", "heatmap"),
    ("wordings", "Wordings", "wordings"),
    ("enhancements", "Enhancements", "enhancements"),
    ("certainty", "Certainty", "certainty"),
    ("subgroups", "Subgroups", "subgroups"),
    ("prompts", "Prompts", "asked_or_searched"),
    ("matrix", "Matrix", "matrix"),
    ("recordings", "Recordings", "n_recordings"),
    ("errors", "Right and wrong", "confusions"),
    ("s3", "S³ tasks", "s3"),
    ("rehab", "Stroke rehabilitation", "rehab"),
    ("methods", "Methods", "methods"),
)
"""Id, name, and the content without which it is left out."""
NO_FEATURES = "No run of a feature task is in this report."
ABSENT = {
    "answers": NO_FEATURES,
    "headline": NO_FEATURES,
    "heatmap": NO_FEATURES,
    "wordings": "No model was asked the same question in several wordings; `semiology sweep` does that.",
    "enhancements": "No enhancement (pose overlay, face crop, denoised sound, transcript) was asked beside the plain "
    "question.",
    "certainty": NONE_RECORDED,
    "subgroups": "No subgroups were asked for (`semiology report … --data DIR --by COLUMN`), and no control video "
    "(`diagnosis` none) was.",
    "prompts": "The answers do not say which text was sent (published answers do not).",
    "matrix": NO_FEATURES,
    "recordings": NO_FEATURES,
    "errors": NO_FEATURES,
    "s3": "No S³ task was run; `semiology run --tasks s3` asks them.",
    "rehab": "No stroke-rehabilitation task was run; `semiology run --tasks strokerehab` asks them.",
}
"""What is said of a section that is left out."""


@dataclass(frozen=True)
class ReportScores:
    """Everything that was read and scored for one report.

    Attributes:
        results: answers on features; None without.
        features, s3: scores.
        recordings: answers to recordings, as scored; None without features.
        runs: features' runs in the order of the page.
        wordings, effects: what wordings and enhancements change.
        records: facts of the runs by model. provenance: of `run_provenances`.
        lineage: searches for wordings, ready to show.
        facts: of the recording set, if given.
        probabilities: what P(yes) is worth, where it was recorded. choice: on whom its thresholds are chosen.
        rehab: section on stroke rehabilitation. subgroups: tables of subgroups.
    """

    results: Results | None
    features: Summary | None
    s3: S3Summary | None
    recordings: pd.DataFrame | None
    runs: tuple[ShownRun, ...]
    wordings: tuple[ModelWordings, ...]
    effects: tuple[EnhancementEffect, ...]
    records: Mapping[str, Mapping[str, Any]]
    provenance: Sequence[Mapping[str, Any]]
    lineage: Sequence[Mapping[str, Any]] = ()
    facts: RecordingSetFacts | None = None
    probabilities: tuple[FeatureProbabilities, ...] = ()
    choice: Choice = field(default_factory=Choice)
    rehab: Mapping[str, Any] | None = None
    subgroups: Sequence[Document] = ()
    cases: Mapping[str, Sequence[Mapping[str, Any]]] = field(default_factory=dict)
    timelines: tuple[TimeLine, ...] = ()


def page_content(
    scores: ReportScores, *, title: str, software: str, keep_ids: bool = False
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return what the templates show, and what the script reads.

    Args:
        scores: of `semiology.reports.write`.
        title: of the page.
        software: version of this package.
        keep_ids: show recordings under their own ids even if these are not opaque.
    """
    recordings = None if scores.recordings is None else with_run(scores.recordings, scores.runs, "prompt_id")
    asked = {} if recordings is None else _asked(recordings)
    heatmap, headline = heatmap_rows(scores.runs, asked), headline_rows(scores.runs, asked, scores.provenance)
    if scores.results is None or recordings is None:
        data: dict[str, Any] = {name: {} for name in ("answers", "truth", "windows", "times", "texts")}
        data, renamed, errors = data | {"recordings": [], "features": []}, False, {}
    else:
        names, renamed = opaque_names(recordings, keep=keep_ids)
        segments = with_run(scores.results.answers, scores.runs, "prompt")
        data = recording_data(scores.runs, segments, recordings, names, scores.facts)
        errors = example_errors(recordings, scores.runs, data, names)
    shown = [
        {"key": r.key, "label": r.label, "main": r.main, "marks": list(r.marks), "prompt": r.summary.prompt}
        for r in scores.runs
    ]
    data |= {"runs": shown, "metrics": dict(METRICS), "cells": _cells(heatmap)}
    prompts = (
        []
        if scores.results is None
        else prompt_rows(scores.results.answers, scores.runs, scores.results.questions)
    )
    confusions = [] if recordings is None else confusion_rows(recordings, scores.runs)
    data["prompts"] = _texts_of_wordings(prompts, scores.runs)
    told = [summary for summary in (scores.features, scores.s3) if summary is not None]
    content: dict[str, Any] = {
        "title": title,
        "subtitle": _subtitle(scores),
        "software": software,
        "stamp": _stamp(scores),
        "caveats": list(dict.fromkeys(text for summary in told for text in summary.caveats)),
        "long_notes": list(dict.fromkeys(without_paths(text) for summary in told for text in summary.notes)),
        "runs": scores.runs,
        "main_count": sum(run.main for run in scores.runs),
        "verdicts": verdict_sections(scores.runs, confusions, scores.wordings, prompts, errors),
        "trusted": TRUSTED,
        "matrix": len(data["recordings"]) and len(data["runs"]),
        "headline": headline,
        "headline_groups": len({row["group"] for row in headline}),
        "heatmap": heatmap,
        "tested": tested_cells(heatmap, scores.runs),
        "metrics": METRICS,
        "wordings": wording_sections(scores.wordings, scores.records),
        "enhancements": enhancement_sections(scores.effects, scores.records),
        "certainty": certainty_content(scores.probabilities, scores.runs, scores.choice),
        "prompts": prompts,
        "lineage": scores.lineage,
        "asked_or_searched": bool(prompts or scores.lineage),
        "n_recordings": len(data.get("recordings", ())),
        "renamed": renamed,
        "has_bars": bool(data.get("bars")),
        "has_videos": bool(data.get("videos")),
        "texts_left_out": data.get("texts_left_out", 0),
        "windows_left_out": data.get("windows_left_out", []),
        "three_classes": any(row["feature"] in THREE_CLASSES for row in heatmap),
        "confusions": confusions,
        "agreement": [] if recordings is None else agreement_rows(recordings, scores.runs),
        "s3": [] if scores.s3 is None else s3_sections(scores.s3, scores.records),
        **_case_content(scores, keep=keep_ids),
        "rehab": scores.rehab,
        "subgroups": [shown_document(each) for each in scores.subgroups],
        "provenance": scores.provenance,
    }
    filled = [name for name in ("wordings", "enhancements") if content[name]]
    content["methods"] = method_paragraphs(scores.results, scores.features, scores.s3, filled)
    content["checklist"] = [asdict(item) for item in _checklist(scores, content)]
    content["sections"] = [(key, title, bool(content[holds])) for key, title, holds in SECTIONS]
    data["charts"] = content["charts"] = page_charts(content)
    return content | {"absent": ABSENT}, data


def _case_content(scores: ReportScores, *, keep: bool) -> dict[str, Any]:
    """Return the S3 tasks case by case and their time lines; neither where recordings have no name to show."""
    called = _names_of_cases(scores, keep=keep)
    return {
        "cases": case_sections(scores.cases, called) if called else {},
        "timelines": time_line_figures(scores.timelines, called) if called else {},
        "cases_hidden": bool(not called and any(scores.cases.values())),
    }


def _names_of_cases(scores: ReportScores, *, keep: bool) -> Mapping[str, str]:
    """Return what the recordings of the S3 tasks are called: as elsewhere on the page; {} where that cannot be."""
    import pandas as pd

    rows = [row for each in scores.cases.values() for row in each]
    if not rows:
        return {}
    own = pd.DataFrame([{name: row[name] for name in ("video_id", "patient_id")} for row in rows])
    whole = own if scores.recordings is None else scores.recordings
    names, _ = opaque_names(whole, keep=keep)
    if not set(own["video_id"]) <= set(names):  # new names would clash with those of the other sections
        names, renamed = opaque_names(own, keep=keep)
        if renamed:
            return {}
    return names


def _cells(heatmap: Sequence[Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
    """Return the cells of the heatmap by run and feature."""
    cells: dict[str, dict[str, Any]] = {}
    for row in heatmap:
        for cell in filter(None, row["cells"]):
            cells.setdefault(cell["run"], {})[row["feature"]] = cell
    return cells


def _texts_of_wordings(prompts: Sequence[Mapping[str, Any]], runs: Sequence[ShownRun]) -> dict[str, str]:
    """Return the text of each wording and feature that a run was scored on, by both names."""
    wordings = {(run.summary.prompt, each.feature) for run in runs for each in run.summary.scores.features}
    return {
        f"{row['label']}\n{row['feature']}": row["text"]
        for row in prompts
        if row["text"] is not None and (row["label"], row["feature"]) in wordings
    }


def with_run(rows: pd.DataFrame, runs: Sequence[ShownRun], wording: str) -> pd.DataFrame:
    """Return the rows of the runs shown, with the key of their run as ``run``.

    Args:
        rows: with columns model and enhancement. runs: those shown.
        wording: name of the column with the label of the wording.
    """
    names = ["model", wording, "enhancement"]
    keys = [(r.summary.model, r.summary.prompt, r.summary.enhancement, r.key) for r in runs]
    return rows.merge(pd.DataFrame(keys, columns=[*names, "run"]), on=names)


def _asked(recordings: pd.DataFrame) -> dict[tuple[str, str], int]:
    """Return how many recordings could have been asked about, by key of a run and feature.

    That is how many any run was asked about that shares a recording with it: published answers about another
    set do not make a run partial. Features that such a run was asked about and this one was not count too.
    """
    asked: dict[str, dict[str, frozenset[str]]] = {}
    everything: dict[str, frozenset[str]] = {}
    for (feature, key), videos in recordings.groupby(["feature", "run"], observed=True)["video_id"]:
        own = frozenset(map(str, videos))
        asked.setdefault(str(feature), {})[str(key)] = own
        everything[str(key)] = everything.get(str(key), frozenset()) | own
    found = {}
    for feature, by_run in asked.items():
        distinct = set(by_run.values())
        for key, mine in everything.items():
            own = by_run.get(key, mine)
            shared = len(frozenset().union(*(each for each in distinct if each & own)))
            if shared:
                found[key, feature] = shared
    return found


def _subtitle(scores: ReportScores) -> str:
    models = {run.summary.model for run in scores.runs}
    models |= {run.model for run in scores.s3.runs} if scores.s3 else set()
    models |= set(scores.rehab["models"]) if scores.rehab else set()
    parts = [counted(len(models), "model")]
    if scores.recordings is not None:
        recordings, patients = (scores.recordings[name].nunique() for name in ("video_id", "patient_id"))
        parts.append(f"{counted(recordings, 'recording')} of {counted(patients, 'patient')}")
        parts.append(counted(scores.recordings["feature"].nunique(), "feature"))
    if scores.s3:
        parts.append(counted(len({run.task for run in scores.s3.runs}), "S³ task"))
    sets = sorted({str(record["data"]) for record in scores.records.values() if record.get("data")})
    return " · ".join([*sets, *parts])


def _stamp(scores: ReportScores) -> str:
    simulated, embedded = (
        any(record.get(name) for record in scores.records.values())
        for name in ("simulated", "embedded_model")
    )
    return " ".join([SIMULATED_STAMP] * simulated + [EMBEDDED_STAMP] * embedded)


def _checklist(scores: ReportScores, content: Mapping[str, Any]) -> Sequence[Any]:
    summary = scores.features or scores.s3
    recordings = scores.recordings
    facts = {
        "recordings": 0 if recordings is None else int(recordings["video_id"].nunique()),
        "patients": 0 if recordings is None else int(recordings["patient_id"].nunique()),
        "wordings": sum(row["text"] is not None for row in content["prompts"]),
        "provenances": {row["kind"] for row in content["prompts"]},
        "software": content["software"],
        "resamples": summary.resamples if summary else 0,
        "seed": summary.seed if summary else 0,
        "unparsed": 0 if recordings is None else int((recordings["answer"] == "unparsed").sum()),
        "answers": 0 if recordings is None else len(recordings),
        "s3_tasks": len({run.task for run in scores.s3.runs}) if scores.s3 else 0,
    }
    return checklist_items(scores.provenance, facts)
