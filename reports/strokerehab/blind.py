"""What answers without vision score on a study's labels and item scores: no film and no model is needed."""

from __future__ import annotations

from pathlib import Path

from semiology.data.strokerehab.labels import read_labels
from semiology.data.strokerehab.study import Study, read_study
from semiology.metrics.strokerehab.baselines import LabelledVideo
from semiology.metrics.strokerehab.fugl_meyer import impairment_scores
from semiology.render.table import Column, Document, Row, Table
from semiology.render.text import counted
from semiology.reports.read.run_facts import SIMULATED_CAVEAT
from semiology.reports.strokerehab.blind_rows import BELOW_BLIND, blind_items, blind_rows
from semiology.reports.strokerehab.tables import ITEM_MEASURES, REMARKS
from semiology.strokerehab import ITEMS


def blind_document(directory: Path) -> Document:
    """Return the tables of a study: primitives of its labelled videos, and Fugl-Meyer items of its rated subjects.

    Of every subject and activity the first labelled video counts, as in the tasks; the split ``tune`` is left out.

    Raises:
        FileNotFoundError: there is no such folder.
        ValueError: it holds neither labels nor scores of a test subject.
    """
    study = read_study(directory)
    tables: list[Table] = []
    videos = labelled_videos(study)
    if videos:
        names = ("ES", "AER", "RCE", "RCE without idle", "within 25 %")
        forms = (".1f", ".2f", ".2f", ".2f", ".0%")
        columns = (Column("answer"), *(Column(name, form) for name, form in zip(names, forms, strict=True)))
        rows = tuple(Row((name, *cells[:5]), baseline=True) for name, cells in blind_rows(videos))
        subjects = counted(len({video.subject for video in videos}), "subject")
        title = f"Primitives, {counted(len(videos), 'video')} of {subjects}"
        tables.append(Table(title, columns, rows, below=BELOW_BLIND, stem="primitives"))
    truth = {
        name: {item: score for item, score in study.truth(name).items() if item in ITEMS}
        for name, subject in study.subjects.items()
        if subject.split == "test"
    }
    truth = {name: rated for name, rated in truth.items() if rated}
    if truth:
        columns = (Column("answer"), *(Column(name, ".3f") for name in ITEM_MEASURES))
        scored = {name: impairment_scores(answers, truth) for name, answers in blind_items(truth).items()}
        rows = tuple(
            Row((name, *(float(getattr(each, measure)) for measure in ITEM_MEASURES)), baseline=True)
            for name, each in scored.items()
        )
        tables.append(
            Table(f"Fugl-Meyer items, {counted(len(truth), 'subject')}", columns, rows, stem="items")
        )
    if not tables:
        raise ValueError(
            f"{directory}: holds neither labels nor item scores of a test subject → `semiology data check` tells what "
            "is there"
        )
    return Document(
        "Answers without vision",
        tuple(tables),
        caveats=(SIMULATED_CAVEAT,) if study.drawn else (),
        remarks=REMARKS,
        notes=tuple(map(str, study.problems)),
    )


def labelled_videos(study: Study) -> list[LabelledVideo]:
    """Return the first labelled video of every test subject and activity; faults become problems of the study."""
    found: dict[tuple[str, str], LabelledVideo] = {}
    for video in sorted(study.videos.values(), key=lambda video: video.id):
        key = (video.subject, video.activity_raw)
        if video.labels is None or key in found or study.split_of(video.subject) != "test":
            continue
        labels = read_labels(video.labels, str(video.labels.relative_to(study.root)))
        study.problems += labels.problems
        if labels.runs:
            found[key] = LabelledVideo(video.id, video.subject, video.activity, labels.runs)
    return list(found.values())
