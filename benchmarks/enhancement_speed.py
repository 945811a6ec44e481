"""Time pose overlay and face crop at 720p, and measure the memory of a recording of two minutes.

Run: ``python benchmarks/enhancement_speed.py [--duration SECONDS]`` (120); the simulated recording is
1280 x 720 at 30 frames per second with its keypoints. Keypoints are read from files: an estimator
is not timed. Each step runs in a process of its own that does nothing else, on one thread. On a busy machine
the wall time says nothing, and even the CPU time is too long, as jobs share caches and the units of a core.
"""

from __future__ import annotations

import resource
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter, process_time
from typing import Annotated

import numpy as np
import typer
from rich.console import Console

SIZE, FPS = (1280, 720), 30


def make(folder: Path, duration_s: float) -> None:
    """Draw the recording and its keypoints."""
    from semiology.data.simulated.picture.pose_truth import write_pose
    from semiology.data.simulated.script.script import draw_look, draw_script
    from semiology.data.simulated.write import write_video

    rng = np.random.default_rng([2026, 6])
    script = draw_script(rng, duration_s, draw_look(rng))
    write_video(folder / "v.mp4", script, SIZE, FPS)
    write_pose(folder, "v", script, SIZE, FPS)


def run(folder: Path, name: str) -> tuple[str, float, float, float, float]:
    """Return what came of a step, wall and CPU time in s, peak memory in MB, and the bit rate in Mbit/s."""
    import cv2

    from semiology.data.recording_set import Recording
    from semiology.enhancements.face.crop import FaceCrop
    from semiology.enhancements.pose.overlay import PoseOverlay

    cv2.setNumThreads(1)
    step = PoseOverlay() if name == "pose" else FaceCrop()
    recording, target = (
        Recording("v", "p", folder / "v.mp4", pose=folder / "pose" / "v"),
        folder / f"{name}.mp4",
    )
    start, start_cpu = perf_counter(), process_time()
    outcome = step.apply(recording, target, None)
    wall, cpu = perf_counter() - start, process_time() - start_cpu
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return outcome.sentence, wall, cpu, peak, target.stat().st_size * 8e-6


def main(
    duration_s: Annotated[
        float, typer.Option("--duration", min=30, help="Length of the recording, s.")
    ] = 120,
) -> None:
    """Time pose overlay and face crop on a simulated 720p recording, on one thread."""
    console = Console()
    with TemporaryDirectory() as name:
        folder = Path(name)
        with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
            pool.submit(make, folder, duration_s).result()
        for step in ("pose", "crop"):
            with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
                sentence, wall, cpu, peak, bits = pool.submit(run, folder, step).result()
            console.print(
                f"{step}: {duration_s / cpu:.1f} x real time by CPU time, {duration_s / wall:.1f} x by wall "
                f"time, peak {peak:.0f} MB, {bits / duration_s:.2f} Mbit/s ({sentence})"
            )


if __name__ == "__main__":
    typer.run(main)
