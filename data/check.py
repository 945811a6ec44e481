"""Checking a recording set before any model is loaded: its tables, its media, what there is to score."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from semiology.data.problems import Problem
from semiology.data.protection.splits import SPLITS
from semiology.data.recording_set import Annotation, Recording
from semiology.data.same_patient import look_alike_ids, shared_films, shared_pictures
from semiology.data.tables.consistency import Reading, time_problems
from semiology.data.tables.laterality import laterality_problems, laterality_warnings
from semiology.data.tables.reading import ANNOTATIONS, RECORDINGS, SIMULATED, read_folder
from semiology.features import AUDIO_FEATURES, FEATURES

if TYPE_CHECKING:
    from semiology.data.media.probe import MediaInfo

WINDOW_S = 30.0
DURATION_TOLERANCE_S = 1.0


@dataclass(frozen=True)
class Exclusion:
    """A recording that cannot be used, and why."""

    video_id: str
    reason: str


@dataclass(frozen=True)
class FeatureCount:
    """How often a feature is annotated, in recordings; and in how many patients it is present."""

    feature: str
    yes: int
    no: int
    na: int
    not_annotated: int
    patients_with_yes: int


@dataclass(frozen=True)
class CheckReport:
    """The outcome of a check: problems to be fixed, warnings to look at, recordings whose media cannot be read.

    ``features`` has counts of all features; ``probed`` is the number of videos that were opened, and
    ``total_duration_s`` their length.
    """

    directory: str
    problems: tuple[Problem, ...]
    warnings: tuple[Problem, ...]
    exclusions: tuple[Exclusion, ...]
    recordings: int
    patients: int
    reports: int
    features: tuple[FeatureCount, ...]
    probed: int
    total_duration_s: float
    splits: Mapping[str, int] = field(default_factory=dict)
    """Patients by split, ``""`` for those without one; empty where the set has no splits."""

    @property
    def ok(self) -> bool:
        """Whether every recording of the set can be used."""
        return not self.problems and not self.exclusions

    def as_json(self) -> dict[str, object]:
        """Return the report as plain lists, dictionaries, numbers and strings."""
        return {"ok": self.ok, **asdict(self)}


def check_recording_set(
    directory: Path,
    media: bool = True,
    *,
    window_s: float = WINDOW_S,
    on_probe: Callable[[int, int], None] | None = None,
) -> CheckReport:
    """Check a recording set without loading any model.

    Args:
        directory, media: The folder, and whether to open every video; a missing file is a problem in any case.
        window_s: Videos shorter than this many seconds are warned about.
        on_probe: Called with (opened so far, all) after each video.
    """
    reading = read_folder(directory)
    videos = {recording.video: (row, recording) for row, recording in reading.recordings}
    findings = _Findings(reading)
    todo = [pair for path, pair in videos.items() if path.is_file()] if media else []
    for done, (row, recording) in enumerate(todo, 1):
        findings.probe(row, recording, window_s)
        if on_probe:
            on_probe(done, len(todo))
    from semiology.data.film_traits import film_traits

    whole = reading.recording_set
    drawn = whole is not None and whole.metadata.get(SIMULATED) is True

    traits = film_traits(findings.films, simulated=drawn) if media else []
    shared = [*shared_films(reading.recordings), *shared_pictures(reading.recordings)] if media else []
    recordings = {recording.video_id: recording for _row, recording in reading.recordings}
    sides = laterality_problems(directory.expanduser(), recordings)
    unused = laterality_warnings(directory.expanduser(), recordings)
    return CheckReport(
        directory=str(directory),
        problems=(*reading.problems, *sides, *findings.problems),
        warnings=(
            *reading.warnings,
            *unused,
            *look_alike_ids(reading.recordings),
            *shared,
            *traits,
            *findings.warnings,
        ),
        exclusions=tuple(findings.exclusions),
        recordings=len(recordings),
        patients=len({recording.patient_id for recording in recordings.values()}),
        reports=len(reading.reports),
        features=count_features(reading),
        probed=len(todo) - len(findings.exclusions),
        total_duration_s=findings.total_duration_s,
        splits=_patients_by_split(recordings.values()),
    )


def _patients_by_split(recordings: Iterable[Recording]) -> dict[str, int]:
    split_of = {item.patient_id: "" for item in recordings}
    split_of |= {item.patient_id: item.split for item in recordings if item.split}
    counts = Counter(split_of.values())
    return {name: counts[name] for name in (*SPLITS, "") if counts[name]} if set(counts) - {""} else {}


def count_features(reading: Reading) -> tuple[FeatureCount, ...]:
    """Count the annotations of each feature."""
    patient_of = {recording.video_id: recording.patient_id for _row, recording in reading.recordings}
    answers: dict[str, Counter[str]] = {feature: Counter() for feature in FEATURES}
    patients: dict[str, set[str]] = {feature: set() for feature in FEATURES}
    pairs = {(item.video_id, item.feature): item for _row, item in reversed(reading.annotations)}
    for (video_id, feature), item in pairs.items():
        if video_id in patient_of:
            answers[feature][item.present] += 1
            if item.present == "yes":
                patients[feature].add(patient_of[video_id])
    return tuple(
        FeatureCount(
            feature=feature,
            yes=found["yes"],
            no=found["no"],
            na=found["na"],
            not_annotated=len(patient_of) - found.total(),
            patients_with_yes=len(patients[feature]),
        )
        for feature, found in answers.items()
    )


class _Findings:
    """Collects what opening the media shows."""

    def __init__(self, reading: Reading) -> None:
        self.reading = reading
        self.problems: list[Problem] = []
        self.warnings: list[Problem] = []
        self.exclusions: list[Exclusion] = []
        self.total_duration_s = 0.0
        self.films: list[tuple[Recording, MediaInfo]] = []
        self.annotations: dict[str, list[tuple[int, Annotation]]] = {}
        for row, annotation in reading.annotations:
            self.annotations.setdefault(annotation.video_id, []).append((row, annotation))

    def probe(self, row: int, recording: Recording, window_s: float) -> None:
        from semiology.data.companions import companion_findings
        from semiology.data.digests import changed_film
        from semiology.data.media.probe import MediaError, probe
        from semiology.data.windows.sliding import too_long

        try:
            info = probe(recording.video)
            reason = too_long(recording.video.name, info.duration_s)
        except MediaError as error:
            reason = str(error)
        if reason:
            self.exclusions.append(Exclusion(recording.video_id, reason))
            return
        self.total_duration_s += info.duration_s
        self.films.append((recording, info))
        if changed := changed_film(row, recording):
            self.problems.append(changed)
        self._compare(row, recording, info, window_s)
        found = companion_findings(row, recording, info)
        self.problems += found.problems
        self.warnings += found.warnings

    def _compare(self, row: int, recording: Recording, info: MediaInfo, window_s: float) -> None:
        """Compare a video with what the tables say of it: its length, times and sound."""
        from semiology.data.media.picture_width import readable_size, width_refused

        name, stated = recording.video_id, recording.duration_s
        annotations = self.annotations.get(name, [])

        def warn(message: str, fix: str) -> None:
            self.warnings.append(Problem(RECORDINGS, row, f"{name}{message}", fix))

        if info.duration_s < window_s:
            message = f" lasts {info.duration_s:.1f} s, less than a window ({window_s:g} s)"
            warn(message, "it is asked about as one short window")
        if stated is None:
            known = set(self.reading.problems)
            for place, annotation in annotations:
                found = time_problems(place, annotation, info.duration_s)
                self.problems += [problem for problem in found if problem not in known]
        elif abs(stated - info.duration_s) > DURATION_TOLERANCE_S:
            message = f": duration_s is {stated:g}, but the video lasts {info.duration_s:.1f} s"
            warn(message, "make sure that this is the annotated file, then correct duration_s")
        heard = sorted(a.feature for _, a in annotations if a.feature in AUDIO_FEATURES and a.present != "na")
        if heard and not info.has_audio and recording.audio is None:
            message = f" has no sound, but {' and '.join(heard)} is annotated"
            warn(message, f"name a sound file in the column 'audio', or write na in {ANNOTATIONS}")
        if refused := width_refused(info.width):
            width, height = readable_size(info.width, info.height)
            warn(f": {refused}", f"its segments are shown from clips of {width}x{height} px, made as needed")
