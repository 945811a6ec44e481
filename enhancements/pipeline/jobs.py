"""One enhancement of one recording as a piece of work, done here, in processes, or on a Ray cluster.

Ray hands the work out and starts lost workers anew. Every machine must see the recording set and the cache
under the same paths (a network file system): only settings and paths travel, no video.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from semiology.data.recording_set import Recording
from semiology.enhancements.pipeline.cache import EnhancementCache, Made, not_made, settings_digest
from semiology.enhancements.pipeline.manifest import Enhanced, source_state
from semiology.enhancements.pipeline.step import Progress, Step
from semiology.enhancements.registry import EnhancementError
from semiology.privacy.addresses import host_of, is_loopback
from semiology.settings import ALLOW_REMOTE


@dataclass(frozen=True)
class Job:
    """What a worker is told: all of it travels to other processes and machines."""

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
    return Done(job, not_made(sentence), source_state(job.recording))


DIED = (
    "its process was ended from outside, most likely because the memory was full; run the command again with "
    "fewer --jobs"
)
_THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


def run_here(jobs: Sequence[Job], progress: Progress | None = None) -> Iterator[Done]:
    """Yield jobs as they end, one after the other in this process."""
    for job in jobs:
        yield carry_out(job, progress)


def run_pool(jobs: Sequence[Job], workers: int) -> Iterator[Done]:
    """Yield jobs as they end, side by side in processes of their own.

    When a process dies, the jobs that were lost with it are done again, each alone, so that only the one that
    kills its process is given up.
    """
    ended: set[int] = set()
    try:
        for number, done in _pooled(list(enumerate(jobs)), workers):
            ended.add(number)
            yield done
    except BrokenProcessPool:
        for number, job in enumerate(jobs):
            if number not in ended:
                try:
                    yield next(_pooled([(0, job)], 1))[1]
                except BrokenProcessPool:
                    yield given_up(job, DIED)


def _pooled(jobs: Sequence[tuple[int, Job]], workers: int) -> Iterator[tuple[int, Done]]:
    threads = max(1, (os.cpu_count() or 1) // workers)
    pool = ProcessPoolExecutor(
        min(workers, max(1, len(jobs))), get_context("spawn"), initializer=_share_threads, initargs=(threads,)
    )
    try:
        numbers: dict[Future[Done], int] = {pool.submit(carry_out, job): number for number, job in jobs}
        for future in as_completed(numbers):
            yield numbers[future], future.result()
    finally:
        pool.shutdown(cancel_futures=True)


def _share_threads(threads: int) -> None:
    """Give each process its part of the cores, before numerical libraries are loaded."""
    for name in _THREADS:
        os.environ.setdefault(name, str(threads))


LOCAL = "local"
"""Address that stands for a cluster of this machine alone, started for the run and stopped with it."""


def run_ray(jobs: Sequence[Job], address: str, workers: int | None = None) -> Iterator[Done]:
    """Yield jobs as they end anywhere in the cluster.

    Args:
        address: of the cluster's head (``ray://HOST:10001``, ``HOST:6379`` or ``auto``), or ``local``.
        workers: processors to use where the cluster is started here.

    Raises:
        EnhancementError: Ray is not installed, the cluster cannot be reached, or it is another machine's and
            ``SEMIOLOGY_ALLOW_REMOTE=1`` is not set.
    """
    ray = _connected(address, workers)
    try:
        task = ray.remote(num_cpus=1, max_retries=1)(_carry_out_there)
        waiting: dict[Any, Job] = {task.remote(job): job for job in jobs}
        while waiting:
            ready, _ = ray.wait(list(waiting), num_returns=1)
            for reference in ready:
                yield _result(ray, reference, waiting.pop(reference))
    finally:
        ray.shutdown()


def _result(ray: Any, reference: Any, job: Job) -> Done:
    try:
        host, done = ray.get(reference)
    except (ray.exceptions.RayTaskError, ray.exceptions.RaySystemError, ray.exceptions.RayError) as error:
        reason = str(error).strip().splitlines()[-1]
        return given_up(job, f"its Ray worker came to no end ({reason}); run the command again")
    assert isinstance(done, Done)
    if done.made.file is not None and not done.made.file.exists():
        return given_up(
            job,
            f"was made on {host}, but the file is not seen here; give --out a folder that all machines share",
        )
    return done


def _carry_out_there(job: Job) -> tuple[str, Done]:
    return socket.gethostname(), carry_out(job)


def _connected(address: str, workers: int | None) -> Any:
    if address not in (LOCAL, "auto") and not is_loopback(address.removeprefix("ray://")):
        _check_allowed(address, host_of(address))
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # Ray reports to its makers otherwise
    try:
        import ray
    except ImportError:
        raise EnhancementError("--ray needs Ray: pip install 'semiology-eval[ray]'") from None
    # By this address Ray's servers listen to this machine alone, and it asks nobody for its own.
    here: dict[str, Any] = (
        {"num_cpus": workers, "include_dashboard": False, "_node_ip_address": "127.0.0.1"}
        if address == LOCAL
        else {}
    )
    try:
        ray.init(address=address, log_to_driver=False, logging_level="error", **here)
    except (ConnectionError, RuntimeError, TimeoutError, ValueError) as error:
        raise EnhancementError(
            f"--ray {address}: no Ray cluster answers there ({str(error).splitlines()[0]}); start one with "
            "`ray start --head`, or use --ray local"
        ) from None
    others = {str(node["NodeManagerHostname"]) for node in ray.nodes() if node["Alive"]} - {
        socket.gethostname()
    }
    try:
        if others:
            _check_allowed(address, ", ".join(sorted(others)))
    except EnhancementError:
        ray.shutdown()
        raise
    return ray


def _check_allowed(address: str, machines: str) -> None:
    if not ALLOW_REMOTE.is_on():
        raise EnhancementError(
            f"--ray {address} lets {machines} read the recordings; if your ethics approval covers it, "
            f"set {ALLOW_REMOTE}=1"
        )
