"""Writing recording sets: nothing is lost on the way to disk and back."""

import csv
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from semiology.data.cache import write_whole
from semiology.data.recording_set import Annotation, Recording
from semiology.data.tables.cells import day_fraction_s
from semiology.data.tables.csv_tables import bare_cell, guarded_cell, read_table
from semiology.data.tables.reading import read_recording_set
from semiology.data.tables.writing import table_text, write_recording_set
from semiology.features import FEATURES

Make = Callable[..., Path]
METADATA = {"name": "set", "version": "1"}

texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0\r"), max_size=40).map(
    str.strip
)
seconds = st.none() | st.floats(0, 1e5, allow_nan=False).filter(
    lambda value: day_fraction_s(format(Decimal(repr(value)), "f")) is None
)


def annotation_of(
    feature: str, times: list[float | None], present: str, text: str, side: str | None
) -> Annotation:
    onset, offset = times
    if onset is not None and offset is not None and offset < onset:
        onset, offset = offset, onset
    return Annotation("P1_V1", feature, present, onset, offset, side, text or None)  # type: ignore[arg-type]


annotations = st.builds(
    annotation_of,
    st.sampled_from(FEATURES),
    st.lists(seconds, min_size=2, max_size=2),
    st.sampled_from(["yes", "no", "na"]),
    texts,
    st.sampled_from([None, "left", "right", "both"]),
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=st.lists(annotations, unique_by=lambda item: item.feature, max_size=6), report=texts)
def test_what_is_written_is_read_back_exactly(tmp_path: Path, rows: list[Annotation], report: str) -> None:
    recording = Recording("P1_V1", "P1", tmp_path / "videos" / "a.mp4", duration_s=123456.75, diagnosis="NES")
    reports = {"P1_V1": report} if report else {}
    write_recording_set(tmp_path, [recording], rows, reports, METADATA)
    found = read_recording_set(tmp_path, require_media=False)
    assert (found.recordings, found.annotations, found.reports) == ((recording,), tuple(rows), reports)


def test_the_same_content_gives_the_same_bytes_and_leaves_no_temporary_file(
    make_set: Make, tmp_path: Path
) -> None:
    found = read_recording_set(make_set())
    copy = tmp_path / "little"
    contents = []
    for _time in range(2):
        write_recording_set(copy, found.recordings, found.annotations, found.reports, found.metadata)
        contents.append({path.name: path.read_bytes() for path in sorted(copy.iterdir()) if path.is_file()})
    assert contents[0] == contents[1]
    assert sorted(contents[0]) == ["annotations.csv", "dataset.yaml", "recordings.csv", "reports.csv"]
    assert read_recording_set(copy) == found
    assert b"\r" not in contents[0]["annotations.csv"]


def test_paths_are_stored_relative_and_must_lie_in_the_folder(tmp_path: Path) -> None:
    inside = Recording("V1", "P1", tmp_path / "videos" / "V1.mp4", audio=tmp_path / "V1.wav")
    write_recording_set(tmp_path, [inside], [], {}, METADATA)
    (row,) = read_table(tmp_path / "recordings.csv").rows
    assert (row["video"], row["audio"]) == ("videos/V1.mp4", "V1.wav")
    with pytest.raises(ValueError, match="does not lie in"):
        write_recording_set(tmp_path / "set", [inside], [], {}, METADATA)


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "'=1", "''=1", "=cmd|' /C calc'!A0"])
def test_formula_like_text_is_disarmed_on_disk_and_unchanged_when_read(tmp_path: Path, text: str) -> None:
    recording = Recording("V1", "P1", tmp_path / "V1.mp4")
    row = Annotation("V1", "tonic", "yes", justification=text)
    write_recording_set(tmp_path, [recording], [row], {"V1": text}, METADATA)
    with (tmp_path / "annotations.csv").open(newline="") as stream:
        cell = next(csv.DictReader(stream))["justification"]
    assert cell == f"'{text}"
    found = read_recording_set(tmp_path, require_media=False)
    assert found.annotations[0].justification == text
    assert found.reports["V1"] == text


@given(texts)
def test_guarding_a_cell_is_undone_exactly_and_disarms_it(text: str) -> None:
    assert bare_cell(guarded_cell(text)) == text
    assert not guarded_cell(text).startswith(("=", "+", "-", "@", "\t"))


@pytest.mark.parametrize(
    ("recordings", "annotations", "reports", "metadata", "message"),
    [
        (["V1", "V1"], [], {}, METADATA, "same video_id"),
        (["V1"], ["V1", "V1"], {}, METADATA, "same recording and feature"),
        (["V1"], ["V2"], {}, METADATA, "unknown recordings: V2"),
        (["V1"], [], {"V3": "x"}, METADATA, "unknown recordings: V3"),
        (["V1"], [], {}, {"name": "x"}, "needs 'version'"),
    ],
)
def test_an_inconsistent_set_is_not_written(
    tmp_path: Path,
    recordings: list[str],
    annotations: list[str],
    reports: dict[str, str],
    metadata: dict[str, object],
    message: str,
) -> None:
    items = [Recording(name, "P1", tmp_path / f"{name}.mp4") for name in recordings]
    rows = [Annotation(name, "tonic", "no") for name in annotations]
    with pytest.raises(ValueError, match=message):
        write_recording_set(tmp_path, items, rows, reports, metadata)
    assert not list(tmp_path.iterdir())


def test_a_failed_write_leaves_the_old_file_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.csv"
    write_whole(path, "old\n")

    def fail(self: Path, target: Path) -> None:
        raise OSError("disk full")

    monkeypatch.setattr(Path, "replace", fail)
    with pytest.raises(OSError, match="disk full"):
        write_whole(path, "new\n")
    assert [item.read_text() for item in tmp_path.iterdir()] == ["old\n"]


def test_a_table_has_its_columns_in_the_given_order() -> None:
    assert table_text(["b", "a"], [{"a": "1", "b": "x\r\ny"}]) == 'b,a\n"x\ny",1\n'
