"""The place of sweeps in ``semiology report``: robustness tables instead of one table for each wording."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from semiology.metrics.scores.classification import Policy
from semiology.reports.read.feature_answers import Results
from semiology.reports.read.lmms_eval_files import ResultsError
from semiology.reports.read.path_scrubbing import without_paths
from semiology.reports.summary.features import Summary
from semiology.reports.summary.run_labels import REFERENCE
from semiology.reports.summary.sweep import SweepSummary, holds_sweep, margin_of, summarise_sweeps


def parted_sweep(
    features: Summary, results: Results, paths: Sequence[Path], *, policy: Policy, resamples: int, seed: int
) -> tuple[Summary, SweepSummary | None]:
    """Return the summary as people shall see it, and the sweeps of it; None if there is none.

    Args:
        features: scores of every model, wording and enhancement.
        results: the answers behind them. paths: the runs, as given.
        policy, resamples, seed: as for the summary.

    Of the wordings of a sweep the summary keeps the reference alone; the others are in the robustness tables.
    A sweep of which nothing can be compared stays as it is, with a note.

    Raises:
        ResultsError: the folders hold sweeps with different margins, or a damaged record.
    """
    if not holds_sweep(results.answers):
        return features, None
    margin = margin_of(paths)
    try:
        sweep = summarise_sweeps(results, margin=margin, policy=policy, resamples=resamples, seed=seed)
    except ResultsError as error:
        return replace(features, notes=(*features.notes, without_paths(str(error)))), None
    answers = results.answers
    single = answers[answers["answer_format"].isna()]
    alone = set(zip(single["model"], single["enhancement"], single["prompt_id"], strict=True))
    swept = {(model.model, model.enhancement) for model in sweep.models}
    runs = tuple(
        run
        for run in features.runs
        if (run.model, run.enhancement) not in swept
        or run.prompt == REFERENCE
        or (run.model, run.enhancement, run.prompt) in alone
    )
    # What both would say is said once, above the first table.
    left = replace(sweep, caveats=(), notes=tuple(note for note in sweep.notes if note not in features.notes))
    return replace(features, runs=runs), left if runs else sweep
