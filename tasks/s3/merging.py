"""The published instructions with which a language model merges the texts on the segments of a recording."""

from __future__ import annotations

from collections.abc import Sequence

from semiology.backends.text.served import TextModel, TextModelError
from semiology.metrics.s3.merge_windows import TextMerger
from semiology.prompts.s3_library import fill, load_task_prompts
from semiology.tasks.answers.reasoning import without_reasoning


def instructed(model: TextModel | None) -> TextMerger | None:
    """Return a merger of texts that asks a language model as published; None (extractive) without one."""
    if model is None:
        return None

    def merged(texts: Sequence[str], feature: str | None, answer: str) -> str:
        said = (without_reasoning(model(merge_prompt(texts, feature, answer))) or "").strip()
        if not said:
            raise TextModelError("the model that merges texts replied with nothing but reasoning")
        return said

    return merged


def merge_prompt(texts: Sequence[str], feature: str | None, answer: str) -> str:
    """Return the instruction to merge justifications of an answer about a feature, or (None) reports."""
    values = {"segments": "".join(f"\n- {text}" for text in dict.fromkeys(texts))}
    if feature is None:
        return fill(load_task_prompts("merge_reports").prompt("s3"), values)
    exhibits = "exhibits" if answer == "yes" else "does not exhibit"
    values |= {"exhibits": exhibits, "feature": feature.replace("_", " ")}
    return fill(load_task_prompts("merge_justifications").prompt("s3"), values)
