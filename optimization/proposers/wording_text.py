"""A wording as a search handles it: one text, the instruction of the program's one predictor.

What is sent is that text and the sentence of an answer format, as the library joins them. A wording that is
to be sent in another format than the search's default says so in a last line, ``(answer format: …)``.
"""

from __future__ import annotations

import re

from semiology.prompts.library import NA_WHEN_NOT_STATED, Prompt, answer_formats, load_library, render

OWN_FORMAT = "yes_no"
CANDIDATE = "candidate"
"""Id of a wording that is none of the library's."""
_FORMAT = re.compile(r"\s*\(answer format: ([a-z_]+)\)\s*$")


def split_format(instruction: str) -> tuple[str, str | None]:
    """Return the wording and the answer format it names, None if it names none (or an unknown one)."""
    found = _FORMAT.search(instruction)
    if found is None or found.group(1) not in answer_formats():
        return instruction.strip(), None
    return instruction[: found.start()].strip(), found.group(1)


def with_format(text: str, answer_format: str | None) -> str:
    """Return the instruction for a wording in an answer format; None keeps the search's default."""
    return f"{text}\n(answer format: {answer_format})" if answer_format else text


def wording_prompt(feature: str, instruction: str, default_format: str = OWN_FORMAT) -> Prompt:
    """Return a library wording for an instruction; a text of the library keeps its id and provenance."""
    text, named = split_format(instruction)
    chosen = named or default_format
    entry = load_library().feature(feature)
    for prompt in entry.prompts:
        if prompt.text == text and prompt.answer == chosen and prompt.polarity == "positive":
            return prompt
    return Prompt(
        feature=feature,
        id=CANDIDATE,
        text=text,
        answer=chosen,
        provenance="optimized",
        source="a search for wordings",
        family="optimized",
        na_when=entry.na_when or NA_WHEN_NOT_STATED,
    )


def question_text(feature: str, instruction: str, default_format: str = OWN_FORMAT) -> str:
    """Return the full question for an instruction, byte for byte as it is sent."""
    return render(wording_prompt(feature, instruction, default_format))
