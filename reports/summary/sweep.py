"""What a sweep shows: for each model and feature how much of its score is the wording, and which wording.

Everything is computed in `semiology.metrics`; this gathers it for `semiology.reports.tables.sweep`.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd

from semiology.features import FEATURES
from semiology.metrics.robustness.answers import (
    OWN_FORMAT,
    IncompleteSweepError,
    WordingAnswers,
    wording_answers_of_segments,
)
from semiology.metrics.robustness.best_wording import BestOfK, best_of_k
from semiology.metrics.robustness.scores import FeatureRobustness, robustness_of
from semiology.metrics.robustness.variance import VarianceShares, variance_shares, wording_permutation_test
from semiology.metrics.scores.classification import Policy
from semiology.metrics.scores.counts import UNPARSED, YES
from semiology.metrics.statistics.equivalence import (
    DEFAULT_MARGIN,
    Equivalence,
    adjust_for_family,
    share_equivalence,
    wording_equivalence,
)
from semiology.metrics.statistics.intervals import MIN_POSITIVE_PATIENTS, RESAMPLES, Estimate
from semiology.render.text import counted
from semiology.reports.read.feature_answers import Results
from semiology.reports.read.lmms_eval_files import ResultsError
from semiology.reports.read.path_scrubbing import without_paths

SWEEP_RECORD = "sweep.json"
FOLDS = 5
MIN_PATIENTS_TO_CHOOSE = MIN_POSITIVE_PATIENTS


@dataclass(frozen=True)
class SweptFeature:
    """One feature of one model under K wordings.

    Attributes:
        answers: wordings × recordings. robustness: every measure of them.
        best: what choosing the best of K is worth on patients that did not choose it; None with ``no_best``,
            the reason.
        accuracy: difference of accuracy of each wording and the reference, as a figure; None for the reference
            itself and where it was not asked.
        equivalence: is each wording as good as the reference? Recall and specificity each within the margin, by two
            one-sided tests adjusted for all wordings of all features of the model; None as before.
        p_value, noise_spread: is any wording different (permutation within patients), and the best-minus-
            worst accuracy that noise alone makes.
        by_format: variance shares with answer formats in place of families; None where one format was asked.
    """

    answers: WordingAnswers
    robustness: FeatureRobustness
    best: BestOfK | None
    no_best: str | None
    accuracy: tuple[Equivalence | None, ...]
    equivalence: tuple[Equivalence | None, ...]
    p_value: float
    noise_spread: float
    by_format: VarianceShares | None

    @property
    def order(self) -> list[int]:
        """Positions of the wordings as shown: the reference first, then by family and name."""
        names, families = self.answers.wordings, self.answers.families
        first = self.answers.reference
        return sorted(range(len(names)), key=lambda i: (i != first, families[i], names[i]))


@dataclass(frozen=True)
class SweptModel:
    """All swept features of one model and enhancement, and their means."""

    model: str
    enhancement: str
    features: tuple[SweptFeature, ...]
    macro: dict[str, Estimate]


@dataclass(frozen=True)
class SweepSummary:
    """All sweeps of a report.

    Attributes:
        models: in alphabetical order. caveats: what a reader must know before the figures.
        notes: what is missing or could not be computed, in sentences.
        margin: largest harmless difference of recall and of specificity.
        margin_fixed: whether a plan fixed it before the run.
        policy, resamples, seed: as given.
    """

    models: tuple[SweptModel, ...]
    caveats: tuple[str, ...]
    notes: tuple[str, ...]
    margin: float
    margin_fixed: bool
    policy: Policy
    resamples: int
    seed: int


def holds_sweep(answers: pd.DataFrame) -> bool:
    """Tell whether some of the answers come from a sweep."""
    return "family" in answers.columns and bool(of_sweeps(answers).any())


def of_sweeps(answers: pd.DataFrame) -> pd.Series[bool]:
    """Return which answers come from a sweep: those with the family of their wording.

    A single run may name an answer format, too.
    """
    return answers["family"].notna()


def summarise_sweeps(
    results: Results,
    *,
    margin: float | None = None,
    policy: Policy = "wrong",
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> SweepSummary:
    """Compute all measures of the sweeps among the answers; other answers are left alone.

    Args:
        results: answers of one or several runs.
        margin: of equivalence, as the plan of the sweep fixed it (`margin_of`); None takes the default.
        policy: ``wrong`` or ``drop`` for answers that cannot be used.
        resamples, seed: of the bootstrap over patients, the folds and the permutations.

    Raises:
        ResultsError: no feature was asked about the same recordings under every wording.
        ValueError: the answers contradict each other.
    """
    models, notes = [], [without_paths(note) for note in results.notes]
    used = DEFAULT_MARGIN if margin is None else margin
    rows = _sweep_rows(results.answers)
    for (model, enhancement), group in rows.groupby(["model", "enhancement"], sort=True):
        where = (
            f"{model}, {enhancement}: "
            if rows[["model", "enhancement"]].drop_duplicates().shape[0] > 1
            else ""
        )
        asked = _asked(group, where, notes)
        if not asked:
            continue
        robustness = robustness_of(asked, policy=policy, resamples=resamples, seed=seed)
        features = _adjusted(
            [
                _swept(each, found, used, policy, resamples, seed)
                for each, found in zip(asked, robustness.features, strict=True)
            ]
        )
        notes += [where + text for each in features for text in _remarks(each)]
        models.append(SweptModel(str(model), str(enhancement), features, dict(robustness.macro)))
    if not models:
        raise ResultsError("the sweep cannot be compared: " + "; ".join(notes or ["it holds no answers"]))
    return SweepSummary(
        tuple(models), results.caveats, tuple(notes), used, margin is not None, policy, resamples, seed
    )


def margin_of(paths: Sequence[Path]) -> float | None:
    """Return the margin that the plan of the sweeps in these folders fixed, or None if none did.

    Raises:
        ResultsError: the folders hold sweeps with different margins, or a record that is damaged.
    """
    files = {file for path in paths for file in _records_near(path)}
    margins: dict[float, Path] = {}
    for file in sorted(files):
        try:
            margins.setdefault(float(json.loads(file.read_text(encoding="utf-8"))["margin"]), file)
        except (ValueError, KeyError, TypeError, OSError):
            raise ResultsError(f"{file}: is not the record of a sweep → restore it from a copy") from None
    if len(margins) > 1:
        told = ", ".join(f"{margin:g} in {file}" for margin, file in margins.items())
        raise ResultsError(f"the sweeps have different margins of equivalence ({told}) → report them apart")
    return next(iter(margins), None)


def _records_near(path: Path) -> list[Path]:
    """Return the records in a folder (any depth), or up to two folders above it where it has none."""
    folder = path if path.is_dir() else path.parent
    inside = list(folder.rglob(SWEEP_RECORD))
    above = [place / SWEEP_RECORD for place in list(folder.resolve().parents)[:2]]
    return inside or [file for file in above if file.is_file()][:1]


def _sweep_rows(answers: pd.DataFrame) -> pd.DataFrame:
    """Return all answers on the (model, enhancement, feature) that a sweep asked about.

    A single run of the same text, if it is newer, has taken the place of the sweep's; it counts as the
    wording's own form.
    """
    keys = ["model", "enhancement", "feature"]
    swept = answers.assign(_swept=of_sweeps(answers))
    kept = swept[swept.groupby(keys)["_swept"].transform("any")].drop(columns="_swept")
    return kept.assign(answer_format=kept["answer_format"].fillna(OWN_FORMAT))


def _asked(group: pd.DataFrame, where: str, notes: list[str]) -> list[WordingAnswers]:
    asked = []
    for feature in [name for name in FEATURES if name in set(group["feature"])]:
        try:
            asked.append(wording_answers_of_segments(group[group["feature"] == feature]))
        except IncompleteSweepError as error:
            told = str(error) if feature in str(error) else f"{feature}: {error}"
            notes.append(where + told)
    return asked


def _swept(
    answers: WordingAnswers,
    robustness: FeatureRobustness,
    margin: float,
    policy: Policy,
    resamples: int,
    seed: int,
) -> SweptFeature:
    best, no_best = _best(answers, robustness, policy, resamples, seed)
    right, reference = answers.right, answers.reference
    accuracy: list[Equivalence | None] = [None] * len(answers.wordings)
    tests = list(accuracy)
    if reference is not None:
        for place in [i for i in range(len(tests)) if i != reference]:
            pair = (right[place], right[reference])
            accuracy[place] = share_equivalence(*pair, answers.patient, margin=margin)
            tests[place] = wording_equivalence(*pair, answers.truth, answers.patient, margin=margin)
    p_value, noise = wording_permutation_test(right, answers.patient, seed=seed)
    by_format = None
    if len(set(answers.formats)) > 1:
        by_format = variance_shares(right, answers.formats, answers.patient)
    return SweptFeature(
        answers, robustness, best, no_best, tuple(accuracy), tuple(tests), p_value, noise, by_format
    )


def _adjusted(features: Sequence[SweptFeature]) -> tuple[SweptFeature, ...]:
    """Return the features with the tests of equivalence adjusted for all of them together."""
    told = iter(adjust_for_family([test for each in features for test in each.equivalence]))
    return tuple(replace(each, equivalence=tuple(next(told) for _ in each.equivalence)) for each in features)


def _best(
    answers: WordingAnswers, robustness: FeatureRobustness, policy: Policy, resamples: int, seed: int
) -> tuple[BestOfK | None, str | None]:
    """Return the best of K on other patients, or why there is none."""
    if len(answers.wordings) < 2:
        return None, "only one wording was asked"
    if np.isnan(robustness.per_wording["f1"]).all():
        return None, "no recording shows the feature, so no wording has an F1"
    if len(answers.patients) < MIN_PATIENTS_TO_CHOOSE:
        few = counted(len(answers.patients), "patient")
        return None, f"{few}: too few to choose on some and score on others"
    found = best_of_k(answers, folds=FOLDS, policy=policy, resamples=resamples, seed=seed)
    if found.blind_folds:
        return None, (
            f"{len(found.blind_folds)} of {FOLDS} times no patient who should choose shows the feature, so the "
            "choice would be blind"
        )
    return found, None


def _remarks(feature: SweptFeature) -> list[str]:
    """Return what a reader must be told of a feature, in sentences."""
    answers, told = feature.answers, []
    k, n = answers.answers.shape
    if answers.three_classes:
        pass  # its scores are means over the classes that there are
    elif not (answers.truth == YES).any():
        told.append(
            f"{answers.feature}: no recording shows the feature, so F1 and balanced accuracy are undefined"
        )
    elif len(set(answers.truth.tolist())) == 1:
        told.append(
            f"{answers.feature}: every recording shows the feature, so balanced accuracy is undefined"
        )
    unparsed = (answers.answers == UNPARSED).all(1)
    if unparsed.all():
        told.append(
            f"{answers.feature}: none of the {counted(k * n, 'answer')} could be read as yes or no → look "
            "at `raw` in the samples: is the model reached, and does it answer in words?"
        )
    elif unparsed.any():
        names = ", ".join(name for name, lost in zip(answers.wordings, unparsed, strict=True) if lost)
        told.append(f"{answers.feature}: no answer to {names} could be read as yes or no")
    searched = [
        name
        for name, made in zip(answers.wordings, answers.provenances, strict=bool(answers.provenances))
        if made == "optimized"
    ]
    if searched:
        told.append(
            f"{answers.feature}: found by a search: {', '.join(searched)} → on patients that the search saw, "
            "their scores, and the means and spreads that count them, are too high"
        )
    if answers.left_out:
        told.append(
            f"{answers.feature}: {counted(answers.left_out, 'recording')} left out, for lack of a truth or "
            "of answers to every wording in the same segments"
        )
    return told
