"""The content of the page: every section's values, and the data that its script reads."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from semiology.metrics.scores.aggregation import THREE_CLASSES
from semiology.render.text import counted
from semiology.reports.checklists.mi_clear_llm import checklist_items
from semiology.reports.page.confusions import agreement_rows, confusion_rows
from semiology.reports.page.enhancements import enhancement_sections
from semiology.reports.page.methods import method_paragraphs
from semiology.reports.page.opaque_names import opaque_names
from semiology.reports.page.prompt_texts import prompt_rows
from semiology.reports.page.recordings import recording_data
from semiology.reports.page.s3_tasks import s3_sections
from semiology.reports.page.score_cells import METRICS, headline_rows, heatmap_rows, tested_cells
from semiology.reports.page.wordings import wording_sections
from semiology.reports.read.path_scrubbing import without_paths
from semiology.reports.summary.run_labels import EMBEDDED, SIMULATED, ShownRun

if TYPE_CHECKING:
    import pandas as pd

    from semiology.reports.compare.enhancement_effects import EnhancementEffect
    from semiology.reports.page.recording_set_facts import RecordingSetFacts
    from semiology.reports.read.feature_answers import Results
    from semiology.reports.summary.features import Summary
    from semiology.reports.summary.s3 import S3Summary
    from semiology.reports.summary.wordings import ModelWordings

SIMULATED_STAMP = "Simulated recordings: these numbers say nothing about patients."
EMBEDDED_STAMP = "“embedded model” marks the small models of this package, made to try the software."


@dataclass(frozen=True)
class ReportScores:
    """Everything that was read and scored for one report.

    Attributes:
        results: answers on features, with the column ``prompt``; None without.
        features, s3: scores.
        recordings: answers to recordings, as scored; None without features.
        runs: features' runs in the order of the page.
        wordings, effects: what wordings and enhancements change.
        records: facts of the runs by model. provenance: of `run_provenances`.
        lineage: searches for wordings, ready to show.
        facts: of the recording set, if given.
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
    asked = _asked(scores)
    heatmap, headline = heatmap_rows(scores.runs, asked), headline_rows(scores.runs, asked)
    data, renamed = _data(scores, keep_ids)
    data |= {"runs": [_run(run) for run in scores.runs], "metrics": dict(METRICS), "cells": _cells(heatmap)}
    recordings = scores.recordings
    content: dict[str, Any] = {
        "title": title,
        "subtitle": _subtitle(scores),
        "software": software,
        "stamp": _stamp(scores),
        "caveats": _caveats(scores),
        "long_notes": _notes(scores),
        "runs": scores.runs,
        "main_count": sum(run.main for run in scores.runs),
        "headline": headline,
        "headline_groups": len({row["group"] for row in headline}),
        "heatmap": heatmap,
        "tested": tested_cells(heatmap, scores.runs),
        "metrics": METRICS,
        "wordings": wording_sections(scores.wordings, scores.records),
        "enhancements": enhancement_sections(scores.effects, scores.records),
        "prompts": _prompts(scores),
        "lineage": scores.lineage,
        "n_recordings": len(data.get("recordings", ())),
        "renamed": renamed,
        "has_bars": bool(data.get("bars")),
        "has_videos": bool(data.get("videos")),
        "texts_left_out": data.get("texts_left_out", 0),
        "windows_left_out": data.get("windows_left_out", []),
        "three_classes": any(row["feature"] in THREE_CLASSES for row in heatmap),
        "confusions": [] if recordings is None else confusion_rows(recordings, scores.runs),
        "agreement": [] if recordings is None else agreement_rows(recordings, scores.runs),
        "s3": [] if scores.s3 is None else s3_sections(scores.s3, scores.records),
        "provenance": scores.provenance,
    }
    content["methods"] = _methods(scores, content)
    content["checklist"] = [asdict(item) for item in _checklist(scores, content)]
    content["sections"] = _sections(content)
    return content, data


def _asked(scores: ReportScores) -> dict[tuple[str, str], int]:
    """Return how many recordings could have been asked about, by key of a run and feature.

    That is how many any run was asked about that shares a recording with it: published answers about another
    set do not make a run partial. Features that such a run was asked about and this one was not count too.
    """
    if scores.recordings is None:
        return {}
    keys = {(r.summary.model, r.summary.prompt, r.summary.enhancement): r.key for r in scores.runs}
    asked: dict[str, dict[str, frozenset[str]]] = {}
    by = ["feature", "model", "prompt_id", "enhancement"]
    for (feature, *run), videos in scores.recordings.groupby(by, observed=True)["video_id"]:
        key = keys[str(run[0]), str(run[1]), str(run[2])]
        asked.setdefault(str(feature), {})[key] = frozenset(map(str, videos))
    everything: dict[str, frozenset[str]] = {}
    for by_run in asked.values():
        for key, own in by_run.items():
            everything[key] = everything.get(key, frozenset()) | own
    found = {}
    for feature, by_run in asked.items():
        distinct = set(by_run.values())
        for key, mine in everything.items():
            own = by_run.get(key, mine)
            shared = len(frozenset().union(*(each for each in distinct if each & own)))
            if shared:
                found[key, feature] = shared
    return found


def _run(run: ShownRun) -> dict[str, Any]:
    return {"key": run.key, "label": run.label, "main": run.main, "marks": list(run.marks)}


def _cells(heatmap: Sequence[Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
    """Return the cells of the heatmap by run and feature."""
    found: dict[str, dict[str, Any]] = {}
    for row in heatmap:
        for cell in row["cells"]:
            if cell is not None:
                found.setdefault(cell["run"], {})[row["feature"]] = cell
    return found


def _data(scores: ReportScores, keep_ids: bool) -> tuple[dict[str, Any], bool]:
    if scores.results is None or scores.recordings is None:
        empty: dict[str, Any] = {name: {} for name in ("answers", "truth", "windows", "times", "texts")}
        return empty | {"recordings": [], "features": []}, False
    segments = scores.results.answers
    names, renamed = opaque_names(scores.recordings, keep=keep_ids)
    return recording_data(scores.runs, segments, scores.recordings, names, scores.facts), renamed


def _prompts(scores: ReportScores) -> list[dict[str, Any]]:
    if scores.results is None:
        return []
    return prompt_rows(scores.results.answers, scores.runs, scores.results.questions)


def _subtitle(scores: ReportScores) -> str:
    models = list(dict.fromkeys(run.summary.model for run in scores.runs))
    models += [run.model for run in (scores.s3.runs if scores.s3 else ()) if run.model not in models]
    models = list(dict.fromkeys(models))
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
    marks = {mark for run in scores.runs for mark in run.marks}
    for record in scores.records.values():
        marks |= {SIMULATED} if record.get("simulated") else set()
        marks |= {EMBEDDED} if record.get("embedded_model") else set()
    texts = [SIMULATED_STAMP] if SIMULATED in marks else []
    texts += [EMBEDDED_STAMP] if EMBEDDED in marks else []
    return " ".join(texts)


def _caveats(scores: ReportScores) -> list[str]:
    texts = [*(scores.features.caveats if scores.features else ()), *(scores.s3.caveats if scores.s3 else ())]
    return list(dict.fromkeys(texts))


def _notes(scores: ReportScores) -> list[str]:
    texts = [*(scores.features.notes if scores.features else ()), *(scores.s3.notes if scores.s3 else ())]
    return list(dict.fromkeys(map(without_paths, texts)))


def _methods(scores: ReportScores, content: Mapping[str, Any]) -> list[str]:
    filled = [name for name in ("wordings", "enhancements") if content[name]]
    return method_paragraphs(scores.results, scores.features, scores.s3, filled)


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


def _sections(content: Mapping[str, Any]) -> list[tuple[str, str, bool]]:
    """Return id, name, and whether it holds anything, of every section."""
    return [
        ("headline", "Headline", bool(content["headline"])),
        ("heatmap", "Features", bool(content["heatmap"])),
        ("wordings", "Wordings", bool(content["wordings"])),
        ("enhancements", "Enhancements", bool(content["enhancements"])),
        ("prompts", "Prompts", bool(content["prompts"])),
        ("recordings", "Recordings", bool(content["n_recordings"])),
        ("errors", "Right and wrong", bool(content["confusions"])),
        ("s3", "S³ tasks", bool(content["s3"])),
        ("methods", "Methods", True),
    ]
