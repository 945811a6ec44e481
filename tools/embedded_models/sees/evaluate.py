"""How well the model answers about patients it has never met: recording-level F1 against always-yes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from semiology.features import VISUAL_FEATURES
from semiology.metrics.statistics.intervals import patient_weights
from semiology.tools.embedded_models.packing import stack
from semiology.tools.embedded_models.sees import packing
from semiology.tools.embedded_models.sees.answering import Questioner
from semiology.tools.embedded_models.sees.clip_pool import Pool
from semiology.tools.embedded_models.sees.questions import Question

FIRST_WINDOW_ONLY = "occur_during_sleep"
# Below this an interval would promise more than the data hold.
MIN_POSITIVE_PATIENTS = 10


@dataclass(frozen=True)
class FeatureScore:
    """Recording-level figures of one feature; ``f1`` is 0 where nothing was found."""

    feature: str
    recordings: int
    positive: int
    prevalence: float
    always_yes_f1: float
    precision: float
    recall: float
    f1: float


def f1_score(truth: np.ndarray, guess: np.ndarray) -> float:
    """Return F1 of boolean arrays, 0 where there is neither a positive nor a positive answer."""
    found = int((truth & guess).sum())
    total = int(truth.sum() + guess.sum())
    return 2 * found / total if total else 0.0


def recording_answers(pool: Pool, window_answers: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Combine windows into recordings by any-yes; sleep is read off the first window only.

    Args:
        pool: a pool of whole recordings.
        window_answers: (N, 18) booleans.

    Returns:
        truth and answers, both (recordings, 18).
    """
    counted = window_answers.copy()
    counted[pool.indices > 0, VISUAL_FEATURES.index(FIRST_WINDOW_ONLY)] = False
    names, first, inverse = np.unique(pool.recordings, return_index=True, return_inverse=True)
    answers = np.zeros((len(names), window_answers.shape[1]), dtype=bool)
    np.logical_or.at(answers, inverse, counted)
    return pool.truths[first], answers


def score_features(truth: np.ndarray, answers: np.ndarray) -> list[FeatureScore]:
    """Return each feature's figures from (recordings, 18) booleans."""
    scores = []
    for column, name in enumerate(VISUAL_FEATURES):
        true, said = truth[:, column], answers[:, column]
        found = int((true & said).sum())
        scores.append(
            FeatureScore(
                feature=name,
                recordings=len(true),
                positive=int(true.sum()),
                prevalence=float(true.mean()),
                always_yes_f1=f1_score(true, np.ones_like(true)),
                precision=found / max(1, int(said.sum())),
                recall=found / max(1, int(true.sum())),
                f1=f1_score(true, said),
            )
        )
    return scores


@torch.no_grad()
def answer_margins(
    questioner: Questioner, pool: Pool, tokens: Sequence[Tensor], questions: Sequence[Question]
) -> np.ndarray:
    """Return (N, 18) logit of "present" minus logit of "absent" where the reply decides.

    ``questions`` has one question per feature.
    """
    margins = np.zeros((len(pool), len(questions)))
    blocks = [questioner.block(question, True) for question in questions]
    starts = np.cumsum([0, *[len(b.answer) for b in blocks[:-1]]])
    place = torch.from_numpy(starts + np.array([b.decision for b in blocks]))
    yes, no = torch.tensor([b.yes_no for b in blocks]).T
    every = torch.arange(len(blocks))
    for index, visual in enumerate(tokens):
        prefix = questioner.prefix(int(pool.counts[index]) // 2, pool.grid)
        batch = stack([packing.pack(prefix, blocks)], questioner.pad)
        logits, _ = packing.answer_logits(questioner.model, prefix, batch, visual[None].float())
        decided = logits[place]
        margins[index] = (decided[every, yes] - decided[every, no]).numpy()
    return margins


def best_thresholds(pool: Pool, margins: np.ndarray, pull: float = 4.0) -> np.ndarray:
    """Return per feature the margin above which yes gives the best recording-level F1.

    The search is smoothed: the median of all thresholds whose F1 is within 0.02 of the best is taken, and
    features with few positives are pulled towards 0 by ``pull`` imaginary recordings.
    """
    found = np.zeros(margins.shape[1])
    for column in range(margins.shape[1]):
        grid = np.quantile(margins[:, column], np.linspace(0.02, 0.98, 97))
        scores = []
        for threshold in grid:
            truth, said = recording_answers(pool, margins > threshold)
            scores.append(f1_score(truth[:, column], said[:, column]))
        near = grid[np.array(scores) >= max(scores) - 0.02]
        positives = int(recording_answers(pool, margins > 0)[0][:, column].sum())
        found[column] = np.median(near) * positives / (positives + pull)
    return found


def f1_intervals(
    patients: np.ndarray, truth: np.ndarray, answers: np.ndarray, resamples: int = 2000, seed: int = 0
) -> tuple[list[tuple[float, float] | None], tuple[float, float]]:
    """Return 95 % patient-bootstrap intervals of each feature's F1 and of their mean.

    Args:
        patients: (recordings,) patient of each recording.
        truth, answers: (recordings, 18) booleans.
        resamples: number of bootstrap samples of patients.
        seed: seed of the bootstrap.

    Returns:
        per feature low and high, None where positives come from fewer than ``MIN_POSITIVE_PATIENTS``; and
        those of the mean over features with a positive recording.
    """
    groups = patients[:, None] == np.unique(patients)[None, :]
    weights = patient_weights(groups.shape[1], resamples, np.random.default_rng(seed))
    totals = [weights @ (groups.T.astype(float) @ x) for x in (truth & answers, truth, answers)]
    found, true, said = totals
    scores = np.where(true + said > 0, 2 * found / np.maximum(true + said, 1), 0.0)
    limits = np.quantile(scores, [0.025, 0.975], axis=0)
    bearing = ((groups.T.astype(float) @ truth) > 0).sum(0)
    intervals = [
        (float(low), float(high)) if count >= MIN_POSITIVE_PATIENTS else None
        for low, high, count in zip(*limits, bearing, strict=True)
    ]
    macro = np.quantile(scores[:, truth.any(0)].mean(1), [0.025, 0.975])
    return intervals, (float(macro[0]), float(macro[1]))


def report(pool: Pool, margins: np.ndarray, name: str) -> dict[str, Any]:
    """Return a JSON-ready report of one evaluation."""
    truth, answers = recording_answers(pool, margins > 0)
    patients = pool.patients[np.unique(pool.recordings, return_index=True)[1]]
    intervals, macro = f1_intervals(patients, truth, answers)
    scores = score_features(truth, answers)
    return {
        "name": name,
        "recordings": len(truth),
        "patients": len(np.unique(patients)),
        "windows": len(pool),
        "macro_f1": float(np.mean([s.f1 for s in scores if s.positive])),
        "macro_f1_interval": macro,
        "macro_always_yes_f1": float(np.mean([s.always_yes_f1 for s in scores if s.positive])),
        "features_above_always_yes": sum(s.f1 > s.always_yes_f1 for s in scores),
        "features": [{**asdict(s), "f1_interval": i} for s, i in zip(scores, intervals, strict=True)],
    }


def table(result: dict[str, Any]) -> str:
    """Return a report as a Markdown table; intervals are 95 %, by patient bootstrap."""
    lines = [
        "| feature | positive | always-yes F1 | precision | recall | F1 | 95 % |",
        "| --- | --- | --- | --- | --- | --- | --- |",
    ]
    for s in result["features"]:
        reach = "not estimable" if s["f1_interval"] is None else "{:.2f}-{:.2f}".format(*s["f1_interval"])
        lines.append(
            f"| {s['feature']} | {s['positive']}/{s['recordings']} | {s['always_yes_f1']:.2f} "
            f"| {s['precision']:.2f} | {s['recall']:.2f} | {s['f1']:.2f} | {reach} |"
        )
    reach = "{:.2f}-{:.2f}".format(*result["macro_f1_interval"])
    lines.append(
        f"| macro | | {result['macro_always_yes_f1']:.2f} | | | {result['macro_f1']:.2f} | {reach} |"
    )
    return "\n".join(lines)
