"""Wordings that a search found, in the library's own form, ready for ``SEMIOLOGY_PROMPTS``."""

from __future__ import annotations

import hashlib
from typing import Any

import yaml

from semiology.features import group_of
from semiology.optimization.proposers.wording_text import split_format
from semiology.optimization.search.comparison import WordingComparison, with_interval
from semiology.optimization.search.search import FoundWording
from semiology.render.noun_counts import counted

ID_DIGITS = 8


def wording_id(text: str, answer_format: str) -> str:
    """Return the id of a found wording: it is told by its text and format."""
    digest = hashlib.sha256(f"{answer_format}\n{text}".encode()).hexdigest()
    return f"optimized_{digest[:ID_DIGITS]}"


def wording_entry(
    found: FoundWording,
    development: WordingComparison,
    test: WordingComparison | None,
    *,
    data: str,
    model: str,
    default_format: str,
) -> dict[str, Any]:
    """Return the library entry of a found wording.

    Args:
        found: the wording and its search.
        development: it beside the one the search began with, on the patients that selected it.
        test: the same on the patients that nothing was chosen on, if there are any.
        data: fingerprint of the data. model: name and arguments of the model.
        default_format: answer format of wordings that name none.
    """
    text, named = split_format(found.chosen)
    answer_format = named or default_format
    record = found.lineage
    scored = [f"development F1 {with_interval(development.after['f1'])} (selected on it, so too high)"]
    if test is not None:
        before, after = with_interval(test.before["f1"]), with_interval(test.after["f1"])
        scored.append(
            f"test F1 {after} on {counted(test.n, 'recording')} of {counted(test.patients, 'patient')}, "
            f"{before} for the parent"
        )
    return {
        "id": wording_id(text, answer_format),
        "text": text,
        "answer": answer_format,
        "provenance": "optimized",
        "source": (
            f"search from {found.begun_with.id}, seed {record['seed']}, objective {record['objective']}, "
            f"{counted(record['metric_calls'], 'metric call')}, "
            f"{counted(len(record['candidates']), 'wording')} on development; "
            f"data {data[:12]}; model {model}"
        ),
        "family": "optimized",
        "note": f"parent {found.begun_with.id}; {'; '.join(scored)}. Not reviewed by a clinician.",
    }


def wording_file(feature: str, entry: dict[str, Any]) -> str:
    """Return a file of the library's extension form (``feature``, ``group``, ``prompts``) as YAML."""
    content = {"feature": feature, "group": group_of(feature), "prompts": [entry]}
    text: str = yaml.safe_dump(content, sort_keys=False, allow_unicode=True, width=110)
    return text
