"""``semiology train``."""

from __future__ import annotations

import typer

from semiology.optimization.supervised.options import TrainOptions
from semiology.render.help import examples
from semiology.render.options import with_options
from semiology.render.outcome import tell_outcome, with_json

TRAIN_EPILOG = examples(
    "semiology train --data my_emu --out r3d --features tonic,clonic --folds 3",
    "semiology train --data my_emu --out vivit --model vivit --weights vivit_folder",
    "semiology train --data my_emu --out published --profile published",
    "semiology train --data my_emu --out control --shuffle-labels",
)
RESULTS = "results"


@with_json
@with_options(TrainOptions, "options")
def train_command(options: TrainOptions) -> None:
    """Train video classifiers fold by fold, and let them answer like any model for the patients they never saw.

    Patients of the splits test and confirm are never trained on. A training that was stopped goes on with the same
    command. `semiology run --model semiology_supervised --model-args pretrained=OUT` asks the networks again, also
    about other patients.
    """
    from rich.console import Console

    from semiology.data.cache import write_texts
    from semiology.data.protection.splits import DEVELOP
    from semiology.harness.options import RunOptions
    from semiology.harness.run import check_replies, run
    from semiology.optimization.supervised.scores import pooled_answers, score_document
    from semiology.optimization.supervised.train import train
    from semiology.render.table import Table, markdown, print_document, table_console, table_csv
    from semiology.render.text import counted

    console = Console(stderr=True)

    def tell(sentence: str) -> None:
        console.print(f"- {sentence}", markup=False, highlight=False, soft_wrap=True)

    training, _, predicted = train(options, tell)
    shown = score_document(training, pooled_answers(training, predicted))
    table = next(part for part in shown.parts if isinstance(part, Table))
    write_texts({"scores.csv": table_csv(table), "scores.md": markdown(shown)}, options.out)
    folder = run(
        RunOptions(
            model="semiology_supervised",
            model_args=f"pretrained={options.out},device={options.device}",
            data=options.data,
            out=options.out / RESULTS,
            tasks=",".join(f"semiology_{name}" for name in training.features),
            window=options.window or "standard",
            split=DEVELOP,
        )
    )
    print_document(shown, table_console())
    without = counted(predicted["video_id"].nunique(), "recording")
    typer.echo(
        f"{without} answered for by networks that never saw the patient; result files in {folder}: read them with "
        f"`semiology report {folder}`, or `semiology compare {folder} OTHER`"
    )
    tell_outcome(
        networks=options.out,
        results=folder,
        scores=options.out / "scores.csv",
        recordings=int(predicted["video_id"].nunique()),
    )
    check_replies(folder)
