"""``semiology data describe`` and ``agreement distributions``: Tables 4 and 5, Figures 1 and 7."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pandas as pd
import pytest
from scipy.stats import fisher_exact, mannwhitneyu
from typer.testing import CliRunner

from semiology.cli import app
from semiology.reports.dataset.demographics import NO_COLUMNS, demographics

S3 = Path(__file__).parents[4] / "shared" / "s3_published" / "ground_truth"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Table 4's 84 and 32 patients by sex as printed; the first has two recordings, one of another diagnosis."""
    root = tmp_path / "set"
    root.mkdir()
    lines = ["video_id,patient_id,video,diagnosis,Sex,age,note,camera"]
    for number in range(116):
        diagnosis, place = ("ES", number) if number < 84 else ("NES", number - 84)
        sex = "Female" if place < (39 if diagnosis == "ES" else 26) else "male" if number % 2 else "Male"
        age = "" if number == 5 else str(20 + number % 37 + (diagnosis == "NES") * 6)
        name = f"P{number:03d}"
        for recording in range(1 + (number % 3 == 0)):
            camera = "" if number > 1 else ("wall", "ceiling")[recording]
            lines.append(
                f"{name}_V{recording},{name},{name}{recording}.mp4,{diagnosis},{sex},{age},seen {number},{camera}"
            )
    lines += [
        "P200_V0,P200,a.mp4,ES,Male,30,x,",
        "P200_V1,P200,b.mp4,NES,Male,30,y,",
        "P300_V0,P300,c.mp4,,Male,30,z,",
    ]
    (root / "recordings.csv").write_text("\n".join(lines) + "\n")
    rows = ["video_id,feature,present"]
    rows += [f"{line.split(',')[0]},tonic,{'yes' if at % 3 else 'no'}" for at, line in enumerate(lines[1:])]
    rows += [f"{line.split(',')[0]},clonic,{'yes' if at % 2 else 'no'}" for at, line in enumerate(lines[1:])]
    (root / "annotations.csv").write_text("\n".join(rows) + "\n")
    (root / "dataset.yaml").write_text("name: example\nversion: 1\n")
    return root


def test_table_4_by_patient_with_its_tests(folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    result = CliRunner().invoke(app, ["data", "describe", str(folder), "--out", str(out), "--json"])
    assert result.exit_code == 0, result.output
    told = json.loads(result.stdout)
    rows = {row[""]: row for row in told["rows"]}
    # As printed: 39 (46.4 %) and 26 (81.3 %) women, 65 (56.0 %) of all; spellings of one word are one.
    female, male = rows["Sex: Female"], next(row for name, row in rows.items() if name.lower() == "sex: male")
    assert (female["ES (n=84)"], female["NES (n=32)"], female["Total (n=116)"]) == (39, 26, 65)
    assert [round(female[f"{name} 2"], 1) for name in ("ES (n=84)", "Total (n=116)")] == [46.4, 56.0]
    assert female["NES (n=32) 2"] == pytest.approx(81.25)
    assert (male["ES (n=84)"], male["NES (n=32)"]) == (45, 6)
    assert female["p"] == pytest.approx(fisher_exact([[39, 45], [26, 6]]).pvalue)
    ages = [[20 + n % 37 for n in range(84) if n != 5], [26 + n % 37 for n in range(84, 116)]]
    assert rows["age"]["p"] == pytest.approx(mannwhitneyu(*ages).pvalue)
    assert rows["age"]["missing"] == 1
    assert rows["age"]["Holm"] >= rows["age"]["p"]
    for part in (
        "1 patient with recordings of ES and of NES: in neither group",
        "1 patient without a diagnosis",
        "note: more than 8 different values",
        "camera: differs between recordings of 1 patient",
    ):
        assert any(part in note for note in told["notes"]), part
    for name in ("demographics.csv", "demographics.md", "demographics.tex", "dataset.svg", "dataset.png"):
        assert (out / name).stat().st_size > 300
    assert "recordings of a patient" in (out / "dataset.svg").read_text(encoding="utf-8")


def test_a_set_without_further_columns_says_what_to_add(folder: Path) -> None:
    table = pd.read_csv(folder / "recordings.csv", dtype=str, keep_default_na=False)
    table[["video_id", "patient_id", "video", "diagnosis"]].iloc[:1].to_csv(
        folder / "recordings.csv", index=False
    )
    (folder / "annotations.csv").write_text("video_id,feature,present\nP000_V0,tonic,yes\n")
    found = demographics(folder)
    assert found.notes[-1] == NO_COLUMNS
    result = CliRunner().invoke(app, ["data", "describe", str(folder)])
    assert result.exit_code == 0, result.output
    assert "not tested" in result.output


def test_two_sources_in_es_nes_and_both(folder: Path, tmp_path: Path) -> None:
    table = pd.read_csv(folder / "annotations.csv", dtype=str)
    table["patient_id"] = table["video_id"].str[:4]
    table.to_csv(tmp_path / "again.csv", index=False)
    command = ["agreement", "distributions", str(folder), str(tmp_path / "again.csv"), "--draws", "200"]
    result = CliRunner().invoke(app, [*command, "--out", str(tmp_path / "out"), "--json"])
    assert result.exit_code == 0, result.output
    rows = json.loads(result.stdout)["rows"]
    assert [(row["comparison"], row["features"]) for row in rows] == [
        ("ES", 2),
        ("NES", 2),
        ("ES and NES", 4),
    ]
    assert all(row["emd"] == row["total_variation"] == 0 and row["emd_p"] == 1 for row in rows)
    written = list(csv.DictReader((tmp_path / "out" / "distributions.csv").open()))
    assert float(written[2]["pearson"]) == pytest.approx(1)
    assert "tonic" in (tmp_path / "out" / "distributions.svg").read_text(encoding="utf-8")
    assert (tmp_path / "out" / "distributions.png").is_file()
    (tmp_path / "other.csv").write_text("video_id,feature,present,patient_id\nx,figure4,yes,p\n")
    result = CliRunner().invoke(app, [*command[:3], str(tmp_path / "other.csv")])
    assert "share no feature" in str(result.exception)


@pytest.mark.skipif(not S3.is_dir(), reason="the published annotations are not beside the project")
def test_the_published_set_has_the_patients_of_table_4(tmp_path: Path) -> None:
    """84 and 32 patients and 138 recordings of NES as printed, if the two patients with both count as ES; the paper
    counts six clips without a diagnosis among its 300 of ES. Sex, age and comorbidities were not released."""
    CliRunner().invoke(app, ["data", "import", "s3", str(S3), str(tmp_path / "s3")])
    found = demographics(tmp_path / "s3")
    assert (found.recordings["ES"], found.recordings["NES"], found.recordings[""]) == (294, 138, 6)
    assert (len(found.patients["ES"]), len(found.patients["NES"])) == (82, 32)
    assert "2 patients with recordings of ES and of NES: in neither group" in found.notes
    assert found.notes[-1] == NO_COLUMNS
