"""Which wordings the model is trained on, which are kept from it, and how often each answer is asked for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from semiology.features import VISUAL_FEATURES
from semiology.prompts.library import Prompt, PromptLibrary, render

HELD_OUT_PER_FEATURE = 2
REFERENCE = "s3"
FORMAT = "yes_no"


@dataclass(frozen=True)
class Wordings:
    """Questions of one feature: the reference wording, all seen in training (it first), and the unseen."""

    reference: str
    seen: tuple[str, ...]
    unseen: tuple[str, ...]


def split_wordings(library: PromptLibrary) -> dict[str, Wordings]:
    """Return the questions of the 18 visual features, without the last two authored wordings of each.

    Negated wordings, where yes means that the sign is absent, belong to neither part. Every question
    asks for a bare yes or no.

    Raises:
        ValueError: a feature has too few authored wordings to keep some back.
    """
    chosen = {}
    for feature in VISUAL_FEATURES:
        prompts = [p for p in library.feature(feature).prompts if p.polarity == "positive"]
        authored = [p.id for p in prompts if p.provenance == "authored"]
        if len(authored) <= HELD_OUT_PER_FEATURE:
            raise ValueError(
                f"{feature} has {len(authored)} authored wordings; write more than {HELD_OUT_PER_FEATURE}"
            )
        kept_back = set(authored[-HELD_OUT_PER_FEATURE:])
        seen = sorted((p for p in prompts if p.id not in kept_back), key=lambda p: p.id != REFERENCE)
        chosen[feature] = Wordings(
            reference=_text(seen[0]),
            seen=tuple(_text(p) for p in seen),
            unseen=tuple(_text(p) for p in prompts if p.id in kept_back),
        )
    return chosen


def _text(prompt: Prompt) -> str:
    return render(prompt) if prompt.answer == FORMAT else render(prompt, FORMAT)


def training_texts(wordings: Mapping[str, Wordings]) -> list[str]:
    """Return every question that may be used in training, for the tokenizer."""
    return [text for feature in wordings.values() for text in feature.seen]


def balanced_features(
    labels: np.ndarray, prevalence: np.ndarray, count: int, rng: np.random.Generator, balance: float = 1.0
) -> np.ndarray:
    """Choose which features to ask about each window, without repetition within a window.

    Args:
        labels: (B, F) booleans.
        prevalence: (F,) share of windows that show each feature.
        count: questions per window, at most F.
        rng: source of chance.
        balance: 0 asks all features equally often, 1 makes yes and no about equally frequent.

    Returns:
        (B, count) indices of features.
    """
    share = np.where(labels, prevalence, 1 - prevalence).clip(0.02, 1.0)
    weight = (0.5 / share) ** balance
    # The largest `count` of weight-scaled exponential races are a weighted sample without replacement.
    race = np.log(weight) + rng.gumbel(size=labels.shape)
    return np.argsort(-race, axis=1)[:, :count]
