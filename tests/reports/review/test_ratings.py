"""Ratings read back: what is wrong is named with its row, and the figures equal hand counts."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from openpyxl import load_workbook

from semiology.reports.read.feature_answers import Results
from semiology.reports.review.rating_summary import sentences, summarise_review, write_summary
from semiology.reports.review.ratings import read_review
from semiology.reports.review.sheet import Sample, draw_sample, write_review
from semiology.reports.review.store import STORE, Rating, RatingStore


def fill(sheet: Path, target: Path, ratings: list[str], delimiter: str = ",") -> Path:
    with sheet.open(encoding="utf-8-sig", newline="") as stream:
        rows = list(csv.reader(stream))
    for row, rating in zip(rows[1:], ratings, strict=False):
        row[8] = rating
        row[9] = "two\nlines" if rating == "5" else ""
    with target.open("w", encoding="utf-8", newline="") as stream:
        csv.writer(stream, delimiter=delimiter).writerows(rows)
    return target


def test_figures_equal_hand_counts(review_folder: tuple[Path, Sample], tmp_path: Path) -> None:
    folder, sample = review_folder
    n = len(sample.cases)
    anna = [str(1 + i % 5) for i in range(n)]
    ben = [str(min(5, 2 + i % 5)) for i in range(n - 2)]
    sheets = [
        fill(folder / "ratings.csv", tmp_path / "anna.csv", anna),
        fill(folder / "ratings.csv", tmp_path / "ben.csv", ben, delimiter=";"),
    ]
    review = read_review(folder, sheets)
    summary = summarise_review(review)
    kind, _, whole = summary.rows[0]
    assert kind == "all"
    assert whole.n_items == n
    assert whole.n_ratings == 2 * n - 2
    everything = [int(value) for value in anna + ben]
    for value in range(1, 6):
        assert whole.distribution[value] == pytest.approx(everything.count(value) / len(everything))
    means = [(int(a) + int(b)) / 2 for a, b in zip(anna, ben, strict=False)] + [int(a) for a in anna[n - 2 :]]
    assert whole.passed.value == pytest.approx(sum(mean >= 3 for mean in means) / n)
    assert summary.agreement.n_items == n - 2
    assert summary.agreement.within_one == 1
    assert len(review.comments) == anna.count("5") + ben.count("5")
    groups = {(kind, name) for kind, name, _ in summary.rows}
    assert {("feature", "tonic"), ("model", "alpha"), ("kind", "true negative")} <= groups
    written = write_summary(review, summary, tmp_path / "out")
    assert {path.name for path in written} >= {"review.png", "review.svg", "review.md", "review.json"}
    told = json.loads((tmp_path / "out" / "review.json").read_text(encoding="utf-8"))
    assert told["groups"][0]["at_least_60"]["value"] == pytest.approx(whole.passed.value)
    assert (tmp_path / "out" / "review.png").read_bytes().startswith(b"\x89PNG")


def test_xlsx_comes_back(review_folder: tuple[Path, Sample], tmp_path: Path) -> None:
    _, sample = review_folder
    folder = tmp_path / "x"
    write_review(sample, folder, form="xlsx")
    book = load_workbook(folder / "ratings.xlsx")
    assert book.active is not None
    book.active.cell(2, 9).value = 4
    book.active.cell(3, 9).value = 2.0
    book.save(tmp_path / "cara.xlsx")
    review = read_review(folder, [tmp_path / "cara.xlsx"])
    assert review.ratings == {"cara": {sample.cases[0].item: 4, sample.cases[1].item: 2}}


def test_faults_are_named_with_their_rows(review_folder: tuple[Path, Sample], tmp_path: Path) -> None:
    folder, _ = review_folder
    bad = fill(folder / "ratings.csv", tmp_path / "dan.csv", ["3", "6", "good", "2.5"])
    with bad.open("a", encoding="utf-8") as stream:
        stream.write("nowhere,,,,,,,,3,\n")
    with pytest.raises(ValueError, match="cannot be used") as caught:
        read_review(folder, [bad])
    text = str(caught.value)
    for part in ("dan.csv:3: rating is '6'", "dan.csv:4: rating is 'good'", "rating is '2.5'", "'nowhere'"):
        assert part in text
    with pytest.raises(ValueError, match="nobody has rated"):
        read_review(folder)
    empty = tmp_path / "empty.csv"
    empty.write_text("")
    with pytest.raises(ValueError, match="is empty"):
        read_review(folder, [empty])
    broken = tmp_path / "broken.xlsx"
    broken.write_bytes(b"PK\x03\x04 no zip")
    with pytest.raises(ValueError, match="cannot be read"):
        read_review(folder, [broken])
    with pytest.raises(ValueError, match="draws a sample"):
        read_review(tmp_path)


@pytest.mark.parametrize(
    ("delimiter", "encoding", "before"),
    [(";", "utf-8-sig", ""), ("\t", "utf-16", ""), ("\t", "utf-8", ""), (";", "utf-8-sig", "sep=;\r\n")],
)
def test_sheets_come_back_from_spreadsheets_of_other_languages(
    review_folder: tuple[Path, Sample], tmp_path: Path, delimiter: str, encoding: str, before: str
) -> None:
    folder, sample = review_folder
    path = tmp_path / "fay.csv"

    def write(second: str) -> None:
        out = io.StringIO()
        writer = csv.writer(out, delimiter=delimiter)
        writer.writerow(["Item", "Rating", "Comment"])
        writer.writerow([sample.cases[0].item, "3,0", "größer, später; 発作"])
        writer.writerow([sample.cases[1].item, second, ""])
        path.write_bytes((before + out.getvalue()).encode(encoding))

    write("9")
    row = 4 if before else 3
    with pytest.raises(ValueError, match=f"fay.csv:{row}: rating is '9'"):
        read_review(folder, [path])
    write("")
    review = read_review(folder, [path])
    assert review.ratings == {"fay": {sample.cases[0].item: 3}}
    assert review.comments == ((sample.cases[0].item, "fay", "größer, später; 発作"),)


def test_simulated_recordings_are_called_so_beside_the_ratings(
    tmp_path: Path, results: Callable[..., Results]
) -> None:
    caveat = "The recordings are simulated: the numbers say nothing about patients."
    made = replace(results(), caveats=(caveat,))
    sample = draw_sample(made, ["tonic"])
    write_review(sample, tmp_path / "review")
    fill(tmp_path / "review" / "ratings.csv", tmp_path / "gus.csv", ["3", "4"])
    review = read_review(tmp_path / "review", [tmp_path / "gus.csv"])
    summary = summarise_review(review)
    assert sentences(summary)[0] == f"Note: {caveat}"
    write_summary(review, summary, tmp_path / "out")
    assert json.loads((tmp_path / "out" / "review.json").read_text(encoding="utf-8"))["caveats"] == [caveat]
    assert caveat in (tmp_path / "out" / "review.md").read_text(encoding="utf-8")


def test_page_and_sheet_of_one_rater_are_refused(review_folder: tuple[Path, Sample], tmp_path: Path) -> None:
    folder, sample = review_folder
    store = RatingStore(folder / STORE)
    store.save(Rating("eve", sample.cases[0].item, 2))
    store.save(Rating("eve", sample.cases[0].item, 5, "on reflection"))
    store.close()
    assert read_review(folder).ratings == {"eve": {sample.cases[0].item: 5}}
    assert read_review(folder).comments == ((sample.cases[0].item, "eve", "on reflection"),)
    sheet = fill(folder / "ratings.csv", tmp_path / "eve.csv", ["3"])
    with pytest.raises(ValueError, match="has ratings from elsewhere"):
        read_review(folder, [sheet])


def test_the_store_refuses_what_is_no_rating(tmp_path: Path) -> None:
    store = RatingStore(tmp_path / STORE)
    with pytest.raises(ValueError, match="1 to 5"):
        store.save(Rating("a", "b", 6))
    with pytest.raises(ValueError, match="at most"):
        store.save(Rating("a", "b", 3, "x" * 6000))
    assert store.latest() == []
    store.close()
