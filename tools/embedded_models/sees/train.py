"""Train the tiny model on simulated clips: ``python -m semiology.tools.embedded_models.sees.train``.

Stages write into the work folder and are skipped when their output is there: an interrupted run goes on.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import typer
from torch import Tensor
from transformers import Qwen2_5_VLForConditionalGeneration, Qwen2_5_VLProcessor

from semiology.backends.embedded.sees import CHECKPOINT
from semiology.prompts.library import load_library
from semiology.tools.embedded_models.sees import architecture, evaluate, tower
from semiology.tools.embedded_models.sees.answering import Asking, LanguageStage, Questioner, Watcher
from semiology.tools.embedded_models.sees.architecture import train_tokenizer
from semiology.tools.embedded_models.sees.clip_pool import Pool, build_pool
from semiology.tools.embedded_models.sees.questions import (
    Question,
    QuestionSource,
    split_wordings,
    training_texts,
)
from semiology.tools.embedded_models.training import (
    Scale,
    Schedule,
    Threads,
    TrainingFolder,
    save_checkpoint,
    use_threads,
)

app = typer.Typer(add_completion=False)
RECORDINGS = {"train": 3, "validation": 2, "heldout": 3}
"""Recordings of each patient of a split."""


@dataclass(frozen=True)
class Patients:
    """How many simulated patients each split has."""

    train: int = 560
    validation: int = 40
    heldout: int = 50


class Run(TrainingFolder):
    """One training run: its folder, seed, model and processor."""

    def __init__(self, work: Path, seed: int, patients: Patients, scale: float = 1.0) -> None:
        """Build the untrained model; nothing is rendered or trained yet."""
        self.seed, self.patients = seed, patients
        self.wordings = split_wordings(load_library())
        tokenizer = train_tokenizer(training_texts(self.wordings))
        self.processor: Qwen2_5_VLProcessor = architecture.build_processor(tokenizer)
        self.model: Qwen2_5_VLForConditionalGeneration = architecture.build_model(tokenizer, seed)
        self.watcher = Watcher(self.model.config.text_config.hidden_size)
        self.asker = Questioner(self.model, self.processor)
        self.source = QuestionSource(self.wordings)
        self._tokens: dict[str, list[Tensor]] = {}
        self._pools: dict[str, Pool] = {}
        super().__init__(work, scale, {"model": self.model, "watcher": self.watcher})

    def pool(self, split: str) -> Pool:
        """Return the windows of a split, rendering what is missing."""
        if split not in self._pools:
            patients = getattr(self.patients, split)
            recordings = RECORDINGS[split]
            paths = []
            windows = 3 if split == "train" else None
            for path in build_pool(self.work / "pool", split, range(patients), recordings, windows):
                paths.append(path)
                if len(paths) % 20 == 0:
                    self.say(f"{split}: {len(paths)}/{patients} patients rendered")
            self._pools[split] = Pool(paths)
        return self._pools[split]

    def tokens(self, split: str) -> list[Tensor]:
        """Return the frozen tower's tokens of a split, computing them once."""
        if split not in self._tokens:
            compute = partial(tower.cache_tokens, self.model, self.pool(split), self.say)
            self._tokens[split] = self.cached(f"tokens_{split}", compute)
        return self._tokens[split]

    def language(self, name: str, steps: int, rate: float, asking: Callable[[], Asking]) -> None:
        """Run one language stage unless it is done."""

        def train() -> None:
            schedule = Schedule(self.steps(steps), 16, rate, seed=self.seed + sum(name.encode()))
            pool, tokens = self.pool("train"), self.tokens("train")
            stage = LanguageStage(self.asker, self.source, self.watcher, pool, tokens)
            stage.train(schedule, asking(), self.say)

        self.stage(name, train)

    def thresholds(self) -> np.ndarray:
        """Return the best margins of each feature on validation patients."""
        pool, tokens = self.pool("validation"), self.tokens("validation")
        questions = [self.source.reference(f) for f in range(len(self.wordings))]
        margins = evaluate.answer_margins(self.asker, pool, tokens, questions)
        result = evaluate.report(pool, margins, "validation")
        self.say(f"validation macro F1 {result['macro_f1']:.3f}")
        return evaluate.best_thresholds(pool, margins)


def train(run: Run) -> None:
    """Run all stages in order."""
    schedule = Schedule(run.steps(1500), 64, 2e-3, run.seed)
    run.stage("tower", lambda: tower.train_tower(run.model, run.pool("train"), schedule, run.say))
    run.language("watch", 700, 2e-3, lambda: Asking(questions=0))
    run.language("reference", 300, 1.5e-3, lambda: Asking(questions=6, reference=0.7, balance=0.7))
    often = partial(Asking, questions=6, balance=0.7, watch_every=5)
    run.language("wordings", 900, 1.3e-3, lambda: often(reference=0.35))
    # Any-yes over windows and unequal prevalence move the best decision away from even odds.
    run.language("decision", 60, 5e-4, lambda: often(reference=0.4, shift=run.thresholds()))


def assess(run: Run, split: str) -> list[dict[str, object]]:
    """Score reference, other seen and unseen wordings on a split."""
    pool, tokens = run.pool(split), run.tokens(split)
    every = list(run.wordings.values())
    asked = {
        "reference wording": [w.seen[0] for w in every],
        "another seen wording": [w.seen[2] for w in every],
        "unseen wording 1": [w.unseen[0] for w in every],
        "unseen wording 2": [w.unseen[1] for w in every],
    }
    results = []
    for name, texts in asked.items():
        questions = [Question(text, ("yes", "no")) for text in texts]
        margins = evaluate.answer_margins(run.asker, pool, tokens, questions)
        results.append(evaluate.report(pool, margins, name))
        if name == "reference wording" and split == "heldout":
            traps = evaluate.behaviour_windows(split, run.patients.heldout, RECORDINGS[split])
            results[-1]["hard_negatives"] = evaluate.hard_negatives(pool, margins > 0, traps)
        run.say(f"{split}, {name}: macro F1 {results[-1]['macro_f1']:.3f}")
    return results


@app.command()
def main(
    work: Path = typer.Option(
        Path("tiny_training"), help="Folder for the clip pool and the stages' weights."
    ),
    out: Path = typer.Option(CHECKPOINT, help="Folder that receives the checkpoint."),
    seed: int = typer.Option(0, help="Seeds weights, order of clips and choice of questions."),
    patients: int = typer.Option(560, help="Simulated training patients, nine windows each."),
    scale: Scale = 1.0,
    threads: Threads = 0,
) -> None:
    """Train the tiny Qwen2.5-VL, write its checkpoint and its held-out measures."""
    use_threads(threads)
    run = Run(work, seed, Patients(train=patients), scale)
    train(run)
    save_checkpoint(run.model, run.processor, out)
    results = assess(run, "heldout")
    text = json.dumps(
        {"training_s": round(time.monotonic() - run.begun), "seed": seed, "results": results}, indent=1
    )
    (out / "heldout.json").write_text(text + "\n", encoding="utf-8")
    typer.echo(evaluate.table(results[0]))
    run.say(f"checkpoint in {out}")


if __name__ == "__main__":
    app()
