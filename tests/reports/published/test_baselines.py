"""Published answers beside a user's run: the table that is written, and what of it a report shows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import yaml
from published_examples import LOOP, MODEL, VIDEOS, write_release
from s3_examples import all_tasks, record, write_s3_run
from typer.testing import CliRunner, Result

from semiology.cli import app
from semiology.metrics.s3.sequence.measures import edit_distance
from semiology.metrics.s3.sequence.scores import sequence_scores
from semiology.prompts.library import prompt_hash
from semiology.reports.commands import score_inputs
from semiology.reports.inputs import report_inputs
from semiology.reports.published.answers import COLUMNS, s3_answers
from semiology.reports.published.baselines import beside_features, beside_s3, read_baselines, s3_alone
from semiology.reports.read.feature_answers import read_results
from semiology.reports.read.s3_answers import read_s3_results
from semiology.reports.summary.s3 import s3_rows, summarise_s3

WriteRun = Callable[..., Path]
Make = Callable[..., Any]
SHARED = Path(__file__).parents[4] / "shared"
NAMED = f"published: {MODEL}"


def typed(*words: object) -> Result:
    return CliRunner().invoke(app, ["baselines", *map(str, words)], catch_exceptions=False)


@pytest.fixture
def answers(tmp_path: Path) -> Path:
    """The table of the small release."""
    out = tmp_path / "answers.csv"
    done = typed("import", "s3", write_release(tmp_path / "release"), "--out", out)
    assert done.exit_code == 0, done.output
    assert f"1 model, 3 recordings → {out}" in done.output.replace("\n", " ")
    return out


def test_published_answers_become_the_tidy_frame(answers: Path) -> None:
    frame = read_baselines(answers)
    assert tuple(frame.columns) == (*COLUMNS, "prompt_hash", "onsets_s", "fold")
    assert set(frame["model"]) == {MODEL}
    assert set(frame["prompt_id"]) == {"unknown"}  # no public program ran this model
    assert (frame["patient_id"] == frame["video_id"].str[:4]).all()
    found = frame.set_index(["task", "video_id", "feature"])["answer"]
    assert found["feature", VIDEOS[0], "tonic"] == "yes"
    assert found["feature", VIDEOS[2], "verbal_responsiveness"] == "unparsed"  # "fail"
    assert ("feature", VIDEOS[2], "tonic") not in found.index  # not answered
    assert found["s3_head_turning_side", VIDEOS[2], "head_turning"] == "unparsed"
    assert found["s3_onset_region", VIDEOS[1], "onset_region"] == "unparsed"
    assert found["s3_onset_time", VIDEOS[0], "tonic"] == "20"
    assert found["s3_onset_time", VIDEOS[2], "tonic"] == "unparsed"
    assert found["s3_sequence", VIDEOS[0], "sequence"] == LOOP.strip().strip(",")
    assert found["s3_sequence", VIDEOS[1], "sequence"] == "none"
    assert found["s3_diagnosis_with_report", VIDEOS[2], "diagnosis"] == "unparsed"
    assert ("s3_diagnosis", VIDEOS[2], "diagnosis") not in found.index
    assert found["s3_report", VIDEOS[1], "report"] == "患者凝视。"


def test_features_stand_beside_a_run_where_recordings_match(
    answers: Path, sample: Make, write_run: WriteRun
) -> None:
    own = [sample("tonic", 0, 0, "no", "yes", video_id=VIDEOS[0], patient_id="mine"),
           sample("tonic", 2, 0, "no", "no", video_id="elsewhere")]  # fmt: skip
    results = beside_features(read_results([write_run(own)]), read_baselines(answers))
    beside = results.answers[results.answers["model"] == NAMED]
    # The run's patient holds for both.
    assert beside[["video_id", "answer", "truth", "patient_id"]].to_numpy().tolist() == [
        [VIDEOS[0], "yes", "yes", "mine"]
    ]
    assert any(
        "1 of 5 published answers on features are about 1 recordings" in note for note in results.notes
    )
    inputs = report_inputs([write_run(own)], read_baselines(answers))
    features, _ = score_inputs(inputs, policy="wrong", resamples=100, seed=0)
    assert features is not None
    assert [run.model for run in features.runs] == ["Qwen2.5-VL-7B", NAMED]
    assert [run.prompt for run in features.runs] == ["s3", "unknown"]
    assert (
        "Models were asked differently about 1 feature (wording s3: Qwen2.5-VL-7B; " in features.caveats[-1]
    )


@pytest.mark.parametrize(("changed", "shown"), [(1, True), (2, False)])
def test_other_recordings_that_happen_to_have_the_same_ids_are_not_shown(
    changed: int, shown: bool, sample: Make, write_run: WriteRun
) -> None:
    """One annotation in ten may have been corrected since, and then the run's holds."""
    own = [sample("tonic", i, 0, "no", "yes" if i < changed else "no", video_id=f"V{i}") for i in range(10)]
    published = pd.DataFrame(
        [("feature", MODEL, "none", "s3", f"V{i}", "p", "tonic", "yes", "no") for i in range(10)],
        columns=list(COLUMNS),
    )
    results = beside_features(read_results([write_run(own)]), published)
    beside = results.answers[results.answers["model"] == NAMED]
    assert beside["truth"].tolist() == (["yes"] + ["no"] * 9 if shown else [])
    assert shown or any("8 of 10 annotations" in note for note in results.notes)


def test_published_answers_never_stand_beside_simulated_recordings(answers: Path, tmp_path: Path) -> None:
    own = read_s3_results([own_run(tmp_path)])
    assert own is not None
    simulated = replace(own, records_of_runs={"m": {"simulated": True}})
    both = beside_s3(simulated, read_baselines(answers))
    assert both.records == own.records
    assert any("are simulated, the published ones are not" in note for note in both.notes)
    others = [{**row, "truth": "right"} if row["kind"] == "side" else row for row in own.records]
    moved = beside_s3(replace(own, records=tuple(others)), read_baselines(answers))
    assert len(moved.records) == len(own.records)


def own_run(tmp_path: Path) -> Path:
    rows = [
        record("s3_onset_time", 0, 31.0, 30.0, feature="tonic", clip_form="centred"),
        record("s3_onset_time", 0, 5.0, 7.0, feature="tonic", clip_form="random"),
        record("s3_sequence", 0, ["tonic"], ["tonic", "clonic"], feature="sequence", onsets_s=[1.0, 2.0]),
        record("s3_report", 0, "Tonic.", "Tonic, then clonic.", feature="report", shown=["tonic"]),
        record("s3_head_turning_side", 0, "right", "left", feature="head_turning"),
        record("s3_diagnosis", 0, "NES", "ES", feature="diagnosis"),
        record("s3_diagnosis", 1, "NES", "NES", feature="diagnosis"),
        record("s3_diagnosis", 7, "NES", "NES", feature="diagnosis"),
    ]
    named = [
        row | {"video_id": {"v000": VIDEOS[0], "v001": VIDEOS[1]}.get(row["video_id"], "mine")}
        for row in rows
    ]
    return write_s3_run(tmp_path / "own", named)


def test_s3_tasks_stand_beside_a_run_where_recordings_match(answers: Path, tmp_path: Path) -> None:
    own = read_s3_results([own_run(tmp_path)])
    assert own is not None
    summary = summarise_s3(beside_s3(own, read_baselines(answers)), resamples=100)
    runs = {(run.task, run.model): run for run in summary.runs}
    assert {task for task, model in runs if model == NAMED} == {
        "s3_onset_time", "s3_sequence", "s3_report", "s3_head_turning_side", "s3_diagnosis",
    }  # fmt: skip
    diagnosis = runs["s3_diagnosis", NAMED]
    assert (diagnosis.counts.answered, diagnosis.counts.missing) == (2, 1)
    assert diagnosis.counts.partial
    values = {
        (row["task"], row["figure"], row["clip_form"]): row["value"]
        for row in s3_rows(summary)
        if row["model"] == NAMED
    }
    assert values["s3_onset_time", "mae", "centred"] == 10
    assert values["s3_head_turning_side", "accuracy", ""] == 1
    assert values["s3_sequence", "edit_distance", ""] == 4998
    assert any("of these runs → shown" in note for note in summary.notes)
    assert "Models were asked differently about 5 S3 tasks (wording s3: " in summary.caveats[-1]


def test_without_a_common_recording_nothing_is_shown_and_it_is_said(answers: Path, tmp_path: Path) -> None:
    own = read_s3_results([write_s3_run(tmp_path / "own", all_tasks(4))])
    assert own is not None
    both = beside_s3(own, read_baselines(answers))
    assert both.records == own.records
    assert any("baselines: no answer on s3_report" in note for note in both.notes)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda frame: frame.drop(columns="truth"), r"answers.csv:1: has no column 'truth'"),
        (
            lambda frame: pd.concat([frame, frame.head(1)]),
            r"answers.csv:\d+: answers a question a second time",
        ),
        (lambda frame: frame.assign(answer="perhaps"), r"answers.csv:2: answer is 'perhaps'"),
    ],
)
def test_a_faulty_table_is_refused_with_its_row(
    answers: Path, change: Callable[[pd.DataFrame], pd.DataFrame], message: str
) -> None:
    change(read_baselines(answers)).to_csv(answers, index=False)
    with pytest.raises(ValueError, match=message):
        read_baselines(answers)


def test_a_missing_table_is_named(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="baselines import"):
        read_baselines(tmp_path / "none.csv")


@pytest.mark.parametrize(
    ("name", "folder", "size", "models"),
    [("s3", "s3_published", 41_000, 7), ("embc", "embc_published", 540, 1)],
)
def test_the_published_releases_are_imported(
    tmp_path: Path, name: str, folder: str, size: int, models: int
) -> None:
    if not (SHARED / folder).exists():
        pytest.skip("the published answers are not at hand")
    out = tmp_path / "answers.csv"
    done = typed("import", name, SHARED / folder, "--out", out)
    assert done.exit_code == 0, done.output
    frame = read_baselines(out)
    assert frame["model"].nunique() == models
    assert len(frame) >= size
    assert not frame["answer"].eq("").any()
    assert "s3" not in set(frame.loc[frame["task"] == "feature", "prompt_id"])


@pytest.mark.skipif(not (SHARED / "s3_published").is_dir(), reason="the published answers are not at hand")
def test_every_published_answer_carries_what_its_program_sent() -> None:
    """Hashes of the texts in the public programs, as `shared/benchmark/repository_prompts.yaml` quotes them."""
    sent = yaml.safe_load((SHARED / "benchmark/repository_prompts.yaml").read_text(encoding="utf-8"))["sets"]
    tail = sent[0]["tails"]["format_prompt_no_time"]
    rows = s3_answers(SHARED / "s3_published")
    rows = rows[rows["task"] == "feature"]
    for model, group in rows.drop_duplicates(["model", "feature"]).groupby("model"):
        program = 2 if "InternVL" in str(model) else 1 if "flamingo" in str(model) else 0
        for feature, digest in zip(group["feature"], group["prompt_hash"], strict=True):
            text = sent[program]["stems"][feature] + (f" {tail}" if program == 0 else "")
            assert digest == prompt_hash(text), (model, feature)


def test_a_table_that_mislabels_its_wordings_is_refused(answers: Path) -> None:
    pd.read_csv(answers, dtype=str).drop(columns="prompt_hash").to_csv(answers, index=False)
    with pytest.raises(ValueError, match="no public program sent → write it again"):
        read_baselines(answers)


@pytest.mark.skipif(
    not (SHARED / "s3_published").is_dir(), reason="the published answers are not beside the project"
)
def test_features_that_begin_together_stay_ties_in_published_orders() -> None:
    """The published orders are those of the annotated onsets; two recordings contradict them and stay as published."""
    answers = s3_answers(SHARED / "s3_published")
    table = pd.read_csv(SHARED / "s3_published/ground_truth/annotations.csv.gz", keep_default_na=False)
    known = {(v, f): o for v, f, p, o in table.iloc[:, [0, 2, 3, 4]].itertuples(index=False) if p == "yes"}
    orders = answers[answers["task"] == "s3_sequence"].drop_duplicates(["video_id", "truth"])
    tied, strict = 0, set()
    for video, truth, text in zip(orders["video_id"], orders["truth"], orders["onsets_s"], strict=True):
        onsets = [float(each) for each in text.split()]
        annotated = [float(known[video, feature]) for feature in truth.split(", ")]
        if sorted(annotated) == annotated:
            assert onsets == annotated
            tied += len(onsets) - len(set(onsets))
        else:
            strict.add(video)
            assert onsets == list(range(len(onsets)))
    assert (tied, strict) == (403, {"P049_V01", "P077_V02"})
    s3 = s3_alone(answers)
    assert s3 is not None
    whole = [each for each in s3.records if each["kind"] == "sequence"]
    each = next(each for each in whole if len(each["truth"]) == 2 and len(set(each["onsets_s"])) == 1)
    onsets = dict(zip(each["truth"], each["onsets_s"], strict=True))
    for order in (each["truth"], each["truth"][::-1]):
        assert sequence_scores(order, each["truth"], onsets)["relation_f1"] == 1


def test_imported_sequences_give_the_edit_distances_of_table_17() -> None:
    """The publication compares the model that hears with the audiovisual order, the others with the visual one."""
    rows = s3_answers(SHARED / "s3_published")
    rows = rows[rows["task"] == "s3_sequence"]

    def tokens(text: str) -> list[str]:
        return [] if text in ("none", "") else text.split(", ")

    distances = [
        edit_distance(tokens(a), tokens(t)) for a, t in zip(rows["answer"], rows["truth"], strict=True)
    ]
    found = rows.assign(distance=distances).groupby("model")["distance"].mean().round(2).to_dict()
    assert found == {
        "InternVL3_5-8B": 867.79, "Qwen2.5-VL-7B": 39.83, "Qwen3-VL-8B": 19.44, "Qwen2.5-VL-32B": 543.53,
        "Qwen3-VL-32B": 17.51, "Qwen2.5-Omni-7B": 43.30,
    }  # fmt: skip


def test_orders_of_models_that_hear_and_others_are_about_the_same_questions() -> None:
    """One true order a recording, as in the records of runs: the visible features, and those of sound beside them."""
    both = {"tonic": 1.0, "ictal_vocalization": 2.0}
    rows = [
        ("model-a", "V1", "tonic", "1"),
        ("model-omni", "V1", "tonic, ictal_vocalization", "1 2"),
        ("model-omni", "V2", "ictal_vocalization", "5"),
    ]
    frame = pd.DataFrame(rows, columns=["model", "video_id", "truth", "onsets_s"]).assign(
        task="s3_sequence",
        patient_id="P1",
        enhancement="none",
        prompt_id="s3",
        feature="sequence",
        answer="tonic",
    )
    s3 = s3_alone(frame)
    assert s3 is not None
    seen = {(each["model"], each["video_id"]): each for each in s3.records}
    assert (
        seen["published: model-a", "V1"]["truth"] == seen["published: model-omni", "V1"]["truth"] == ["tonic"]
    )
    assert seen["published: model-omni", "V1"]["truth_audiovisual"] == list(both)
    assert seen["published: model-omni", "V2"]["truth"] == []
    summary = summarise_s3(s3, resamples=100)
    edits = {run.model: run.parts[0].scores.estimates["edit_distance"].value for run in summary.runs}
    assert edits == {"published: model-a": 0.0, "published: model-omni": 1.0}
