"""semiology repeat, and repeats beside a comparison."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.metrics import cohen_kappa_score
from typer.testing import CliRunner

from semiology.cli import app
from semiology.reports.compare.comparison import Options
from semiology.reports.compare.repeats import ALL, read_repeats
from semiology.reports.compare.sides import SideError, read_side

WriteRun = Callable[..., Path]
Records = Callable[..., list[dict[str, Any]]]


def asked(
    write_run: WriteRun, records: Records, name: str, seed: int, skill: float = 0.75, **more: Any
) -> Path:
    """A run about the same recordings, its answers drawn with this seed."""
    rng = np.random.default_rng(seed)
    wrong = {"yes": "no", "no": "yes"}
    rows = [row for feature in ("tonic", "clonic") for row in records(feature, seed=len(feature))]
    rows = [
        row | {"answer": row["truth"] if rng.random() < skill else wrong[row["truth"]]} | more for row in rows
    ]
    return write_run(rows, folder=f"{name}{seed}", model=f"org/{name}")


def test_changed_answers_and_kappa_agree_with_scikit_learn(write_run: WriteRun, records: Records) -> None:
    runs = [asked(write_run, records, "one", seed) for seed in (1, 2)]
    found = read_repeats([str(run) for run in runs], Options())
    first, second = (
        read_side(str(run)).conditions[0].answers.set_index(["video_id", "feature"])["answer"] for run in runs
    )
    second = second.reindex(first.index)
    every = found.changes[ALL]
    assert every.changed.value == pytest.approx((first != second).mean())
    assert every.n_changed == int((first != second).sum())
    assert every.changed.low < every.changed.value < every.changed.high
    tonic = first.index.get_level_values("feature") == "tonic"
    assert found.changes["tonic"].kappa.value == pytest.approx(cohen_kappa_score(first[tonic], second[tonic]))


def test_runs_that_answer_alike_have_an_upper_limit(write_run: WriteRun, records: Records) -> None:
    one = asked(write_run, records, "one", 1)
    same = asked(write_run, records, "same", 1)
    found = read_repeats([str(one), str(same)], Options()).changes[ALL]
    assert (found.changed.value, found.changed.low, found.kappa.value) == (0, 0, 1)
    assert 0 < found.changed.high < 0.2


def test_the_command_writes_tables_and_every_changed_answer(
    write_run: WriteRun, records: Records, tmp_path: Path
) -> None:
    runs = [str(asked(write_run, records, "one", seed)) for seed in (1, 2, 3)]
    result = CliRunner().invoke(app, ["repeat", *runs, "--out", str(tmp_path / "out"), "--json"])
    assert result.exit_code == 0, result.output
    told = json.loads(result.stdout)
    assert [row["feature"] for row in told["rows"]] == ["tonic", "clonic", ALL]
    changed = list(csv.DictReader((tmp_path / "out" / "repeat_changed.csv").open()))
    assert len(changed) == told["rows"][2]["recordings changed"] > 0
    assert all(len({row[run] for run in runs}) > 1 for row in changed)
    assert (tmp_path / "out" / "repeat.md").read_text().startswith("# Repeats")


def test_other_questions_and_single_runs_end_in_a_sentence(write_run: WriteRun, records: Records) -> None:
    run = asked(write_run, records, "one", 1)
    other = asked(write_run, records, "one", 7, prompt_hash="f" * 64)
    with pytest.raises(SideError, match=r"was asked other questions than one .2 of 2 features, such as"):
        read_repeats([str(run), str(other)], Options())
    with pytest.raises(SideError, match="two or more runs"):
        read_repeats([str(run)], Options())
    with pytest.raises(SideError, match="given twice"):
        read_repeats([str(run), str(run)], Options())


def test_a_difference_within_repeat_noise_is_said_to_be(
    write_run: WriteRun, records: Records, tmp_path: Path
) -> None:
    a = [str(asked(write_run, records, "one", seed)) for seed in (1, 2)]
    b = [str(asked(write_run, records, "other", seed)) for seed in (3, 4)]
    good = str(asked(write_run, records, "good", 5, skill=0.99))
    runner = CliRunner()
    told = runner.invoke(
        app, ["compare", a[0], b[0], "--repeats", a[1], "--repeats", b[1], "--json", "--flips", "500"]
    )
    assert told.exit_code == 0, told.output
    content = json.loads(told.stdout)
    macro = next(r for r in content["rows"] if (r["level"], r["measure"]) == ("macro", "f1"))
    assert macro["repeat_spread"] > 0
    assert macro["repeat_part"] == pytest.approx(
        min(1, macro["repeat_spread"] ** 2 / macro["difference"] ** 2)
    )
    assert macro["within_repeat_noise"] is (abs(macro["difference"]) <= 1.96 * macro["repeat_spread"])
    assert content["sentences"]["repeats"][:2] == ["Repeats of A: 2 runs.", "Repeats of B: 2 runs."]
    better = runner.invoke(
        app, ["compare", a[0], good, "--repeats", a[1], "--out", str(tmp_path), "--flips", "500"]
    )
    assert better.exit_code == 0, better.output
    text = (tmp_path / "comparison.md").read_text()
    assert "No repeats of B: its noise is taken to be that of the other." in text
    assert "is beyond repeat noise" in text
    stranger = runner.invoke(app, ["compare", a[0], good, "--repeats", b[0]])
    assert isinstance(stranger.exception, SideError)
    assert "repeats neither one nor good" in str(stranger.exception)


def test_repeats_belong_to_the_plain_and_to_the_enhanced_run(
    write_run: WriteRun, records: Records, tmp_path: Path
) -> None:
    plain = [str(asked(write_run, records, "m", seed)) for seed in (1, 2)]
    posed = [str(asked(write_run, records, "m", seed, skill=0.8, enhancement="pose")) for seed in (3, 4)]
    stranger = str(asked(write_run, records, "other", 5))
    words = ["compare", "--base", plain[0], "--enhanced", posed[0], "--flips", "500"]
    runner = CliRunner()
    told = runner.invoke(app, [*words, "--repeats", plain[1], "--repeats", posed[1], "--json"])
    assert told.exit_code == 0, told.output
    content = json.loads(told.stdout)
    assert content["sentences"]["repeats"][:2] == ["Repeats of A: 2 runs.", "Repeats of B: 2 runs."]
    macro = next(r for r in content["rows"] if (r["level"], r["measure"]) == ("macro", "f1"))
    plainly = runner.invoke(
        app,
        [
            "compare",
            plain[0],
            posed[0],
            "--flips",
            "500",
            "--repeats",
            plain[1],
            "--repeats",
            posed[1],
            "--json",
        ],
    )
    same = next(
        r for r in json.loads(plainly.stdout)["rows"] if (r["level"], r["measure"]) == ("macro", "f1")
    )
    assert macro["repeat_spread"] == pytest.approx(same["repeat_spread"])
    assert macro["repeat_spread"] > 0
    one = runner.invoke(app, [*words, "--repeats", posed[1], "--json"])
    assert "No repeats of A" in " ".join(json.loads(one.stdout)["sentences"]["repeats"])
    wrong = runner.invoke(app, [*words, "--repeats", stranger])
    assert isinstance(wrong.exception, SideError)
    assert f"--repeats {stranger}: repeats none of" in str(wrong.exception)
