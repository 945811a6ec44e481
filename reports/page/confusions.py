"""Counts of right and wrong answers per run and feature, and agreement between models."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

import pandas as pd

from semiology.features import FEATURES
from semiology.metrics.agreement.coefficients import krippendorff_alpha
from semiology.metrics.scores.aggregation import THREE_CLASSES
from semiology.reports.page.score_cells import number
from semiology.reports.summary.run_labels import ShownRun

COLUMNS = (
    ("yes", "yes", "true positive"),
    ("yes", "no", "missed"),
    ("no", "yes", "false alarm"),
    ("no", "no", "true negative"),
)


def confusion_rows(recordings: pd.DataFrame, runs: Sequence[ShownRun]) -> list[dict[str, Any]]:
    """Return one row per run and feature: recordings (column ``run``) by truth and answer, unusable ones apart.

    ``na`` counts answers NA to what is there or not. Where NA is an answer of its own (`THREE_CLASSES`),
    ``rightly na`` and ``na missed`` count the recordings whose truth is NA by whether that was the answer;
    elsewhere these two are None, and such recordings are not scored.
    """
    by_key = {run.key: run for run in runs}
    rows = []
    known = recordings.dropna(subset=["truth", "answer"])
    for (key, feature), part in known.groupby(["run", "feature"], observed=True):
        table = Counter(zip(part["truth"], part["answer"], strict=True))
        row: dict[str, Any] = {"run": by_key[str(key)], "feature": feature}
        row |= {title: table[truth, answer] for truth, answer, title in COLUMNS}
        three = feature in THREE_CLASSES
        scored = {k: n for k, n in table.items() if k[0] in (("yes", "no", "na") if three else ("yes", "no"))}
        row["na"] = sum(n for (truth, answer), n in scored.items() if answer == "na" != truth)
        row["rightly na"] = table["na", "na"] if three else None
        row["na missed"] = table["na", "yes"] + table["na", "no"] if three else None
        row["unparsed"] = sum(n for (_, answer), n in scored.items() if answer == "unparsed")
        row["not scored"] = sum(table.values()) - sum(scored.values())
        rows.append(row)
    return sorted(rows, key=lambda row: (runs.index(row["run"]), FEATURES.index(row["feature"])))


def agreement_rows(recordings: pd.DataFrame, runs: Sequence[ShownRun]) -> list[dict[str, Any]]:
    """Return per feature how far the main runs agree with each other (Krippendorff's alpha), right or wrong.

    Only usable answers count: yes and no, and NA where it is an answer of its own. Empty with fewer than two
    main runs.
    """
    main = [run for run in runs if run.main]
    if len(main) < 2:
        return []
    part = recordings[recordings["run"].isin([run.key for run in main])]
    usable = part["answer"].isin(["yes", "no"])
    part = part[usable | ((part["answer"] == "na") & part["feature"].isin(list(THREE_CLASSES)))]
    rows = []
    for feature in FEATURES:
        of_feature = part[part["feature"] == feature]
        ratings = [list(group) for _, group in of_feature.groupby("video_id", observed=True)["answer"]]
        several = [each for each in ratings if len(each) > 1]
        if several:
            rows.append(
                {
                    "feature": feature,
                    "models": int(of_feature["model"].nunique()),
                    "recordings": len(several),
                    "alpha": number(krippendorff_alpha(several)),
                    "unanimous": sum(len(set(each)) == 1 for each in several) / len(several),
                }
            )
    return rows
