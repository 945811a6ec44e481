"""What the proposer is told about each recording: text without ids, media or file names."""

from __future__ import annotations

from semiology.optimization.search.answers import Said
from semiology.optimization.search.examples import Example
from semiology.prompts.library import load_library

REPLY_CHARACTERS = 240
SHOWN_REPLIES = 3


def verdict(truth: str, answer: str) -> str:
    """Return how an answer stands to the truth: right, missed, falsely called, unusable or wrong."""
    if answer == truth:
        return "right"
    if answer == "unparsed":
        return "unusable"
    return {("yes", "no"): "missed", ("no", "yes"): "falsely called"}.get((truth, answer), "wrong")


def recording_feedback(example: Example, said: Said, number: int) -> str:
    """Return what is told about one recording.

    Args:
        example: the recording; its ids are not told.
        said: what the model said.
        number: its place in this batch, which stands for it.
    """
    truth = {"yes": "present", "no": "absent", "na": "not applicable"}[example.truth]
    found = verdict(example.truth, said.answer)
    lines = [f"Recording {number}: the sign is {truth}; the model answered {said.answer} ({found})."]
    shown = [reply.strip()[:REPLY_CHARACTERS] or "(nothing)" for reply in said.replies[:SHOWN_REPLIES]]
    lines.append("The model said: " + " | ".join(shown))
    if example.justification and found != "right":
        lines.append(f"The annotator wrote: {example.justification.strip()}")
    return "\n".join(lines)


def clinical_definition(feature: str) -> str:
    """Return what the library says a feature is: the definition, when it does not count, why it matters."""
    entry = load_library().feature(feature)
    wordings = [prompt.text for prompt in entry.prompts if prompt.family == "definition"]
    lines = [f"Clinical definition: {wordings[0]}"] if wordings else []
    if entry.context:
        lines.append(f"It does not count or needs context when: {entry.context}.")
    lines.append(f"Why it matters: {entry.importance}")
    return "\n".join(lines)
