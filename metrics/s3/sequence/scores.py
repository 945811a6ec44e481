"""All sequence scores of one model over recordings, with intervals and baselines (S3 task 5).

A model that was played the sound of a recording can know when the patient spoke or cried out; one that was
not can only guess. The published task 5 therefore compares the models that hear with the `audiovisual` order
(17 visual features and the two of sound) and all others with the `visual` one, although it asks all of them in
the same words for visual features alone. It takes for hearing every model with "omni" in its name; here it is
decided for each recording by whether the model was really given its sound.

Source: task 5 in the metric files of the repository of arXiv 2605.21852.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from semiology.metrics.arrays import mean_defined
from semiology.metrics.coverage import UNPARSED, count_answers, is_missing, require_recordings
from semiology.metrics.s3.sequence.measures import (
    edit_distance,
    first_mentions,
    lcs_f1,
    lcs_ratio,
    normalised_edit_distance,
    position_share,
    sign_f1,
    temporal_relation_scores,
)
from semiology.metrics.statistics.bootstrap import TaskScores, mean_estimate
from semiology.metrics.statistics.intervals import RESAMPLES

if TYPE_CHECKING:
    import pandas as pd

LIST_SCORES = {
    "edit_distance": edit_distance,
    "normalised_edit_distance": normalised_edit_distance,
    "lcs_ratio": lcs_ratio,
    "lcs_f1": lcs_f1,
    "position_share": position_share,
    "sign_f1": sign_f1,
}


def sequence_scores(
    answer: Sequence[str], truth: Sequence[str], onsets: Mapping[str, float] | None = None
) -> dict[str, float]:
    """Return every sequence score of one recording by name.

    ``answer`` has the features in the order answered, as read (repeats and unknown words included), ``truth`` those by
    onset; equal ``onsets``, in seconds, are ties (None: the order of ``truth`` is strict).
    """
    values = {name: float(score(answer, truth)) for name, score in LIST_SCORES.items()}
    times = first_mentions(truth) if onsets is None else onsets
    relation = temporal_relation_scores(times, first_mentions(answer))
    return values | {
        "relation_precision": relation.precision,
        "relation_recall": relation.recall,
        "relation_f1": relation.f1,
        "order_accuracy": relation.order_accuracy,
        "relation_random_order_f1": relation.random_order_f1,
    }


def typical_sequence(truths: Sequence[Sequence[str]], *, at_least: float = 0.5) -> list[str]:
    """Return the constant answer of someone who knows the collection but not the recording.

    The features shown by at least a share of the recordings, or the commonest one if none is, ordered by their
    mean relative position (0 first, 1 last), then by name. ``at_least=0`` names every feature that occurs. Empty
    without recordings.
    """
    shown = Counter(feature for truth in truths for feature in set(truth))
    if not shown:
        return []
    kept = [feature for feature, count in shown.items() if count >= at_least * len(truths)]
    kept = kept or [min(shown, key=lambda feature: (-shown[feature], feature))]
    places: dict[str, list[float]] = {feature: [] for feature in kept}
    for truth in truths:
        for feature, position in first_mentions(truth).items():
            if feature in places:
                places[feature].append(position / max(len(truth) - 1, 1))
    return sorted(kept, key=lambda feature: (float(np.mean(places[feature])), feature))


def score_sequences(frame: pd.DataFrame, *, resamples: int = RESAMPLES, seed: int = 0) -> TaskScores:
    """Score the sequences of one model.

    Args:
        frame: columns video_id, patient_id, truth (sequence of features by onset), answer (sequence of features as
            read, which may be empty; ``unparsed`` scores as an empty answer; None is missing), and optionally
            onsets (mapping of feature to seconds, for ties); one row per recording.

    Estimates: the scores of `sequence_scores`, means over the recordings answered. Baselines, on the same
    recordings: ``empty_<score>`` (no feature at all), ``typical_<score>`` and ``every_sign_<score>`` (the same
    list for all, `typical_sequence`, known in hindsight) and ``random_order_relation_f1`` (the features of the
    answer in random order). order_accuracy has chance 0.5.

    Raises:
        ValueError: a column is missing or a recording is there twice.

    >>> import pandas as pd
    >>> rows = [(f"v{i}", f"p{i}", ["tonic", "clonic"], ["clonic", "tonic"]) for i in range(20)]
    >>> scores = score_sequences(pd.DataFrame(rows, columns=["video_id", "patient_id", "truth", "answer"]))
    >>> scores.estimates["edit_distance"].value, scores.estimates["order_accuracy"].value
    (2.0, 0.0)
    """
    require_recordings(frame, ("video_id", "patient_id", "truth", "answer"))
    counts = count_answers(frame["answer"])
    replied = frame[[not is_missing(value) for value in frame["answer"]]]
    truths = [list(value) for value in replied["truth"]]
    answers = [
        [] if isinstance(value, str) and value == UNPARSED else list(value) for value in replied["answer"]
    ]
    ties: list[Mapping[str, float] | None] = (
        replied["onsets"].tolist() if "onsets" in replied.columns else [None] * len(replied)
    )
    constants: dict[str, list[str]] = {
        "empty": [],
        "typical": typical_sequence(truths),
        "every_sign": typical_sequence(truths, at_least=0.0),
    }
    scored = [sequence_scores(a, t, o) for a, t, o in zip(answers, truths, ties, strict=True)]
    patients = replied["patient_id"].tolist()
    names = [name for name in sequence_scores([], []) if name != "relation_random_order_f1"]
    estimates = {
        name: mean_estimate([row[name] for row in scored], patients, resamples=resamples, seed=seed)
        for name in names
    }
    baselines = {
        "random_order_relation_f1": float(mean_defined([row["relation_random_order_f1"] for row in scored]))
    }
    for label, constant in constants.items():
        rows = [sequence_scores(constant, t, o) for t, o in zip(truths, ties, strict=True)]
        baselines |= {f"{label}_{name}": float(mean_defined([row[name] for row in rows])) for name in names}
    return TaskScores(estimates, baselines, counts)


class TruthCounts(NamedTuple):
    """Recordings by the order that their sequence is compared with.

    ``visual``: the model heard nothing; ``audiovisual``: it heard the recording; ``unknown``: it heard it, and when a
    feature of sound began is not annotated: compared with the visual order.
    """

    visual: int
    audiovisual: int
    unknown: int


def as_perceived(frame: pd.DataFrame) -> pd.DataFrame:
    """Return the rows with the truth and the onsets that a model could know by what it was given.

    Where ``heard`` says that the model was played the sound, ``onsets_audiovisual`` (None where not known) count.
    """
    import pandas as pd

    if "heard" not in frame.columns or "onsets_audiovisual" not in frame.columns:
        return frame
    onsets = [
        known if heard and isinstance(known, dict) else visual
        for heard, known, visual in zip(
            frame["heard"], frame["onsets_audiovisual"], frame["onsets"], strict=True
        )
    ]
    truths = [
        list(found) if isinstance(found, dict) else list(truth)
        for found, truth in zip(onsets, frame["truth"], strict=True)
    ]
    columns = {"onsets": onsets, "truth": truths}
    return frame.assign(
        **{name: pd.Series(values, index=frame.index, dtype=object) for name, values in columns.items()}
    )


def truth_counts(frame: pd.DataFrame) -> TruthCounts:
    """Count the recordings by the order that `as_perceived` gives them."""
    if "heard" not in frame.columns or "onsets_audiovisual" not in frame.columns:
        return TruthCounts(len(frame), 0, 0)
    known = [isinstance(onsets, dict) for onsets in frame["onsets_audiovisual"]]
    heard = [value is True for value in frame["heard"]]
    both = sum(a and b for a, b in zip(heard, known, strict=True))
    return TruthCounts(len(frame) - sum(heard), both, sum(heard) - both)
