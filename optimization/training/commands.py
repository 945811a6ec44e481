"""``semiology export`` and ``semiology finetune``: training data of a recording set, and a small trainer on them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from semiology.render.help import command_group, examples
from semiology.render.outcome import tell_outcome, with_json
from semiology.render.text import counted

export_app = command_group(
    "Training data of a recording set: samples in the forms of ms-swift and TRL, of training patients alone.",
    "semiology export sft --data my_emu --tasks 1,3,7 --out sft_data",
)
_Data = Annotated[Path, typer.Option(help="Folder of the recording set.", exists=True, file_okay=False)]
_Out = Annotated[Path, typer.Option(help="Folder for clips, JSONL files and the manifest.", file_okay=False)]
_Tasks = Annotated[str, typer.Option(help="Numbers of S3 tasks, comma-separated.")]
_Fold = Annotated[
    str | None, typer.Option(help="Fold to leave out as the test of a cross-validation; by default none.")
]
_Window = Annotated[
    Literal["standard", "qwen3"], typer.Option(help="Frame rates and windows: standard, or those of Qwen3.")
]
_Distinct = Annotated[
    bool,
    typer.Option(
        "--distinct-patients", help="Patients with look-alike ids, or in one film, are different people."
    ),
]


@export_app.command(
    "sft",
    epilog=examples(
        "semiology export sft --data my_emu --out sft_data",
        "semiology export sft --data my_emu --tasks 1,3 --fold 0 --out sft_fold0",
    ),
)
@with_json
def export_sft(
    data: _Data, out: _Out, tasks: _Tasks = "1,2,3,4,5,6,7", fold: _Fold = None, window: _Window = "standard",
    distinct_patients: _Distinct = False,
) -> None:  # fmt: skip
    """Write questions with their answers, for supervised fine-tuning.

    Patients of the splits test and confirm, and of the fold left out, are in no sample. What cannot be a sample is
    counted. The same command goes on where a killed one stopped.
    """
    _export("sft", data, out, tasks, fold, window, distinct=distinct_patients)


@export_app.command(
    "grpo",
    epilog=examples("semiology export grpo --data my_emu --tasks 1,3,4,5,6,7 --out grpo_data"),
)
@with_json
def export_grpo(
    data: _Data, out: _Out, tasks: _Tasks = "1,2,3,4,5,6,7", fold: _Fold = None, window: _Window = "standard",
    distinct_patients: _Distinct = False,
) -> None:  # fmt: skip
    """Write questions with what a reward needs, for reinforcement learning; see `sft` for whom they are about."""
    _export("grpo", data, out, tasks, fold, window, distinct=distinct_patients)


def _export(
    form: Literal["sft", "grpo"],
    data: Path,
    out: Path,
    tasks: str,
    fold: str | None,
    window: str,
    *,
    distinct: bool,
) -> None:
    from rich.console import Console

    from semiology.data.problems import RecordingSetError
    from semiology.optimization.training.export import ExportOptions, export
    from semiology.optimization.training.sample_table import shortened
    from semiology.render.table import Document, print_document, table_console

    try:
        numbers = tuple(dict.fromkeys(int(part) for part in tasks.split(",") if part.strip()))
    except ValueError:
        raise ValueError(
            f"--tasks {tasks}: is no list of numbers → give the numbers of S3 tasks, such as 1,3,7"
        ) from None
    try:
        with Console(stderr=True).status("Reading the recording set") as status:
            made = export(
                ExportOptions(form, data, numbers, fold, window, distinct), out,
                on_clip=lambda done, of: status.update(f"Cutting clips: {done} of {of}"),
            )  # fmt: skip
    except RecordingSetError as error:
        from semiology.data.views import print_problems

        print_problems(error.problems)
        raise typer.Exit(1) from None
    print_document(Document("", (shortened(made.table),)), table_console(100))
    for reason, number in sorted(made.left_out.items()):
        typer.echo(f"left out: {number} ({reason})")
    tell_outcome(
        folder=made.folder,
        samples={f"task {task}": number for task, number in sorted(made.samples.items())},
        left_out=dict(made.left_out),
        recordings=made.recordings,
        patients=made.patients,
    )
    who = f"{counted(made.recordings, 'recording')} of {counted(made.patients, 'training patient')}"
    typer.echo(f"{who} → {made.folder}")


FINETUNE_EPILOG = examples(
    "semiology finetune sft --samples sft_data --checkpoint qwen_vl --out tuned",
    "semiology finetune grpo --samples grpo_data --checkpoint tuned --out better",
    "semiology finetune sft --samples d --checkpoint m --out c --shuffle-answers",
)


@with_json
def finetune_command(
    method: Annotated[Literal["sft", "grpo"], typer.Argument(help="By answers, or by rewards.")],
    samples: Annotated[
        Path, typer.Option(help="Folder that `semiology export` wrote.", exists=True, file_okay=False)
    ],
    checkpoint: Annotated[
        str, typer.Option(help="Folder of the model, or 'embedded' for the small one in this package.")
    ],
    out: Annotated[Path, typer.Option(help="Folder for the trained model.", file_okay=False)],
    epochs: Annotated[float, typer.Option(help="Passes over the samples.", min=0.01)] = 3.0,
    steps: Annotated[int | None, typer.Option(help="Steps, instead of epochs.", min=1)] = None,
    learning_rate: Annotated[
        float | None, typer.Option(help="By default the published one: sft 5e-5, grpo 1e-6.")
    ] = None,
    batch: Annotated[int, typer.Option(help="Samples a step.", min=1)] = 1,
    reward: Annotated[
        Literal["sound", "published"], typer.Option(help="Of grpo: ours, or that of the paper.")
    ] = "sound",
    generations: Annotated[int, typer.Option(help="Of grpo: replies to a question.", min=2)] = 6,
    new_tokens: Annotated[int, typer.Option(help="Of grpo: longest reply, tokens.", min=1)] = 1024,
    fps: Annotated[float, typer.Option(help="Frames per s that are shown, as of a run.", min=0.01)] = 1.0,
    max_pixels: Annotated[int | None, typer.Option(help="Largest picture, pixels, as of a run.")] = None,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda, …")] = "auto",
    dtype: Annotated[str, typer.Option(help="auto, bfloat16, float16 or float32.")] = "auto",
    seed: Annotated[int, typer.Option(help="Seed of everything that is drawn.")] = 0,
    shuffle_answers: Annotated[
        bool,
        typer.Option(
            "--shuffle-answers", help="Control: every sample gets another one's answer; must not learn."
        ),
    ] = False,
    distinct_patients: _Distinct = False,
) -> None:
    """Train a model on exported samples: LoRA on its language model, with TRL (extra `training`).

    The trained model carries the manifest of its training patients, about whom `semiology run` refuses to ask it. The
    same command goes on from the last hundred steps after a kill.
    """
    from semiology.backends.embedded import sees
    from semiology.optimization.training.trainer import TrainingOptions, train

    shown: dict[str, Any] = {"fps": fps, "max_pixels": max_pixels, "device": device, "dtype": dtype}
    if checkpoint == "embedded":
        checkpoint = str(sees.CHECKPOINT)
        shown = {
            "fps": sees.FPS,
            "min_pixels": sees.MIN_PIXELS,
            "max_pixels": sees.MAX_PIXELS,
            "device": "cpu",
        }
        shown["dtype"] = "float32"
    folder = train(
        TrainingOptions(
            method, samples, checkpoint, out, epochs, steps, learning_rate, batch, reward, generations, new_tokens,
            seed=seed, shuffled=shuffle_answers, distinct=distinct_patients, **shown,
        ),
        log=_tell,
    )  # fmt: skip
    tell_outcome(checkpoint=folder)
    typer.echo(f"Trained: {folder}; ask others with --trained-on {folder}")


def _tell(told: Mapping[str, Any]) -> None:
    """Print one line of the trainer's log."""
    kept = {name: value for name, value in told.items() if name in ("loss", "train_loss", "reward")}
    numbers = ", ".join(f"{name} {float(value):.4g}" for name, value in kept.items())
    typer.echo(
        f"step {told['step']} of {told['steps']}: {numbers}" if numbers else f"step {told['step']}", err=True
    )
