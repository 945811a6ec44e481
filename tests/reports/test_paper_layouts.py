"""Layouts of published tables where models answered different recordings: what stands beside the figures."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from semiology.render.table import Name, Table
from semiology.reports.inputs import ReportInputs, report_inputs
from semiology.reports.published.answers import COLUMNS, embc_answers
from semiology.reports.published.baselines import features_alone
from semiology.reports.summary.features import summarise
from semiology.reports.summary.s3 import summarise_s3
from semiology.reports.tables.paper.feature_layouts import (
    ALWAYS_YES,
    EMBC_SCORES,
    PARTIAL,
    WHOLE,
    RunNames,
    embc_tables,
    feature_tables,
)
from semiology.reports.tables.paper.s3_layouts import OTHER_NOTE, WITHOUT_SKILL, s3_tables

FEW, ALL = "a few", "b all"
VERBAL = "verbal_responsiveness"


def inputs() -> ReportInputs:
    """Twelve patients, a third with each answer to verbal responsiveness.

    One model was asked about the first three, who all show tonic and are ES (of the twelve, four), the other
    about all, but about clonic in two.
    """
    rows: list[dict[str, Any]] = []
    for patient in range(12):
        place = {"video_id": f"P{patient:03d}_V0", "patient_id": f"P{patient:03d}"}
        truths = {
            "tonic": "yes" if patient < 4 else "no",
            "clonic": "yes" if patient % 2 else "no",
            VERBAL: ("yes", "no", "na")[patient % 3],
        }
        told = {"task": "s3_diagnosis", "feature": "diagnosis", "truth": "ES" if patient < 4 else "NES"}
        report = {
            "task": "s3_report",
            "feature": "report",
            "truth": f"Report {patient}: tonic arms, then sleep.",
        }
        for model in (FEW, ALL):
            if model == FEW and patient > 2:
                continue
            own = {**place, "model": model}
            for feature, truth in truths.items():
                if model == ALL and feature == "clonic" and patient > 1:
                    continue
                rows.append({**own, "task": "feature", "feature": feature, "answer": truth, "truth": truth})
            rows.append({**own, **told, "answer": "NES"})
            rows.append({**own, **report, "answer": report["truth"] if model == ALL else "Nothing."})
    frame = pd.DataFrame(rows).assign(enhancement="none", prompt_id="s3")
    return report_inputs([], frame[list(COLUMNS)])


@pytest.fixture(scope="module")
def tables() -> dict[str, Table]:
    read = inputs()
    assert read.features is not None
    assert read.s3 is not None
    features, s3 = summarise(read.features, resamples=100), summarise_s3(read.s3, resamples=100)
    name = RunNames({})
    found = [
        *feature_tables(features, WHOLE, name),
        *embc_tables(features, name),
        *s3_tables(s3, WHOLE, name),
    ]
    return {table.stem: table for table in found}


def row_of(table: Table, name: str) -> dict[tuple[str, str], float]:
    """The numbers of a row by group and name of their columns."""
    (row,) = (row for row in table.rows if row.cells[0] == name)
    return {
        (column.group, str(column.name)): cell
        for column, cell in zip(table.columns[1:], row.cells[1:], strict=True)
        if isinstance(cell, float)
    }


def test_always_yes_is_that_of_the_most_recordings(tables: dict[str, Table]) -> None:
    row = row_of(tables["s3_table_13_recognition"], ALWAYS_YES)
    assert [row["tonic", key] for key in ("P", "R", "F1", "A")] == pytest.approx([1 / 3, 1, 0.5, 1 / 3])
    assert [row["clonic", key] for key in ("P", "R", "F1", "A")] == pytest.approx([1 / 3, 1, 0.5, 1 / 3])


def test_always_yes_of_three_classes_is_a_mean_over_them(tables: dict[str, Table]) -> None:
    row = row_of(tables["s3_table_13_recognition"], ALWAYS_YES)
    # A third of the recordings each: precision 1/3 of one class in three, recall of one class in three.
    assert [row["verbal responsiveness", key] for key in ("P", "R", "F1", "A")] == pytest.approx(
        [1 / 9, 1 / 3, 1 / 6, 1 / 3]
    )


def test_who_answered_less_says_so_for_the_whole_and_for_one_feature(tables: dict[str, Table]) -> None:
    table = tables["s3_table_13_recognition"]
    assert {
        row.cells[0].text: row.cells[0].remark for row in table.rows if isinstance(row.cells[0], Name)
    } == {
        f"published: {FEW}": "as few as 3 recordings of a feature, others up to 12",
        f"published: {ALL}": "as few as 2 recordings of a feature, others up to 3",
    }
    assert PARTIAL in table.below


def test_the_layout_of_embc_tells_what_always_yes_scores(tables: dict[str, Table]) -> None:
    assert "F1 of always yes: tonic 0.500, clonic 0.500." in tables["embc_table_iii_limb_body"].below


def test_without_skill_is_one_answer_to_the_most_recordings(tables: dict[str, Table]) -> None:
    table = tables["s3_table_02_overview_all_recordings"]
    row = row_of(table, WITHOUT_SKILL)
    shown = [row[score, "w/o rpt"] for score in ("Precision", "Recall", "F1", "Accuracy")]
    assert shown == pytest.approx([1 / 3, 1, 0.5, 2 / 3])
    assert PARTIAL in table.below


def test_without_skill_of_reports_is_the_highest_of_the_models(tables: dict[str, Table]) -> None:
    table = tables["s3_table_18_task_6"]
    assert row_of(table, WITHOUT_SKILL)["", "ROUGE-L"] > 0.5  # who writes nothing has 0
    assert OTHER_NOTE in table.below
    assert OTHER_NOTE not in tables["s3_table_02_overview_all_recordings"].below


def test_verbal_responsiveness_by_the_published_rule_stands_below_embc_table_iv() -> None:
    folder = Path(__file__).parents[3] / "shared" / "embc_published"
    if not folder.exists():
        pytest.skip("the published EMBC answers are not at hand")
    read = features_alone(embc_answers(folder))
    assert read is not None
    found = embc_tables(summarise(read, resamples=100), RunNames({}))
    (audio,) = [table for table in found if table.stem == "embc_table_iv_audio"]
    (told,) = [text for text in audio.below if "by the published rule" in text]
    printed = pd.read_csv(folder / "published_tables.csv")
    rows = printed[(printed["table"] == "IV") & (printed["feature"] == VERBAL)]
    for _, own in rows.groupby("enhancement"):
        values = own.set_index("metric")["value"]
        figures = (f"{title} {values[score]:.3f}" for title, score in EMBC_SCORES.items())
        assert ", ".join(figures) in told
