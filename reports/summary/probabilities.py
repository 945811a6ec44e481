"""P(yes) where it was recorded: ranking, honesty, and what a threshold chosen on other patients gains over any-yes."""

from __future__ import annotations

from pathlib import Path
from typing import Any, get_args

import numpy as np

from semiology.data.cache import write_texts
from semiology.features import FEATURES
from semiology.metrics.scores.aggregation import THREE_CLASSES
from semiology.metrics.scores.discrimination import probability_scores
from semiology.metrics.scores.probability import Pooling, recording_probabilities
from semiology.render.table import csv_of
from semiology.render.text import rounded
from semiology.reports.read.feature_answers import Results
from semiology.reports.summary.features import limit_cells

RUN = ["model", "enhancement", "prompt"]
NAMES = ("probabilities.csv", "calibration.csv")


def write_probabilities(results: Results, folder: Path) -> list[Path]:
    """Write probabilities.csv and calibration.csv, if answers carry P(yes); return their paths."""
    scores, bins = probability_rows(results)
    if not scores:
        return []
    return write_texts({NAMES[0]: csv_of(scores), NAMES[1]: csv_of(bins)}, folder)


def probability_rows(results: Results) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Return rows of scores by run, yes/no feature and pooling of segments, and rows of calibration bins.

    Recordings without a yes or no in the truth, or with a segment whose P(yes) is not known, are left out and counted
    in ``n_left_out``.
    """
    answers = results.answers
    kept = answers["feature"].isin(FEATURES) & ~answers["feature"].isin(THREE_CLASSES)
    answers = answers[kept & answers["truth"].isin(["yes", "no"])]
    if not answers["p_yes"].notna().any():
        return [], []
    scores, bins = [], []
    for (model, enhancement, prompt, feature), rows in answers.groupby(
        [*RUN, "feature"], sort=True, observed=True
    ):
        if not rows["p_yes"].notna().any():
            continue
        about = rows.drop_duplicates("video_id").set_index("video_id")[["truth", "patient_id"]]
        for pooling in get_args(Pooling):
            pooled = recording_probabilities(rows, ["video_id"], pooling).set_index("video_id")["p_yes"]
            known = pooled.dropna()
            own = about.reindex(known.index)
            found = probability_scores(
                (own["truth"] == "yes").to_numpy(dtype=bool), np.asarray(known, dtype=np.float64),
                own["patient_id"].astype(str).tolist(),
            )  # fmt: skip
            head = {"model": model, "prompt": prompt, "enhancement": enhancement, "feature": feature}
            head |= {"pooling": pooling}
            scores.append(
                head
                | {"n": found.n, "n_patients": found.n_patients, "n_left_out": len(about) - found.n}
                | limit_cells("auroc", found.auroc)
                | {"auroc_reason": found.auroc.reason or found.auroc.caution}
                | {
                    "average_precision": rounded(found.average_precision),
                    "prevalence": rounded(found.prevalence),
                }
                | limit_cells("brier", found.brier)
                | limit_cells("any_yes_f1", found.any_yes_f1)
                | limit_cells("own_threshold_f1", found.own_threshold_f1)
                | {"gain_over_any_yes": rounded(found.gain)}
                | {"thresholds": " ".join(f"{each:.4g}" for each in found.thresholds)}
            )
            bins += [
                head | {"mean_p_yes": mean, "share_with_feature": share, "recordings": count}
                for mean, share, count in found.calibration
            ]
    return scores, bins
