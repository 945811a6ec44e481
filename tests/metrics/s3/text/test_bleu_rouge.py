from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from semiology.metrics.s3.text.bleu_rouge import (
    bleu,
    bleu_of_statistics,
    bleu_statistics,
    corpus_bleu,
    other_patient_rouge_l,
    rouge,
)
from semiology.metrics.statistics.bootstrap import pooled_estimate

WORDS = ["head", "turns", "left", "arm", "stiff", "then", "clonic", "jerks"]
texts = st.lists(st.sampled_from(WORDS), max_size=15).map(" ".join)


@settings(max_examples=50)
@given(texts, texts)
def test_overlap_stays_in_range_and_rouge_is_symmetric(text: str, reference: str) -> None:
    one, other = rouge([text], [reference]), rouge([reference], [text])
    for values, mirrored in zip(one, other, strict=True):
        assert 0 <= values[0] <= 1
        assert values[0] == pytest.approx(mirrored[0])
    assert 0 <= bleu([text], [reference])[0] <= 100 + 1e-9


@settings(max_examples=50)
@given(st.lists(st.sampled_from(WORDS), min_size=4, max_size=15).map(" ".join))
def test_a_text_overlaps_fully_with_itself(text: str) -> None:
    assert rouge([text], [text]).rouge_l[0] == pytest.approx(1)
    assert corpus_bleu([text], [text]) == pytest.approx(100)


@pytest.mark.parametrize("text", ["", "left " * 25_000, '{"report": "', "患者头部向左转"])
def test_odd_texts_are_scored(text: str) -> None:
    assert 0 <= rouge([text], ["the head turns left"]).rouge_l[0] < 0.5
    assert 0 <= corpus_bleu([text], ["the head turns left"]) < 50


def test_chance_is_the_overlap_with_other_patients() -> None:
    reports = ["head turns left", "arm jerks twice", "eyes are closed"]
    assert rouge(reports, reports).rouge_l.mean() == pytest.approx(1)
    assert other_patient_rouge_l(reports, reports, ["a", "b", "c"]) == 0
    assert other_patient_rouge_l(reports, [reports[0], *reports[:2]], ["a", "a", "b"]) == 0.25
    assert np.isnan(other_patient_rouge_l(reports, reports, ["a", "a", "a"]))


@pytest.mark.parametrize("measure", [corpus_bleu, bleu, rouge])
def test_unequal_or_empty_lists_are_refused(measure: object) -> None:
    assert callable(measure)
    for given_texts, references in ((["a"], []), ([], [])):
        with pytest.raises(ValueError, match="one reference per text"):
            measure(given_texts, references)


def test_bleu_of_a_collection_comes_from_the_sums_of_its_texts() -> None:
    given_texts = ["head turns left then arm stiff", "", "clonic jerks", "left " * 30]
    references = ["head turns left arm stiff", "arm", "clonic jerks then head turns", "患者"]
    rows = bleu_statistics(given_texts, references)
    assert rows.shape == (4, 10)
    for kept in ([0, 1, 2, 3], [0], [1], [2, 3], [0, 0, 2]):
        expected = corpus_bleu([given_texts[i] for i in kept], [references[i] for i in kept])
        assert bleu_of_statistics(rows[kept].sum(0)[None])[0] == pytest.approx(expected)


def test_bleu_has_an_interval_by_patients() -> None:
    references = ["head turns left then arm stiff", "clonic jerks then left arm stiff"] * 12
    given_texts = [text if i % 3 else "head turns" for i, text in enumerate(references)]
    patients = [f"p{i // 2}" for i in range(24)]
    parts = {"bleu": bleu_statistics(given_texts, references)}
    found = pooled_estimate(parts, patients, lambda sums: bleu_of_statistics(sums["bleu"]), resamples=200)
    assert found.value == pytest.approx(corpus_bleu(given_texts, references))
    assert found.low is not None
    assert found.high is not None
    assert found.low < found.value < found.high
    assert found.n_patients == 12
    with pytest.raises(ValueError, match="one patient per row"):
        pooled_estimate({"bleu": np.zeros((2, 10))}, ["a"], lambda sums: bleu_of_statistics(sums["bleu"]))
