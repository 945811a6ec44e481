"""``semiology agreement``: annotators against each other, and metrics against expert ratings."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from s3_examples import REPORT, record, write_s3_run
from typer.testing import CliRunner, Result

from semiology.data.protection.ledger import LEDGER
from semiology.metrics.agreement.coefficients import (
    agreement_estimates,
    cohen_kappa,
    fleiss_kappa,
    krippendorff_alpha,
)
from semiology.metrics.agreement.expert_ranking import ranking_agreement
from semiology.reports.agreement.commands import agreement_app
from semiology.reports.read.feature_answers import read_results

RNG = np.random.default_rng(5)
TRUTH = RNG.choice(["yes", "no", "na"], size=(30, 2), p=[0.4, 0.5, 0.1])


def typed(*words: object) -> Result:
    return CliRunner().invoke(agreement_app, [str(word) for word in words])


def annotator(path: Path, skill: float, seed: int, videos: int = 30) -> Path:
    """Write one annotator's table: right with a probability, else any answer."""
    rng = np.random.default_rng(seed)
    rows = [
        (f"v{video:02d}", f"p{video // 2:02d}", feature,
         TRUTH[video, i] if rng.random() < skill else rng.choice(["yes", "no"]))
        for video in range(videos) for i, feature in enumerate(("tonic", "clonic"))
    ]  # fmt: skip
    return write(path, ("video_id", "patient_id", "feature", "present"), rows)


def write(path: Path, head: Sequence[str], rows: Sequence[Sequence[Any]]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="") as stream:
        csv.writer(stream).writerows([head, *rows])
    return path


@pytest.mark.parametrize("annotators", [2, 3])
def test_estimates_are_the_plain_coefficients_with_intervals_by_patient(annotators: int) -> None:
    rng = np.random.default_rng(annotators)
    base = rng.choice(["yes", "no", "na"], 60)
    ratings: list[list[Any]] = [
        [value if rng.random() < 0.8 else rng.choice(["yes", "no"]) for _ in range(annotators)]
        for value in base
    ]
    ratings[3][0] = None
    ratings[4] = [None] * annotators
    found = agreement_estimates(ratings, [i // 3 for i in range(60)], resamples=100)
    whole = [row for row in ratings if None not in row]
    assert found["krippendorff_alpha"].value == pytest.approx(krippendorff_alpha(ratings))
    assert found["fleiss_kappa"].value == pytest.approx(fleiss_kappa(whole))
    assert ("cohen_kappa" in found) is (annotators == 2)
    if annotators == 2:
        first, second = zip(*ratings, strict=True)
        assert found["cohen_kappa"].value == pytest.approx(cohen_kappa(first, second))
        assert found["raw_agreement"].value == pytest.approx(np.mean([a == b for a, b in whole]))
    for estimate in found.values():
        assert estimate.low is not None
        assert estimate.high is not None
        assert estimate.low < estimate.value < estimate.high
        assert estimate.n_patients == 20
    perfect = agreement_estimates([["yes", "yes"], ["no", "no"]] * 10, list(range(20)), resamples=100)
    assert {one.value for one in perfect.values()} == {1.0}
    assert np.isnan(agreement_estimates([["no", "no"]] * 4, [1, 2, 3, 4])["cohen_kappa"].value)


def test_annotators_are_compared_by_feature_and_over_all(tmp_path: Path) -> None:
    tables = [annotator(tmp_path / f"{name}.csv", 0.85, i) for i, name in enumerate(("first", "second"))]
    third = annotator(tmp_path / "third.csv", 0.85, 9, videos=20)
    done = typed("annotators", *tables, "--resamples", 100, "--out", tmp_path / "kappa.csv")
    assert done.exit_code == 0, done.output
    for text in ("cohen kappa", "krippendorff alpha", "all features", "first / second: pearson"):
        assert text in done.output
    rows = list(csv.DictReader((tmp_path / "kappa.csv").open()))
    assert {row["feature"] for row in rows} == {"tonic", "clonic", "all features"}
    content = json.loads(typed("annotators", *tables, third, "--json", "--resamples", 100).output)
    assert content["annotators"] == ["first", "second", "third"]
    assert not [row for row in content["rows"] if row["coefficient"] == "cohen_kappa"]
    (fleiss,) = [
        row
        for row in content["rows"]
        if (row["feature"], row["coefficient"]) == ("all features", "fleiss_kappa")
    ]
    assert fleiss["items"] == 40  # those that all three rated
    assert len(content["distributions"]) == 3


def test_recording_sets_stand_for_annotators(tmp_path: Path) -> None:
    for name, skill in (("one", 1.0), ("two", 0.7)):
        table = annotator(tmp_path / name / "annotations.csv", skill, 3)
        rows = list(csv.reader(table.open()))
        write(table, ("video_id", "feature", "present"), [(row[0], row[2], row[3]) for row in rows[1:]])
        pairs = sorted({(row[0], row[1]) for row in rows[1:]})
        write(tmp_path / name / "recordings.csv", ("video_id", "patient_id"), pairs)
    done = typed("annotators", tmp_path / "one", tmp_path / "two", "--resamples", 100)
    assert done.exit_code == 0, done.output
    assert "one / two" in done.output


@pytest.mark.parametrize(
    ("rows", "fault"),
    [
        ([("v1", "", "tonic", "yes")], r"second.csv:2: has no patient_id"),
        ([("v1", "p", "tonic", "yes"), ("v1", "p", "tonic", "no")], r"second.csv:3: rates .* a second time"),
        ([("w1", "p", "tonic", "yes")], "are the video_ids the same"),
        ([("v00", "other", "tonic", "yes")], "v00 belongs to two patients"),
    ],
)
def test_tables_with_faults_are_named(tmp_path: Path, rows: list[Any], fault: str) -> None:
    first = annotator(tmp_path / "first.csv", 1, 1)
    second = write(tmp_path / "second.csv", ("video_id", "patient_id", "feature", "present"), rows)
    with pytest.raises(ValueError, match=fault):
        raise typed("annotators", first, second).exception  # type: ignore[misc]
    with pytest.raises(ValueError, match="two or more annotators"):
        raise typed("annotators", first).exception  # type: ignore[misc]


def test_metrics_of_a_run_are_ranked_against_experts(tmp_path: Path) -> None:
    parts = REPORT.split(". ")
    texts = [". ".join(parts[: 1 + video % 2]) if video % 3 else "Nothing." for video in range(20)]
    rows = [record("s3_report", video, text, REPORT, shown=None) for video, text in enumerate(texts)]
    folder = write_s3_run(tmp_path / "run", rows)
    marks = [(f"v{video:03d}", rater, 1 + 2 * (video % 3 > 0) + (video % 2) + rater / 4)
             for video in range(20) for rater in (0, 1)]  # fmt: skip
    ratings = write(tmp_path / "ratings.csv", ("video_id", "rater", "expert"), marks)
    more = ("--reports", tmp_path / "each.csv", "--figure", tmp_path / "figures")
    done = typed("experts", ratings, folder, "--resamples", 100, "--json", *more)
    each = list(csv.DictReader((tmp_path / "each.csv").open()))
    assert len(each) == 20
    assert float(each[1]["expert"]) == pytest.approx(1 + 2 + 1 + 0.125)
    assert 0 <= float(each[1]["rqi"]) <= 100
    assert "Pearson r" in (tmp_path / "figures" / "alignment.svg").read_text(encoding="utf-8")
    assert (tmp_path / "figures" / "alignment.png").is_file()
    assert done.exit_code == 0, done.output
    found = {(row["metric"], row["measure"]): row for row in json.loads(done.output)}
    assert {metric for metric, _ in found} == {"rqi", "stated_findings", "bleu", "rouge1", "rouge_l"}
    assert found["rouge_l", "spearman"]["value"] > 0.8
    assert found["rouge_l", "spearman"]["reports"] == 20
    assert found["rouge_l", "spearman"]["patients"] == 10
    assert found["rouge_l", "spearman"]["low"] is not None
    shown = typed("experts", ratings, folder, "--resamples", 100)
    assert "pairwise accuracy" in shown.output


def test_columns_of_numbers_are_ranked_without_a_run(tmp_path: Path) -> None:
    rows = [(f"v{i}", f"p{i // 2}", i % 5, i % 5 + (i % 3) / 2, "note") for i in range(24)]
    head = ("video_id", "patient_id", "expert", "rqi", "remark")
    found = json.loads(
        typed("experts", write(tmp_path / "r.csv", head, rows), "--json", "--resamples", 100).output
    )
    expected = ranking_agreement([row[3] for row in rows], [row[2] for row in rows])
    assert {row["metric"] for row in found} == {"rqi"}
    assert {row["measure"]: row["value"] for row in found} == pytest.approx(expected)
    bad = write(tmp_path / "bad.csv", head[:3], [("v1", "p1", "good")])
    with pytest.raises(ValueError, match=r"bad.csv:2: expert is 'good', no number"):
        raise typed("experts", bad).exception  # type: ignore[misc]
    bare = write(tmp_path / "bare.csv", ("video_id", "expert"), [("v1", 1)])
    with pytest.raises(ValueError, match="no column 'patient_id'"):
        raise typed("experts", bare).exception  # type: ignore[misc]


PAPER = Path(__file__).parents[4] / "shared" / "papers" / "s3_paper.txt"


@pytest.mark.skipif(not PAPER.is_file(), reason="the text of arXiv 2605.21852 is not on this machine")
def test_the_published_correlations_with_experts_come_out_again(tmp_path: Path) -> None:
    lines = PAPER.read_text(encoding="utf-8").split("Table 10: ")[1].splitlines()
    start = next(i for i, line in enumerate(lines) if line.startswith("Table 11")) + 2
    reports = [line.split() for line in lines[start : start + 60]]
    head = ("model", "video_id", "bleu_corpus", "rouge1_f1", "rougeL_f1", "berts_f1", "rqi", "expert")
    rows = [(*report, f"p{report[1]}") for report in reports]
    table = write(tmp_path / "table11.csv", (*head, "patient_id"), rows)
    found = json.loads(typed("experts", table, "--json", "--resamples", 100).output)
    published = {line.rsplit(" ", 4)[0].replace("seizure ", ""): line.split()[-4:] for line in lines[2:7]}
    assert len(found) == 20
    for row in found:
        names = ["pearson", "spearman", "kendall", "pairwise_accuracy"]
        printed = float(published[row["metric"]][names.index(row["measure"])])
        assert row["value"] == pytest.approx(printed, abs=0.005 + 1e-9), row
        assert row["reports"] == 60
        assert row["patients"] == 20


def test_a_models_answers_about_protected_patients_are_a_look(
    tmp_path: Path, write_run: Callable[..., Path], records: Callable[..., list[dict[str, Any]]]
) -> None:
    """Test patients are entered, confirm patients left out; the experts' own annotations are no look."""
    data = tmp_path / "set"
    data.mkdir()
    splits = ("train", "test", "confirm")
    runs = write_run([*records("tonic", videos=12), *records("clonic", videos=12, seed=1)])
    answers = read_results([runs]).answers
    people = dict(zip(answers["video_id"], answers["patient_id"], strict=True))
    places = {patient: splits[place % 3] for place, patient in enumerate(sorted(set(people.values())))}
    heads = ["video_id,patient_id,video,split", "video_id,feature,present"]
    (data / "recordings.csv").write_text(
        "\n".join([heads[0], *(f"{v},{p},videos/{v}.mp4,{places[p]}" for v, p in people.items())]) + "\n"
    )
    (data / "annotations.csv").write_text(
        "\n".join([heads[1], *(f"{v},{f},yes" for v in people for f in ("tonic", "clonic"))]) + "\n"
    )
    (data / "dataset.yaml").write_text("name: small\nversion: 1\n")
    typed("distributions", data, data, "--draws", 100)
    assert not (data / LEDGER).exists()
    done = typed("distributions", data, runs, "--draws", 100, "--json")
    assert done.exit_code == 0, repr(done.exception)
    told = json.loads(done.output)
    assert any("left out" in note for note in told["notes"])
    (entry,) = map(json.loads, (data / LEDGER).read_text(encoding="utf-8").splitlines())
    assert (entry["command"], set(entry["patients"])) == ("agreement distributions", {"test"})
    alone = json.loads(typed("distributions", runs, runs, "--draws", 100, "--json").output)
    assert not any("opened" in note for note in alone["notes"])
