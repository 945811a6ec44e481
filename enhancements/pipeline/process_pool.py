"""Jobs on the processors of this machine."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context

from semiology.enhancements.pipeline.job import Done, Job, carry_out, given_up
from semiology.enhancements.pipeline.step import Progress

DIED = (
    "its process was ended from outside, most likely because the memory was full; run the command again with "
    "fewer --jobs"
)
_THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


def run_here(jobs: Sequence[Job], progress: Progress | None = None) -> Iterator[Done]:
    """Yield jobs as they end, one after the other in this process.

    Args:
        jobs: in the order in which they are done.
        progress: told of the work within the current job.
    """
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
                yield _alone(job)


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


def _alone(job: Job) -> Done:
    try:
        return next(_pooled([(0, job)], 1))[1]
    except BrokenProcessPool:
        return given_up(job, DIED)


def _share_threads(threads: int) -> None:
    """Give each process its part of the cores, before numerical libraries are loaded."""
    for name in _THREADS:
        os.environ.setdefault(name, str(threads))
