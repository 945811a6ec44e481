"""``semiology report``: from result folders to the tables."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, cast

import typer

from semiology.data.protection.splits import SPLIT_HELP
from semiology.render.help import examples
from semiology.render.text import json_text
from semiology.reports.options import (
    BertscoreDownload,
    BertscoreEncoder,
    BertscoreLayer,
    JsonTable,
    PolicyOption,
    Resamples,
    Seed,
    chosen_similarity,
)

if TYPE_CHECKING:
    from semiology.metrics.s3.text.bertscore import BertSimilarity
    from semiology.metrics.scores.classification import Policy
    from semiology.render.table import Document, Table
    from semiology.reports.inputs import ReportInputs
    from semiology.reports.protected import ScoredSet
    from semiology.reports.strokerehab.reading import RehabResults
    from semiology.reports.summary.features import Summary
    from semiology.reports.summary.s3 import S3Summary
    from semiology.reports.summary.subgroups import Grouping
    from semiology.reports.summary.sweep import SweepSummary

REPORT_EPILOG = examples(
    "semiology report runs --out report",
    "semiology report runs --data my_emu --videos --out my_emu/report",
    "semiology report --baselines s3 --out published",
    "semiology report runs --baselines s3 embc --out report",
    "semiology report runs --data my_emu --specificity 0.95 --error 0.05 --out r",
    "semiology report runs --data my_emu --by diagnosis --by sex --out report",
    "semiology report runs/plain runs/tuned --base plain --out report",
)


_Runs = Annotated[
    list[Path] | None,
    typer.Argument(help="Folders (any depth) or files that lmms-eval wrote; none with --baselines alone."),
]
_Out = Annotated[
    Path | None, typer.Option(help="Folder for report.html, tables, figures and provenance.json.")
]
_Baselines = Annotated[
    list[str] | None,
    typer.Option(
        help="Published answers to put beside, where they match: s3, embc (both after `semiology "
        "baselines import`), which may follow each other, or a file. May be repeated.",
    ),
]
_Data = Annotated[
    Path | None,
    typer.Option(
        help="Folder of the recording set: draws when features were seen.", exists=True, file_okay=False
    ),
]
_Videos = Annotated[
    bool,
    typer.Option("--videos", help="Link the videos of --data by relative paths, for a page that stays here."),
]
_KeepIds = Annotated[
    bool, typer.Option("--keep-ids", help="Show recordings under your own ids even if these are not opaque.")
]
_Lineage = Annotated[
    list[Path] | None,
    typer.Option(help="Folder or file of a search for wordings, to be shown. May be repeated."),
]
_Only = Annotated[
    Literal["features", "s3"] | None,
    typer.Option(help="Report the features or the S3 tasks alone: reports and justifications take long."),
]
_Split = Annotated[str | None, typer.Option(help=f"{SPLIT_HELP} Needs --data.")]
_Specificity = Annotated[
    float,
    typer.Option(
        help="Specificity to keep where P(yes) was recorded; the sensitivity there is told.",
        min=0.01,
        max=0.999,
    ),
]
_Error = Annotated[
    float,
    typer.Option(
        help="Largest share of wrong answers among those that P(yes) does not refer to a human.",
        min=0.001,
        max=0.5,
    ),
]
_By = Annotated[
    list[str] | None,
    typer.Option(
        help="Scores by subgroup: a column of recordings.csv (diagnosis, sex, camera) or a feature (by its presence). "
        "May be repeated. Needs --data.",
    ),
]
_Base = Annotated[
    str | None,
    typer.Option(
        help="Model (a part of its name) that the others are told against: one measure a task and the mean relative "
        "change, as S3's Table 3.",
    ),
]
_Open = Annotated[bool, typer.Option("--open", help="Open the page in this machine's browser. Needs --out.")]
_TrainedOn = Annotated[
    Path | None,
    typer.Option(help="Manifest of a model's training data: answers about its patients are refused."),
]
_Title = Annotated[str, typer.Option(help="Title of the page.")]


TITLE, REHAB_TITLE = "Seizure semiology report", "Stroke rehabilitation report"
_NO_CONTEXT = cast("typer.Context", None)
"""Typer fills its own in; a call from Python has none."""


def report(
    runs: _Runs = None,
    out: _Out = None,
    as_json: JsonTable = False,
    seed: Seed = 0,
    policy: PolicyOption = "wrong",
    resamples: Resamples = 2000,
    baselines: _Baselines = None,
    data: _Data = None,
    split: _Split = None,
    videos: _Videos = False,
    keep_ids: _KeepIds = False,
    lineage: _Lineage = None,
    only: _Only = None,
    title: _Title = TITLE,
    specificity: _Specificity = 0.9,
    error: _Error = 0.1,
    trained_on: _TrainedOn = None,
    bertscore_encoder: BertscoreEncoder = None,
    bertscore_layer: BertscoreLayer = None,
    allow_download: BertscoreDownload = False,
    by: _By = None,
    base: _Base = None,
    open_page: _Open = False,
    context: typer.Context = _NO_CONTEXT,
) -> None:
    """Score finished runs, features and S3 tasks, per recording and with 95 % intervals by patient."""
    # Imported here so that `semiology --help` stays quick.
    from rich.console import Console

    from semiology.reports.inputs import ReportInputs, report_inputs
    from semiology.reports.protected import scored_set
    from semiology.reports.published.baselines import read_named_baselines
    from semiology.reports.read.lmms_eval_files import find_result_files
    from semiology.reports.strokerehab.reading import read_rehab_results
    from semiology.reports.summary.subgroups import read_groupings
    from semiology.reports.write import PAGE, ReportOptions, write_report

    _refuse_without("--out", out, {"--open": open_page})
    _refuse_without("--data", data, {"--videos": videos, "--split": split, "--by": by})
    paths, names = _paths_and_names(list(runs or []), list(baselines or []))
    published = read_named_baselines(names) if names else None
    rehab = read_rehab_results(paths) if paths and only is None else None
    options = ReportOptions(title, data, videos, keep_ids, tuple(lineage or ()), _command(context))
    if rehab is not None:
        options = replace(options, rehab=_report_rehab(rehab, out, as_json=as_json))
        if not any(run.other_samples for run in find_result_files(paths, [])) and published is None:
            if out is not None:
                title = REHAB_TITLE if title == TITLE else title
                write_report(
                    out, paths, ReportInputs(None, None), None, None, replace(options, title=title, data=None)
                )
            return
    scored = None if data is None else scored_set(data, split)
    groupings = read_groupings(scored, by) if scored is not None and by else ()
    inputs = report_inputs(paths, published, only, scored, trained_on)
    inputs = replace(inputs, choice=replace(inputs.choice, specificity=specificity, error=error))
    similarity = chosen_similarity(bertscore_encoder, bertscore_layer, download=allow_download)
    features, s3 = score_inputs(inputs, policy=policy, resamples=resamples, seed=seed, similarity=similarity)
    subgroups = _subgroups(inputs, scored, groupings, policy, resamples, seed)
    improved = None if base is None else _improvement(inputs, base)
    layouts = () if improved is None else improved[:1]
    options = replace(options, subgroups=subgroups, similarity=similarity, layouts=layouts)
    written: list[Path] = []
    if out is not None:
        with Console(stderr=True).status("Writing the report"):
            written = write_report(out, paths, inputs, features, s3, options)
    sweep = None
    if features and inputs.features:
        from semiology.reports.tables.sweep import parted_sweep, write_sweep_files

        shown, sweep = parted_sweep(
            features, inputs.features, paths, policy=policy, resamples=resamples, seed=seed
        )
        written += write_sweep_files(sweep, out) if sweep and out is not None else []
        features = features if as_json else shown
    documents = (*options.subgroups, *(() if improved is None else improved[1:]))
    _show(features, s3, written, sweep, documents, as_json=as_json)
    if open_page and out is not None:
        typer.launch(str(out / PAGE))


def _refuse_without(needed: str, folder: Path | None, given: Mapping[str, object]) -> None:
    """Refuse options that need another one where it is not given."""
    for option in (name for name, value in given.items() if value and folder is None):
        what = {"--data": "the recording set", "--out": "a folder for the page"}[needed]
        raise typer.BadParameter(f"{option} needs {what}: add {needed} DIR", param_hint=option)


def _subgroups(
    inputs: ReportInputs,
    scored: ScoredSet | None,
    groupings: Sequence[Grouping],
    policy: Policy,
    resamples: int,
    seed: int,
) -> tuple[Document, ...]:
    """Return the tables of subgroups, where any were asked for, and of control video, where the set has some."""
    from semiology.reports.summary.control_video import control_alarms
    from semiology.reports.summary.s3_subgroups import s3_subgroups
    from semiology.reports.summary.subgroups import summarise_subgroups
    from semiology.reports.tables.control_video import control_document
    from semiology.reports.tables.subgroups import s3_subgroup_document, subgroup_document

    documents: list[Document] = []
    if groupings and inputs.features is not None:
        found = summarise_subgroups(inputs.features, groupings, policy=policy, seed=seed)
        documents.append(subgroup_document(found, groupings))
    if groupings and inputs.s3 is not None:
        tasks = s3_subgroups(inputs.s3, groupings, resamples=resamples, seed=seed)
        documents.append(s3_subgroup_document(tasks, groupings))
    if (
        scored is not None
        and inputs.features is not None
        and (alarms := control_alarms(inputs.features, scored))
    ):
        documents.append(control_document(alarms))
    return tuple(documents)


def _improvement(inputs: ReportInputs, base: str) -> tuple[Table, Document]:
    """Return the layout of S3 Table 3, and the document that is printed."""
    from semiology.reports.summary.improvement import improvement_over
    from semiology.reports.tables.paper.feature_layouts import RunNames
    from semiology.reports.tables.paper.improvement_layout import improvement_document, improvement_table

    found = improvement_over(base, inputs.features, inputs.s3)
    records = {
        **(inputs.s3.records_of_runs if inputs.s3 else {}),
        **(inputs.features.records if inputs.features else {}),
    }
    table = improvement_table(found, RunNames(records))
    return table, improvement_document(table, found)


def _report_rehab(rehab: RehabResults, out: Path | None, *, as_json: bool) -> dict[str, Any]:
    """Print, and write where a folder is given, the tables of stroke-rehabilitation runs; return the page's section."""
    from semiology.render.table import print_document, table_console
    from semiology.reports.strokerehab.tables import rehab_document
    from semiology.reports.strokerehab.write import document_content, section_of, write_rehab
    from semiology.settings import REHAB_PARTIAL

    partial = REHAB_PARTIAL.is_on()
    written: list[Path] = []
    if out is None:
        document = rehab_document(rehab, partial=partial)
    else:
        document, written = write_rehab(rehab, out, partial=partial)
    if as_json:
        typer.echo(json_text(document_content(document)))
        return section_of(document, (run.model for run in rehab.runs))
    console = table_console(200)
    print_document(document, console)
    if written:
        told = f"Written: {written[0].parent} ({len(written)} files)"
        console.print(told, markup=False, highlight=False)
    return section_of(document, (run.model for run in rehab.runs))


def _paths_and_names(paths: list[Path], names: list[str]) -> tuple[list[Path], list[str]]:
    """Take names that follow ``--baselines`` without a dash of their own for baselines, not for runs."""
    from semiology.reports.published.baselines import KNOWN

    names = [part for name in names for part in name.split(",") if part]
    followers = [path for path in paths if names and str(path) in KNOWN and not path.exists()]
    return [path for path in paths if path not in followers], [*names, *map(str, followers)]


def _command(context: typer.Context | None) -> tuple[str, ...]:
    """Return the words of the command: its name and the options that were given."""
    if context is None:
        return ("semiology", "report")
    words = ["semiology", context.info_name or "report"]
    for name, value in context.params.items():
        if value in (None, False, [], ()) or _by_default(context, name):
            continue
        values = value if isinstance(value, (list, tuple)) else [value]
        option = (
            []
            if name == "runs"
            else [f"--{name.replace('_', '-').replace('as-json', 'json').replace('open-page', 'open')}"]
        )
        words += [*option, *(str(each) for each in values if each is not True)]
    return tuple(words)


def _by_default(context: typer.Context, name: str) -> bool:
    source = context.get_parameter_source(name)
    return source is not None and source.name == "DEFAULT"


def _show(
    features: Summary | None,
    s3: S3Summary | None,
    written: list[Path],
    sweep: SweepSummary | None,
    documents: Sequence[Document],
    *,
    as_json: bool,
) -> None:
    from semiology.render.table import PIPED_WIDTH, Table, print_document, table_console, table_content
    from semiology.reports.tables.features import content as feature_content
    from semiology.reports.tables.features import print_summary
    from semiology.reports.tables.s3 import print_s3_summary, s3_content
    from semiology.reports.tables.sweep import print_sweep, sweep_content

    if as_json:
        content = feature_content(features) if features else {}
        content |= {"s3": s3_content(s3)} if s3 else {}
        content |= {"sweep": sweep_content(sweep)} if sweep else {}
        for each in documents:
            tables = [table_content(part) for part in each.parts if isinstance(part, Table)]
            notes = [*each.caveats, *each.remarks, *each.notes]
            content[each.title.lower().replace(" ", "_")] = {"tables": tables, "notes": notes}
        typer.echo(json_text(content))
        return
    console = table_console(PIPED_WIDTH if sweep else 200)
    if written:  # the files of the report, those in its folders counted
        top = written[0].parent
        shown = [str(path) for path in written if path.parent == top]
        folders = Counter(path.parent for path in written if path.parent != top)
        shown += [f"{folder} ({count} files)" for folder, count in folders.items()]
        console.print(f"Written: {', '.join(shown)}", markup=False, highlight=False)
    if s3:
        print_s3_summary(s3, console)
    if sweep:
        print_sweep(sweep, console)
    if features and features.runs:
        print_summary(features, console)
    for each in documents:
        print_document(each, console)


def score_inputs(
    inputs: ReportInputs,
    *,
    policy: Policy,
    resamples: int,
    seed: int,
    similarity: BertSimilarity | None = None,
) -> tuple[Summary | None, S3Summary | None]:
    """Return the scores of answers on features and on S3 tasks; None where there are none.

    Raises:
        ValueError: answers contradict each other.
    """
    from semiology.reports.summary.features import summarise
    from semiology.reports.summary.s3 import summarise_s3

    features = s3 = None
    if inputs.features:
        features = summarise(inputs.features, policy=policy, resamples=resamples, seed=seed)
    if inputs.s3:
        s3 = summarise_s3(inputs.s3, resamples=resamples, seed=seed, similarity=similarity)
        if features:
            # Said once where both are shown.
            s3 = replace(
                s3,
                caveats=tuple(text for text in s3.caveats if text not in features.caveats),
                notes=tuple(text for text in s3.notes if text not in features.notes),
            )
    return features, s3
