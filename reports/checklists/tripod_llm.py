"""TRIPOD-LLM, filled as far as the record of the runs can fill it.

Gallifant et al., The TRIPOD-LLM reporting guideline, Nature Medicine 2025, 31:60, Table 2, for the evaluation
of a language model: numbers and letters are those of the table, subjects are in our words. Items 10, 11 and
18 (summaries, instruction tuning, updating) do not arise here; 6b is about the making of a model, which
whoever tests one can only cite.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from semiology.render.text import counted
from semiology.reports.checklists.item import (
    AUTHORS,
    ChecklistItem,
    Status,
    either,
    listed,
    models_with_revisions,
)

TRIPOD = "TRIPOD-LLM"
Row = tuple[str, Status, str]


def tripod_items(runs: Sequence[Mapping[str, Any]], facts: Mapping[str, Any]) -> list[ChecklistItem]:
    """Return the items in the order of the checklist; arguments as of `checklist_items`."""
    rows = [*_introduction(), *_data(runs, facts), *_model(runs, facts), *_methods(runs, facts)]
    rows += [*_openness(facts), *_results(facts)]
    return [ChecklistItem(TRIPOD, *row) for row in rows]


def _introduction() -> list[Row]:
    return [
        ("1, 2 title and abstract", AUTHORS, "Name the task, the population and the outcome."),
        ("3a, 3b, 4 background, intended use, objectives", AUTHORS, "Not in the record of a run."),
    ]


def _data(runs: Sequence[Mapping[str, Any]], facts: Mapping[str, Any]) -> list[Row]:
    sets = listed(runs, "data")
    return [
        (
            "5a source of the data",
            either(sets, "partly"),
            f"Recording set: {sets}. Add where it comes from and why it was chosen."
            if sets
            else "Named in the publication.",
        ),
        (
            "5b distribution of the data",
            either(known := " ".join(_asked(facts)), "partly"),
            f"{known} Add setting and eligibility." if known else "Not in the record.",
        ),
        ("5c oldest and newest recording", AUTHORS, "Dates of recordings are not kept."),
        (
            "5d preparation of the data",
            "partly",
            f"Windows: {listed(runs, 'window') or 'not recorded'}. Add what was done beforehand.",
        ),
        (
            "5e missing and unbalanced data",
            "filled",
            (
                "Recordings not annotated, annotated as not applicable, or never answered are counted and "
                "left out; replies that were not understood are counted and charged, or dropped if asked "
                "to; every score of a feature stands beside that of always answering yes."
            ),
        ),
    ]


def _model(runs: Sequence[Mapping[str, Any]], facts: Mapping[str, Any]) -> list[Row]:
    models, classes = models_with_revisions(runs), listed(runs, "model_class")
    return [
        (
            "6a name and version of the model",
            either(models, "partly"),
            f"{models}. Add the end of its training." if models else "Named in the publication.",
        ),
        ("6b making of the model", AUTHORS, "Cite its developers, or say that this is not known."),
        (
            "6c how text was generated",
            "filled" if classes and facts["wordings"] else "partly" if classes else AUTHORS,
            f"lmms-eval class: {classes}; settings and seeds: MI-CLEAR-LLM 7; prompts: MI-CLEAR-LLM 5."
            if classes
            else "Not in the record.",
        ),
        (
            "6d output before and after processing",
            either(read := " ".join(_reading(facts)), "filled"),
            read or "Not in the record.",
        ),
        (
            "6e how classes were decided",
            "filled" if facts["answers"] else AUTHORS,
            "A recording shows a feature if any of its windows is answered yes (sleep: by the first window "
            "alone); no probability and no threshold."
            if facts["answers"]
            else "No feature was asked about.",
        ),
    ]


def _asked(facts: Mapping[str, Any]) -> list[str]:
    """Return sentences on what was asked about, as far as it was."""
    told = []
    if facts["recordings"]:
        told.append(
            f"Features were asked about in {counted(facts['recordings'], 'recording')} of "
            f"{counted(facts['patients'], 'patient')}; how many show each stands beside its score."
        )
    if facts["s3_tasks"]:
        told.append("How many recordings each S3 task was asked about stands beside its figures.")
    return told


def _reading(facts: Mapping[str, Any]) -> list[str]:
    """Return sentences on how replies were read, by what was asked."""
    told = []
    if facts["answers"]:
        told.append(
            "A reply in words is read by fixed rules as yes, no or NA; what is not clearly one of them is "
            f"unparsed and counted: {facts['unparsed']:,} of {counted(facts['answers'], 'answer')} on features "
            "in recordings."
        )
    if facts["s3_tasks"]:
        told.append(
            "Who read the texts of S3 tasks, and how many replies were unparsed, stands beside each task."
        )
    return told


def _methods(runs: Sequence[Mapping[str, Any]], facts: Mapping[str, Any]) -> list[Row]:
    seconds = sum(float(run.get("seconds") or 0) for run in runs)
    return [
        (
            "7a quality of generated text",
            "partly",
            "Where S3 tasks 2 and 6 were run: overlap with the experts' texts, Seizure-RQI.",
        ),
        ("7b what the metrics mean for use", AUTHORS, "Not in the record of a run."),
        (
            "7c outcome, prediction and metrics defined",
            "partly",
            "How answers become scores is told under methods. Define the features and the reference standard.",
        ),
        (
            "7d assessors of texts",
            AUTHORS,
            "Where people rated texts: who, with which instruction and agreement.",
        ),
        (
            "7e comparison with others",
            "filled",
            "Models of one report beside each other, published answers where they match, and always yes.",
        ),
        (
            "8a, 8b, 8c annotation",
            AUTHORS,
            (
                "How, by how many and by whom features were annotated, and how far they agree "
                "(`semiology agreement annotators` computes it)."
            ),
        ),
        (
            "9a, 9b making of the prompts, and on which data",
            "partly" if facts["wordings"] else AUTHORS,
            "See MI-CLEAR-LLM 5; where a search was run, its lineage is shown.",
        ),
        (
            "12 computing",
            "partly" if seconds else AUTHORS,
            f"{seconds:,.0f} s of evaluation. Add the hardware." if seconds else "Not in the record.",
        ),
    ]


def _openness(facts: Mapping[str, Any]) -> list[Row]:
    return [
        ("13 ethics approval", AUTHORS, "Not in the record of a run."),
        ("14a to 14d funding, interests, protocol, registration", AUTHORS, "Not in the record of a run."),
        ("14e availability of the data", AUTHORS, "provenance.json holds a fingerprint of the data."),
        (
            "14f availability of the code",
            "partly",
            f"Semiology {facts['software']}; versions of packages in provenance.json. Add your own code.",
        ),
        ("15 patient and public involvement", AUTHORS, "Not in the record of a run."),
    ]


def _results(facts: Mapping[str, Any]) -> list[Row]:
    return [
        (
            "16a, 16b, 16d flow, characteristics and numbers",
            "partly",
            (
                "Recordings and patients asked, answered, unparsed and with the feature, for every score. "
                "Add the characteristics of the patients."
            ),
        ),
        ("16c development beside evaluation data", AUTHORS, "Not in the record of a run."),
        (
            "17 performance",
            "filled",
            (
                f"F1, balanced accuracy and more, with 95 % intervals that resample patients "
                f"({facts['resamples']} draws, seed {facts['seed']}), beside always answering yes."
            ),
        ),
        ("19a interpretation", AUTHORS, "Not in the record of a run."),
        ("19b limitations", "partly", "The caveats above; add those of the recordings and of the setting."),
        (
            "19c to 19g use in context, and what next",
            AUTHORS,
            "Not in the record of a run. Nothing here is validated for diagnosis.",
        ),
    ]
