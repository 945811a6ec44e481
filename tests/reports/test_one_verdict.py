"""One pair of answers, one verdict: report, page, figures' styles, compare and API say the same of always-yes."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from semiology.cli import app
from semiology.features import VISUAL_FEATURES
from semiology.reports.summary.features import AGAINST_ALWAYS_YES

COLUMNS = (
    "task",
    "model",
    "enhancement",
    "prompt_id",
    "video_id",
    "patient_id",
    "feature",
    "answer",
    "truth",
    "fold",
    "prompt_hash",
)


def published(path: Path, patients: int, skill: float, seed: int, features: int = 4) -> Path:
    """A table of published answers, right with a probability; about a third of recordings show each feature."""
    rng = np.random.default_rng(seed)
    rows = []
    for patient in range(patients):
        for video in range(int(rng.integers(1, 6))):
            for feature in VISUAL_FEATURES[:features]:
                truth = bool(rng.random() < 0.35)
                answer = truth if rng.random() < skill else bool(rng.random() < 0.7)
                words = ["yes" if each else "no" for each in (answer, truth)]
                ids = (f"P{patient:02d}_V{video}", f"P{patient:02d}", feature)
                rows.append(("feature", "A", "none", "s3", *ids, *words, "", ""))
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([COLUMNS, *rows])
    return path


@pytest.mark.parametrize(
    ("patients", "skill", "seed"), [(40, 0.9, 0), (40, 0.35, 1), (12, 0.5, 2), (5, 0.9, 3), (30, 0.0, 4)]
)
def test_every_command_says_the_same_of_the_same_answers(
    tmp_path: Path, patients: int, skill: float, seed: int
) -> None:
    table = published(tmp_path / "a.csv", patients, skill, seed)
    out = tmp_path / "out"
    done = CliRunner().invoke(
        app, ["report", "--baselines", str(table), "--only", "features", "--out", str(out)]
    )
    assert done.exit_code == 0, done.output
    compared = CliRunner().invoke(app, ["compare", "always-yes", str(table), "--json"])
    assert compared.exit_code == 0, compared.output
    rows = json.loads(compared.output)["rows"]
    f1 = {row["name"]: row for row in rows if row["measure"] == "f1" and row["level"] == "feature"}
    macro = next(row for row in rows if row["level"] == "macro" and row["measure"] == "f1")
    summary = list(csv.DictReader((out / "summary.csv").open()))
    told = {row["name"]: row for row in summary}
    headline = next(row for row in summary if row["level"] == "macro")
    words = AGAINST_ALWAYS_YES[macro["verdict"]]
    assert headline["against_always_yes"] == words
    assert f"({words})" in done.output
    assert set(f1) <= set(VISUAL_FEATURES[:4])
    for name in f1:
        assert told[name]["against_always_yes"] == AGAINST_ALWAYS_YES[f1[name]["verdict"]], name
        p = told[name]["p_against_always_yes"]
        assert (None if p == "" else float(p)) == pytest.approx(f1[name]["p_max_t"], abs=1e-4)
        clears = told[name]["clears_always_yes"]
        assert (clears == "True") == (f1[name]["verdict"] == "higher")
    page = (out / "report.html").read_text()
    badge = {"higher": "verdict good", "lower": "verdict bad"}.get(macro["verdict"], "verdict flat")
    assert f'<span class="{badge}">{words}</span>' in page
    blue = page.count('<td class="h')
    assert (blue > 0) == any(
        row["verdict"] == "higher" for name, row in f1.items() if name in VISUAL_FEATURES
    )


def test_words_cover_every_verdict() -> None:
    above = {word for word, text in AGAINST_ALWAYS_YES.items() if text.startswith(("above", "below"))}
    assert above == {"higher", "lower"}
