"""What `semiology report --out` writes: tables, LaTeX, figures, provenance; and bad input."""

from __future__ import annotations

import csv
import hashlib
import json
import re
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pandas as pd
import pytest
from report_examples import FEATURES, full_run, question_of, rows_of, write_run
from s3_examples import all_tasks, write_s3_run
from sklearn.metrics import roc_auc_score
from typer import Typer
from typer.testing import CliRunner, Result

from semiology.reports.commands import report
from semiology.reports.compare.enhancements import enhancement_effects
from semiology.reports.page.recordings import opaque_names
from semiology.reports.page.writing import code, moment
from semiology.reports.read.feature_answers import read_results
from semiology.reports.read.path_scrubbing import without_paths
from semiology.reports.read.sample_frames import sample_frame, tables_ahead
from semiology.reports.summary.features import labelled_recordings


def typed(*words: object) -> Result:
    app = Typer()
    app.command()(report)
    return CliRunner().invoke(app, [*map(str, words), "--resamples", "100"])


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    base = tmp_path_factory.mktemp("files")
    out = base / "report"
    done = typed(full_run(base / "runs"), "--out", out)
    assert done.exit_code == 0, done.output
    return out


def test_every_promised_file_is_written(written: Path) -> None:
    names = {str(path.relative_to(written)) for path in written.rglob("*") if path.is_file()}
    for stem in ("headline", "heatmap", "wordings_1", "enhancements_1"):
        assert {f"figures/{stem}.svg", f"figures/{stem}.png"} <= names
    for stem in ("s3_table_13_recognition", "embc_table_ii_facial", "embc_table_iii_limb_body"):
        assert {f"tables/{stem}.{ending}" for ending in ("csv", "md", "tex")} <= names
    warned = (written / "tables" / "s3_table_13_recognition.tex").read_text(encoding="utf-8")
    assert "The best of several wordings, found on the recordings that it is scored on" in warned
    for stem in ("headline", "heatmap", "wordings", "enhancements", "counts"):
        assert {f"tables/{stem}.csv", f"tables/{stem}.md"} <= names
    assert {"report.html", "provenance.json", "summary.csv"} <= names
    assert (written / "report.html").stat().st_size < 8_000_000
    for figure in (written / "figures").glob("*.svg"):
        ElementTree.parse(figure)


def test_p_of_yes_is_on_the_page_in_tables_and_figures_and_its_absence_is_said(
    written: Path, tmp_path: Path
) -> None:
    assert "No answer carries P(yes)" in (written / "report.html").read_text(encoding="utf-8")
    assert not (written / "probabilities.csv").exists()
    rng, truths = np.random.default_rng(5), {}
    rows = rows_of("tonic", skill=0.9, seed=1)
    for row in rows:
        shown = row["truth"] == "yes"
        row |= {"p_yes": float(np.clip(0.3 * shown + 0.6 * rng.random(), 0.01, 0.99)), "polarity": "positive"}
        truths[row["video_id"]] = shown
    write_run(tmp_path / "runs", rows, "lab/sure")
    write_run(tmp_path / "runs", rows_of("tonic", skill=0.8, seed=2), "lab/unsure")
    done = typed(tmp_path / "runs", "--out", tmp_path / "out", "--specificity", 0.8, "--error", 0.2)
    assert done.exit_code == 0, done.output
    with (tmp_path / "out" / "tables" / "certainty.csv").open(encoding="utf-8", newline="") as stream:
        (row,) = csv.DictReader(stream)
    highest = pd.DataFrame(rows).groupby("video_id")["p_yes"].max()
    expected = roc_auc_score([truths[video] for video in highest.index], highest)
    assert float(row["auroc"]) == pytest.approx(expected, abs=1e-4)
    page = (tmp_path / "out" / "report.html").read_text(encoding="utf-8")
    assert '"title":"Reliability of P(yes), sure"' in page
    assert "Without P(yes): unsure." in page
    assert "sensitivity at specificity 0.8" in page
    assert "by cross-fitting, for want of a split" in page
    ElementTree.parse(tmp_path / "out" / "figures" / "certainty_1.svg")
    command = json.loads((tmp_path / "out" / "provenance.json").read_text())["command"]
    assert "--specificity 0.8 --error 0.2" in command
    assert "[path]/runs" in command
    assert typed(tmp_path / "runs", "--specificity", 1).exit_code == 2


def test_provenance_tells_how_and_names_nobody(written: Path) -> None:
    text = (written / "provenance.json").read_text(encoding="utf-8")
    record = json.loads(text)
    assert record["data_set"]["recordings"] == 48
    assert record["data_set"]["patients"] == 24
    assert len(record["data_set"]["fingerprint"]) == 64
    assert len(record["prompts"]) == 9
    assert {run["model"] for run in record["runs"]} == {"first", "second"}
    assert record["runs"][0]["seeds"] == {"torch_seed": 1234}
    assert record["runs"][0]["generation"] == {"temperature": [0.0], "do_sample": [False]}
    assert not re.search(r"P\d{3}", text)
    assert str(written.parent) not in text
    assert '"/' not in text


def test_the_fingerprint_is_of_the_data_and_not_of_the_model(tmp_path: Path) -> None:
    marks = []
    for name, skill in (("a", 0.9), ("b", 0.2)):
        write_run(tmp_path / name, rows_of("tonic", skill=skill, seed=3), f"lab/{name}")
        assert typed(tmp_path / name, "--out", tmp_path / f"out_{name}").exit_code == 0
        record = json.loads((tmp_path / f"out_{name}" / "provenance.json").read_text())
        marks.append(record["data_set"]["fingerprint"])
    assert marks[0] == marks[1]


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("pretrained=/home/ann/ckpt,fps=2", "pretrained=[path]/ckpt,fps=2"),
        ("pretrained=Qwen/Qwen2.5-VL-7B,fps=2", "pretrained=Qwen/Qwen2.5-VL-7B,fps=2"),
        (
            "base_url=http://u:p@10.1.2.3:8000/v1,api_key=s3cr3t",
            "base_url=[address on another machine],api_key=[left out]",
        ),
        ("journal=~/x/y", "journal=[path]/y"),
        (r"C:\Users\Ann\videos", "[path]/videos"),
        (r"C:\Users\Ann Smith\videos of seizures\x", "[path]/x"),
        ("/mnt/Smith, Ann/my runs/x: no answer to and/or", "[path]/x: no answer to and/or"),
        ("--model_args pretrained=/a/b --tasks c/d", "--model_args pretrained=[path]/b --tasks c/d"),
        ("/opt/semiology/backends/tiny/checkpoint", "embedded"),
        ("spread / noise, about ~5 s", "spread / noise, about ~5 s"),
    ],
)
def test_paths_addresses_and_secrets_are_struck_out(text: str, shown: str) -> None:
    assert without_paths(text) == shown
    assert without_paths(shown) == shown  # what was cleaned once may be cleaned again


def test_no_file_names_the_folder_that_was_given(tmp_path: Path) -> None:
    inner = write_run(tmp_path / "runs", rows_of("tonic", skill=0.9, seed=1), "lab/m") / "lab__m"
    (inner / "20260101_120000_samples_s3_report.jsonl").write_text('{"s3": 1}\n')
    assert typed(tmp_path / "runs", "--out", tmp_path / "out").exit_code == 0
    told = json.loads((tmp_path / "out" / "summary.json").read_text())["notes"]
    assert any("[path]/runs: no usable answer" in note for note in told), told
    for file in (tmp_path / "out").rglob("*"):
        assert not file.is_file() or str(tmp_path) not in file.read_text("utf-8", "replace"), file


def test_ids_that_are_not_opaque_are_replaced(tmp_path: Path) -> None:
    rows = rows_of("tonic", skill=0.9, seed=1)
    for row in rows:
        row["video_id"] = f"Smith_John_{row['video_id']}"
        row["patient_id"] = "Smith" + row["patient_id"]
    write_run(tmp_path / "runs", rows, "lab/m")
    assert typed(tmp_path / "runs", "--out", tmp_path / "out").exit_code == 0
    assert not any(
        "Smith" in p.read_text("utf-8", "replace") for p in (tmp_path / "out").rglob("*") if p.is_file()
    )
    assert typed(tmp_path / "runs", "--out", tmp_path / "kept", "--keep-ids").exit_code == 0
    assert "Smith_John" in (tmp_path / "kept" / "report.html").read_text(encoding="utf-8")
    answers = read_results([tmp_path / "runs"]).answers
    assert opaque_names(answers)[0] == opaque_names(answers.sample(frac=1, random_state=0))[0]


def test_arrow_and_the_careful_reader_give_the_same_frame(tmp_path: Path) -> None:
    write_run(tmp_path, rows_of("tonic", skill=0.7, seed=2), "lab/m")
    file = next(tmp_path.rglob("*samples*.jsonl"))
    questions: dict[str, str] = {}
    quick = sample_frame(file, next(tables_ahead([file])), [], questions)
    assert list(questions.values()) == [question_of("tonic", "s3")]
    notes: list[str] = []
    file.write_bytes(file.read_bytes() + b'{"semiology": {"feature": "ton')
    again: dict[str, str] = {}
    careful = sample_frame(file, next(tables_ahead([file])), notes, again)
    assert again == questions
    assert "cut off" in notes[0]
    assert quick is not None
    assert careful is not None
    columns = ["video_id", "segment", "answer", "truth", "start_s"]
    assert quick[columns].to_dict("list") == careful[columns].to_dict("list")


def test_runs_of_one_name_with_other_settings_are_shown_apart(tmp_path: Path) -> None:
    write_run(tmp_path / "a", rows_of("tonic", skill=0.9, seed=1), "lab/m", fps="1")
    write_run(tmp_path / "b", rows_of("tonic", skill=0.5, seed=2), "lab/m", stamp="20260102_120000", fps="2")
    results = read_results([tmp_path])
    assert set(results.answers["model"]) == {"m [fps=1]", "m [fps=2]"}
    assert any("different settings" in note for note in results.notes)


def test_a_report_of_runs_without_samples_says_what_to_do(tmp_path: Path) -> None:
    write_run(tmp_path, rows_of("tonic", skill=0.9, seed=1), "lab/m")
    for file in tmp_path.rglob("*samples*.jsonl"):
        file.unlink()
    done = typed(tmp_path, "--out", tmp_path / "out")
    assert "--log_samples" in str(done.exception)
    assert not (tmp_path / "out").exists()


def test_nothing_to_report_and_videos_without_a_set_are_refused(tmp_path: Path) -> None:
    assert "name the folder of a run" in str(typed("--out", tmp_path).exception)
    assert typed(tmp_path, "--videos").exit_code == 2
    missing = typed(tmp_path / "no", "--out", tmp_path)
    assert "there is no such file or folder" in str(missing.exception)


def test_a_search_is_shown_and_a_broken_one_named(tmp_path: Path) -> None:
    write_run(tmp_path / "runs", rows_of("tonic", skill=0.9, seed=1), "lab/m")
    found: dict[str, Any] = {"feature": "tonic", "metric_calls": 30, "chosen": 1, "candidates": []}
    found |= {"objective": "f1", "trials": [{"accepted": True}, {"accepted": False}]}
    found["pareto_front"] = [{"metric_calls": 0, "front": [0]}, {"metric_calls": 30, "front": [0, 1]}]
    for number, parents in ((0, []), (1, [0])):
        candidate = {"number": number, "wording": f"<b>wording {number}</b>", "parents": parents}
        more = {"origin": "proposed", "development": {"f1": 0.5 + number / 4}, "metric_calls": 30 * number}
        found["candidates"].append(candidate | more)
    (tmp_path / "search").mkdir()
    (tmp_path / "search" / "lineage.json").write_text(json.dumps(found))
    done = typed(tmp_path / "runs", "--out", tmp_path / "out", "--lineage", tmp_path / "search")
    assert done.exit_code == 0, done.output
    page = (tmp_path / "out" / "report.html").read_text(encoding="utf-8")
    assert "1: proposed, selected on the development recordings" in page
    assert "&lt;b&gt;wording 1&lt;/b&gt;" in page
    assert "after 30 answers: 0, 1" in page
    assert '"title":"Development f1 by answers used, tonic"' in page
    assert '"what":"wording 1:","value":0.75,"more":"selected","x":30' in page
    assert "tried on training recordings first: 2 wordings, of which 1 did better there" in page
    assert "The search broke off" not in page
    (tmp_path / "search" / "lineage.json").write_text(json.dumps(found | {"unfinished": True}))
    typed(tmp_path / "runs", "--out", tmp_path / "out", "--lineage", tmp_path / "search")
    page = (tmp_path / "out" / "report.html").read_text(encoding="utf-8")
    assert "30 answers were scored in the search. The search broke off before its end" in page
    (tmp_path / "search" / "lineage.json").write_text("[]")
    broken = typed(tmp_path / "runs", "--out", tmp_path / "out", "--lineage", tmp_path / "search")
    assert "lineage.json: is no record of a search" in str(broken.exception)


def test_an_enhancement_that_changes_nothing_has_no_effect(tmp_path: Path) -> None:
    rows = [row for feature in FEATURES for row in rows_of(feature, skill=0.8, seed=5)]
    write_run(tmp_path, rows + [row | {"enhancement": "pose"} for row in rows], "lab/m")
    recordings = labelled_recordings(read_results([tmp_path]).answers)
    effects = enhancement_effects(recordings)
    assert [each.name for each in effects] == ["tonic", "clonic", "mean", "head_turning"]
    assert all(each.difference.value == 0 for each in effects)
    better = recordings.assign(
        answer=recordings["truth"].where(recordings["enhancement"] == "pose", recordings["answer"])
    )
    found = enhancement_effects(better)
    assert all(
        each.enhanced == 1 and each.difference.value == pytest.approx(1 - each.plain) for each in found
    )
    assert all(each.difference.low > 0 for each in found)  # type: ignore[operator]


def write_set(folder: Path) -> Path:
    """A recording set of the recordings of `rows_of`, half of them in the split ``test``."""
    folder.mkdir()
    ids = [f"P{video // 2:03d}_V{video % 2}" for video in range(48)]
    lines = [f"{name},{name[:4]},{name}.mp4,55,{'test' if i < 24 else 'train'}" for i, name in enumerate(ids)]
    (folder / "recordings.csv").write_text("\n".join(["video_id,patient_id,video,duration_s,split", *lines]))
    truths = {row["video_id"]: row["truth"] for row in rows_of("tonic", skill=1, seed=0)}
    lines = [f"{name},tonic,{truths[name]},{'3,9.5' if truths[name] == 'yes' else ','}" for name in ids]
    (folder / "annotations.csv").write_text("\n".join(["video_id,feature,present,onset_s,offset_s", *lines]))
    (folder / "dataset.yaml").write_text("name: made\nversion: '1'\nsource: made for a test\nlicence: none\n")
    return folder


def test_a_recording_set_brings_times_of_signs_and_the_test_split(tmp_path: Path) -> None:
    write_run(tmp_path / "runs", rows_of("tonic", skill=0.9, seed=1), "lab/m")
    data, out = write_set(tmp_path / "set"), tmp_path / "out"
    done = typed(tmp_path / "runs", "--out", out, "--data", data)
    assert done.exit_code == 0, done.output
    assert '"bars":{"tonic":{"' in (out / "report.html").read_text(encoding="utf-8")
    assert {"s3_table_13_recognition.tex", "s3_table_19_recognition.tex"} <= {
        p.name for p in (out / "tables").iterdir()
    }
    refused = typed(tmp_path / "runs", "--out", tmp_path / "other", "--data", data, "--videos")
    assert refused.exit_code != 0  # the videos are not there
    for name in {row["video_id"] for row in rows_of("tonic", skill=1, seed=0)}:
        (data / f"{name}.mp4").write_bytes(b"film")
    linked = typed(tmp_path / "runs", "--out", data / "report", "--data", data, "--videos")
    assert linked.exit_code == 0, linked.output
    page = (data / "report" / "report.html").read_text(encoding="utf-8")
    assert '"0":"../P000_V0.mp4"' in page
    assert "media-src &#39;self&#39; file:" in page


def test_a_second_report_in_a_folder_leaves_nothing_of_the_first(tmp_path: Path) -> None:
    write_run(tmp_path / "b", rows_of("tonic", skill=0.9, seed=1), "lab/m")
    out = tmp_path / "out"
    (out / "tables").mkdir(parents=True)
    (out / "tables" / "mine.csv").write_text("kept")
    assert typed(full_run(tmp_path / "a"), "--out", out).exit_code == 0
    assert (out / "figures" / "wordings_1.svg").exists()
    assert typed(tmp_path / "b", "--out", out).exit_code == 0
    assert not (out / "figures" / "wordings_1.svg").exists()
    assert not (out / "tables" / "enhancements.csv").exists()
    assert (out / "tables" / "mine.csv").exists()


def test_half_a_character_at_the_end_of_a_reply_stops_nothing(tmp_path: Path) -> None:
    rows = rows_of("tonic", skill=0.9, seed=1)
    rows[0]["justification"] = rows[0]["raw"] = "it is a \ud83e"
    rows[1]["raw"] = "\U0001f9e0"
    write_run(tmp_path / "runs", rows, "lab/m")
    assert typed(tmp_path / "runs", "--out", tmp_path / "out").exit_code == 0
    assert len(read_results([tmp_path / "runs"]).answers) == len(rows)


def test_a_model_that_was_not_asked_the_hard_features_is_not_complete(tmp_path: Path) -> None:
    rows = [row for feature in FEATURES for row in rows_of(feature, skill=0.8, seed=5)]
    write_run(tmp_path / "runs", rows, "lab/whole")
    write_run(tmp_path / "runs", [row for row in rows if row["feature"] != "clonic"], "lab/less")
    assert typed(tmp_path / "runs", "--out", tmp_path / "out").exit_code == 0
    shares = (tmp_path / "out" / "tables" / "headline.csv").read_text().splitlines()
    place = shares[0].split(",").index("coverage")
    assert {line.split(",")[0]: float(line.split(",")[place]) for line in shares[1:]} == {
        "whole": 1.0,
        "less": pytest.approx(2 / 3, abs=1e-4),
    }
    assert "no answers on clonic" in (tmp_path / "out" / "report.html").read_text(encoding="utf-8")


@pytest.mark.parametrize(("videos", "claimed"), [(10, False), (48, True)])
def test_nothing_is_claimed_on_fewer_patients_than_a_test_needs(
    tmp_path: Path, videos: int, claimed: bool
) -> None:
    rows = [row for feature in FEATURES for row in rows_of(feature, skill=1.0, seed=5, videos=videos)]
    write_run(tmp_path / "runs", rows, "lab/m")
    assert typed(tmp_path / "runs", "--out", tmp_path / "out").exit_code == 0
    table = (tmp_path / "out" / "tables" / "headline.csv").read_text()
    assert ("above always-yes" in table) == claimed
    assert ("too few patients to tell" in table) != claimed


def test_of_equal_wordings_the_reference_is_the_best(tmp_path: Path) -> None:
    rows = rows_of("tonic", skill=0.8, seed=1)
    rows += rows_of("tonic", skill=0.8, seed=1, prompt_id="minimal", family="minimal")
    rows += rows_of("tonic", skill=0.2, seed=1, prompt_id="role", family="role")
    write_run(tmp_path / "runs", rows, "lab/m")
    assert typed(tmp_path / "runs", "--out", tmp_path / "out").exit_code == 0
    lines = (tmp_path / "out" / "tables" / "wordings.csv").read_text().splitlines()
    names = lines[0].split(",")
    roles = {
        line.split(",")[names.index("wording")]: line.split(",")[names.index("role")] for line in lines[1:]
    }
    assert roles == {"s3": "reference; best", "minimal": "other", "role": "worst"}
    assert "s3 and 1 more" in (tmp_path / "out" / "report.html").read_text(encoding="utf-8")


def test_text_between_backticks_is_code_and_stays_escaped() -> None:
    assert code("type `<b>` now") == "type <code>&lt;b&gt;</code> now"
    assert code("one ` alone <i>") == "one ` alone &lt;i&gt;"
    assert moment("20261121_133414") == "2026-11-21, 13:34"
    assert moment("yesterday") == "yesterday"


def test_runs_in_several_answer_formats_have_names_of_their_own(tmp_path: Path) -> None:
    rows = rows_of("tonic", skill=0.8, seed=1) + [
        row | {"prompt_hash": hashlib.sha256(b"other").hexdigest(), "answer_format": "yes_no_json"}
        for row in rows_of("tonic", skill=0.6, seed=2)
    ]
    write_run(tmp_path / "runs", rows, "lab/m")
    assert typed(tmp_path / "runs", "--out", tmp_path / "out").exit_code == 0
    lines = (tmp_path / "out" / "tables" / "heatmap.csv").read_text().splitlines()
    place = lines[0].split(",").index("run")
    names = [line.split(",")[place] for line in lines[1:]]
    assert len(names) == len(set(names)) == 2


def test_cases_that_cannot_be_named_on_the_page_are_told(tmp_path: Path) -> None:
    """Their recordings have ids of a hospital and are not those of the features' section."""
    run = write_s3_run(tmp_path / "run", all_tasks(6))
    for path in run.rglob("*samples*"):
        path.write_text(path.read_text().replace('"v00', '"Meier_2019_'))
    write_run(tmp_path / "run", rows_of("tonic", skill=0.9, seed=0), "lab/first")
    app = Typer()
    app.command()(report)
    words = [str(tmp_path / "run"), "--out", str(tmp_path / "out"), "--resamples", "100"]
    assert CliRunner().invoke(app, words).exit_code == 0
    page = (tmp_path / "out" / "report.html").read_text(encoding="utf-8")
    assert "Single cases are not shown" in page
    assert "Meier_2019" not in page
    assert CliRunner().invoke(app, [*words, "--keep-ids"]).exit_code == 0
    page = (tmp_path / "out" / "report.html").read_text(encoding="utf-8")
    assert "Single cases are not shown" not in page
    assert "Meier_2019" in page
