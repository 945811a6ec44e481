"""One table in every medium: numbers, reasons and escaping."""

from __future__ import annotations

import csv
import io
import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from semiology.render.latex import ROWS_PER_PAGE, table_latex
from semiology.render.table import (
    Column,
    Document,
    Lines,
    Name,
    Noted,
    Number,
    Row,
    Table,
    csv_of,
    markdown,
    print_document,
    table_content,
    table_csv,
)
from semiology.render.text import escaped_cell, latex_text, neutral, number_text, plain

FEW = "fewer than 10 patients show it"
SCORES = Table(
    "Model A",
    (
        Column("feature"),
        Column("F1 [95 %]"),
        Column("always-yes", rank=1),
        Column("unparsed", ".0%", "{} ({})", rank=2),
    ),
    (
        Row(("tonic", Number(0.52, 0.41, 0.62), 0.333, (3, 0.06))),
        Row(("clonic", Number(0.4, note=FEW), float("nan"), (0, 0.0))),
        Row((Noted("figure4", "rare"), Number(None, note=FEW), -0.1, 0.5), ends=True),
    ),
)
ANY_TEXT = st.text(st.characters(exclude_categories=[]), max_size=30)


def printed(document: Document, width: int) -> str:
    console = Console(width=width, file=io.StringIO(), record=True)
    print_document(document, console)
    return console.export_text()


def one_cell(text: str) -> Table:
    return Table(text, (Column("name"), Column("F1")), (Row((text, 0.5)),))


def test_markdown_shows_numbers_limits_and_reasons() -> None:
    page = markdown(Document("Scores", (SCORES,), ("Careful.",), ("F1: of yes.",), ("a row is lost",)))
    assert "> **Note.** Careful." in page
    assert "| tonic | 0.52 [0.41, 0.62] | 0.33 | 3 (6%) |" in page
    assert "| clonic | 0.40 not estimable (1) | – | 0 (0%) |" in page
    assert "| figure4 (2) | – (1) | -0.10 | 50% |" in page
    assert f"(1) {FEW}  \n(2) rare  " in page
    assert "- F1: of yes." in page
    assert "## Notes\n\n- a row is lost" in page


def test_footnotes_are_numbered_by_first_use_across_tables() -> None:
    page = markdown(Document("Two", (SCORES, Lines(("Then",), level=3), SCORES)))
    assert page.count("not estimable (1)") == 2
    assert page.count(f"(1) {FEW}") == 1
    assert "### Then" in page


def test_csv_and_json_hold_full_values_with_limits_and_notes() -> None:
    rows = list(csv.DictReader(io.StringIO(table_csv(SCORES))))
    assert rows[0]["always-yes"] == "0.333"
    assert rows[0]["F1 [95 %] low"] == "0.41"
    assert rows[1]["F1 [95 %] note"] == FEW
    assert rows[1]["always-yes"] == ""
    content = json.loads(json.dumps(table_content(SCORES), allow_nan=False))
    assert content["rows"][0] == {
        "feature": "tonic",
        "F1 [95 %]": 0.52, "F1 [95 %] low": 0.41, "F1 [95 %] high": 0.62, "F1 [95 %] note": None,
        "always-yes": 0.333, "unparsed": 3, "unparsed 2": 0.06,
    }  # fmt: skip
    assert table_csv(SCORES, printed=True).splitlines()[1:] == [
        "tonic,0.52,0.33,3 (6%)",
        "clonic,0.40,,0 (0%)",
        "figure4,,'-0.10,50%",
    ]


@pytest.mark.parametrize("width", [40, 60, 80, 120, 200])
def test_a_terminal_shows_the_widest_set_of_columns_that_fits(width: int) -> None:
    text = printed(Document("Scores", (SCORES,)), width)
    assert "0.52" in text
    assert "[0.41, 0.62]" in text
    assert ("unparsed" in text) == (
        width >= 60
    )  # intervals on a line of their own where they do not fit beside
    assert ("A wider terminal" in text) == ("unparsed" not in text)
    assert max(map(len, text.splitlines())) <= width


def test_the_best_is_bold_as_printed_ties_together_and_none_where_all_are_equal() -> None:
    columns = (
        Column("Model"),
        Column("P", better="more"),
        Column("MAE", better="less"),
        Column("R", better="more"),
        Column("n"),
    )
    cells = (("a", 0.501, 0.3, None, 1), ("b", 0.499, 0.2, 0.4, 2), ("c", 0.1, 0.25, float("nan"), 3))
    table = Table("", columns, tuple(Row(each) for each in cells))
    assert table.best() == {(0, 1), (1, 1), (1, 2)}
    groups = tuple(Column(name, group=group) for group in ("tonic", "clonic") for name in "abc")
    row = Row(("F1", 0.1, 0.2, None, 0.9, 0.9, 0.1), best=True)
    assert Table("", (Column(""), *groups), (row,)).best() == {(0, 2), (0, 4), (0, 5)}


def test_blocks_stand_below_each_other_in_print_and_side_by_side_in_a_csv() -> None:
    columns = (
        Column("Model"),
        *(Column(name, group=group) for group in ("A & B", "C") for name in ("P", "R")),
    )
    table = Table("Two blocks", columns, (Row(("m", 0.1, 0.2, 0.3, 0.4)),), fold=2, stem="two")
    page = markdown(Document("", (table,)))
    assert (
        "| Model | A & B P | A & B R |\n| --- | ---: | ---: |\n| m | 0.10 | 0.20 |\n\n| Model | C P | C R |"
        in page
    )
    assert table_csv(table, printed=True).splitlines() == [
        "Model,A & B P,A & B R,C P,C R",
        "m,0.10,0.20,0.30,0.40",
    ]
    text = table_latex(table)
    assert text.count(r"\begin{tabular}") == text.count(r"\end{adjustbox}") == 2
    assert text.count(r"\label{tab:two}") == text.count("(continued)") == 1
    assert r"\multicolumn{2}{c}{A \& B}" in text
    assert r"\cmidrule(lr){2-3}" in text


def test_names_are_short_in_latex_with_letters_for_their_notes() -> None:
    names = [
        Name(f"published: m {i}", f"m_{i}", ("published answers",), "half the set" * (i == 1))
        for i in range(2)
    ]
    table = Table("T", (Column("Model"), Column("F1")), tuple(Row((name, -0.25)) for name in names))
    text = table_latex(table)
    assert r"m\_0\textsuperscript{a} & $-$0.25 \\" in text
    assert r"m\_1\textsuperscript{a,b} & " in text
    assert text.count(r"\textsuperscript{a}published answers.") == 1
    assert "| published: m 0 | -0.25 |" in markdown(Document("", (table,)))


def test_more_rows_than_a_page_holds_are_continued_each_once() -> None:
    rows = tuple(Row((f"model {i} end", i / 100)) for i in range(2 * ROWS_PER_PAGE + 1))
    text = table_latex(Table("Long", (Column("Model"), Column("F1", better="more")), rows))
    assert text.count(r"\begin{table}") == 3
    assert all(text.count(f"model {i} end") == 1 for i in range(len(rows)))
    assert text.count(r"\textbf{") == 1


@given(ANY_TEXT)
def test_no_text_breaks_a_markdown_table_or_reaches_it_as_markup(text: str) -> None:
    page = markdown(Document(text, (one_cell(text),), (text,)))
    (line,) = (line for line in page.split("\n") if line.endswith("| 0.50 |"))
    assert len(re.findall(r"(?<!\\)(?:\\\\)*\|", line)) == 3
    assert not re.search(r"(?<!\\)(?:\\\\)*[<>*`]", escaped_cell(text))
    page.encode("utf-8")


@given(ANY_TEXT)
def test_no_control_or_direction_character_is_shown(text: str) -> None:
    for shown in (
        plain(text),
        markdown(Document(text, (one_cell(text),))).replace("\n", ""),
        latex_text(text),
    ):
        assert not re.search(
            r"[\x00-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]", shown
        )


@given(ANY_TEXT)
def test_latex_sees_no_command_in_text(text: str) -> None:
    shown = table_latex(one_cell(text))
    (line,) = (line for line in shown.split("\n") if line.endswith(r" & 0.50 \\"))
    name = line.removesuffix(r" & 0.50 \\")
    assert not re.search(r"(?<!\\)(?:\\\\)*[&%#]", name)
    assert name.count("{") - name.count(r"\{") == name.count("}") - name.count(r"\}")
    bare = re.sub(r"\\(text\w+|ldots|dag)\b|\\[&%$#_{}]|\$[^$]*\$", "", name)
    assert not set(bare) & set("\\&%$#_^~") - {"~"} or "\u00a0" in text


@given(st.one_of(ANY_TEXT, st.sampled_from("=+-@\t\r|%").flatmap(lambda sign: ANY_TEXT.map(sign.__add__))))
def test_a_spreadsheet_runs_no_cell(text: str) -> None:
    row = next(csv.DictReader(io.StringIO(csv_of([{"name": text, "n": 1}]))))
    assert not row["name"].lstrip().startswith(("=", "+", "-", "@", "|", "%"))
    assert neutral(-0.5) == -0.5


@pytest.mark.parametrize(
    ("value", "form", "shown"),
    [
        (0.126, ".2f", "0.13"),
        (None, ".2f", "–"),
        (float("nan"), ".0%", "–"),
        (0.0004, "p", "<0.001"),
        (0.05, "p", "0.050"),
    ],
)
def test_numbers_have_one_format(value: float | None, form: str, shown: str) -> None:
    assert number_text(value, form) == shown
