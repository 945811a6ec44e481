"""Stock lmms-eval ``qwen2_5_vl`` against ``semiology_hf``: same windows, questions, weights and machine.

    python benchmarks/shared_prefix.py --json cpu.json     # CPU: embedded and medium random model
    python benchmarks/shared_prefix.py --models medium --extrapolate-from 20
    python benchmarks/shared_prefix.py --device cuda --size 1280x720 --json gpu.json
    python benchmarks/shared_prefix.py --models embedded --questions 2 --frames 8   # a trial

Every cell of the table runs in a fresh process, stock through lmms-eval's own class, with the floor that neither
can pass beside them. Default models are embedded,medium on the CPU and medium,7b on CUDA (7b writes 17 GB to the
temporary folder). On the CPU the medium model sees frames of at most 78,400 pixels (91 tokens per pair of
frames), so that 120 questions end within hours; --max-pixels 1605632 shows them as large as stock does.
Simulated film and random or embedded weights: numbers of cost, none of quality.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from measuring import Clock, parser
from rich.console import Console
from shared_prefix_cell import Spec
from shared_prefix_table import FLOOR, OURS, STOCK, rows_of, table_of

OVERLAP_S, FPS = 5.0, 2.0
SHORTEST_FILM_S = 30.0
MOST_WORDINGS = 6
MODELS = ("embedded", "medium", "7b")

SIDES = (STOCK, OURS, FLOOR)
progress = Console(stderr=True, soft_wrap=True)


def windows_of(plan: argparse.Namespace) -> list[tuple[float, float]]:
    """Return start and end of each window, seconds; fewer frames make it shorter."""
    length = plan.frames / FPS
    step = max(length - OVERLAP_S, length / 2)
    return [(number * step, number * step + length) for number in range(plan.segments)]


def question_texts(number: int) -> list[str]:
    """Return different questions from the prompt library: first one wording of every feature, then the next.

    Raises:
        SystemExit: The library has not so many.
    """
    from semiology.features import FEATURES
    from semiology.prompts.library import load_library, render

    library = load_library()
    prompts = [library.feature(feature).prompts[:MOST_WORDINGS] for feature in FEATURES]
    turns = itertools.chain.from_iterable(itertools.zip_longest(*prompts))
    texts = list(dict.fromkeys(render(prompt) for prompt in turns if prompt is not None))
    if number > len(texts):
        raise SystemExit(f"--questions {number}: the benchmark has {len(texts)} different ones")
    return texts[:number]


def measure(plan: argparse.Namespace, folder: Path) -> list[dict[str, Any]]:
    """Return the cells of the whole plan; models and films are made in ``folder``."""
    from shared_prefix_model import SUBJECTS, checkpoint_of, parameters_of, write_film

    cells, windows = [], windows_of(plan)
    for name in plan.models:
        subject = SUBJECTS[name]
        progress.print(f"{name}: checkpoint and film")
        checkpoint = checkpoint_of(subject, folder / name, plan.device)
        progress.print(f"{name}: {parameters_of(checkpoint) / 1e6:,.1f} M weights")
        size = plan.size or subject.size
        film = write_film(folder / f"{name}.mp4", max(SHORTEST_FILM_S, windows[-1][1] + 1), size)
        other = str(shutil.copy(film, folder / "warm_up.mp4")) if plan.warm_up else None
        base = Spec(
            name, "", str(checkpoint), str(film), windows, (), (), question_texts(max(plan.questions)),
            plan.device, plan.dtype, plan.attention, plan.threads, FPS, subject.min_pixels,
            plan.max_pixels or subject.max_pixels, plan.decoder, other,
        )  # fmt: skip
        cells += _subject(base, plan, folder)
    return cells


def _subject(base: Spec, plan: argparse.Namespace, folder: Path) -> list[dict[str, Any]]:
    """Measure one model: the sides block by block, then the floor of all blocks with as many tokens."""
    pairs = [(questions, tokens) for tokens in plan.tokens for questions in plan.questions]
    specs = [
        replace(base, side=side, plan=[pair])
        for pair in pairs
        for side in (STOCK, OURS)
        if side in plan.sides
    ]
    count = len(specs) + (FLOOR in plan.sides)
    cells = []
    for number, spec in enumerate(specs, 1):
        cells += _cells(spec, plan, folder, f"{base.subject} {number}/{count}")
    if FLOOR in plan.sides:
        # the tokens that a question of a block really got, rounded down; as asked where no side ran
        got = {
            (cell["questions"], cell["tokens"]): max(
                1, int(cell["counts"]["generated_tokens"] // sum(map(len, cell["texts"])))
            )
            for cell in reversed(cells)
        }
        answered = [got.get(pair, pair[1]) for pair in pairs]
        floor = replace(base, side=FLOOR, plan=pairs, answered=answered)
        cells += _cells(floor, plan, folder, f"{base.subject} {count}/{count}")
    return cells


def _cells(spec: Spec, plan: argparse.Namespace, folder: Path, place: str) -> list[dict[str, Any]]:
    """Run one process and return its cells, with the questions that the plan meant."""
    meant = spec.plan[0][0]
    most = plan.extrapolate_from
    fewer = spec.side == STOCK and most is not None and meant > most
    if fewer and most is not None:
        spec = replace(spec, plan=[(most, spec.plan[0][1])])
    asked = ", ".join(f"{questions} questions x {tokens} tokens" for questions, tokens in spec.plan)
    note = f" (stands for {meant})" if fewer else ""
    progress.print(f"{place}: {spec.side}, {asked}{note} ...")
    with Clock() as clock:
        cells = _run(spec, folder)
    told = ", ".join(f"{cell['seconds']:.2f} s" for cell in cells)
    progress.print(f"{place}: {spec.side}, {told} (process {clock.wall:.0f} s)")
    if fewer:
        cells = [{**cell, "measured_questions": most, "questions": meant} for cell in cells]
    return cells


def _run(spec: Spec, folder: Path) -> list[dict[str, Any]]:
    """Run one process.

    Raises:
        SystemExit: It failed; the end of its output was printed.
    """
    specification, result = folder / "spec.json", folder / "result.json"
    result.unlink(missing_ok=True)
    specification.write_text(json.dumps(asdict(spec)))
    script = Path(__file__).with_name("shared_prefix_cell.py")
    environment = {
        "FORCE_QWENVL_VIDEO_READER": "decord",
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
        raise SystemExit(1)
    cells: list[dict[str, Any]] = json.loads(result.read_text())
    return cells


def machine(device: str) -> dict[str, Any]:
    """Return what the numbers depend on besides the code."""
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
    numbers = [int(part) for part in text.split(",")]
    if min(numbers) < 1:
        raise argparse.ArgumentTypeError(f"{text!r}: give numbers from 1 on, separated by commas")
    return list(dict.fromkeys(numbers))


def _names(known: Sequence[str]) -> Callable[[str], list[str]]:
    def names(text: str) -> list[str]:
        found = [name.strip() for name in text.split(",")]
        if unknown := [name for name in found if name not in known]:
            raise argparse.ArgumentTypeError(f"{', '.join(unknown)}: give some of {', '.join(known)}")
        return list(dict.fromkeys(found))

    return names


def _size(text: str) -> tuple[int, int]:
    width, _, height = text.partition("x")
    if not (width.isdigit() and height.isdigit()):
        raise argparse.ArgumentTypeError(f"{text!r}: give WIDTHxHEIGHT, for instance 1280x720")
    return int(width), int(height)


def title_of(plan: argparse.Namespace) -> str:
    """Return what the table shows, in one line."""
    cast = ", both sides loaded in bfloat16 and cast" if plan.dtype == "float32" else ""
    warm = " and one question about another file" if plan.warm_up else ""
    return (
        f"{plan.segments} window(s) of {plan.frames} frames, {plan.device}, {plan.dtype}{cast}; "
        f"every cell in a fresh process, loading{warm} not timed; floor: one reading, one vision run, one "
        "prefill, then question and generated tokens alone"
    )


def main() -> None:
    """Measure, print the table and write the numbers."""
    options = parser(__doc__)
    add = options.add_argument
    add("--models", type=_names(MODELS), help="embedded, medium, 7b; comma-separated")
    add("--questions", type=_numbers, default=[1, 20, 120], help="questions about each window")
    add("--tokens", type=_numbers, default=[1, 16], help="tokens to generate; 1 is one-token scoring")
    add("--segments", type=int, default=1, help="windows of the film")
    add("--frames", type=int, default=60, help="frames of a window (2 a second), even")
    add("--device", choices=("cpu", "cuda"), default="cpu")
    add("--dtype", choices=("float32", "bfloat16"), help="float32 by default on the CPU, bfloat16 on CUDA")
    add("--attention", help="sdpa, eager; by default transformers' choice")
    add("--threads", type=int, help="threads of torch")
    add("--size", type=_size, help="film, WIDTHxHEIGHT; 480p by default")
    add("--max-pixels", type=int, help="most pixels of a frame")
    add("--decoder", choices=("stream", "decord"), default="stream", help="our reader")
    add("--extrapolate-from", type=int, metavar="QUESTIONS",
        help="ask stock at most so many and draw a straight line; marked ~ in the table")  # fmt: skip
    add("--warm-up", action=argparse.BooleanOptionalAction, default=True,
        help="answer one question about another file first")  # fmt: skip
    add("--sides", type=_names(SIDES), default=list(SIDES), help="stock, ours, floor")
    add("--json", dest="json_file", type=Path, help="also write all numbers here")
    plan = options.parse_args()
    on_cpu = plan.device == "cpu"
    plan.models = plan.models or (["embedded", "medium"] if on_cpu else ["medium", "7b"])
    plan.dtype = plan.dtype or ("float32" if on_cpu else "bfloat16")
    with TemporaryDirectory() as folder:
        cells = measure(plan, Path(folder))
    rows = rows_of(cells)
    Console(width=None if sys.stdout.isatty() else 180).print(table_of(rows, title_of(plan)))
    if plan.json_file is not None:
        asked = {name: value for name, value in vars(plan).items() if name != "json_file"}
        report = {
            "machine": machine(plan.device),
            "plan": asked,
            "rows": [row.as_dict() for row in rows],
        }
        plan.json_file.write_text(json.dumps({**report, "cells": cells}, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
