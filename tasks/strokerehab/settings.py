"""The choices of a stroke-rehabilitation run: the study's folder, the split, the wording, the sampling, the profile."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import get_args

from semiology.data.cache import cache_directory
from semiology.data.problems import SettingsError
from semiology.data.strokerehab.sampling import Sampling, parse_sampling
from semiology.data.strokerehab.study import SPLITS, is_study
from semiology.metrics.strokerehab.replies import Profile
from semiology.settings import (
    DATA,
    REHAB_BLACK,
    REHAB_PARTIAL,
    REHAB_PROFILE,
    REHAB_PROMPT,
    REHAB_ROOT,
    REHAB_SAMPLING,
    REHAB_SPLIT,
    rehab_nose_only,
)

ALL = "all"


@dataclass(frozen=True)
class RehabSettings:
    """The choices that decide which questions are asked.

    Attributes:
        root: folder of the study.
        cache: folder for derived files.
        split: ``test``, ``tune`` or ``all``.
        prompt_id: wordings, with commas between, or ``all``.
        sampling: instead of each task's own dense windows, or None.
        black: whether black frames are shown in place of the films.
    """

    root: Path
    cache: Path
    split: str
    prompt_id: str
    sampling: Sampling | None
    black: bool = False

    @property
    def prompt_ids(self) -> tuple[str, ...]:
        """The wordings one by one."""
        return tuple(dict.fromkeys(part.strip() for part in self.prompt_id.split(",") if part.strip()))


def read_rehab_settings() -> RehabSettings:
    """Read the settings from the environment.

    Raises:
        SettingsError: no study is named, or a choice is not understood.
    """
    root = REHAB_ROOT.folder()
    if root is None:
        root = DATA.folder()
        if root is None or not is_study(root):
            raise SettingsError(
                f"no stroke-rehabilitation study is chosen: set {REHAB_ROOT} to the folder that holds subjects.csv "
                "(or use `semiology run --data DIR`; `semiology data simulate-strokerehab DIR` draws one to try)"
            )
    if not root.is_dir():
        raise SettingsError(f"{REHAB_ROOT}={root}: no such folder; give the folder of the study")
    split = REHAB_SPLIT.text()
    if split not in (*SPLITS, ALL):
        raise SettingsError(f"{REHAB_SPLIT}={split}: use one of {', '.join((*SPLITS, ALL))}")
    try:
        sampling = parse_sampling(REHAB_SAMPLING.text()) if REHAB_SAMPLING.text() else None
    except ValueError as error:
        raise SettingsError(f"{REHAB_SAMPLING}: {error}") from None
    reading_profile()
    rehab_nose_only()
    return RehabSettings(
        root.resolve(), cache_directory(), split, REHAB_PROMPT.text(), sampling, REHAB_BLACK.is_on()
    )


def reading_profile() -> Profile:
    """Return how replies are read.

    Raises:
        SettingsError: the profile is unknown.
    """
    chosen = REHAB_PROFILE.text()
    for profile in get_args(Profile):
        if chosen == profile:
            return profile  # type: ignore[no-any-return]
    raise SettingsError(f"{REHAB_PROFILE}={chosen}: use one of {', '.join(get_args(Profile))}")


def partial_allowed() -> bool:
    """Return whether videos with windows missing are scored."""
    return REHAB_PARTIAL.is_on()
