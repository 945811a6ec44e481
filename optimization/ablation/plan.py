"""What an ablation changes: the conditions of each kind, the first of which the others are held against."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from semiology.harness.options import RunOptions
from semiology.tasks.settings import window_for_model, window_named

Kind = Literal["fps", "window", "size", "full-video", "report"]
LEVELS: Mapping[Kind, tuple[str, ...]] = {
    "fps": ("2", "4", "10"),
    "window": ("30x5", "30x15", "15x5"),
    "size": ("602112", "301056", "75264"),
    "full-video": ("centred", "whole"),
    "report": ("without", "with"),
}
"""What is asked of each kind unless levels are named: frames per second (S3, Table 29); length and overlap of windows
in s (the published one first); most pixels of a frame (the EMBC study's first); clips around an onset, and 60 frames
over the whole recording (S3, Table 30); task 7 without and with the report."""
FIXED = ("full-video", "report")


class AblationError(ValueError):
    """An ablation cannot be done so; the message says what to change."""


@dataclass(frozen=True)
class Condition:
    """One condition: its name in tables, and what a run of it is told.

    Attributes:
        level: as the user named it. label: for people.
        options: of `semiology.harness.run.run`, but for its folder.
        task: the S3 task that it is scored on; "" for the features.
    """

    level: str
    label: str
    options: RunOptions
    task: str = ""


def conditions(kind: Kind, options: RunOptions, levels: Sequence[str]) -> tuple[Condition, ...]:
    """Return the conditions of an ablation.

    Args:
        options: of the run, with its tasks where these are features.
        levels: the base first; none for `LEVELS`.

    Raises:
        AblationError: a level is no number or window, is there twice, or is the only one.
    """
    chosen = tuple(levels) or LEVELS[kind]
    if kind in FIXED and chosen != LEVELS[kind]:
        raise AblationError(
            f"ablate {kind} has no other levels than {', '.join(LEVELS[kind])} → leave --levels out"
        )
    if len(chosen) < 2 or len(set(chosen)) < len(chosen):
        raise AblationError(f"--levels {','.join(chosen)}: name two or more, each once, the base first")
    return tuple(_condition(kind, options, level) for level in chosen)


def _condition(kind: Kind, options: RunOptions, level: str) -> Condition:
    if kind == "report":
        task = "s3_diagnosis" if level == "without" else "s3_diagnosis_with_report"
        return Condition(level, f"{level} report", replace(options, tasks=task), task)
    if kind == "full-video":
        label = "Centred clip" if level == "centred" else "Full video"
        asked = replace(options, tasks="s3_onset_time", onset_clips=level)
        return Condition(level, label, asked, "s3_onset_time")
    if kind == "window":
        window = window_named(level)
        fps = _given(options.model_args).get("fps")
        more = {"max_num_frames": str(math.ceil(float(fps) * window.window_s))} if fps else {}
        label = f"{window.window_s:g} s, overlap {window.overlap_s:g} s"
        return Condition(level, label, _told(replace(options, window=level), more))
    if kind == "fps":
        rate = _number(kind, level)
        name = options.window or window_for_model(options.model, options.model_args)
        frames = math.ceil(rate * window_named(name).window_s)
        return Condition(
            level, f"{rate:g} FPS", _told(options, {"fps": f"{rate:g}", "max_num_frames": str(frames)})
        )
    pixels = _number(kind, level)
    least = min(pixels, float(_given(options.model_args).get("min_pixels") or math.inf))
    told = {"min_pixels": f"{least:.0f}", "max_pixels": f"{pixels:.0f}"}
    return Condition(level, f"{pixels:.0f} px", _told(options, told))


def _number(kind: Kind, level: str) -> float:
    try:
        value = float(level)
    except ValueError:
        value = math.nan
    if not (math.isfinite(value) and value > 0):
        raise AblationError(
            f"--levels {level}: ablate {kind} takes numbers above 0, such as {','.join(LEVELS[kind])}"
        )
    return value


def _given(model_args: str) -> dict[str, str]:
    parts = [part.partition("=") for part in model_args.split(",") if part.strip()]
    return {name.strip(): value.strip() for name, _, value in parts}


def _told(options: RunOptions, new: Mapping[str, str]) -> RunOptions:
    """Return options with some model arguments in place of those of the same names."""
    if any(mark in options.model_args for mark in "\"'{[") and new:
        raise AblationError(
            "--model-args with quotes or braces cannot be varied → give arguments of the form key=value"
        )
    told = {**_given(options.model_args), **new}
    return replace(options, model_args=",".join(f"{name}={value}" for name, value in told.items()))
