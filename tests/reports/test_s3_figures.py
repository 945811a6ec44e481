"""Figures of the S3 study: what they show is what was counted, and nothing is drawn of nothing."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from xml.etree import ElementTree

import pandas as pd
import pytest
from s3_examples import all_tasks, write_s3_run

from semiology.reports.inputs import report_inputs
from semiology.reports.s3_figures import confusion_figure, feature_score_figure, interpretation_scores
from semiology.reports.summary.s3 import summarise_s3

S3 = Path(__file__).parents[3] / "shared" / "s3_published"
NAMES = {("yes", "yes"): "true positive", ("yes", "no"): "missed", ("no", "yes"): "false alarm",
         ("no", "no"): "true negative"}  # fmt: skip


def texts(files: dict[str, bytes], name: str) -> list[str]:
    assert files[f"{name}.png"].startswith(b"\x89PNG")
    root = ElementTree.fromstring(files[f"{name}.svg"])
    return [element.text or "" for element in root.iter() if element.tag.endswith("}text")]


def test_counts_and_share_right_of_each_feature() -> None:
    rows = {"tonic": {"true positive": 7, "missed": 3, "false alarm": 11, "true negative": 19}}
    shown = texts(confusion_figure("c", "model $a", rows, "Simulated."), "c")
    assert {"7", "3", "11", "19", "acc 0.65", "tonic", "Simulated."} <= set(shown)
    assert confusion_figure("c", "m", {}) == {}


def test_scores_of_task_2_beside_their_floor(tmp_path: Path) -> None:
    write_s3_run(tmp_path, [row for row in all_tasks(24) if row["kind"] == "justification"])
    s3 = report_inputs([tmp_path], None).s3
    assert s3 is not None
    scores, floors = interpretation_scores(summarise_s3(s3, resamples=100))
    (own,) = scores.values()
    assert set(own) == set(floors) == {"tonic", "oral_automatisms"}
    shown = texts(feature_score_figure("f", "Scores", scores, floors), "f")
    assert {"tonic", "oral automatisms", "floor: no reason given"} <= set(shown)
    assert feature_score_figure("f", "Scores", {}) == {}


@pytest.mark.skipif(not S3.is_dir(), reason="the published answers are not beside the project")
def test_the_shares_of_published_answers_are_those_of_table_13() -> None:
    """Figure 8 is about a model whose answers were not released (Qwen2.5-VL-72B); the same is drawn of one that has."""
    answers = pd.read_csv(S3 / "predictions/task1_video.csv.gz", dtype=str, keep_default_na=False)
    truth = pd.read_csv(S3 / "ground_truth/annotations.csv.gz", dtype=str, keep_default_na=False)
    cells = pd.read_csv(S3 / "expected_metrics.csv.gz", dtype=str, keep_default_na=False)
    cells = cells[
        (cells["table"] == "13") & (cells["model"] == "Qwen2.5-VL-32B") & (cells["metric"] == "accuracy")
    ]
    printed = dict(zip(cells["item"], cells["value"].astype(float), strict=True))
    own = answers[answers["model"] == "Qwen2.5-VL-32B"].set_index("video_id")
    known = truth.set_index(["feature", "video_id"])["present"]
    rows = {}
    for feature in ("figure4", "blank_stare", "limb_automatisms"):
        table = Counter(zip(known[feature].reindex(own.index), own[feature], strict=True))
        rows[feature] = {name: table[key] for key, name in NAMES.items()}
    shown = texts(confusion_figure("c", "Qwen2.5-VL-32B", rows), "c")
    assert [text for text in shown if text.startswith("acc")] == [
        f"acc {printed[feature]:.2f}" for feature in ("figure4", "limb_automatisms", "blank_stare")
    ]
