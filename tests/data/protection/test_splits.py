"""Who gets which recordings."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from semiology.data.protection.splits import (
    PURPOSES,
    SPLITS,
    hand_out,
    parse_purpose,
    parse_split,
)
from semiology.data.recording_set import Annotation, Recording, RecordingSet
from semiology.data.tables.cells import CellError

NAMES = st.sampled_from([None, "train", "Dev", "TEST", "confirm"])


def recordings(*splits: str | None, each: int = 2) -> tuple[Recording, ...]:
    """Two recordings of each patient; only the first names the split."""
    return tuple(
        Recording(f"v{patient}_{take}", f"p{patient}", Path("x.mp4"), split=split if take == 0 else None)
        for patient, split in enumerate(splits)
        for take in range(each)
    )


def patients(found: tuple[Recording, ...]) -> list[str]:
    return sorted({each.patient_id for each in found})


def test_one_recording_that_names_the_split_puts_all_of_its_patient_there() -> None:
    given_out = hand_out(recordings("train", "test", "confirm"))
    assert [each.video_id for each in given_out.recordings] == ["v0_0", "v0_1", "v1_0", "v1_1"]
    assert {each.split for each in given_out.recordings} == {"train", "test"}
    assert dict(given_out.withheld) == {"confirm": 2}
    assert given_out.protected("test") == {"v1_0", "v1_1"}
    assert "2 recordings of the split confirm left out → --split confirm opens" in given_out.notes()[0]


@given(st.lists(NAMES, min_size=1, max_size=8))
def test_every_recording_is_handed_out_or_withheld_and_no_purpose_opens_another_split(
    splits: list[str | None],
) -> None:
    everything = recordings(*splits)
    for purpose, opened in PURPOSES.items():
        try:
            found = hand_out(everything, purpose)
        except ValueError as error:
            told = str(error)
            assert "no recording is of the split" in told
            continue
        assert len(found.recordings) + sum(found.withheld.values()) == len(everything)
        assert {each.split for each in found.recordings if each.split} <= set(opened)
        if purpose == "develop":
            assert not found.protected("test") | found.protected("confirm")


def test_patients_without_a_split_develop_only_where_nobody_is_named_for_it() -> None:
    assert patients(hand_out(recordings(None, "test", None), "develop").recordings) == ["p0", "p2"]
    assert patients(hand_out(recordings(None, "test", "train"), "develop").recordings) == ["p2"]
    assert patients(hand_out(recordings(None, "test", "train")).recordings) == ["p0", "p1", "p2"]
    assert patients(hand_out(recordings(None, None), "develop").recordings) == ["p0", "p1"]


def test_a_purpose_that_gets_nothing_says_what_there_is() -> None:
    with pytest.raises(
        ValueError, match=r"recordings\.csv: no recording is of the split test → there are: confirm, train"
    ):
        hand_out(recordings("train", "confirm"), "test")


def test_a_patient_in_two_splits_and_an_unknown_split_are_refused() -> None:
    clash = (*recordings("train", each=1), Recording("other", "p0", Path("x.mp4"), split="test"))
    with pytest.raises(ValueError, match="patient p0 is in the splits train and test"):
        hand_out(clash)
    with pytest.raises(ValueError, match="v0_0: 'blind' is no split"):
        hand_out(recordings("blind"))


@pytest.mark.parametrize(
    ("text", "split"),
    [
        ("Training", "train"),
        ("tune", "dev"),
        ("val_split", "dev"),
        ("Test Patients", "test"),
        ("lock-box", "confirm"),
    ],
)
def test_usual_spellings(text: str, split: str) -> None:
    assert parse_split(text) == split
    assert parse_purpose(text) == split


def test_what_is_no_split_is_told() -> None:
    with pytest.raises(CellError, match="'0' is no split"):
        parse_split("0")
    with pytest.raises(
        ValueError, match=r"SEMIOLOGY_SPLIT tets: there is no such split; did you mean 'test'"
    ):
        parse_purpose("tets", setting="SEMIOLOGY_SPLIT")
    assert [parse_purpose(text) for text in (None, " ", "ALL", "Develop")] == [
        "score",
        "score",
        "all",
        "develop",
    ]
    assert all(parse_purpose(name) == name for name in SPLITS)


def test_a_narrowed_set_knows_nothing_of_the_others() -> None:
    everything = recordings("train", "confirm", each=1)
    marked = tuple(Annotation(each.video_id, "tonic", "yes") for each in everything)
    whole = RecordingSet(Path("/"), "drawn", "1", everything, marked, {"v0_0": "seen", "v1_0": "secret"})
    assert whole.recording("v1_0").patient_id == "p1"  # fills what the set remembers
    narrow = hand_out(everything).narrow(whole)
    assert [each.video_id for each in narrow.annotations] == ["v0_0"]
    assert dict(narrow.reports) == {"v0_0": "seen"}
    with pytest.raises(KeyError):
        narrow.recording("v1_0")


def test_names_and_places_choose_among_what_a_purpose_may_use() -> None:
    everything = recordings("train", "test", "confirm")

    def found(**chosen: str) -> list[str]:
        return [each.video_id for each in hand_out(everything, **chosen).recordings]

    assert found(ids="v1_*, v0_1") == ["v0_1", "v1_0", "v1_1"]
    assert found(places="2-3") == ["v0_1", "v1_0"]  # places among those handed out, in the set's order
    assert found(places="1,4-", ids="v1_*") == ["v1_1"]
    assert found(purpose="test", places="1-2") == ["v1_0", "v1_1"]
    given_out = hand_out(everything, ids="v0_0")
    assert (given_out.not_chosen, dict(given_out.withheld)) == (3, {"confirm": 2})
    assert any(
        "3 recordings left out, which --recordings and --videos do not name" in n for n in given_out.notes()
    )


@pytest.mark.parametrize(
    ("chosen", "message"),
    [
        ({"ids": "v2_0"}, "--recordings v2_0: is kept back from the purpose 'score' → name its split"),
        ({"ids": "v0_11"}, "--recordings v0_11: no recording has this video_id; did you mean 'v0_1'"),
        ({"places": "0-2"}, "--videos 0-2: is no range of places within 1-4"),
        ({"places": "3-9"}, "--videos 3-9: is no range of places within 1-4"),
        ({"places": "4-2"}, "--videos 4-2: is no range"),
        ({"places": "a-b"}, "--videos a-b: is no range"),
        ({"ids": "v0_0", "places": "2"}, "--recordings v0_0, --videos 2: name no recording together"),
    ],
)
def test_a_choice_that_names_nothing_is_refused(chosen: dict[str, str], message: str) -> None:
    with pytest.raises(ValueError, match=re.escape(message)):
        hand_out(recordings("train", "test", "confirm"), **chosen)
