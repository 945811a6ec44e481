"""Train the tiny listener on simulated sound: ``python -m semiology.tools.embedded_models.hears.train``.

Stages write into the work folder and are skipped when their output is there: an interrupted run goes on.
"""

from __future__ import annotations

import json
from pathlib import Path

import typer
from transformers import Qwen2AudioForConditionalGeneration, Qwen2AudioProcessor

from semiology.backends.embedded.hears import CHECKPOINT
from semiology.prompts.library import load_library
from semiology.tools.embedded_models.hears import architecture
from semiology.tools.embedded_models.hears.architecture import train_tokenizer
from semiology.tools.embedded_models.hears.questions import split_wordings, training_texts
from semiology.tools.embedded_models.hears.sound_pool import SoundPool, build_pool, training_patients
from semiology.tools.embedded_models.hears.stages import AnswerStage, hear_all, train_tower
from semiology.tools.embedded_models.training import (
    Scale,
    Schedule,
    Threads,
    TrainingFolder,
    save_checkpoint,
    use_threads,
)

app = typer.Typer(add_completion=False)

WINDOWS = 3
AAC = 0.5
TOWER_STEPS = 480
ANSWER_STEPS = 600
BATCH = 16


class Run(TrainingFolder):
    """One training run: its folder, seed, untrained model and processor."""

    def __init__(self, work: Path, seed: int, patients: int, scale: float = 1.0) -> None:
        self.seed, self.patients = seed, patients
        self.wordings = split_wordings(load_library())
        tokenizer = train_tokenizer(training_texts(self.wordings))
        self.processor: Qwen2AudioProcessor = architecture.build_processor(tokenizer)
        self.model: Qwen2AudioForConditionalGeneration = architecture.build_model(tokenizer, seed)
        super().__init__(work, scale, {"model": self.model})

    def schedule(self, steps: int, rate: float) -> Schedule:
        """Return a stage's schedule, its steps multiplied by the run's scale."""
        return Schedule(
            self.steps(steps), BATCH, rate, self.seed, floor=0.0, weight_decay=0.02, report_every=25
        )

    def pool(self) -> SoundPool:
        """Return the windows of the training patients, synthesizing them once."""
        path = self.work / f"train_{self.patients}.npz"
        if not path.exists():
            chosen = training_patients(self.patients)
            build_pool("train", chosen, 1, WINDOWS, AAC, self.say).save(path)
        return SoundPool.load(path)


def train(run: Run) -> None:
    """Synthesize, teach the tower to hear, then teach the language model to answer."""
    pool = run.pool()
    run.say(f"{len(pool)} windows of {run.patients} training patients")
    run.stage("tower", lambda: train_tower(run.model, pool, run.schedule(TOWER_STEPS, 3e-3), run.say))

    def answers() -> None:
        tokens = run.cached("tokens", lambda: hear_all(run.model, pool))
        stage = AnswerStage(run.model, run.processor, run.wordings, pool, tokens)
        stage.train(run.schedule(ANSWER_STEPS, 2e-3), 1, run.say)

    run.stage("answers", answers)


@app.command()
def main(
    work: Path = typer.Option(
        Path("tiny_audio_training"), help="Folder for the pool of sound and the stages' weights."
    ),
    out: Path = typer.Option(CHECKPOINT, help="Folder that receives the checkpoint."),
    seed: int = typer.Option(0, help="Seeds weights, order of windows and choice of wordings."),
    patients: int = typer.Option(700, help="Simulated training patients, three windows each."),
    scale: Scale = 1.0,
    threads: Threads = 0,
) -> None:
    """Train the tiny Qwen2-Audio on simulated sound and write its checkpoint."""
    use_threads(threads)
    run = Run(work, seed, patients, scale)
    train(run)
    save_checkpoint(run.model, run.processor, out)
    settings = {"seed": seed, "patients": patients, "scale": scale}
    (out / "training.json").write_text(json.dumps(settings, indent=1) + "\n", encoding="utf-8")
    run.say(f"checkpoint in {out}")


if __name__ == "__main__":
    app()
