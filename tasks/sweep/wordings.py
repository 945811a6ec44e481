"""Which wordings of a feature a sweep asks: prompts of the library crossed with answer formats."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from difflib import get_close_matches

from semiology.data.problems import SettingsError
from semiology.prompts.checks import FAMILIES
from semiology.prompts.library import Prompt, answer_formats, load_library, prompt_hash, render
from semiology.tasks.task_list import NO_ENHANCEMENT as NO_ENHANCEMENT

ALL = "all"
OWN = "own"


@dataclass(frozen=True)
class Wording:
    """One question text: a prompt in one answer format (``own``: the prompt's own, as published)."""

    prompt: Prompt
    answer_format: str
    question: str

    @property
    def hash(self) -> str:
        """SHA-256 of the question as sent."""
        return prompt_hash(self.question)

    @property
    def name(self) -> str:
        """Id, with the answer format where it is not the prompt's own."""
        return self.prompt.id if self.answer_format == OWN else f"{self.prompt.id}+{self.answer_format}"


@dataclass(frozen=True)
class Selection:
    """The wordings of one feature, all with different texts, and why others are not asked."""

    feature: str
    wordings: tuple[Wording, ...]
    skipped: tuple[str, ...]


def select_wordings(
    feature: str, prompts: Sequence[str] = (ALL,), formats: Sequence[str] = (OWN,)
) -> Selection:
    """Return the wordings of a feature, in the library's order, formats innermost.

    ``prompts`` are ids or families (``all``: the whole library), ``formats`` ids of answer formats (``own``: each
    prompt's own, as published). A format that does not offer an answer which the prompt's own does (NA), or a
    prompt that names its answers itself, is not crossed; of wordings with the same text the first is kept.
    `Selection.skipped` names each such case.

    Raises:
        SettingsError: a name is unknown in the whole library, or nothing is left to ask.
        KeyError: unknown feature.
    """
    check_names(prompts, formats)
    found: dict[str, Wording] = {}
    skipped = []
    for prompt in load_library().feature(feature).prompts:
        if ALL not in prompts and prompt.id not in prompts and prompt.family not in prompts:
            continue
        for name in formats:
            reason = unfit(prompt, name)
            wording = Wording(prompt, name, "" if reason else render(prompt, None if name == OWN else name))
            if reason:
                skipped.append(f"{feature}: {wording.name} is not asked, because {reason}")
            elif wording.hash in found:
                same = found[wording.hash].name
                skipped.append(f"{feature}: {wording.name} has the same text as {same} and is asked once")
            else:
                found[wording.hash] = wording
    if not found:
        raise SettingsError(
            f"{feature} has none of the chosen wordings ({', '.join(prompts)} in the formats "
            f"{', '.join(formats)}); `semiology prompts list` shows what it has"
        )
    return Selection(feature, tuple(found.values()), tuple(skipped))


def check_names(prompts: Sequence[str], formats: Sequence[str]) -> None:
    """Check that every name means something somewhere in the library; no feature need have it.

    Raises:
        SettingsError: one does not; the message suggests the nearest one.
    """
    ids = {prompt.id for prompt in load_library()}
    known = {"prompt or family": [ALL, *sorted(ids), *FAMILIES], "answer format": [OWN, *answer_formats()]}
    for (what, names), given in zip(known.items(), (prompts, formats), strict=True):
        if not given:
            raise SettingsError(f"a sweep needs at least one {what}; {names[0]!r} is the default")
        for name in given:
            if name not in names:
                near = get_close_matches(name, names, n=1, cutoff=0.5)
                hint = f"; did you mean {near[0]!r}?" if near else f"; there are {', '.join(names)}"
                raise SettingsError(f"unknown {what} {name!r} in a sweep{hint}")


def unfit(prompt: Prompt, name: str) -> str | None:
    """Return why a prompt cannot be sent in an answer format, or None."""
    if name in (OWN, prompt.answer):
        return None
    if prompt.tail == "":
        return "its text names the answers itself"
    lost = [
        each for each in answer_formats()[prompt.answer].answers if each not in answer_formats()[name].answers
    ]
    return f"the format does not offer {', '.join(lost)}" if lost else None
