"""When does it begin: onset times inside a clip (S3 task 4).

The published score is the mean absolute error over the answers that could be read, on clips centred on the
true onset: always answering the middle of the clip has an error of about 1 s there, better than any model,
and an unreadable answer costs nothing. `score_onset_times` charges unread answers as a second score, gives
hit rates, and puts the constant answers beside both.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from semiology.metrics.arrays import Floats
from semiology.metrics.coverage import AnswerCounts, require_recordings
from semiology.metrics.statistics.bootstrap import TaskScores, mean_estimate, share_estimate
from semiology.metrics.statistics.intervals import RESAMPLES, Estimate

if TYPE_CHECKING:
    import pandas as pd

CLIP_S = 60.0
TOLERANCES_S: tuple[float, ...] = (1.0, 2.0, 5.0)

_PUBLISHED = re.compile(r"(?:(?:(\d+):)?(\d+):)?(\d+)")


def published_seconds(answer: str) -> float | None:
    """Read an answer as published: ``M:SS``, ``H:MM:SS`` or bare digits; anything else is None (dropped).

    No part is checked for its range: ``1:75`` is 135.

    Source: metric files of the repository of arXiv 2605.21852.
    """
    found = _PUBLISHED.fullmatch(answer.strip()) if len(answer) < 40 and answer.isascii() else None
    if found is None:
        return None
    hours, minutes, seconds = (float(part or 0) for part in found.groups())
    return 3600 * hours + 60 * minutes + seconds


def published_mae(target_s: Sequence[float], answer_s: Sequence[float | None]) -> float:
    """Return the mean absolute error in seconds over the answers that could be read; NaN without any.

    Unread answers (None, NaN) cost nothing, which rewards not answering: see `charged_errors`.
    Source: arXiv 2605.21852, section 3.2.4, Tables 1, 16 and 22.

    Raises:
        ValueError: the lengths differ.
    """
    errors = absolute_errors(target_s, answer_s)
    defined = errors[~np.isnan(errors)]
    return float(defined.mean()) if len(defined) else float("nan")


def absolute_errors(target_s: Sequence[float], answer_s: Sequence[float | None]) -> Floats:
    """Return the absolute error of each answer in seconds, NaN where it was not understood.

    Raises:
        ValueError: the lengths differ.
    """
    if len(target_s) != len(answer_s):
        raise ValueError(f"{len(target_s)} targets and {len(answer_s)} answers → give one answer per target")
    given = np.array([np.nan if value is None else float(value) for value in answer_s], dtype=np.float64)
    return np.abs(given - np.asarray(target_s, dtype=np.float64))


def charged_errors(
    target_s: Sequence[float], answer_s: Sequence[float | None], clip_s: float | Floats = CLIP_S
) -> Floats:
    """Return the absolute errors in s, an answer not understood charged the largest error possible in its clip.

    That is the distance from the target to the farther end of the clip, which lasts ``clip_s`` (one number or one
    per answer). A time beyond the clip keeps its error.

    Raises:
        ValueError: the lengths differ, or a target lies outside its clip.
    """
    targets = np.asarray(target_s, dtype=np.float64)
    ends = np.broadcast_to(np.asarray(clip_s, dtype=np.float64), targets.shape)
    if bool(((targets < 0) | (targets > ends)).any()):
        raise ValueError(
            "a target lies outside its clip → give targets in seconds from the start of the clip"
        )
    worst = np.maximum(targets, ends - targets)
    errors = absolute_errors(target_s, answer_s)
    return np.where(np.isnan(errors), worst, errors)


def hits_within(target_s: Sequence[float], answer_s: Sequence[float | None], tolerance_s: float) -> Floats:
    """Return 1 where the answer is within the tolerance (inclusive), else 0; not understood is 0."""
    errors = absolute_errors(target_s, answer_s)
    return np.where(np.isnan(errors), 0.0, (errors <= tolerance_s).astype(np.float64))


def constant_time_baselines(target_s: Sequence[float], clip_s: float | Floats = CLIP_S) -> dict[str, float]:
    """Return what one time answered to everything scores.

    ``middle_mae`` and ``middle_hit_<t>s``: always the middle of the clip. ``best_constant_s`` and
    ``best_constant_mae``: the median of the targets, the best single time in hindsight.
    ``random_mae``: expected error of a time drawn evenly from the clip. ``clip_s`` is one number or one per
    target. NaN without targets.
    """
    targets = np.asarray(target_s, dtype=np.float64)
    names = [f"middle_hit_{tolerance:g}s" for tolerance in TOLERANCES_S]
    if not len(targets):
        keys = ("middle_mae", "best_constant_s", "best_constant_mae", "random_mae", *names)
        return dict.fromkeys(keys, float("nan"))
    middle, median = np.abs(targets - clip_s / 2), float(np.median(targets))
    values = {
        "middle_mae": float(middle.mean()),
        "best_constant_s": median,
        "best_constant_mae": float(np.abs(targets - median).mean()),
        "random_mae": float(((targets**2 + (clip_s - targets) ** 2) / (2 * clip_s)).mean()),
    }
    hits = {name: float((middle <= t).mean()) for name, t in zip(names, TOLERANCES_S, strict=True)}
    return values | hits


def score_onset_times(
    frame: pd.DataFrame, *, clip_s: float = CLIP_S, resamples: int = RESAMPLES, seed: int = 0
) -> TaskScores:
    """Score the onset times of one feature, or the start or the end of the seizure.

    Args:
        frame: columns video_id, patient_id, target_s (seconds in the clip), answer_s (seconds; NaN: not
            understood), answered (False: the model was never asked or never replied), and clip_s (length of what was
            shown, s) where that is not the argument; one row per recording.
        clip_s: length of the clips in seconds, where the frame has no such column.

    Estimates: mae (understood answers only, as published), charged_mae, hit_1s, hit_2s, hit_5s (shares of
    the answers, not understood is a miss). Baselines: `constant_time_baselines` on the recordings answered.

    Raises:
        ValueError: a column is missing, a recording is there twice, or a target lies outside its clip.

    >>> import pandas as pd
    >>> rows = [(f"v{i}", f"p{i}", 20.0, 22.0 if i % 2 else float("nan"), True) for i in range(30)]
    >>> columns = ["video_id", "patient_id", "target_s", "answer_s", "answered"]
    >>> scores = score_onset_times(pd.DataFrame(rows, columns=columns), resamples=200)
    >>> scores.estimates["mae"].value, scores.estimates["charged_mae"].value, scores.baselines["middle_mae"]
    (2.0, 21.0, 10.0)
    """
    require_recordings(frame, ("video_id", "patient_id", "target_s", "answer_s", "answered"))
    replied = frame[frame["answered"].astype(bool)]
    target, answer = replied["target_s"].astype(float).tolist(), replied["answer_s"].astype(float).tolist()
    patients = replied["patient_id"].tolist()
    unparsed = int(np.isnan(np.asarray(answer, dtype=np.float64)).sum())
    counts = AnswerCounts(len(frame), len(replied) - unparsed, unparsed, len(frame) - len(replied))
    drawing = {"resamples": resamples, "seed": seed}
    ends: float | Floats = replied["clip_s"].to_numpy(dtype=float) if "clip_s" in replied.columns else clip_s
    estimates: dict[str, Estimate] = {
        "mae": mean_estimate(absolute_errors(target, answer), patients, **drawing),
        "charged_mae": mean_estimate(charged_errors(target, answer, ends), patients, **drawing),
    }
    for tolerance in TOLERANCES_S:
        hits = hits_within(target, answer, tolerance)
        estimates[f"hit_{tolerance:g}s"] = share_estimate(hits, patients)
    return TaskScores(estimates, constant_time_baselines(target, ends), counts)
