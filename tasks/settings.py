"""The choices of a run: recording set, wording, window, sound and cache (`semiology.settings` names them)."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, replace
from pathlib import Path

from semiology.data.cache import cache_directory as cache_directory
from semiology.data.problems import SettingsError
from semiology.data.protection.splits import SCORE, parse_purpose
from semiology.data.windows.clips import FORMS, WHOLE
from semiology.data.windows.sliding import QWEN3, STANDARD, SlidingWindow
from semiology.settings import (
    ANSWER_FORMAT,
    AUDIO_SEGMENTS,
    DATA,
    ONSET_CLIPS,
    PROMPT,
    RECORDINGS,
    SOUND,
    SPLIT,
    TRAINED_ON,
    VIDEOS,
    WINDOW,
)

WINDOWS: dict[str, SlidingWindow] = {"standard": STANDARD, "qwen3": QWEN3}
SEGMENTS_OF_SOUND = ("windows", WHOLE)
SOUNDS = ("none", "array", "data_url")


@dataclass(frozen=True)
class Settings:
    """The choices that decide which questions a task asks.

    Attributes:
        data: Folder of the recording set.
        cache: Folder for derived files (question tables, cut clips); created with mode 0700.
        prompt_id: Which wording of the prompt library every feature uses.
        window_name: ``standard`` (30 s, 60 frames) or ``qwen3`` (60 s, 120 frames).
        purpose: Whose recordings are asked, one of `semiology.data.protection.splits.PURPOSES`.
        answer_format: The answer format of every feature's question; empty for each wording's own.
        recordings, videos: Which of these recordings alone, by id and by place (`splits.hand_out`); empty for all.
        onset_clips: Forms in which S3 task 4 shows an onset, of ``centred``, ``random`` and ``whole``.
        whole_sound: Whether questions on features of sound are about whole recordings instead of windows.
        trained_on: Manifest of the model's training data, whose patients are not asked about; empty for none.
    """

    data: Path
    cache: Path
    prompt_id: str
    window_name: str
    purpose: str = SCORE
    answer_format: str = ""
    recordings: str = ""
    videos: str = ""
    onset_clips: tuple[str, ...] = FORMS
    whole_sound: bool = False
    trained_on: str = ""

    @property
    def window(self) -> SlidingWindow:
        """The sampling protocol that belongs to ``window_name``."""
        return window_named(self.window_name)


def window_named(name: str) -> SlidingWindow:
    """Return a window by its name, or one of one's own by its length and overlap in s, such as ``20x5``.

    Raises:
        SettingsError: there is no such window.
    """
    if name in WINDOWS:
        return WINDOWS[name]
    found = re.fullmatch(r"(\d+(?:\.\d+)?)x(\d+(?:\.\d+)?)", name)
    try:
        if found:
            length, overlap = map(float, found.groups())
            return replace(STANDARD, window_s=length, overlap_s=overlap, max_frames=math.ceil(2 * length))
    except ValueError as error:
        raise SettingsError(f"window {name}: {error}") from None
    raise SettingsError(
        f"window {name}: unknown window; use one of {', '.join(WINDOWS)}, or length and overlap in s, such as 20x5"
    )


def window_for_model(model: str, model_args: str = "") -> str:
    """Return the published window for a model: ``qwen3`` for Qwen3 models, else ``standard``.

    Source: S3 (arXiv 2605.21852), sampling of Section 5; the rule looks at the lmms-eval model name and
    the checkpoint name only.
    """
    name = f"{model} {model_args}".lower().replace("-", "").replace("_", "")
    return "qwen3" if "qwen3" in name else "standard"


def read_settings() -> Settings:
    """Read the settings from the environment.

    Raises:
        SettingsError: No recording set is named, the folder does not exist, or window or split are unknown.
    """
    chosen = DATA.text()
    if not chosen:
        raise SettingsError(
            f"no recording set is chosen: set {DATA} to the folder that holds recordings.csv and "
            "annotations.csv (or use `semiology run --data DIR`)"
        )
    data = Path(chosen).expanduser()
    if not data.is_dir():
        raise SettingsError(f"{DATA}={chosen}: no such folder; give the folder of a recording set")
    window = WINDOW.text()
    window_named(window)
    clips, segments = ONSET_CLIPS.words(), AUDIO_SEGMENTS.text()
    if strange := [each for each in clips if each not in (*FORMS, WHOLE)]:
        raise SettingsError(f"{ONSET_CLIPS}={strange[0]}: no such form; use {', '.join((*FORMS, WHOLE))}")
    if segments not in SEGMENTS_OF_SOUND:
        raise SettingsError(f"{AUDIO_SEGMENTS}={segments}: use {' or '.join(SEGMENTS_OF_SOUND)}")
    try:
        purpose = parse_purpose(SPLIT.text(), setting=SPLIT.name)
    except ValueError as error:
        raise SettingsError(str(error)) from None
    return Settings(
        data.resolve(),
        cache_directory(),
        PROMPT.text(),
        window,
        purpose,
        ANSWER_FORMAT.text(),
        RECORDINGS.text(),
        VIDEOS.text(),
        clips,
        segments == WHOLE,
        TRAINED_ON.text(),
    )


def sound_override() -> str | None:
    """Return how sound is handed over, if the user chose it; ``None`` leaves it to the task YAML.

    Raises:
        SettingsError: The value is not one of ``none``, ``array``, ``data_url``.
    """
    chosen = SOUND.text()
    if chosen and chosen not in SOUNDS:
        raise SettingsError(f"{SOUND}={chosen}: unknown form of sound; use one of {', '.join(SOUNDS)}")
    return chosen or None
