from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from semiology.metrics.text_overlap import bert_scores, bleu, corpus_bleu, other_patient_rouge_l, rouge

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


@pytest.fixture(scope="module")
def encoder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A miniature encoder with random weights and a vocabulary of our words."""
    import torch
    from transformers import BertConfig, BertModel, BertTokenizer

    torch.manual_seed(0)
    folder = tmp_path_factory.mktemp("encoder")
    pieces = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *WORDS]
    tokenizer = BertTokenizer(vocab={piece: i for i, piece in enumerate(pieces)}, model_max_length=64)
    tokenizer.save_pretrained(folder)
    config = BertConfig(
        vocab_size=len(pieces),
        hidden_size=16,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=16,
        max_position_embeddings=64,
    )
    BertModel(config).save_pretrained(folder)
    return folder


def test_bert_scores_come_from_a_local_encoder(encoder: Path) -> None:
    given_texts = ["head turns left", "arm stiff", "", "clonic jerks then stiff"]
    references = ["head turns left", "clonic jerks", "arm stiff", "arm turns"]
    scores = bert_scores(given_texts, references, model=encoder, layer=2)
    swapped = bert_scores(references, given_texts, model=encoder, layer=2)
    assert scores.f1[0] == pytest.approx(1, abs=1e-5)
    assert scores.f1[1] < 0.999
    assert scores.f1[2] == 0
    np.testing.assert_allclose(scores.precision, swapped.recall, atol=1e-5)
    np.testing.assert_allclose(scores.f1, swapped.f1, atol=1e-5)


def test_bert_scores_never_look_beyond_this_machine(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="nothing is fetched"):
        bert_scores(["a"], ["a"], model=tmp_path, layer=2)
    with pytest.raises(FileNotFoundError, match="roberta-large holds no encoder"):
        bert_scores(["a"], ["a"], model=Path("roberta-large"), layer=17)
