from __future__ import annotations

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from semiology.metrics.s3.text.report_scores import other_patient_pairs


@given(st.lists(st.integers(0, 4), max_size=60), st.integers(1, 12))
def test_every_pair_is_of_two_patients_and_nobody_has_too_many(patients: list[int], most: int) -> None:
    pairs = other_patient_pairs(patients, most)
    assert len(set(pairs)) == len(pairs)
    assert all(patients[i] != patients[j] for i, j in pairs)
    assert max(Counter(i for i, _ in pairs).values(), default=0) <= most


def test_small_collections_pair_everything_of_other_patients() -> None:
    assert set(other_patient_pairs(["a", "a", "b"])) == {(0, 2), (1, 2), (2, 0), (2, 1)}
    assert other_patient_pairs(["a", "a"]) == []
    assert other_patient_pairs([]) == []
