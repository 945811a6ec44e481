"""Which enhancement is shown for which features.

Source: Zhang et al., EMBC 2025, Tables II to IV: skeleton overlays for limb and body features, face crops for
facial features, cleaned sound and transcripts for the features that are heard.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from difflib import get_close_matches

from semiology.features import FEATURES_BY_GROUP, Group

GROUP_OF_ENHANCEMENT: Mapping[str, Group] = {
    "pose": "limb_body",
    "crop": "facial",
    "denoise": "audio",
    "transcript": "audio",
}
ENHANCEMENTS: tuple[str, ...] = tuple(GROUP_OF_ENHANCEMENT)
SUBSTITUTES: Mapping[str, str] = {"pose": "video", "crop": "video", "denoise": "audio", "transcript": "text"}
"""What of a question the derived file takes the place of, or is put beside."""


class EnhancementError(ValueError):
    """An enhancement cannot be made or used; the message says what, where and how to fix it."""


def features_of(enhancement: str) -> tuple[str, ...]:
    """Return the features for which an enhancement is meant.

    Raises:
        KeyError: there is no such enhancement.
    """
    return FEATURES_BY_GROUP[GROUP_OF_ENHANCEMENT[enhancement]]


def chosen(names: Iterable[str]) -> tuple[str, ...]:
    """Return enhancements by name, in the house's order, each once; a name may hold several with commas.

    Raises:
        EnhancementError: a name is unknown, or none is given.
    """
    given = {part.strip() for name in names for part in name.split(",")} - {""}
    for name in sorted(given - set(ENHANCEMENTS)):
        near = get_close_matches(name, ENHANCEMENTS, n=1, cutoff=0.5)
        hint = f"did you mean {near[0]!r}?" if near else f"there are {', '.join(ENHANCEMENTS)}"
        raise EnhancementError(f"--with {name}: no such enhancement; {hint}")
    if not given:
        raise EnhancementError(
            f"no enhancement is named; give --with {','.join(ENHANCEMENTS)} or some of them"
        )
    return tuple(name for name in ENHANCEMENTS if name in given)
