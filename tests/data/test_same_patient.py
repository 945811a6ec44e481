"""One person under two ids, and one film under two people, are told and refused."""

from collections.abc import Callable
from pathlib import Path

import pytest

from semiology.data.problems import RecordingSetError
from semiology.data.recording_set import Recording
from semiology.data.same_patient import look_alike_ids, refuse_doubtful_patients, shared_films
from semiology.data.tables.alike_names import name_key
from semiology.data.tables.reading import read_recording_set
from semiology.optimization.folds.draw import draw_folds
from semiology.optimization.folds.tables import write_folds

Make = Callable[..., Path]


def rows(*patients: str) -> list[tuple[int, Recording]]:
    return [(n, Recording(f"V{n}", each, Path(f"/nowhere/{n}.mp4"))) for n, each in enumerate(patients, 2)]


@pytest.mark.parametrize(
    ("one", "other"),
    [("007", "7"), ("P007", "p7"), ("P_007", "P-7"), ("7", "7.0"), ("p01_02", "P1.02"), ("ABC", "abc")],
)
def test_ids_that_differ_in_form_alone_are_told_with_both_rows(one: str, other: str) -> None:
    (problem,) = look_alike_ids(rows(one, "other", other, other))
    assert problem.row == 4
    assert f"{one!r} in row 2" in problem.message


@pytest.mark.parametrize(
    ("one", "other"), [("P1", "P11"), ("P10", "P1"), ("P1_1", "P11"), ("P0", "P"), ("A1", "B1")]
)
def test_ids_that_differ_otherwise_are_two_people(one: str, other: str) -> None:
    assert name_key(one) != name_key(other)
    assert look_alike_ids(rows(one, other)) == []


def test_one_film_under_two_patients_is_refused_unless_they_are_said_to_differ(make_set: Make) -> None:
    folder = make_set()  # its placeholders are all alike
    found = shared_films([(2 + n, each) for n, each in enumerate(read_recording_set(folder).recordings)])
    assert [(each.row, "this patient" in each.message, "'P001'" in each.message) for each in found] == [
        (3, True, False), (4, False, True),
    ]  # fmt: skip
    with pytest.raises(RecordingSetError) as caught:
        refuse_doubtful_patients(folder)
    assert [(each.row, "P001" in each.message) for each in caught.value.problems] == [(4, True)]
    refuse_doubtful_patients(folder, distinct=True)
    for number, name in enumerate(("P001_V01", "P001_V02", "P002_V01")):
        (folder / "videos" / f"{name}.mp4").write_bytes(bytes([number]))
    refuse_doubtful_patients(folder)


def test_folds_keep_every_byte_but_their_own(make_set: Make) -> None:
    text = "\ufeffVideo_ID;Patient_ID;Video;;Site note\r\nV1;P1;a.mp4;x;Mü\r\n\r\nV2;P2;b.mp4;;'=1\r\n"
    folder = make_set(
        recordings=text.encode(), annotations="video_id,feature,present\nV1,tonic,yes\n", reports=None
    )
    folds = draw_folds(read_recording_set(folder, require_media=False), 2)
    write_folds(folder, folds)
    lines = text.split("\r\n")
    lines[0] += ";fold"
    lines[1] += f";{folds['P1']}"
    lines[3] += f";{folds['P2']}"
    assert (folder / "recordings.csv").read_bytes() == "\r\n".join(lines).encode()
