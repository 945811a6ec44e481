"""What the proposer reads about each recording: text without ids, media or file names."""

from __future__ import annotations

from typing import Any

from semiology.optimization.search.asking import Said
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
    """Return what the proposer reads about one recording.

    Args:
        example: the recording; its ids stay out.
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


def proposer_record(example: Example, said: Said, number: int, wording: str) -> dict[str, Any]:
    """Return all that a proposer gets about one recording under a wording, in GEPA's form."""
    return {
        "Inputs": {"question": wording, "sign": example.feature},
        "Generated Outputs": {"answer": said.answer},
        "Feedback": recording_feedback(example, said, number),
        "Verdict": verdict(example.truth, said.answer),
        "Definition": clinical_definition(example.feature),
    }


def clinical_definition(feature: str) -> str:
    """Return what the library says a feature is: the definition, when it does not count, why it matters."""
    entry = load_library().feature(feature)
    wordings = [prompt.text for prompt in entry.prompts if prompt.family == "definition"]
    lines = [f"Clinical definition: {wordings[0]}"] if wordings else []
    if entry.context:
        lines.append(f"It does not count or needs context when: {entry.context}.")
    lines.append(f"Why it matters: {entry.importance}")
    return "\n".join(lines)
