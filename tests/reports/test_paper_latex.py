"""Tables for print: what stands in the LaTeX, and that a LaTeX sets it within the margins."""

from __future__ import annotations

import re
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from semiology.reports.inputs import report_inputs
from semiology.reports.published.answers import s3_answers
from semiology.reports.summary.features import summarise
from semiology.reports.summary.s3_summary import summarise_s3
from semiology.reports.tables.page_tables import published_layouts
from semiology.reports.tables.paper.best_cells import best_of_columns, best_of_groups
from semiology.reports.tables.paper.latex import PAGE_HEIGHT, PAGE_WIDTH, latex, paper_latex
from semiology.reports.tables.paper.table import Block, PaperTable, PrintedName, paper_csv, paper_markdown

S3 = Path(__file__).parents[3] / "shared" / "s3_published"

DOCUMENT = r"""\documentclass[10pt,twocolumn]{article}
\usepackage[T1]{fontenc}
\usepackage{booktabs}
\usepackage{graphicx}
\setlength{\textwidth}{%gpt}\setlength{\textheight}{650pt}\setlength{\topmargin}{-40pt}\setlength{\oddsidemargin}{0pt}
\begin{document}
%s
\end{document}
"""
PDFLATEX = shutil.which("pdflatex")
NASTY = '[x] a_b & 50 % of #1 ~ ^ \\ {y} $z$ <i> "q" | *'
SIGNS = ("occur during sleep", "arms move simultaneously", "verbal responsiveness", "figure 4")


def wide(runs: int, signs: int, label: str = "Qwen2.5-VL-72B-Instruct") -> PaperTable:
    """A table in the layout of EMBC Table III: runs beside each other within each feature."""
    names = [f"published: {label} {i}" for i in range(runs)]
    columns = tuple((SIGNS[at % 4], name) for at in range(signs) for name in names)
    rows = tuple(tuple(f"0.{(i * 37 + at * 11) % 1000:03d}" for i in range(len(columns))) for at in range(4))
    printed = {name: PrintedName(name.removeprefix("published: "), ("published",)) for name in names}
    return PaperTable("wide", "Wide.", "", ("A", "P", "R", "F1"), (Block(columns, rows),), printed)


def tall(runs: int, blocks: int) -> PaperTable:
    """A table in the layout of S3 Table 13: runs under each other, features in blocks."""
    columns = tuple((sign, score) for sign in SIGNS for score in ("P", "R", "F1", "A"))
    names = tuple(f"InternVL3_5-38B {i}" for i in range(runs))
    rows = tuple(("0.50",) * len(columns) for _ in names)
    printed = {name: PrintedName(name) for name in names}
    return PaperTable("tall", "Tall.", "Model", names, (Block(columns, rows),) * blocks, printed)


def overview(runs: int) -> PaperTable:
    """A table in the layout of S3 Table 2: headings wider than their figures."""
    kinds = ("w/o rpt", "w/ rpt", "2-stages")
    scores = ("Precision", "Recall", "F1", "Accuracy")
    columns = (("Task 6", "RQI"), *((score, kind) for score in scores for kind in kinds))
    names = (*(f"Qwen2.5-Omni-7B {i}" for i in range(runs)), "without skill")
    rows = tuple(("38.43", *("0.75",) * 12) for _ in names)
    printed = {name: PrintedName(name, ("a", "b")) for name in names[:-1]}
    return PaperTable(
        "two", "Two.", "Model", names, (Block(columns, rows),), printed, frozenset(["without skill"])
    )


def strange() -> PaperTable:
    """A table with everything that LaTeX takes for a command, and letters of other scripts."""
    names = (NASTY, "* starred", "מודל", "模型", "Ångström–ő · Δ ≥ ± 3³", "ordinary")
    rows = tuple((cell, "--") for cell in ("0.1", "<0.001", "0.2 [0.1, 0.3]", "1e−3", "×2", "0.9"))
    block = Block((("A & B", NASTY), ("A & B", "F1")), rows, frozenset([(5, 0)]))
    printed = {NASTY: PrintedName("[short", ("note_1", "note & 2"))}
    return PaperTable("s_1", f"Caption {NASTY}", "Mod_el", names, (block,), printed, notes=("100 % sure.",))


def cells_per_line(text: str) -> list[tuple[int, int]]:
    """Return columns declared and cells found, for each line of each tabular."""
    found = []
    for part in re.findall(r"\\begin\{tabular\}(.*?)\\end\{tabular\}", text, flags=re.DOTALL):
        declared = re.match(r"\{@\{\}(?:l|p\{\d+pt\})(r+)@\{\}\}", part)
        assert declared, part[:60]
        for line in part.splitlines():
            if line.endswith(r" \\"):
                spans = sum(int(n) - 1 for n in re.findall(r"\\multicolumn\{(\d+)\}", line))
                found.append((len(declared[1]) + 1, len(re.findall(r"(?<!\\)&", line)) + 1 + spans))
    return found


@pytest.mark.parametrize("table", [wide(6, 3), wide(14, 3), wide(60, 1), tall(7, 5), tall(30, 5), strange()])
def test_every_line_has_as_many_cells_as_columns(table: PaperTable) -> None:
    counts = cells_per_line(paper_latex(table))
    assert counts
    assert all(declared == found for declared, found in counts), counts


def test_names_turn_only_where_they_would_not_fit() -> None:
    assert "rotatebox" not in paper_latex(wide(2, 2))
    turned = paper_latex(wide(6, 3))
    assert turned.count(r"\rotatebox{90}") == 18
    assert r"\usepackage{graphicx}" in turned.splitlines()[0]
    assert r"\usepackage{graphicx}" not in paper_latex(wide(2, 2)).splitlines()[0]


def test_a_narrow_table_takes_one_column_and_a_tall_one_is_continued() -> None:
    assert r"\begin{table}[" in paper_latex(wide(1, 2, "m"))
    assert r"\begin{table*}[" in paper_latex(tall(7, 5))
    long = paper_latex(tall(30, 5))
    pages = long.count(r"\begin{table*}")
    assert pages > 1
    assert long.count(r"\addtocounter{table}{-1}") == long.count("(continued)") == pages - 1
    assert long.count(r"\label{") == 1


def test_more_rows_than_a_page_holds_are_continued_each_once_and_with_its_bold() -> None:
    table = tall(88, 2)
    best = tuple(replace(block, best=frozenset([(87, 0)])) for block in table.blocks)
    text = paper_latex(replace(table, blocks=best))
    for i in range(88):
        assert text.count(f"InternVL3\\_5-38B {i} &") == 2
    assert text.count(r"\textbf{") == 2
    assert text.count(r"InternVL3\_5-38B 87 & \textbf{0.50}") == 2
    for page in text.split(r"\end{table*}")[:-1]:
        assert page.count(r" \\") * 7 * 1.25 <= PAGE_HEIGHT


def test_nothing_of_a_name_is_a_command_or_an_option() -> None:
    text = paper_latex(strange())
    body = text.split(r"\toprule")[1]
    assert not re.search(r"(?<!\\)[%#]", body)
    assert not any(line.startswith(("[", "*")) for line in body.splitlines())
    assert latex("a_b & <c>") == r"a\_b \& \textless{}c\textgreater{}"
    assert latex("ő") == "o"
    assert latex("ם") == r"\texttt{U+05DD}"
    assert latex("é") == "é"
    assert latex("ð") == r"\texttt{U+00F0}"
    assert latex("½") == "1/2"


def test_notes_stand_once_and_are_referred_to() -> None:
    text = paper_latex(wide(2, 2))
    assert text.count(r"\textsuperscript{a}published.") == 1
    assert text.count(r"Instruct 0\textsuperscript{a}") == 2


def test_bold_is_the_best_as_printed_and_ties_are_bold_together() -> None:
    rows = [("0.50", "0.3", "--"), ("0.50", "0.2", "0.4"), ("0.10", "0.1", "--")]
    assert best_of_columns(rows, ["more", "less", "more"]) == {(0, 0), (1, 0), (2, 1)}
    assert best_of_columns(rows, ["", "", ""]) == frozenset()
    assert best_of_columns([("0.00",), ("0.00",)], ["more"]) == frozenset(), "none is better than another"
    assert best_of_groups([("0.1", "0.2", "--", "0.9", "0.9", "0.1")], 0, 3) == {(0, 1), (0, 3), (0, 4)}
    block = Block((("", "F1"),), (("0.5",), ("--",)), frozenset([(0, 0)]))
    table = PaperTable("t", "c", "Model", ("a|b", "c"), (block,))
    assert r"\textbf{0.5}" in paper_latex(table)
    assert paper_markdown(table).splitlines()[4:6] == [r"| a\|b | **0.5** |", "| c | – |"]


def test_a_table_for_a_spreadsheet_disarms_formulas() -> None:
    block = Block((("A & B", "F1"),), (("0.5",), ("--",)))
    table = PaperTable("t", "50 % of #1_x", "Model", ("=cmd()", "a_b"), (block,))
    assert paper_csv(table).splitlines() == ["Model,A & B F1", "'=cmd(),0.5", "a_b,"]
    assert r"50 \% of \#1\_x" in paper_latex(table)
    assert r"\multicolumn{1}{c}{\shortstack{A\\\&\\B}}" in paper_latex(table)


def set_by_latex(folder: Path, name: str, table: str) -> list[tuple[str, ...]]:
    """Set a table with pdfLaTeX; return what stands out of the margins or is too tall.

    Raises:
        AssertionError: LaTeX stopped.
    """
    (folder / f"{name}.tex").write_text(DOCUMENT % (PAGE_WIDTH, table), encoding="utf-8")
    words = [str(PDFLATEX), "-interaction=nonstopmode", "-halt-on-error", f"{name}.tex"]
    done = subprocess.run(words, cwd=folder, capture_output=True, text=True, errors="replace", check=False)
    assert done.returncode == 0, (name, done.stdout[-1500:])
    found = re.findall(r"Overfull .hbox \(([\d.]+)pt|(Float too large)|(undefined)", done.stdout)
    return [fault for fault in found if not fault[0] or float(fault[0]) > 2]


needs_latex = pytest.mark.skipif(PDFLATEX is None, reason="pdflatex is not installed")


@pytest.mark.slow
@needs_latex
def test_latex_sets_every_table_within_the_margins(tmp_path: Path) -> None:
    long = (
        "semiology_hf/a_rather_long_name_of_a_model-with-parts · wording observable_behaviour_2 · transcript"
    )
    tables = [
        *(wide(runs, signs) for runs, signs in ((1, 2), (2, 2), (6, 3), (14, 3), (60, 1))),
        wide(6, 3, long),
        *(tall(runs, 5) for runs in (7, 30, 88)),
        overview(6),
        strange(),
    ]
    for number, table in enumerate(tables):
        assert not set_by_latex(tmp_path, f"t{number}", paper_latex(table)), number


@pytest.mark.slow
@needs_latex
def test_latex_sets_every_table_of_a_report_of_the_published_answers(tmp_path: Path) -> None:
    if not S3.exists():
        pytest.skip("the published S3 answers are not at hand")
    answers = s3_answers(S3)
    few = sorted(answers.loc[answers["fold"] == "0", "video_id"].unique())[:25]
    inputs = report_inputs([], answers[answers["video_id"].isin(few)])
    assert inputs.features is not None
    assert inputs.s3 is not None
    both = summarise(inputs.features, resamples=100), summarise_s3(inputs.s3, resamples=100)
    files = {k: v for k, v in published_layouts(*both, both, {}).items() if k.endswith(".tex")}
    assert {f"s3_table_{n:02d}" for n in (1, 2, 13, 15, 16, 17, 18, 19, 21, 22, 23, 24)} <= {
        k[:11] for k in files
    }
    assert {"embc_table_ii_facial.tex", "embc_table_iii_limb_body.tex", "embc_table_iv_audio.tex"} <= set(
        files
    )
    for name, text in files.items():
        assert not set_by_latex(tmp_path, Path(name).stem, text), name
