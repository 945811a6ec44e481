"""Print how far the Interpretation Score without a judge model agrees with the published scores.

Usage: ``python benchmarks/justification_extraction_agreement.py FOLDER`` (the normalised S3 release). It
holds neither the justifications of the models nor those of the experts, so the reading of a justification
cannot be measured. What can: the gate (wrong answer: 0; absent and said to be absent: 1), and, as a poor
stand-in where a feature is present and seen, the rules applied to the model's report and the clinical report.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pandas as pd
from rich.console import Console

from semiology.features import VISUAL_FEATURES
from semiology.metrics.s3.text.interpretation_score import interpretation_score, possible_scores
from semiology.metrics.s3.text.justification_rules import READERS, extract_answers
from semiology.reports.published.s3 import read_s3_tables

CONSOLE = Console(width=400, markup=False, highlight=False)


def main() -> int:
    """Print agreement by kind of recording, and the features whose scores the question list cannot give."""
    tables = read_s3_tables(Path(sys.argv[1]))
    rows = scored_rows(tables)
    for truth, answer in (("no", "no"), ("no", "yes"), ("yes", "no"), ("yes", "yes")):
        part = rows[(rows["truth"] == truth) & (rows["answer"] == answer)]
        gate = 1.0 if truth == answer else 0.0
        exact = (part["score"].round(3) == gate).mean()
        CONSOLE.print(f"truth {truth}, answer {answer}: {len(part)} scores, {exact:.4f} are {gate:.0f}")
    seen = rows[(rows["truth"] == "yes") & (rows["answer"] == "yes")]
    stand_in(tables, seen)
    off_grid(rows)
    return 0


def scored_rows(tables: dict[str, pd.DataFrame]) -> pd.DataFrame:
    """Return model, video_id, feature, answer, truth and published score of the visual features, whole scope."""
    truth = tables["annotations"].rename(columns={"present": "truth"})[["video_id", "feature", "truth"]]
    answers = tables["task1_video"].melt(["model", "video_id"], var_name="feature", value_name="answer")
    keys = ["model", "scope", "video_id"]
    scores = tables["task2_scores"].melt(keys, var_name="feature", value_name="score")
    scores = scores[(scores["scope"] == "whole") & (scores["score"] != "")].astype({"score": float})
    rows = scores.merge(answers, on=["model", "video_id", "feature"]).merge(truth, on=["video_id", "feature"])
    return rows[rows["feature"].isin(VISUAL_FEATURES)]


def stand_in(tables: dict[str, pd.DataFrame], seen: pd.DataFrame) -> None:
    """Print the agreement of scores read from reports, which are not the texts that were judged."""
    texts = tables["task6"].set_index(["model", "video_id"])["report"].to_dict()
    clinical = tables["reports"].set_index("video_id")["report"].to_dict()
    judged, ruled = [], []
    for row in seen.itertuples():
        if (row.model, row.video_id) in texts:
            given = extract_answers(row.feature, texts[row.model, row.video_id])
            reference = extract_answers(row.feature, clinical[row.video_id])
            judged.append(row.score)
            ruled.append(interpretation_score("yes", "yes", given, reference))
    difference = np.abs(np.array(judged) - np.array(ruled))
    constant = np.abs(np.array(judged) - np.median(judged))
    CONSOLE.print(
        f"present and seen, rules on reports: {len(judged)} scores, mean absolute difference "
        f"{difference.mean():.2f} (always the median score: {constant.mean():.2f}), within 0.15 "
        f"{(difference <= 0.15).mean():.2f}, correlation {np.corrcoef(judged, ruled)[0, 1]:.2f}"
    )


def off_grid(rows: pd.DataFrame) -> None:
    """Print the features with published scores that the published number of questions cannot give."""
    for feature, part in rows.groupby("feature"):
        grid = np.array(possible_scores(len(READERS[str(feature)])))
        away = np.abs(part["score"].to_numpy()[:, None] - grid).min(1) > 1e-6
        if away.any():
            values = sorted(set(part["score"][away].round(3)))
            CONSOLE.print(
                f"{feature}: {away.sum()} of {len(part)} scores off the grid {grid.round(3)}: {values}"
            )


if __name__ == "__main__":
    sys.exit(main())
