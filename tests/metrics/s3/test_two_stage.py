"""The two-stage diagnosis: vectors, folds, and that a forest never learns from the patient it judges."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from semiology.metrics.s3.two_stage import drawn_folds, feature_vectors, two_stage_diagnoses

FEATURES = ("tonic", "pelvic_thrusting", "head_turning")


def ward(patients: int = 20, *, seed: int = 0) -> tuple[pd.DataFrame, dict[str, str], dict[str, str]]:
    """Return answers, diagnoses, patients: tonic in ES, pelvic thrusting in NES, head turning in either."""
    rng = np.random.default_rng(seed)
    rows, diagnosis, owner = [], {}, {}
    for p in range(patients):
        for v in range(3):
            video = f"P{p:03d}_V{v}"
            diagnosis[video], owner[video] = ("ES", "NES")[p % 2], f"P{p:03d}"
            signs = (p % 2 == 0, p % 2 == 1, bool(rng.integers(2)))
            rows += [(video, f, "yes" if s else "no") for f, s in zip(FEATURES, signs, strict=True)]
    return pd.DataFrame(rows, columns=["video_id", "feature", "answer"]), diagnosis, owner


def test_a_vector_holds_one_zero_or_nothing() -> None:
    rows = [("b", "tonic", "yes"), ("a", "tonic", "no"), ("a", "clonic", "unparsed"), ("b", "clonic", "na")]
    vectors = feature_vectors(pd.DataFrame(rows, columns=["video_id", "feature", "answer"]))
    assert list(vectors.index) == ["a", "b"]
    assert vectors["tonic"].tolist() == [0.0, 1.0]
    assert vectors["clonic"].isna().all()
    with pytest.raises(ValueError, match="two answers"):
        feature_vectors(pd.DataFrame(rows[:1] * 2, columns=["video_id", "feature", "answer"]))


def test_signs_that_tell_the_diagnosis_are_learnt_from_other_patients() -> None:
    answers, diagnosis, owner = ward()
    found = two_stage_diagnoses(feature_vectors(answers), diagnosis, owner, drawn_folds(diagnosis, owner))
    assert found == diagnosis


def test_a_mark_of_the_patient_alone_is_of_no_use() -> None:
    """A feature that only this patient's recordings show would give the diagnosis away if folds leaked."""
    answers, diagnosis, owner = ward()
    own = pd.DataFrame(
        [(v, f"mark_{p}", "yes" if p == owner[v] else "no") for v in owner for p in set(owner.values())],
        columns=answers.columns,
    )
    vectors = feature_vectors(own)
    found = two_stage_diagnoses(vectors, diagnosis, owner, drawn_folds(diagnosis, owner))
    right = np.mean([found[v] == diagnosis[v] for v in found])
    assert right <= 0.6
    # The same marks with recordings of one patient on both sides do give it away.
    leaking = {v: i % 3 for i, v in enumerate(sorted(owner))}
    alone = {v: v for v in owner}
    leaked = two_stage_diagnoses(vectors, diagnosis, alone, leaking)
    assert np.mean([leaked[v] == diagnosis[v] for v in leaked]) > 0.9


def test_unanswered_signs_and_signs_that_nobody_answered_are_borne() -> None:
    answers, diagnosis, owner = ward()
    answers.loc[answers.index % 7 == 0, "answer"] = "unparsed"
    answers.loc[answers["feature"] == "head_turning", "answer"] = "na"
    found = two_stage_diagnoses(feature_vectors(answers), diagnosis, owner, drawn_folds(diagnosis, owner))
    assert set(found) == set(diagnosis)
    assert np.mean([found[v] == diagnosis[v] for v in found]) > 0.8


def test_folds_keep_patients_whole_and_are_the_same_twice() -> None:
    _, diagnosis, owner = ward()
    folds = drawn_folds(diagnosis, owner)
    assert set(folds.values()) == {0, 1, 2, 3, 4}
    assert all(len({folds[v] for v in owner if owner[v] == p}) == 1 for p in set(owner.values()))
    assert folds == drawn_folds(dict(reversed(diagnosis.items())), owner)
    _, few, patients = ward(6)
    assert set(drawn_folds(few, patients).values()) == {0, 1, 2}


def test_two_patients_of_each_diagnosis_are_enough() -> None:
    diagnosis = {"a": "ES", "b": "ES", "c": "NES", "d": "NES"}
    folds = drawn_folds(diagnosis, {video: f"p_{video}" for video in diagnosis})
    # Two folds, each with one patient of either diagnosis.
    assert {folds["a"], folds["b"]} == {folds["c"], folds["d"]} == {0, 1}


def test_what_cannot_be_learnt_is_refused_or_left_out() -> None:
    answers, diagnosis, owner = ward()
    vectors = feature_vectors(answers)
    with pytest.raises(ValueError, match="1 patient with NES"):
        drawn_folds({v: d for v, d in diagnosis.items() if d == "ES" or owner[v] == "P001"}, owner)
    with pytest.raises(ValueError, match="P000_V1: its patient is in folds 0 and 1"):
        two_stage_diagnoses(vectors, diagnosis, owner, {v: i % 2 for i, v in enumerate(sorted(owner))})
    nothing = feature_vectors(answers.assign(answer="unparsed"))
    assert two_stage_diagnoses(nothing, diagnosis, owner, drawn_folds(diagnosis, owner)) == {}
    by_diagnosis = {v: diagnosis[v] for v in diagnosis}
    assert two_stage_diagnoses(vectors, diagnosis, owner, by_diagnosis) == {}
    sample = dict.fromkeys(list(diagnosis)[:3], "sample")
    folds = drawn_folds(diagnosis, owner)
    assert not set(sample) & set(two_stage_diagnoses(vectors, diagnosis | sample, owner, folds))


@pytest.mark.parametrize(
    ("es", "nes", "asked", "made"), [(2, 6, 5, 2), (6, 3, 5, 3), (6, 6, 4, 4), (5, 9, 5, 5)]
)
def test_there_are_as_many_folds_as_the_rarer_diagnosis_has_patients(
    es: int, nes: int, asked: int, made: int
) -> None:
    diagnosis = {f"v{i:02d}": "ES" if i < es else "NES" for i in range(es + nes)}
    folds = drawn_folds(diagnosis, {video: f"p_{video}" for video in diagnosis}, folds=asked)
    assert sorted(set(folds.values())) == list(range(made))
    # Of either diagnosis every fold has a patient.
    assert all({diagnosis[v] for v in folds if folds[v] == k} == {"ES", "NES"} for k in range(made))
