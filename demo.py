"""``semiology demo``: the whole road from video to score on simulated recordings and the embedded model.

Both are stand-ins that fit a laptop: the recordings are drawn by a program and the model is a few million
weights trained on such drawings. The figures show that the road works; they say nothing about patients.
"""

from __future__ import annotations

import time
from pathlib import Path

from rich.console import Console

from semiology.run import EMBEDDED, RunOptions, run

RECORDINGS_PER_PATIENT = 2
# Small pictures: the stock model class decodes every window once per question.
PICTURE_SIZE = (320, 240)


def demo(out: Path, data: Path | None, patients: int, seed: int) -> None:
    """Simulate recordings (or take a given set), ask the embedded model everything, print and write scores.

    Args:
        out: Folder for recordings, results and report; an unfinished simulation there is continued.
        data: Recording set to use instead of a simulated one.
        patients: Number of simulated patients.
        seed: Seed of the simulation.
    """
    from semiology.reports.commands import report

    console = Console()
    started = time.time()
    if data is None:
        data = out / "recordings"
        console.print(f"[bold]1/3[/bold] Simulating {patients * RECORDINGS_PER_PATIENT} recordings in {data}")
        _simulate(data, patients, seed)
    console.print("[bold]2/3[/bold] Asking the embedded model (a small Qwen2.5-VL) through lmms-eval")
    folder = run(RunOptions(model=EMBEDDED, model_args="", data=data, out=out / "runs"))
    console.print(f"[bold]3/3[/bold] Scoring, {time.time() - started:.0f} s after the start")
    report([folder], out=out / "report")


def _simulate(data: Path, patients: int, seed: int) -> None:
    from semiology.data.simulated import simulate

    simulate(
        data,
        patients=patients,
        seed=seed,
        recordings_per_patient=RECORDINGS_PER_PATIENT,
        size=PICTURE_SIZE,
        workers=2,
    )
