"""The ``semiology`` command: parses and calls; the work is done in the packages it names."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer
from typer.main import get_command

from semiology.data.commands import app as data_app
from semiology.enhancements.commands import app as enhance_app
from semiology.harness.machine.ending import end_in_a_sentence
from semiology.harness.machine.output_places import with_places_checked
from semiology.harness.options import RunOptions
from semiology.harness.repeat.command import REPEAT_EPILOG, repeat_command
from semiology.harness.serve_command import SERVE_COMMAND_EPILOG, serve_command
from semiology.harness.serve_jsonl.commands import SERVE_EPILOG, serve_jsonl
from semiology.judging.commands import JUDGE_EPILOG, MERGE_EPILOG, judge_command, merge_command, merge_texts
from semiology.optimization.ablation.commands import ablate_app
from semiology.optimization.folds.commands import FOLDS_EPILOG, folds_command
from semiology.optimization.optimize_command import OPTIMIZE_EPILOG, optimize
from semiology.optimization.supervised.commands import TRAIN_EPILOG, train_command
from semiology.optimization.sweep.commands import SWEEP_EPILOG, sweep_command
from semiology.optimization.training.commands import FINETUNE_EPILOG, export_app, finetune_command
from semiology.privacy.staying_here import stay_here
from semiology.prompts.commands import app as prompts_app
from semiology.render.help import examples
from semiology.render.options import with_options
from semiology.render.outcome import tell_outcome, with_json
from semiology.reports.agreement.commands import agreement_app
from semiology.reports.commands import REPORT_EPILOG, report
from semiology.reports.compare.commands import COMPARE_EPILOG, compare
from semiology.reports.dataset.commands import DESCRIBE_EPILOG, describe_command
from semiology.reports.diagnosis.commands import DIAGNOSE_EPILOG, diagnose_command
from semiology.reports.leaderboard.commands import leaderboard_app
from semiology.reports.power.commands import POWER_EPILOG, power
from semiology.reports.published.commands import baselines_app, reproduce_app
from semiology.reports.review.commands import review_app
from semiology.reports.view.commands import VIEW_EPILOG, view
from semiology.tasks.new_set import NEW_EPILOG, new_command
from semiology.versions import version_line

app = typer.Typer(
    name="semiology",
    no_args_is_help=True,
    pretty_exceptions_show_locals=False,
    rich_markup_mode="rich",
)


def _tell_version(wanted: bool) -> None:
    if wanted:
        typer.echo(version_line())
        raise typer.Exit


@app.callback(epilog=examples("semiology demo", "semiology run --model embedded --data my_emu"))
def semiology(
    version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_tell_version, is_eager=True, help="Tell the versions in use, and stop."
        ),
    ] = False,
) -> None:
    """Find out whether a multimodal language model can read seizure semiology from video."""


# Here and not in data/: recording sets know nothing of what is searched on them.
data_app.command("folds", epilog=FOLDS_EPILOG)(folds_command)
data_app.command("new", epilog=NEW_EPILOG)(new_command)
data_app.command("describe", epilog=DESCRIBE_EPILOG)(describe_command)
app.add_typer(data_app, name="data")
app.add_typer(enhance_app, name="enhance")
app.add_typer(prompts_app, name="prompts")
app.command("sweep", epilog=SWEEP_EPILOG)(sweep_command)
app.command("optimize", epilog=OPTIMIZE_EPILOG)(optimize)
app.command("train", epilog=TRAIN_EPILOG)(train_command)
app.add_typer(export_app, name="export")
app.command("finetune", epilog=FINETUNE_EPILOG)(finetune_command)
app.command("serve-jsonl", epilog=SERVE_EPILOG)(serve_jsonl)
app.command("serve-command", epilog=SERVE_COMMAND_EPILOG)(serve_command)
app.command("report", epilog=REPORT_EPILOG)(report)
app.command("compare", epilog=COMPARE_EPILOG)(compare)
app.command("repeat", epilog=REPEAT_EPILOG)(repeat_command)
app.command("diagnose", epilog=DIAGNOSE_EPILOG)(diagnose_command)
app.command("power", epilog=POWER_EPILOG)(power)
app.add_typer(leaderboard_app, name="leaderboard")
app.add_typer(review_app, name="review")
app.command("view", epilog=VIEW_EPILOG)(view)
app.command("judge", epilog=JUDGE_EPILOG)(judge_command)
app.command("merge", epilog=MERGE_EPILOG)(merge_command)
app.add_typer(ablate_app, name="ablate")
app.add_typer(reproduce_app, name="reproduce")
app.add_typer(baselines_app, name="baselines")
app.add_typer(agreement_app, name="agreement")

RUN_EPILOG = examples(
    "semiology run --model embedded --data my_emu",
    "semiology run --model qwen2_5_vl --model-args pretrained=qwen --data my_emu",
    "semiology run --model embedded --data my_emu --answer-format yes_no_json",
    "semiology run --model embedded --data my_emu --split test --videos 1-82",
)


@app.command("run", epilog=RUN_EPILOG)
@with_json
@with_options(RunOptions, "options", defaults={"model_args": "", "out": Path("runs")})
def run_command(options: RunOptions) -> None:
    """Ask a model the benchmark's questions about a recording set, through lmms-eval."""
    from semiology.harness.run import check_replies, run

    def reported(folder: Path) -> None:
        tell_outcome(results=folder, report=folder / "report")
        merge_texts(folder)
        report([folder], out=folder / "report", data=options.data, split=options.split)

    folder = run(options, then=reported)
    check_replies(folder)


@app.command("demo", epilog=examples("semiology demo --out demo_output"))
@with_json
def demo_command(
    data: Annotated[
        Path | None,
        typer.Option(help="Recording set to use instead of simulated recordings.", exists=True),
    ] = None,
    out: Annotated[Path, typer.Option(help="Folder for recordings, results and report.")] = Path(
        "demo_output"
    ),
    patients: Annotated[int, typer.Option(help="Simulated patients (two recordings each).", min=1)] = 6,
    seed: Annotated[int, typer.Option(help="Seed of the simulation.")] = 2026,
) -> None:
    """Run the whole road on this machine: simulate recordings, ask the embedded model, print the scores."""
    from semiology.harness.demo import demo

    folders = demo(out, data, patients, seed)
    tell_outcome(recordings=data or out / "recordings", results=folders, report=out / "report")


def main() -> None:
    """Run the command; an error that the user can fix is one sentence and exit status 2.

    What it writes is for its owner alone, and nothing leaves this machine.
    """
    os.umask(0o077)
    stay_here()
    end_in_a_sentence(lambda: with_places_checked(get_command(app))(standalone_mode=True))


if __name__ == "__main__":
    main()
