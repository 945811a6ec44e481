"""``semiology sweep``: how much of a model's score is the wording?"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from semiology.optimization.sweep.options import SweepOptions
from semiology.render.help import examples
from semiology.render.options import with_options
from semiology.render.outcome import tell_outcome, with_json

if TYPE_CHECKING:
    from semiology.harness.asking import ProbeResult
    from semiology.reports.strokerehab.reading import RehabResults
    from semiology.reports.summary.sweep import SweepSummary

SWEEP_EPILOG = examples(
    "semiology sweep --model embedded --data my_emu --out sweep --features tonic",
    "semiology sweep --model embedded --data my_emu --out few --prompts s3,minimal",
    "semiology sweep --model embedded --data my_emu --out plan --dry-run --no-probe",
    "semiology sweep --model embedded --data rehab --out s --tasks strokerehab",
)


@with_json
@with_options(
    SweepOptions,
    "options",
    defaults={"model_args": ""},
    without=("prompt_id", "answer_format", "audio_segments", "onset_clips", "limit", "use_cache"),
)
def sweep_command(
    options: SweepOptions,
    probe: Annotated[
        bool,
        typer.Option(
            "--probe/--no-probe", help="Ask about 3 segments first and show how long the rest takes."
        ),
    ] = True,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Plan and probe only; with --no-probe, load no model.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Go on after the probe without asking.")] = False,
) -> None:
    """Ask a model the same segments in many wordings, and show how much of its score is due to the wording.

    The plan is printed first. A sweep that was stopped goes on with the same command and asks nothing twice.
    """
    if options.tasks:
        from semiology.optimization.strokerehab.sweep import plan_study_sweep

        study = plan_study_sweep(options)
        lines, windows = study.lines(), len(study.windows)
    else:
        from semiology.optimization.sweep.plan import plan_lines
        from semiology.optimization.sweep.run import plan_sweep

        plan = plan_sweep(options)
        lines, windows = plan_lines(plan), len(plan.windows)
    typer.echo("\n".join(lines))
    if dry_run and not probe:
        typer.echo("dry run: nothing was asked")
        return

    def after_probe(found: ProbeResult) -> None:
        """Print the estimate, and ask whether to go on where somebody can answer."""
        from semiology.optimization.sweep.run import SweepStopped, estimate_line

        typer.echo(estimate_line(windows, found))
        asks = not yes and sys.stdin.isatty() and sys.stdout.isatty()
        if dry_run or (asks and not typer.confirm("Go on?", default=True)):
            raise SweepStopped

    if options.tasks:
        from semiology.optimization.strokerehab.sweep import run_study_sweep

        results = run_study_sweep(options, study, after_probe, with_probe=probe)
        asked = results is not None and _show_study(results, options)
    else:
        from semiology.optimization.sweep.run import run_sweep

        summary = run_sweep(options, plan, after_probe, with_probe=probe)
        asked = summary is not None and _show_features(summary, options)
    if not asked:
        typer.echo("stopped after the probe; its answers are kept, and the same command goes on")
        return
    from semiology.harness.run import check_replies

    tell_outcome(results=options.out, report=options.out / "report")
    newest = max(options.out.rglob("*_results.json"), key=lambda path: path.stat().st_mtime)
    check_replies(newest.parent)


def _show_features(summary: SweepSummary, options: SweepOptions) -> bool:
    """Write and print the tables of a sweep over features."""
    from semiology.render.table import PIPED_WIDTH, table_console
    from semiology.reports.tables.sweep import print_sweep, write_sweep_files

    written = write_sweep_files(summary, options.out / "report")
    console = table_console(PIPED_WIDTH)
    console.print(f"Written: {', '.join(map(str, written))}", markup=False, highlight=False)
    print_sweep(summary, console)
    return True


def _show_study(results: RehabResults, options: SweepOptions) -> bool:
    """Write all tables of a sweep over a study, and print those on wordings."""
    from semiology.data.protection.ledger import looks_at
    from semiology.data.protection.splits import TEST
    from semiology.render.table import Document, Lines, Table, print_document, table_console
    from semiology.reports.strokerehab.write import write_rehab

    document, written = write_rehab(results, options.out / "report")
    tables = [part for part in document.parts if isinstance(part, Table) and part.stem.endswith("_wordings")]
    subjects = {str(record["subject"]) for run in results.runs for record in run.records}
    looks = looks_at(options.data, TEST, subjects)
    remarks = (*document.remarks, *([looks.sentence] if looks.count else []))
    console = table_console(200)
    parts = tuple(part for table in tables for part in (table, Lines(table.below)))
    print_document(Document(document.title, parts, caveats=document.caveats, remarks=remarks), console)
    console.print(f"Written: {written[0].parent} ({len(written)} files)", markup=False, highlight=False)
    return True
