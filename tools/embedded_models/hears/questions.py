"""Which wordings of the audio features are trained on, which are kept back, and what to answer."""

from __future__ import annotations

from dataclasses import dataclass, replace

from semiology.features import AUDIO_FEATURES
from semiology.prompts.library import Prompt, PromptLibrary, render
from semiology.tools.embedded_models.hears.paraphrases import NEGATED_PARAPHRASES, PARAPHRASES

HELD_OUT_PER_FEATURE = 2
# The library has grown since the checkpoint was trained: later wordings are neither trained on nor kept back.
WORDINGS = (
    "s3", "embc", "s3_context", "minimal", "clinical_term", "definition", "layperson", "role",
    "step_by_step_look", "negated",
)  # fmt: skip
REFERENCE = "s3"


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
    """Return the wordings of the audio features; the last two authored ones that ask for presence are unseen.

    Raises:
        ValueError: a feature has too few authored wordings to keep some back.
    """
    chosen = {}
    for feature in AUDIO_FEATURES:
        prompts = [p for p in library.feature(feature).prompts if p.id in WORDINGS]
        authored = [p.id for p in prompts if p.provenance == "authored" and p.polarity == "positive"]
        if len(authored) <= HELD_OUT_PER_FEATURE:
            raise ValueError(
                f"{feature} has {len(authored)} authored wordings; write more than {HELD_OUT_PER_FEATURE}"
            )
        kept_back = authored[-HELD_OUT_PER_FEATURE:]
        seen = [prompt for prompt in prompts if prompt.id not in kept_back]
        seen.sort(key=lambda prompt: (prompt.polarity == "negative", prompt.id != REFERENCE))
        unseen = tuple(prompt for prompt in prompts if prompt.id in kept_back)
        chosen[feature] = Wordings(tuple(seen), unseen, _extra(feature, seen[0]))
    return chosen


def _extra(feature: str, like: Prompt) -> tuple[Prompt, ...]:
    """Return the paraphrases of a feature, asking for the same answers as the reference."""
    positive = [replace(like, id=f"paraphrase_{i}", text=t) for i, t in enumerate(PARAPHRASES[feature])]
    negative = [
        replace(like, id=f"negated_paraphrase_{i}", text=t, polarity="negative")
        for i, t in enumerate(NEGATED_PARAPHRASES[feature])
    ]
    return tuple(
        replace(prompt, provenance="authored", source="Semiology authors", family="training", tail=None)
        for prompt in positive + negative
    )


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
