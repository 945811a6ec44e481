"""Small tables with one odd cell each, read as the commands read them: what was read, or what was told."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from semiology.data.deidentify.known_fields import transcript_text
from semiology.data.importers.repository import S3, import_repository
from semiology.data.problems import RecordingSetError
from semiology.data.strokerehab.check import check_study
from semiology.data.strokerehab.study import read_study
from semiology.data.strokerehab.wide_scores import convert_wide_scores
from semiology.data.tables.laterality import laterality_warnings, read_laterality
from semiology.data.tables.reading import read_folder, read_recording_set
from semiology.data.transcript_file import read_transcript
from semiology.reports.agreement.annotators import annotator_agreement, doubtful_patients
from semiology.reports.agreement.experts import rated_reports
from semiology.reports.dataset.demographics import demographics
from semiology.reports.power.plan import read_truth
from semiology.reports.protected import scored_set
from semiology.reports.published.baselines import read_baselines
from semiology.reports.review.ratings import read_review
from semiology.reports.review.sheet import Case, Sample, write_review
from semiology.reports.summary.subgroups import read_groupings

Outcome = tuple[Any, str]
"""What was read (None where nothing was), and all that was told."""
Reader = Callable[[Path, str], Outcome]
ITEMS = ("r000000000001", "r000000000002", "r000000000003")


def written(path: Path, text: str | bytes) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def told(problems: Any) -> str:
    return "\n".join(map(str, problems))


def recording_set(folder: Path, recordings: str = "", annotations: str = "") -> Path:
    written(folder / "dataset.yaml", "name: x\nversion: '1'\n")
    written(folder / "recordings.csv", recordings or "video_id,patient_id,video\nV1,P1,a.mp4\nV2,P2,b.mp4\n")
    written(
        folder / "annotations.csv", annotations or "video_id,feature,present\nV1,tonic,yes\nV2,tonic,no\n"
    )
    return folder


def laterality(folder: Path, text: str | bytes) -> Outcome:
    """Read ``laterality.csv`` of a set with the recordings V1 and V2; the first recording's sides."""
    recording_set(folder)
    written(folder / "laterality.csv", text)
    try:
        found = read_laterality(read_recording_set(folder, require_media=False))["V1"]
    except RecordingSetError as error:
        return None, str(error)
    turn = found.head_turning
    warnings = told(laterality_warnings(folder, {"V1", "V2"}))
    return (turn.side, turn.start_s, turn.end_s) if turn else found.onset_region, warnings


def recordings(folder: Path, text: str) -> Outcome:
    """Read ``recordings.csv``; the folds."""
    reading = read_folder(recording_set(folder, text), require_media=False)
    return [each.fold for _, each in reading.recordings], told((*reading.problems, *reading.warnings))


def subjects(folder: Path, text: str) -> Outcome:
    """Read ``subjects.csv`` of a study."""
    written(folder / "subjects.csv", text)
    report = check_study(folder, media=False)
    found = read_study(folder).subjects
    rows = [(s.name, s.control, s.side_affected, s.severity, s.split) for s in found.values()]
    return rows or None, told((*report.problems, *report.warnings))


def scores(folder: Path, text: str) -> Outcome:
    """Read ``fm_scores.csv`` of a study with one subject."""
    written(folder / "subjects.csv", "subject,group,side_affected,side_scored\nS00027,S,L,L\n")
    written(folder / "fm_scores.csv", text)
    report = check_study(folder, media=False)
    return dict(read_study(folder).scores), told((*report.problems, *report.warnings))


def wide_scores(folder: Path, text: str) -> Outcome:
    """Convert a wide table of scores; the lines written."""
    _, problems = convert_wide_scores(written(folder / "wide.csv", text), folder)
    made = folder / "fm_scores.csv"
    return made.read_text().split()[1:] if made.exists() else None, told(problems)


def best_views(folder: Path, text: str) -> Outcome:
    """Read ``best_views.csv`` of a study with one label file."""
    written(folder / "labels/S00027/S00027_feeding1_2.csv", "Time_s,MarkerNames\n0,r_reach\n0.1,r_reach\n")
    written(folder / "subjects.csv", "subject,group\nS00027,S\n")
    written(folder / "best_views.csv", text)
    report = check_study(folder, media=False)
    views = read_study(folder).best_views or ()
    return sorted(set(views) & set(read_study(folder).videos)), told((*report.problems, *report.warnings))


def labels(folder: Path, text: str | bytes) -> Outcome:
    """Read the label file of a study's only video; its runs."""
    written(folder / "labels/S00027/S00027_feeding1_2.csv", text)
    written(folder / "subjects.csv", "subject,group\nS00027,S\n")
    report = check_study(folder, media=False)
    from semiology.data.strokerehab.labels import read_labels

    runs = read_labels(folder / "labels/S00027/S00027_feeding1_2.csv").runs
    return [tuple(run) for run in runs] or None, told((*report.problems, *report.warnings))


def review(folder: Path, content: str | bytes | Mapping[str, Any]) -> Outcome:
    """Import a filled-in sheet of a review with three items, CSV or the cells of a workbook; ratings by rater."""
    cases = tuple(
        Case(
            item,
            "tonic",
            "q",
            "V1",
            0.0,
            1.0,
            "yes",
            "said",
            "true positive",
            "m",
            "none",
            "s3",
            f"P{item[-1]}",
        )
        for item in ITEMS
    )
    write_review(Sample(cases, (), 0), folder / "review")
    sheet = folder / "anna.csv"
    if isinstance(content, Mapping):
        sheet = workbook(folder / "anna.xlsx", content)
    else:
        written(sheet, content)
    try:
        found = read_review(folder / "review", [sheet])
    except ValueError as error:
        return None, str(error)
    return {rater: list(given.values()) for rater, given in found.ratings.items()}, ""


def workbook(path: Path, cells: Mapping[str, Any]) -> Path:
    """Write a workbook: places and what they hold; ``merge`` names an area."""
    from openpyxl import Workbook

    book = Workbook()
    sheet = book.active
    assert sheet is not None
    for row, item in enumerate(("item", *ITEMS), 1):
        sheet.cell(row, 1).value = item
    sheet["B1"] = "rating"
    for place, value in cells.items():
        if place != "merge":
            sheet[place] = value
    if "merge" in cells:
        sheet.merge_cells(cells["merge"])
    book.save(path)
    return path


def annotators(folder: Path, texts: tuple[str, str]) -> Outcome:
    """Compare two annotators; kappa of all items and how many there are."""
    paths = [
        written(folder / f"{name}.csv", text) for name, text in zip(("first", "second"), texts, strict=True)
    ]
    try:
        found = annotator_agreement(paths, resamples=100)
    except ValueError as error:
        return None, str(error)
    last = list(found.features)[-1]
    said = told(found.notes)
    return (round(found.features[last]["raw_agreement"].value, 3), found.items[last]), said


def experts(folder: Path, text: str) -> Outcome:
    """Read ratings of reports; metrics and the first report's rating."""
    try:
        table, metrics, notes = rated_reports(written(folder / "ratings.csv", text))
    except ValueError as error:
        return None, str(error)
    return (metrics, list(table["expert"])), told(notes)


def power(folder: Path, tables: tuple[str, str]) -> Outcome:
    """Read the truths of a set that a study is planned on."""
    try:
        truth, _ = read_truth(str(recording_set(folder, *tables)))
    except ValueError as error:
        return None, str(error)
    notes = doubtful_patients(truth["patient_id"])
    columns = ["video_id", "patient_id", "feature", "truth"]
    return sorted(truth[columns].itertuples(index=False, name=None)), told(notes)


def compared(folder: Path, text: str | bytes) -> Outcome:
    """Read a table of published answers, as a side of `compare`."""
    try:
        frame = read_baselines(written(folder / "answers.csv", text))
    except (ValueError, OSError) as error:
        return None, str(error)
    return frame[["video_id", "feature", "answer", "truth"]].to_numpy().tolist(), ""


def described(folder: Path, cells: list[str]) -> Outcome:
    """Describe the patients of a set by one further column; its values by patient."""
    rows = "".join(
        f'V{i},P{i},{i}.mp4,{"ES" if i % 2 else "NES"},"{cell}"\n' for i, cell in enumerate(cells, 1)
    )
    folder = recording_set(
        folder, f"video_id,patient_id,video,diagnosis,age\n{rows}", "video_id,feature,present\nV1,tonic,yes\n"
    )
    found = demographics(folder)
    return (dict(found.traits[0].values) if found.traits else None), told(found.notes)


def grouped(folder: Path, cells: list[str]) -> Outcome:
    """Read subgroups by one further column; the group of each recording."""
    rows = "".join(f'V{i},P{i},{i}.mp4,"{cell}"\n' for i, cell in enumerate(cells, 1))
    folder = recording_set(
        folder, f"video_id,patient_id,video,sex\n{rows}", "video_id,feature,present\nV1,tonic,yes\n"
    )
    (found,) = read_groupings(scored_set(folder, None), ["sex"])
    return dict(found.values), found.refused or ""


def transcript(folder: Path, text: str | bytes) -> Outcome:
    """Read a transcript's table; its utterances."""
    try:
        found = read_transcript(written(folder / "t.csv", text))
    except ValueError as error:
        return None, str(error)
    return [(each.start_s, each.end_s, each.text) for each in found], ""


def shared_transcript(folder: Path, text: str | bytes) -> Outcome:
    """De-identify a transcript's table; its lines."""
    try:
        return transcript_text(written(folder / "t.csv", text), lambda each: each).splitlines()[1:], ""
    except ValueError as error:
        return None, str(error)


def published(folder: Path, cell: str) -> Outcome:
    """Import a published wide table with an onset; the onset."""
    head = "file_name,tonic,start_time_for_tonic,clonic,head_turning"
    written(folder / "task12_annotation.csv", f'{head}\np1_V1.mp4,yes,"{cell}",no,no\n')
    found = import_repository(S3, folder)
    (onset,) = [each.onset_s for each in found.annotations if each.feature == "tonic"]
    return onset, told((*found.unused, *found.doubts, *found.notes))
