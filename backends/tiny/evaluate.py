"""How well the model answers about patients it has never met: recording-level F1 against always-yes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor
from transformers import Qwen2_5_VLForConditionalGeneration

from semiology.backends.tiny import packing
from semiology.backends.tiny.clip_pool import Pool
from semiology.backends.tiny.stages import Questioner
from semiology.features import VISUAL_FEATURES

FIRST_WINDOW_ONLY = "occur_during_sleep"


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
    model: Qwen2_5_VLForConditionalGeneration,
    questioner: Questioner,
    pool: Pool,
    tokens: Sequence[Tensor],
    wording: int = 0,
) -> np.ndarray:
    """Return (N, 18) logit of yes minus logit of no at the first answer token, one wording per feature.

    ``wording`` is taken modulo the number of wordings a feature has.
    """
    margins = np.zeros((len(pool), len(VISUAL_FEATURES)))
    every = np.arange(len(VISUAL_FEATURES))
    wordings = np.array([wording % len(blocks) for blocks in questioner.blocks])
    for index, visual in enumerate(tokens):
        prefix = questioner.prefix(int(pool.counts[index]) // 2, pool.grid)
        row = questioner.row(prefix, every, np.ones(len(every), dtype=bool), wordings)
        with torch.autocast("cpu", torch.bfloat16):
            batch = packing.stack([row], questioner.pad)
            logits = packing.answer_logits(model, prefix, batch, visual[None].float()).float()[::2]
        margins[index] = (logits[:, questioner.yes] - logits[:, questioner.no]).numpy()
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


def report(pool: Pool, margins: np.ndarray, name: str) -> dict[str, Any]:
    """Return a JSON-ready report of one evaluation."""
    truth, answers = recording_answers(pool, margins > 0)
    scores = score_features(truth, answers)
    return {
        "name": name,
        "recordings": len(truth),
        "patients": len(np.unique(pool.patients)),
        "windows": len(pool),
        "macro_f1": float(np.mean([s.f1 for s in scores if s.positive])),
        "macro_always_yes_f1": float(np.mean([s.always_yes_f1 for s in scores if s.positive])),
        "features_above_always_yes": sum(s.f1 > s.always_yes_f1 for s in scores),
        "features": [asdict(score) for score in scores],
    }


def table(result: dict[str, Any]) -> str:
    """Return a report as a Markdown table."""
    lines = [
        "| feature | positive | prevalence | always-yes F1 | precision | recall | F1 |",
        "| --- " * 7 + "|",
    ]
    lines += [
        f"| {s['feature']} | {s['positive']}/{s['recordings']} | {s['prevalence']:.2f} "
        f"| {s['always_yes_f1']:.2f} "
        f"| {s['precision']:.2f} | {s['recall']:.2f} | {s['f1']:.2f} |"
        for s in result["features"]
    ]
    macro = f"| macro | | | {result['macro_always_yes_f1']:.2f} | | | {result['macro_f1']:.2f} |"
    return "\n".join([*lines, macro])
