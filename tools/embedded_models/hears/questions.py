"""Which wordings of the audio features are trained on, which are kept back, and what to answer."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from semiology.features import AUDIO_FEATURES
from semiology.prompts.library import Prompt, PromptLibrary, render
from semiology.render.strict_yaml import read_yaml
from semiology.tools.embedded_models.material import split_prompts


@dataclass(frozen=True)
class Wordings:
    """Wordings of one feature.

    Attributes:
        seen: of the library, used in training: the reference first, the negated last.
        unseen: of the library, kept from training.
        extra: used in training only.
    """

    seen: tuple[Prompt, ...]
    unseen: tuple[Prompt, ...]
    extra: tuple[Prompt, ...]


def split_wordings(library: PromptLibrary) -> dict[str, Wordings]:
    """Return the wordings of the audio features.

    Raises:
        ValueError: a feature has too few authored wordings to keep some back.
    """
    chosen = {}
    for feature in AUDIO_FEATURES:
        seen, unseen, negated = split_prompts(library, feature)
        chosen[feature] = Wordings((*seen, *negated), tuple(unseen), _extra(feature, seen[0]))
    return chosen


def _extra(feature: str, like: Prompt) -> tuple[Prompt, ...]:
    """Return the paraphrases of a feature, asking for the same answers as the reference."""
    texts = read_yaml(Path(__file__).with_name("paraphrases.yaml"))[feature]
    like = replace(like, provenance="authored", source="Semiology authors", family="training", tail=None)
    positive = [replace(like, id=f"paraphrase_{i}", text=t) for i, t in enumerate(texts["positive"])]
    negative = [
        replace(like, id=f"negated_paraphrase_{i}", text=t, polarity="negative")
        for i, t in enumerate(texts["negative"])
    ]
    return (*positive, *negative)


def training_texts(wordings: dict[str, Wordings]) -> list[str]:
    """Return the library's questions that are used in training, for the tokenizer."""
    return [render(prompt) for feature in wordings.values() for prompt in feature.seen]


def answer(prompt: Prompt, truth: str) -> str:
    """Return what to reply to a wording where the truth is yes, no or na; a negated one swaps yes and no."""
    if truth == "na":
        return "NA"
    if prompt.polarity == "negative":
        return {"yes": "no", "no": "yes"}[truth]
    return truth
