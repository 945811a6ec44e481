"""How well the listener answers about patients it has never met.

``python -m semiology.tools.embedded_models.hears.evaluate`` asks every wording and writes the measures.

Sound goes through AAC as in mp4 files, replies come from ``generate`` and are parsed as in the tasks, windows
become recordings by any-yes, and all scores are those of ``semiology.metrics``.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
import typer
from transformers import Qwen2AudioForConditionalGeneration, Qwen2AudioProcessor

from semiology.backends.embedded.hears import CHECKPOINT
from semiology.features import AUDIO_FEATURES
from semiology.metrics.scores.aggregation import recording_answers
from semiology.metrics.scores.run_scores import score_run
from semiology.prompts.library import Prompt, load_library, render
from semiology.tasks.answers.parse import parse_answer
from semiology.tasks.scores import OPPOSITE
from semiology.tools.embedded_models.hears.architecture import load_checkpoint
from semiology.tools.embedded_models.hears.questions import split_wordings
from semiology.tools.embedded_models.hears.sound_pool import CODES, SoundPool, build_pool
from semiology.tools.embedded_models.hears.stages import Clerk
from semiology.tools.embedded_models.training import Threads, use_threads

app = typer.Typer(add_completion=False)

BATCH = 8
SHOWN = ("f1", "precision", "recall", "f1_minus_always_yes")


@torch.no_grad()
def replies(
    model: Qwen2AudioForConditionalGeneration, processor: Qwen2AudioProcessor, pool: SoundPool, question: str
) -> list[str]:
    """Return the model's reply to one question about every window of a pool."""
    clerk = Clerk(processor)
    asked = clerk.question(question)
    said: list[str] = [""] * len(pool)
    for frames in np.unique(pool.frames):
        # Windows of equal length need no padding.
        alike = np.flatnonzero(pool.frames == frames)
        ids = torch.tensor([clerk.prefix(int(frames)) + asked])
        for first in range(0, len(alike), BATCH):
            rows = alike[first : first + BATCH]
            features = torch.from_numpy(pool.features[rows]).to(model.dtype)
            sounding = (torch.arange(features.shape[-1]) < frames).long().expand(len(rows), -1)
            prompt = ids.expand(len(rows), -1)
            out = model.generate(
                input_ids=prompt,
                attention_mask=torch.ones_like(prompt),
                input_features=features,
                feature_attention_mask=sounding,
                do_sample=False,
                max_new_tokens=16,
            )
            texts = processor.batch_decode(out[:, prompt.shape[1] :], skip_special_tokens=True)
            for row, text in zip(rows, texts, strict=True):
                said[row] = text
    return said


def answer_frame(pool: SoundPool, prompt: Prompt, said: Sequence[str]) -> pd.DataFrame:
    """Return the tidy frame of segment answers to one wording; recordings without a truth are left out."""
    column = AUDIO_FEATURES.index(prompt.feature)
    answers = [parse_answer(text) for text in said]
    if prompt.polarity == "negative":
        answers = [OPPOSITE.get(answer, answer) for answer in answers]
    frame = pd.DataFrame(
        {
            "video_id": [f"R{number}" for number in pool.recordings],
            "patient_id": [f"P{number}" for number in pool.patients],
            "feature": prompt.feature,
            "answer": answers,
            "truth": [CODES[code] for code in pool.recording_truths[:, column]],
            "raw": list(said),
        }
    )
    frame["segment"] = frame.groupby("video_id").cumcount()
    return frame


def score(frames: Sequence[pd.DataFrame]) -> dict[str, Any]:
    """Return measures of one wording per feature: F1 and others with intervals, and their macro mean."""
    run = score_run(recording_answers(pd.concat(frames)), AUDIO_FEATURES)
    return {
        "macro_f1": _interval(run.macros[0].estimates["f1"]),
        "features": {
            one.feature: {
                "recordings": one.n,
                "positive": one.n_positive,
                "always_yes_f1": round(one.always_yes_f1, 3),
                **{name: _interval(one.estimates[name]) for name in SHOWN},
            }
            for one in run.features
        },
    }


def _interval(estimate: Any) -> list[float | None]:
    """Return value, low and high, rounded."""
    values = (estimate.value, estimate.low, estimate.high)
    return [None if value is None else round(float(value), 3) for value in values]


def evaluate(
    model: Qwen2AudioForConditionalGeneration,
    processor: Qwen2AudioProcessor,
    pool: SoundPool,
    say: Callable[[str], object],
) -> dict[str, Any]:
    """Score every wording of the audio features on a pool of whole recordings.

    Returns:
        Size of the pool; ``reference``: measures of the reference wordings; ``wordings``: F1 with interval,
        share of parsed replies and part (seen or unseen) of each wording; ``macro_f1``: per part the mean
        over the features of the mean over their wordings.
    """
    table: list[dict[str, Any]] = []
    reference = []
    for feature, wordings in split_wordings(load_library()).items():
        parts = [(prompt, "seen") for prompt in wordings.seen]
        for prompt, part in parts + [(prompt, "unseen") for prompt in wordings.unseen]:
            frame = answer_frame(pool, prompt, replies(model, processor, pool, render(prompt)))
            if prompt is wordings.seen[0]:
                reference.append(frame)
            parsed = float((frame["answer"] != "unparsed").mean())
            scores = score([frame])["features"][feature]
            table.append(
                {"feature": feature, "id": prompt.id, "part": part, "f1": scores["f1"], "parsed": parsed}
            )
            say(f"{feature} {prompt.id} ({part}): F1 {scores['f1']}, parsed {parsed:.3f}")
    means = pd.DataFrame(table).assign(f1=lambda rows: rows["f1"].str[0])
    means = means.groupby(["part", "feature"])["f1"].mean().groupby("part").mean()
    return {
        "recordings": len(np.unique(pool.recordings)),
        "patients": len(np.unique(pool.patients)),
        "windows": len(pool),
        "macro_f1": {part: round(float(means[part]), 3) for part in ("seen", "unseen")},
        "reference": score(reference),
        "wordings": table,
    }


@app.command()
def main(
    checkpoint: Path = typer.Option(CHECKPOINT, help="Folder of the checkpoint."),
    split: str = typer.Option("heldout", help="heldout, or validation while a recipe is being chosen."),
    patients: int = typer.Option(64, help="Simulated patients, two recordings each."),
    out: Path = typer.Option(Path("tiny_audio_heldout.json"), help="File that receives the scores."),
    work: Path = typer.Option(Path("tiny_audio_training"), help="Folder that keeps the pool of sound."),
    threads: Threads = 0,
) -> None:
    """Ask the listener every wording about held-out simulated patients and write the measures."""
    use_threads(threads)
    work.mkdir(parents=True, exist_ok=True)
    path = work / f"{split}_{patients}.npz"
    if not path.exists():
        build_pool(split, range(patients), 2, None, 1.0, typer.echo).save(path)
    pool = SoundPool.load(path)
    model, processor = load_checkpoint(checkpoint)
    begun = time.monotonic()
    results = evaluate(model, processor, pool, typer.echo)
    results["seconds"] = round(time.monotonic() - begun)
    typer.echo(f"macro F1: reference {results['reference']['macro_f1']}, {results['macro_f1']}")
    out.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    typer.echo(f"scores in {out}")


if __name__ == "__main__":
    app()
