"""`semiology reproduce`: whichever models a folder holds, and the exit status.

That it finds every published S3 cell again is in test_published_s3.py, beside the cells.
"""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
from published_examples import MODEL, expect, write_release
from typer.testing import CliRunner, Result

from semiology.reports.published.commands import reproduce_app
from semiology.reports.published.embc import embc_counts, event_totals, whole_count_scores
from semiology.reports.published.reproduction import COLUMNS, headline, reproduce_embc, reproduce_s3

SHARED = Path(__file__).parents[4] / "shared"
EMBC = SHARED / "embc_published"
# Answers of the example: of the answers on tonic one is right (yes on yes) and one wrong (yes on no).
F1 = ("test", "task1", MODEL, "tonic", "f1")


def typed(*words: object) -> Result:
    return CliRunner().invoke(reproduce_app, [str(word) for word in words], catch_exceptions=False)


@pytest.fixture
def release(tmp_path: Path) -> Path:
    return write_release(tmp_path / "release")


def test_a_folder_of_unpublished_models_is_scored_without_a_cell_to_compare_with(release: Path) -> None:
    cells = reproduce_s3(release, texts=True).cells
    assert tuple(cells.columns) == COLUMNS
    assert set(cells["status"]) == {"not published"}
    assert set(cells["task"]) == {f"task{number}" for number in range(1, 8)}
    found = cells.set_index(["scope", "task", "item", "metric"])["recomputed"]
    assert found["whole", "task1", "tonic", "f1"] == pytest.approx(2 / 3)
    assert found["whole", "task3", "head_turning", "accuracy"] == 1  # "right " and "both sides" are dropped
    assert found["whole", "task4", "tonic", "mae_s"] == pytest.approx(
        (10 + 105) / 2
    )  # 1:75 reads 135, -3 not
    assert ("whole", "task4", "start", "mae_s") not in found.index  # nothing could be read
    assert found["whole", "task5", "", "edit_distance"] == pytest.approx((4998 + 1) / 2)
    assert typed("s3", "--data", release).exit_code == 0


@pytest.mark.parametrize(
    ("rows", "status", "code"),
    [
        ([("repository", "m", *F1, "0.67")], ["equal"], 0),
        ([("repository", "m", *F1, "0.69")], ["differs"], 1),
        ([("paper", "13", *F1, "0.69")], ["differs"], 1),
        ([("paper", "13", *F1, "0.69"), ("repository", "m", *F1, "0.67")], ["slip", "equal"], 0),
        ([("paper", "13", *F1, "0.69"), ("repository", "m", *F1, "0.69")], ["differs", "differs"], 1),
        ([("paper", "14", "test", "task2", MODEL, "tonic", "bleu", "1.00")], ["no input"], 0),
    ],
)
def test_a_difference_needs_the_publications_own_repository_to_be_explained(
    release: Path, rows: list[tuple[str, ...]], status: list[str], code: int
) -> None:
    expect(release, rows)
    out = release / "cells.csv"
    done = typed("s3", "--data", release, "--out", out)
    written = pd.read_csv(out, dtype=str, keep_default_na=False)
    assert list(written["status"]) == status
    assert done.exit_code == code, done.output
    assert ("unexplained" in done.output) is bool(code)
    if "slip" in status:
        assert "misprint: the repository has 0.67" in done.output


def test_a_missing_table_is_named(release: Path) -> None:
    (release / "predictions" / "task7.csv.gz").unlink()
    with pytest.raises(FileNotFoundError, match=r"task7\.csv\.gz"):
        typed("s3", "--data", release)


def test_the_published_embc_tables_are_reproduced_but_for_the_wrong_cell() -> None:
    if not EMBC.exists():
        pytest.skip("the published EMBC tables are not at hand")
    reproduction = reproduce_embc(EMBC)
    cells = reproduction.cells
    assert len(cells) == 456
    assert headline(reproduction) == (
        "311 of 312 cells equal to 3 decimals; 1 different by slips of the publication; "
        "144 without published inputs"
    )
    (slip,) = cells[cells["status"] == "slip"].itertuples()
    assert (slip.model, slip.item, slip.metric) == ("Qwen2.5-VL-32B", "tonic, pose", "f1")
    assert slip.recomputed == pytest.approx(0.2564, abs=5e-5)
    assert typed("embc", "--data", EMBC).exit_code == 0


def test_whole_counts_are_found_from_rounded_metrics_and_past_one_misprint() -> None:
    # 7 of 20 found, 3 false alarms among 40
    printed = {"precision": 0.7, "recall": 0.35, "f1": 0.467, "accuracy": 0.733}
    assert whole_count_scores(printed, 20, 40)["f1"] == pytest.approx(14 / 30)
    wrong = printed | {"f1": 0.9}
    assert whole_count_scores(wrong, 20, 40)["f1"] == pytest.approx(14 / 30)


def test_events_are_counted_by_the_rules_of_the_release() -> None:
    events = pd.DataFrame(
        {
            "tonic": ["1", "0", "", "1"],
            "close_eyes": ["1", "", "0", "0"],
            "in_internvl_pose_set": ["1", "1", "1", "0"],
            "in_qwen_pose_set": ["1", "0", "0", "0"],
        }
    )
    assert event_totals(events, "tonic", "Qwen2.5-VL-32B", "none") == (2, 2)  # empty counts as absent
    assert event_totals(events, "close_eyes", "Qwen2.5-VL-32B", "crop") == (1, 2)  # empty is left out
    assert event_totals(events, "tonic", "InternVL3.5-38B", "pose") == (1, 2)
    assert event_totals(events, "tonic", "Qwen2.5-VL-32B", "pose") == (1, 0)


@pytest.mark.skipif(not EMBC.is_dir(), reason="the EMBC release is not beside the project")
def test_the_counts_of_features_in_the_embc_abstract() -> None:
    """13 of 18 (4 of 7 facial, 9 of 11 limb and body) and 10 of 20, and what is left of them by stricter rules."""
    published = pd.read_csv(EMBC / "published_tables.csv", dtype=str, keep_default_na=False)
    found = {name: (each.better, each.worse, each.equal) for name, each in embc_counts(published).items()}
    assert found == {
        "above_classifiers": (13, 5, 0),
        "above_classifiers_plain": (11, 7, 0),
        "improved": (10, 8, 2),
        "improved_best": (7, 11, 2),
        "improved_each": (14, 19, 5),
    }
    facial, limb = (
        embc_counts(published[published["table"] == n])["above_classifiers"] for n in ("II", "III")
    )
    assert (facial.better, facial.features, limb.better, limb.features) == (4, 7, 9, 11)
    told = " ".join(reproduce_embc(EMBC).notes)
    assert "13 of 18 by printed F1 (the paper: 13 of 18)" in told
    assert "10 of 20 by printed F1 (the paper: 10 of 20)" in told
