"""``semiology demo``: the whole road from video to score, on simulated recordings and embedded models.

All are stand-ins that fit a laptop: the recordings are drawn by a program, and the models, one that sees and
one that hears, are a few million weights trained on such drawings and sounds. The numbers show that the road
works; they say nothing about patients.
"""

from __future__ import annotations

import hashlib
import time
from pathlib import Path

from rich.console import Console

from semiology.features import AUDIO_FEATURES, VISUAL_FEATURES
from semiology.harness.options import RunOptions
from semiology.harness.run import EMBEDDED, EMBEDDED_AUDIO, run

MODELS = {EMBEDDED: VISUAL_FEATURES, EMBEDDED_AUDIO: AUDIO_FEATURES}
RECORDINGS_PER_PATIENT = 2
PICTURE_SIZE = (640, 480)


def demo(out: Path, data: Path | None, patients: int, seed: int) -> list[Path]:
    """Simulate recordings (or take a given set), ask the embedded models everything, print and write scores.

    Return the folders of the results.

    The folder ``out`` gets recordings, results and report; an unfinished simulation there is continued.
    """
    from semiology.data.simulated import simulate
    from semiology.reports.commands import report
    from semiology.reports.read.feature_answers import read_results
    from semiology.reports.summary.features import headline, summarise

    console = Console()
    started = time.time()
    if data is None:
        data = out / "recordings"
        console.print(f"[bold]1/3[/bold] Simulating {patients * RECORDINGS_PER_PATIENT} recordings in {data}")
        simulate(
            data,
            patients=patients,
            seed=seed,
            recordings_per_patient=RECORDINGS_PER_PATIENT,
            size=PICTURE_SIZE,
            workers=2,
        )
    console.print(
        "[bold]2/3[/bold] Asking the embedded models through lmms-eval: what is seen, what is heard"
    )
    folders = [_ask(model, features, data, out) for model, features in MODELS.items()]
    console.print(f"[bold]3/3[/bold] Scoring, {time.time() - started:.0f} s after the start")
    report(folders, out=out / "report", data=data)
    last = headline(summarise(read_results(folders[:1])))
    console.print(last, style="bold", highlight=False, markup=False, soft_wrap=True)
    return folders


def _ask(model: str, features: tuple[str, ...], data: Path, out: Path) -> Path:
    """Ask one embedded model; a second demo finds its answers in lmms-eval's response cache.

    A demo that was stopped finds what it had asked in the journal of the model that sees.
    """
    from semiology.backends.embedded import hears, sees

    # lmms-eval's cache knows a model only by its path.
    weights = {EMBEDDED: sees, EMBEDDED_AUDIO: hears}[model].CHECKPOINT / "model.safetensors"
    digest = hashlib.sha256(weights.read_bytes()).hexdigest()[:12]
    journal = (out / "responses" / "journal").absolute()
    # lmms-eval separates model arguments by commas.
    kept = f"journal={'none' if ',' in str(journal) else journal}"
    return run(
        RunOptions(
            model=model,
            model_args=kept if model == EMBEDDED else "",
            data=data,
            out=out / "runs" / model,
            tasks=",".join(f"semiology_{feature}" for feature in features),
            use_cache=out / "responses" / f"{model}-{digest}",
        )
    )
