"""Which wordings of the prompt library the embedded models are trained on, and which are kept back."""

from __future__ import annotations

from semiology.prompts.library import Prompt, PromptLibrary

HELD_OUT_PER_FEATURE = 2
# The library has grown since the checkpoints were trained: later wordings are neither trained on nor kept back.
WORDINGS = (
    "s3", "embc", "s3_context", "minimal", "clinical_term", "definition", "layperson", "role",
    "step_by_step_look", "negated",
)  # fmt: skip
REFERENCE = "s3"


def split_prompts(library: PromptLibrary, feature: str) -> tuple[list[Prompt], list[Prompt], list[Prompt]]:
    """Return the wordings of a feature: those used in training (the reference first), unseen, and negated.

    The last two authored wordings that ask for presence are unseen. A negated wording, where yes means that
    the feature is absent, is used in training too.

    Raises:
        ValueError: the feature has too few authored wordings to keep some back.
    """
    entries = [p for p in library.feature(feature).prompts if p.id in WORDINGS]
    positive = [p for p in entries if p.polarity == "positive"]
    authored = [p.id for p in positive if p.provenance == "authored"]
    if len(authored) <= HELD_OUT_PER_FEATURE:
        raise ValueError(
            f"{feature} has {len(authored)} authored wordings; write more than {HELD_OUT_PER_FEATURE}"
        )
    kept_back = authored[-HELD_OUT_PER_FEATURE:]
    seen = sorted((p for p in positive if p.id not in kept_back), key=lambda p: p.id != REFERENCE)
    unseen = [p for p in positive if p.id in kept_back]
    return seen, unseen, [p for p in entries if p.polarity == "negative"]
