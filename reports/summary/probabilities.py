"""P(yes) where it was recorded: ranking, honesty, and what rules chosen on some patients do on others."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

import numpy as np
import pandas as pd

from semiology.data.cache import write_texts
from semiology.features import FEATURES
from semiology.metrics.scores.aggregation import THREE_CLASSES
from semiology.metrics.scores.discrimination import ProbabilityScores, probability_scores
from semiology.metrics.scores.operating_points import ERROR, SPECIFICITY
from semiology.metrics.scores.probability import Pooling, recording_probabilities
from semiology.render.table import csv_of
from semiology.render.text import counted, rounded
from semiology.reports.read.feature_answers import Results
from semiology.reports.summary.features import limit_cells

RUN = ["model", "enhancement", "prompt"]
NAMES = ("probabilities.csv", "calibration.csv", "risk_coverage.csv")
NONE_RECORDED = (
    "No answer carries P(yes), so there is nothing to rank, to calibrate or to refer. The model classes `semiology_hf` "
    "and `semiology_openai` record it with `score=logprob`."
)


@dataclass(frozen=True)
class Choice:
    """Who chooses thresholds, who is scored with them, and what is asked of them.

    Attributes:
        answers: answers about development patients that the results leave out (as with ``--split test``), or None.
        choosing, tested: recordings of development patients, and of those kept for tests; cross-fitting where no answer
            is about either.
        specificity, error: wanted, as in `operating_points.operating_points`.
    """

    answers: pd.DataFrame | None = None
    choosing: frozenset[str] = frozenset()
    tested: frozenset[str] = frozenset()
    specificity: float = SPECIFICITY
    error: float = ERROR


@dataclass(frozen=True)
class FeatureProbabilities:
    """P(yes) of one run and feature under one pooling of segments.

    Attributes:
        model, prompt, enhancement, feature, pooling: what it is about.
        scores: what P(yes) is worth. n_left_out: recordings without a known P(yes).
    """

    model: str
    prompt: str
    enhancement: str
    feature: str
    pooling: Pooling
    scores: ProbabilityScores
    n_left_out: int

    @property
    def head(self) -> dict[str, Any]:
        """What each row of a table begins with."""
        names = ("model", "prompt", "enhancement", "feature", "pooling")
        return {name: getattr(self, name) for name in names}


def probability_summaries(results: Results, choice: Choice | None = None) -> tuple[FeatureProbabilities, ...]:
    """Return what P(yes) is worth by run, yes/no feature and pooling of segments; empty where none was recorded.

    Recordings without a yes or no in the truth, or with a segment whose P(yes) is not known, are left out and counted.

    Raises:
        ValueError: a share of the choice is out of range.
    """
    choice = choice or Choice()
    answers = _askable(results.answers)
    if not answers["p_yes"].notna().any():
        return ()
    shown = frozenset(answers["video_id"])
    if choice.answers is not None and len(choice.answers):
        more = _askable(choice.answers)
        answers = pd.concat([answers, more[~more["video_id"].isin(shown)]])
    made: list[FeatureProbabilities] = []
    for (model, enhancement, prompt, feature), rows in answers.groupby(
        [*RUN, "feature"], sort=True, observed=True
    ):
        about = rows.drop_duplicates("video_id").set_index("video_id")[["truth", "patient_id"]]
        pooled = {
            name: recording_probabilities(rows, ["video_id"], name).set_index("video_id")["p_yes"].dropna()
            for name in get_args(Pooling)
        }
        for pooling, known in pooled.items():
            here = known.index.isin(shown)
            if not here.any():
                continue
            own = about.reindex(known.index)
            found = probability_scores(
                (own["truth"] == "yes").to_numpy(dtype=bool),
                np.asarray(known, dtype=np.float64),
                own["patient_id"].astype(str).tolist(),
                shown=here,
                any_yes=(pooled["max"].reindex(known.index) > 0.5).to_numpy(dtype=bool),
                choosing=known.index.isin(choice.choosing),
                tested=known.index.isin(choice.tested) & here,
                specificity=choice.specificity,
                error=choice.error,
            )
            left_out = int(about.index.isin(shown).sum()) - found.n
            names = (str(model), str(prompt), str(enhancement), str(feature))
            made.append(FeatureProbabilities(*names, pooling, found, left_out))
    return tuple(made)


def _askable(answers: pd.DataFrame) -> pd.DataFrame:
    """Return the answers on yes/no features about recordings whose truth is yes or no."""
    kept = answers["feature"].isin(FEATURES) & ~answers["feature"].isin(THREE_CLASSES)
    return answers[kept & answers["truth"].isin(["yes", "no"])]


def chosen_on(scores: Sequence[FeatureProbabilities]) -> str:
    """Return in a sentence who chose the rules and who was scored with them; empty without any scores."""
    points = [each.scores.points for each in scores]
    if not points:
        return ""
    crossed = [each.cross_fitted for each in points]
    fitted = (
        "by cross-fitting, for want of a split with development and test patients among the answers: each fifth of the "
        "patients is scored with what the others choose"
    )
    if all(crossed):
        return f"Thresholds are chosen {fitted}."
    split = [each for each in points if not each.cross_fitted]
    choosers, scored = (
        max(getattr(each, name) for each in split) for name in ("n_choosing_patients", "n_patients")
    )
    told = (
        f"Thresholds are chosen on {counted(choosers, 'development patient')} and scored on "
        f"{counted(scored, 'patient')} kept for tests"
    )
    some = f"; {sum(crossed)} of {len(crossed)} {fitted}" if any(crossed) else ""
    return f"{told}{some}."


def write_probabilities(
    scores: Sequence[FeatureProbabilities], folder: Path, choice: Choice | None = None
) -> list[Path]:
    """Write probabilities.csv, calibration.csv and risk_coverage.csv, if there are scores; return their paths."""
    if not scores:
        return []
    tables = (score_rows(scores, choice or Choice()), bin_rows(scores), curve_rows(scores))
    return write_texts({name: csv_of(rows) for name, rows in zip(NAMES, tables, strict=True)}, folder)


def score_rows(scores: Sequence[FeatureProbabilities], choice: Choice) -> list[dict[str, Any]]:
    """Return a row of scores for each run, feature and pooling; undefined values are None."""
    return [_score_row(each, choice) for each in scores]


def bin_rows(scores: Sequence[FeatureProbabilities]) -> list[dict[str, Any]]:
    """Return the bins of the reliability diagrams."""
    return [
        each.head
        | {"mean_p_yes": one.mean}
        | limit_cells("share_with_feature", one.share)
        | {"recordings": one.n}
        for each in scores
        for one in each.scores.calibration
    ]


def curve_rows(scores: Sequence[FeatureProbabilities]) -> list[dict[str, Any]]:
    """Return the points of the risk-coverage curves, surest answers first."""
    return [
        each.head | {"coverage": coverage, "share_wrong": wrong, "confidence_above": cut}
        for each in scores
        for coverage, wrong, cut in each.scores.risk_coverage
    ]


def _score_row(each: FeatureProbabilities, choice: Choice) -> dict[str, Any]:
    found, points = each.scores, each.scores.points
    return (
        each.head
        | {"n": found.n, "n_patients": found.n_patients, "n_left_out": each.n_left_out}
        | limit_cells("auroc", found.auroc)
        | {"auroc_reason": found.auroc.reason or found.auroc.caution}
        | limit_cells("average_precision", found.average_precision)
        | {"prevalence": rounded(found.prevalence)}
        | limit_cells("brier", found.brier)
        | {
            "thresholds_from": "other patients (cross-fitted)"
            if points.cross_fitted
            else "development patients",
            "n_choosing": points.n_choosing,
            "n_choosing_patients": points.n_choosing_patients,
            "n_scored": points.n,
            "n_scored_patients": points.n_patients,
        }
        | limit_cells("any_yes_f1", points.any_yes_f1)
        | limit_cells("own_threshold_f1", points.own_threshold_f1)
        | limit_cells("gain_over_any_yes", points.gain)
        | {"thresholds": _cuts(points.thresholds)}
        | {"specificity_wanted": choice.specificity}
        | limit_cells("sensitivity_at_specificity", points.sensitivity)
        | limit_cells("specificity_reached", points.specificity)
        | {"specificity_thresholds": _cuts(points.specificity_thresholds)}
        | {"error_stated": choice.error}
        | limit_cells("referred_to_human", points.referred)
        | limit_cells("error_of_kept", points.kept_error)
        | limit_cells("error_of_all", points.all_error)
        | {"confidences": _cuts(points.confidences)}
        | {"rules_reason": points.own_threshold_f1.reason or points.sensitivity.reason}
    )


def _cuts(values: Sequence[float]) -> str:
    return " ".join(f"{each:.4g}" for each in values)
