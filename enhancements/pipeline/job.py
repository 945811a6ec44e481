"""One enhancement of one recording as a piece of work, and what came of it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from semiology.data.recording_set import Recording
from semiology.enhancements.pipeline.cache import EnhancementCache, Made, settings_digest
from semiology.enhancements.pipeline.manifest import Enhanced, source_state
from semiology.enhancements.pipeline.step import Outcome, Progress, Step


@dataclass(frozen=True)
class Job:
    """What a worker is told: all of it travels to other processes and machines.

    Attributes:
        recording: to enhance.
        step: with its settings.
        folder: of the cache.
        memory: where digests of inputs are remembered.
    """

    recording: Recording
    step: Step
    folder: Path
    memory: Path


@dataclass(frozen=True)
class Done:
    """A job that came to an end, well or badly."""

    job: Job
    made: Made
    source: str

    @property
    def row(self) -> Enhanced:
        """The row of the manifest."""
        return Enhanced(
            video_id=self.job.recording.video_id,
            enhancement=self.job.step.name,
            status=self.made.outcome.status,
            file=self.made.file,
            sentence=self.made.outcome.sentence,
            figures=self.made.outcome.figures,
            version=self.job.step.version,
            settings=settings_digest(self.job.step),
            key=self.made.key,
            source=self.source,
        )


def carry_out(job: Job, progress: Progress | None = None) -> Done:
    """Make what a job asks for, or take it from the cache.

    Raises:
        OSError: the cache's folder cannot be written to.
    """
    source = source_state(job.recording)  # before the work: a change during it makes the row stale
    made = EnhancementCache(job.folder, job.memory).make(job.step, job.recording, progress)
    return Done(job, made, source)


def given_up(job: Job, sentence: str) -> Done:
    """Return a job whose worker died without an answer."""
    made = Made(Outcome("failed", sentence), "", None, 0.0, reused=False)
    return Done(job, made, source_state(job.recording))
