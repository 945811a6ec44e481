"""``semiology report``: from result folders to the tables."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

if TYPE_CHECKING:
    from semiology.metrics.classification import Policy
    from semiology.reports.s3_summary import S3Summary
    from semiology.reports.summary import Summary

REPORT_EPILOG = (
    "Examples:  [cyan]semiology report runs --out report[/cyan]   "
    "[cyan]semiology report runs --baselines s3_answers.csv --json[/cyan]"
)


def report(
    runs: Annotated[list[Path], typer.Argument(help="Folders (any depth) or files that lmms-eval wrote.")],
    out: Annotated[
        Path | None,
        typer.Option(help="Folder for summary.csv, .md and .json, and s3_summary.* of the S3 tasks."),
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print the table as JSON instead of for people.")
    ] = False,
    seed: Annotated[int, typer.Option(help="Seed of the patient bootstrap.")] = 0,
    policy: Annotated[
        Literal["wrong", "drop"],
        typer.Option(help="What a recording without a yes or no answer counts as."),
    ] = "wrong",
    resamples: Annotated[int, typer.Option(help="Patient resamples per interval.", min=100)] = 2000,
    baselines: Annotated[
        Path | None,
        typer.Option(
            help="Published answers (`semiology baselines import`) to put beside, where they match."
        ),
    ] = None,
) -> None:
    """Score finished runs, features and S3 tasks, per recording and with 95 % intervals by patient."""
    # Imported here so that `semiology --help` stays quick.
    from rich.console import Console

    from semiology.reports.s3_tables import print_s3_summary, s3_content, write_s3_files
    from semiology.reports.tables import json_text, print_summary, write_files

    features, s3 = summaries(runs, baselines, policy=policy, resamples=resamples, seed=seed)
    written: list[Path] = []
    if out is not None:
        written += write_files(features, out) if features else []
        written += write_s3_files(s3, out) if s3 else []
    if as_json:
        content = json.loads(json_text(features)) if features else {}
        content |= {"s3": s3_content(s3)} if s3 else {}
        typer.echo(json.dumps(content, indent=2, ensure_ascii=False, allow_nan=False))
        return
    console = Console()
    if not console.is_terminal:
        console = Console(width=200)
    if written:
        console.print(f"Written: {', '.join(str(path) for path in written)}", markup=False, highlight=False)
    if s3:
        print_s3_summary(s3, console)
    if features:
        print_summary(features, console)


def summaries(
    runs: list[Path], baselines: Path | None, *, policy: Policy, resamples: int, seed: int
) -> tuple[Summary | None, S3Summary | None]:
    """Return the summaries of the feature tasks and of the S3 tasks; None where the runs hold none.

    Raises:
        ResultsError: there is nothing to report.
        ValueError: answers contradict each other, or the file of baselines has faults.
    """
    from semiology.reports.baselines import beside_features, beside_s3, read_baselines
    from semiology.reports.lmms_eval_files import NoAnswersError
    from semiology.reports.results import read_results
    from semiology.reports.s3_results import read_s3_results
    from semiology.reports.s3_summary import summarise_s3
    from semiology.reports.summary import summarise

    unusable: NoAnswersError | None = None
    try:
        s3_results = read_s3_results(runs)
    except NoAnswersError as error:
        s3_results, unusable = None, error
    try:
        results = read_results(runs)
    except NoAnswersError as error:
        if s3_results is None:
            raise (unusable or error) from None
        results = None
    if results and unusable:
        results = replace(results, notes=(*results.notes, str(unusable)))
    published = read_baselines(baselines) if baselines is not None else None
    if published is not None:
        results = beside_features(results, published) if results else None
        s3_results = beside_s3(s3_results, published) if s3_results else None
    features = s3 = None
    if results:
        features = summarise(results, policy=policy, resamples=resamples, seed=seed)
    if s3_results:
        s3 = summarise_s3(s3_results, resamples=resamples, seed=seed)
        if features:
            # Said once where both are shown.
            s3 = replace(
                s3,
                caveats=tuple(text for text in s3.caveats if text not in features.caveats),
                notes=tuple(text for text in s3.notes if text not in features.notes),
            )
    return features, s3
