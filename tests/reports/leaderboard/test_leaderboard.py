"""The leaderboard file: schema, no patients, small cells, merging, and what a forged file meets."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from jsonschema import Draft202012Validator
from typer.testing import CliRunner

from semiology.cli import app
from semiology.features import FEATURES
from semiology.reports.leaderboard.entries import ExportOptions, IdentifierError, entries
from semiology.reports.leaderboard.files import faults, merged, read_board, schema, write_board
from semiology.reports.leaderboard.models import HUMAN
from semiology.reports.leaderboard.show import COLUMNS as SHOWN
from semiology.reports.leaderboard.show import cells, groups, readers
from semiology.reports.published.answers import COLUMNS
from semiology.reports.published.baselines import features_alone
from semiology.reports.read.feature_answers import read_results
from semiology.reports.read.lmms_eval_files import HUMAN_READER
from semiology.reports.summary.features import summarise

WriteRun = Callable[..., Path]
Records = Callable[..., list[dict[str, Any]]]
PACKAGES = {"semiology-eval": "0.1.0", "lmms-eval": "0.7.3", "numpy": "2.4.6"}


@pytest.fixture
def run(write_run: WriteRun, records: Records) -> Path:
    rows = [row for f in ("tonic", "clonic") for row in records(f, seed=len(f))]
    rare = [
        r | {"truth": "yes" if r["video_id"] in ("v000", "v001", "v009") else "no"}
        for r in records("figure4")
    ]
    return write_run(
        rows + rare,
        record={"data": "ward 1", "model_args": "pretrained=x,revision=abc123", "packages": PACKAGES},
    )


def made(run: Path, **options: Any) -> list[dict[str, Any]]:
    results = read_results([run])
    cards = options.pop("cards", {})
    return entries(results, summarise(results, resamples=100), ExportOptions(cards, **options))


def test_the_schema_is_valid_and_names_every_feature() -> None:
    Draft202012Validator.check_schema(schema())
    assert tuple(schema()["$defs"]["FeatureRow"]["properties"]["feature"]["enum"]) == FEATURES
    assert schema()["additionalProperties"] is False


def test_figures_are_those_of_the_report_and_no_id_travels_along(run: Path, tmp_path: Path) -> None:
    (entry,) = made(run, submitter="Ward")
    summary = summarise(read_results([run]), resamples=100)
    clonic = next(row for row in entry["features"] if row["feature"] == "clonic")
    scores = next(s for s in summary.runs[0].scores.features if s.feature == "clonic")
    assert clonic["scores"]["f1"]["value"] == pytest.approx(scores.estimates["f1"].value, abs=1e-4)
    assert clonic["scores"]["f1"]["low"] == pytest.approx(scores.estimates["f1"].low, abs=1e-4)
    assert clonic["n_positive_patients"] == scores.n_positive_patients
    assert entry["model"]["revision"] == "abc123"
    assert entry["data"]["name"] == "ward 1"
    assert entry["software"] == {"semiology-eval": "0.1.0", "lmms-eval": "0.7.3"}
    assert entry["protocol"]["prompt_sha256"]["tonic"] == "ab" * 32
    path = tmp_path / "board.json"
    write_board(path, [entry])
    text = path.read_text(encoding="utf-8")
    for number in range(60):
        assert f'"v{number:03d}"' not in text
        assert f'"p{number // 2:03d}"' not in text
    assert read_board(path)["entries"] == [entry]


def test_small_cells_are_withheld_unless_internal(run: Path) -> None:
    row = next(row for row in made(run)[0]["features"] if row["feature"] == "figure4")
    assert row["withheld"]
    assert row["scores"] == {}
    assert row["n_positive"] is row["prevalence"] is row["n"] is None
    inside = next(row for row in made(run, internal=True)[0]["features"] if row["feature"] == "figure4")
    assert inside["n_positive_patients"] == 2
    assert inside["scores"]["f1"]["value"] is not None


def test_no_mean_holds_what_is_withheld(run: Path) -> None:
    """A mean over all, together with the scores on the others, would give the withheld one away."""
    (entry,) = made(run)
    rows = {row["feature"]: row for row in entry["features"]}
    assert [name for name, row in rows.items() if row["withheld"]] == ["figure4"]
    for macro in entry["macro"]:
        assert macro["features"] == ["tonic", "clonic"]
        told = [rows[name] for name in macro["features"]]
        for name, score in macro["scores"].items():
            mean = sum(row["scores"][name]["value"] for row in told) / len(told)
            assert score["value"] == pytest.approx(mean, abs=2e-4), name
        assert macro["always_yes_f1"] == pytest.approx(sum(r["always_yes_f1"] for r in told) / 2, abs=2e-4)
    (inside,) = made(run, internal=True)
    assert not any(row["withheld"] for row in inside["features"])
    assert "figure4" in inside["macro"][0]["features"]
    # What is told of the others does not depend on what is withheld.
    for row in inside["features"]:
        if row["feature"] != "figure4":
            assert row == rows[row["feature"]]


@pytest.mark.parametrize(("positive_patients", "negatives"), [(4, 30), (30, 4)])
def test_few_patients_with_or_recordings_without_the_feature_are_withheld(
    write_run: WriteRun, records: Records, positive_patients: int, negatives: int
) -> None:
    def truth(row: dict[str, Any]) -> str:
        number = int(row["video_id"][1:])
        return (
            "yes"
            if (number % 2 == 0 and number < 2 * positive_patients) or number >= 30 + negatives
            else "no"
        )

    rows = [row | {"truth": truth(row)} for row in records("figure4", videos=30 + negatives)]
    if positive_patients > 5:
        rows = [row | {"truth": "no" if int(row["video_id"][1:]) < negatives else "yes"} for row in rows]
    (entry,) = made(write_run(rows))
    assert [row["withheld"] for row in entry["features"]] == [True]
    assert entry["macro"] == []


def test_an_id_in_a_name_is_refused(write_run: WriteRun, records: Records) -> None:
    leaking = write_run(records("tonic"), folder="leak", model="org/v003")
    with pytest.raises(IdentifierError, match="would hold the id"):
        made(leaking)


def test_cards_are_checked(run: Path) -> None:
    card = {"parameters_billions": 7, "licence": "Apache-2.0", "link": "https://example.org/x"}
    (entry,) = made(run, cards={"Qwen2.5-VL-7B": card})
    assert entry["model"]["parameters_billions"] == 7
    with pytest.raises(ValueError, match="about no model here"):
        made(run, cards={"other": {}})
    with pytest.raises(ValueError, match="unknown key 'size'"):
        made(run, cards={"Qwen2.5-VL-7B": {"size": 7}})


def board_of(entry: dict[str, Any]) -> dict[str, Any]:
    return {"format": "semiology-leaderboard", "version": 1, "software": "x", "entries": [entry]}


def test_forged_files_are_refused_with_their_place(run: Path) -> None:
    (entry,) = made(run)
    assert faults(board_of(entry)) == []

    def forged(change: Callable[[dict[str, Any]], Any]) -> list[str]:
        other = copy.deepcopy(entry)
        change(other)
        return faults(board_of(other))

    assert "patients" in forged(lambda e: e.update(patients=["p001"]))[0]
    assert "entries.0.model" in forged(lambda e: e["model"].update(link="javascript:alert(1)"))[0]
    assert forged(lambda e: e["model"].update(name="a\x1b[31m"))
    assert "edited" in forged(lambda e: e["model"].update(name="better"))[0]
    assert forged(lambda e: e["features"][-1]["scores"]["f1"].update(value=7))
    swapped = forged(lambda e: e["features"][-1]["scores"]["f1"].update(low=0.9, high=0.1))
    assert "is no interval" in swapped[0]
    assert "version is 2" in faults(board_of(entry) | {"version": 2})[0]
    assert "stands twice" in faults(board_of(entry) | {"entries": [entry, entry]})[0]
    assert faults([]) != []


def test_merging_keeps_one_entry_each(run: Path) -> None:
    (entry,) = made(run)
    again, added, replaced = merged([entry], [entry | {"submitted": "2020-01-01"}])
    assert (len(again), added, replaced) == (1, 0, 0)
    other = copy.deepcopy(entry)
    other["macro"][0]["scores"]["f1"]["value"] = 0.9
    with pytest.raises(ValueError, match="--replace"):
        merged([entry], [other])
    elsewhere = made(run, submitter="Other laboratory")
    both, added, _ = merged([entry], elsewhere)
    assert (len(both), added) == (2, 1)
    shown = [dict(zip((column.name for column in SHOWN), row, strict=True)) for row in cells(both, "visual")]
    assert [row["laboratory"] for row in shown] == ["–", "Other laboratory"]
    assert [row["revision"] for row in shown] == ["abc123", "abc123"]
    kept, added, replaced = merged([entry], [other], replace=True)
    assert (added, replaced) == (0, 1)
    assert kept[0]["macro"][0]["scores"]["f1"]["value"] == 0.9


def test_published_answers_are_no_laboratorys_own(records: Records) -> None:
    rows = [row | {"task": "feature", "model": "m"} for row in records("tonic") if row["segment"] == 0]
    results = features_alone(pd.DataFrame(rows)[list(COLUMNS)])
    assert results is not None
    summary = summarise(results, resamples=100)
    ours, theirs = (entries(results, summary, ExportOptions({}, name)) for name in ("Ward", "Other"))
    assert ours[0]["submitter"] is None
    assert ours[0]["id"] == theirs[0]["id"]
    assert merged(ours, theirs)[1:] == (0, 0)
    (row,) = cells(ours, "visual")
    assert dict(zip((column.name for column in SHOWN), row, strict=True))["laboratory"] == "published answers"


def test_only_the_same_data_are_ranked_together(write_run: WriteRun, records: Records) -> None:
    rows = records("tonic", skill=0.9)
    worse = records("tonic", skill=0.2)
    fewer = [row for row in rows if row["video_id"] < "v040"]
    runs = [
        write_run(part, folder=name, model=f"org/{name}")
        for name, part in (("good", rows), ("bad", worse), ("part", fewer))
    ]
    board = [entry for run in runs for entry in made(run)]
    found = groups(board, "visual")
    assert sorted(len(ranked) for ranked in found.values()) == [1, 2]
    ranked = next(ranked for ranked in found.values() if len(ranked) == 2)
    names = [row[0] for row in cells(ranked, "visual")]
    assert names == ["good", "bad"]


def test_the_same_data_under_two_names_are_ranked_together(run: Path) -> None:
    (ours,) = made(run, submitter="Ward")
    theirs = copy.deepcopy(ours) | {"submitter": "Other laboratory"}
    theirs["data"]["name"] = "ward, first release"
    assert ours["data"]["fingerprint"] is not None
    ((title, ranked),) = groups([ours, theirs], "visual").items()
    assert title.startswith("ward 1 = ward, first release ")
    assert len(ranked) == 2
    # Without a fingerprint the same name and numbers prove nothing between two laboratories.
    small = [copy.deepcopy(ours), copy.deepcopy(ours) | {"submitter": "Other laboratory"}]
    for entry in small:
        entry["data"]["fingerprint"] = None
    assert [len(ranked) for ranked in groups(small, "visual").values()] == [1, 1]
    other = copy.deepcopy(theirs)
    other["macro"][0]["features"] = ["tonic", "clonic", "head_turning"]
    assert [len(ranked) for ranked in groups([ours, other], "visual").values()] == [1, 1]


def test_the_commands(run: Path, tmp_path: Path) -> None:
    runner = CliRunner()
    ours, board = tmp_path / "ours.json", tmp_path / "board.json"
    options = ["--out", str(ours), "--resamples", "100"]
    told = runner.invoke(app, ["leaderboard", "export", str(run), *options])
    assert "What travels in this file" in told.output
    assert "data.name: " in told.output or "dataset" in told.output
    assert told.exit_code == 0, told.output
    assert "1 entry" in told.output
    assert "withheld" in told.output
    assert runner.invoke(app, ["leaderboard", "validate", str(ours)]).exit_code == 0
    imported = runner.invoke(app, ["leaderboard", "import", str(ours), "--into", str(board)])
    assert "1 entry added, 0 replaced" in imported.output
    shown = runner.invoke(app, ["leaderboard", "show", str(board)])
    assert "Qwen2.5-VL-7B" in shown.output
    printed = runner.invoke(app, ["leaderboard", "schema"])
    assert json.loads(printed.output) == schema()
    newer = json.loads(ours.read_text()) | {"version": 2}
    (tmp_path / "newer.json").write_text(json.dumps(newer))
    (tmp_path / "none.json").write_text("{}")
    names = [str(tmp_path / name) for name in ("newer.json", "none.json", "ours.json")]
    refused = runner.invoke(app, ["leaderboard", "validate", *names])
    assert "ours.json: 1 entry" in refused.output  # a faulty file does not keep the others from being read
    assert "newer.json" in str(refused.exception)
    assert "update semiology-eval" in str(refused.exception)
    assert "none.json" in str(refused.exception)
    (tmp_path / "cards.yaml").write_text("Qwen2.5-VL-7B: [1,")
    broken = runner.invoke(
        app, ["leaderboard", "export", str(run), "--card", str(tmp_path / "cards.yaml"), *options]
    )
    assert isinstance(broken.exception, ValueError)
    assert "cannot be read as YAML" in str(broken.exception)
    ours.write_text('{"format": "semiology-leaderboard", "version": 1, "x": NaN}')
    refused = runner.invoke(app, ["leaderboard", "validate", str(ours)])
    assert isinstance(refused.exception, ValueError)
    assert "no JSON" in str(refused.exception)


def test_human_readers_stand_beside_models_and_are_never_ranked(
    write_run: WriteRun, records: Records, tmp_path: Path
) -> None:
    runs = [
        write_run(records("tonic", skill=skill), folder=name, model=name)
        for name, skill in (("model", 0.6), ("human reader ZZ", 0.99), ("human reader AB", 0.9))
    ]
    for run in runs[1:]:
        (results,) = run.rglob("*_results.json")
        content = json.loads(results.read_text(encoding="utf-8"))
        content["config"] |= {"model": HUMAN_READER, "reader": {"answered": 96, "asked": 96}}
        results.write_text(json.dumps(content), encoding="utf-8")
    board = [entry for run in runs for entry in made(run, submitter="Ward")]
    assert [entry["source"] for entry in board] == ["run", HUMAN, HUMAN]
    (ranked,) = groups(board, "visual").values()
    assert [entry["source"] for entry in ranked] == ["run"]  # though both readers score more
    (people,) = readers(board, "visual").values()
    assert [entry["model"]["name"] for entry in people] == ["human reader AB", "human reader ZZ"]
    path = tmp_path / "board.json"
    write_board(path, board)
    shown = CliRunner().invoke(app, ["leaderboard", "show", str(path)])
    assert shown.exit_code == 0, shown.output
    told = " ".join(shown.output.replace("│", " ").split())
    apart = told.index("Human readers of the same recordings, by name: not ranked")
    assert told.index("model") < apart < told.index("human reader AB")
    assert "human reader AB is a person" in told
    assert "human reader ZZ =" not in told
    write_board(path, board[1:])
    alone = CliRunner().invoke(app, ["leaderboard", "show", str(path)])
    assert "Human readers, by name: not ranked" in " ".join(alone.output.split())
