"""Which segments of which recordings are asked about, which are left out, and why.

The plan is made once per run, before any model is loaded, from the recording set and the real media.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from loguru import logger
from tqdm import tqdm

from semiology.data.cache import write_whole
from semiology.data.media.picture_width import width_refused
from semiology.data.media.probe import MediaError, MediaInfo, needs_clip, probe
from semiology.data.protection.splits import HandedOut, hand_out
from semiology.data.protection.trained_on import read_manifest, without_trained
from semiology.data.recording_set import Annotation, Presence, Recording, RecordingSet
from semiology.data.tables.reading import read_recording_set
from semiology.data.windows.sliding import Segment, SlidingWindow, too_long, unusable_reason
from semiology.features import AUDIO_FEATURES, THREE_CLASSES
from semiology.tasks.settings import Settings, cache_directory

PROBES = "media_probes.json"
"""File of the cache in which probes are remembered."""


@dataclass(frozen=True)
class RecordingPlan:
    """The segments of one usable recording.

    Attributes:
        segments: Windows in time order, seconds from the first frame.
        unusable_segments: How many segments hold too few frames to be shown, and are not asked.
        media_stamp: Size and modification time of the file; a new encode gets a new stamp.
        clip_reason: Why the segment must be cut into a file of its own first, or ``None``.
        info: What the file is: length, frame rate, sound track.
    """

    recording: Recording
    segments: tuple[Segment, ...]
    unusable_segments: int
    media_stamp: str
    clip_reason: str | None
    info: MediaInfo

    @property
    def has_sound(self) -> bool:
        """Whether the file has a sound track or a sound file beside it."""
        return self.info.has_audio or self.recording.audio is not None


@dataclass(frozen=True)
class Plan:
    """Every recording that may be asked about, with its segments or with the reason for its exclusion.

    ``recording_set`` holds those that were handed out for the purpose of the run; None of ``handed_out`` says that
    nobody chose among them.
    """

    recording_set: RecordingSet
    window: SlidingWindow
    recordings: Mapping[str, RecordingPlan]
    excluded: Mapping[str, str]
    handed_out: HandedOut | None = None

    def is_asked(self, annotation: Annotation) -> bool:
        """Whether an annotation gives a question: usable media, and a truth that an answer can have.

        ``na`` is a truth only where NA is an answer (`semiology.features.THREE_CLASSES`).
        """
        recording = self.recordings.get(annotation.video_id)
        if recording is None or (annotation.feature in AUDIO_FEATURES and not recording.has_sound):
            return False
        return annotation.present != "na" or annotation.feature in THREE_CLASSES

    def truths(self, feature: str) -> dict[str, Presence]:
        """Return the truth of every recording that is asked about a feature, by video id, in the set's order."""
        return {
            annotation.video_id: annotation.present
            for annotation in self.recording_set.annotations
            if annotation.feature == feature and self.is_asked(annotation)
        }


def make_plan(settings: Settings) -> Plan:
    """Read the recording set, open the media that the purpose may use, and cut the time axis into segments.

    Raises:
        RecordingSetError: The recording set has problems; all of them are listed.
        ValueError: The purpose gets no recording of it, or the model was trained on all of them.
    """
    recording_set = read_recording_set(settings.data)
    handed_out = hand_out(
        recording_set.recordings, settings.purpose, ids=settings.recordings, places=settings.videos
    )
    if settings.trained_on:
        handed_out = without_trained(handed_out, read_manifest(Path(settings.trained_on)))
    return replace(plan_of(handed_out.narrow(recording_set), settings.window), handed_out=handed_out)


_plans: dict[Settings, tuple[str, Plan]] = {}


def current_plan(settings: Settings) -> Plan:
    """Return the plan for the recording set as it is on disk now; made again only after a change.

    Raises:
        RecordingSetError: The recording set has problems; all of them are listed.
    """
    known = _plans.get(settings)
    if known is None or known[0] != _state(settings, known[1]):
        plan = make_plan(settings)
        _plans[settings] = (_state(settings, plan), plan)
    return _plans[settings][1]


def _state(settings: Settings, plan: Plan) -> str:
    """Return a string that changes when a table of the set or a listed video changes."""
    tables = [path for path in settings.data.iterdir() if path.suffix in {".csv", ".yaml"}]
    videos = [recording.video for recording in plan.recording_set.recordings]
    present = [path for path in [*sorted(tables), *videos] if path.is_file()]
    return "|".join(f"{path}:{media_stamp(path)}" for path in present)


def media_stamp(path: Path) -> str:
    """Return ``size-mtime_ns`` of a file: cheap, and different after any re-encode or copy."""
    state = path.stat()
    return f"{state.st_size}-{state.st_mtime_ns}"


def plan_of(recording_set: RecordingSet, window: SlidingWindow) -> Plan:
    """Look at every video of a set that was read already, and cut the time axis into segments."""
    known = read_probes()
    planned: dict[str, RecordingPlan] = {}
    excluded: dict[str, str] = {}
    # disable=None: a bar on a terminal, silence in a log
    for recording in tqdm(recording_set.recordings, desc="Opening videos", leave=False, disable=None):
        try:
            info = probe_remembered(recording.video, known)
            planned[recording.video_id] = _plan_recording(recording, info, window)
        except MediaError as error:
            excluded[recording.video_id] = str(error)
    write_probes(known)
    narrow = [name for name, item in planned.items() if width_refused(item.info.width)]
    if narrow:
        logger.warning(
            f"decord cannot read pictures as narrow as those of {', '.join(narrow)} on every processor: their "
            "segments are shown from larger clips"
        )
    return Plan(recording_set, window, planned, excluded)


def _plan_recording(recording: Recording, info: MediaInfo, window: SlidingWindow) -> RecordingPlan:
    """Cut one recording into segments; refuse what no model class can show correctly."""
    reason = too_long(recording.video.name, info.duration_s)
    if reason:
        raise MediaError(reason)
    windows = window.segments(info.duration_s)
    segments = tuple(segment for segment in windows if not unusable_reason(segment, info))
    if not segments:
        reason = unusable_reason(windows[0], info) if windows else "it has no frame"
        raise MediaError(f"{recording.video.name}: no window can be shown, because {reason}")
    return RecordingPlan(
        recording,
        segments,
        len(windows) - len(segments),
        media_stamp(recording.video),
        needs_clip(info),
        info,
    )


def probe_remembered(video: Path, known: dict[str, dict[str, object]]) -> MediaInfo:
    """Probe a file, or reuse what an earlier run learned about the unchanged file."""
    if not video.is_file():
        raise MediaError(f"{video.name}: no such file; check the `video` column of recordings.csv")
    key = f"{video}|{media_stamp(video)}"
    if key not in known:
        known[key] = asdict(probe(video))
    return MediaInfo(**known[key])  # type: ignore[arg-type]


def read_probes() -> dict[str, dict[str, object]]:
    """Read remembered probes; an unreadable or foreign file only costs a new look at the media."""
    try:
        stored: dict[str, dict[str, object]] = json.loads((cache_directory() / PROBES).read_text())
    except (OSError, json.JSONDecodeError):
        return {}
    fields = set(MediaInfo.__dataclass_fields__)
    return {key: value for key, value in stored.items() if isinstance(value, dict) and set(value) == fields}


def write_probes(known: dict[str, dict[str, object]]) -> None:
    """Remember what was learned about media files, for the next run."""
    write_private(cache_directory() / PROBES, json.dumps(known))


def write_private(path: Path, text: str) -> None:
    """Write a file for this user alone, whole or not at all; its folder is made."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    write_whole(path, text, private=True)
