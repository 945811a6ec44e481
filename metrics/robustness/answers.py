"""The answers that several wordings of one question got on the same recordings: wordings × recordings.

Everything on robustness starts from this array. Only recordings that *every* wording was asked about are
compared, so that no wording is judged on easier recordings than another; how many are left out is kept.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from semiology.metrics.arrays import Bools, Codes, Floats
from semiology.metrics.coverage import require_columns
from semiology.metrics.scores.aggregation import THREE_CLASSES, recording_answers
from semiology.metrics.scores.classification import Policy
from semiology.metrics.scores.counts import NA, TRUTHS, UNPARSED, encode, encode_answers
from semiology.metrics.scores.probability import recording_probabilities

if TYPE_CHECKING:
    import pandas as pd

NEEDED = ("prompt_id", "video_id", "patient_id", "answer", "truth")
DESCRIBING = ("family", "polarity", "answer_format", "provenance", "prompt")
OWN_FORMAT = "own"


class IncompleteSweepError(ValueError):
    """No recording was asked about under every wording, so there is nothing to compare."""


@dataclass(frozen=True)
class WordingAnswers:
    """Answers of one model about one feature under K wordings on n recordings of P patients.

    Answers are about the presence of the feature: a "yes" to a negatively asked wording is a "no" here.

    Attributes:
        feature: name, for messages.
        wordings: names, length K. families, polarities: of each wording, length K.
        reference: position of the reference wording, None if it was not asked.
        recordings: video ids, length n.
        patients: patient ids, length P. patient: position of each recording's patient, shape (n,).
        truth: codes of `counts.TRUTHS`, shape (n,); without ``na`` unless ``three_classes``.
        answers: codes of `counts.ANSWERS`, shape (K, n).
        three_classes: whether ``na`` is an answer to be scored (verbal_responsiveness).
        p_yes: probability of "the feature is present", shape (K, n), NaN where unknown; None without scores.
        left_out: recordings that some wording was not asked about, or without a truth to score.
        hashes, formats, provenances: of each wording, length K; empty where the answers do not tell.
    """

    feature: str
    wordings: tuple[str, ...]
    families: tuple[str, ...]
    polarities: tuple[str, ...]
    reference: int | None
    recordings: tuple[str, ...]
    patients: tuple[str, ...]
    patient: Codes
    truth: Codes
    answers: Codes
    three_classes: bool = False
    p_yes: Floats | None = None
    left_out: int = 0
    hashes: tuple[str, ...] = ()
    formats: tuple[str, ...] = ()
    provenances: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Check that the shapes agree.

        Raises:
            ValueError: they do not; the message names the array.
        """
        k, n = len(self.wordings), len(self.recordings)
        wanted = {"patient": (n,), "truth": (n,), "answers": (k, n)}
        if self.p_yes is not None:
            wanted["p_yes"] = (k, n)
        for name, shape in wanted.items():
            if getattr(self, name).shape != shape:
                raise ValueError(
                    f"{self.feature}: {name} has the shape {getattr(self, name).shape}, not {shape}"
                )
        if len(self.families) != k or len(self.polarities) != k:
            raise ValueError(f"{self.feature}: give one family and one polarity for each of {k} wordings")

    @property
    def usable(self) -> Bools:
        """Whether an answer is one of the scored classes, shape (K, n)."""
        return np.asarray((self.answers != UNPARSED) & (self.three_classes | (self.answers != NA)))

    def counted(self, policy: Policy) -> Bools:
        """Whether an answer counts under a policy, shape (K, n): all, or the usable ones."""
        return self.usable if policy == "drop" else np.ones(self.answers.shape, dtype=bool)

    @property
    def right(self) -> Bools:
        """Whether an answer equals the truth, shape (K, n); an answer that is not usable is not right."""
        return np.asarray((self.answers == self.truth) & self.usable)

    def tables(self, patient: Codes | None = None, n_patients: int | None = None) -> Floats:
        """Return counting tables per patient and wording, shape (P, K, 3, 4); see `scores.counts`.

        ``patient`` is each recording's patient in another list of ``n_patients`` (default: its own).
        """
        patient = self.patient if patient is None else patient
        n_patients = len(self.patients) if n_patients is None else n_patients
        k = len(self.wordings)
        flat = ((patient * k + np.arange(k)[:, None]) * 3 + self.truth) * 4 + self.answers
        counts = np.bincount(flat.ravel(), minlength=n_patients * k * 12)
        return counts.reshape(n_patients, k, 3, 4).astype(np.float64)


def wording_answers(recordings: pd.DataFrame, *, reference: str = "s3") -> WordingAnswers:
    """Arrange recording answers of one model and one feature as wordings × recordings.

    Args:
        recordings: one row per wording and recording (after `aggregation.recording_answers`), columns
            prompt_id, video_id, patient_id, answer, truth, and any of feature, prompt, prompt_hash,
            answer_format, family, polarity, provenance, p_yes. A wording is what ``prompt`` labels alike; without
            that column it is a prompt_id, and where one id was sent in several forms (answer formats) each form
            counts as a wording of its own. A missing answer is unparsed.
        reference: prompt_id of the reference wording.

    Raises:
        ValueError: a column is missing, the frame holds several features, a wording answered a recording
            twice, a recording has two truths or patients, or a value is outside its vocabulary.
        IncompleteSweepError: no recording with a truth was asked about under every wording.

    >>> import pandas as pd
    >>> rows = [
    ...     (wording, f"v{i}", f"p{i}", "yes" if i % 2 or (wording == "s3" and i % 4 == 0) else "no", truth)
    ...     for wording in ("s3", "minimal")
    ...     for i, truth in enumerate(["no", "yes"] * 20)
    ... ]
    >>> columns = ["prompt_id", "video_id", "patient_id", "answer", "truth"]
    >>> answers = wording_answers(pd.DataFrame(rows, columns=columns))
    >>> answers.wordings, answers.answers.shape, answers.right.mean(1)
    (('s3', 'minimal'), (2, 40), array([0.75, 1.  ]))
    """
    feature = _one_feature(recordings)
    rows = recordings.assign(_wording=_names(recordings))
    _refuse_repeats(rows, feature)
    three = feature in THREE_CLASSES
    truth = encode(rows["truth"].to_numpy(dtype=object), TRUTHS, "truth")
    scored = rows.assign(_truth=truth)[(truth >= 0) & (three | (truth != NA))]
    wordings = list(dict.fromkeys(scored["_wording"]))
    asked = scored.groupby("video_id", sort=True)["_wording"].nunique()
    kept = [str(video) for video, count in asked.items() if count == len(wordings)]
    if not kept:
        raise IncompleteSweepError(
            f"{feature}: no recording with a truth was asked about under all of the {len(wordings)} wordings "
            "→ finish the sweep, or leave wordings out"
        )
    first = scored.drop_duplicates("video_id").set_index("video_id").loc[kept]
    patients, patient = np.unique(first["patient_id"].to_numpy(dtype=str), return_inverse=True)
    described = scored.drop_duplicates("_wording").set_index("_wording").loc[wordings]
    grid = _grid(scored, "answer", wordings, kept)
    # The reference is in its own form, where it was sent in others too.
    places = [i for i, name in enumerate(wordings) if name == reference]
    places += [i for i, name in enumerate(described["prompt_id"]) if name == reference]
    return WordingAnswers(
        feature=feature,
        wordings=tuple(wordings),
        families=_described(described, "family", "not stated"),
        polarities=_described(described, "polarity", "positive"),
        reference=places[0] if places else None,
        recordings=tuple(kept),
        patients=tuple(str(name) for name in patients),
        patient=patient.astype(np.int64),
        truth=first["_truth"].to_numpy(dtype=np.int64),
        answers=encode_answers(grid.ravel()).reshape(grid.shape),
        three_classes=three,
        p_yes=_scores(scored, wordings, kept),
        left_out=int(rows["video_id"].nunique()) - len(kept),
        hashes=_described(described, "prompt_hash"),
        formats=_described(described, "answer_format"),
        provenances=_described(described, "provenance"),
    )


def wording_answers_of_segments(segments: pd.DataFrame, *, reference: str = "s3") -> WordingAnswers:
    """Arrange segment answers of one model and one feature, as a sweep logs them, as wordings × recordings.

    ``segments`` has the columns of `aggregation.recording_answers` with prompt_id and prompt_hash, and any of
    family, polarity, answer_format, p_yes; ``reference`` is the prompt_id of the reference wording. A recording
    that was not asked about in the same number of segments under every wording, as at the end of a run that was
    stopped, is left out.

    Raises:
        ValueError: as `wording_answers`.
        IncompleteSweepError: nothing is left to compare.
    """
    given = [name for name in DESCRIBING if name in segments.columns]
    described = segments[["prompt_hash", *given]].drop_duplicates("prompt_hash")
    recordings = recording_answers(segments)
    unequal = recordings.groupby("video_id")["n_segments"].transform("nunique") > 1
    if bool(unequal.all()):
        raise IncompleteSweepError("no recording was asked about in the same segments under every wording")
    kept = recordings[~unequal].merge(described, on="prompt_hash", how="left")
    if "p_yes" in segments.columns and bool(segments["p_yes"].notna().any()):
        scores = recording_probabilities(segments)
        kept = kept.merge(scores, on=["prompt_hash", "video_id"], how="left")
    found = wording_answers(kept, reference=reference)
    return replace(found, left_out=found.left_out + int(recordings.loc[unequal, "video_id"].nunique()))


def _one_feature(rows: pd.DataFrame) -> str:
    require_columns(rows, NEEDED, of="recording answers")
    if rows.empty:
        raise ValueError("the frame of recording answers is empty → there is nothing to compare")
    for column in ("feature", "model", "enhancement"):
        if column in rows.columns and rows[column].nunique(dropna=False) > 1:
            raise ValueError(f"the frame holds several values of {column!r} → select one first")
    return str(rows["feature"].iloc[0]) if "feature" in rows.columns else "feature"


def _names(rows: pd.DataFrame) -> pd.Series[str]:
    """Return a name for each row's wording: its label, else its id, with the form where one id has several."""
    if "prompt" in rows.columns:
        return rows["prompt"].astype(str)
    names = rows["prompt_id"].astype(str)
    for column, length in (("answer_format", None), ("prompt_hash", 8)):
        if column in rows.columns:
            forms = rows.groupby("prompt_id", dropna=False)[column].transform("nunique")
            suffix = rows[column].astype(str).str.slice(0, length)
            return names.where((forms <= 1) | (suffix == OWN_FORMAT), names + "+" + suffix)
    return names


def _refuse_repeats(rows: pd.DataFrame, feature: str) -> None:
    twice = rows[rows.duplicated(["_wording", "video_id"])]
    if len(twice):
        raise ValueError(
            f"{feature}: wording {twice['_wording'].iloc[0]} answered recording {twice['video_id'].iloc[0]} "
            "twice → aggregate segments to recordings, and keep one run of each wording"
        )
    for column in ("truth", "patient_id"):
        mixed = rows.drop_duplicates(["video_id", column])
        mixed = mixed[mixed.duplicated("video_id")]
        if len(mixed):
            raise ValueError(
                f"{feature}: recording {mixed['video_id'].iloc[0]} has two values of {column} "
                "→ were the annotations changed between runs?"
            )


def _described(described: pd.DataFrame, column: str, default: str | None = None) -> tuple[str, ...]:
    """Return what a column says of each wording; where it is not there the default of each, or nothing."""
    if column not in described.columns:
        return (default,) * len(described) if default else ()
    default = default or "not stated"
    return tuple(str(value) if value else default for value in described[column].fillna(""))


def _grid(
    rows: pd.DataFrame, column: str, wordings: Sequence[str], videos: Sequence[str]
) -> npt.NDArray[Any]:
    wide = rows.pivot(index="_wording", columns="video_id", values=column)
    return wide.reindex(index=list(wordings), columns=list(videos)).to_numpy()


def _scores(rows: pd.DataFrame, wordings: Sequence[str], videos: Sequence[str]) -> Floats | None:
    if "p_yes" not in rows.columns or bool(rows["p_yes"].isna().all()):
        return None
    scores = _grid(rows, "p_yes", wordings, videos).astype(np.float64)
    if bool(((scores < 0) | (scores > 1)).any()):
        raise ValueError("a value of p_yes lies outside 0 to 1")
    return scores
