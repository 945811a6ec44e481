"""One column of a table is set, and no other byte changes."""

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from semiology.data.tables.column_editing import set_column
from semiology.data.tables.csv_tables import read_table

ROWS = 'Video_ID{d}Patient_ID{d}{d}Site note{e}V1{d}P1{d}by hand{d}"Mü{d}n ""c"" hen"{e}{e}V2{d}P2{d}{d} x{e}'


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize(
    ("encoding", "mark"),
    [("utf-8", b""), ("utf-8", b"\xef\xbb\xbf"), ("utf-16-le", b"\xff\xfe"), ("utf-16-be", b"\xfe\xff")],
)
def test_only_the_new_column_is_added(
    tmp_path: Path, delimiter: str, line_end: str, encoding: str, mark: bytes
) -> None:
    path = tmp_path / "recordings.csv"
    text = ROWS.format(d=delimiter, e=line_end)
    path.write_bytes(mark + text.encode(encoding))
    set_column(path, "fold", {2: "0", 4: "1"})
    lines = text.split(line_end)
    for number, cell in ((0, "fold"), (1, "0"), (3, "1")):
        lines[number] += delimiter + cell
    assert path.read_bytes() == mark + line_end.join(lines).encode(encoding)
    set_column(path, "fold", {2: "1", 4: ""})
    lines[1], lines[3] = lines[1][:-1] + "1", lines[3][:-1]
    assert path.read_bytes() == mark + line_end.join(lines).encode(encoding)


def test_a_line_that_names_the_separator_and_cells_on_two_lines_stay(tmp_path: Path) -> None:
    path = tmp_path / "recordings.csv"
    path.write_bytes(b'sep=;\r\nvideo_id;Fold;note\r\nV1;7;"a\r\nb"\r\nV2;;')
    path.chmod(0o640)
    set_column(path, "fold", {3: "1", 4: "x;y"})
    assert path.read_bytes() == b'sep=;\r\nvideo_id;Fold;note\r\nV1;1;"a\r\nb"\r\nV2;"x;y";'
    assert path.stat().st_mode & 0o777 == 0o640


cells = st.text(st.sampled_from(" ab\"'ü"), max_size=4)


@settings(deadline=None, max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=st.lists(st.lists(cells, min_size=1, max_size=4), min_size=1, max_size=5), data=st.data())
def test_a_table_that_is_read_is_changed_in_one_column_or_not_at_all(
    tmp_path: Path, rows: list[list[str]], data: st.DataObject
) -> None:
    path = tmp_path / "t.csv"
    text = "\n".join(
        [data.draw(st.sampled_from(["v,fold,x,y", "v,w,x,y"])), *(",".join(row) for row in rows)]
    )
    path.write_text(text, encoding="utf-8", newline="")
    before = read_table(path)
    if before.problems:
        return
    folds = {row.number: str(row.number % 3) for row in before.rows}
    try:
        set_column(path, "fold", folds)
    except ValueError:
        assert path.read_text(encoding="utf-8") == text
        return
    after = read_table(path)
    assert {row.number: row["fold"] for row in after.rows} == folds
    assert [[row[name] for name in "vxy"] for row in after.rows] == [
        [row[name] for name in "vxy"] for row in before.rows
    ]
