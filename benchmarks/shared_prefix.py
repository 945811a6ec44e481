"""Stock lmms-eval ``qwen2_5_vl`` against ``semiology_hf``: same windows, questions, weights and machine.

Every cell of the table runs in a fresh process, stock through lmms-eval's own class. Examples::

    python benchmarks/shared_prefix.py                          # CPU: embedded and medium random model
    python benchmarks/shared_prefix.py --device cuda --json gpu.json
    python benchmarks/shared_prefix.py --models medium --questions 1,20 --tokens 1 --threads 1
"""

from __future__ import annotations

import json
import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import Annotated, Any

import typer
from rich.console import Console
from shared_prefix_cell import Spec
from shared_prefix_table import FLOOR, OURS, STOCK, rows_of, table_of

OVERLAP_S, FPS = 5.0, 2.0
SHORTEST_FILM_S = 30.0
MOST_WORDINGS = 6
MODELS = ("embedded", "medium", "7b")

app = typer.Typer(add_completion=False, rich_markup_mode=None)
progress = Console(stderr=True, soft_wrap=True)


@dataclass(frozen=True)
class Plan:
    """What the command was asked to measure.

    Attributes:
        models: Names of subjects.
        questions: Questions about each window, one number per block of the table.
        tokens: Tokens to generate per question, likewise.
        segments: Windows of 30 s, overlapping by 5 s.
        frames: Frames of each window.
        device: ``cpu`` or ``cuda``.
        dtype: ``bfloat16`` or ``float32``.
        attention: As transformers takes it, or None.
        threads: Of torch, or None.
        decoder: Of our side.
        extrapolate_from: Questions that stock is asked at most, or None to ask it all.
        size: Width and height of the film, or None for the model's own.
        max_pixels: Most pixels of a frame, or None for the model's own.
        warm_up: Whether each process answers one question about another file first.
        sides: Which sides run.
    """

    models: Sequence[str]
    questions: Sequence[int]
    tokens: Sequence[int]
    segments: int
    frames: int
    device: str
    dtype: str
    attention: str | None
    threads: int | None
    decoder: str
    extrapolate_from: int | None
    size: tuple[int, int] | None
    max_pixels: int | None
    warm_up: bool
    sides: Sequence[str] = (STOCK, OURS, FLOOR)

    @property
    def windows(self) -> list[tuple[float, float]]:
        """Start and end of each window, seconds; fewer frames make it shorter."""
        length = self.frames / FPS
        step = max(length - OVERLAP_S, length / 2)
        return [(number * step, number * step + length) for number in range(self.segments)]

    @property
    def pairs(self) -> list[tuple[int, int]]:
        """Questions and tokens of every block of the table."""
        return [(questions, tokens) for tokens in self.tokens for questions in self.questions]


def question_texts(number: int) -> list[str]:
    """Return different questions from the prompt library: first one wording of every feature, then the next.

    Raises:
        typer.BadParameter: The library has not so many.
    """
    from semiology.features import FEATURES
    from semiology.prompts.library import load_library, render

    library = load_library()
    prompts = [library.feature(feature).prompts[:MOST_WORDINGS] for feature in FEATURES]
    texts = [
        render(wordings[turn])
        for turn in range(MOST_WORDINGS)
        for wordings in prompts
        if turn < len(wordings)
    ]
    texts = list(dict.fromkeys(texts))
    if number > len(texts):
        raise typer.BadParameter(f"--questions {number}: the benchmark has {len(texts)} different ones")
    return texts[:number]


def measure(plan: Plan, folder: Path) -> list[dict[str, Any]]:
    """Return the cells of the whole plan; models and films are made in ``folder``."""
    from shared_prefix_model import SUBJECTS, checkpoint_of, parameters_of, write_film

    cells = []
    for name in plan.models:
        subject = SUBJECTS[name]
        progress.print(f"{name}: checkpoint and film")
        checkpoint = checkpoint_of(subject, folder / name, plan.device)
        progress.print(f"{name}: {parameters_of(checkpoint) / 1e6:,.1f} M weights")
        size = plan.size or subject.size
        film = write_film(folder / f"{name}.mp4", max(SHORTEST_FILM_S, plan.windows[-1][1] + 1), size)
        other = str(shutil.copy(film, folder / "warm_up.mp4")) if plan.warm_up else None
        base = Spec(
            name, "", str(checkpoint), str(film), plan.windows, (), (), question_texts(max(plan.questions)),
            plan.device, plan.dtype, plan.attention, plan.threads, FPS, subject.min_pixels,
            plan.max_pixels or subject.max_pixels, plan.decoder, other,
        )  # fmt: skip
        cells += _subject(base, plan, folder)
    return cells


def _subject(base: Spec, plan: Plan, folder: Path) -> list[dict[str, Any]]:
    """Measure one model: the sides block by block, then the floor of all blocks with as many tokens."""
    specs = list(_specs(base, plan))
    count = len(specs) + (FLOOR in plan.sides)
    cells = []
    for number, spec in enumerate(specs, 1):
        cells += _cells(spec, plan, folder, f"{base.subject} {number}/{count}")
    if FLOOR in plan.sides:
        pairs = plan.pairs
        floor = replace(base, side=FLOOR, plan=pairs, answered=[_answered(cells, pair) for pair in pairs])
        cells += _cells(floor, plan, folder, f"{base.subject} {count}/{count}")
    return cells


def _answered(cells: Sequence[dict[str, Any]], pair: tuple[int, int]) -> int:
    """Return the tokens that a question of a block really got, rounded down; as asked where no side ran."""
    for cell in cells:
        if (cell["questions"], cell["tokens"]) == pair:
            asked = sum(map(len, cell["texts"]))
            return max(1, int(cell["counts"]["generated_tokens"] // asked))
    return pair[1]


def _specs(base: Spec, plan: Plan) -> Iterator[Spec]:
    """Yield one specification per process of the sides, block by block."""
    for pair in plan.pairs:
        for side in (STOCK, OURS):
            if side in plan.sides:
                yield replace(base, side=side, plan=[pair])


def _cells(spec: Spec, plan: Plan, folder: Path, place: str) -> list[dict[str, Any]]:
    """Run one process and return its cells, with the questions that the plan meant."""
    meant = spec.plan[0][0]
    most = plan.extrapolate_from
    fewer = spec.side == STOCK and most is not None and meant > most
    if fewer and most is not None:
        spec = replace(spec, plan=[(most, spec.plan[0][1])])
    asked = ", ".join(f"{questions} questions x {tokens} tokens" for questions, tokens in spec.plan)
    note = f" (stands for {meant})" if fewer else ""
    progress.print(f"{place}: {spec.side}, {asked}{note} ...")
    start = perf_counter()
    cells = _run(spec, folder)
    told = ", ".join(f"{cell['seconds']:.2f} s" for cell in cells)
    progress.print(f"{place}: {spec.side}, {told} (process {perf_counter() - start:.0f} s)")
    if fewer:
        cells = [{**cell, "measured_questions": most, "questions": meant} for cell in cells]
    return cells


def _run(spec: Spec, folder: Path) -> list[dict[str, Any]]:
    """Run one process.

    Raises:
        typer.Exit: It failed; the end of its output was printed.
    """
    specification, result = folder / "spec.json", folder / "result.json"
    result.unlink(missing_ok=True)
    spec.write(specification)
    script = Path(__file__).with_name("shared_prefix_cell.py")
    environment = {
        **os.environ,
        "SEMIOLOGY_CACHE": str(folder / "cache"),
        "HF_HUB_OFFLINE": "1",
        "TOKENIZERS_PARALLELISM": "false",
    }
    command = [sys.executable, str(script), str(specification), str(result)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)  # noqa: S603
    if done.returncode or not result.exists():
        progress.print(done.stderr[-4000:], markup=False)
        progress.print(f"the process of {spec.subject}, {spec.side}, ended with status {done.returncode}")
        raise typer.Exit(1)
    cells: list[dict[str, Any]] = json.loads(result.read_text())
    return cells


def machine(device: str) -> dict[str, Any]:
    """Return what the figures depend on besides the code."""
    from importlib.metadata import version

    import torch

    facts: dict[str, Any] = {
        "processor": platform.processor() or platform.machine(),
        "cpus": os.cpu_count(),
        "python": platform.python_version(),
    }
    if device == "cuda":
        facts["gpu"] = torch.cuda.get_device_name()
    packages = ("torch", "transformers", "lmms-eval", "qwen-vl-utils", "decord2", "av")
    return {**facts, "packages": {name: version(name) for name in packages}}


def _numbers(text: str) -> list[int]:
    numbers = [int(part) for part in text.split(",") if part.strip().isdigit()]
    if not numbers or min(numbers) < 1 or len(numbers) != len(text.split(",")):
        raise typer.BadParameter(f"{text!r}: give numbers from 1 on, separated by commas")
    return list(dict.fromkeys(numbers))


def _check(device: str, dtype: str | None) -> None:
    if device not in ("cpu", "cuda"):
        raise typer.BadParameter(f"--device {device}: give cpu or cuda")
    if dtype not in (None, "float32", "bfloat16"):
        raise typer.BadParameter(f"--dtype {dtype}: give float32 or bfloat16")


def _names(text: str, known: Sequence[str]) -> list[str]:
    names = [name.strip() for name in text.split(",")]
    if unknown := [name for name in names if name not in known]:
        raise typer.BadParameter(f"{', '.join(unknown)}: give some of {', '.join(known)}")
    return list(dict.fromkeys(names))


def _size(text: str | None) -> tuple[int, int] | None:
    if text is None:
        return None
    width, _, height = text.partition("x")
    if not (width.isdigit() and height.isdigit()):
        raise typer.BadParameter(f"{text!r}: give WIDTHxHEIGHT, for instance 1280x720")
    return int(width), int(height)


def title_of(plan: Plan) -> str:
    """Return what the table shows, in one line."""
    cast = ", both sides loaded in bfloat16 and cast" if plan.dtype == "float32" else ""
    warm = " and one question about another file" if plan.warm_up else ""
    return (
        f"{plan.segments} window(s) of {plan.frames} frames, {plan.device}, {plan.dtype}{cast}; "
        f"every cell in a fresh process, loading{warm} not timed; floor: one reading, one vision run, one "
        "prefill, then question and generated tokens alone"
    )


@app.command(epilog="Simulated film and random or embedded weights: figures of cost, none of quality.")
def main(
    models: Annotated[str | None, typer.Option(help="embedded, medium, 7b; comma-separated.")] = None,
    questions: Annotated[str, typer.Option(help="Questions about each window.")] = "1,20,120",
    tokens: Annotated[str, typer.Option(help="Tokens to generate; 1 is one-token scoring.")] = "1,16",
    segments: Annotated[int, typer.Option(min=1, help="Windows of the film.")] = 1,
    frames: Annotated[int, typer.Option(min=4, help="Frames of a window (2 a second), even.")] = 60,
    device: Annotated[str, typer.Option(help="cpu or cuda.")] = "cpu",
    dtype: Annotated[
        str | None, typer.Option(help="float32 (default on the CPU) or bfloat16 (default on CUDA).")
    ] = None,
    attention: Annotated[str | None, typer.Option(help="sdpa, eager; None for transformers' choice.")] = None,
    threads: Annotated[int | None, typer.Option(min=1, help="Threads of torch.")] = None,
    size: Annotated[str | None, typer.Option(help="Film, WIDTHxHEIGHT; 480p by default.")] = None,
    max_pixels: Annotated[int | None, typer.Option(help="Most pixels of a frame.")] = None,
    decoder: Annotated[str, typer.Option(help="Our reader: stream or decord.")] = "stream",
    extrapolate_from: Annotated[
        int | None,
        typer.Option(help="Ask stock at most so many and draw a straight line; marked ~ in the table."),
    ] = None,
    warm_up: Annotated[bool, typer.Option(help="Answer one question about another file first.")] = True,
    sides: Annotated[str, typer.Option(help="stock, ours, floor.")] = "stock,ours,floor",
    json_file: Annotated[Path | None, typer.Option("--json", help="Also write all figures here.")] = None,
) -> None:
    """Time stock lmms-eval and the shared prefix side by side, with the floor that neither can pass.

    Default models are embedded,medium on the CPU and medium,7b on CUDA (7b writes 17 GB to the temporary
    folder). On the CPU the medium model sees frames of at most 78,400 pixels (91 tokens per pair of frames),
    so that 120 questions end within hours; --max-pixels 1605632 shows them as large as stock does.

    \b
    Examples:
      python benchmarks/shared_prefix.py --json cpu.json
      python benchmarks/shared_prefix.py --models medium --extrapolate-from 20
      python benchmarks/shared_prefix.py --device cuda --size 1280x720 --json gpu.json
      python benchmarks/shared_prefix.py --models embedded --questions 2 --frames 8   # a trial
    """
    _check(device, dtype)
    plan = Plan(
        _names(models or ("embedded,medium" if device == "cpu" else "medium,7b"), MODELS),
        _numbers(questions), _numbers(tokens), segments, frames, device,
        dtype or ("float32" if device == "cpu" else "bfloat16"), attention, threads, decoder,
        extrapolate_from, _size(size), max_pixels, warm_up, _names(sides, (STOCK, OURS, FLOOR)),
    )  # fmt: skip
    with TemporaryDirectory() as folder:
        cells = measure(plan, Path(folder))
    rows = rows_of(cells)
    Console(width=None if sys.stdout.isatty() else 180).print(table_of(rows, title_of(plan)))
    if json_file is not None:
        report = {"machine": machine(device), "plan": asdict(plan), "rows": [row.as_dict() for row in rows]}
        json_file.write_text(json.dumps({**report, "cells": cells}, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    app()
