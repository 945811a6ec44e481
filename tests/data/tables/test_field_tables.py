"""Tables as they come from the field: codings, separators, fractions of a day, file names of another system."""

import unicodedata
from collections.abc import Callable
from pathlib import Path

import pytest

from semiology.data.importers.wide import parse_clock
from semiology.data.tables.cells import CellError, clock, day_fraction_s, parse_seconds
from semiology.data.tables.csv_tables import read_table
from semiology.data.tables.reading import read_folder
from semiology.reports.agreement.annotators import RatingsError, annotator_agreement

Make = Callable[..., Path]
LINES = [
    "video_id,patient_id,feature,present",
    *(f"V{n},P{n},tonic,{'yes' if n % 2 else 'no'}" for n in range(6)),
]
CODINGS = {
    "utf-8": "utf-8", "utf-8 with mark": "utf-8-sig", "utf-16": "utf-16", "utf-16 big": "utf-16-be",
    "utf-16 little": "utf-16-le", "utf-32": "utf-32", "utf-32 little": "utf-32-le",
}  # fmt: skip


@pytest.mark.parametrize("coding", CODINGS.values(), ids=CODINGS)
@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
@pytest.mark.parametrize("spelling", [str.lower, str.upper, str.capitalize])
def test_the_same_annotations_agree_however_they_are_written(
    tmp_path: Path, coding: str, separator: str, spelling: Callable[[str], str]
) -> None:
    plain, other = tmp_path / "a.csv", tmp_path / "b.csv"
    plain.write_text("\n".join(LINES))
    text = "\r\n".join(LINES).replace("yes", spelling("yes")).replace("no\r", f" {spelling('no')} \r")
    other.write_bytes(text.replace("video_id", "Video_ID").replace(",", separator).encode(coding))
    found = annotator_agreement([plain, other], resamples=50)
    assert found.features["tonic"]["cohen_kappa"].value == 1
    assert found.items["tonic"] == 6


def test_a_rating_that_nobody_understands_is_named(tmp_path: Path) -> None:
    plain, other = tmp_path / "a.csv", tmp_path / "b.csv"
    plain.write_text("\n".join(LINES))
    other.write_text("\n".join([LINES[0], "", *LINES[1:3], "V2,P2,tonic,maybe"]))
    with pytest.raises(RatingsError, match=r"b\.csv:5: present: 'maybe'"):
        annotator_agreement([plain, other])


@pytest.mark.parametrize(
    ("raw", "row", "told"),
    [
        ("a,b\n1,Mü\n2,ä\n".encode("cp1252"), 2, "0xFC"),
        ("a,b\r1,x\r2,Mü\r".encode("cp1252"), 3, "Windows-1252"),
        ("a,b\n1,Mü\n2,ö".encode() + b"\x81\n", 3, "stray byte"),
        ("a,b\n1,2".encode("utf-16")[:-1], None, "UTF-16"),
        (b"a,b\n1,\x00\x00\n", 2, "zero byte"),
        (b"PK\x03\x04....", None, "spreadsheet"),
        (b"\xd0\xcf\x11\xe0....", None, "spreadsheet"),
    ],
)
def test_what_is_wrong_with_a_coding_is_said_with_its_line(
    tmp_path: Path, raw: bytes, row: int | None, told: str
) -> None:
    (tmp_path / "t.csv").write_bytes(raw)
    (problem,) = read_table(tmp_path / "t.csv").problems
    assert (problem.row, told in problem.message) == (row, True)


@pytest.mark.parametrize("clock_s", [1, 4.5, 15, 15.3, 26.7, 59, 61, 754, 3599, 3661, 51785])
@pytest.mark.parametrize("form", ["{:.9f}", "{:.11f}", "{!r}", "{:.8E}"])
def test_a_fraction_of_a_day_is_refused_with_the_time_that_was_meant(clock_s: float, form: str) -> None:
    text = form.format(clock_s / 86_400)
    assert day_fraction_s(text) == pytest.approx(clock_s, abs=0.051)
    for parse in (parse_seconds, parse_clock):
        with pytest.raises(CellError, match="fraction of a day") as caught:
            parse(text)
        assert clock(day_fraction_s(text) or 0) in caught.value.fix


@pytest.mark.parametrize(
    "text",
    [
        "0",
        "0.5",
        "0.04",
        "0.25",
        "0.333",
        "0.1234",
        "0.7333333333333333",
        "0.03333333333333333",
        "12.000173611",
    ],
)
def test_seconds_below_one_are_seconds(text: str) -> None:
    assert parse_seconds(text) == float(text)


@pytest.mark.parametrize("name", ["videos/Müller.mp4", "Schäfer/Nguyễn/a.mp4"])
@pytest.mark.parametrize("form", ["NFC", "NFD"])
def test_a_file_whose_name_is_in_another_normal_form_is_explained(
    make_set: Make, form: str, name: str
) -> None:
    other = "NFD" if form == "NFC" else "NFC"
    named = unicodedata.normalize(form, name)
    tables = {"annotations": "video_id,feature,present\nV1,tonic,no\n", "reports": None}
    folder = make_set(recordings=f"video_id,patient_id,video\nV1,P1,{named}\n", **tables)
    path = folder / unicodedata.normalize(other, name)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"x")
    (problem,) = [each for each in read_folder(folder).problems if each.file == "recordings.csv"]
    assert other in problem.fix
    assert "did you mean" not in problem.fix
