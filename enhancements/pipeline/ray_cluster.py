"""Jobs on the machines of a Ray cluster.

Ray hands the work out and starts lost workers anew. Every machine must see the recording set and the cache
under the same paths (a network file system): only settings and paths travel, no video.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator, Sequence
from typing import Any

from semiology.enhancements.pipeline.job import Done, Job, carry_out, given_up
from semiology.enhancements.registry import EnhancementError
from semiology.privacy.addresses import host_of, is_loopback
from semiology.settings import ALLOW_REMOTE

LOCAL = "local"
"""Address that stands for a cluster of this machine alone, started for the run and stopped with it."""


def run_ray(jobs: Sequence[Job], address: str, workers: int | None = None) -> Iterator[Done]:
    """Yield jobs as they end anywhere in the cluster.

    Args:
        jobs: what to do; one processor each.
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
    if address not in (LOCAL, "auto") and not is_loopback(address):
        _check_allowed(address, host_of(address))
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # Ray reports to its makers otherwise
    try:
        import ray
    except ImportError:
        raise EnhancementError("--ray needs Ray: pip install 'semiology-eval[ray]'") from None
    here: dict[str, Any] = {"num_cpus": workers, "include_dashboard": False} if address == LOCAL else {}
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
