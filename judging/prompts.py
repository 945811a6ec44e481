"""What a judge is sent: the instruction, with the text fenced off by a mark that the text cannot contain;
and the words in which it may answer each question of task 2: those that the offline rules use too.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from itertools import count

from semiology.features import FEATURES
from semiology.metrics.s3.text.phrases import BODY_PARTS, LONGEST
from semiology.prompts.judge_library import judge_instruction
from semiology.prompts.library import load_library

Words = tuple[str, ...]

YES_NO: Words = ("yes", "no")
SIDE: Words = ("left", "right", "both")
EXTENT: Words = ("unilateral", "bilateral")
DURATION: Words = ("sustained", "brief")
VARYING: Words = ("frequency", "amplitude", "both")
PARTS: Words = tuple(BODY_PARTS)
SIDED_PARTS: Words = (*PARTS, *(f"{side} {part}" for part in PARTS for side in SIDE))
LISTS: tuple[Words, ...] = (PARTS, SIDED_PARTS)
"""An answer in these words is a list of them."""

ANSWER_WORDS: Mapping[str, tuple[Words, ...]] = {
    "face_twitching": (YES_NO, SIDE),
    "face_pulling": (SIDE, YES_NO),
    "tonic": (YES_NO, PARTS, SIDED_PARTS),
    "clonic": (PARTS, EXTENT, DURATION),
    "occur_during_sleep": (),
    "arm_flexion": (YES_NO, SIDE),
    "arm_straightening": (SIDE, YES_NO),
    "figure4": (SIDE, SIDE, YES_NO),
    "head_turning": (YES_NO, SIDE),
    "blank_stare": (YES_NO, YES_NO),
    "oral_automatisms": (YES_NO,),
    "limb_automatisms": (YES_NO, SIDED_PARTS),
    "pelvic_thrusting": (YES_NO,),
    "asynchronous_movement": (PARTS, VARYING, YES_NO, YES_NO),
    "arms_move_simultaneously": (YES_NO,),
    "full_body_shaking": (YES_NO,),
    "close_eyes": (YES_NO,),
    "eye_blinking": (YES_NO, YES_NO),
    "verbal_responsiveness": (YES_NO, YES_NO),
    "ictal_vocalization": (YES_NO, YES_NO),
}
"""Words by feature and question, in the order of `semiology.metrics.s3.text.justification_rules.READERS`."""


def justification_prompt(feature: str, text: str) -> str:
    """Return the prompt with which a judge reads a justification of a feature.

    Texts are cut at 20,000 characters, as the offline rules do.

    Raises:
        KeyError: there is no such feature.
        ValueError: the library has other questions than there are words for, or none.
    """
    questions, words = load_library().feature(feature).questions, ANSWER_WORDS.get(feature, ())
    if len(questions) != len(words) or not words:
        raise ValueError(
            f"{feature}: the library has {len(questions)} questions, and judging/prompts.py words for "
            f"{len(words)} → add the words of each question there"
        )
    lines = [
        f"{number}. {question} Answer with {_allowed(known)}."
        for number, (question, known) in enumerate(zip(questions, words, strict=True), start=1)
    ]
    return judge_instruction("justification").filled(
        {
            "sign": feature.replace("_", " "),
            "questions": "\n".join(lines),
            # The shape of the answers; a word of the vocabulary would invite that answer.
            "example": ", ".join('["..."]' if known in LISTS else '"..."' for known in words),
            **_fenced(text),
        }
    )


def report_prompt(text: str) -> str:
    """Return the prompt with which a judge reads a report."""
    return judge_instruction("report").filled({"names": ", ".join(FEATURES), **_fenced(text)})


def retry_prompt(prompt: str, fault: str) -> str:
    """Return the prompt that asks again after a reply that could not be used."""
    return judge_instruction("retry").filled({"instruction": prompt, "fault": fault})


def instruction_hashes() -> dict[str, str]:
    """Return the hash of all that a judge is told, by kind of text, questions and words included.

    With the judge's name it tells what a reading rests on.
    """
    asked = [justification_prompt(feature, "") for feature, words in ANSWER_WORDS.items() if words]
    told = {"justification": "\n".join(asked), "report": report_prompt("")}
    return {kind: hashlib.sha256(text.encode()).hexdigest() for kind, text in told.items()}


def _fenced(text: str) -> dict[str, str]:
    """Return the text and a mark that follows from it and does not occur in it."""
    cut = text[:LONGEST]
    for turn in count():
        digest = hashlib.sha256(f"{turn}\0{cut}".encode("utf-8", "surrogatepass")).hexdigest()
        mark = f"=====text-{digest[:16]}====="
        if mark not in cut:
            return {"text": cut, "mark": mark}
    raise AssertionError("unreachable")


def _allowed(words: Words) -> str:
    if words == SIDED_PARTS:
        parts = ", ".join(f'"{word}"' for word in words if " " not in word)
        return (
            f"a list of {parts}, each with its side in front if it is stated (left, right or both, as in "
            '"left arm"), or null'
        )
    shown = ", ".join(f'"{word}"' for word in words)
    return f"a list of {shown}, or null" if words in LISTS else f"{shown} or null"
