"""A sheet to annotate in: a row per recording, a column per feature, with lists to choose from and an explanation."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence

from semiology.data.recording_set import Recording
from semiology.data.tables.writing import table_text
from semiology.features import BY_NAME, FEATURES, TIMED_FEATURES, label_of

TEMPLATE_CSV, TEMPLATE_XLSX = "annotation_template.csv", "annotation_template.xlsx"
SHEET, EXPLANATION = "Annotations", "Explanation"
_HOW = (
    "One row per recording, one column per feature: yes, no, or na where it cannot be judged.",
    "Leave a cell empty if you did not look for the feature: empty is not no.",
    "Times are seconds from the start of the video (12.5), or clock times (0:12); they may stay empty.",
    "The columns for times and sides are folded: open them with the [+] above the sheet.",
    "The side is the patient's own: left, right or both.",
    "When done: semiology data import table annotation_template.xlsx .",
)


def headings() -> list[str]:
    """Return the headings of the template."""
    found = ["video_id", "patient_id"]
    for feature in FEATURES:
        found.append(feature)
        if feature in TIMED_FEATURES:
            found += [f"{feature} onset (s)", f"{feature} offset (s)", f"{feature} side"]
    return [*found, "remarks"]


def template_csv(recordings: Sequence[Recording]) -> str:
    """Return the template as CSV text."""
    rows = [{"video_id": item.video_id, "patient_id": item.patient_id} for item in recordings]
    return table_text(headings(), rows)


def template_workbook(recordings: Sequence[Recording], questions: Mapping[str, str]) -> bytes:
    """Return the template as a workbook.

    Args:
        recordings: one row each.
        questions: what is asked about each feature, for the explanation.

    Raises:
        ImportError: openpyxl is not installed.
    """
    from openpyxl import Workbook
    from openpyxl.styles import Alignment, Font, PatternFill
    from openpyxl.utils import get_column_letter
    from openpyxl.worksheet.datavalidation import DataValidation

    book = Workbook()
    sheet = book.active
    sheet.title = SHEET
    names = headings()
    sheet.append(names)
    for item in recordings:
        sheet.append([item.video_id, item.patient_id])
    last = max(len(recordings) + 1, 2)
    answers = DataValidation(type="list", formula1='"yes,no,na"', allow_blank=True)
    sides = DataValidation(type="list", formula1='"left,right,both"', allow_blank=True)
    for rule, words in ((answers, "yes, no or na"), (sides, "left, right or both")):
        rule.showErrorMessage, rule.errorTitle, rule.error = (
            True,
            "Not in the list",
            f"Choose {words}, or leave it empty.",
        )
        sheet.add_data_validation(rule)
    for number, name in enumerate(names, 1):
        column = get_column_letter(number)
        cell = sheet.cell(1, number)
        cell.font, cell.alignment = (
            Font(bold=True),
            Alignment(textRotation=90 if number > 2 else 0, wrapText=True),
        )
        sheet.column_dimensions[column].width = 14 if number <= 2 else 7
        if name in FEATURES:
            answers.add(f"{column}2:{column}{last}")
            colour = {"limb_body": "DDEBF7", "facial": "E2EFDA", "audio": "FFF2CC"}[BY_NAME[name].group]
            cell.fill = PatternFill("solid", fgColor=colour)
        elif name.endswith(" side"):
            sides.add(f"{column}2:{column}{last}")
        if " " in name:
            sheet.column_dimensions.group(column, column, outline_level=1, hidden=True)
    sheet.freeze_panes = "C2"
    sheet.row_dimensions[1].height = 150
    told = book.create_sheet(EXPLANATION)
    for line in _HOW:
        told.append([line])
    told.append([])
    told.append(["column", "name", "seen or heard", "what the models are asked"])
    for feature in FEATURES:
        sense = "heard" if BY_NAME[feature].group == "audio" else "seen"
        told.append([feature, label_of(feature), sense, questions.get(feature, "")])
    for column, width in zip("ABCD", (28, 26, 14, 110), strict=True):
        told.column_dimensions[column].width = width
    content = io.BytesIO()
    book.save(content)
    return content.getvalue()
