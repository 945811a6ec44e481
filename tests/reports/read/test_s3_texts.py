"""Beside the S3 figures: BERTScore and its encoder, the truth of a sequence, and judges of several models."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from s3_examples import REPORT, record, write_s3_run

from semiology.metrics.s3.text.bertscore import BertSimilarity
from semiology.metrics.s3.text.readers import text_digest
from semiology.metrics.s3.text.seizure_rqi import LOCATIONS, ReportFindings
from semiology.reports.read.run_texts import Maker, Readings, write_readings
from semiology.reports.read.s3_answers import read_s3_results
from semiology.reports.summary.s3 import S3Summary, s3_rows, summarise_s3
from semiology.reports.tables.s3 import s3_markdown

SAID = "The head turns to the left."


def summary_of(*folders: Path, similarity: BertSimilarity | None = None) -> S3Summary:
    results = read_s3_results(list(folders))
    assert results is not None
    return summarise_s3(results, resamples=100, similarity=similarity)


def reports(videos: int = 12) -> list[dict[str, Any]]:
    return [
        record("s3_report", video, SAID if video % 3 else REPORT, REPORT, shown=["head_turning"])
        for video in range(videos)
    ]


@pytest.fixture(scope="module")
def encoder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A miniature encoder with random weights and a vocabulary of letters."""
    import torch
    from transformers import BertConfig, BertModel, BertTokenizer

    torch.manual_seed(0)
    folder = tmp_path_factory.mktemp("mini_encoder")
    letters = [*"abcdefghijklmnopqrstuvwxyz."]
    pieces = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *letters, *(f"##{one}" for one in letters)]
    BertTokenizer(vocab={piece: i for i, piece in enumerate(pieces)}).save_pretrained(folder)
    sizes = {"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 16}
    BertModel(BertConfig(vocab_size=len(pieces), **sizes)).save_pretrained(folder)
    return folder


def test_bertscore_says_that_no_encoder_was_given_or_which(tmp_path: Path, encoder: Path) -> None:
    folder = write_s3_run(tmp_path / "run", reports())
    (bare,) = [row for row in s3_rows(summary_of(folder)) if row["figure"] == "bertscore"]
    assert bare["value"] is None
    assert bare["reason"] == "no encoder was given: --bertscore-encoder FOLDER"
    assert "no encoder was given" in s3_markdown(summary_of(folder))
    summary = summary_of(folder, similarity=BertSimilarity(str(encoder)))
    (row,) = [row for row in s3_rows(summary) if row["figure"] == "bertscore"]
    assert 0 < row["value"] < 1
    assert row["low"] < row["value"] < row["high"]
    assert row["n_patients"] == 6
    assert row["baseline"] == "other_bertscore"
    assert 0 < row["baseline_value"] <= 1
    name = encoder.name.replace("_", "\\_")
    assert f"BERTScore: {name}, layer 1, not rescaled." in s3_markdown(summary)


def sequences(tmp_path: Path, model: str, sound: str) -> Path:
    """A run on recordings of which every second has sound, by a model that is handed it in some form."""
    rows = [
        record(
            "s3_sequence", video, ["ictal_vocalization", "tonic"], ["tonic"], onsets_s=[5.0],
            truth_audiovisual=["ictal_vocalization", "tonic"], onsets_audiovisual_s=[1.0, 5.0],
            hear=video % 2 == 0,
        )
        for video in range(6)
    ]  # fmt: skip
    folder = write_s3_run(tmp_path / model.replace("/", "_"), rows, model=model)
    (file,) = folder.rglob("*_results.json")
    content = json.loads(file.read_text())
    forms = {"default": {"sound": "none"}, "qwen2_5_vl": {"sound": sound}}
    content["configs"]["s3_sequence"]["lmms_eval_specific_kwargs"] = forms
    file.write_text(json.dumps(content))
    return folder


def test_a_hearing_and_a_deaf_model_stand_in_one_table_each_with_its_truth(tmp_path: Path) -> None:
    folders = [sequences(tmp_path, "x/Omni", "array"), sequences(tmp_path, "x/Deaf", "none")]
    summary = summary_of(*folders)
    values = {row["model"]: row["value"] for row in s3_rows(summary) if row["figure"] == "edit_distance"}
    assert values == {"Omni": 0.5, "Deaf": 1.0}
    told = {run.model: run.remarks[0] for run in summary.runs}
    assert told["Omni"] == (
        "Sound was heard: 3 recordings compared with the audiovisual order; "
        "3 without sound with the visual one."
    )
    assert told["Deaf"] == "Compared with the order of the visible features: no sound was heard."
    assert "Sound was heard: 3 recordings" in s3_markdown(summary)


def test_different_judges_of_two_models_are_told(tmp_path: Path) -> None:
    findings = ReportFindings(("onset",), ["tonic"], dict.fromkeys(LOCATIONS, "none"))
    folders = []
    for model, judge in (("x/One", "first"), ("x/Two", "second")):
        folder = write_s3_run(tmp_path / judge, reports(4), model=model)
        inner = next(folder.iterdir())
        readings = Readings(Maker(judge, {"report": "ab" * 32}))
        readings.findings = {text_digest(text): findings for text in (SAID, REPORT)}
        write_readings(inner, readings)
        folders.append(folder)
    summary = summary_of(*folders)
    assert {run.model: run.read_by.split(" ")[0] for run in summary.runs} == {"One": "first", "Two": "second"}
    assert any("read by different judges" in note for note in summary.notes)
    assert not any("judge" in note for note in summary_of(folders[0]).notes)
    bare = write_s3_run(tmp_path / "bare", reports(4), model="x/Bare")
    notes = summary_of(folders[0], bare).notes
    assert any(note.startswith("Bare: no judge read its texts") for note in notes)
