"""Enhance a whole recording set: every recording with every step that is asked for, and its manifest."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from semiology.data.cache import cache_directory
from semiology.data.problems import Problem, RecordingSetError
from semiology.data.protection.splits import SCORE, hand_out, split_of_patients
from semiology.data.recording_set import Recording, RecordingSet
from semiology.data.tables.reading import read_recording_set
from semiology.enhancements.pipeline.cache import EnhancementCache
from semiology.enhancements.pipeline.jobs import Done, Job, run_here, run_pool, run_ray
from semiology.enhancements.pipeline.manifest import MANIFEST, read_manifest, write_manifest
from semiology.enhancements.pipeline.step import Figure, Step
from semiology.enhancements.registry import EnhancementError

DERIVED_FILES = "derived"
"""Folder of the derived files in an output folder, apart from what else may lie there."""

Told = Callable[[int, int, float], None]
"""Called with (jobs ended, jobs, share of the current job that is done, 0 to 1)."""


@dataclass(frozen=True)
class StepSummary:
    """What came of one enhancement over all recordings.

    Attributes:
        reused: of those done, how many were in the cache already.
        seconds: work on those that were made now, s, summed over processes.
        figures: measures by name: the mean of a number over recordings, the most frequent value of a text.
        sentences: of those without a derived file: status, sentence, number of recordings; most frequent first.
    """

    enhancement: str
    version: str
    done: int
    unavailable: int
    failed: int
    reused: int
    seconds: float
    figures: Mapping[str, Figure]
    sentences: Sequence[Mapping[str, Any]]


@dataclass(frozen=True)
class Summary:
    """What came of a whole run, and where its manifest lies."""

    manifest: Path
    steps: tuple[StepSummary, ...]
    withheld: Mapping[str, int] = field(default_factory=dict)
    """Recordings that were not enhanced because of their split, by split."""

    @property
    def complete(self) -> bool:
        """Whether nothing failed and every enhancement was made for at least one recording."""
        return all(step.done and not step.failed for step in self.steps)


def enhance(
    directory: Path,
    steps: Sequence[Step],
    *,
    recordings: Sequence[str] = (),
    purpose: str = SCORE,
    out: Path | None = None,
    workers: int = 1,
    ray: str | None = None,
    told: Told | None = None,
) -> Summary:
    """Enhance the recordings of a set and write the manifest.

    What is in the cache is not made again, so that a run that was stopped goes on where it was. The manifest
    is written at the end, also of a run that is stopped by an error or by the keyboard.

    Args:
        recordings: ids of those to enhance; empty for all that the purpose may use.
        purpose: one of `semiology.data.protection.splits.PURPOSES`; by default all but the split ``confirm``.
        out: folder for manifest and derived files; None puts the manifest into the set and the files into the
            user's cache folder.
        workers: processes side by side on this machine; 1 is this very process.
        ray: address of a Ray cluster that does the work instead.

    Raises:
        RecordingSetError: the set or its manifest has faults.
        EnhancementError: an id is unknown, or the cluster cannot be reached.
        OSError: the output folder cannot be written to.
    """
    recording_set = read_recording_set(directory)
    chosen = choose_recordings(recording_set, recordings, purpose)
    home = recording_set.directory if out is None else out.expanduser().absolute()
    _check_home(home, own=out is not None)
    memory = cache_directory()
    folder = memory / "enhanced" if out is None else home / DERIVED_FILES
    EnhancementCache(folder, memory).sweep()
    jobs = [Job(recording, step, folder, memory) for step in steps for recording in chosen]
    ended: list[Done] = []

    def within(done: int, whole: int) -> None:
        if told:
            told(len(ended), len(jobs), min(1.0, done / whole) if whole > 0 else 0.0)

    if ray is not None:
        work = run_ray(jobs, ray, workers)
    elif workers > 1:
        work = run_pool(jobs, workers)
    else:
        work = run_here(jobs, within if told else None)
    try:
        for done in work:
            ended.append(done)
            if told:
                told(len(ended), len(jobs), 0.0)
    finally:
        if ended:
            write_manifest(home, [done.row for done in ended])
    withheld = {} if recordings else hand_out(recording_set.recordings, purpose).withheld
    return Summary(home / MANIFEST, tuple(summarise(step, ended) for step in steps), withheld)


def choose_recordings(
    recording_set: RecordingSet, ids: Sequence[str], purpose: str = SCORE
) -> tuple[Recording, ...]:
    """Return recordings by id, in the set's order; all that the purpose may use where no id is given.

    Raises:
        EnhancementError: the set has no such recording, or the purpose may not use it.
        ValueError: the purpose gets no recording of the set.
    """
    known = {recording.video_id for recording in recording_set.recordings}
    unknown = [name for name in ids if name not in known]
    if unknown:
        raise EnhancementError(
            f"--recording {unknown[0]}: {recording_set.directory} has no such video_id; see recordings.csv"
        )
    handed_out = hand_out(recording_set.recordings, purpose).recordings
    closed = set(ids) - {item.video_id for item in handed_out}
    if closed:
        name = min(closed)
        split = split_of_patients(recording_set.recordings).get(recording_set.recording(name).patient_id)
        raise EnhancementError(
            f"--recording {name}: its patient is of the split {split} → add --split {split} to open it"
        )
    return tuple(item for item in handed_out if not ids or item.video_id in ids)


def summarise(step: Step, ended: Sequence[Done]) -> StepSummary:
    """Count what came of one step."""
    mine = [done.made for done in ended if done.job.step.name == step.name]
    counts = Counter(made.outcome.status for made in mine)
    without = Counter((m.outcome.status, m.outcome.sentence) for m in mine if m.outcome.status != "done")
    return StepSummary(
        enhancement=step.name,
        version=step.version,
        done=counts["done"],
        unavailable=counts["unavailable"],
        failed=counts["failed"],
        reused=sum(made.reused for made in mine),
        seconds=round(sum(made.seconds for made in mine if not made.reused), 1),
        figures=_together([made.outcome.figures for made in mine if made.outcome.status == "done"]),
        sentences=[
            {"status": status, "sentence": sentence, "recordings": number}
            for (status, sentence), number in without.most_common()
        ],
    )


def _together(figures: Sequence[Mapping[str, Figure]]) -> dict[str, Figure]:
    names = dict.fromkeys(name for each in figures for name in each)
    result: dict[str, Figure] = {}
    for name in names:
        values = [each[name] for each in figures if name in each]
        numbers = [value for value in values if isinstance(value, int | float)]
        if len(numbers) == len(values):
            result[name] = round(sum(numbers) / len(numbers), 4)
        else:
            result[name] = Counter(map(str, values)).most_common(1)[0][0]
    return result


def _check_home(home: Path, *, own: bool) -> None:
    """See that the manifest can be written and that one that is there can be read, before hours of work."""
    probe = home / f".{MANIFEST}.{os.getpid()}.probe"
    try:
        if own:
            home.mkdir(parents=True, exist_ok=True, mode=0o700)
        probe.touch()
        probe.unlink()
    except OSError as error:
        fix = "give --out FOLDER, and SEMIOLOGY_ENHANCED=FOLDER when you run the tasks"
        raise RecordingSetError(
            [Problem(str(home), None, f"the manifest cannot be written ({error.strerror})", fix)]
        ) from None
    read_manifest(home)
