"""The text of every wording that was asked, where it comes from, and what it scored."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from semiology.features import FEATURES
from semiology.prompts.library import (
    Prompt,
    PromptLibraryError,
    answer_formats,
    load_library,
    prompt_hash,
    render,
)
from semiology.render.text import shown_text
from semiology.reports.page.score_cells import interval
from semiology.reports.read.asked import NO_ENHANCEMENT
from semiology.reports.summary.run_labels import ShownRun

LONGEST = 6000
PROVENANCES: Mapping[str, str] = {
    "epileptologist": "written by epileptologists, published",
    "published": "published, by whom is not stated",
    "authored": "written by the developers of this software, not reviewed by a clinician",
    "optimized": "found by an automatic search",
}
UNKNOWN = "not stated: the wording is not in the prompt library of this installation"


def prompt_rows(
    answers: pd.DataFrame, runs: Sequence[ShownRun], questions: Mapping[str, str]
) -> list[dict[str, Any]]:
    """Return one entry per feature and wording that was asked, in the order of the features.

    Args:
        answers: columns feature, prompt_id, prompt_hash, prompt (label of the wording).
        runs: all runs, for the scores.
        questions: texts as sent by hash, where the sample files hold them.
    """
    known = _library()
    scores: dict[tuple[str, str], list[dict[str, Any]]] = defaultdict(list)
    for run in runs:
        for each in run.summary.scores.features:
            scores[each.feature, run.summary.prompt].append(
                {
                    "model": run.summary.model,
                    "enhancement": run.summary.enhancement,
                    "marks": run.marks,
                    "f1": interval(each.estimates["f1"]),
                    "clears": each.clears_chance,
                }
            )
    columns = ["feature", "prompt_id", "prompt_hash", "prompt"]
    asked = answers[answers["prompt_hash"].notna()][columns].drop_duplicates()
    rows = []
    for feature, prompt_id, digest, label in asked.itertuples(index=False, name=None):
        prompt, text = known.get((feature, digest), (None, None))
        text = text or questions.get(digest)
        provenance = prompt.provenance if prompt else ""
        own = scores[feature, label]
        plain = [each["f1"]["value"] for each in own if each["enhancement"] == NO_ENHANCEMENT]
        rows.append(
            {
                "feature": feature,
                "id": prompt_id,
                "label": label,
                "hash": str(digest),
                "text": None if text is None else shown_text(text, LONGEST),
                "provenance": PROVENANCES.get(provenance, UNKNOWN),
                "kind": provenance or "unknown",
                "source": prompt.source if prompt else "",
                "family": prompt.family if prompt else "",
                "polarity": prompt.polarity if prompt else "",
                "scores": own,
                # F1s without an enhancement, where defined
                "plain": sorted(value for value in plain if value is not None),
            }
        )
    return sorted(rows, key=lambda row: (FEATURES.index(row["feature"]), row["label"]))


def _library() -> dict[tuple[str, str], tuple[Prompt, str]]:
    """Return every wording of the library in every answer format, by feature and hash of its text."""
    try:
        library = load_library()
    except PromptLibraryError:
        return {}
    found: dict[tuple[str, str], tuple[Prompt, str]] = {}
    for prompt in library:
        for name in (None, *answer_formats()):
            text = render(prompt, name)
            found.setdefault((prompt.feature, prompt_hash(text)), (prompt, text))
    return found
