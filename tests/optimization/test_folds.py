from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.model_selection import StratifiedGroupKFold

from semiology.data.recording_set import Annotation, Recording, RecordingSet
from semiology.data.tables.reading import read_recording_set
from semiology.features import FEATURES
from semiology.optimization.folds.draw import (
    FoldError,
    draw_folds,
    fold_balance,
    folds_fingerprint,
    folds_of,
    nested_splits,
)

MakeSet = Callable[..., Path]


def a_set(
    patients: list[int], signs: list[tuple[int, str]], folds: list[str | None] | None = None
) -> RecordingSet:
    """A set in memory: a recording for each entry of ``patients``; ``features`` are (recording, feature)."""
    recordings = tuple(
        Recording(
            f"v{i}",
            f"p{patient}",
            Path(f"/v{i}.mp4"),
            diagnosis="NES" if patient % 2 else "ES",
            fold=folds[i] if folds else None,
        )
        for i, patient in enumerate(patients)
    )
    seen = set(signs)
    annotations = tuple(
        Annotation(f"v{i}", feature, "yes" if (i, feature) in seen else "no")
        for i in range(len(patients))
        for feature in ("tonic", "clonic")
    )
    return RecordingSet(Path("/"), "drawn", "1", recordings, annotations, {})


@given(
    st.lists(st.integers(0, 14), min_size=4, max_size=60).filter(lambda p: len(set(p)) >= 4),
    st.integers(2, 4),
    st.integers(0, 3),
    st.data(),
)
def test_folds_hold_whole_patients_and_none_is_empty(
    patients: list[int], folds: int, seed: int, data: st.DataObject
) -> None:
    places = st.tuples(st.integers(0, len(patients) - 1), st.sampled_from(["tonic", "clonic"]))
    recording_set = a_set(patients, data.draw(st.lists(places, max_size=20)))
    found = draw_folds(recording_set, folds, seed=seed)
    assert set(found) == {f"p{patient}" for patient in patients}
    assert set(found.values()) == {str(i) for i in range(folds)}
    assert found == draw_folds(recording_set, folds, seed=seed)
    balance = fold_balance(recording_set, found)
    assert sum(each.recordings for each in balance.folds) == len(patients)


def test_a_sign_of_few_patients_reaches_every_fold(make_set: MakeSet) -> None:
    # five patients show tonic, in five folds; each fold must get one of them
    patients = list(range(40))
    recording_set = a_set(patients, [(i, "tonic") for i in (0, 8, 16, 24, 32)])
    balance = fold_balance(recording_set, draw_folds(recording_set, 5))
    assert [each.positives["tonic"] for each in balance.folds] == [1] * 5
    # clonic is never shown: that is told, as is nothing else
    assert balance.warnings == ("clonic: no recording with the feature in any fold; its F1 says nothing",)


def test_the_balance_of_a_hand_computed_example() -> None:
    # Two folds of one patient each: p0 (ES) has 3 recordings, 2 tonic; p1 (NES) has 1, none.
    # Equal shares: tonic 1, ES 1.5, NES 0.5, recordings 2. Deviations squared over expectation, both folds:
    # tonic 2 * 1/1, ES 2 * 1.5^2/1.5, NES 2 * 0.5^2/0.5, recordings 2 * 1/2 -> 2 + 3 + 1 + 1 = 7
    recording_set = a_set([0, 0, 0, 1], [(0, "tonic"), (1, "tonic")])
    balance = fold_balance(recording_set, {"p0": "0", "p1": "1"})
    assert balance.imbalance == pytest.approx(7)
    assert [(each.recordings, dict(each.diagnoses)) for each in balance.folds] == [
        (3, {"ES": 3, "NES": 0}),
        (1, {"ES": 0, "NES": 1}),
    ]
    assert "tonic: no recording with the feature in fold 1" in balance.warnings
    assert "no ES recording in fold 1" in balance.warnings
    assert "no NES recording in fold 0" in balance.warnings


def test_folds_are_better_balanced_than_those_of_one_class(make_set: MakeSet) -> None:
    recording_set = read_recording_set(make_set(60), require_media=False)
    ours = fold_balance(recording_set, draw_folds(recording_set, 5)).imbalance
    groups = [item.patient_id for item in recording_set.recordings]
    diagnosis = [str(item.diagnosis) for item in recording_set.recordings]
    for seed in range(3):
        splitter = StratifiedGroupKFold(5, shuffle=True, random_state=seed)
        theirs = {}
        for fold, (_, test) in enumerate(splitter.split(np.zeros(len(groups)), diagnosis, groups)):
            theirs |= {groups[i]: str(fold) for i in test}
        assert ours < fold_balance(recording_set, theirs).imbalance / 2


def test_another_seed_gives_other_folds(make_set: MakeSet) -> None:
    recording_set = read_recording_set(make_set(40), require_media=False)
    assert draw_folds(recording_set, 5, seed=0) != draw_folds(recording_set, 5, seed=1)


def test_only_patients_to_develop_on_get_a_fold(make_set: MakeSet) -> None:
    recording_set = read_recording_set(make_set(30), require_media=False)
    found = draw_folds(recording_set, 4)
    test = {item.patient_id for item in recording_set.recordings if item.split == "test"}
    assert len(found) == 24
    assert not test & set(found)


@pytest.mark.parametrize("folds", [1, 4])
def test_more_folds_than_patients_or_one_are_refused(folds: int) -> None:
    with pytest.raises(FoldError, match=f"3 patients cannot fill {folds} fold"):
        draw_folds(a_set([0, 1, 2], []), folds)


def test_a_patient_in_two_folds_is_refused() -> None:
    assert folds_of(a_set([0, 0, 1], [], ["a", None, "b"])) == {"p0": "a", "p1": "b"}
    with pytest.raises(FoldError, match="'p0' is in the folds 'a' and 'b'"):
        folds_of(a_set([0, 0, 1], [], ["a", "b", "b"]))


def test_no_patient_with_a_fold_is_told() -> None:
    with pytest.raises(FoldError, match="draw folds first"):
        fold_balance(a_set([0, 1], []), {})


@given(st.dictionaries(st.text("abc", min_size=1, max_size=4), st.sampled_from("0123"), min_size=6))
def test_the_parts_of_a_nested_split_share_no_patient(fold_of_patient: dict[str, str]) -> None:
    if len(set(fold_of_patient.values())) < 3:
        with pytest.raises(FoldError, match="at least three"):
            nested_splits(fold_of_patient)
        return
    splits = nested_splits(fold_of_patient)
    assert list(splits) == sorted(set(fold_of_patient.values()))
    for split in splits.values():
        parts = (split.train, split.development, split.test)
        assert all(parts)
        assert sorted(patient for part in parts for patient in part) == sorted(fold_of_patient)
    tested = [patient for split in splits.values() for patient in split.test]
    assert sorted(tested) == sorted(fold_of_patient)


def test_the_fingerprint_depends_on_who_is_where_and_not_on_order() -> None:
    folds = {"a": "0", "b": "1"}
    assert folds_fingerprint(folds) == folds_fingerprint(dict(reversed(folds.items())))
    assert folds_fingerprint(folds) != folds_fingerprint({"a": "1", "b": "0"})
    assert len(FEATURES) == 20
