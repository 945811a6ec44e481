"""The enhancement steps: what each is called, which features it suits, what it replaces, and its class.

Which step suits which features follows Zhang et al., EMBC 2025, Tables II to IV: skeleton overlays for limb and body
features, face crops for facial features, cleaned sound and transcripts for the features that are heard.
From a record here follow the step's name in ``semiology enhance --with``, its tasks
``<name>_semiology_<feature>`` and their group, and its place in sweeps. CONTRIBUTING.md shows how to add a step.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pkgutil import resolve_name
from typing import TYPE_CHECKING, Literal

from semiology.features import FEATURES_BY_GROUP, Group

if TYPE_CHECKING:
    from semiology.enhancements.command_options import Choices
    from semiology.enhancements.pipeline.step import Step


class EnhancementError(ValueError):
    """An enhancement cannot be made or used; the message says what, where and how to fix it."""


@dataclass(frozen=True)
class StepRecord:
    """What is to be known about a step before its code, and the models that it needs, are loaded.

    Attributes:
        name: Of the enhancement: ``a-z`` and ``_``; the step's own ``name``.
        groups: Groups of the features that it suits.
        replaces: What of a question the derived file takes the place of: ``video`` or ``audio``; ``text``: it is a
            transcript, quoted before the question.
        made_by: ``module:Class`` of a `semiology.enhancements.pipeline.step.Step` with a class method
            ``from_choices(choices)``, which may raise ValueError with a message for the user.
    """

    name: str
    groups: tuple[Group, ...]
    replaces: Literal["video", "audio", "text"]
    made_by: str


STEPS: Mapping[str, StepRecord] = {
    record.name: record
    for record in (
        StepRecord("pose", ("limb_body",), "video", "semiology.enhancements.pose.overlay:PoseOverlay"),
        StepRecord("crop", ("facial",), "video", "semiology.enhancements.face.crop:FaceCrop"),
        StepRecord("denoise", ("audio",), "audio", "semiology.enhancements.sound.denoise:Denoise"),
        StepRecord("transcript", ("audio",), "text", "semiology.enhancements.speech.transcribe:Transcribe"),
    )
}
"""The steps by name, in the order of tasks and tables."""


def features_of(enhancement: str) -> tuple[str, ...]:
    """Return the features for which an enhancement is meant.

    Raises:
        KeyError: there is no such enhancement.
    """
    return tuple(name for group in STEPS[enhancement].groups for name in FEATURES_BY_GROUP[group])


def chosen(names: Iterable[str]) -> tuple[str, ...]:
    """Return enhancements by name, in the order of `STEPS`, each once; a name may hold several with commas.

    Raises:
        EnhancementError: a name is unknown, or none is given.
    """
    given = {part.strip() for name in names for part in name.split(",")} - {""}
    for name in sorted(given - set(STEPS)):
        near = get_close_matches(name, STEPS, n=1, cutoff=0.5)
        hint = f"did you mean {near[0]!r}?" if near else f"there are {', '.join(STEPS)}"
        raise EnhancementError(f"--with {name}: no such enhancement; {hint}")
    if not given:
        raise EnhancementError(f"no enhancement is named; give --with {','.join(STEPS)} or some of them")
    return tuple(name for name in STEPS if name in given)


def build_steps(names: Sequence[str], choices: Choices) -> list[Step]:
    """Return steps by name, in the order given.

    Raises:
        EnhancementError: choices contradict each other; the message says how to fix it.
    """
    try:
        return [resolve_name(STEPS[name].made_by).from_choices(choices) for name in names]
    except ValueError as error:
        raise EnhancementError(str(error)) from None
