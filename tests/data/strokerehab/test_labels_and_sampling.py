"""Label files with all their oddities, and which frames a window shows at odd frame rates."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from semiology.data.strokerehab.labels import read_labels
from semiology.data.strokerehab.sampling import Sampling, parse_sampling, stride, windows
from semiology.strokerehab import serialised_runs


def write(folder: Path, *rows: str, header: str = "Time_s,MarkerNames") -> Path:
    path = folder / "S1_drinking1_1.csv"
    path.write_text("\n".join([header, *rows]) + "\n", encoding="utf-8")
    return path


def test_runs_are_merged_and_the_last_ends_with_the_file(tmp_path: Path) -> None:
    labels = read_labels(
        write(
            tmp_path,
            "0.0,r_rest",
            "0.1,r_idle",
            "0.2,r_reach",
            "0.3,x_r_transport_prox",
            "0.4,l_idle",
            "0.5,l_idle",
        )
    )
    assert labels.hand == "right"
    assert serialised_runs(labels.runs) == "idle@0.000;reach@0.200;transport@0.300;transport@0.500"
    assert (labels.rows, labels.other_rows, labels.gaps, labels.problems) == (4, 2, (), ())


def test_a_tie_gives_the_right_hand(tmp_path: Path) -> None:
    tie = read_labels(write(tmp_path, "0,l_reach", "1,r_idle", "2,l_reach", "3,r_idle"))
    assert (tie.hand, [run.primitive for run in tie.runs]) == ("right", ["idle"])
    assert read_labels(write(tmp_path, "0,l_reach", "1,r_idle", "2,l_reach")).hand == "left"


def test_retract_is_a_reposition_and_unknown_markers_are_counted(tmp_path: Path) -> None:
    header = "Time_s,Time_s (Rounded),MarkerNames"
    labels = read_labels(
        write(
            tmp_path,
            "0.00,0,l_retract",
            "0.01,0,l_wave",
            "0.02,0,l_stabilize",
            "0.03,0,l_reposition",
            header=header,
        )
    )
    assert [run.primitive for run in labels.runs] == ["reposition", "stabilize", "reposition"]
    assert labels.unread == {"l_wave": 1}


def test_a_gap_in_time_is_told_and_the_label_before_goes_on(tmp_path: Path) -> None:
    labels = read_labels(write(tmp_path, "0,r_idle", "0.1,r_idle", "0.2,r_reach", "2.2,r_idle", "2.3,r_idle"))
    assert labels.gaps == ((0.2, 2.2),)
    assert labels.runs[1] == ("reach", 0.2, 2.2)


@pytest.mark.parametrize(
    ("rows", "row", "part"),
    [
        (("0,r_idle", "x,r_idle"), 3, "no number"),
        (("0,r_idle", "2,r_idle", "1,r_idle"), 4, "after 2 s"),
        (("0,idle",), 2, "names a side"),
    ],
)
def test_faults_name_file_and_row(tmp_path: Path, rows: tuple[str, ...], row: int, part: str) -> None:
    labels = read_labels(write(tmp_path, *rows))
    assert labels.runs == ()
    (problem,) = labels.problems
    assert (problem.file, problem.row) == ("S1_drinking1_1.csv", row)
    assert part in problem.message


@pytest.mark.parametrize("content", [b"", b"\xff\xfe\x00", b"Time_s\n0\n", b"PK\x03\x04"])
def test_no_content_is_an_exception(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "labels.csv"
    path.write_bytes(content)
    assert read_labels(path).problems
    assert read_labels(tmp_path / "absent.csv").problems


def test_stride_at_the_rates_of_the_study() -> None:
    assert [stride(rate, 15) for rate in (20.2, 30, 60, 100, 5)] == [1, 2, 4, 7, 1]
    lengths = [windows(1000, rate, Sampling(8, 15))[0].end_s for rate in (20.2, 30, 60, 100)]
    assert lengths == pytest.approx([8 / 20.2, 16 / 30, 32 / 60, 0.56])


def test_the_last_window_is_cut_at_the_end() -> None:
    found = windows(120, 60, Sampling(8, 15))
    assert [len(window.numbers) for window in found] == [8, 8, 8, 6]
    assert found[-1].numbers == (96, 100, 104, 108, 112, 116)
    assert (found[-1].start_s, found[-1].end_s) == (1.6, 2.0)
    assert [window.start_s for window in windows(60, 30, Sampling(8, 15, overlap=4))] == pytest.approx(
        [number * 8 / 30 for number in range(8)]
    )


def test_uniform_frames_reach_from_first_to_last() -> None:
    (window,) = windows(100, 20.2, Sampling(8))
    assert (window.numbers[0], window.numbers[-1], len(window.numbers)) == (0, 99, 8)
    assert len(windows(3, 30, Sampling(8))[0].numbers) == 3
    assert windows(0, 30, Sampling(8)) == []


@given(
    st.integers(1, 500),
    st.sampled_from([20.2, 29.97, 30, 60, 100]),
    st.integers(1, 15),
    st.sampled_from([1, 2, 15, 30]),
)
def test_windows_follow_each_other_without_a_gap(frames: int, rate: float, size: int, fps: int) -> None:
    found = windows(frames, rate, Sampling(size, fps))
    assert found[0].start_s == 0
    assert found[-1].end_s == pytest.approx(frames / rate)
    for first, second in pairwise(found):
        assert second.start_s == first.end_s
        assert len(first.numbers) == size
        assert first.numbers[-1] < second.numbers[0]


def test_sampling_by_name() -> None:
    assert parse_sampling("15_8") == Sampling(8, 15)
    assert parse_sampling("uniform_8").name == "uniform_8"
    assert parse_sampling("30_8_2").overlap == 2
    for text in ("15", "fast_8", "15_0", "15_8_8", ""):
        with pytest.raises(ValueError, match=r"sampling|frame"):
            parse_sampling(text)
