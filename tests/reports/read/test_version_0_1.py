"""Result folders of version 0.1 are read: its embedded models lay elsewhere, and keep their names."""

from __future__ import annotations

from pathlib import Path

from typer.testing import CliRunner

from semiology.cli import app
from semiology.reports.read.feature_answers import read_results
from semiology.reports.read.lmms_eval_files import EMBEDDED_MODELS
from semiology.reports.read.path_scrubbing import without_paths
from semiology.reports.read.run_provenance import run_provenances

FOLDER = Path(__file__).parent / "version_0_1"
"""What `semiology demo` wrote, four samples a task; the checkpoints were in backends/tiny and backends/tiny_audio."""


def test_answers_models_and_facts_are_read() -> None:
    results = read_results([FOLDER])
    assert len(results.answers) == 8
    assert not any("left out" in note or "incomplete" in note for note in results.notes)
    by_model = results.answers.groupby("model")
    assert {model: sorted(set(rows["feature"])) for model, rows in by_model} == {
        "embedded": ["tonic"],
        "embedded_audio": ["verbal_responsiveness"],
    }
    assert set(results.answers["prompt"]) == {"s3"}
    tonic = results.answers[results.answers["feature"] == "tonic"].iloc[0]
    assert (tonic["video_id"], tonic["segment"], tonic["end_s"]) == ("P001_V01", 0, 30.0)
    for record in results.records.values():
        assert record["embedded_model"] is True
        assert record["simulated"] is True
        assert record["data"] == "simulated-ward 1.2-seed2026"
    assert any("embedded_audio is the small embedded model" in caveat for caveat in results.caveats)


def test_provenance_names_the_models_and_no_path() -> None:
    runs = run_provenances([FOLDER])
    assert [run["model"] for run in runs] == ["embedded", "embedded_audio"]
    assert "pretrained=embedded," in runs[0]["model_args"]
    assert "/opt" not in str(runs)


def test_the_old_places_are_known() -> None:
    assert EMBEDDED_MODELS["backends/tiny/checkpoint"] == "embedded"
    assert EMBEDDED_MODELS["backends/tiny_audio/checkpoint"] == "embedded_audio"
    assert without_paths("pretrained=/a b/semiology/backends/tiny/checkpoint,fps=2").endswith(
        "embedded,fps=2"
    )


def test_report_and_compare_take_them(tmp_path: Path) -> None:
    for words in (
        ["report", str(FOLDER), "--out", str(tmp_path / "report")],
        ["compare", "always-yes", str(FOLDER / "embedded"), "--flips", "100"],
    ):
        done = CliRunner().invoke(app, words)
        assert done.exit_code == 0, done.output + str(done.exception)
        assert "embedded" in done.output
