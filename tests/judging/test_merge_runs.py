"""A language model merges the texts of windows; the report uses what it made and names it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from judge_server import served_judge
from s3_examples import record, write_s3_run
from typer.testing import CliRunner, Result

from semiology.backends.text.served import chosen_text_model
from semiology.cli import app
from semiology.judging.commands import merge_texts
from semiology.judging.judge import judge_runs
from semiology.judging.model_choice import served
from semiology.metrics.s3.merge_windows import merge_reports
from semiology.reports.read.run_texts import MERGED
from semiology.reports.read.s3_answers import read_s3_results
from semiology.reports.summary.s3 import S3Run, s3_rows, summarise_s3
from semiology.reports.tables.s3 import s3_markdown
from semiology.tasks.s3.merging import instructed

WINDOWS = ("The head turns to the left.", "Tonic stiffening of the right arm.")


def rows(videos: int = 3) -> list[dict[str, Any]]:
    made = []
    for video in range(videos):
        for segment, text in enumerate(WINDOWS):
            words = f"{text} Case {video}."
            made.append(record("s3_report", video, words, "Tonic.", shown=None, segment=segment))
            made.append(
                record(
                    "s3_justification", video, "yes", "yes", feature="tonic", segment=segment,
                    justification=words, reference="The right arm is stiff.",
                )
            )  # fmt: skip
    return made


def typed(*words: object) -> Result:
    return CliRunner().invoke(app, [str(word) for word in words])


def runs_of(folder: Path) -> dict[str, S3Run]:
    results = read_s3_results([folder])
    assert results is not None
    return {run.task: run for run in summarise_s3(results, resamples=100).runs}


def test_the_report_names_the_merging_that_its_texts_had(tmp_path: Path) -> None:
    folder = write_s3_run(tmp_path / "run", rows())
    before = runs_of(folder)["s3_report"]
    assert before.merged_by == "extractive"
    assert before.remarks[0] == "3 texts of several windows merged extractively (each statement taken once)."
    with served_judge(lambda prompt: "Nothing is seen.") as server:
        done = typed("merge", folder, "--server", server.address, "--model", "org/merger")
        assert done.exit_code == 0, done.output
        assert "merger merged 6 of 6 groups" in done.output
        count = len(server.asked)
        again = typed("merge", folder, "--server", server.address, "--model", "org/merger")
        assert "6 replies came from the journal" in again.output
        assert len(server.asked) == count == 6
    for run in runs_of(folder).values():
        assert run.merged_by.startswith("merger (instructions: justification ")
        assert run.remarks[0].startswith("3 texts of several windows merged by merger (")
    results = read_s3_results([folder])
    assert results is not None
    summary = summarise_s3(results, resamples=100)
    (coverage,) = [row for row in s3_rows(summary) if row["figure"] == "rqi_coverage"]
    assert coverage["value"] == 0  # the merging model left every feature out
    assert before.parts[0].scores.estimates["rqi_coverage"].value == 1
    assert "merged by merger" in s3_markdown(summary)


def test_an_empty_reply_is_none_and_is_asked_for_again(tmp_path: Path) -> None:
    """As a broken server sends them, with status 200."""
    folder = write_s3_run(tmp_path / "run", rows(1))
    words = ("merge", folder, "--model", "merger", "--server")
    with served_judge(lambda prompt: "") as server:
        done = typed(*words, server.address)
        assert "sent an empty reply" in str(done.exception)
        server.reply = lambda prompt: "One text."
        done = typed(*words, server.address)
        assert "merger merged 2 of 2 groups of texts; 0 replies came from the journal" in done.output


def test_a_judge_reads_merged_texts(tmp_path: Path) -> None:
    folder = write_s3_run(tmp_path / "run", rows(1))
    with served_judge(lambda prompt: "The merged text: tonic.") as server:
        typed("merge", folder, "--server", server.address, "--model", "merger")
    with served_judge() as judge:
        judge_runs([folder], served(judge.address, "judge"), "judge")
        assert any("The merged text: tonic." in prompt for prompt in judge.prompts)
        assert not any(WINDOWS[0] in prompt for prompt in judge.prompts)


def test_texts_that_were_not_merged_are_merged_extractively_and_counted(tmp_path: Path) -> None:
    folder = write_s3_run(tmp_path / "run", rows(1))
    with served_judge(lambda prompt: "One text.") as server:
        typed("merge", folder, "--server", server.address, "--model", "merger")
    (file,) = folder.rglob(MERGED)
    write_s3_run(folder, rows(2))
    assert file.is_file()
    remark = runs_of(folder)["s3_report"].remarks[0]
    assert remark.startswith("1 text of several windows merged by merger (")
    assert remark.endswith("; 1 extractively, which it did not merge.")


def test_the_model_of_the_environment_merges_without_options(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = write_s3_run(tmp_path / "run", rows(1))
    assert "which model is to merge?" in str(typed("merge", folder).exception)
    with served_judge(lambda prompt: "One text.") as server:
        monkeypatch.setenv("SEMIOLOGY_MERGE_MODEL", f"small@{server.address}")
        assert "small merged 2 of 2 groups" in typed("merge", folder).output
    monkeypatch.setenv("SEMIOLOGY_MERGE_MODEL", "small@http://example.com/v1")
    assert "SEMIOLOGY_ALLOW_REMOTE" in str(typed("merge", folder).exception)


def test_a_run_with_a_merging_model_is_merged_once_and_survives_its_server(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = next(write_s3_run(tmp_path / "run", rows(1)).iterdir())
    merge_texts(folder)
    assert not list(folder.glob(MERGED))
    with served_judge(lambda prompt: "One text.") as server:
        monkeypatch.setenv("SEMIOLOGY_MERGE_MODEL", f"small@{server.address}")
        model = chosen_text_model()
        assert model is not None
        merge_reports([f"{text} Case 0." for text in WINDOWS], instructed(model))  # lmms-eval's table
        merge_texts(folder)
        assert len(server.asked) == 2  # the report once, not twice, and the justification
    assert runs_of(folder)["s3_report"].merged_by.startswith("small (")
    other = next(write_s3_run(tmp_path / "other", rows(3)[-4:]).iterdir())
    merge_texts(other)
    assert "texts are merged extractively" in capsys.readouterr().err
    assert runs_of(other)["s3_report"].merged_by == "extractive"
