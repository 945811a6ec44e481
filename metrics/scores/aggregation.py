"""From the answers on segments to one answer per recording.

A feature is present in a recording if it is seen in any of its segments (`any_yes`). What an answer that is
neither "yes" nor "no" means for the recording is decided here, once:

===========================================  ==================
segments of a recording                      recording answer
===========================================  ==================
at least one ``yes``                         ``yes``
no ``yes``, at least one ``unparsed``        ``unparsed``: a "yes" may hide there
only ``no`` and ``na``, at least one ``no``  ``no``
only ``na``                                  ``na``
===========================================  ==================

So neither ``na`` nor ``unparsed`` ever turns into "no". The same order serves verbal_responsiveness, whose
third class ``na`` ("nobody addressed the patient") holds for a recording only if it holds in every segment.
occur_during_sleep is about the start and looks at segment 0 alone; if that segment was not answered it is
unparsed.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import numpy.typing as npt

from semiology.features import FIRST_SEGMENT_ONLY as FIRST_SEGMENT_ONLY
from semiology.features import THREE_CLASSES as THREE_CLASSES
from semiology.metrics.coverage import require_columns
from semiology.metrics.scores.counts import ANSWERS, NA, TRUTHS, UNPARSED, encode, encode_answers

if TYPE_CHECKING:
    import pandas as pd

Rule = Literal["careful", "published"]

RUN_KEYS: tuple[str, ...] = ("model", "enhancement", "prompt_id", "prompt_hash")
RECORDING_KEYS: tuple[str, ...] = ("video_id", "patient_id", "feature")

# The strongest answer of a recording wins: na < no < unparsed < yes.
_STRENGTH: dict[Rule, dict[str, int]] = {
    "careful": {"na": 0, "no": 1, "unparsed": 2, "yes": 3},
    "published": {"na": 1, "no": 1, "unparsed": 1, "yes": 3},
}
_BY_STRENGTH: npt.NDArray[np.object_] = np.array(["na", "no", "unparsed", "yes"], dtype=object)


def any_yes(answers: Sequence[str], rule: Rule = "careful") -> str:
    """Return the recording answer for the answers on its segments (table above); a missing one is unparsed.

    ``rule="published"`` is the rule of the S3 and EMBC programs: "yes" if any segment is, otherwise "no".

    Raises:
        ValueError: no answers, or an answer outside yes, no, na, unparsed.

    >>> any_yes(["no", "unparsed", "na"]), any_yes(["no", "unparsed", "na"], "published")
    ('unparsed', 'no')
    """
    if len(answers) == 0:
        raise ValueError("a recording needs at least one segment answer")
    return str(_BY_STRENGTH[max(_STRENGTH[rule][ANSWERS[code]] for code in encode_answers(answers))])


def recording_answers(segments: pd.DataFrame, *, rule: Rule = "careful") -> pd.DataFrame:
    """Aggregate a tidy frame of segment answers to one row per run, recording and feature.

    Args:
        segments: columns video_id, patient_id, feature, segment (0-based), answer, truth, and any of
            model, enhancement, prompt_id, prompt_hash. A missing answer counts as unparsed.
        rule: ``careful`` (module table) or ``published``, as in the released S3 answers (arXiv 2605.21852):
            anything but "yes" is "no", and occur_during_sleep looks at all segments like any other feature.

    Returns:
        The key columns given, then answer, truth ("" where not annotated), n_segments, n_unparsed, n_na.
        Sorted by the keys, so it does not depend on the order of the rows.

    Raises:
        ValueError: a column is missing, a segment is answered twice in one run, a recording has two truths or
            two patients, or a value is outside its vocabulary.

    >>> import pandas as pd
    >>> rows = [("v1", "p1", "tonic", 0, "no", "yes"), ("v1", "p1", "tonic", 1, "yes", "yes")]
    >>> columns = ["video_id", "patient_id", "feature", "segment", "answer", "truth"]
    >>> recording_answers(pd.DataFrame(rows, columns=columns))[["video_id", "answer", "truth", "n_segments"]]
      video_id answer truth  n_segments
    0       v1    yes   yes           2
    """
    require_columns(segments, (*RECORDING_KEYS, "segment", "answer", "truth"), of="segment answers")
    keys = [name for name in (*RUN_KEYS, *RECORDING_KEYS) if name in segments.columns]
    rows = _coded(segments, keys, rule)
    _check_rows(rows, keys)
    grouped = rows.groupby(keys, sort=True, dropna=False)
    result = grouped.agg(
        strength=("strength", "max"),
        truth=("truth", "first"),
        n_segments=("asked", "sum"),
        n_unparsed=("unparsed", "sum"),
        n_na=("na", "sum"),
    ).reset_index()
    result.insert(len(keys), "answer", _BY_STRENGTH[result["strength"].to_numpy(dtype=np.int64)])
    return result.drop(columns="strength")


def _coded(segments: pd.DataFrame, keys: list[str], rule: Rule) -> pd.DataFrame:
    """Return keys, segment and numeric columns ready for grouping, first-segment features already reduced."""
    rows = segments[[*keys, "segment"]].copy()
    answer = encode_answers(segments["answer"].to_numpy(dtype=object))
    truth = encode(segments["truth"].to_numpy(dtype=object), TRUTHS, "truth")
    # A later segment of a first-segment feature must not count, yet the recording must not vanish either.
    reduced = FIRST_SEGMENT_ONLY if rule == "careful" else frozenset[str]()
    first_only = rows["feature"].isin(reduced).to_numpy(dtype=bool)
    late = first_only & (rows["segment"].to_numpy(dtype=np.int64) > 0)
    lowest = rows.groupby(keys, dropna=False)["segment"].transform("min")
    has_first = np.asarray(lowest == 0, dtype=bool)
    strength = np.array([_STRENGTH[rule][name] for name in ANSWERS], dtype=np.int64)[answer]
    rows["strength"] = np.where(late, np.where(has_first, -1, _STRENGTH[rule]["unparsed"]), strength)
    rows["truth"] = np.array([*TRUTHS, ""], dtype=object)[truth]
    rows["asked"] = np.where(late, 0, 1)
    without_first = ~has_first & np.asarray(lowest == rows["segment"], dtype=bool)
    rows["unparsed"] = np.where(late, without_first, answer == UNPARSED).astype(int)
    rows["na"] = np.where(late, 0, answer == NA).astype(int)
    return rows


def _check_rows(rows: pd.DataFrame, keys: list[str]) -> None:
    if len(rows) and int(rows["segment"].min()) != 0:
        raise ValueError(f"the first segment is number {rows['segment'].min()} → number segments from 0")
    twice = rows[rows.duplicated([*keys, "segment"])]
    if len(twice):
        raise ValueError(
            f"{len(twice)} segments are answered twice, first {_where(twice.iloc[0])} segment "
            f"{twice.iloc[0]['segment']} → keep one run of each model, prompt and enhancement"
        )
    for column, what in (("truth", "truths"), ("patient_id", "patients")):
        by = ["video_id", "feature"] if column == "truth" else ["video_id"]
        mixed = rows.drop_duplicates([*by, column])
        mixed = mixed[mixed.duplicated(by)]
        if len(mixed):
            raise ValueError(
                f"one recording has two {what} ({_where(mixed.iloc[0])}) "
                "→ were the annotations changed between runs?"
            )


def _where(row: Any) -> str:
    return f"recording {row['video_id']}, {row['feature']}"
