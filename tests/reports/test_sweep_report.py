"""The tables of a sweep: every figure beside those that guard it, reasons where there is none."""

from __future__ import annotations

import csv
import io
import json
import math
import re
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from rich.console import Console
from sweep_examples import WORDINGS, results_of, sweep_rows
from typer.testing import CliRunner

from semiology.cli import app
from semiology.metrics.robustness.answers import wording_answers_of_segments
from semiology.metrics.robustness.best_wording import best_of_k
from semiology.render.table import PIPED_WIDTH
from semiology.reports.read.feature_answers import read_results
from semiology.reports.read.lmms_eval_files import ResultsError
from semiology.reports.summary.sweep import SweepSummary, holds_sweep, margin_of, summarise_sweeps
from semiology.reports.tables.sweep import (
    PRIMARY,
    SECONDARY,
    family_rows,
    more_rows,
    print_sweep,
    robustness_rows,
    sweep_content,
    sweep_markdown,
    sweep_remarks,
    wording_rows,
    write_sweep_files,
)


def summary_of(*frames: pd.DataFrame, **keywords: Any) -> SweepSummary:
    return summarise_sweeps(results_of(*frames), resamples=200, **keywords)


@pytest.fixture(scope="module")
def summary() -> SweepSummary:
    return summary_of(sweep_rows("tonic"), sweep_rows("clonic", seed=1), margin=0.1)


def test_a_run_in_a_chosen_answer_format_is_no_sweep() -> None:
    swept = sweep_rows("tonic")
    chosen = swept.assign(family=None, answer_format="embc_qwen")
    assert holds_sweep(results_of(swept).answers)
    assert not holds_sweep(results_of(chosen).answers)


def test_the_headline_row_is_what_the_answers_say(summary: SweepSummary) -> None:
    tonic, clonic, mean = robustness_rows(summary)
    answers = sweep_rows("tonic")
    right = (answers["answer"] == answers["truth"]).groupby(answers["video_id"]).sum()
    assert tonic["name"] == "tonic"
    assert tonic["avg_p"] == tonic["worst_at_1"] == pytest.approx(right.sum() / len(answers), abs=1e-6)
    assert tonic["worst_at_5"] == pytest.approx((right == 5).mean(), abs=1e-6)
    assert tonic["worst_at_10"] is None
    assert tonic["worst_at_10_remark"] == "only 5 wordings asked"
    assert tonic["prevalence"] == pytest.approx(1 / 3, abs=1e-6)
    assert tonic["always_yes_f1"] == pytest.approx(0.5, abs=1e-6)
    assert tonic["avg_p_low"] < tonic["avg_p"] < tonic["avg_p_high"]
    assert (tonic["wordings"], tonic["recordings"], tonic["patients"]) == (5, 48, 24)
    assert mean["level"] == "macro"
    assert mean["f1"] == pytest.approx((tonic["f1"] + clonic["f1"]) / 2, abs=1e-5)
    assert set(PRIMARY) < set(tonic) == set(mean)


def test_the_best_wording_is_given_only_as_chosen_on_other_patients(summary: SweepSummary) -> None:
    tonic, *_, mean = more_rows(summary)
    expected = best_of_k(wording_answers_of_segments(sweep_rows("tonic")), resamples=200)
    assert tonic["best_on_other_patients_f1"] == pytest.approx(expected.held_out.value, abs=1e-6)
    assert tonic["best_chosen_among"] == 5
    assert set(tonic["best_chosen"].split()) <= set(WORDINGS)
    assert not [name for name in tonic if name.startswith(("f1_best", "accuracy_best"))]
    assert set(SECONDARY) < set(tonic) == set(mean)
    assert sum(tonic[name] for name in ("always_right", "always_wrong", "flips")) == pytest.approx(1)
    shares = [value for name, value in tonic.items() if name.startswith("share_") and "format" not in name]
    assert sum(shares) == pytest.approx(1, abs=1e-5)
    assert 0 < tonic["js_distance"] < 1
    assert tonic["auroc"] > 0.6


def test_wordings_are_named_by_id_and_hash_with_their_equivalence(summary: SweepSummary) -> None:
    rows = [row for row in wording_rows(summary) if row["feature"] == "tonic"]
    assert {row["prompt_id"] for row in rows} == set(WORDINGS)
    reference = rows[0]
    assert (reference["reference"], reference["equivalence"]) == (True, None)
    assert reference["prompt_id"] == "s3"
    assert reference["provenance"] == "epileptologist"
    for row in rows[1:]:
        assert row["equivalence"] in ("equivalent", "not equivalent", "undecided")
        low, high = row["accuracy_minus_reference_low_90"], row["accuracy_minus_reference_high_90"]
        assert (row["equivalence"] == "equivalent") == (low > -0.1 and high < 0.1)
        assert row["prompt_hash"] == f"{WORDINGS.index(row['prompt_id']):02d}" * 32
        assert row["f1_low"] <= row["f1"] <= row["f1_high"]
    families = {row["family"] for row in family_rows(summary) if row["name"] == "tonic"}
    assert families == {"observable_behaviour", "minimal", "layperson", "definition", "negated"}


def test_the_files_hold_the_tables(summary: SweepSummary, tmp_path: Path) -> None:
    written = write_sweep_files(summary, tmp_path / "report")
    names = {"robustness.md", "robustness.csv", "robustness_more.csv", "wordings.csv", "families.csv"}
    assert {path.name for path in written} == names
    for path in written:
        if path.suffix == ".csv":
            rows = list(csv.DictReader(io.StringIO(path.read_text())))
            assert len({len(row) for row in rows}) == 1
            assert len(rows) >= 3
    text = (tmp_path / "report/robustness.md").read_text()
    assert "margin was fixed by the plan, before the run" in text
    assert "±10 points" in text
    assert json.loads(json.dumps(sweep_content(summary), allow_nan=False))["margin"] == 0.1


def test_the_terminal_shows_one_line_for_each_feature_and_not_one_for_each_wording(
    summary: SweepSummary,
) -> None:
    console = Console(width=200, file=io.StringIO(), record=True)
    print_sweep(summary, console)
    text = console.export_text()
    assert text.count("tonic") == 1
    assert "mean of 2 features" in text
    assert "always-yes" in text
    assert "layperson" not in text


@pytest.mark.parametrize("width", [60, 80, 104, 120, 160, 220, PIPED_WIDTH])
def test_no_figure_is_cut_on_any_terminal(summary: SweepSummary, width: int) -> None:
    console = Console(width=width, file=io.StringIO(), record=True)
    print_sweep(summary, console)
    text = console.export_text()
    assert "…" not in text
    row = next(line for line in sweep_markdown(summary).splitlines() if line.startswith("| tonic |"))
    cells = [cell.strip() for cell in row.strip("| ").split(" | ")]
    feature, average, *_ = cells
    value, _, interval = average.partition(" ")
    assert interval.startswith("[")
    (line,) = (line for line in text.splitlines() if feature in line)
    assert value in line
    assert interval in text
    if width == PIPED_WIDTH:
        assert all(cell in line for cell in cells)


def test_answer_formats_are_crossed_and_have_a_share(tmp_path: Path) -> None:
    own = sweep_rows("tonic", wordings=("s3", "minimal"))
    other = sweep_rows("tonic", wordings=("s3", "minimal"), seed=5).assign(answer_format="yes_no_json")
    other["prompt_hash"] = other["prompt_hash"].str.replace("0", "f")
    summary = summary_of(own, other)
    names = [row["prompt_id"] for row in wording_rows(summary)]
    assert names[0] == "s3"  # the reference is the wording in its own form
    assert sorted(names) == ["minimal", "minimal+yes_no_json", "s3", "s3+yes_no_json"]
    kinds = {(row["level"], row["family"]) for row in family_rows(summary)}
    assert {("answer_format", "own"), ("answer_format", "yes_no_json")} < kinds
    assert more_rows(summary)[0]["share_answer_format"] is not None


def test_models_and_enhancements_stand_apart() -> None:
    pose = sweep_rows("tonic", seed=3).assign(enhancement="pose")
    rows = robustness_rows(summary_of(sweep_rows("tonic"), pose))
    assert [(row["enhancement"], row["level"]) for row in rows] == [
        ("none", "feature"), ("none", "macro"), ("pose", "feature"), ("pose", "macro"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("truth", "answer", "note", "measure", "reason"),
    [
        ("no", None, "no recording shows the feature", "f1", "no recording shows the feature"),
        (
            "yes",
            None,
            "every recording shows the feature",
            "balanced_accuracy",
            "the truth holds one class only",
        ),
        (
            "mixed",
            "unparsed",
            "none of the 240 answers could be read as yes or no",
            "alpha",
            "no two answers",
        ),
    ],
)
def test_what_cannot_be_computed_is_a_sentence(
    truth: str, answer: str | None, note: str, measure: str, reason: str
) -> None:
    summary = summary_of(sweep_rows("tonic", truth=truth, answer=answer, scored=False))
    assert note in " ".join(summary.notes)
    row = robustness_rows(summary)[0]
    assert row[measure] is None
    assert reason in row[f"{measure}_remark"]
    assert not re.search(r"\bnan\b", sweep_markdown(summary))
    json.dumps(sweep_content(summary), allow_nan=False)
    if answer == "unparsed":
        assert row["unparsed_rate"] == 1
        assert row["avg_p"] == 0


def test_a_choice_without_the_sign_among_those_who_choose_is_not_made() -> None:
    rows = sweep_rows("tonic")
    rows["truth"] = ["yes" if patient == "p003" else "no" for patient in rows["patient_id"]]
    more = more_rows(summary_of(rows))[0]
    assert more["best_on_other_patients_f1"] is None
    assert "the choice would be blind" in more["best_on_other_patients_f1_remark"]
    few = more_rows(summary_of(sweep_rows("tonic", patients=6)))[0]
    assert few["best_on_other_patients_f1_remark"].startswith("6 patients: too few")
    alone = more_rows(summary_of(sweep_rows("tonic", wordings=("minimal",))))[0]
    assert alone["best_on_other_patients_f1_remark"] == "only one wording was asked"
    assert alone["f1_reference_remark"] == "the reference wording was not asked"


def test_a_wording_without_a_single_usable_answer_is_named() -> None:
    rows = sweep_rows("tonic")
    rows.loc[rows["prompt_id"] == "minimal", "answer"] = "unparsed"
    assert "tonic: no answer to minimal could be read as yes or no" in summary_of(rows).notes


def test_scores_over_the_classes_found_are_not_called_undefined() -> None:
    summary = summary_of(sweep_rows("verbal_responsiveness", truth="no"))
    assert robustness_rows(summary)[0]["f1"] is not None
    assert "undefined" not in " ".join(summary.notes)


def test_wordings_that_a_search_found_are_named_with_a_caution() -> None:
    rows = sweep_rows("tonic")
    assert "found by a search" not in " ".join(summary_of(rows).notes)
    rows.loc[rows["prompt_id"] == "minimal", "provenance"] = "optimized"
    assert "tonic: found by a search: minimal → on patients that the search saw" in " ".join(
        summary_of(rows).notes
    )


def test_a_stopped_sweep_compares_what_every_wording_was_asked_about() -> None:
    rows = sweep_rows("tonic")
    late = (rows["prompt_id"] == "negated") & (rows["video_id"] > "v040")
    summary = summary_of(rows[~late])
    assert robustness_rows(summary)[0]["recordings"] == 41
    assert "7 recordings left out" in " ".join(summary.notes)
    none = rows[(rows["prompt_id"] != "negated") | (rows["video_id"] == "nobody")]
    none = pd.concat([none[none["video_id"] < "v010"], rows[late]])
    with pytest.raises(ResultsError, match=r"cannot be compared: tonic: no recording .* finish the sweep"):
        summary_of(none)


def test_a_newer_single_run_of_the_reference_stays_in_the_sweep() -> None:
    rows = sweep_rows("tonic")
    single = rows["prompt_id"] == "s3"
    rows.loc[single, ["family", "polarity", "answer_format", "provenance", "p_yes"]] = None
    assert holds_sweep(rows)
    found = summary_of(rows)
    assert len(wording_rows(found)) == len(WORDINGS)
    assert wording_rows(found)[0]["reference"]
    assert not holds_sweep(rows[single])


def test_the_margin_is_that_of_the_plan(tmp_path: Path) -> None:
    inner = tmp_path / "out" / "model"
    inner.mkdir(parents=True)
    assert margin_of([inner]) is None
    (tmp_path / "out/sweep.json").write_text('{"margin": 0.07}')
    assert margin_of([tmp_path]) == margin_of([inner]) == 0.07
    (inner / "sweep.json").write_text('{"margin": 0.03}')
    with pytest.raises(ResultsError, match="different margins"):
        margin_of([tmp_path])
    (inner / "sweep.json").write_text("{")
    with pytest.raises(ResultsError, match="not the record of a sweep"):
        margin_of([inner])
    assert "no plan fixed it" in " ".join(sweep_remarks(summary_of(sweep_rows("tonic"))))


def test_semiology_report_shows_a_sweep_as_one_table(write_run: Any, tmp_path: Path) -> None:
    rows = sweep_rows("tonic", scored=False).drop(columns=["model", "p_yes"])
    records = [row | {"start_s": 0.0, "end_s": 30.0} for row in rows.to_dict("records")]
    folder = write_run(records)
    (folder / "sweep.json").write_text('{"margin": 0.02}')
    out = tmp_path / "report"
    found = CliRunner().invoke(app, ["report", str(folder), "--out", str(out), "--resamples", "100"])
    assert found.exit_code == 0, found.output
    assert "AvgP" in found.output
    assert "within ±2 points" in found.output
    # the reference has its table; no other wording has one, nor a macro line
    assert found.output.count("macro F1") == 1
    assert "wording s3" in found.output
    assert "wording minimal" not in found.output
    assert (out / "wordings.csv").exists()
    content = json.loads(
        CliRunner().invoke(app, ["report", str(folder), "--json", "--resamples", "100"]).output
    )
    assert len(content["sweep"]["wordings"]) == len(WORDINGS)
    assert len({row["prompt"] for row in content["rows"]}) == len(WORDINGS)


def test_a_sweep_beside_a_single_run_leaves_that_alone(write_run: Any, records: Any) -> None:
    rows = sweep_rows("tonic", scored=False).drop(columns=["model", "p_yes"])
    swept = [row | {"start_s": 0.0, "end_s": 30.0} for row in rows.to_dict("records")]
    first = write_run(swept, folder="a")
    second = write_run(records("clonic", prompt_id="minimal", prompt_hash="cd" * 32), folder="b")
    found = CliRunner().invoke(app, ["report", str(first), str(second), "--resamples", "100"])
    assert found.exit_code == 0, found.output
    assert "wording minimal" in found.output
    assert "wording layperson" not in found.output


@pytest.mark.parametrize("damaged", [False, True])
def test_probabilities_and_provenance_are_read_from_the_samples(tmp_path: Path, damaged: bool) -> None:
    rows = sweep_rows("tonic", patients=1, wordings=("s3", "negated"), scored=False)
    lines = []
    for row in rows.drop(columns=["model", "p_yes"]).to_dict("records"):
        scores = {"yes": math.log(0.3), "no": math.log(0.1), "NA": math.log(0.6)}
        counts = [{"output_tokens": 1, "first_token_logprobs": scores}]
        record = row | {"start_s": 0.0, "end_s": 30.0}
        lines.append(json.dumps({"doc_id": 0, "token_counts": counts, "semiology": record}))
    lines[-1] = lines[-1].replace("token_counts", "without")
    path = tmp_path / "1_samples_sweep_semiology_tonic.jsonl"
    path.write_text("\n".join(lines) + ("\n{" if damaged else "\n"))
    answers = read_results([tmp_path]).answers.sort_values(["prompt_id", "video_id"])
    assert answers["p_yes"].tolist() == pytest.approx([0.25, float("nan"), 0.75, 0.75], nan_ok=True)
    assert answers["provenance"].tolist() == ["authored"] * 2 + ["epileptologist"] * 2
