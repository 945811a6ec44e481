"""semiology compare: sides, pairing, what is left out, the confirm split, and the files."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score
from typer.testing import CliRunner

from semiology.cli import app
from semiology.data.protection.ledger import LEDGER
from semiology.metrics.paired.verdict import verdict
from semiology.reports.compare.comparison import Options, compare_sides
from semiology.reports.compare.enhancements import compare_enhancements
from semiology.reports.compare.files import content, preamble
from semiology.reports.compare.sentences import feature_sentence, primary_sentences
from semiology.reports.compare.sides import only_condition, read_side
from semiology.reports.protected import scored_set
from semiology.reports.published.answers import COLUMNS

WriteRun = Callable[..., Path]
Records = Callable[..., list[dict[str, Any]]]
QUICK = Options(flips=500)


def answered(rows: list[dict[str, Any]], skill: float, **more: Any) -> list[dict[str, Any]]:
    """The same questions with the same truths, answered with this skill."""
    rng = np.random.default_rng(int(100 * skill))
    wrong = {"yes": "no", "no": "yes"}
    return [
        row | {"answer": row["truth"] if rng.random() < skill else wrong[row["truth"]]} | more for row in rows
    ]


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SEMIOLOGY_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("SEMIOLOGY_DATA", raising=False)


def two_runs(write_run: WriteRun, records: Records, **more: Any) -> tuple[Path, Path]:
    made = []
    rows = [row for f in ("tonic", "clonic") for row in records(f, seed=len(f), **more)]
    for name, skill in (("poor", 0.35), ("good", 0.95)):
        made.append(write_run(answered(rows, skill), folder=name, model=f"org/{name}"))
    return made[0], made[1]


def baselines(path: Path, rows: list[dict[str, Any]], answers: dict[str, list[str]]) -> Path:
    """Published answers about the first segment of each recording of a run."""
    first = [row for row in rows if row["segment"] == 0]
    made = [
        {
            **{name: row.get(name, "") for name in COLUMNS},
            "task": "feature",
            "model": model,
            "answer": words[i % len(words)] if words[0] != "truth" else row["truth"],
        }
        for model, words in answers.items()
        for i, row in enumerate(first)
    ]
    pd.DataFrame(made, columns=list(COLUMNS)).to_csv(path, index=False)
    return path


def test_sides_that_were_asked_differently_are_said_to_be(write_run: WriteRun, records: Records) -> None:
    poor, good = two_runs(write_run, records)
    same = compare_sides(read_side(str(poor)), read_side(str(good)), QUICK)
    assert same.asked == ("Both were asked in the same words.",)
    assert compare_sides(read_side("always-yes"), read_side(str(good)), QUICK).asked == ()
    rows = [row for f in ("tonic", "clonic") for row in records(f, seed=len(f))]
    changed = [row | ({"prompt_hash": "f" * 64} if row["feature"] == "tonic" else {}) for row in rows]
    other = write_run(answered(changed, 0.5), folder="other", model="org/other")
    found = compare_sides(read_side(str(good)), read_side(str(other)), QUICK)
    (told,) = found.asked
    assert told.startswith(
        "A and B were asked differently about 1 of 2 features (A: wording s3; B: wording s3): "
    )
    assert told.endswith("what sets them apart there is model and question together.")
    assert set(found.asked) <= set(preamble(found))
    assert content(found)["asked"] == list(found.asked)


def test_a_better_run_is_told_to_be_better(write_run: WriteRun, records: Records) -> None:
    poor, good = two_runs(write_run, records)
    found = compare_sides(read_side(str(poor)), read_side(str(good)), QUICK)
    assert (found.first, found.second) == ("poor", "good")
    assert found.n_recordings == 60
    assert found.result.n_patients == 30
    score = found.result.macro["f1"]
    assert verdict(score, found.result.alpha) == "higher"
    sentence = primary_sentences(found)[1]
    assert "good is higher" in sentence
    assert f"good {score.second:.3f}, poor {score.first:.3f}" in sentence
    back = compare_sides(read_side(str(good)), read_side(str(poor)), QUICK)
    assert verdict(back.result.macro["f1"], back.result.alpha) == "lower"
    assert feature_sentence(back.result.features[0], back).endswith("Exploratory.")


def test_only_shared_questions_count_and_the_others_are_listed(write_run: WriteRun, records: Records) -> None:
    full = records("tonic", skill=0.9) + records("clonic", skill=0.9)
    kept = [
        row
        for row in full
        if row["video_id"] != "v003" and (row["video_id"], row["feature"]) != ("v005", "tonic")
    ]
    a = write_run(full, folder="a", model="org/a")
    b = write_run(kept, folder="b", model="org/b")
    found = compare_sides(read_side(str(a)), read_side(str(b)), QUICK)
    assert found.n_recordings == 59
    assert {(u.video_id, u.missing, u.whole, u.features) for u in found.unpaired} == {
        ("v003", "second", True, ("tonic", "clonic")),
        ("v005", "second", False, ("tonic",)),
    }
    assert not {("v003", "tonic"), ("v005", "tonic")} & set(
        found.pairs[["video_id", "feature"]].itertuples(index=False, name=None)
    )


def test_runs_without_a_common_recording_are_refused(write_run: WriteRun, records: Records) -> None:
    a = write_run(records("tonic"), folder="a", model="org/a")
    other = [row | {"video_id": f"x{row['video_id']}"} for row in records("tonic")]
    b = write_run(other, folder="b", model="org/b")
    with pytest.raises(ValueError, match="share no recording"):
        compare_sides(read_side(str(a)), read_side(str(b)), QUICK)


def test_sets_of_different_names_and_changed_annotations_are_refused(
    write_run: WriteRun, records: Records
) -> None:
    rows = records("tonic")
    a = write_run(rows, folder="a", model="org/a", record={"data": "ward 1"})
    b = write_run(rows, folder="b", model="org/b", record={"data": "ward 2"})
    with pytest.raises(ValueError, match=r"different recording sets \(ward 1; ward 2\)"):
        compare_sides(read_side(str(a)), read_side(str(b)), QUICK)
    allowed = Options(flips=500, any_set=True)
    assert compare_sides(read_side(str(a)), read_side(str(b)), allowed).n_recordings == 60
    turned = [row | {"truth": {"yes": "no", "no": "yes"}[row["truth"]]} for row in rows]
    c = write_run(turned, folder="c", model="org/c")
    with pytest.raises(ValueError, match="another truth"):
        compare_sides(read_side(str(a)), read_side(str(c)), QUICK)


def test_a_side_must_be_one_condition(write_run: WriteRun, records: Records) -> None:
    rows = records("tonic") + records("tonic", prompt_id="embc", prompt_hash="cd" * 32)
    run = write_run(rows)
    with pytest.raises(ValueError, match=r"holds 2 conditions[\s\S]*::prompt=embc'[\s\S]*::prompt=s3'"):
        only_condition(read_side(str(run)))
    chosen = only_condition(read_side(f"{run}::prompt=embc"))
    assert chosen.prompt == "embc"
    with pytest.raises(ValueError, match="nothing here matches"):
        read_side(f"{run}::prompt=other")
    with pytest.raises(ValueError, match="cannot choose by 'wording'"):
        read_side(f"{run}::wording=s3")
    with pytest.raises(ValueError, match="no such file or folder"):
        read_side("nowhere")
    same = compare_sides(read_side(f"{run}::prompt=s3"), read_side(f"{run}::prompt=embc"), QUICK)
    assert "the answers are the same" in primary_sentences(same)[0]


def test_the_best_of_the_published_is_found_and_told(
    write_run: WriteRun, records: Records, tmp_path: Path
) -> None:
    rows = records("tonic", skill=0.5)
    table = baselines(
        tmp_path / "published.csv", rows, {"always": ["yes"], "seer": ["truth"], "noise": ["yes", "no"]}
    )
    run = write_run(rows)
    found = compare_sides(read_side(f"{table}::best"), read_side(str(run)), QUICK)
    assert found.first == "published: seer"
    assert any("best of 3 published models" in note and "favours it" in note for note in found.notes)
    assert verdict(found.result.macro["balanced_accuracy"], found.result.alpha) == "lower"


def test_published_truths_yield_to_those_of_a_run(
    write_run: WriteRun, records: Records, tmp_path: Path
) -> None:
    rows = records("tonic")
    old = [
        row | {"truth": {"yes": "no", "no": "yes"}[row["truth"]]} if row["video_id"] == "v001" else row
        for row in rows
    ]
    table = baselines(tmp_path / "published.csv", old, {"seer": ["yes"]})
    found = compare_sides(read_side(str(table)), read_side(str(write_run(rows))), QUICK)
    truth = {row["video_id"]: row["truth"] for row in rows}
    assert found.pairs.set_index("video_id")["truth"].to_dict() == truth
    assert any("1 published answers carry another truth" in note for note in found.notes)


def test_other_recordings_of_the_same_ids_are_refused(
    write_run: WriteRun, records: Records, tmp_path: Path
) -> None:
    rows = records("tonic")
    other = {"yes": "no", "no": "yes"}
    old = [row | {"truth": other[row["truth"]]} if int(row["video_id"][1:]) % 3 else row for row in rows]
    table = baselines(tmp_path / "published.csv", old, {"seer": ["yes"]})
    run = read_side(str(write_run(rows)))
    with pytest.raises(ValueError, match="these are other recordings"):
        compare_sides(read_side(str(table)), run, QUICK)
    same = read_side(str(baselines(tmp_path / "same.csv", rows, {"seer": ["yes"]})))
    simulated = replace(run, facts={"m": {"simulated": True}})
    with pytest.raises(ValueError, match="are simulated"):
        compare_sides(same, simulated, QUICK)
    assert compare_sides(read_side("always-yes"), simulated, QUICK).n_recordings > 0


def test_constant_answers_stand_for_a_side(write_run: WriteRun, records: Records) -> None:
    run = write_run(records("tonic", skill=0.9))
    found = compare_sides(read_side("always-yes"), read_side(str(run)), QUICK)
    assert found.result.features[0].scores["f1"].first == pytest.approx(
        found.result.features[0].always_yes_f1
    )
    assert found.result.features[0].scores["balanced_accuracy"].first == 0.5
    with pytest.raises(ValueError, match="both sides are constant"):
        compare_sides(read_side("always-yes"), read_side("always-no"), QUICK)


def test_answers_that_are_no_answers_are_counted_or_dropped_on_both_sides(
    write_run: WriteRun, records: Records
) -> None:
    rows = records("tonic", skill=1.0)
    worse = [row | {"answer": "unparsed"} if row["video_id"] in ("v002", "v004") else row for row in rows]
    a, b = write_run(rows, folder="a", model="o/a"), write_run(worse, folder="b", model="o/b")
    wrong = compare_sides(read_side(str(a)), read_side(str(b)), QUICK)
    assert wrong.unusable == (0, 2)
    assert wrong.result.features[0].n == 60
    assert wrong.result.features[0].scores["accuracy"].second == pytest.approx(58 / 60)
    drop = compare_sides(read_side(str(a)), read_side(str(b)), Options(flips=500, policy="drop"))
    assert drop.result.features[0].n == 58
    assert drop.n_dropped == 2
    assert drop.result.features[0].scores["accuracy"].second == 1


def test_each_enhancement_is_held_against_the_plain_run(write_run: WriteRun, records: Records) -> None:
    tonic, eyes = records("tonic"), records("close_eyes")
    plain = answered(tonic, 0.4) + answered(eyes, 0.4)
    pose = [row for row in answered(tonic, 0.95, enhancement="pose") if row["video_id"] != "v007"]
    crop = answered(eyes, 0.4, enhancement="crop")
    base, turned = write_run(plain, folder="plain"), write_run(pose + crop, folder="turned")
    crop_found, pose_found = compare_enhancements(read_side(str(base)), read_side(str(turned)), QUICK)
    assert [f.feature for f in pose_found.result.features] == ["tonic"]
    assert [f.feature for f in crop_found.result.features] == ["close_eyes"]
    assert verdict(pose_found.result.macro["f1"], pose_found.result.alpha) == "higher"
    assert [u.video_id for u in pose_found.unpaired] == ["v007"]
    assert pose_found.second == "Qwen2.5-VL-7B · pose"
    with pytest.raises(ValueError, match="no answers with an enhancement"):
        compare_enhancements(read_side(str(base)), read_side(str(base)), QUICK)
    other = write_run(records("tonic", enhancement="pose"), folder="other", model="org/other")
    with pytest.raises(ValueError, match="has no plain answers of other"):
        compare_enhancements(read_side(str(base)), read_side(str(other)), QUICK)


@pytest.mark.parametrize(
    ("feature", "enhancement", "told"),
    [("tonic", "pose", False), ("ictal_vocalization", "denoise", True)],
)
def test_no_audio_input_is_told_only_where_sound_is_compared(
    write_run: WriteRun, records: Records, feature: str, enhancement: str, told: bool
) -> None:
    record = {"deaf": True, "embedded_model": True, "left_out": {"clonic": {"recordings_not_annotated": 3}}}
    plain = [row for name in ("tonic", "clonic", "ictal_vocalization") for row in records(name)]
    base = write_run(plain, folder="plain", record=record)
    turned = write_run(records(feature, enhancement=enhancement), folder="turned", record=record)
    (found,) = compare_enhancements(read_side(str(base)), read_side(str(turned)), QUICK)
    text = " ".join(found.caveats)
    assert "embedded model" in text
    assert ("without audio input" in text) is told
    assert "not annotated" not in text
    both = compare_sides(read_side(f"{base}"), read_side("always-yes"), QUICK)
    assert "without audio input" in " ".join(both.caveats)
    assert "3 not annotated (clonic)" in " ".join(both.caveats)


def test_caveats_of_models_that_are_not_compared_are_left_out(write_run: WriteRun, records: Records) -> None:
    a = write_run(records("tonic"), folder="both", model="org/a")
    write_run(records("tonic"), folder="both", model="org/b", stamp="20260102_120000")
    side = read_side(f"{a}::a")
    limited = replace(side, facts={"a": {"limit": 7}, "b": {"limit": 9}})
    text = " ".join(compare_sides(limited, read_side("always-no"), QUICK).caveats)
    assert "first 7 questions" in text
    assert "first 9 questions" not in text


def write_set(folder: Path, confirm: range) -> Path:
    folder.mkdir()
    with (folder / "recordings.csv").open("w", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(["video_id", "patient_id", "video", "split"])
        for i in range(60):
            writer.writerow(
                [f"v{i:03d}", f"p{i // 2:03d}", f"{i}.mp4", "confirm" if i in confirm else "develop"]
            )
    return folder


def test_the_confirm_split_is_left_out_or_counted(
    write_run: WriteRun, records: Records, tmp_path: Path
) -> None:
    poor, good = two_runs(write_run, records)
    data = write_set(tmp_path / "set", range(40, 60))
    command = ["compare", str(poor), str(good), "--data", str(data), "--flips", "200"]
    runner = CliRunner()
    told = runner.invoke(app, command)
    assert told.exit_code == 0, told.output
    assert "Both answered 40 recordings" in told.output
    assert "20 recordings of the split confirm left out" in told.output
    assert not (data / LEDGER).exists()
    first = runner.invoke(app, [*command, "--split", "confirm"])
    assert "Both answered 20 recordings" in first.output
    assert "opened once, now (1 different: 1 by compare" in " ".join(first.output.split())
    again = runner.invoke(app, [*command, "--split", "all"])
    assert "opened 2 times, this one included (1 different: 2 by compare" in " ".join(again.output.split())
    other = runner.invoke(app, ["compare", str(good), *command[2:], "--split", "confirm"])
    assert other.exit_code == 0, other.output
    assert "opened 3 times, this one included (2 different: 3 by compare" in " ".join(other.output.split())
    assert len((data / LEDGER).read_text().splitlines()) == 3


def test_a_split_that_is_not_there_is_named(tmp_path: Path) -> None:
    data = write_set(tmp_path / "set", range(4))
    assert len(scored_set(data, "develop").handed_out.recordings) == 56
    with pytest.raises(ValueError, match="there are: confirm, dev"):
        scored_set(data, "test")
    with pytest.raises(ValueError, match=r"recordings\.csv: is missing"):
        scored_set(tmp_path, None)


def test_files_hold_what_is_told(write_run: WriteRun, records: Records, tmp_path: Path) -> None:
    poor, good = two_runs(write_run, records)
    out = tmp_path / "out"
    options = ["--flips", "200", "--out", str(out)]
    result = CliRunner().invoke(app, ["compare", str(poor), str(good), *options])
    assert result.exit_code == 0, result.output
    told = json.loads((out / "comparison.json").read_text(encoding="utf-8"))
    with (out / "comparison.csv").open(encoding="utf-8", newline="") as stream:
        table = list(csv.DictReader(stream))
    assert [row["role"] for row in table[:2]] == ["primary", "primary"]
    assert {row["role"] for row in table[2:]} == {"exploratory"}
    for row, other in zip(table, told["rows"], strict=True):
        assert float(row["difference"].lstrip("'")) == pytest.approx(other["difference"])
    with (out / "comparison_changed.csv").open(encoding="utf-8", newline="") as stream:
        changed = list(csv.DictReader(stream))
    assert changed
    assert all(row["first"] != row["second"] for row in changed)
    assert len(changed) == sum(
        row["n_changed"] for row in told["rows"] if row["measure"] == "f1" and row["n_changed"]
    )
    text = (out / "comparison.md").read_text(encoding="utf-8")
    assert "Features (exploratory)" in text
    assert "McNemar" in text


def test_the_command_says_what_is_missing() -> None:
    runner = CliRunner()
    assert runner.invoke(app, ["compare", "only"]).exit_code == 2
    assert runner.invoke(app, ["compare", "a", "b", "--base", "c", "--enhanced", "d"]).exit_code == 2
    assert runner.invoke(app, ["compare", "--base", "c"]).exit_code == 2
    assert runner.invoke(app, ["compare", "a", "b", "--split", "x"]).exit_code == 2
    found = runner.invoke(app, ["compare", "nowhere", "always-yes"])
    assert isinstance(found.exception, ValueError)


def test_auroc_is_compared_where_both_sides_recorded_p_of_yes_and_its_lack_is_a_sentence(
    write_run: WriteRun, records: Records, tmp_path: Path
) -> None:
    poor, good = two_runs(write_run, records)
    plain = CliRunner().invoke(app, ["compare", str(poor), str(good), "--flips", "200"])
    assert "AUROC is not compared: P(yes) is needed of both sides" in " ".join(plain.output.split())
    for folder, skill in ((poor, 0.2), (good, 1.5)):
        rng = np.random.default_rng(int(10 * skill))
        for file in folder.rglob("*_samples_*.jsonl"):
            samples = [json.loads(line) for line in file.read_text().splitlines()]
            for sample in samples:
                z = skill * (1 if sample["semiology"]["truth"] == "yes" else -1) + rng.normal()
                scores = {"yes": float(-np.log1p(np.exp(-z))), "no": float(-np.log1p(np.exp(z)))}
                sample["semiology"]["polarity"] = "positive"
                sample["token_counts"] = [{"first_token_logprobs": scores}]
            file.write_text("".join(json.dumps(sample) + "\n" for sample in samples))
    out = tmp_path / "out"
    told = CliRunner().invoke(
        app, ["compare", str(poor), str(good), "--flips", "200", "--out", str(out)], env={"COLUMNS": "250"}
    )
    assert told.exit_code == 0, told.output
    assert "Mean AUROC of P(yes) over 2 features: good" in told.output
    a, b = (only_condition(read_side(str(each))) for each in (poor, good))
    rows = json.loads((out / "comparison.json").read_text(encoding="utf-8"))["rows"]
    (row,) = [row for row in rows if (row["measure"], row["name"]) == ("auroc", "tonic")]
    for side, name in ((a, "first"), (b, "second")):
        assert side.certainty is not None
        truth = side.answers[side.answers["feature"] == "tonic"][["video_id", "truth"]]
        both = truth.merge(side.certainty[side.certainty["feature"] == "tonic"])
        assert row[name] == pytest.approx(roc_auc_score(both["truth"] == "yes", both["p_yes"]))
    assert row["verdict"] == "higher"
    assert row["role"] == "exploratory"
    assert "## AUROC of P(yes) (exploratory)" in (out / "comparison.md").read_text(encoding="utf-8")
