"""Tables for print: what stands in the LaTeX, and that a LaTeX sets it within the margins."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from semiology.render.latex import table_latex
from semiology.render.table import Column, Name, Row, Table, table_csv
from semiology.render.text import latex_text
from semiology.reports.inputs import report_inputs
from semiology.reports.published.answers import s3_answers
from semiology.reports.summary.features import summarise
from semiology.reports.summary.s3 import summarise_s3
from semiology.reports.tables.page_tables import published_layouts

S3 = Path(__file__).parents[3] / "shared" / "s3_published"
DOCUMENT = r"""\documentclass[10pt,twocolumn]{article}
\usepackage[T1]{fontenc}
\usepackage{booktabs}
\usepackage{adjustbox}
\usepackage{graphicx}
\setlength{\textwidth}{486pt}\setlength{\textheight}{650pt}\setlength{\topmargin}{-40pt}\setlength{\oddsidemargin}{0pt}
\begin{document}
%s
\end{document}
"""
PDFLATEX = shutil.which("pdflatex")
NASTY = '[x] a_b & 50 % of #1 ~ ^ \\ {y} $z$ <i> "q" | *'
FEATURES = ("occur during sleep", "arms move simultaneously", "verbal responsiveness", "figure 4")


def wide(runs: int, features: int, label: str = "Qwen2.5-VL-72B-Instruct") -> Table:
    """A table in the layout of EMBC Table III: runs beside each other within each feature."""
    names = [Name(f"published: {label} {i}", f"{label} {i}", ("published",)) for i in range(runs)]
    columns = tuple(Column(name, ".3f", group=FEATURES[at % 4]) for at in range(features) for name in names)
    rows = [
        Row((score, *((i * 37 + at * 11) % 1000 / 1000 for i in range(len(columns)))))
        for at, score in enumerate(("A", "P", "R", "F1"))
    ]
    return Table("Wide.", (Column(""), *columns), tuple(rows), stem="wide")


def tall(runs: int, blocks: int) -> Table:
    """A table in the layout of S3 Table 13: runs under each other, features in blocks."""
    groups = [f"{FEATURES[at % 4]} {at}" for at in range(4 * blocks)]
    columns = tuple(Column(score, group=group) for group in groups for score in ("P", "R", "F1", "A"))
    rows = tuple(Row((f"InternVL3_5-38B {i}", *[0.5] * len(columns))) for i in range(runs))
    return Table("Tall.", (Column("Model"), *columns), rows, fold=16, stem="tall")


def strange() -> Table:
    """A table with everything that LaTeX takes for a command, and letters of other scripts."""
    first = Name(NASTY, "[short", ("note_1", "note & 2"))
    names = (first, "* starred", "מודל", "模型", "Ångström–ő · Δ ≥ ± 3³", "ordinary")
    cells = (0.1, "<0.001", "0.2 [0.1, 0.3]", "1e−3", "×2", 0.9)
    rows = tuple(Row((name, cell, None)) for name, cell in zip(names, cells, strict=True))
    columns = (Column("Mod_el"), Column(NASTY, group="A & B", better="more"), Column("F1", group="A & B"))
    return Table(f"Caption {NASTY}", columns, rows, below=("100 % sure.",), stem="s_1")


def cells_per_line(text: str) -> list[tuple[int, int]]:
    """Return columns declared and cells found, for each line of each tabular."""
    found = []
    for part in re.findall(r"\\begin\{tabular\}(.*?)\\end\{tabular\}", text, flags=re.DOTALL):
        declared = re.match(r"\{@\{\}([lr]+)@\{\}\}", part)
        assert declared, part[:60]
        for line in part.splitlines():
            if line.endswith(r" \\"):
                spans = sum(int(n) - 1 for n in re.findall(r"\\multicolumn\{(\d+)\}", line))
                found.append((len(declared[1]), len(re.findall(r"(?<!\\)&", line)) + 1 + spans))
    return found


@pytest.mark.parametrize("table", [wide(6, 3), wide(14, 3), wide(60, 1), tall(7, 5), tall(90, 2), strange()])
def test_every_line_has_as_many_cells_as_columns(table: Table) -> None:
    text = table_latex(table)
    counts = cells_per_line(text)
    assert counts
    assert all(declared == found for declared, found in counts), counts
    opened, closed = (re.findall(rf"\\{word}\{{([a-z*]+)\}}", text) for word in ("begin", "end"))
    assert sorted(opened) == sorted(closed)


def test_many_names_of_runs_are_turned() -> None:
    assert "rotatebox" not in table_latex(wide(2, 2))
    assert table_latex(wide(6, 3)).count(r"\rotatebox{90}") == 18


def test_a_narrow_table_takes_one_column_and_blocks_are_continued() -> None:
    assert r"\begin{table}[" in table_latex(wide(1, 2, "m"))
    long = table_latex(tall(30, 5))
    assert long.count(r"\begin{table*}[") == 5
    assert long.count(r"\addtocounter{table}{-1}") == long.count("(continued)") == 4
    assert long.count(r"\label{") == 1


def test_nothing_of_a_name_is_a_command_or_an_option() -> None:
    body = table_latex(strange()).split(r"\toprule")[1]
    assert not re.search(r"(?<!\\)[%#]", body)
    assert not any(line.startswith(("[", "*")) for line in body.splitlines())
    assert latex_text("a_b & <c>") == r"a\_b \& \textless{}c\textgreater{}"
    assert latex_text("ő") == "o"
    assert latex_text("ם") == r"\texttt{U+05DD}"
    assert latex_text("é") == "é"
    assert latex_text("ð") == r"\texttt{U+00F0}"
    assert latex_text("½") == "1/2"


def test_a_table_for_a_spreadsheet_disarms_formulas() -> None:
    columns = (Column("Model"), Column("F1", group="A & B"))
    table = Table("50 % of #1_x", columns, (Row(("=cmd()", 0.5)), Row(("a_b", None))))
    assert table_csv(table, printed=True).splitlines() == ["Model,A & B F1", "'=cmd(),0.50", "a_b,"]
    assert r"50 \% of \#1\_x" in table_latex(table)


def set_by_latex(folder: Path, name: str, table: str) -> list[tuple[str, ...]]:
    """Set a table with pdfLaTeX; return what stands out of the margins or is too tall.

    Raises:
        AssertionError: LaTeX stopped.
    """
    (folder / f"{name}.tex").write_text(DOCUMENT % table, encoding="utf-8")
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
        *(wide(runs, features) for runs, features in ((1, 2), (2, 2), (6, 3), (14, 3), (60, 1))),
        wide(6, 3, long),
        *(tall(runs, 5) for runs in (7, 30, 88)),
        strange(),
    ]
    for number, table in enumerate(tables):
        assert not set_by_latex(tmp_path, f"t{number}", table_latex(table)), number


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
