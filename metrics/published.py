"""The scoring rules behind published tables, kept apart from our own so that both can be named.

They treat an empty denominator as 0 and silently leave out what is not a plain label; use them to reproduce
numbers.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np


def published_s3_task1_scores(
    truth: Sequence[str], answer: Sequence[str], *, three_classes: bool = False
) -> dict[str, float]:
    """Return precision, recall, f1, accuracy and n as in S3 task 1 and the EMBC audio table.

    Yes/no features: rows where truth and answer are both yes/no; "yes" is positive; 0/0 is 0.
    Three classes (verbal_responsiveness): truth must be yes/no, answers may also be ``na`` (``""`` reads as
    ``na``); precision, recall and F1 are plain means over all labels seen in truth or answers, so that an
    ``na`` answer adds a class whose F1 is 0. NaN throughout if no row is left.

    Source: arXiv 2605.21852, Tables 13 and 19, and the metric files of its public repository; Zhang et al.,
        EMBC, Table IV.
    """
    allowed = {"yes", "no", "na", ""} if three_classes else {"yes", "no"}
    pairs = [
        (t, a or "na") for t, a in zip(truth, answer, strict=True) if t in {"yes", "no"} and a in allowed
    ]
    if not pairs:
        return {"precision": np.nan, "recall": np.nan, "f1": np.nan, "accuracy": np.nan, "n": 0.0}
    labels = sorted({label for pair in pairs for label in pair}) if three_classes else ["yes"]
    per_label = np.array([_one_against_rest(pairs, label) for label in labels])
    values = dict(zip(("precision", "recall", "f1"), per_label.mean(axis=0).tolist(), strict=True))
    right = sum(t == a for t, a in pairs)
    return values | {"accuracy": right / len(pairs), "n": float(len(pairs))}


def _one_against_rest(pairs: Sequence[tuple[str, str]], label: str) -> tuple[float, float, float]:
    tp = sum(t == label == a for t, a in pairs)
    answered, true = sum(a == label for _, a in pairs), sum(t == label for t, _ in pairs)
    return tp / max(answered, 1), tp / max(true, 1), 2 * tp / max(answered + true, 1)
