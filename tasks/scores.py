"""From a reply to lmms-eval's result table: one record per window, one figure per recording-level metric."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from semiology.metrics import lmms_eval_scores as metrics
from semiology.tasks.answers import parse_reply

RECORD_FIELDS = (
    "feature",
    "enhancement",
    "prompt_id",
    "prompt_hash",
    "video_id",
    "patient_id",
    "segment",
    "start_s",
    "end_s",
    "truth",
)
COMPACT_FIELDS = ("feature", "video_id", "patient_id", "segment", "answer", "truth")
OPPOSITE = {"yes": "no", "no": "yes"}
TABLE_METRICS = (
    "f1",
    "ci_low",
    "ci_high",
    "always_yes",
    "precision",
    "recall",
    "specificity",
    "accuracy",
    "balanced_accuracy",
    "mcc",
    "prevalence",
    "unparsed",
)
