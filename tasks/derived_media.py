"""What an enhanced task asks about: derived media in the place of the originals, or a transcript beside them.

Segments are those of the original recording, so that an answer with an enhancement can be put beside the
answer without it. A recording whose enhancement failed, or could not be made, is left out and named: shown
unenhanced it would be scored as enhanced.
"""

from __future__ import annotations

import hashlib
import shlex
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from semiology.data.problems import SettingsError
from semiology.data.protection.splits import SCORE
from semiology.data.transcript_file import read_transcript
from semiology.data.windows.sliding import unusable_reason
from semiology.enhancements.pipeline.cache import is_whole
from semiology.enhancements.pipeline.manifest import Enhanced, read_manifest, source_state
from semiology.enhancements.registry import STEPS
from semiology.enhancements.speech.quoting import LIMIT, quote_transcript, with_transcript
from semiology.settings import ENHANCED, TRANSCRIPT_LIMIT
from semiology.tasks.plan import Plan, RecordingPlan, current_plan, plan_of
from semiology.tasks.settings import Settings

LENGTH_TOLERANCE_S = 0.25
"""By how much a derived video may be longer or shorter than the original, s: half the step of 2 fps."""


@dataclass(frozen=True)
class EnhancedPlan:
    """What can be asked about one feature with one enhancement.

    Attributes:
        plan: the recordings with derived media, and the segments of the originals.
        rows: the manifest's row of each of them, by video id.
        left_out: (status, sentence) by video id of the recordings that only the plain task asks about, because
            the enhancement is unavailable or failed.
    """

    enhancement: str
    plan: Plan
    rows: Mapping[str, Enhanced]
    left_out: Mapping[str, tuple[str, str]]

    def nothing_left(self, feature: str) -> str:
        """Say why there is no question."""
        if self.left_out:
            _, sentence = next(iter(self.left_out.values()))
            return f"the enhancement {self.enhancement!r} could be made for no recording ({sentence})"
        return f"no usable recording in {self.plan.recording_set.directory} is annotated for {feature}"


def usable_plan(feature: str, enhancement: str, settings: Settings) -> EnhancedPlan:
    """Return the plan of a feature's questions with derived files in the place of the recordings' own.

    Raises:
        SettingsError: a derived file is missing that a command can make, files were made in different ways, the
            folder of the manifest does not exist, or a setting is not understood.
        RecordingSetError: the set or the manifest has faults.
    """
    if is_quoted(enhancement):
        transcript_limit()
    base, folder = current_plan(settings), settings.data
    if chosen := ENHANCED.text():
        folder = Path(chosen).expanduser().resolve()
        if not folder.is_dir():
            raise SettingsError(
                f"{ENHANCED}={chosen}: no such folder; give the --out folder of `semiology enhance`"
            )
    manifest, asked = read_manifest(folder), base.truths(feature)
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
    rows = {name: rows[name] for name in kept}
    elsewhere = "" if folder == settings.data else f" --out {shlex.quote(str(folder))}"
    split = "" if settings.purpose == SCORE else f" --split {settings.purpose}"
    command = f"semiology enhance {shlex.quote(str(settings.data))} --with {enhancement}{elsewhere}{split}"
    missing = {name: reason for name, reason in not_made.items() if name in asked}
    if missing:
        reasons = "; ".join(
            f"{why}: {_some([name for name, reason in missing.items() if reason == why])}"
            for why in dict.fromkeys(missing.values())
        )
        raise SettingsError(
            f"the enhancement {enhancement!r} is missing for {len(missing)} of {len(asked)} recordings ({reasons}). "
            f"Make it with: {command}"
        )
    made = {row.settings: name for name, row in rows.items() if name in asked}
    if len(made) > 1:
        raise SettingsError(
            f"the enhancement {enhancement!r} was made with {len(made)} different settings or versions (one each: "
            f"{_some(list(made.values()))}). Make it anew, for all with the same options: {command}"
        )
    plan = replace(base, recordings=kept)
    asked_without = {name: told for name, told in left_out.items() if name in asked}
    return EnhancedPlan(enhancement, plan, rows, asked_without)


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
    if STEPS[enhancement].replaces == "audio":
        return {
            name: replace(item, recording=replace(item.recording, audio=files[name]))
            for name, item in base.recordings.items()
            if name in files
        }
    if STEPS[enhancement].replaces == "text":
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
    """Return the derived recording with the original's segments, or None if they do not fit it."""
    length = derived.info.duration_s
    if abs(length - original.info.duration_s) > LENGTH_TOLERANCE_S:
        return None
    segments = tuple(replace(each, end_s=min(each.end_s, length)) for each in original.segments)
    if any(unusable_reason(segment, derived.info) for segment in segments):
        return None
    return replace(derived, segments=segments, unusable_segments=original.unusable_segments)


def enhanced_row(row: Mapping[str, Any], enhanced: EnhancedPlan) -> dict[str, Any]:
    """Return a row of the question table marked as enhanced; a transcript is quoted before the question.

    Raises:
        TranscriptError: the transcript cannot be read.
        SettingsError: the length of quotations is not understood.
    """
    source = enhanced.rows[str(row["video_id"])]
    marked = {
        **row,
        "enhancement": enhanced.enhancement,
        "enhancement_key": source.key,
        "transcript_hash": "",
    }
    if not is_quoted(enhanced.enhancement) or source.file is None:
        return marked
    between = float(row["start_s"]), float(row["end_s"])
    quoted = quote_transcript(read_transcript(source.file), *between, limit=transcript_limit())
    return marked | {
        # Before the question: all questions about a segment then share it with the media.
        "question": with_transcript(str(row["question"]), quoted),
        "transcript_hash": hashlib.sha256(quoted.encode()).hexdigest(),
    }


def is_quoted(enhancement: str) -> bool:
    """Whether an enhancement gives words that are quoted, not media that are shown or played."""
    return STEPS[enhancement].replaces == "text"


def transcript_limit() -> int:
    """Return the most characters of a transcript that are quoted; transcripts themselves do not depend on it.

    Raises:
        SettingsError: the value is not a whole number of at least 1.
    """
    given = TRANSCRIPT_LIMIT.text()
    if not given:
        return LIMIT
    if not (given.isascii() and given.isdigit()) or int(given) < 1:
        raise SettingsError(
            f"{TRANSCRIPT_LIMIT}={given}: give the most characters quoted, a whole number from 1 up "
            f"({LIMIT} by default)"
        )
    return int(given)
