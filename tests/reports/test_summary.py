from __future__ import annotations

import csv
import io
import json
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console
from typer import Typer
from typer.testing import CliRunner

from semiology.render.table import csv_of
from semiology.render.table import markdown as as_markdown
from semiology.render.text import json_text, neutral
from semiology.reports.commands import report
from semiology.reports.read.feature_answers import read_results
from semiology.reports.summary.features import Summary, headline, summarise, summary_rows
from semiology.reports.tables.features import COLUMNS, content, document, print_summary

WriteRun = Callable[..., Path]
Make = Callable[..., Any]


def command() -> Typer:
    app = Typer()
    app.command()(report)
    return app


def markdown(summary: Summary) -> str:
    return as_markdown(document(summary))


def csv_text(summary: Summary) -> str:
    return csv_of(summary_rows(summary))


def printed(summary: Summary, width: int = 200) -> str:
    console = Console(file=io.StringIO(), width=width)
    print_summary(summary, console)
    return console.file.getvalue()  # type: ignore[attr-defined]


def test_the_table_has_features_in_their_fixed_order_and_then_the_groups(
    records: Make, write_run: WriteRun
) -> None:
    rows = records("verbal_responsiveness") + records("clonic") + records("blank_stare") + records("tonic")
    table = summary_rows(summarise(read_results([write_run(rows)])))
    assert [row["name"] for row in table] == [
        "tonic",
        "clonic",
        "blank_stare",
        "verbal_responsiveness",
        "visual",
        "limb_body",
        "facial",
        "audio",
        "all",
    ]
    assert len({tuple(row) for row in table}) == 1
    tonic, visual = table[0], table[4]
    assert tonic["f1_low"] < tonic["f1"] < tonic["f1_high"]
    assert visual["f1"] == pytest.approx((table[0]["f1"] + table[1]["f1"] + table[2]["f1"]) / 3, abs=1e-5)
    assert (tonic["n_recordings"], tonic["n_patients"], visual["n_features"]) == (60, 30, 3)


def test_a_group_with_the_same_features_is_not_repeated(records: Make, write_run: WriteRun) -> None:
    table = summary_rows(summarise(read_results([write_run(records("tonic"))])))
    assert [row["name"] for row in table] == ["tonic", "visual"]


def test_the_headline_has_the_promised_form(records: Make, write_run: WriteRun) -> None:
    folder = write_run(records("tonic") + records("clonic"))
    pattern = r"macro F1 \(visual, 2 features\): \d\.\d\d \[\d\.\d\d, \d\.\d\d\]; always-yes \d\.\d\d"
    pattern += r" \(above always-yes\)"
    assert re.fullmatch(pattern, headline(summarise(read_results([folder]))))
    second = write_run(records("tonic", seed=3) + records("clonic"), folder="b", model="x/Other")
    both = headline(summarise(read_results([second, write_run(records("tonic", seed=3))]))).splitlines()
    assert len(both) == 2
    assert both[0].endswith("(Other)")


def test_one_patient_gives_a_headline_without_an_interval(sample: Make, write_run: WriteRun) -> None:
    rows = [sample("tonic", 0, 0, "yes", "yes"), sample("tonic", 1, 0, "no", "no")]
    assert "[not estimable]" in headline(summarise(read_results([write_run(rows)])))


def test_few_patients_give_a_headline_with_their_number(sample: Make, write_run: WriteRun) -> None:
    """Where no feature alone could have an interval, the last line leaves that of their mean to the table."""

    def line(patients: int) -> str:
        rows = [
            sample(feature, 2 * patient + video, 0, answer, truth)
            for place, feature in enumerate(("tonic", "clonic", "head_turning"))
            for patient in range(patients)
            for video in range(2)
            for truth in ("yes" if (patient + video + place) % 2 else "no",)
            for answer in (truth if (patient * 2 + video + place) % 5 else "yes",)
        ]
        return headline(summarise(read_results([write_run(rows, folder=f"run{patients}")])))

    assert "[8 patients: interval in the table]" in line(8)
    assert "interval" not in line(24)


def test_a_run_in_which_no_recording_shows_a_sign_is_undefined_and_not_zero(
    records: Make, write_run: WriteRun
) -> None:
    rows = [row | {"truth": "no"} for row in records("tonic")]
    summary = summarise(read_results([write_run(rows)]))
    assert headline(summary).startswith("macro F1 (visual, 0 features): undefined")
    assert "nan" not in printed(summary) + markdown(summary) + csv_text(summary) + json_text(content(summary))


def test_the_output_does_not_depend_on_the_order_of_samples_or_folders(
    records: Make, write_run: WriteRun, tmp_path: Path
) -> None:
    rows = records("tonic") + records("clonic")
    one, two = write_run(rows, folder="one"), write_run(rows[::-1], folder="two")
    other = write_run(rows, folder="three", model="x/Other")
    a, b = (summarise(read_results(paths)) for paths in ([one, other], [other, two]))
    assert csv_text(a) == csv_text(b)
    assert markdown(a) == markdown(b)
    assert json_text(content(a)) == json_text(content(b))


def test_what_is_not_estimable_is_printed_as_such_with_the_reason(records: Make, write_run: WriteRun) -> None:
    rows = [row | {"truth": "no"} if row["video_id"] >= "v010" else row for row in records("tonic")]
    summary = summarise(read_results([write_run(rows)]))
    assert "not estimable (1)" in markdown(summary)
    assert "(1) recordings with the feature come from" in printed(summary)
    row = summary_rows(summary)[0]
    assert row["f1_low"] is None
    assert "fewer than 10" in row["f1_reason"]


def test_exclusions_and_unparsed_answers_are_shown(records: Make, sample: Make, write_run: WriteRun) -> None:
    rows = records("tonic", videos=40)
    rows += [sample("tonic", 40 + i, 0, "yes", "na") for i in range(3)]
    rows += [sample("tonic", 50, 0, "unparsed", "yes")]
    results = read_results([write_run(rows)])
    text = printed(summarise(results))
    assert "3 recordings not scored (3 annotated as not applicable)" in text
    dropped = summarise(results, policy="drop")
    row = summary_rows(dropped)[0]
    assert row["n_unparsed"] == row["n_dropped"] > 0
    assert row["n_scored"] == 41 - row["n_dropped"]
    assert "are left out of the scores" in markdown(dropped)


def test_three_classes_are_explained_where_they_occur(records: Make, write_run: WriteRun) -> None:
    text = printed(summarise(read_results([write_run(records("verbal_responsiveness"))])))
    assert "verbal_responsiveness (1)" in text
    assert "mean over the three classes" in text
    assert "macro F1 (audio, 1 feature)" in text


def test_caveats_stand_above_the_table(records: Make, write_run: WriteRun) -> None:
    folder = write_run(records("tonic"), record={"data": "demo", "simulated": True})
    summary = summarise(read_results([folder]), caveats={"Qwen2.5-VL-7B": "was shown 8 frames"})
    text = printed(summary)
    assert text.index("simulated") < text.index("tonic")
    assert text.index("Qwen2.5-VL-7B: was shown 8 frames") < text.index("tonic")
    assert markdown(summary).index("simulated") < markdown(summary).index("tonic")


def test_models_that_answered_different_recordings_are_pointed_out(
    records: Make, write_run: WriteRun
) -> None:
    one = write_run(records("tonic"), folder="one")
    two = write_run(records("tonic")[:80], folder="two", model="x/Other")
    notes = summarise(read_results([one, two])).notes
    assert any(
        "tonic: models answered different recordings (Other 40, Qwen2.5-VL-7B 60; 40 in common)" in n
        for n in notes
    )


def test_one_id_for_two_texts_is_told_apart_by_its_hash(records: Make, write_run: WriteRun) -> None:
    write_run(records("tonic"), stamp="20260101_120000")
    folder = write_run(records("tonic", prompt_hash="cd" * 32), stamp="20260201_000000")
    prompts = {run.prompt for run in summarise(read_results([folder])).runs}
    assert prompts == {"s3@abababab", "s3@cdcdcdcd"}


def test_an_unknown_feature_is_noted_and_not_scored(records: Make, write_run: WriteRun) -> None:
    summary = summarise(read_results([write_run(records("tonic") + records("tonik"))]))
    assert [row["name"] for row in summary_rows(summary)] == ["tonic", "visual"]
    assert any("unknown features are not scored: tonik" in note for note in summary.notes)


@pytest.mark.parametrize("text", ["=1+1", "+cmd", "-2+3", "@SUM(A1)", "\t=1", " =1", "|calc", "%x"])
def test_a_formula_in_a_name_is_made_harmless(records: Make, write_run: WriteRun, text: str) -> None:
    assert neutral(text).startswith("'")
    summary = summarise(read_results([write_run([row | {"prompt_id": text} for row in records("tonic")])]))
    cells = list(csv.reader(io.StringIO(csv_text(summary))))
    assert not any(cell.startswith(("=", "+", "@", "\t")) for row in cells for cell in row)
    assert neutral(-0.5) == -0.5


def test_hostile_names_reach_neither_terminal_nor_markdown_as_code(
    records: Make, write_run: WriteRun
) -> None:
    name = "\x1b[31mred\x07 [bold]x[/bold] | <script>"
    summary = summarise(read_results([write_run([row | {"prompt_id": name} for row in records("tonic")])]))
    text, page = printed(summary), markdown(summary)
    assert "\x1b" not in text + page
    assert "\x07" not in text + page
    assert "[bold]x[/bold]" in text
    assert "<script>" not in page.replace("\\<script\\>", "")


def test_no_patient_or_recording_is_named_in_any_output(records: Make, write_run: WriteRun) -> None:
    summary = summarise(read_results([write_run(records("tonic"))]))
    everything = printed(summary) + markdown(summary) + csv_text(summary) + json_text(content(summary))
    assert not re.search(r"\b[vp]0\d\d\b", everything)


def test_a_narrow_terminal_shows_fewer_columns_without_cutting_features(
    records: Make, write_run: WriteRun
) -> None:
    text = printed(summarise(read_results([write_run(records("arms_move_simultaneously"))])), width=100)
    assert "arms_move_simultaneously" in text
    assert "specificity" not in text
    assert "A wider terminal" in text


def test_markdown_rows_have_as_many_cells_as_the_header(records: Make, write_run: WriteRun) -> None:
    page = markdown(summarise(read_results([write_run(records("tonic"))])))
    table = [line for line in page.splitlines() if line.startswith("|")]
    assert {line.count("|") for line in table} == {len(COLUMNS) + 1}


def test_the_command_prints_writes_and_speaks_json(
    records: Make, write_run: WriteRun, tmp_path: Path
) -> None:
    folder = write_run(records("tonic"))
    out = tmp_path / "tables"
    shown = CliRunner().invoke(command(), [str(folder), "--out", str(out), "--resamples", "200"])
    assert shown.exit_code == 0, shown.output
    assert "macro F1 (visual, 1 feature)" in shown.output
    assert {"summary.csv", "summary.json", "summary.md"} <= {path.name for path in out.iterdir()}
    spoken = CliRunner().invoke(command(), [str(folder), "--json", "--seed", "3"])
    content = json.loads(spoken.output)
    assert content["seed"] == 3
    assert content["rows"][0]["name"] == "tonic"
    assert json.loads((out / "summary.json").read_text())["rows"][0]["f1"] == content["rows"][0]["f1"]


def test_importing_the_command_loads_nothing_heavy() -> None:
    heavy = "('pandas', 'numpy', 'scipy', 'sklearn', 'torch')"
    code = f"import sys, semiology.reports.commands; print([m for m in {heavy} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
