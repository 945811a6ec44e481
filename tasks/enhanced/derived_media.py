"""The plan of a run with derived media in the place of the originals.

Windows are those of the original recording, so that an answer with an enhancement can be put beside the
answer without it. A recording whose enhancement failed, or could not be made, is left out and named: shown
unenhanced it would be scored as enhanced.
"""

from __future__ import annotations

import shlex
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from semiology.data.problems import SettingsError
from semiology.data.windows.sliding import usable
from semiology.enhancements.assignment import SUBSTITUTES
from semiology.enhancements.pipeline.cache import is_whole
from semiology.enhancements.pipeline.manifest import Enhanced, read_manifest, source_state
from semiology.settings import ENHANCED
from semiology.tasks.plan import Plan, RecordingPlan, plan_of
from semiology.tasks.settings import Settings

LENGTH_TOLERANCE_S = 0.25
"""By how much a derived video may be longer or shorter than the original, s: half the step of 2 fps."""


@dataclass(frozen=True)
class EnhancedPlan:
    """What can be asked with one enhancement.

    Attributes:
        enhancement: which.
        plan: the recordings with derived media, and the windows of the originals.
        rows: the manifest's row of each of them, by video id.
        left_out: (status, sentence) by video id where the enhancement is unavailable or failed.
        not_made: why there is no derived file to use yet, by video id; the command fixes it.
    """

    enhancement: str
    plan: Plan
    rows: Mapping[str, Enhanced]
    left_out: Mapping[str, tuple[str, str]]
    not_made: Mapping[str, str]


def manifest_folder(settings: Settings, chosen: str | None) -> Path:
    """Return the folder that holds the manifest: the chosen one, else the recording set.

    Args:
        settings: of the run.
        chosen: value of ``SEMIOLOGY_ENHANCED``.

    Raises:
        SettingsError: the chosen folder does not exist.
    """
    if not chosen:
        return settings.data
    folder = Path(chosen).expanduser()
    if not folder.is_dir():
        raise SettingsError(
            f"{ENHANCED}={chosen}: no such folder; give the --out folder of `semiology enhance`"
        )
    return folder.resolve()


def enhanced_plan(base: Plan, enhancement: str, folder: Path) -> EnhancedPlan:
    """Return a plan in which derived files stand in the place of the recordings' own.

    Args:
        base: the plan without enhancement.
        enhancement: ``pose``, ``crop``, ``denoise`` or ``transcript``.
        folder: where the manifest lies.

    Raises:
        RecordingSetError: the manifest has faults.
    """
    manifest = read_manifest(folder)
    rows: dict[str, Enhanced] = {}
    left_out: dict[str, tuple[str, str]] = {}
    not_made: dict[str, str] = {}
    for video_id, recording in base.recordings.items():
        row = manifest.get((video_id, enhancement))
        if row is None:
            not_made[video_id] = "not enhanced yet"
        elif row.source != source_state(recording.recording):
            not_made[video_id] = "changed since it was enhanced"
        elif row.status != "done":
            left_out[video_id] = (row.status, row.sentence)
        elif row.file is None or not is_whole(row.file):
            not_made[video_id] = "the derived file is gone or damaged"
        else:
            rows[video_id] = row
    kept = _substituted(base, enhancement, rows, left_out)
    plan = replace(base, recordings=kept)
    return EnhancedPlan(
        enhancement, plan, {name: rows[name] for name in kept}, left_out=left_out, not_made=not_made
    )


def check_made(enhanced: EnhancedPlan, asked: Collection[str], settings: Settings, folder: Path) -> None:
    """Refuse to ask while derived files are missing that a command can make, or were made differently.

    Args:
        enhanced: what there is.
        asked: ids of the recordings that questions are about.
        settings: of the run.
        folder: where the manifest lies.

    Raises:
        SettingsError: names the recordings, the reasons and the command.
    """
    elsewhere = "" if folder == settings.data else f" --out {shlex.quote(str(folder))}"
    command = f"semiology enhance {shlex.quote(str(settings.data))} --with {enhanced.enhancement}{elsewhere}"
    head = f"the enhancement {enhanced.enhancement!r}"
    missing = {name: reason for name, reason in enhanced.not_made.items() if name in asked}
    if missing:
        reasons = "; ".join(
            f"{why}: {_some([name for name, reason in missing.items() if reason == why])}"
            for why in dict.fromkeys(missing.values())
        )
        raise SettingsError(
            f"{head} is missing for {len(missing)} of {len(asked)} recordings ({reasons}). "
            f"Make it with: {command}"
        )
    made = {row.settings: name for name, row in enhanced.rows.items() if name in asked}
    if len(made) > 1:
        raise SettingsError(
            f"{head} was made with {len(made)} different settings or versions (one each: "
            f"{_some(list(made.values()))}). Make it anew, for all with the same options: {command}"
        )


def _some(names: list[str]) -> str:
    return ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")


def _substituted(
    base: Plan,
    enhancement: str,
    rows: Mapping[str, Enhanced],
    left_out: dict[str, tuple[str, str]],
) -> dict[str, RecordingPlan]:
    """Return the recordings that have a derived file, in the order of the set, with it in its place."""
    files = {name: row.file for name, row in rows.items() if row.file is not None}
    if SUBSTITUTES[enhancement] == "audio":
        return {
            name: replace(item, recording=replace(item.recording, audio=files[name]))
            for name, item in base.recordings.items()
            if name in files
        }
    if SUBSTITUTES[enhancement] == "text":
        return {name: item for name, item in base.recordings.items() if name in files}
    recordings = tuple(
        replace(item.recording, video=files[name]) for name, item in base.recordings.items() if name in files
    )
    derived = plan_of(replace(base.recording_set, recordings=recordings), base.window)
    left_out |= {name: ("failed", reason) for name, reason in derived.excluded.items()}
    kept = {}
    for name, item in derived.recordings.items():
        fitted = _with_windows_of(base.recordings[name], item)
        if fitted is None:
            lengths = f"{item.info.duration_s:.1f} s, not the {base.recordings[name].info.duration_s:.1f} s"
            left_out[name] = ("failed", f"the derived video lasts {lengths} of the original")
        else:
            kept[name] = fitted
    return kept


def _with_windows_of(original: RecordingPlan, derived: RecordingPlan) -> RecordingPlan | None:
    """Return the derived recording with the original's windows, or None if they do not fit it."""
    length = derived.info.duration_s
    if abs(length - original.info.duration_s) > LENGTH_TOLERANCE_S:
        return None
    windows = tuple(replace(each, end_s=min(each.end_s, length)) for each in original.segments)
    if not all(usable(window, derived.info) for window in windows):
        return None
    return replace(derived, segments=windows, unusable_segments=original.unusable_segments)
