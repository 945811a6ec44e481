"""Time the writing of simulated recordings (pictures, H.264, sound) on one core, in multiples of real time.

Run: ``python benchmarks/simulation_speed.py [SECONDS]``; SECONDS (30) is the length of each of three
recordings per size. CPU time is what one core needs; on a busy machine the wall time is longer.
"""

from __future__ import annotations

import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter, process_time

import cv2
import numpy as np
from rich.console import Console

from semiology.data.simulated.picture.pose_truth import write_pose
from semiology.data.simulated.script.script import Script, draw_look, draw_script
from semiology.data.simulated.write import write_video

SIZES = ((640, 480), (1280, 720))
FPS, RECORDINGS = 30, 3


def drawn(seed: int, duration_s: float) -> Script:
    """Return the script of one recording."""
    rng = np.random.default_rng([2026, seed])
    return draw_script(rng, duration_s, draw_look(rng))


def main() -> None:
    """Print the timings."""
    duration_s = float(sys.argv[1]) if len(sys.argv) > 1 else 30.0
    cv2.setNumThreads(1)
    console = Console()
    scripts = [drawn(seed, duration_s) for seed in range(RECORDINGS)]
    for size in SIZES:
        with TemporaryDirectory() as folder:
            start, start_cpu = perf_counter(), process_time()
            for index, script in enumerate(scripts):
                write_video(Path(folder) / f"{index}.mp4", script, size, FPS)
            middle, middle_cpu = perf_counter(), process_time()
            for index, script in enumerate(scripts):
                write_pose(Path(folder), f"v{index}", script, size, FPS)
            pose_cpu = process_time() - middle_cpu
            length = sum(path.stat().st_size for path in Path(folder).glob("*.mp4"))
        seconds = duration_s * RECORDINGS
        console.print(
            f"{size[0]}x{size[1]}, {FPS} fps, {seconds:g} s of video: "
            f"{seconds / (middle_cpu - start_cpu):.2f} x real time per core by CPU time, "
            f"{seconds / (middle - start):.2f} x by wall time, {length / seconds / 1e6 * 8:.2f} Mbit/s; "
            f"keypoints and face boxes {seconds / pose_cpu:.0f} x"
        )


if __name__ == "__main__":
    main()
