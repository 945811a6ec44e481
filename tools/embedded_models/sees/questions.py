"""What the model is asked while it learns, in which wordings and formats, and what it replies."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from semiology.features import VISUAL_FEATURES
from semiology.prompts.library import Prompt, PromptLibrary, answer_formats, render
from semiology.render.strict_yaml import read_yaml
from semiology.tools.embedded_models.material import split_prompts

FORMATS = ("embc_internvl", "embc_qwen", "yes_no", "yes_no_json", "yes_no_na", "yes_no_na_json")
FORMAT = "yes_no"

_FRAMES = (
    "Is there {}?",
    "Do you see {}?",
    "Does the video show {}?",
    "Can {} be seen in this patient?",
    "Decide whether the clip shows {}.",
    "Watch the patient: {}?",
)
_NEGATED_FRAMES = ("Is {} absent?", "Is the clip free of {}?", "Is it true that there is no {}?")
_ASIDES = (
    "Watch the whole clip first.",
    "The video shows a patient in a bed.",
    "You see a recording of a hospital patient.",
    "Think about each part of the body.",
    "Attend to the patient only, not to staff.",
    "This is one part of a longer recording.",
)


@dataclass(frozen=True)
class Wordings:
    """Questions of one feature: all seen in training, the reference wording first, and the unseen.

    ``prompts`` are the library's entries behind ``seen``; ``negated`` those where yes means absent.
    """

    seen: tuple[str, ...]
    unseen: tuple[str, ...]
    prompts: tuple[Prompt, ...] = ()
    negated: tuple[Prompt, ...] = ()


@dataclass(frozen=True)
class Question:
    """One question with the reply to learn.

    Attributes:
        text: the full question.
        replies: the reply if the feature is there, and the reply if it is not.
        negated: yes means that the feature is absent.
    """

    text: str
    replies: tuple[str, str]
    negated: bool = False


def split_wordings(library: PromptLibrary) -> dict[str, Wordings]:
    """Return the questions of the 18 visual features, without the last two authored wordings of each.

    Every question of ``seen`` and ``unseen`` asks for a bare yes or no.

    Raises:
        ValueError: a feature has too few authored wordings to keep some back.
    """
    chosen = {}
    for feature in VISUAL_FEATURES:
        seen, unseen, negated = split_prompts(library, feature)
        texts = tuple(_text(p) for p in seen)
        chosen[feature] = Wordings(texts, tuple(_text(p) for p in unseen), tuple(seen), tuple(negated))
    return chosen


def _text(prompt: Prompt) -> str:
    return render(prompt) if prompt.answer == FORMAT else render(prompt, FORMAT)


def phrases() -> dict[str, tuple[str, ...]]:
    """Return the short names of each visual feature."""
    raw = read_yaml(Path(__file__).with_name("phrases.yaml"))
    return {feature: tuple(raw[feature]) for feature in VISUAL_FEATURES}


def training_texts(wordings: Mapping[str, Wordings]) -> list[str]:
    """Return every text that may be used in training, for the tokenizer."""
    texts = [text for feature in wordings.values() for text in feature.seen]
    texts += [p.text for feature in wordings.values() for p in feature.negated]
    texts += [name for names in phrases().values() for name in names for _ in range(3)]
    texts += [*_FRAMES, *_NEGATED_FRAMES, *_ASIDES]
    first = next(iter(wordings.values())).prompts
    if first:
        texts += [render(first[0], name) for name in answer_formats() if name in FORMATS] * 3
        texts += [_reply("yes", "There is a bent elbow.", True), _reply("no", "No sign is seen.", True)] * 20
    return texts


class QuestionSource:
    """Draws training questions: reference wordings, other seen wordings, paraphrases, negations, formats."""

    def __init__(self, wordings: Mapping[str, Wordings]) -> None:
        """Keep the seen and the negated wordings; the unseen ones never come in here."""
        self.wordings = [wordings[name] for name in VISUAL_FEATURES]
        names = phrases()
        self.phrases = [names[name] for name in VISUAL_FEATURES]
        self.formats = FORMATS

    def reference(self, feature: int) -> Question:
        """Return the reference wording of the feature with that number, to be answered yes or no."""
        return Question(self.wordings[feature].seen[0], ("yes", "no"))

    def draw(self, feature: int, rng: np.random.Generator, negated: float = 0.12) -> Question:
        """Draw any question about a feature; a share ``negated`` asks whether the feature is absent."""
        own, names = self.wordings[feature], self.phrases[feature]
        turned = bool(rng.random() < negated)
        prompts = own.negated if turned else own.prompts
        if rng.random() < 0.35:
            frames = _NEGATED_FRAMES if turned else _FRAMES
            text = str(rng.choice(frames)).format(str(rng.choice(names)))
        else:
            text = prompts[int(rng.integers(len(prompts)))].text
        prompt = replace(prompts[0], text=_vary(text, rng), tail=None)
        style = FORMAT if rng.random() < 0.7 else str(rng.choice(self.formats))
        name = str(rng.choice(names))
        seen, absent = f"There is {name}.", f"There is no {name.removeprefix('a ').removeprefix('an ')}."
        words = ("no", "yes") if turned else ("yes", "no")
        replies = tuple(
            _reply(w, t, "json" in style or "embc" in style)
            for w, t in zip(words, (seen, absent), strict=True)
        )
        return Question(render(prompt, style), (replies[0], replies[1]), turned)


def _reply(word: str, justification: str, as_json: bool) -> str:
    return json.dumps({"answer": word, "justification": justification}) if as_json else word


def _vary(text: str, rng: np.random.Generator) -> str:
    """Leave out a word here and there or add an aside, so that no single word carries a question."""
    if rng.random() < 0.5:
        words = text.split(" ")
        kept = [w for w in words if rng.random() > 0.12]
        text = " ".join(kept) if len(kept) > 2 else text
    if rng.random() < 0.3:
        aside = str(rng.choice(_ASIDES))
        text = f"{aside} {text}" if rng.random() < 0.7 else f"{text} {aside}"
    return text


def balanced_features(
    labels: np.ndarray, prevalence: np.ndarray, count: int, rng: np.random.Generator, balance: float = 1.0
) -> np.ndarray:
    """Choose which features to ask about each window, without repetition within a window.

    Args:
        labels: (B, F) booleans.
        prevalence: (F,) share of windows that show each feature.
        count: questions per window, at most F.
        balance: 0 asks all features equally often, 1 makes yes and no about equally frequent.

    Returns:
        (B, count) indices of features.
    """
    share = np.where(labels, prevalence, 1 - prevalence).clip(0.02, 1.0)
    weight = (0.5 / share) ** balance
    # The largest `count` of weight-scaled exponential races are a weighted sample without replacement.
    race = np.log(weight) + rng.gumbel(size=labels.shape)
    return np.argsort(-race, axis=1)[:, :count]
